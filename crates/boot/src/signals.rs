//! SIGTERM and SIGINT: the first asks for an orderly end, the second for a fast one.

use tokio::signal::unix::{SignalKind, signal};

use crate::Supervisor;

/// Stops the supervisor at the first signal and aborts what still runs at the second.
pub async fn on_signals(supervisor: Supervisor) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    for stop in [Supervisor::stop, Supervisor::abort] {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("Stopping (SIGTERM)"),
            _ = interrupt.recv() => tracing::info!("Stopping (SIGINT)"),
            () = supervisor.aborted() => return Ok(()),
        }
        stop(&supervisor);
    }
    Ok(())
}
