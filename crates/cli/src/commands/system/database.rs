//! The database of a whole system: the configured one, or a private PostgreSQL that lives as long as this process.

use std::time::Duration;

use attune_boot::Supervisor;
use attune_common::config::{Config, DatabaseUrl};
use attune_localdb::{LocalDb, Lock, Options};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A private database that can not be started for so long ends the program.
const GIVE_UP: Duration = Duration::from_mins(5);
/// The longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The database, and with it the possession of the data directory: two programs would overwrite each other's address.
#[derive(Debug)]
pub(crate) enum Database {
    /// The configured one, which is another's business.
    Configured { _possession: Lock },
    /// A private one under watch.
    Private { end: CancellationToken, keeper: JoinHandle<()> },
}

impl Database {
    /// Starts a private database unless one is configured, and writes its address into the configuration.
    pub(crate) async fn start(config: &mut Config, supervisor: &Supervisor) -> anyhow::Result<Self> {
        if config.database.url.is_some() {
            return Ok(Self::Configured { _possession: Lock::of(&config.data_dir)? });
        }
        let database = LocalDb::start(&Options::new(&config.data_dir)).await?;
        config.database.url = DatabaseUrl::parse(&database.url());
        let end = CancellationToken::new();
        let keeper = tokio::spawn(keep(database, supervisor.clone(), end.clone()));
        Ok(Self::Private { end, keeper })
    }

    /// Stops it; to be called when nothing uses it any more.
    pub(crate) async fn stop(self) {
        let Self::Private { end, keeper } = self else { return };
        end.cancel();
        if let Err(panic) = keeper.await {
            tracing::error!(error = %panic, "The private database's keeper failed");
        }
    }
}

/// Restarts the database when it ends by itself; everybody else waits meanwhile.
async fn keep(mut database: LocalDb, supervisor: Supervisor, end: CancellationToken) {
    loop {
        tokio::select! {
            () = end.cancelled() => return database.stop().await,
            outcome = database.exited() => tracing::warn!(?outcome, "The private PostgreSQL ended; starting it again"),
        }
        if let Err(error) = revive(&mut database, &end).await {
            return supervisor
                .fail(error.context("the private PostgreSQL could not be started for five minutes"));
        }
    }
}

async fn revive(database: &mut LocalDb, end: &CancellationToken) -> anyhow::Result<()> {
    let (start, mut pause) = (Instant::now(), Duration::from_millis(200));
    while let Err(error) = database.restart().await {
        tracing::warn!(error = &error as &dyn std::error::Error, "The private PostgreSQL does not start");
        if start.elapsed() > GIVE_UP {
            return Err(error.into());
        }
        tokio::select! {
            () = end.cancelled() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(())
}
