//! Actions that may run only so often at once, and orders that are about many executions.

use std::time::Duration;

use attune_common::repositories::execution_order::{self, Counted, Wanted};
use attune_common::repositories::execution_turn::Given;
use attune_common::repositories::listing::{self, Noun};
use attune_common::repositories::pack;
use attune_executor::cancel_where::cancel_where;
use attune_executor::finish::{Finish, Finisher, Outcome, Recorded};
use attune_executor::request::request_execution;
use attune_executor::turns::Turns;
use attune_hints::Hints;
use futures_util::future::join_all;
use serde_json::json;

use crate::pack::TestPack;
use crate::system::{System, high};
use crate::workers::{claim, registered, succeeded};

const BUSY: &str = "execution WHERE turn AND status IN ('requested', 'running')";

/// The demo pack with an action that runs so often at once.
async fn bounded(lines: &str) -> System {
    System::with(&TestPack::demo().replacing(
        "actions/tell.yaml",
        "ref: demo.tell\n",
        &format!("ref: demo.tell\n{lines}\n"),
    ))
    .await
}

async fn post(system: &System, count: i64) {
    system.post((0..count).map(|n| high(20 + n)).collect()).await.unwrap();
}

fn turns(system: &System) -> Turns {
    Turns { pool: system.pool().clone(), hints: Hints::default() }
}

#[tokio::test]
async fn no_more_than_the_bound_have_a_turn_however_many_give_them() {
    let system = bounded("max_concurrent: 3").await;
    post(&system, 20).await;
    let (_, held) = registered(&system, "one").await;
    assert!(claim(&system, held).await.is_empty(), "no turn, no claim");
    let finisher = Finisher::start(system.pool().clone(), Hints::default(), held.worker);
    let mut done = 0;
    while done < 20 {
        let given = join_all((0..4).map(|_| async { turns(&system).round().await.unwrap().turns })).await;
        assert!(given.iter().sum::<u64>() <= 3, "{given:?}");
        assert!(system.count(BUSY).await <= 3);
        for claimed in claim(&system, held).await {
            // One waits for another attempt the first time, and lets others have its turn meanwhile.
            let failed = Outcome::Failed { result: None, error: "no".to_owned() };
            let again =
                Finish { outcome: failed, retry_in: Some(Duration::ZERO), ..succeeded(&claimed, json!(1)) };
            let is_retried = claimed.attempt == 1 && claimed.id % 5 == 0;
            let end = if is_retried { again } else { succeeded(&claimed, json!(1)) };
            assert_eq!(finisher.finish(end).await, Recorded::Yes);
            done += i64::from(!is_retried);
        }
    }
    assert_eq!(system.count("execution WHERE status = 'succeeded'").await, 20);
    assert_eq!(system.count("attempt").await, system.count("execution WHERE attempt = 2").await);
}

#[tokio::test]
async fn what_waits_for_its_turn_stands_in_front_of_nothing() {
    let system = bounded("max_concurrent: 1").await;
    post(&system, 300).await;
    system.run("INSERT INTO action (ref, runtime, entrypoint) SELECT 'demo.other', id, 'x' FROM runtime WHERE ref = 'core.shell'").await;
    let other = request_execution(system.pool(), &Hints::default(), "demo.other", json!({})).await.unwrap();
    turns(&system).round().await.unwrap();
    let (_, held) = registered(&system, "one").await;
    let claimed = claim(&system, held).await;
    assert_eq!(claimed.len(), 2);
    assert!(claimed.iter().any(|claimed| claimed.id == other));
    let last = system.value("SELECT to_jsonb(max(id)) FROM execution WHERE turn IS FALSE").await.to_string();
    let row = listing::find(system.pool(), Noun::Execution, &last).await.unwrap().unwrap();
    assert_eq!(row["waits"], "1 of 1 of demo.tell are running");
}

#[tokio::test]
async fn what_overlaps_is_skipped_with_a_reason() {
    let system = bounded("max_concurrent: 2\noverlap: skip").await;
    post(&system, 5).await;
    assert_eq!(turns(&system).round().await.unwrap(), Given { turns: 2, skipped: 3 });
    let reason = system
        .value(
            "SELECT to_jsonb(min(error)) FROM execution WHERE status = 'cancelled' AND finished IS NOT NULL",
        )
        .await;
    assert_eq!(reason, "skipped: 2 of this action are running");
    assert_eq!(turns(&system).round().await.unwrap(), Given::default());
}

#[tokio::test]
async fn executions_by_hand_wait_too_and_a_bound_takes_along_what_there_is() {
    let system = bounded("max_concurrent: 1").await;
    for value in 0..3 {
        request_execution(system.pool(), &Hints::default(), "demo.tell", json!({"value": value}))
            .await
            .unwrap();
    }
    assert_eq!(system.count("execution WHERE turn IS FALSE").await, 3);
    turns(&system).round().await.unwrap();
    system.run("UPDATE action SET max_concurrent = NULL WHERE ref = 'demo.tell'").await;
    assert_eq!(system.count("execution WHERE turn IS NULL").await, 3);
    let (_, held) = registered(&system, "one").await;
    assert_eq!(claim(&system, held).await.len(), 3);
    request_execution(system.pool(), &Hints::default(), "demo.tell", json!({"value": 9})).await.unwrap();
    system.run("UPDATE action SET max_concurrent = 2 WHERE ref = 'demo.tell'").await;
    assert_eq!(system.count(BUSY).await, 3, "what runs counts");
    assert_eq!(turns(&system).round().await.unwrap(), Given::default());
    // As if they were born while the action lost its bound.
    system.run("UPDATE action SET max_concurrent = NULL WHERE ref = 'demo.tell'; UPDATE execution SET turn = FALSE, status = 'requested'").await;
    assert_eq!(turns(&system).round().await.unwrap(), Given { turns: 4, skipped: 0 });
    system.run("UPDATE action SET max_concurrent = 2 WHERE ref = 'demo.tell'").await;
    system.run("DELETE FROM rule; DELETE FROM action WHERE ref = 'demo.tell'").await;
    assert_eq!(system.count("execution WHERE turn IS NOT NULL").await, 0);
}

#[tokio::test]
async fn many_are_cancelled_by_what_they_are() {
    let system = bounded("max_concurrent: 2").await;
    post(&system, 2_100).await;
    turns(&system).round().await.unwrap();
    let (_, held) = registered(&system, "one").await;
    assert_eq!(claim(&system, held).await.len(), 2);
    let other = Wanted { action_ref: Some("demo.other".to_owned()), ..Wanted::default() };
    let all = Wanted { rule_ref: Some("demo.tell_high".to_owned()), ..Wanted::default() };
    let old = Wanted { older_than: Some(3600.0), ..all.clone() };
    let event = system.value("SELECT to_jsonb(max(id)) FROM event").await.as_i64();
    let one = Wanted { event, ..Wanted::default() };
    let running = Wanted { status: Some("running".to_owned()), ..all.clone() };
    let count = async |wanted: &Wanted| execution_order::count_wanted(system.pool(), wanted).await.unwrap();
    for (wanted, requested, running) in
        [(&other, 0, 0), (&old, 0, 0), (&one, 1, 0), (&running, 0, 2), (&all, 2_098, 2)]
    {
        assert_eq!(count(wanted).await, Counted { requested, running }, "{wanted:?}");
    }
    let cancel =
        async |wanted: &Wanted| cancel_where(system.pool(), &Hints::default(), wanted).await.unwrap();
    assert_eq!(cancel(&one).await, Counted { requested: 1, running: 0 });
    assert_eq!(cancel(&all).await, Counted { requested: 2_097, running: 2 });
    assert_eq!(cancel(&all).await, Counted::default());
    assert_eq!(system.count("execution WHERE status = 'cancelled' AND finished IS NOT NULL").await, 2_098);
    assert_eq!(system.count("execution WHERE status = 'running' AND cancel_requested IS NOT NULL").await, 2);
}

#[tokio::test]
async fn plain_sql_may_cancel_without_saying_when() {
    let system = System::with_demo().await;
    post(&system, 1).await;
    system.run("UPDATE execution SET status = 'cancelled'").await;
    assert_eq!(system.count("execution WHERE status = 'cancelled'").await, 1);
}

#[tokio::test]
async fn content_of_a_refused_load_does_not_stay() {
    let system = System::with_demo().await;
    let before = system.count("pack_content").await;
    let refused = TestPack::demo().replacing("rules/tell.yaml", "action: demo.tell", "action: demo.away");
    refused.try_load(system.pool()).await.unwrap_err();
    assert_eq!(system.count("pack_content").await, before);
    TestPack::demo().load(system.pool()).await;
    assert_eq!(system.count("pack_content WHERE NOT loaded").await, 0);
    // What a process left behind that ended between the two.
    system.run("INSERT INTO pack_content (digest, content, size, created) VALUES ('new', '', 0, NOW()), ('old', '', 0, NOW() - INTERVAL '2 hours')").await;
    let unused = pack::delete_unused_content(system.pool(), 3600.0);
    assert_eq!(unused.await.unwrap(), 1);
    assert_eq!(system.count("pack_content WHERE digest = 'new'").await, 1);
}
