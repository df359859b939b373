//! Actions whose pack has dependencies.

use serde_json::{Value, json};

use crate::fixture::{Fixture, error, result, state};
use crate::pack;

/// An action that prints where its environment is, which `script` builds.
async fn fixture(script: &str) -> Fixture {
    let act = "printf '\"%s\"' \"$HERE\"";
    let fixture = Fixture::with_action("core.shell", act).await;
    pack::store(fixture.pool(), "demo", &[("actions/act", act), ("needs", "one")]).await;
    let execution = json!({"binary": "sh", "environment": {"manifest": "needs", "variables": {"HERE": "{environment}"},
        "build": [{"commands": [["sh", "-c", script]]}]}});
    let execution = execution.to_string().replace('\'', "''");
    fixture.execute(&format!("UPDATE runtime SET execution = '{execution}' WHERE ref = 'core.shell'")).await;
    fixture
}

#[tokio::test]
async fn a_build_takes_nothing_of_the_actions_time_and_stands_in_its_log() {
    let fixture = fixture("sleep 1.5; echo content >made").await;
    fixture.execute("UPDATE action SET timeout = 1").await;
    let service = fixture.start().await;
    let id = fixture.request(json!({})).await;
    let row = fixture.ended(id).await;
    assert_eq!(state(&row), "succeeded", "{}", error(&row));
    let Value::String(environment) = result(&row) else { panic!("{}", result(&row)) };
    let made = std::fs::read_to_string(format!("{environment}/made")).unwrap();
    let log = fixture.log(id).await;
    assert!(made == "content\n" && log.starts_with("Environment: building with sh\n"), "{log}");
    assert!(log.contains("\nEnvironment: built in 1."), "{log}");

    let again = fixture.request(json!({})).await;
    assert_eq!(result(&fixture.ended(again).await), Value::String(environment));
    assert_eq!(fixture.log(again).await, "");
    service.stop().await;
}

#[tokio::test]
async fn a_failed_build_is_the_executions_error() {
    let fixture = fixture("echo no such package; exit 3").await;
    let service = fixture.start().await;
    let row = fixture.run(json!({})).await;
    let error = error(&row);
    assert_eq!(state(&row), "failed");
    assert!(
        error.starts_with("can not build the environment of pack demo for core.shell from needs: `sh -c "),
        "{error}"
    );
    assert!(
        error.contains("exited with code 3:\nno such package\n") && error.contains("The next try is in "),
        "{error}"
    );
    service.stop().await;
}
