//! What every program of Attune does before and after its own work: configuration, logs, signals, an orderly end.
//!
//! A service program is five lines around [`run_main`]. Its tasks run under one [`Supervisor`], which knows for each task
//! what to do when the program stops and what its failure means.

mod connect;
mod exit;
mod membership;
mod serve;
mod signals;
mod supervisor;
mod telemetry;

use std::path::PathBuf;
use std::process::ExitCode;

use attune_common::config::Config;
use clap::Parser;

pub use connect::{connect, prepare_database};
pub use exit::exit_code;
pub use membership::Membership;
pub use serve::serve;
pub use signals::on_signals;
pub use supervisor::{OnError, OnStop, Supervisor};
pub use telemetry::{init_telemetry, log_to};

/// Arguments that every service program takes.
#[derive(Debug, Parser)]
#[command(
    version,
    about = "One service of Attune, on the database that DATABASE_URL or the configuration names"
)]
pub struct Arguments {
    /// Configuration file; without it ATTUNE_CONFIG, then config.yaml in the working directory
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Take over a worker of the same name that still runs
    #[arg(long)]
    pub replace: bool,
}

/// Runs one service program: reads the arguments and the configuration, starts the service, ends with a meaningful code.
pub fn run_main<S>(service: S) -> ExitCode
where
    S: AsyncFnOnce(Config, Arguments) -> anyhow::Result<()>,
{
    let arguments = Arguments::parse();
    init_telemetry();
    let outcome = runtime().and_then(|runtime| {
        let config = Config::load_from(arguments.config.as_deref())?;
        runtime.block_on(service(config, arguments))
    });
    exit::report(outcome)
}

/// The one async runtime of a program.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
