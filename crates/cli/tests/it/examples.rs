//! The pack of examples, from the files as they are to the lines that its rules write. Only what an event depends on is set so
//! that there is one, and the packages that it needs are made here.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use attune_testkit::packages;

use crate::eventually::eventually;
use crate::home::Home;
use crate::up::Up;

const PACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs/examples");
/// What the examples want of these packages.
const PSUTIL: &str = "def cpu_percent(interval):\n    return 1.0\n";
const AXIOS: &str = r#"
exports.get = (url, options) =>
  new Promise((resolve, reject) => {
    const answered = ({ statusCode }) => {
      if (statusCode < 400) resolve({ status: statusCode });
      else reject(new Error(`Request failed with status code ${statusCode}`));
    };
    require("http").get(url, options, answered).on("error", reject);
  });
"#;

#[test]
fn each_sensors_event_becomes_a_line() {
    let (home, database) = Home::with_database();
    let journal = home.path().join("journal").display().to_string();
    let url = unwell();
    let axios = packages::tarball(home.path(), "axios", "1.7.9", AXIOS);
    let axios = format!("file:{}", axios.display());
    let settings = [
        ("^1.7.0", axios.as_str()),
        ("/tmp/attune-examples.log", journal.as_str()),
        ("http://127.0.0.1:8080/api/health", &url),
        ("threshold: 80", "threshold: -1"),
        ("poll_interval: 10", "poll_interval: 1"),
    ];
    copy(Path::new(PACK), &home.path().join("examples"), &settings);
    answer_of_systemctl(&home, "echo no systemd here >&2; exit 1");
    let _up = up(&home);
    let loaded = home.attune(&["pack", "load", "examples"]);
    assert_eq!(loaded.code, 0, "{loaded}");

    let failed = database.eventually(
        "SELECT last_error FROM sensor_state s JOIN sensor ON sensor.id = s.sensor
                             WHERE sensor.ref = 'examples.service' AND last_error IS NOT NULL",
    );
    let error = failed["last_error"].as_str().unwrap();
    assert_eq!(error, "it exited with code 1: no systemd here");
    answer_of_systemctl(&home, "exit 3");

    for line in
        ["the processor is ", &format!("{url}: Request failed with status code 503"), "nginx does not run"]
    {
        eventually(line, || std::fs::read_to_string(&journal).ok()?.contains(line).then_some(()));
    }
    assert_eq!(database.number("SELECT count(*) FROM event_rejected"), 0);
    assert_eq!(database.number("SELECT count(*) FROM enforcement WHERE status = 'failed'"), 0);
}

/// `attune up` with a systemctl of its own.
fn up(home: &Home) -> Up {
    let wheels = home.path().join("wheels");
    packages::wheel(&wheels, "psutil", "7.0.0", PSUTIL);
    let mut command = home.command(&["up", "--port", "0", "--data-dir"]);
    let path = format!("{}:{}", home.path().join("bin").display(), std::env::var("PATH").unwrap());
    command.arg(home.data_dir()).env("PATH", path).envs(packages::only_wheels(&wheels));
    command.env("ATTUNE__RUNTIME__ENVIRONMENTS_DIR", home.path().join("environments"));
    Up::ready(command, home)
}

/// From now on this is what systemctl says, whatever this machine has.
fn answer_of_systemctl(home: &Home, script: &str) {
    let bin = home.path().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let written = bin.join("new");
    std::fs::write(&written, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&written, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::rename(written, bin.join("systemctl")).unwrap();
}

/// The address of a server that answers everything with 503.
fn unwell() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/health", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            // Whoever hangs up early is none of this test's business.
            drop(stream.read(&mut [0; 4096]));
            drop(stream.write_all(b"HTTP/1.1 503 Unwell\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
        }
    });
    url
}

/// Copies a pack; `settings` replaces texts in its YAML and JSON files, and the code stays as it is.
fn copy(from: &Path, to: &Path, settings: &[(&str, &str)]) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target, settings);
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "json") {
            let text = std::fs::read_to_string(&path).unwrap();
            let set = settings.iter().fold(text, |text, (old, new)| text.replace(old, new));
            std::fs::write(target, set).unwrap();
        } else {
            std::fs::copy(&path, target).unwrap();
        }
    }
}
