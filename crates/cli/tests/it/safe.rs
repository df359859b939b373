//! Ways in while Attune does not start: safe mode, and the private database alone.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::home::Home;
use crate::up::Up;

#[test]
fn safe_mode_lets_an_operator_in_and_evaluates_nothing() {
    let (home, database) = Home::with_database();
    let up = home.up(&[]);
    // Whatever reads rules makes up for what was missed as soon as it starts.
    database.execute(
        "INSERT INTO rule (ref, trigger_ref, action_ref, trigger_params, action_params) VALUES
             ('my.tick', 'core.interval_timer', 'core.noop', '{\"seconds\": 1, \"missed\": \"once\"}', '{}'),
             ('my.other', 'core.webhook', 'core.noop', '{}', '{\"text\": \"{{ 1 }}\"}')",
    );
    database.eventually("SELECT 1 AS one FROM event HAVING count(*) > 0");
    up.stop();
    let before = database.number("SELECT count(*) FROM event");
    let up = home.up(&["--safe"]);
    assert!(up.said.starts_with("Attune is ready in safe mode at http://"), "{}", up.said);
    let health: Value =
        ureq::get(format!("{}/api/health", up.url)).call().unwrap().body_mut().read_json().unwrap();
    assert_eq!(health["mode"], "safe");
    let refused = home.attune(&["event", "send", "core.webhook"]);
    assert!(refused.stderr.contains("Attune runs in safe mode, which takes no events"), "{refused}");
    let refused = home.attune(&["action", "run", "core.noop"]);
    assert!(refused.stderr.contains("Attune runs in safe mode"), "{refused}");
    let rule = home.json(&["rule", "show", "my.other"]);
    assert_eq!((&rule["fault"], &rule["action_params"]), (&json!("not known in safe mode"), &json!("***")));
    assert_eq!(home.attune(&["rule", "disable", "my.other"]).stdout, "rule my.other is disabled\n");
    assert_eq!(database.number("SELECT count(*) FROM worker WHERE status = 'active'"), 0);
    assert!(up.stop().success());
    assert_eq!(database.number("SELECT count(*) FROM event"), before);
    let up = home.up(&[]);
    let health: Value =
        ureq::get(format!("{}/api/health", up.url)).call().unwrap().body_mut().read_json().unwrap();
    assert_eq!(health["mode"], "normal");
    database.eventually(&format!("SELECT 1 AS one FROM event HAVING count(*) > {before}"));
}

#[test]
fn the_private_database_runs_alone_and_psql_finds_it_either_way() {
    let home = Home::new();
    let count = &["db", "shell", "--", "-Atc", "SELECT count(*) FROM pg_database WHERE datname = 'attune'"];
    assert_eq!(home.attune(&["db", "shell"]).code, 3, "there is none yet");
    let mut command = home.command(&["db", "start", "--data-dir"]);
    command.arg(home.data_dir()).stderr(Stdio::null());
    let running = Up::ready(command, &home);
    assert!(running.said.starts_with("The private database is ready"), "{}", running.said);
    let shell = |arguments: &[&str]| {
        let mut command = home.command(&["--data-dir"]);
        command.arg(home.data_dir()).args(arguments);
        home.answer(command)
    };
    assert_eq!(shell(count).to_string(), "1\n");
    let again = shell(&["db", "start"]);
    assert_eq!(again.code, 1, "{again}");
    assert!(again.stderr.contains("hint: `attune db shell` opens it as it is"), "{again}");
    assert!(running.stop().success());
    let alone = shell(count);
    assert_eq!((alone.code, alone.stdout.as_str()), (0, "1\n"), "{alone}");
    let failed = shell(&["db", "shell", "--", "-c", "nonsense"]);
    assert_eq!(failed.code, 1, "{failed}");
}

#[test]
fn a_configured_database_is_not_started_here() {
    let home = Home::on("postgresql://db.example/attune");
    let refused = home.attune(&["db", "start"]);
    assert_eq!(refused.code, 2, "{refused}");
    assert!(refused.stderr.contains("names a database"), "{refused}");
}
