//! How much may follow from one submission.

use std::time::Duration;

use attune_core::brakes::{ENFORCEMENTS_OF_A_SUBMISSION, PARAMETERS_OF_A_SUBMISSION, RULES_OF_AN_EVENT};
use attune_executor::ingest::{Bound, IngestError, NewEvent, Refusal, WorkLimits};
use serde_json::{Value, json};

use crate::pack::TestPack;
use crate::sensors::commit;
use crate::system::{System, high};

/// With so many rules on `demo.high` that match every event. Their action is off, so each is a failed enforcement.
async fn with_rules(count: usize) -> System {
    let system = System::with_demo().await;
    system
        .run(&format!(
            "UPDATE action SET enabled = FALSE WHERE ref = 'demo.tell';
             DELETE FROM rule;
             INSERT INTO rule (ref, trigger, trigger_ref, action, action_ref, trigger_params)
             SELECT 'demo.rule_' || n, t.id, t.ref, a.id, a.ref, '{{}}'
             FROM generate_series(1, {count}) AS n, trigger t, action a WHERE t.ref = 'demo.high' AND a.ref = 'demo.tell'"
        ))
        .await;
    system
}

/// With rules on `demo.high` that pass on the whole event.
async fn with_copies(count: usize) -> System {
    let work = WorkLimits { time: Duration::MAX, ..WorkLimits::default() };
    let system = System::within(work, &TestPack::demo()).await;
    system
        .run(&format!(
            r#"DELETE FROM rule;
               INSERT INTO rule (ref, trigger, trigger_ref, action, action_ref, action_params)
               SELECT 'demo.rule_' || n, t.id, t.ref, a.id, a.ref, '{{"value": 1, "copy": "{{{{ event.payload.text }}}}"}}'
               FROM generate_series(1, {count}) AS n, trigger t, action a WHERE t.ref = 'demo.high' AND a.ref = 'demo.tell'"#
        ))
        .await;
    system
}

fn large(text: &str) -> NewEvent {
    NewEvent { payload: json!({"value": 1, "text": text}), ..high(1) }
}

async fn set_aside(system: &System) -> Value {
    system.value("SELECT jsonb_agg(jsonb_build_array(convert_from(raw, 'UTF8')::jsonb, reason) ORDER BY id) FROM event_rejected").await
}

#[tokio::test]
async fn an_event_that_more_rules_match_than_may_is_refused_and_set_aside() {
    let system = with_rules(RULES_OF_AN_EVENT + 1).await;
    let refused = system.post(vec![high(1)]).await;
    let Err(IngestError::Refused { index: 0, refusal: refusal @ Refusal::TooManyRules(_) }) = refused else {
        panic!("{refused:?}")
    };
    let low = NewEvent { trigger: "demo.low".to_owned(), ..high(2) };
    let receipt = commit(&system, 0, vec![high(1), low]).await.unwrap();
    assert_eq!((receipt.rejected, receipt.events[1].is_some()), (1, true));
    assert_eq!(set_aside(&system).await, json!([[{"value": 1}, refusal.to_string()]]));
    assert_eq!((system.count("event").await, system.count("enforcement").await), (1, 0));
    system.run("DELETE FROM rule WHERE ref = 'demo.rule_1'").await;
    assert_eq!(system.post(vec![high(3)]).await.unwrap().enforcements, [RULES_OF_AN_EVENT]);
}

#[tokio::test]
async fn events_that_lead_to_too_much_are_refused_to_a_poster_and_go_in_in_parts_for_a_sensor() {
    let system = with_rules(RULES_OF_AN_EVENT).await;
    let fit = ENFORCEMENTS_OF_A_SUBMISSION / RULES_OF_AN_EVENT;
    let events = || (0..=i64::try_from(fit).unwrap()).map(high).collect::<Vec<_>>();
    let refused = system.post(events()).await;
    let Err(IngestError::FanOut { events: 6, fits, bound: Bound::Enforcements, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((fits, system.count("event").await), (fit, 0));
    let receipt = commit(&system, 0, events()).await.unwrap();
    assert_eq!(receipt.enforcements, vec![RULES_OF_AN_EVENT; fit + 1]);
    let values = system.value("SELECT jsonb_agg(payload -> 'value' ORDER BY id) FROM event").await;
    assert_eq!(values, json!((0..=fit).collect::<Vec<_>>()));
    assert_eq!(system.count("enforcement").await, 60_000);
    // It is one poll all the same, and the state went in with the last part.
    let row =
        system.value("SELECT jsonb_build_array(state, polls, events, rejected) FROM sensor_state").await;
    assert_eq!(row, json!([{"seen": 6}, 1, 6, 0]));
    let parts = system.count("(SELECT DISTINCT xmin::text FROM event) AS t").await;
    assert_eq!(parts, 2);
}

#[tokio::test]
async fn events_whose_rules_copy_too_much_of_them_together_go_in_in_parts_for_a_sensor() {
    let system = with_copies(70).await;
    // Two of them fit, a third does not.
    let text = "x".repeat(PARAMETERS_OF_A_SUBMISSION / 70 / 5 * 2);
    let events = || vec![large(&text), large(&text), large(&text)];
    let refused = system.post(events()).await;
    let Err(IngestError::FanOut { fits: 2, bound: Bound::Bytes, .. }) = refused else {
        panic!("{refused:?}")
    };
    let receipt = commit(&system, 0, events()).await.unwrap();
    assert_eq!((receipt.enforcements, receipt.failed), (vec![70; 3], vec![0; 3]));
    assert_eq!(system.count("(SELECT DISTINCT xmin::text FROM event) AS t").await, 2);
    assert_eq!(system.value("SELECT to_jsonb(polls) FROM sensor_state").await, 1);
}

#[tokio::test]
async fn an_event_whose_rules_copy_too_much_of_it_is_refused() {
    let system = with_copies(70).await;
    let text = "x".repeat(PARAMETERS_OF_A_SUBMISSION / 70);
    let refused = system.post(vec![large(&text)]).await;
    let Err(IngestError::Refused { index: 0, refusal }) = refused else { panic!("{refused:?}") };
    assert!(matches!(refusal, Refusal::TooManyBytes(_)), "{refusal}");
    assert_eq!(system.post(vec![large("short")]).await.unwrap().enforcements, [70]);
}
