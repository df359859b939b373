//! From the start of `attune up` to its end, and what may stand in its way.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::eventually::eventually;
use crate::home::{Home, assert_terminal};
use crate::up::Up;
use crate::{pack, servers};

/// Nothing in the environment but PATH: no HOME, no locale.
#[test]
fn everything_comes_up_from_an_empty_environment_and_is_utf_8() {
    let home = Home::new();
    pack::write(home.path(), "demo", &pack::DEMO);
    let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).current_dir(home.path());
    command.args(["up", "--port", "0", "--packs", "demo", "--data-dir"]).arg(home.data_dir());
    let up = Up::ready(command, &home);

    assert!(up.said.starts_with("Attune is ready at http://127.0.0.1:"), "{}", up.said);
    assert_eq!(home.read("api.url").as_deref(), Some(up.url.as_str()));
    let token = std::fs::metadata(home.data_dir().join("api.token")).unwrap();
    assert_eq!(token.permissions().mode() & 0o777, 0o600);

    let payload = r#"{"text": "naïve 日本 🐦"}"#;
    assert_eq!(home.json(&["event", "send", "demo.note", "--payload", payload])["enforcements"], 1);
    let database = Up::private_database(&home);
    let ended = database.eventually("SELECT * FROM execution WHERE finished IS NOT NULL");
    assert_eq!(
        (&ended["status"], &ended["result"]),
        (&json!("succeeded"), &json!({"text": "naïve 日本 🐦"}))
    );

    let mut psql = Command::new("psql");
    psql.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    psql.args([&database.url, "-XAtc", "SELECT result->>'text' FROM execution"]);
    assert_eq!(home.answer(psql).to_string(), "naïve 日本 🐦\n");

    let server = servers::postmaster(&home.data_dir());
    assert!(up.stop().success());
    servers::gone(server);
    assert_eq!((home.read("api.url"), servers::processes(&home.data_dir())), (None, Vec::new()));
}

#[test]
fn a_stop_leaves_no_active_worker_behind() {
    let (home, database) = Home::with_database();
    let up = home.up(&[]);
    let active = "SELECT name, worker_role FROM worker WHERE status = 'active' ORDER BY name";
    assert_eq!(
        database.rows(active),
        [
            json!({"name": "sensor-test", "worker_role": "sensor"}),
            json!({"name": "worker-test", "worker_role": "action"})
        ]
    );
    assert!(up.stop().success());
    assert!(database.rows(active).is_empty());
}

#[test]
fn a_taken_port_is_named() {
    let (home, _database) = Home::with_database();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let answer = home.refused_up(&["--port", &port]);
    assert!(answer.stderr.contains(&format!("port {port} of")), "{answer}");
    assert_terminal!(answer, @"
    error: port [port] of 127.0.0.1 is taken: end what listens there, or choose another (`attune up --port`, or server.port; 0 takes a free one)
    [exit code 1]
    ");
}

#[test]
fn a_data_directory_has_one_owner_and_neighbours_do_not_meet() {
    let (home, neighbour) = (Home::new(), Home::new());
    let (up, other) = (home.up(&[]), neighbour.up(&[]));
    assert_ne!(up.url, other.url);
    let answer = home.refused_up(&[]);
    assert!(answer.stderr.contains(&format!("in use by process {}", up.pid().as_raw_nonzero())), "{answer}");
    assert_terminal!(answer, @"
    error: the data directory [home]/data is in use by process [pid]; stop that process or choose another data directory
    [exit code 1]
    ");
    for (home, up) in [(&home, &up), (&neighbour, &other)] {
        assert_eq!(home.read("api.url").as_deref(), Some(up.url.as_str()));
        assert_eq!(home.json(&["worker", "list", "--where", "status=active"]).as_array().unwrap().len(), 2);
    }
}

/// The same with a database of another's: the address and the token are in the directory too.
#[test]
fn a_data_directory_has_one_owner_whatever_the_database() {
    let (home, _database) = Home::with_database();
    let up = home.up(&[]);
    assert!(home.refused_up(&[]).stderr.contains("in use by process"));
    assert_eq!(home.read("api.url").as_deref(), Some(up.url.as_str()));
}

#[test]
fn a_namesake_is_refused_unless_it_is_to_be_replaced() {
    let (home, database) = Home::with_database();
    let second = Home::on(&database.url);
    for home in [&home, &second] {
        std::fs::write(home.path().join("config.yaml"), "lease: 5\n").unwrap();
    }
    let mut first = home.up(&[]);
    let answer = second.refused_up(&[]);
    assert!(answer.stderr.contains(&first.pid().as_raw_nonzero().to_string()), "{answer}");
    assert_terminal!(answer, @"
    error: the worker can not be registered: worker worker-test is running on test-host as process [pid]; stop it, choose another worker_name, or take over with --replace
    [exit code 4]
    ");

    let _second = second.up(&["--replace"]);
    assert_eq!(first.ended().code(), Some(4), "{}", first.log());
}

/// The first signal would wait ten seconds for what is running; what the second one cuts off runs again.
#[test]
fn a_second_signal_does_not_wait() {
    let (home, database) = Home::with_database();
    let mut up = home.up(&[]);
    let file = home.path().join("seen");
    let command =
        format!("command=[ -e {0} ] || {{ touch {0}; exec sleep 600; }}; echo again", file.display());
    home.json(&["action", "run", "core.run_command", "--param", &command, "--detach"]);
    eventually("the program runs", || file.exists().then_some(()));
    let start = Instant::now();
    up.signal_twice();
    up.ended();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());

    let _up = home.up(&[]);
    let ended = database.eventually("SELECT * FROM execution WHERE finished IS NOT NULL");
    assert_eq!((&ended["status"], &ended["result"]), (&json!("succeeded"), &json!("again")));
}
