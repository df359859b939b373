//! Logs are bytes, and come back as they were written.

use crate::eventually::eventually;
use crate::home::Home;
use crate::pack;

#[test]
fn logs_keep_every_byte() {
    let (home, _database) = Home::with_database();
    pack::write(home.path(), "demo", &pack::DEMO);
    let _up = home.up(&["--packs", "demo"]);
    let id = home.json(&["action", "run", "demo.bytes"])["id"].to_string();
    let logs = || {
        let mut command = home.command(&["execution", "logs", &id, "--data-dir"]);
        command.arg(home.data_dir()).output().unwrap()
    };
    let output = eventually("the log is there", || Some(logs()).filter(|output| !output.stdout.is_empty()));
    assert_eq!(output.stdout, b"a\0b\xff\nno end of line: \xc3\xa9");
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}
