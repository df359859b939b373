//! Executions that nobody wants any more, and everything that may come between.

use std::time::Duration;

use attune_common::repositories::execution::Claimed;
use attune_common::repositories::{execution_order, worker};
use attune_executor::cancel::{Cancelled, Error, cancel_execution};
use attune_executor::finish::{Finish, Finisher, Outcome, Recorded};
use attune_hints::Hints;
use futures_util::future::{join, join_all};
use serde_json::json;

use crate::system::{System, high};
use crate::workers::{claim, claimed, registered, succeeded};

async fn cancel(system: &System, id: i64) -> Result<Cancelled, Error> {
    cancel_execution(system.pool(), &Hints::default(), id).await
}

async fn status(system: &System, id: i64) -> serde_json::Value {
    system.value(&format!("SELECT jsonb_build_array(status, attempt) FROM execution WHERE id = {id}")).await
}

/// An attempt that failed and may be tried again.
fn failed_with_retry(claimed: &Claimed) -> Finish {
    let outcome = Outcome::Failed { result: None, error: "no".to_owned() };
    Finish { outcome, retry_in: Some(Duration::ZERO), ..succeeded(claimed, json!(null)) }
}

#[tokio::test]
async fn what_waits_is_cancelled_at_once_and_never_claimed() {
    let system = System::with_demo().await;
    system.post(vec![high(90)]).await.unwrap();
    let id = system.value("SELECT to_jsonb(id) FROM execution").await.as_i64().unwrap();
    assert_eq!(cancel(&system, id).await.unwrap(), Cancelled::AtOnce);
    assert_eq!(status(&system, id).await, json!(["cancelled", 1]));
    let (_, held) = registered(&system, "one").await;
    assert!(claim(&system, held).await.is_empty());
    let again = cancel(&system, id).await.unwrap_err();
    assert_eq!(again.to_string(), format!("execution {id} has ended already: cancelled"));
    assert!(matches!(cancel(&system, 424_242).await, Err(Error::Unknown(424_242))));
}

#[tokio::test]
async fn what_runs_is_its_workers_and_keeps_an_end_of_its_own() {
    let (system, held, claimed) = claimed(4).await;
    let ids: Vec<i64> = claimed.iter().map(|claimed| claimed.id).collect();
    for id in &ids {
        assert_eq!(cancel(&system, *id).await.unwrap(), Cancelled::Asked);
        assert_eq!(cancel(&system, *id).await.unwrap(), Cancelled::AskedBefore);
    }
    let told = execution_order::list_cancelling(system.pool(), held.worker).await.unwrap();
    assert_eq!(told.len(), 4);

    let finisher = Finisher::start(system.pool().clone(), Hints::default(), held.worker);
    let stopped = Finish { outcome: Outcome::Cancelled, ..succeeded(&claimed[0], json!(null)) };
    let failed = Finish { retry_in: None, ..failed_with_retry(&claimed[3]) };
    let ends = [stopped, succeeded(&claimed[1], json!("done")), failed_with_retry(&claimed[2]), failed];
    for end in ends {
        assert_eq!(finisher.finish(end).await, Recorded::Yes);
    }
    let ended = ["cancelled", "succeeded", "cancelled", "failed"];
    for (id, expected) in ids.iter().zip(ended) {
        assert_eq!(status(&system, *id).await, json!([expected, 1]));
        let error = cancel(&system, *id).await.unwrap_err();
        assert!(error.to_string().ends_with(expected), "{error}");
    }
    assert_eq!(system.count("attempt").await, 0);
}

#[tokio::test]
async fn a_lost_workers_cancelled_execution_is_not_repeated() {
    let (system, _, claimed) = claimed(2).await;
    cancel(&system, claimed[0].id).await.unwrap();
    system.run("DELETE FROM worker").await;
    assert_eq!(worker::release_deleted(system.pool()).await.unwrap(), 2);
    assert_eq!(status(&system, claimed[0].id).await, json!(["cancelled", 1]));
    assert_eq!(status(&system, claimed[1].id).await, json!(["requested", 2]));
}

#[tokio::test]
async fn a_claim_and_a_wish_at_the_same_time_lose_nothing() {
    let system = System::with_demo().await;
    system.post((0..40).map(|n| high(20 + n)).collect()).await.unwrap();
    let (_, held) = registered(&system, "one").await;
    let ids: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM execution").fetch_all(system.pool()).await.unwrap();
    let wishes = join_all(ids.iter().map(|id| cancel(&system, *id)));
    let (claimed, wishes) = join(claim(&system, held), wishes).await;
    for (id, wish) in ids.iter().zip(wishes) {
        let is_claimed = claimed.iter().any(|claimed| claimed.id == *id);
        let expected = if is_claimed { Cancelled::Asked } else { Cancelled::AtOnce };
        assert_eq!(wish.unwrap(), expected, "{id}");
    }
    let told = execution_order::list_cancelling(system.pool(), held.worker).await.unwrap();
    assert_eq!(told.len(), claimed.len());
}

#[tokio::test]
async fn an_end_and_two_wishes_at_the_same_time_leave_one_end() {
    let (system, held, claimed) = claimed(20).await;
    let finisher = Finisher::start(system.pool().clone(), Hints::default(), held.worker);
    let races = claimed.iter().map(|one| {
        let wishes = join(cancel(&system, one.id), cancel(&system, one.id));
        join(finisher.finish(failed_with_retry(one)), wishes)
    });
    for ((recorded, (first, second)), one) in join_all(races).await.into_iter().zip(&claimed) {
        assert_eq!(recorded, Recorded::Yes);
        let changed =
            |wish: &Result<Cancelled, Error>| matches!(wish, Ok(Cancelled::Asked | Cancelled::AtOnce));
        let wishes = [first, second];
        assert_eq!(wishes.iter().filter(|wish| changed(wish)).count(), 1, "{wishes:?}");
        assert_eq!(status(&system, one.id).await[0], "cancelled", "{wishes:?}");
    }
    // A wish before the end made it one; a wish after it cancelled what waited for its second attempt.
    let neither = "execution WHERE (attempt = 1) = (cancel_requested IS NULL)";
    assert_eq!(system.count(neither).await, 0);
}
