//! `attune db start` and `attune db shell`: the private database alone, for whoever has to look at it or mend it while nothing else
//! of Attune runs.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::Context as _;
use attune_boot::{OnError, OnStop, Supervisor};
use attune_common::config::Config;
use attune_localdb::{LocalDb, Options};
use attune_process::find_on_path;
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::Global;
use crate::commands::system::Database;
use crate::failure::Failure;
use crate::output;

/// Nothing but the server has to end.
const DRAIN: Duration = Duration::from_secs(1);

/// Runs it in the foreground until somebody stops it.
pub(super) fn start(global: &Global) -> anyhow::Result<()> {
    attune_boot::init_telemetry();
    let mut config = global.configuration()?;
    if config.database.url.is_some() {
        let message = "database.url (or DATABASE_URL) names a database, so there is no private one to start";
        return Err(Failure::Usage(message.to_owned()).into());
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
    let config = global.configuration()?;
    let psql = psql()?;
    if let Some(url) = &config.database.url {
        return become_psql(&psql, url.reveal(), arguments);
    }
    if attune_localdb::owner_of(&config.data_dir).is_some() {
        return become_psql(&psql, &attune_localdb::url_of(&config.data_dir)?, arguments);
    }
    if !config.data_dir.join("postgres").exists() {
        return Err(Failure::NoAddress(config.data_dir.display().to_string()).into());
    }
    let status = attune_boot::runtime()?.block_on(with_database(&config, &psql, arguments))?;
    if status.success() { Ok(()) } else { Err(Failure::Failed(format!("psql ended with {status}")).into()) }
}

fn become_psql(psql: &Path, url: &str, arguments: &[OsString]) -> anyhow::Result<()> {
    Err(Command::new(psql).arg(url).args(arguments).exec()).context("cannot start psql")
}

/// The server ends with this process, so Ctrl-C is left to psql, for which it ends a query.
async fn with_database(config: &Config, psql: &Path, arguments: &[OsString]) -> anyhow::Result<ExitStatus> {
    let _interrupts = signal(SignalKind::interrupt())?;
    let database = LocalDb::start(&Options::new(&config.data_dir)).await?;
    let mut command = Command::new(psql);
    command.arg(database.url()).args(arguments);
    let status = tokio::task::spawn_blocking(move || command.status()).await?;
    database.stop().await;
    status.context("cannot start psql")
}

/// On PATH, or beside the server's own programs.
fn psql() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let beside =
        || attune_localdb::find_server().ok().map(|server| server.bin.join("psql")).filter(|it| it.is_file());
    let found = find_on_path("psql", &path).or_else(beside);
    Ok(found.ok_or_else(|| {
        Failure::Failed(
            "psql is not installed here\nhint: apt-get install postgresql-client (Debian, Ubuntu), dnf install postgresql (Fedora), brew install libpq (macOS)"
                .to_owned(),
        )
    })?)
}
