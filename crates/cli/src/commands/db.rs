//! `attune db`: the schema and the address of the database, and ways to it while nothing else runs.

use std::ffi::OsString;
use std::path::PathBuf;

use attune_common::config::{Config, DatabaseUrl};
use clap::Subcommand;

use crate::arguments::Global;
use crate::client::data_dir;
use crate::commands::private_db;
use crate::failure::Failure;
use crate::output;

/// What to do with the database.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Bring the schema of DATABASE_URL up to date and load the core pack
    Migrate,
    /// Print the address of the private database, for example for psql "$(attune db url)"
    Url,
    /// Start the private database alone, in the foreground, to look at it or mend it while nothing else runs
    Start,
    /// Open psql on the database; a private one that does not run is started for as long
    #[command(
        after_help = "Examples:\n  attune db shell\n  attune db shell -- -c \"UPDATE rule SET enabled = FALSE WHERE ref = 'demo.x'\""
    )]
    Shell {
        /// Arguments of psql
        #[arg(last = true, value_name = "ARGUMENT")]
        arguments: Vec<OsString>,
    },
}

pub(crate) fn run(global: &Global, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Migrate => migrate(global),
        Command::Url => output::text(&url(global)?),
        Command::Start => private_db::start(global),
        Command::Shell { arguments } => private_db::shell(global, &arguments),
    }
}

/// Where a database is.
pub(super) enum Place {
    /// Where the configuration says.
    Configured(DatabaseUrl),
    /// In this data directory.
    Private(PathBuf),
}

/// The configured database, unless a data directory is asked for by name; a private one must be there.
pub(super) fn database_of(global: &Global) -> anyhow::Result<Place> {
    let configured = Config::load_from(global.config.as_deref())?.database.url;
    if let (Some(url), None) = (configured, &global.data_dir) {
        return Ok(Place::Configured(url));
    }
    let data_dir = data_dir(global)?;
    if data_dir.join("postgres").exists() {
        return Ok(Place::Private(data_dir));
    }
    let message = format!(
        "there is no private database in {} yet; `attune up` or `attune db start` makes one",
        data_dir.display()
    );
    Err(Failure::NotFound(message).into())
}

fn url(global: &Global) -> anyhow::Result<String> {
    Ok(match database_of(global)? {
        Place::Configured(url) => url.reveal().to_owned(),
        Place::Private(data_dir) => attune_localdb::url_of(&data_dir)?,
    })
}

fn migrate(global: &Global) -> anyhow::Result<()> {
    attune_boot::init_telemetry();
    let config = Config::load_from(global.config.as_deref())?;
    attune_boot::runtime()?.block_on(async {
        let pool = attune_boot::prepare_database(&config, "attune db migrate").await?;
        attune_executor::core_pack::ensure_core_pack(&pool).await?;
        output::text("The schema is up to date")
    })
}
