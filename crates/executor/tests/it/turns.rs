//! Actions that may run only so often at once, and orders that are about many executions.

use std::sync::Arc;
use std::time::Duration;

use attune_common::repositories::execution_order::{self, Counted, Wanted};
use attune_common::repositories::execution_turn::{self, Given};
use attune_common::repositories::listing::{self, Noun};
use attune_common::repositories::pack;
use attune_executor::cancel_where::cancel_where;
use attune_executor::finish::{Finish, Finisher, Outcome, Recorded};
use attune_executor::ingest::{Ingest, Origin, Submission};
use attune_executor::request::request_execution;
use attune_executor::rules::RuleCache;
use attune_executor::turns::Turns;
use attune_hints::{Hints, Topic};
use chrono::Utc;
use futures_util::future::join_all;
use serde_json::json;
use sqlx::PgConnection;

use crate::pack::TestPack;
use crate::system::{PATIENCE, System, high};
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

/// Locks the actions that have something to give.
async fn held(tx: &mut PgConnection) -> Vec<i64> {
    execution_turn::lock_actions(tx).await.unwrap().iter().map(|it| it.action).collect()
}

#[tokio::test]
async fn nothing_is_skipped_while_a_turn_is_free() {
    let system = bounded("max_concurrent: 2\noverlap: skip").await;
    post(&system, 1).await;
    let mut tx = system.pool().begin().await.unwrap();
    let actions = held(&mut tx).await;
    assert_eq!(execution_turn::give(&mut tx, &actions).await.unwrap(), 1);
    // Born after the turns were given.
    post(&system, 1).await;
    assert_eq!(execution_turn::skip(&mut tx, &actions, 10).await.unwrap(), 0);
    tx.commit().await.unwrap();
    assert_eq!(turns(&system).round().await.unwrap(), Given { turns: 1, skipped: 0 });
    post(&system, 1).await;
    assert_eq!(turns(&system).round().await.unwrap(), Given { turns: 0, skipped: 1 });
}

#[tokio::test]
async fn what_was_passed_over_because_it_was_held_is_not_skipped() {
    let system = bounded("max_concurrent: 2\noverlap: skip").await;
    post(&system, 3).await;
    let first = system.value("SELECT to_jsonb(min(id)) FROM execution").await.as_i64().unwrap();
    let mut other = system.pool().begin().await.unwrap();
    for id in [first, first + 1] {
        execution_order::find_for_update(&mut other, id).await.unwrap().unwrap();
    }
    assert_eq!(turns(&system).round().await.unwrap(), Given { turns: 1, skipped: 0 });
    other.rollback().await.unwrap();
    assert_eq!(turns(&system).round().await.unwrap(), Given { turns: 1, skipped: 1 });
    let skipped = system.value("SELECT to_jsonb(id) FROM execution WHERE status = 'cancelled'").await;
    assert_eq!(skipped, first + 1, "the last one had a turn already");
}

#[tokio::test]
async fn what_waits_for_another_attempt_is_not_skipped() {
    let system = bounded("max_concurrent: 1\noverlap: skip").await;
    post(&system, 1).await;
    turns(&system).round().await.unwrap();
    let (_, worker) = registered(&system, "one").await;
    let claimed = claim(&system, worker).await;
    let finisher = Finisher::start(system.pool().clone(), Hints::default(), worker.worker);
    let outcome = Outcome::Failed { result: None, error: "no".to_owned() };
    let again = Finish { outcome, retry_in: Some(Duration::ZERO), ..succeeded(&claimed[0], json!(1)) };
    assert_eq!(finisher.finish(again).await, Recorded::Yes);
    post(&system, 1).await;
    system.run("UPDATE execution SET not_before = NOW() - INTERVAL '1 hour' WHERE attempt = 1").await;
    assert_eq!(turns(&system).round().await.unwrap(), Given { turns: 1, skipped: 0 });
    assert_eq!(
        system.count("execution WHERE attempt = 2 AND status = 'requested' AND turn IS FALSE").await,
        1
    );
}

#[tokio::test]
async fn a_load_holds_up_the_turns_of_its_own_actions_only() {
    let system = bounded("max_concurrent: 1").await;
    system.run("INSERT INTO action (ref, runtime, entrypoint, max_concurrent) SELECT 'demo.other', id, 'x', 1 FROM runtime WHERE ref = 'core.shell'").await;
    for action in ["demo.tell", "demo.other"] {
        request_execution(system.pool(), &Hints::default(), action, json!({"value": 1})).await.unwrap();
    }
    let mut load = system.pool().begin().await.unwrap();
    sqlx::query("UPDATE action SET label = 'x' WHERE ref = 'demo.tell'").execute(&mut *load).await.unwrap();
    assert_eq!(turns(&system).round().await.unwrap().turns, 1);
    load.commit().await.unwrap();
    assert_eq!(turns(&system).round().await.unwrap().turns, 1);
}

#[tokio::test]
async fn a_bound_takes_along_more_than_a_batch_and_lets_them_go_again() {
    let system = System::with_demo().await;
    post(&system, 2_100).await;
    let (_, worker) = registered(&system, "one").await;
    assert_eq!(claim(&system, worker).await.len(), 100);
    // The order itself touches none of them, however many there are.
    system.run("UPDATE action SET max_concurrent = 101").await;
    assert_eq!(system.count("execution WHERE turn IS NULL").await, 2_100);
    assert_eq!(turns(&system).round().await.unwrap(), Given { turns: 1, skipped: 0 });
    assert_eq!(system.count("execution WHERE turn AND status = 'running'").await, 100);
    assert_eq!(system.count("execution WHERE NOT turn AND status = 'requested'").await, 1_999);
    assert_eq!(system.count("newly_bounded").await, 0);
    system.run("UPDATE action SET max_concurrent = NULL").await;
    assert_eq!(turns(&system).round().await.unwrap(), Given { turns: 1_999, skipped: 0 });
    assert_eq!(system.count("execution WHERE turn IS FALSE").await, 0);
}

#[tokio::test]
async fn only_what_has_a_bound_says_that_it_waits() {
    let system = System::with_demo().await;
    let hints = Hints::default();
    let rules = Arc::new(RuleCache::new(system.pool().clone()));
    let ingest = Ingest::start(system.pool().clone(), rules, hints.clone(), Utc::now);
    let is_hinted = async |order: &str| {
        let mut waiter = hints.waiter(Topic::Turn);
        match order {
            "posted" => {
                let submission = Submission { origin: Origin::Post { source: None }, events: vec![high(20)] };
                ingest.submit(submission, PATIENCE).await.unwrap();
            }
            _ => {
                request_execution(system.pool(), &hints, "demo.tell", json!({"value": 1})).await.unwrap();
            }
        }
        tokio::time::timeout(Duration::ZERO, waiter.wait(PATIENCE)).await.is_ok()
    };
    assert!(!is_hinted("posted").await);
    assert!(!is_hinted("ordered").await);
    system.run("UPDATE action SET max_concurrent = 1").await;
    assert!(is_hinted("posted").await);
    assert!(is_hinted("ordered").await);
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
    assert_eq!(turns(&system).round().await.unwrap(), Given { turns: 2, skipped: 0 });
    let (_, held) = registered(&system, "one").await;
    assert_eq!(claim(&system, held).await.len(), 3);
    let again = request_execution(system.pool(), &Hints::default(), "demo.tell", json!({"value": 9})).await;
    system.run("UPDATE action SET max_concurrent = 2 WHERE ref = 'demo.tell'").await;
    assert_eq!(turns(&system).round().await.unwrap(), Given::default());
    assert_eq!(system.count(BUSY).await, 3, "what runs counts");
    assert_eq!(system.count(&format!("execution WHERE turn IS FALSE AND id = {}", again.unwrap())).await, 1);
    // As if they were born while the action lost its bound.
    system.run("UPDATE action SET max_concurrent = NULL WHERE ref = 'demo.tell'; UPDATE execution SET turn = FALSE, status = 'requested'").await;
    assert_eq!(turns(&system).round().await.unwrap(), Given { turns: 4, skipped: 0 });
    system.run("UPDATE action SET max_concurrent = 2 WHERE ref = 'demo.tell'").await;
    assert_eq!(turns(&system).round().await.unwrap(), Given { turns: 2, skipped: 0 });
    system.run("DELETE FROM rule; DELETE FROM action WHERE ref = 'demo.tell'").await;
    assert_eq!(turns(&system).round().await.unwrap(), Given { turns: 2, skipped: 0 });
    assert_eq!(system.count("execution WHERE turn IS FALSE").await, 0);
}

#[tokio::test]
async fn a_bound_that_is_gone_again_is_forgotten() {
    let system = System::with_demo().await;
    post(&system, 1).await;
    system.run("UPDATE action SET max_concurrent = 1; UPDATE action SET max_concurrent = NULL").await;
    assert_eq!(turns(&system).round().await.unwrap(), Given::default());
    assert_eq!(system.count("execution WHERE turn IS NULL").await, 1);
    assert_eq!(system.count("newly_bounded").await, 0);
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
async fn a_batch_that_others_changed_meanwhile_is_not_the_last_one() {
    let system = System::with_demo().await;
    post(&system, 2_001).await;
    let (_, held) = registered(&system, "one").await;
    let mut claiming = system.pool().begin().await.unwrap();
    sqlx::query(
        "UPDATE execution SET status = 'running', worker = $1, started = NOW()
         WHERE id IN (SELECT id FROM execution ORDER BY not_before, id LIMIT 2000)",
    )
    .bind(held.worker)
    .execute(&mut *claiming)
    .await
    .unwrap();
    let pool = system.pool().clone();
    let cancelling = tokio::spawn(async move {
        let wanted = Wanted { status: Some("requested".to_owned()), ..Wanted::default() };
        cancel_where(&pool, &Hints::default(), &wanted).await.unwrap()
    });
    system.until_one_waits_for_a_lock().await;
    claiming.commit().await.unwrap();
    assert_eq!(cancelling.await.unwrap(), Counted { requested: 1, running: 0 });
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
