//! Builds that can not succeed: named, bounded, remembered, and nothing of them is left.

use std::fs;

use attune_runtimes::environment::EnvironmentError;
use attune_runtimes::launch::{Found, PrepareError};
use serde_json::{Value, json};

use super::machine::Machine;

fn shell(script: &str, more: &Value) -> Value {
    let mut environment = json!({"manifest": "needs", "build": [{"commands": [["sh", "-c", script]]}]});
    environment.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"binary": "sh", "environment": environment})
}

fn machine() -> Machine {
    let machine = Machine::new();
    machine.write("needs", "one\n");
    machine
}

fn environment_error(error: PrepareError) -> EnvironmentError {
    match error {
        PrepareError::Environment(error) => error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_build_that_hangs_is_ended() {
    let machine = machine();
    let code = machine.code(&shell("echo working; sleep 600 & sleep 600", &json!({"timeout": 0.5})));
    let error = machine.error(&code).await;
    let log = machine.path("environments");
    assert!(error.starts_with("can not build the environment of pack demo for demo.x from needs: it took longer than its limit of 0.5 s, in `sh -c"), "{error}");
    assert!(
        error.contains("\nworking\nThe whole log is in ") && error.contains(log.to_str().unwrap()),
        "{error}"
    );
    assert!(machine.attempts().is_empty());
}

#[tokio::test]
async fn a_build_that_fills_the_disk_is_ended() {
    let machine = machine();
    for script in ["n=0; while :; do n=$((n+1)); head -c 1000000 /dev/zero >$n; done", "cat /dev/zero >one"] {
        let error = machine.error(&machine.code(&shell(script, &json!({"max_bytes": 5_000_000})))).await;
        assert!(error.contains("it grew beyond its limit of 5000000 bytes on disk, in `sh -c "), "{error}");
        assert!(machine.attempts().is_empty());
    }
}

#[tokio::test]
async fn a_failed_build_shows_its_last_lines_and_is_tried_again_later_each_time() {
    let machine = machine();
    let tries = machine.path("tries");
    let script = format!("echo try >>{}; echo no such package >&2; exit 7", tries.display());
    let code = machine.code(&shell(&script, &json!({})));
    let count = || fs::read_to_string(&tries).unwrap().lines().count();

    let error = environment_error(machine.wait(&code).await.unwrap_err());
    let text = error.to_string();
    assert!(text.contains("exited with code 7:\nno such package\nThe whole log is in "), "{text}");
    assert!(text.ends_with("The next try is in 5 s at the earliest"), "{text}");
    for _ in 0..3 {
        assert!(machine.find(&code).await.is_err());
    }
    assert_eq!(count(), 1);

    tokio::time::sleep(error.retry_in()).await;
    let error = environment_error(machine.wait(&code).await.unwrap_err());
    assert_eq!((count(), error.retry_in().as_secs()), (2, 9));

    machine.write("needs", "two\n");
    assert!(matches!(machine.find(&code).await.unwrap(), Found::Building(_)));
    machine.error(&code).await;
    assert_eq!(count(), 3);
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let machine = machine();
    let ways = json!([{"needs": ["no-such-a"], "files": ["lock"], "commands": [["no-such-a"]]},
        {"needs": ["no-such-b", "sh"], "commands": [["no-such-b"]]}, {"needs": ["no-such-c"], "commands": [["x"]]}]);
    for (more, expected) in [
        (json!({"build": ways}), "nothing to build it with; it takes no-such-b and sh, or no-such-c"),
        (json!({"build": [{"commands": [["no-such-d"]]}]}), "`no-such-d` is not on PATH"),
        (json!({"binary": "{environment}/bin/x"}), "its commands succeeded, but made no "),
    ] {
        let error = machine.error(&machine.code(&shell("true", &more))).await;
        assert!(error.contains(expected), "{error}");
    }
}
