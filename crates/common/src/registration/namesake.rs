//! What a start does when the `worker` table already has its name: wait, refuse, or take over.
//!
//! A namesake whose process is known to be gone (same boot, same PID namespace) is free at once; one whose lease has ended
//! is free; one whose lease is live is waited for, and when it renews meanwhile it is alive and the start is refused.

use std::time::Duration;

use attune_process::{Liveness, ProcessIdentity};
use serde_json::Value;
use sqlx::PgPool;

use super::{Error, Held, Identity};
use crate::repositories::worker::{self, Namesake, Seen};

/// The namesake that may be taken over, as it was seen; `None` when nobody has the name. Who registers again is its own
/// namesake, and need not wait for itself.
pub(super) async fn wait_until_free(
    pool: &PgPool,
    identity: &Identity,
    held: Option<Held>,
) -> Result<Option<Seen>, Error> {
    let Some(first) = find(pool, identity).await? else { return Ok(None) };
    let is_own = held.is_some_and(|held| held.epoch == first.epoch);
    if is_own || identity.replace || first.lease_left.is_none() || is_gone(&first) {
        return Ok(Some(first.seen()));
    }
    let wait = first.lease_left.unwrap_or(Duration::ZERO);
    tracing::warn!(worker.name = %identity.name, wait_ms = millis(wait),
        "Another process holds this worker's lease; waiting until it ends");
    tokio::time::sleep(wait).await;
    judge(identity, &first, find(pool, identity).await?)
}

/// After the wait: a lease that reaches further than before was renewed, so its holder lives.
fn judge(identity: &Identity, first: &Namesake, now: Option<Namesake>) -> Result<Option<Seen>, Error> {
    let Some(now) = now else { return Ok(None) };
    if now.lease_left.is_some() && now.lease_until > first.lease_until && !is_gone(&now) {
        let (host, pid) = whereabouts(&now);
        return Err(Error::Namesake { name: identity.name.clone(), host, pid });
    }
    Ok(Some(now.seen()))
}

async fn find(pool: &PgPool, identity: &Identity) -> Result<Option<Namesake>, Error> {
    worker::find_namesake(pool, &identity.name, identity.role).await.map_err(|source| Error::Database {
        attempted: "look for",
        name: identity.name.clone(),
        source,
    })
}

fn is_gone(namesake: &Namesake) -> bool {
    process(namesake.meta.as_ref()).is_some_and(|process| process.is_alive() == Liveness::Gone)
}

fn whereabouts(namesake: &Namesake) -> (String, u32) {
    let host = namesake.host.clone().unwrap_or_else(|| "an unknown host".to_owned());
    (host, process(namesake.meta.as_ref()).map_or(0, |process| process.pid))
}

fn process(meta: Option<&Value>) -> Option<ProcessIdentity> {
    serde_json::from_value(meta?.clone()).ok()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
