//! Logs: plain text on stderr, so that stdout stays free for data.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::path::Path;

use tracing_subscriber::EnvFilter;

/// Starts logging at the level that `RUST_LOG` says, `info` without it.
pub fn init_telemetry() {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter())
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    // A second start in one process (a test) keeps the first subscriber.
    if subscriber.try_init().is_err() {
        tracing::debug!("Logging was started before");
    }
}

/// Starts logging into a file instead, for a program whose terminal shows something else.
pub fn log_to(file: &Path) -> io::Result<()> {
    let file = File::options().create(true).append(true).open(file)?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter()).with_ansi(false).with_writer(file);
    if subscriber.try_init().is_err() {
        tracing::debug!("Logging was started before");
    }
    Ok(())
}

fn filter() -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn,sqlx::query=error"))
}
