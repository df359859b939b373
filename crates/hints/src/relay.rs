//! Carries hints between processes over LISTEN/NOTIFY.
//!
//! Outgoing hints are sent after the commit they speak of, never inside it (a NOTIFY within each insert made inserts four
//! times slower), by one connection: the first at once, those that come meanwhile together in the next. A hint that can not
//! be sent is dropped; the receivers look by themselves now and then.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;

use crate::Hints;
use crate::listen::listen;

/// The channel of hints between processes. The payload is `<topic> <pid of the sender>`.
pub(crate) const CHANNEL: &str = "attune_hint";

/// Hints closer together than this travel together.
const GAP: Duration = Duration::from_millis(2);
/// Between attempts to get a connection back.
pub(crate) const RECONNECT: Duration = Duration::from_millis(500);

/// Relays until `stop`.
pub async fn relay(hints: Hints, pool: PgPool, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = listen(&hints, &pool) => {}
        () = send(&hints, &pool) => {}
    }
}

async fn send(hints: &Hints, pool: &PgPool) {
    loop {
        if let Err(error) = send_until_lost(hints, pool).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "Hints are not being sent");
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

async fn send_until_lost(hints: &Hints, pool: &PgPool) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
    // A hint need not survive a crash of the server: it must not wait for the disk either.
    sqlx::query!("SET synchronous_commit = off").execute(&mut connection).await?;
    loop {
        hints.0.outgoing.notified().await;
        for topic in hints.take_unsent() {
            let payload = format!("{} {}", topic.name(), std::process::id());
            sqlx::query!("SELECT pg_notify($1, $2)", CHANNEL, payload).execute(&mut connection).await?;
        }
        tokio::time::sleep(GAP).await;
    }
}
