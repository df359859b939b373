//! Measures Attune as a whole, against a private PostgreSQL with its durable defaults. `docs/performance.md` holds the
//! figures, with machine and settings.
#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

mod budgets;
mod chain;
mod detect;
mod ingest;
mod kill;
mod machine;
mod readers;
mod sensors;
mod spawn;
mod summary;
mod survivors;
mod timers;
mod world;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "attune-bench", version, about = "Measures Attune on this machine")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Time and memory that templates get which want too much
    Budgets(budgets::Arguments),
    /// Events per second into the database, with matching rules and a worker at work; recounted after a crash
    Ingest(ingest::Arguments),
    /// The part of `ingest` that is killed
    #[command(hide = true)]
    IngestLoad(ingest::LoadArguments),
    /// From POST /api/events to the first line of the action, one event at a time
    Chain(chain::Arguments),
    /// What a start takes to find out what this machine can run, cold and with a warm cache
    Detect(detect::Arguments),
    /// The process of `detect` that starts warm
    #[command(hide = true)]
    DetectWarm(detect::WarmArguments),
    /// Polls and executions per second beside the machine's own limits; with --scale, ten thousand sensors
    Sensors(sensors::Arguments),
    /// The part of `sensors` that spawns without Attune
    #[command(hide = true)]
    BareSpawns(sensors::BareArguments),
    /// Nothing lost and nothing doubled while hosts, sensors and the service are killed
    Kill(kill::Arguments),
    /// The service of `kill`
    #[command(hide = true)]
    KillService(kill::ServiceArguments),
    /// What crowds of readers cost POST /api/events
    Readers(readers::Arguments),
    /// Processes per second through the launcher, beside a bare `posix_spawn`
    Spawn(spawn::Arguments),
    /// Whether anything outlives its program, whatever it does and however it is ended
    Survivors(survivors::Arguments),
    /// Fifty thousand timers: what they cost while none is due, and how late they are when some are
    Timers(timers::Arguments),
}

fn main() -> anyhow::Result<()> {
    let command = Arguments::parse().command;
    let is_part = matches!(
        command,
        Command::IngestLoad(_) | Command::DetectWarm(_) | Command::BareSpawns(_) | Command::KillService(_)
    );
    if !is_part {
        println!("{}", machine::describe());
    }
    // Logs cost what is measured, so only who asks for them has them.
    if std::env::var_os("RUST_LOG").is_some() {
        attune_boot::init_telemetry();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Budgets(arguments) => budgets::run(&arguments),
            Command::Ingest(arguments) => ingest::run(&arguments).await,
            Command::IngestLoad(arguments) => ingest::load(arguments).await,
            Command::Chain(arguments) => chain::run(&arguments).await,
            Command::Detect(arguments) => detect::run(&arguments).await,
            Command::DetectWarm(arguments) => detect::warm(arguments).await,
            Command::Sensors(arguments) => sensors::run(&arguments).await,
            Command::BareSpawns(arguments) => sensors::bare(&arguments),
            Command::Kill(arguments) => kill::run(&arguments).await,
            Command::KillService(arguments) => kill::serve(&arguments).await,
            Command::Readers(arguments) => readers::run(&arguments).await,
            Command::Spawn(arguments) => spawn::run(&arguments).await,
            Command::Survivors(arguments) => survivors::run(&arguments).await,
            Command::Timers(arguments) => timers::run(&arguments).await,
        }
    })
}
