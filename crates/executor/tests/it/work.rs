//! How much work may follow from one submission: dear rules take it from each other, and cheap ones never notice.

use std::time::Duration;

use attune_executor::ingest::{IngestError, NewEvent, OutOfWork, Refusal, WorkLimits};
use attune_executor::rules::trial::{self, Cause};
use chrono::Utc;
use serde_json::{Value, json};

use crate::pack::TestPack;
use crate::sensors::commit;
use crate::system::{System, high};

/// Enough for a few dear rules.
fn limits() -> WorkLimits {
    let million = 1_000_000;
    let rounds = [million, 4 * million, 20 * million];
    WorkLimits { own: 50_000, rounds, total: 60 * million, time: Duration::MAX }
}

/// The demo pack without its rule, and with these, in order. A rule of equal parameters stands by its id.
fn with_rules(rules: impl IntoIterator<Item = (String, Value)>) -> TestPack {
    rules.into_iter().fold(TestPack::demo().without("rules/tell.yaml"), |pack, (name, rest)| {
        let mut rule = json!({"ref": format!("demo.{name}"), "trigger": "demo.high", "action": "demo.tell",
            "action_params": {"value": 7}});
        rule.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        pack.with(&format!("rules/{name}.yaml"), &rule.to_string())
    })
}

/// About six million steps: six times a copy of a text of a million.
fn dear() -> Value {
    json!({"action_params": {"value": "{{ ('x' * 1000000) | upper | lower | upper | lower | upper | length }}"}})
}

async fn outcomes(system: &System) -> Vec<(String, Option<String>)> {
    let rows = "SELECT jsonb_agg(jsonb_build_array(rule_ref, reason) ORDER BY id) FROM enforcement";
    serde_json::from_value(system.value(rows).await).unwrap()
}

#[tokio::test]
async fn what_is_cheap_fires_whatever_stands_before_it() {
    let many = (0..40).map(|n| (format!("a{n:02}"), dear()));
    let medium = json!({"action_params": {"value": "{{ ('x' * 100000) | upper | length }}"}});
    let others = [("b_cheap".to_owned(), json!({})), ("c_medium".to_owned(), medium)];
    let system = System::within(limits(), &with_rules(many.chain(others))).await;
    let receipt = system.post(vec![high(50)]).await.unwrap();
    assert_eq!((receipt.enforcements[0], system.count("event").await), (42, 1));
    let outcomes = outcomes(&system).await;
    let (failed, fired): (Vec<_>, Vec<_>) = outcomes.iter().partition(|(_, reason)| reason.is_some());
    let has_fired = |name: &str| fired.iter().any(|(rule, _)| rule == name);
    assert!(has_fired("demo.b_cheap") && has_fired("demo.c_medium"), "{outcomes:?}");
    assert_eq!(receipt.failed, [failed.len()]);
    let shared = format!("action_params: {}", OutOfWork::Shared(limits()));
    assert!(
        failed.len() > 20 && failed.iter().all(|(_, reason)| *reason == Some(shared.clone())),
        "{failed:?}"
    );
    // The next one begins with all of it.
    assert_eq!(system.post(vec![high(50)]).await.unwrap().failed, receipt.failed);
}

#[tokio::test]
async fn a_rule_whose_conditions_take_too_much_fails_and_says_so() {
    let condition =
        |operator: &str, value: &str| json!({"field": "payload.text", "operator": operator, "value": value});
    let pattern = json!({"conditions": [condition("matches", "(a|b|c|d){60}$")]});
    let rules = [
        ("a_pattern".to_owned(), pattern),
        ("b_text".to_owned(), json!({"conditions": [condition("contains", "x")]})),
        ("c_other".to_owned(), json!({"conditions": [condition("equals", "x")]})),
    ];
    let system = System::within(limits(), &with_rules(rules)).await;
    let large = |text: &str| NewEvent { payload: json!({"text": text}), ..high(1) };
    system.post(vec![large(&"abcdx".repeat(50_000))]).await.unwrap();
    let own = format!("conditions: {}", OutOfWork::Own(20_000_000));
    assert_eq!(
        outcomes(&system).await,
        [("demo.a_pattern".to_owned(), Some(own)), ("demo.b_text".to_owned(), None)]
    );
    system.run("DELETE FROM enforcement").await;
    system.post(vec![large(&"abcd".repeat(100))]).await.unwrap();
    assert_eq!(outcomes(&system).await, [("demo.a_pattern".to_owned(), None)]);
}

#[tokio::test]
async fn a_payload_that_takes_too_much_to_check_is_refused_and_its_neighbours_go_in() {
    let schema = "payload_schema: {properties: {list: {items: {anyOf: [{pattern: ^b}, {pattern: ^c}, {pattern: ^a}]}}}}\n";
    let pack = TestPack::demo().replacing("triggers/low.yaml", "label: Low\n", schema);
    let work = WorkLimits { total: 3_000_000, ..limits() };
    let system = System::within(work, &pack).await;
    let low = |count| NewEvent {
        trigger: "demo.low".to_owned(),
        payload: json!({"list": vec!["a"; count]}),
        ..high(1)
    };
    let refused = system.post(vec![low(3), low(200_000)]).await;
    let Err(IngestError::Refused { index: 1, refusal: refusal @ Refusal::OutOfWork(_) }) = refused else {
        panic!("{refused:?}")
    };
    let receipt = commit(&system, 0, vec![low(200_000), low(3), high(3)]).await.unwrap();
    assert_eq!((receipt.rejected, receipt.events.iter().flatten().count()), (1, 2));
    let reason = system.value("SELECT jsonb_agg(reason) FROM event_rejected").await;
    assert_eq!(reason, json!([refusal.to_string()]));
    assert_eq!(
        system.post(vec![low(5_000)]).await.unwrap().events.len(),
        1,
        "it is dear, and there is enough"
    );
}

#[tokio::test]
async fn a_trial_says_what_a_rule_takes() {
    let system =
        System::with(&with_rules([("a_dear".to_owned(), dear()), ("b_cheap".to_owned(), json!({}))])).await;
    let tried = async |rule: &str| {
        trial::try_event(system.pool(), rule, json!({"value": 1}), Utc::now()).await.unwrap()
    };
    let report = tried("demo.a_dear").await;
    assert!(report.trial.fires && report.notes[0].contains("million steps"), "{report:?}");
    assert!(tried("demo.b_cheap").await.notes.is_empty());
    system.run("UPDATE rule SET conditions = '[{\"field\": \"payload.text\", \"operator\": \"matches\", \"value\": \"[ab]{300}$\"}]' WHERE ref = 'demo.a_dear'").await;
    let event = json!({"text": "ab".repeat(300_000)});
    let report = trial::try_event(system.pool(), "demo.a_dear", event, Utc::now()).await.unwrap();
    assert_eq!(report.trial.because, Some(Cause::Conditions));
    assert!(
        report.trial.reason.unwrap().starts_with("conditions: out of work: it takes more than 500 million")
    );
}
