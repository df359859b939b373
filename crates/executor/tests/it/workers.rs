//! What becomes of executions when something between a worker and the database goes wrong.

use std::time::Duration;

use attune_common::registration::{Held, Identity, LEASE, Registration, WorkerRole};
use attune_common::repositories::execution::{self, Claimed};
use attune_common::repositories::execution_order;
use attune_common::repositories::{sensor_state, worker};
use attune_executor::finish::{Finish, Finisher, Outcome, Recorded};
use attune_hints::Hints;
use serde_json::json;

use crate::system::{System, high};

pub(crate) async fn registered(system: &System, name: &str) -> (Registration, Held) {
    let (name, host) = (name.to_owned(), "here".to_owned());
    let heartbeat_interval = Duration::from_secs(30);
    let identity =
        Identity { name, role: WorkerRole::Action, host, heartbeat_interval, lease: LEASE, replace: false };
    let mut registration = Registration::new(system.pool().clone(), identity);
    registration.register().await.unwrap();
    let held = registration.held().unwrap();
    (registration, held)
}

/// A system with one worker that claimed `count` executions.
pub(crate) async fn claimed(count: i64) -> (System, Held, Vec<Claimed>) {
    let system = System::with_demo().await;
    system.post((0..count).map(|n| high(90 + n)).collect()).await.unwrap();
    let (_, held) = registered(&system, "one").await;
    let claimed = claim(&system, held).await;
    assert_eq!(i64::try_from(claimed.len()).unwrap(), count);
    (system, held, claimed)
}

pub(crate) async fn claim(system: &System, held: Held) -> Vec<Claimed> {
    let runtimes: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM runtime").fetch_all(system.pool()).await.unwrap();
    execution::claim(system.pool(), held, &runtimes, 100).await.unwrap()
}

async fn running(system: &System) -> i64 {
    system.count("execution WHERE status = 'running'").await
}

pub(crate) fn succeeded(claimed: &Claimed, result: serde_json::Value) -> Finish {
    let outcome = Outcome::Succeeded(result);
    Finish { execution: claimed.id, attempt: claimed.attempt, outcome, retry_in: None, log: Vec::new() }
}

#[tokio::test]
async fn an_end_that_can_not_be_stored_is_a_failure_and_costs_its_neighbours_nothing() {
    let (system, held, claimed) = claimed(3).await;
    let finisher = Finisher::start(system.pool().clone(), Hints::default(), held.worker);
    let ends = claimed.iter().zip([json!(1), json!("\0"), json!(3)]);
    let recorded = ends.map(|(claimed, result)| finisher.finish(succeeded(claimed, result)));
    let recorded = futures_util::future::join_all(recorded).await;
    assert_eq!(recorded, [Recorded::Yes; 3]);
    assert_eq!(system.count("execution WHERE status = 'succeeded'").await, 2);
    let reason = system.value("SELECT to_jsonb(error) FROM execution WHERE status = 'failed'").await;
    assert!(reason.as_str().unwrap().starts_with("how it ended could not be recorded"), "{reason}");
}

#[tokio::test]
async fn a_claim_whose_answer_got_lost_is_given_back_and_what_runs_is_not() {
    let (system, held, claimed) = claimed(2).await;
    let known = [claimed[0].id];
    assert_eq!(worker::release_unknown(system.pool(), held, &known).await.unwrap(), 1);
    assert_eq!(running(&system).await, 1);
    let again = claim(&system, held).await;
    assert_eq!((again[0].id, again[0].attempt), (claimed[1].id, 2));
    let superseded = Held { epoch: held.epoch - 1, ..held };
    assert_eq!(worker::release_unknown(system.pool(), superseded, &[]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_counter_at_the_end_of_its_type_harms_its_row_only() {
    let (system, held, claimed) = claimed(5).await;
    let set = async |at: usize, columns: &str| {
        system.run(&format!("UPDATE execution SET {columns} WHERE id = {}", claimed[at].id)).await;
    };
    set(0, "attempt = 2147483647").await;
    let finisher = Finisher::start(system.pool().clone(), Hints::default(), held.worker);
    let ends = [Claimed { attempt: i32::MAX, ..claimed[0].clone() }, claimed[1].clone()].map(|claimed| {
        let outcome = Outcome::Failed { result: None, error: "no".to_owned() };
        Finish { outcome, retry_in: Some(Duration::ZERO), ..succeeded(&claimed, json!(1)) }
    });
    let recorded = futures_util::future::join_all(ends.map(|end| finisher.finish(end))).await;
    assert_eq!(recorded, [Recorded::Yes; 2]);
    set(2, "attempt = 2147483647").await;
    set(3, "lost = 32767, lost_in_row = 32767").await;
    assert_eq!(worker::release_unknown(system.pool(), held, &[]).await.unwrap(), 3);
    let ends = "SELECT jsonb_agg(jsonb_build_array(status, attempt, lost, error) ORDER BY id) FROM execution";
    let no_number = "its worker was lost, and no other attempt has a number";
    assert_eq!(
        system.value(ends).await,
        json!([
            ["failed", i32::MAX, 0, "no"],
            ["requested", 2, 0, "no"],
            ["abandoned", i32::MAX, 1, no_number],
            ["abandoned", 1, i16::MAX, "its worker was lost 32768 times in a row"],
            ["requested", 2, 1, null],
        ])
    );
}

#[tokio::test]
async fn what_was_not_begun_goes_back_to_where_it_stood_and_nothing_else_does() {
    let (system, held, claimed) = claimed(3).await;
    let name = |at: usize, attempt: i32| (claimed[at].id, attempt);
    let unclaim =
        async |of: Held, names: &[(i64, i32)]| execution::unclaim(system.pool(), of, names).await.unwrap();
    let finisher = Finisher::start(system.pool().clone(), Hints::default(), held.worker);
    assert_eq!(finisher.finish(succeeded(&claimed[2], json!(null))).await, Recorded::Yes);
    assert_eq!(unclaim(held, &[name(0, 1), name(1, 2), name(2, 1)]).await, 1);
    assert_eq!(unclaim(held, &[name(0, 1)]).await, 0);
    let mut connection = system.pool().acquire().await.unwrap();
    assert!(execution_order::ask_to_cancel(&mut connection, claimed[1].id).await.unwrap());
    assert_eq!(unclaim(Held { worker: held.worker + 1, ..held }, &[name(1, 1)]).await, 0);
    assert_eq!(running(&system).await, 1);
    assert_eq!(unclaim(held, &[name(1, 1)]).await, 1);
    let cancelled = system
        .value("SELECT to_jsonb(error) FROM execution WHERE status = 'cancelled' AND finished IS NOT NULL")
        .await;
    assert_eq!(cancelled, "it was cancelled before it began");
    let again = claim(&system, held).await;
    assert_eq!((again.len(), again[0].id, again[0].attempt, again[0].lost), (1, claimed[0].id, 1, 0));
}

#[tokio::test]
async fn no_execution_stays_running_on_a_worker_whose_row_was_deleted() {
    let (system, _, _) = claimed(2).await;
    system.run("DELETE FROM worker").await;
    assert_eq!(worker::release_deleted(system.pool()).await.unwrap(), 2);
    assert_eq!(running(&system).await, 0);
    assert_eq!(worker::release_deleted(system.pool()).await.unwrap(), 0);
}

#[tokio::test]
async fn whoever_left_does_not_come_back_by_a_late_renewal_or_heartbeat() {
    let system = System::with_demo().await;
    let (registration, held) = registered(&system, "one").await;
    registration.deregister().await.unwrap();
    assert!(
        !worker::renew_lease(&mut system.pool().acquire().await.unwrap(), held, Duration::from_secs(20))
            .await
            .unwrap()
    );
    assert!(!worker::heartbeat(system.pool(), held).await.unwrap());
    assert_eq!(system.count("worker WHERE status = 'inactive' AND lease_until IS NULL").await, 1);
}

#[tokio::test]
async fn a_holder_that_renewed_after_it_was_seen_is_not_taken_over() {
    let system = System::with_demo().await;
    let (_, held) = registered(&system, "one").await;
    system.run("UPDATE worker SET lease_until = NOW() - INTERVAL '1 second'").await;
    let seen = worker::find_namesake(system.pool(), "one", WorkerRole::Action).await.unwrap().unwrap().seen();
    assert!(
        worker::renew_lease(&mut system.pool().acquire().await.unwrap(), held, Duration::from_secs(20))
            .await
            .unwrap()
    );
    let claim = worker::Claim {
        name: "one",
        role: WorkerRole::Action,
        host: "there",
        capabilities: json!({}),
        meta: json!({}),
        lease: Duration::from_secs(20),
    };
    assert_eq!(worker::register(system.pool(), &claim, Some(seen)).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_due_is_decided_by_the_clock_of_the_database() {
    let system = System::with_clock(|| chrono::Utc::now() + chrono::TimeDelta::hours(1)).await;
    system.post(vec![high(90)]).await.unwrap();
    let (_, held) = registered(&system, "one").await;
    assert_eq!(claim(&system, held).await.len(), 1);
}

#[tokio::test]
async fn whoever_waited_for_a_sensor_does_not_take_it_from_its_new_owner() {
    let system = System::with_demo().await;
    let (_, first) = registered(&system, "first").await;
    let (_, second) = registered(&system, "second").await;
    let sensors: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM sensor").fetch_all(system.pool()).await.unwrap();
    let mut claiming = system.pool().begin().await.unwrap();
    sqlx::query("UPDATE sensor_state SET worker = $1, epoch = epoch + 1")
        .bind(first.worker)
        .execute(&mut *claiming)
        .await
        .unwrap();
    let pool = system.pool().clone();
    let waiting =
        tokio::spawn(async move { sensor_state::claim(&pool, second, &sensors, true).await.unwrap() });
    system.until_one_waits_for_a_lock().await;
    claiming.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap(), []);
}

#[tokio::test]
async fn three_missed_beats_are_counted_by_the_workers_own_interval() {
    let system = System::with_demo().await;
    for (name, interval) in [("often", "1"), ("rarely", "30"), ("odd", "\"soon\"")] {
        registered(&system, name).await;
        sqlx::query(
            "UPDATE worker SET meta = jsonb_set(meta, '{heartbeat_interval}', $2::jsonb), lease_until = NOW() - INTERVAL '1 s',
                    last_heartbeat = NOW() - INTERVAL '10 s' WHERE name = $1",
        )
        .bind(name)
        .bind(interval)
        .execute(system.pool())
        .await
        .unwrap();
    }
    let inactive = worker::mark_inactive(system.pool(), Duration::from_secs(30)).await.unwrap();
    assert_eq!(inactive, ["often"]);
}
