//! `attune db start` and `attune db shell`: the private database alone, to look at it or mend it while nothing else of Attune
//! runs.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Context as _;
use attune_boot::{OnError, OnStop, Supervisor};
use attune_common::config::Config;
use attune_localdb::{LocalDb, Options};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::Global;
use crate::commands::db::{Place, database_of};
use crate::commands::psql::Psql;
use crate::commands::system::Database;
use crate::failure::Failure;
use crate::output;

/// Nothing but the server has to end.
const DRAIN: Duration = Duration::from_secs(1);

/// Runs it in the foreground until it is stopped.
pub(super) fn start(global: &Global) -> anyhow::Result<()> {
    attune_boot::init_telemetry();
    let mut config = global.configuration()?;
    if config.database.url.is_some() {
        let message = "database.url (or DATABASE_URL) names a database, so there is no private one to start";
        return Err(Failure::Usage(message.to_owned()).into());
    }
    if let Some(pid) = attune_localdb::owner_of(&config.data_dir) {
        let message = format!(
            "the private database in {} runs already, in process {pid}\nhint: `attune db shell` opens it as it is",
            config.data_dir.display()
        );
        return Err(Failure::Failed(message).into());
    }
    attune_boot::runtime()?.block_on(async {
        let supervisor = Supervisor::default();
        let database = Database::start(&mut config, &supervisor).await?;
        let stop = supervisor.stopping();
        supervisor.spawn("database", OnStop::Wait, OnError::Shutdown, async move {
            stop.cancelled().await;
            anyhow::Ok(())
        });
        let told = async { output::text(&how_to_connect(&config)) };
        let outcome = attune_boot::serve(supervisor, DRAIN, told).await;
        database.stop().await;
        outcome
    })
}

fn how_to_connect(config: &Config) -> String {
    let url = config.database.url.as_ref().map_or_else(String::new, |url| url.reveal().to_owned());
    format!(
        "The private database is ready, and nothing else runs. From another terminal:\n  attune db shell\n  psql '{url}'\nStop it with Ctrl-C."
    )
}

/// Opens psql on the database that Attune uses here. A private one that does not run is started for as long.
pub(super) fn shell(global: &Global, arguments: &[OsString]) -> anyhow::Result<()> {
    let psql = Psql::find()?;
    let url = match database_of(global)? {
        Place::Configured(url) => url.reveal().to_owned(),
        Place::Private(data_dir) if attune_localdb::owner_of(&data_dir).is_none() => {
            let status = attune_boot::runtime()?.block_on(with_database(&data_dir, &psql, arguments))?;
            return if status.success() {
                Ok(())
            } else {
                Err(Failure::Failed(format!("psql ended with {status}")).into())
            };
        }
        Place::Private(data_dir) => attune_localdb::url_of(&data_dir)?,
    };
    Err(psql.command(&url, arguments)?.exec()).context("cannot start psql")
}

/// The server ends with this process, so Ctrl-C is left to psql, for which it ends a query.
async fn with_database(data_dir: &Path, psql: &Psql, arguments: &[OsString]) -> anyhow::Result<ExitStatus> {
    let _interrupts = signal(SignalKind::interrupt())?;
    let database = LocalDb::start(&Options::new(data_dir)).await?;
    let command = psql.command(&database.url(), arguments);
    let status = tokio::task::spawn_blocking(move || anyhow::Ok(command?.status()?)).await?;
    database.stop().await;
    status.context("cannot start psql")
}
