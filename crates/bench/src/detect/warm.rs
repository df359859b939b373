//! A fresh process that finds in the cache what an earlier one found out.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Args;
use sqlx::PgPool;

use super::{configuration, detect};
use crate::summary::Summary;

#[derive(Debug, Args)]
pub(crate) struct WarmArguments {
    /// The database with the rows
    #[arg(long)]
    url: String,
    /// The directory with the cache
    #[arg(long)]
    cache: PathBuf,
}

/// The process itself: prints how many microseconds its detection took once it was connected.
pub(crate) async fn warm(arguments: WarmArguments) -> anyhow::Result<()> {
    let pool = PgPool::connect(&arguments.url).await?;
    let config = configuration(arguments.cache, &arguments.url);
    let start = Instant::now();
    detect(&pool, &config).await?;
    println!("{}", start.elapsed().as_micros());
    Ok(())
}

/// Starts it again and again.
pub(super) fn run(url: &str, cache: &Path, rounds: u32) -> anyhow::Result<()> {
    let (mut detections, mut processes) = (Summary::new()?, Summary::new()?);
    for _ in 0..rounds {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["detect-warm", "--url", url, "--cache"]).arg(cache);
        let start = Instant::now();
        let output = command.output()?;
        processes.record(start.elapsed())?;
        anyhow::ensure!(output.status.success(), "a warm process failed: {output:?}");
        detections.record(Duration::from_micros(String::from_utf8(output.stdout)?.trim().parse()?))?;
    }
    println!("warm, a fresh process each time: detection {}", detections.line());
    println!("warm, the whole process with its connection: {}", processes.line());
    Ok(())
}
