//! The life of a service program between its start and its end.

use std::future::Future;
use std::time::Duration;

use crate::{Supervisor, on_signals};

/// Starts a service and stays until a signal or a failure ends it; then its tasks have `drain` to finish. A start that
/// waits (for a database, for a namesake's lease) ends at the first signal too.
pub async fn serve<E>(
    supervisor: Supervisor,
    drain: Duration,
    start: impl Future<Output = Result<(), E>>,
) -> anyhow::Result<()>
where
    E: Into<anyhow::Error>,
{
    // Not a task of the supervisor, which would wait for it: it listens for the second signal to the very end.
    let signals = tokio::spawn(on_signals(supervisor.clone()));
    let stopping = supervisor.stopping();
    let started = stopping.run_until_cancelled(start).await.unwrap_or(Ok(())).map_err(Into::into);
    if started.is_err() {
        supervisor.stop();
    }
    let outcome = supervisor.run(drain).await;
    signals.abort();
    started.and(outcome)
}
