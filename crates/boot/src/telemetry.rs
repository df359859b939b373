//! Logs: plain text on stderr, so that stdout stays free for data.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging at the level that `RUST_LOG` says, `info` without it.
pub fn init_telemetry() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn,sqlx::query=error"));
    let stderr = std::io::stderr();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(stderr.is_terminal())
        .with_writer(std::io::stderr);
    // A second start in one process (a test) keeps the first subscriber.
    if subscriber.try_init().is_err() {
        tracing::debug!("Logging was started before");
    }
}
