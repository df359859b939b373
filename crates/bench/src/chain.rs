//! From sending `POST /api/events` on an open connection to the time that the shell action stamps, one event at a time.
//!
//! The action's first line writes its shell's clock into a FIFO; the benchmark reads it, takes the difference on the same
//! clock, and only then sends the next event.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};

use crate::summary::Summary;
use crate::world::Scratch;

pub(crate) mod connection;
mod pack;
pub(crate) mod programs;

use connection::Connection;
use programs::Programs;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Everything in one process, or each service by itself
    #[arg(long, value_enum, default_value_t = Mode::Up)]
    mode: Mode,
    /// Events, one at a time
    #[arg(long, default_value_t = 10_000)]
    samples: u32,
    /// Where the programs were built
    #[arg(long, default_value = "target/release")]
    programs: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// `attune up`
    Up,
    /// attune-api, attune-executor, attune-worker and a private PostgreSQL
    Services,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    println!(
        "settings: {:?}, {} samples one at a time, shell action, fsync on",
        arguments.mode, arguments.samples
    );
    let scratch = Scratch::new("chain")?;
    let fifo = scratch.path().join("stamps");
    pack::write(&scratch.path().join("pack"), &fifo)?;
    let programs = Programs::start(arguments.mode, &arguments.programs, scratch.path()).await?;
    let outcome = measure(arguments.samples, scratch.path(), &fifo);
    programs.stop().await?;
    println!("chain: {}", outcome?.line());
    Ok(())
}

fn measure(samples: u32, data_dir: &Path, fifo: &Path) -> anyhow::Result<Summary> {
    let mut connection = Connection::open(data_dir)?;
    // Open for reading and writing, so that the FIFO never reports an end between two actions.
    let mut stamps = BufReader::new(File::options().read(true).write(true).open(fifo)?);
    let mut summary = Summary::new()?;
    // The first events fill caches; they are not samples.
    for round in 0..samples + 100 {
        let sent = now()?;
        connection.post_event(r#"{"trigger":"bench.tick","payload":{"text":"tick"}}"#)?;
        let took = read_stamp(&mut stamps)?.saturating_sub(sent);
        if round >= 100 {
            summary.record(took)?;
        }
    }
    Ok(summary)
}

fn now() -> anyhow::Result<Duration> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?)
}

/// `1700000000.123456`, seconds and microseconds since the epoch.
fn read_stamp(stamps: &mut BufReader<File>) -> anyhow::Result<Duration> {
    let mut line = String::new();
    stamps.read_line(&mut line)?;
    let (seconds, micros) =
        line.trim().split_once('.').ok_or_else(|| anyhow::anyhow!("no stamp: {line:?}"))?;
    Ok(Duration::from_secs(seconds.parse()?) + Duration::from_micros(micros.parse()?))
}
