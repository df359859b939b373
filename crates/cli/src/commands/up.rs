//! `attune up`: everything in one process, with its own PostgreSQL unless one is configured.

use std::path::PathBuf;
use std::process::ExitCode;

use attune_boot::Supervisor;
use attune_common::config::Config;
use clap::Args;

use super::system::{self, DRAIN, Database, Packed};
use crate::arguments::Global;
use crate::output;

/// What to bring up.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  attune up --packs packs/demo\n\nStop it with Ctrl-C; a second Ctrl-C does not wait for what is running."
)]
pub(crate) struct Arguments {
    /// Port of the API; 0 takes a free one
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// A pack to load at the start, or a directory of packs; may be repeated
    #[arg(long, value_name = "DIR")]
    packs: Vec<PathBuf>,
    /// Take over workers of the same name that still run
    #[arg(long)]
    replace: bool,
    /// Start the database and the API only and evaluate nothing, to mend what kills or stops Attune
    #[arg(long, conflicts_with_all = ["packs", "replace"])]
    safe: bool,
}

pub(crate) fn run(global: &Global, arguments: Arguments) -> anyhow::Result<ExitCode> {
    attune_boot::init_telemetry();
    let config = configure(global, &arguments)?;
    attune_boot::runtime()?.block_on(up(config, arguments))?;
    Ok(ExitCode::SUCCESS)
}

/// The configuration, with what was typed on top.
fn configure(global: &Global, arguments: &Arguments) -> anyhow::Result<Config> {
    let mut config = global.configuration()?;
    config.server.port = arguments.port.unwrap_or(config.server.port);
    Ok(config)
}

async fn up(mut config: Config, arguments: Arguments) -> anyhow::Result<()> {
    let supervisor = Supervisor::default();
    let packs = system::read(&arguments.packs)?;
    let database = Database::start(&mut config, &supervisor).await?;
    let outcome = if arguments.safe {
        let start = Box::pin(start_safe(config, supervisor.clone()));
        attune_boot::serve(supervisor, DRAIN, start).await
    } else {
        let start = Box::pin(start(config, packs, arguments.replace, supervisor.clone()));
        attune_boot::serve(supervisor, DRAIN, start).await
    };
    database.stop().await;
    outcome
}

async fn start(
    config: Config,
    packs: Vec<Packed>,
    replace: bool,
    supervisor: Supervisor,
) -> anyhow::Result<()> {
    let system = system::start(&config, packs, replace, &supervisor).await?;
    output::text(&format!("Attune is ready at {}", system.url))
}

async fn start_safe(config: Config, supervisor: Supervisor) -> anyhow::Result<()> {
    let system = system::start_safe(&config, &supervisor).await?;
    output::text(&format!(
        "Attune is ready in safe mode at {}\nNo sensors, timers, rules or workers run. Mend what is wrong, for example with\n`attune rule disable REF`, then start Attune without --safe.",
        system.url
    ))
}
