//! After kill -9 the next start puts everything right.

use std::path::Path;

use serde_json::json;

use crate::home::Home;
use crate::up::Up;
use crate::{pack, servers};

const COUNTER: [(&str, &str); 5] = [
    ("pack.yaml", "ref: demo\nname: Demo\nversion: 1.0.0\n"),
    ("triggers/tick.yaml", "ref: demo.tick\n"),
    (
        "sensors/count.yaml",
        "ref: demo.count\nruntime: core.shell\nentrypoint: sensors/count.sh\ntriggers: [demo.tick]\npoll_interval: 0.3\n",
    ),
    ("sensors/count.sh", "echo '{\"events\": [{}]}'\n"),
    ("README.md", "Ticks.\n"),
];

#[test]
fn what_was_killed_goes_on_after_the_next_start() {
    let home = Home::new();
    pack::write(home.path(), "demo", &COUNTER);
    let up = home.up(&["--packs", "demo"]);
    let (pids, go) = (home.path().join("pids"), home.path().join("go"));
    let command = format!(
        "command=echo $$ >>{}; until [ -e {} ]; do sleep 0.05; done; echo done",
        pids.display(),
        go.display()
    );
    home.json(&["action", "run", "core.run_command", "--param", &command, "--detach"]);
    let database = Up::private_database(&home);
    database.eventually("SELECT 1 FROM event");
    let program = first_pid(&pids);
    let server = servers::postmaster(&home.data_dir());

    up.kill();
    let up = home.up(&["--packs", "demo"]);
    servers::gone(program);
    servers::gone(server);
    let events = database.number("SELECT count(*) FROM event");
    std::fs::write(go, "").unwrap();
    let ended = database.eventually("SELECT * FROM execution WHERE finished IS NOT NULL");
    assert_eq!(
        (&ended["status"], &ended["attempt"], &ended["result"]),
        (&json!("succeeded"), &json!(2), &json!("done"))
    );
    assert_eq!(database.number("SELECT count(*) FROM execution WHERE status = 'running'"), 0);
    database.eventually(&format!("SELECT 1 FROM event HAVING count(*) > {events}"));

    assert!(up.stop().success());
    assert!(servers::processes(&home.data_dir()).is_empty());
}

fn first_pid(file: &Path) -> rustix::process::Pid {
    crate::eventually::eventually("the program has started", || {
        servers::pid(std::fs::read_to_string(file).ok()?.lines().next()?)
    })
}
