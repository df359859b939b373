//! Posted events: from the event through the rule to the execution.

use std::collections::HashSet;

use attune_executor::ingest::{IngestError, NewEvent, Refusal};
use serde_json::json;

use crate::pack::TestPack;
use crate::system::{System, high};

#[tokio::test]
async fn one_event_leads_to_one_enforcement_and_one_execution() {
    let system = System::with_demo().await;
    let receipt = system.post(vec![high(42)]).await.unwrap();
    let id = receipt.events[0].unwrap();
    assert_eq!((receipt.enforcements, receipt.duplicates, receipt.rejected), (vec![1], 0, 0));
    let chain = system
        .value(
            "SELECT jsonb_build_object('event', e.id, 'payload', e.payload, 'status', f.status, 'rule', f.rule_ref,
                 'revision', f.rule_revision, 'params', x.params, 'execution', x.status, 'action', x.action_ref,
                 'runtime', r.ref, 'digest', x.pack_digest = p.digest)
             FROM event e JOIN enforcement f ON f.event = e.id JOIN execution x ON x.enforcement = f.id
             JOIN runtime r ON r.id = x.runtime JOIN pack p ON p.ref = 'demo'",
        )
        .await;
    let expected = json!({"event": id, "payload": {"value": 42}, "status": "created", "rule": "demo.tell_high", "revision": 1,
        "params": {"value": 42}, "execution": "requested", "action": "demo.tell", "runtime": "core.shell", "digest": true});
    assert_eq!(chain, expected);
}

#[tokio::test]
async fn an_event_that_no_rule_is_about_is_an_event_all_the_same() {
    let system = System::with_demo().await;
    let receipt = system.post(vec![high(1)]).await.unwrap();
    assert_eq!(receipt.enforcements, [0]);
    assert_eq!((system.count("event").await, system.count("enforcement").await), (1, 0));
}

#[tokio::test]
async fn a_key_lets_one_event_through_in_and_across_batches() {
    let system = System::with_demo().await;
    let keyed = |value| NewEvent { key: Some("k".to_owned()), ..high(value) };
    let first = system.post(vec![keyed(1), keyed(2)]).await.unwrap();
    assert_eq!((first.events[0].is_some(), first.events[1], first.duplicates), (true, None, 1));
    let again = system.post(vec![keyed(3), high(4)]).await.unwrap();
    assert_eq!((again.events[0], again.events[1].is_some(), again.duplicates), (None, true, 1));
    system.run("UPDATE event_key SET expires = NOW() - INTERVAL '1 second'").await;
    assert!(system.post(vec![keyed(5)]).await.unwrap().events[0].is_some());
    assert_eq!(system.count("event WHERE key = 'k'").await, 2);
}

#[tokio::test]
async fn parameters_that_do_not_fit_leave_a_failed_enforcement_with_the_reason() {
    let pack = TestPack::demo()
        .with("triggers/low.yaml", "ref: demo.low\n")
        .with("rules/bad.yaml", "ref: demo.bad\ntrigger: demo.high\naction: demo.tell\naction_params: {value: \"{{ event.trigger }}\"}\n");
    let system = System::with(&pack).await;
    let receipt = system.post(vec![high(42)]).await.unwrap();
    assert_eq!(receipt.enforcements, [2]);
    assert_eq!(system.count("execution").await, 1);
    let reason = system
        .value("SELECT to_jsonb(reason) FROM enforcement WHERE status = 'failed' AND rule_ref = 'demo.bad'")
        .await;
    assert!(reason.as_str().unwrap().starts_with("action_params: value"), "{reason}");
}

#[tokio::test]
async fn a_posted_event_that_can_not_be_taken_is_refused_with_the_whole_submission() {
    let system = System::with_demo().await;
    let cases = [
        (NewEvent { trigger: "demo.hgih".to_owned(), ..high(1) }, "there is no trigger demo.hgih"),
        (NewEvent { payload: json!({"value": "text"}), ..high(1) }, "payload: value"),
        (NewEvent { payload: json!({"text": "a\0b"}), ..high(1) }, "payload: "),
        (NewEvent { key: Some("a\0b".to_owned()), ..high(1) }, "key holds a NUL"),
        (NewEvent { key: Some("k".repeat(3000)), ..high(1) }, "key is longer"),
    ];
    for (event, reason) in cases {
        match system.post(vec![high(50), event]).await {
            Err(IngestError::Refused { index: 1, refusal }) => {
                assert!(refusal.to_string().starts_with(reason), "{refusal}");
            }
            other => panic!("{reason}: {other:?}"),
        }
    }
    system.run("UPDATE trigger SET enabled = FALSE").await;
    system.ingest.rules().renew(i64::MAX - 1).await.unwrap();
    let refused = system.post(vec![high(50)]).await;
    assert!(
        matches!(refused, Err(IngestError::Refused { refusal: Refusal::DisabledTrigger(_), .. })),
        "{refused:?}"
    );
    assert_eq!(system.count("event").await, 0);
}

#[tokio::test]
async fn a_rule_sees_only_events_of_its_own_trigger_parameters() {
    let rule = |limit: u32| {
        format!(
            "ref: demo.at_{limit}\ntrigger: demo.high\ntrigger_params: {{limit: {limit}}}\naction: demo.tell\naction_params: {{value: {limit}}}\n"
        )
    };
    let pack = TestPack::demo()
        .with("rules/a.yaml", &rule(90))
        .with("rules/b.yaml", &rule(80))
        .without("rules/tell.yaml");
    let system = System::with(&pack).await;
    let made_for =
        |limit: serde_json::Value| NewEvent { trigger_params: Some(json!({ "limit": limit })), ..high(1) };
    system.post(vec![made_for(json!(90.0)), high(1)]).await.unwrap();
    let fired = system.value("SELECT jsonb_agg(rule_ref ORDER BY event) FROM enforcement").await;
    // Without parameters an event is made for the defaults, which are 80.
    assert_eq!(fired, json!(["demo.at_90", "demo.at_80"]));
}

#[tokio::test]
async fn a_crowd_shares_commits_and_everybody_gets_an_answer_of_its_own() {
    let system = System::with_demo().await;
    let posts = (0..500).map(|value| system.post(vec![high(value)]));
    let receipts: Vec<_> =
        futures_util::future::join_all(posts).await.into_iter().map(Result::unwrap).collect();
    let ids: HashSet<_> = receipts.iter().map(|receipt| receipt.events[0].unwrap()).collect();
    assert_eq!(ids.len(), 500);
    assert_eq!(receipts.iter().map(|receipt| receipt.enforcements[0]).sum::<usize>(), 489);
    let wrong = "event e FULL JOIN enforcement f ON f.event = e.id WHERE ((e.payload ->> 'value')::int > 10) IS DISTINCT FROM (f.id IS NOT NULL)";
    assert_eq!(
        (system.count("event").await, system.count("execution").await, system.count(wrong).await),
        (500, 489, 0)
    );
    let transactions = "(SELECT DISTINCT xmin::text FROM event) AS t";
    assert!(system.count(transactions).await < 250, "group commit shares transactions");
}
