//! One file in, one succeeded execution out: the whole chain, once for each runtime, with sensor and action in its language.

use serde_json::json;

use crate::home::Home;
use crate::pack;

/// What the sensor's file says and the action's file gives back.
const TEXT: &str = "héllo 🐦";

struct Language {
    runtime: &'static str,
    sensor: &'static str,
    action: &'static str,
    /// The row that an operator adds to the running system, when Attune does not come with it.
    insert: Option<&'static str>,
}

/// Loads a pack of three things and their code into a running system, and waits for what comes of it.
fn runs(language: &Language) {
    let (home, database) = Home::with_database();
    let _up = home.up(&[]);
    if let Some(insert) = language.insert {
        database.execute(insert);
    }
    let sensor = format!(
        "ref: demo.speak\nruntime: {}\nentrypoint: speak\ntriggers: [demo.said]\npoll_interval: 3600\n",
        language.runtime
    );
    let action = format!("ref: demo.repeat\nruntime: {}\nentrypoint: repeat\n", language.runtime);
    let files = [
        ("pack.yaml", "ref: demo\nname: Demo\nversion: 1.0.0\n"),
        ("triggers/said.yaml", "ref: demo.said\n"),
        ("sensors/speak.yaml", &sensor),
        ("actions/repeat.yaml", &action),
        (
            "rules/repeat.yaml",
            "ref: demo.repeat_said\ntrigger: demo.said\naction: demo.repeat\naction_params: {text: \"{{ event.payload.text }}\"}\n",
        ),
        ("speak", language.sensor),
        ("repeat", language.action),
    ];
    pack::write(home.path(), "demo", &files);
    let loaded = home.attune(&["pack", "load", "demo"]);
    assert_eq!(loaded.code, 0, "{loaded}");
    let ended = database.eventually("SELECT * FROM execution WHERE finished IS NOT NULL");
    assert_eq!(
        (&ended["status"], &ended["result"]),
        (&json!("succeeded"), &json!({"text": TEXT})),
        "{ended}"
    );
    assert_eq!((&ended["action_ref"], &ended["attempt"]), (&json!("demo.repeat"), &json!(1)));
    database.eventually(&format!(
        "SELECT 1 FROM worker WHERE capabilities->'runtime_details' ? '{}' HAVING count(*) = 2",
        language.runtime
    ));
    let event = &database.rows("SELECT * FROM event WHERE sensor IS NOT NULL")[0];
    assert_eq!((&event["sensor_ref"], &event["payload"]["text"]), (&json!("demo.speak"), &json!(TEXT)));
}

#[test]
fn python() {
    runs(&Language {
        runtime: "core.python",
        sensor: "def poll_sensor(config):\n    yield {'event_type': 'said', 'text': 'héllo 🐦'}\n",
        action: "def run(text):\n    print('asked to repeat', text)\n    return {'text': text}\n",
        insert: None,
    });
}

#[test]
fn node() {
    runs(&Language {
        runtime: "core.nodejs",
        sensor: "async function poll_sensor(config) {\n  return [{event_type: 'said', text: 'héllo 🐦'}];\n}\n",
        action: "function run({text}) {\n  console.log('asked to repeat', text);\n  return {text};\n}\n",
        insert: None,
    });
}

#[test]
fn node_as_an_es_module() {
    runs(&Language {
        runtime: "core.nodejs",
        sensor: "import os from 'node:os';\nasync function* poll_sensor(config) {\n  yield {event_type: 'said', text: 'héllo 🐦'};\n}\n",
        action: "import { text } from 'node:stream/consumers';\nconsole.log(await text(process.stdin));\n",
        insert: None,
    });
}

#[test]
fn shell() {
    runs(&Language {
        runtime: "core.shell",
        sensor: "echo '{\"events\": [{\"event_type\": \"said\", \"text\": \"héllo 🐦\"}], \"count\": 1}'\n",
        action: "cat\n",
        insert: None,
    });
}

/// A program that the system runs by itself.
#[test]
fn native() {
    runs(&Language {
        runtime: "core.native",
        sensor: "#!/usr/bin/awk -f\nBEGIN { print \"{\\\"events\\\": [{\\\"text\\\": \\\"héllo 🐦\\\"}]}\" }\n",
        action: "#!/usr/bin/awk -f\n{ print }\n",
        insert: None,
    });
}

#[test]
fn ruby_added_by_one_insert() {
    runs(&Language {
        runtime: "core.ruby",
        sensor: "require 'json'\nputs JSON.generate(events: [{event_type: 'said', text: 'héllo 🐦'}])\n",
        action: "require 'json'\nputs JSON.generate(JSON.parse(STDIN.read))\n",
        insert: Some(
            r"INSERT INTO runtime (ref, pack, pack_ref, name, distributions) VALUES ('core.ruby', (SELECT id FROM pack WHERE ref = 'core'), 'core', 'Ruby',
  jsonb_build_object('verification', jsonb_build_object('commands', jsonb_build_array(jsonb_build_object(
    'binary', 'ruby', 'args', jsonb_build_array('--version'), 'exit_code', 0, 'pattern', 'ruby \d+\.\d+', 'priority', 1)))));",
        ),
    });
}

#[test]
fn perl_added_by_one_insert() {
    runs(&Language {
        runtime: "core.perl",
        sensor: "print qq({\"events\": [{\"event_type\": \"said\", \"text\": \"héllo 🐦\"}]}\\n);\n",
        action: "print while <STDIN>;\n",
        insert: Some(
            r"INSERT INTO runtime (ref, pack, pack_ref, name, distributions) VALUES ('core.perl', (SELECT id FROM pack WHERE ref = 'core'), 'core', 'Perl',
  jsonb_build_object('verification', jsonb_build_object('commands', jsonb_build_array(jsonb_build_object(
    'binary', 'perl', 'args', jsonb_build_array('--version'), 'exit_code', 0, 'pattern', 'perl 5, version \d+', 'priority', 1)))));",
        ),
    });
}
