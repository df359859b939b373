//! Carries hints between processes over LISTEN/NOTIFY.
//!
//! Outgoing hints are sent after the commit they speak of, never inside it (a NOTIFY within each insert made inserts four
//! times slower), by one connection: the first at once, those that come meanwhile together in the next. A hint that can not
//! be sent is dropped; the receivers look by themselves now and then.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use sqlx::{Connection as _, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;

use crate::Hints;
use crate::listen::listen;

/// The channel of hints between processes. The payload is `<topic> <signature of the sender>`.
pub(crate) const CHANNEL: &str = "attune_hint";

/// Hints closer together than this travel together.
const GAP: Duration = Duration::from_millis(2);
/// Between attempts to get a connection back.
pub(crate) const RECONNECT: Duration = Duration::from_millis(500);
/// A connection that takes longer to answer is given up: the other end may be gone without a word.
const PATIENCE: Duration = Duration::from_secs(10);

/// Relays until `stop`.
pub async fn relay(hints: Hints, pool: PgPool, stop: CancellationToken) {
    let signature = signature();
    tokio::select! {
        () = stop.cancelled() => {}
        () = listen(&hints, &pool, &signature) => {}
        () = send(&hints, &pool, &signature) => {}
    }
}

/// By what a process knows its own hints. Not by its process id: in containers everybody's is 1.
fn signature() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

/// The answer of a connection, or that it does not answer.
pub(crate) async fn answer<T>(question: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    let silence = |_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
    tokio::time::timeout(PATIENCE, question).await.map_err(silence)?
}

async fn send(hints: &Hints, pool: &PgPool, signature: &str) {
    loop {
        if let Err(error) = send_until_lost(hints, pool, signature).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "Hints are not being sent");
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

async fn send_until_lost(hints: &Hints, pool: &PgPool, signature: &str) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
    // A hint need not survive a crash of the server: it must not wait for the disk either.
    sqlx::query!("SET synchronous_commit = off").execute(&mut connection).await?;
    loop {
        hints.0.outgoing.notified().await;
        for topic in hints.take_unsent() {
            let payload = format!("{} {signature}", topic.name());
            answer(sqlx::query!("SELECT pg_notify($1, $2)", CHANNEL, payload).execute(&mut connection))
                .await?;
        }
        tokio::time::sleep(GAP).await;
    }
}
