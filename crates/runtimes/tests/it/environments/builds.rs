//! The core pack's runtimes install packages with the real tools. The packages are made here.

use std::path::{Path, PathBuf};

use attune_runtimes::launch::Found;
use attune_testkit::packages;
use serde_json::{Value, json};

use super::machine::{Machine, core_execution};

const SHOW_GAUGE: &str = "import gauge\ndef run():\n    return gauge.VERSION\n";

/// The requirements of a pack that needs the package `gauge`, whose wheel is made for it.
fn requirements(machine: &Machine, version: &str) -> String {
    let wheels = machine.path("wheels");
    packages::wheel(&wheels, "gauge", version, &format!("VERSION = '{version}'\n"));
    format!("--no-index\n--find-links {}\ngauge=={version}\n", wheels.display())
}

/// The one that `scripts/setup` keeps for the tests.
fn uv() -> PathBuf {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin/uv");
    kept.canonicalize().expect("`scripts/setup tools` installs it")
}

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
    machine.write("requirements.txt", &requirements(&machine, "6.1"));
    machine.write("show.py", SHOW_GAUGE);
    let code = machine.code(&python(1));
    assert_eq!(machine.run(&code, "show.py").await, "\"6.1\"");
    let seen = machine.seen();
    assert!(matches!(&seen[..], [building, _] if building.starts_with("building with python3")), "{seen:?}");

    let machine = machine.restarted();
    assert_eq!(machine.run(&code, "show.py").await, "\"6.1\"");
    assert!(machine.seen().is_empty());

    machine.write("requirements.txt", &requirements(&machine, "6.2"));
    assert!(matches!(machine.find(&code).await.unwrap(), Found::Building(_)));
}

#[tokio::test]
async fn uv_is_used_when_it_is_there() {
    let machine = Machine::new();
    let uv = uv();
    let execution = python(0).to_string().replace("\"uv\"", &json!(uv).to_string());
    let code = machine.code(&serde_json::from_str(&execution).unwrap());
    machine.write("requirements.txt", &requirements(&machine, "6.1"));
    machine.write("show.py", SHOW_GAUGE);
    assert_eq!(machine.run(&code, "show.py").await, "\"6.1\"");
    let seen = machine.seen();
    assert!(is_built(&seen, uv.to_str().unwrap()), "{seen:?}");
}

#[tokio::test]
async fn npm_installs_what_a_script_requires() {
    let machine = Machine::new();
    let source = "exports.VERSION = require('./package.json').version;\n";
    let gauge = packages::tarball(machine.directory.path(), "gauge", "1.7.9", source);
    let needs = json!({"dependencies": {"gauge": format!("file:{}", gauge.display())}});
    machine.write("package.json", &needs.to_string());
    machine.write("show.js", "console.log(require('gauge').VERSION)\n");
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
