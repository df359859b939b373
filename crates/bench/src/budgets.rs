//! What is asked for too much gets before it ends: templates and schemas, hostile and ordinary, each alone in time and in memory
//! beyond what was there before. It fails when one of them takes more than any may.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;

mod memory;
mod schemas;
mod templates;

/// What any piece may take: to render a template, to compile a schema, to check, fill and mask one value.
const SLOWEST: Duration = Duration::from_millis(500);
const LARGEST: u64 = 64 * 1024;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where `templates` and `schemas` are
    #[arg(long, value_name = "DIR", default_value = "corpus")]
    corpus: PathBuf,
}

/// What pieces of work took, the most of each.
#[derive(Debug, Clone, Copy, Default)]
struct Taken {
    time: Duration,
    /// In KB.
    memory: u64,
}

impl Taken {
    fn or(self, other: Self) -> Self {
        Self { time: self.time.max(other.time), memory: self.memory.max(other.memory) }
    }

    fn milliseconds(self) -> f64 {
        self.time.as_secs_f64() * 1000.0
    }

    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    fn megabytes(self) -> f64 {
        self.memory as f64 / 1024.0
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let templates = templates::measure(&arguments.corpus)?;
    let schemas = schemas::measure(&arguments.corpus)?;
    let all = templates.or(schemas);
    println!("slowest {:.1} ms, largest {:.1} MB", all.milliseconds(), all.megabytes());
    println!("at most {} ms and {} MB are allowed", SLOWEST.as_millis(), LARGEST / 1024);
    anyhow::ensure!(all.time <= SLOWEST && all.memory <= LARGEST, "a piece took more than any may");
    Ok(())
}

/// Does a piece of work, and tells what it took.
fn measured<T>(work: impl FnOnce() -> T) -> anyhow::Result<(T, Taken)> {
    let before = memory::reset_peak()?;
    let start = Instant::now();
    let done = work();
    let time = start.elapsed();
    Ok((done, Taken { time, memory: memory::peak()?.saturating_sub(before) }))
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))
}
