//! Lists, single things, and doing things by hand, against one running Attune.

use serde_json::{Value, json};

use crate::database::Database;
use crate::eventually::eventually;
use crate::home::{Home, assert_terminal};
use crate::pack;
use crate::up::Up;

/// With the demo pack, whose one poll is over, so that the ids are the same each time.
fn running() -> (Home, Database, Up) {
    let (home, database) = Home::with_database();
    pack::write(home.path(), "demo", &pack::DEMO);
    let up = home.up(&["--packs", "demo"]);
    database.eventually("SELECT 1 FROM sensor_state WHERE events = 1");
    (home, database, up)
}

/// One note that fires two rules, of which the one fails for want of a field.
fn note(home: &Home, database: &Database) {
    let sent = home.json(&["event", "send", "demo.note", "--payload", r#"{"text": "héllo 🐦!"}"#]);
    assert_eq!(sent["enforcements"], 2);
    database.eventually("SELECT 1 FROM execution WHERE status = 'succeeded'");
}

#[test]
fn every_noun_is_listed_and_shown() {
    let (home, database, _up) = running();
    note(&home, &database);
    let nouns = [
        "pack",
        "worker",
        "runtime",
        "trigger",
        "timer",
        "sensor",
        "rule",
        "action",
        "event",
        "enforcement",
        "execution",
    ];
    assert_terminal!("lists", nouns.map(|noun| home.terminal(&[&[noun, "list"]])).concat());
    for noun in nouns {
        let rows = home.json(&[noun, "list"]);
        let columns = database.rows(&format!("SELECT * FROM {noun} LIMIT 1"));
        for row in rows.as_array().unwrap() {
            for column in columns[0].as_object().unwrap().keys() {
                assert!(row.get(column).is_some(), "{noun} has no field {column}");
            }
            assert_eq!(home.json(&[noun, "show", &row["id"].to_string()])["id"], row["id"]);
        }
    }
}

#[test]
fn one_thing_is_shown_with_all_its_fields() {
    let (home, database, _up) = running();
    note(&home, &database);
    let terminal = home.terminal(&[
        &["rule", "show", "demo.loud_note"],
        &["trigger", "show", "demo.note"],
        &["event", "show", "2"],
    ]);
    assert_terminal!("things", terminal);
    let sensor = home.json(&["sensor", "show", "demo.look"]);
    assert_eq!(
        (&sensor["worker_name"], &sensor["triggers"], &sensor["events"]),
        (&json!("sensor-test"), &json!(["demo.seen"]), &json!(1))
    );
    assert!(
        sensor["usage"]["last_day"]["peak_memory_bytes"].is_i64() || sensor["usage"]["last_day"]["runs"] == 0
    );
    assert!(home.json(&["action", "show", "demo.fail"])["usage"]["last_hour"]["cpu_ms"].is_number());
    let worker = home.json(&["worker", "show", "worker-test"]);
    assert!(worker["capabilities"]["runtimes"].as_array().unwrap().contains(&json!("python")));
}

#[test]
fn lists_are_narrowed_and_paged() {
    let (home, database, _up) = running();
    note(&home, &database);
    let refs = |arguments: &[&str]| -> Vec<Value> {
        home.json(arguments).as_array().unwrap().iter().map(|row| row["ref"].clone()).collect()
    };
    assert_eq!(
        refs(&["action", "list", "--where", "pack_ref=demo", "--where", "enabled=false"]),
        ["demo.mute"]
    );
    assert_eq!(refs(&["action", "list", "-f", "pack_ref=demo", "-n", "2"]), ["demo.bytes", "demo.fail"]);
    assert_eq!(refs(&["runtime", "list", "--where", "name=Node.js"]), ["core.nodejs"]);
    assert_eq!(refs(&["rule", "list", "--where", "trigger_ref=demo.seen"]), [""; 0]);

    let ids = |arguments: &[&str]| -> Vec<i64> {
        home.json(arguments).as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
    };
    let all = ids(&["event", "list"]);
    assert_eq!(all.len(), 2);
    assert_eq!(ids(&["event", "list", "--before", &all[0].to_string()]), all[1..]);
    let failed = home.json(&["enforcement", "list", "--where", "status=failed"]);
    assert_eq!((failed.as_array().unwrap().len(), &failed[0]["rule_ref"]), (1, &json!("demo.loud_note")));
    assert_eq!(home.attune(&["execution", "list", "--where", "status=running"]).to_string(), "none\n");
}

#[test]
fn an_action_is_run_by_hand() {
    let (home, _database, _up) = running();
    let terminal = home.terminal(&[
        &["action", "run", "core.run_command", "--param", "command=echo one; echo two"],
        &["action", "run", "demo.repeat", "--param", "text=7 bïrds", "--param", "loud=true"],
        &["action", "run", "demo.repeat", "--params", r#"{"text": "as it is"}"#],
        &["action", "run", "demo.fail"],
    ]);
    assert_terminal!("actions_by_hand", terminal);

    let execution = home.attune(&["action", "run", "demo.fail", "-o", "json"]);
    let fields: Value = serde_json::from_str(&execution.stdout).unwrap();
    assert_eq!((execution.code, &fields["status"], &fields["attempt"]), (1, &json!("failed"), &json!(1)));

    let id =
        home.json(&["action", "run", "demo.repeat", "--param", "text=later", "--detach"])["id"].to_string();
    let ended = eventually("the execution ends", || {
        Some(home.json(&["execution", "show", &id])).filter(|row| !row["finished"].is_null())
    });
    assert_eq!((&ended["status"], &ended["result"]), (&json!("succeeded"), &json!({"text": "later"})));
}

#[test]
fn an_event_is_sent_by_hand_and_its_key_counts_once() {
    let (home, database, _up) = running();
    let payload = r#"{"text": "a"}"#;
    let terminal = home.terminal(&[
        &["event", "send", "demo.note", "--payload", payload, "--key", "k"],
        &["event", "send", "demo.note", "--payload", payload, "--key", "k"],
        &["event", "send", "demo.note", "--payload", payload, "--key", "k", "--source", "another"],
        &["event", "send", "core.webhook"],
    ]);
    assert_terminal!("events_by_hand", terminal);
    assert_eq!(home.json(&["event", "send", "core.webhook", "--key", "k"]), json!({"duplicate": true}));
    assert_eq!(database.number("SELECT count(*) FROM event WHERE key = 'k'"), 2);
}

#[test]
fn address_and_token_can_be_given() {
    let (home, _database, up) = running();
    let stranger = Home::new();
    let answer = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = stranger.command(arguments);
        command.envs(variables.iter().copied());
        stranger.answer(command)
    };
    let token = home.read("api.token").unwrap();
    let (url, token) = (("ATTUNE_API_URL", up.url.as_str()), ("ATTUNE_API_TOKEN", token.as_str()));
    let reading = ["rule", "show", "demo.loud_note", "-o", "json"];
    assert_eq!(answer(&reading, &[url]).code, 0);
    assert_eq!(answer(&[&reading[..], &["--api-url", &up.url]].concat(), &[]).code, 0);
    // What is typed counts more than what is set.
    assert_eq!(
        answer(&[&reading[..], &["--api-url", &up.url]].concat(), &[("ATTUNE_API_URL", "http://x")]).code,
        0
    );

    let writing = ["event", "send", "core.webhook"];
    assert_eq!(answer(&writing, &[url, token]).code, 0);
    let refused = answer(&writing, &[url, ("ATTUNE_API_TOKEN", "0123456789abcdef")]);
    assert!(
        refused.stderr.starts_with("error: the token in ATTUNE_API_TOKEN is not that of the API at"),
        "{refused}"
    );
    assert_eq!(refused.code, 1);
}
