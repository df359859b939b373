//! The packs that this repository ships are good, and their programs do what they say.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use attune_core::event::EventView;
use attune_core::pack::{Definition, Pack};
use attune_core::schema::Schema;
use attune_runtimes::directory;
use serde_json::{Value, json};

use crate::program::{packs, run, run_with_environment, sensor, wrapped};

fn pack(name: &str) -> Pack {
    let files = directory::read(&packs().join(name)).unwrap();
    Pack::parse(files.contents()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

#[test]
fn the_core_pack_needs_no_other() {
    let core = pack("core");
    assert_eq!(core.external_refs(), []);
    let refs: Vec<&str> = core.runtimes.iter().map(Definition::item_ref).collect();
    assert_eq!(refs, ["core.sensor.builtin", "core.native", "core.nodejs", "core.python", "core.shell"]);
}

#[test]
fn the_other_packs_need_nothing_but_the_core_pack() {
    let core = pack("core");
    let runtimes = core.runtimes.iter().map(Definition::item_ref);
    let known: Vec<&str> = runtimes.chain(core.actions.iter().map(Definition::item_ref)).collect();
    for name in ["demo", "examples", "showcase", "streams"] {
        let other = pack(name);
        assert!(other.external_refs().iter().all(|reference| known.contains(&reference.r#ref.as_str())));
    }
}

#[test]
fn the_demo_pack_has_the_core_packs_way_to_read_parameters() {
    let library = |pack: &str| directory::read(&packs().join(pack).join("lib")).unwrap();
    assert_eq!(library("core"), library("demo"));
}

#[test]
fn what_the_demo_sensors_see_keeps_to_their_triggers() {
    let demo = pack("demo");
    let machine =
        sensor(&packs().join("demo/sensors/machine.py"), &json!({"memory_threshold": 0}), &json!({}));
    let disk = run(&mut Command::new(packs().join("demo/sensors/disk.sh")), "{}");
    let mut seen: Vec<Value> = machine
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["payload"].clone())
        .filter(Value::is_object)
        .collect();
    assert_eq!(seen.len(), 2, "{}", machine.stdout);
    let disks: Value = serde_json::from_str(&disk.stdout).unwrap();
    assert_eq!(disks["count"], disks["events"].as_array().unwrap().len());
    seen.extend(disks["events"].as_array().unwrap().clone());
    for payload in seen {
        let name = format!("demo.{}", payload["event_type"].as_str().unwrap());
        let trigger = demo.triggers.iter().find(|trigger| trigger.r#ref == name).unwrap();
        Schema::compile(&trigger.payload_schema).unwrap().validate(&payload).unwrap();
    }
}

#[test]
fn high_memory_is_told_once() {
    let path = packs().join("demo/sensors/machine.py");
    let again = sensor(&path, &json!({"memory_threshold": 0}), &json!({"state": {"memory_is_high": true}}));
    assert_eq!(again.stdout.matches("memory_high").count(), 0, "{}", again.stdout);
    assert!(again.stdout.contains("{\"type\":\"state\",\"state\":{\"memory_is_high\":true}}"));
}

#[test]
fn the_demo_actions_take_what_the_rules_give() {
    let demo = pack("demo");
    let directory = tempfile::tempdir().unwrap();
    let journal = directory.path().join("journal");
    let payload = json!({"host": "h", "load": 1.0, "load_per_cpu": 0.5, "memory_percent": 40.5,
        "threshold": 30, "mount": "/", "used_percent": 95});
    for rule in &demo.rules {
        let event = EventView {
            id: 1,
            trigger: rule.trigger.clone(),
            sensor: None,
            source: None,
            key: None,
            payload: payload.clone(),
            trigger_params: None,
            created: "2026-01-01T00:00:00Z".parse().unwrap(),
        };
        let config = json!({"journal": journal});
        let (reference, pack_config) = (json!({"ref": rule.r#ref}), &config);
        let context = attune_core::template::Context { event: &event, rule: &reference, pack_config };
        let template = attune_core::template::Template::compile(&rule.action_params).unwrap();
        let params = template.render(&context).unwrap();
        let action = demo.actions.iter().find(|action| action.r#ref == rule.action).unwrap();
        Schema::compile(&action.param_schema).unwrap().validate(&params).unwrap();
        let path = packs().join("demo").join(&action.entrypoint);
        let mut command = if action.runtime == "core.shell" { Command::new(path) } else { wrapped(&path) };
        let done = run(&mut command, &params.to_string());
        assert_eq!(done.code, Some(0), "{}: {}", rule.r#ref, done.log);
        assert!(serde_json::from_str::<Value>(&done.stdout).unwrap().is_object());
    }
    assert_eq!(std::fs::read_to_string(journal).unwrap().lines().count(), 3);
}

#[test]
fn the_service_sensor_does_not_guess() {
    let script = packs().join("examples/sensors/service.sh");
    for (answer, code, stdout) in [
        (Some("exit 0"), 0, "{\"events\": [], \"count\": 0}\n"),
        (
            Some("exit 3"),
            0,
            "{\"events\": [{\"event_type\": \"service_down\", \"service\": \"nginx\"}], \"count\": 1}\n",
        ),
        (Some("exit 1"), 1, ""),
        (None, 127, ""),
    ] {
        let bin = tempfile::tempdir().unwrap();
        if let Some(answer) = answer {
            let path = bin.path().join("systemctl");
            std::fs::write(&path, format!("#!/bin/sh\n{answer}\n")).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        }
        let done = run_with_environment(Command::new("/bin/bash").arg(&script).env("PATH", bin.path()), "{}");
        assert_eq!((done.code, done.stdout.as_str()), (Some(code), stdout), "{answer:?}: {}", done.log);
    }
}

/// Answers one request and gives back what it was.
fn serve_once(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = vec![0; 4096];
        let mut length = 0;
        while !String::from_utf8_lossy(&request[..length]).ends_with("{\"a\": 1}") {
            length += stream.read(&mut request[length..]).unwrap();
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    (url, thread)
}

#[test]
fn an_http_request_is_sent_and_described() {
    let (url, server) =
        serve_once("HTTP/1.0 201 Created\r\nContent-Type: application/json\r\nX-A: b\r\n\r\n{\"ok\": true}");
    let params = json!({"url": url, "method": "POST", "headers": {"X-Token": "t"}, "body": {"a": 1}});
    let done = run(&mut wrapped(&packs().join("core/actions/http_request.py")), &params.to_string());
    let request = server.join().unwrap();
    let request = request.to_lowercase();
    for part in ["post /x http/1.1\r\n", "x-token: t\r\n", "content-type: application/json\r\n"] {
        assert!(request.contains(part), "{request}");
    }
    let result: BTreeMap<String, Value> = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&result["status"], &result["body"]), (&json!(201), &json!({"ok": true})));
    assert_eq!((&result["headers"]["x-a"], &result["truncated"]), (&json!("b"), &json!(false)));
}

#[test]
fn a_status_of_400_and_more_fails_unless_accepted() {
    for (accepted, code) in [(json!([]), Some(1)), (json!([404]), Some(0))] {
        let (url, server) = serve_once("HTTP/1.0 404 Not Found\r\n\r\ngone");
        let params = json!({"url": url, "method": "PUT", "body": {"a": 1}, "accept_status": accepted});
        let done = run(&mut wrapped(&packs().join("core/actions/http_request.py")), &params.to_string());
        server.join().unwrap();
        assert_eq!(done.code, code, "{}", done.log);
    }
    let refused = json!({"url": "file:///etc/passwd"});
    assert_eq!(
        run(&mut wrapped(&packs().join("core/actions/http_request.py")), &refused.to_string()).code,
        Some(1)
    );
}
