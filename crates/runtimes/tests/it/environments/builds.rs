//! The core pack's runtimes install real packages with the real tools.

use std::process::Command;

use attune_runtimes::launch::Found;
use serde_json::{Value, json};

use super::machine::{Machine, core_execution};

const SHOW_PSUTIL: &str = "import psutil\ndef run():\n    return psutil.__version__\n";

/// Python as the core pack has it, with only that one of its ways to build.
fn python(way: usize) -> Value {
    let mut execution = core_execution("core.python");
    execution["binary"] = json!("python3");
    let way = execution["environment"]["build"][way].take();
    execution["environment"]["build"] = json!([way]);
    execution
}

fn is_built(seen: &[String], with: &str) -> bool {
    matches!(seen, [building, built] if *building == format!("building with {with}") && built.starts_with("built in "))
}

#[tokio::test]
async fn pip_installs_what_a_sensor_imports_and_the_next_start_finds_it() {
    let machine = Machine::new();
    machine.write("requirements.txt", "psutil==6.1.1\n");
    machine.write("show.py", SHOW_PSUTIL);
    let code = machine.code(&python(1));
    assert_eq!(machine.run(&code, "show.py").await, "\"6.1.1\"");
    let seen = machine.seen();
    assert!(matches!(&seen[..], [building, _] if building.starts_with("building with python3")), "{seen:?}");

    let machine = machine.restarted();
    assert_eq!(machine.run(&code, "show.py").await, "\"6.1.1\"");
    assert!(machine.seen().is_empty());

    machine.write("requirements.txt", "psutil==6.1.0\n");
    assert!(matches!(machine.find(&code).await.unwrap(), Found::Building(_)));
}

#[tokio::test]
async fn uv_is_used_when_it_is_there() {
    let machine = Machine::new();
    let tools = machine.path("tools");
    for command in [vec!["python3", "-m", "venv"], vec!["bin/python", "-m", "pip", "install", "-q", "uv"]] {
        let program = if command[0] == "python3" { "python3".into() } else { tools.join(command[0]) };
        let mut started = Command::new(program);
        started.args(&command[1..]);
        if command[0] == "python3" {
            started.arg(&tools);
        }
        assert!(started.status().unwrap().success());
    }
    let uv = tools.join("bin/uv");
    let execution = python(0).to_string().replace("\"uv\"", &json!(uv).to_string());
    let code = machine.code(&serde_json::from_str(&execution).unwrap());
    machine.write("requirements.txt", "psutil==6.1.1\n");
    machine.write("show.py", SHOW_PSUTIL);
    assert_eq!(machine.run(&code, "show.py").await, "\"6.1.1\"");
    let seen = machine.seen();
    assert!(is_built(&seen, uv.to_str().unwrap()), "{seen:?}");
}

#[tokio::test]
async fn npm_installs_what_a_script_requires() {
    let machine = Machine::new();
    machine.write("package.json", r#"{"dependencies": {"axios": "1.7.9"}}"#);
    machine.write("show.js", "console.log(require('axios').VERSION)\n");
    let environment = core_execution("core.nodejs")["environment"].take();
    let code = machine.code(&json!({"binary": "node", "environment": environment}));
    assert_eq!(machine.run(&code, "show.js").await, "1.7.9");
    let seen = machine.seen();
    assert!(is_built(&seen, "npm"), "{seen:?}");
}

#[tokio::test]
async fn a_pack_without_a_manifest_needs_nothing() {
    let machine = Machine::new();
    machine.write("show.py", "def run():\n    import sys\n    return sys.prefix == sys.base_prefix\n");
    assert_eq!(machine.run(&machine.code(&python(1)), "show.py").await, "true");
    assert!(machine.seen().is_empty() && !machine.path("environments").exists());
}
