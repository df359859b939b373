//! Events that executions send, among those from outside.

use attune_executor::ingest::{Cause, NewEvent, Origin, Submission};
use serde_json::json;

use crate::system::{PATIENCE, System, high};

fn sent(execution: i64, events: Vec<NewEvent>) -> Submission {
    let cause = Cause { execution, action_ref: "demo.tell".to_owned(), depth: 3, root: Some(execution + 1) };
    Submission { origin: Origin::Run { source: "demo.tell".to_owned(), cause }, events }
}

#[tokio::test]
async fn each_event_of_a_commit_keeps_its_own_cause() {
    let system = System::with_demo().await;
    // The first one is under way while the others wait, and these then share a commit.
    let posts = (0..50).map(|value| {
        let submission = match value % 5 {
            0 => sent(value, vec![high(value), high(value)]),
            _ => Submission { origin: Origin::Post { source: None }, events: vec![high(value)] },
        };
        system.ingest.submit(submission, PATIENCE)
    });
    for receipt in futures_util::future::join_all(posts).await {
        receipt.unwrap();
    }
    let wrong = "event WHERE (payload ->> 'value')::int % 5 = 0
                     AND (caused_by, depth, root) IS DISTINCT FROM
                         ((payload ->> 'value')::bigint, 3::smallint, (payload ->> 'value')::bigint + 1)
                 OR (payload ->> 'value')::int % 5 <> 0
                     AND (caused_by IS NOT NULL OR depth <> 0 OR root IS NOT NULL)";
    assert_eq!((system.count("event").await, system.count(wrong).await), (60, 0));
    let commits = system.count("(SELECT DISTINCT xmin::text FROM event) AS t").await;
    assert!(commits < 50, "they share commits");
}

#[tokio::test]
async fn the_keys_of_an_actions_runs_are_its_own() {
    let system = System::with_demo().await;
    let keyed = || vec![NewEvent { key: Some("k".to_owned()), ..high(50) }];
    let posted =
        Submission { origin: Origin::Post { source: Some("demo.tell".to_owned()) }, events: keyed() };
    assert_eq!(system.ingest.submit(posted, PATIENCE).await.unwrap().duplicates, 0);
    assert_eq!(system.ingest.submit(sent(1, keyed()), PATIENCE).await.unwrap().duplicates, 0);
    assert_eq!(system.ingest.submit(sent(2, keyed()), PATIENCE).await.unwrap().duplicates, 1);
    let sources = system.value("SELECT jsonb_agg(source ORDER BY source) FROM event_key").await;
    assert_eq!(sources, json!(["post:demo.tell", "run:demo.tell"]));
}
