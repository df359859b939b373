//! Executions once more.

use attune_executor::retry::{Error, retry_execution};
use attune_hints::Hints;
use serde_json::json;

use crate::system::{System, high};

async fn retry(system: &System, id: i64, force: bool) -> Result<i64, Error> {
    retry_execution(system.pool(), &Hints::default(), id, force).await
}

/// A system with one execution that ended in this way.
async fn ended(status: &str) -> (System, i64) {
    let system = System::with_demo().await;
    system.post(vec![high(90)]).await.unwrap();
    system.run(&format!("UPDATE execution SET status = '{status}', finished = NOW()")).await;
    let id = system.value("SELECT to_jsonb(id) FROM execution").await.as_i64().unwrap();
    (system, id)
}

#[tokio::test]
async fn what_failed_runs_again_beside_its_enforcement() {
    let (system, first) = ended("failed").await;
    let second = retry(&system, first, false).await.unwrap();
    let row = "SELECT jsonb_build_array(status, params, action_ref, rule_ref, trigger_ref, retry_of, enforcement) FROM execution WHERE id = ";
    assert_eq!(
        system.value(&format!("{row}{second}")).await,
        json!(["requested", {"value": 90}, "demo.tell", "demo.tell_high", "demo.high", first, null])
    );
    // A retry of the retry is one of the first.
    system
        .run(&format!("UPDATE execution SET status = 'timed_out', finished = NOW() WHERE id = {second}"))
        .await;
    let third = retry(&system, second, false).await.unwrap();
    assert_eq!(system.value(&format!("{row}{third}")).await[5], first);
    assert_eq!(system.count("execution WHERE enforcement IS NOT NULL").await, 1);
}

#[tokio::test]
async fn it_runs_the_action_as_it_is_now() {
    let (system, id) = ended("failed").await;
    system
        .run("UPDATE action SET param_schema = '{\"properties\": {\"tone\": {\"default\": \"calm\"}}}'")
        .await;
    let again = retry(&system, id, false).await.unwrap();
    let params = system.value(&format!("SELECT params FROM execution WHERE id = {again}")).await;
    assert_eq!(params, json!({"value": 90, "tone": "calm"}));
    system.run("UPDATE action SET param_schema = '{\"required\": [\"path\"]}'").await;
    assert!(retry(&system, id, false).await.unwrap_err().to_string().starts_with("params: "));
}

#[tokio::test]
async fn what_succeeded_or_goes_on_is_refused() {
    let (system, id) = ended("succeeded").await;
    assert!(matches!(retry(&system, id, false).await, Err(Error::Succeeded(_))));
    let again = retry(&system, id, true).await.unwrap();
    assert!(matches!(retry(&system, again, true).await, Err(Error::NotEnded(..))));
    assert!(matches!(retry(&system, 424_242, false).await, Err(Error::Unknown(_))));
}

#[tokio::test]
async fn what_takes_no_work_is_not_given_any() {
    let (system, id) = ended("failed").await;
    let refused = [
        (
            "UPDATE pack SET enabled = FALSE WHERE ref = 'demo'",
            "action demo.tell takes no work: its pack is disabled",
        ),
        ("UPDATE action SET enabled = FALSE", "action demo.tell is disabled"),
        ("DELETE FROM action", "there is no action demo.tell"),
    ];
    for (change, expected) in refused {
        system.run(change).await;
        assert_eq!(retry(&system, id, false).await.unwrap_err().to_string(), expected);
    }
}
