//! Processes per second, one after the other, through the launcher and bare, from a small and from a large parent.
//!
//! A fork copies the parent's page tables, so its cost grows with the parent; both ways here must not.

use std::ffi::OsString;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use attune_process::{Capture, Level, Limits, Program, Rung, bare, run as run_program};
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Processes per figure
    #[arg(long, default_value_t = 2000)]
    count: u32,
    /// Sizes of the parent in MB
    #[arg(long, value_delimiter = ',', default_value = "20,300")]
    parent_mb: Vec<usize>,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    println!("settings: {} runs of /bin/true per figure, one at a time", arguments.count);
    for &megabytes in &arguments.parent_mb {
        let ballast = vec![1u8; megabytes << 20];
        let bare = rate(arguments.count, bare_spawns(arguments.count)?);
        let launched = rate(arguments.count, launched_spawns(arguments.count, &Limits::default()).await?);
        black_box(&ballast);
        println!(
            "parent {megabytes} MB: launcher {launched:.0}/s, bare posix_spawn {bare:.0}/s, ratio {:.2}",
            launched / bare
        );
    }
    confined(arguments.count).await
}

/// What each way to end and to confine a program costs.
async fn confined(count: u32) -> anyhow::Result<()> {
    let alone = Limits { grouped: false, ..Limits::default() };
    println!("subreaper: {:.0}/s", rate(count, launched_spawns(count, &alone).await?));
    if Rung::of(&Limits::default()).await == Rung::Cgroup {
        println!("cgroup: {:.0}/s", rate(count, launched_spawns(count, &Limits::default()).await?));
    }
    for level in Level::available().await {
        let mut limits = Limits::default();
        limits.confine(level);
        let took = launched_spawns(count, &limits).await?;
        println!("sandbox {}: {:.0}/s", level.as_str(), rate(count, took));
    }
    Ok(())
}

fn bare_spawns(count: u32) -> anyhow::Result<Duration> {
    let start = Instant::now();
    for _ in 0..count {
        bare::spawn_and_wait(&[OsString::from("/bin/true")])?;
    }
    Ok(start.elapsed())
}

async fn launched_spawns(count: u32, limits: &Limits) -> anyhow::Result<Duration> {
    let start = Instant::now();
    for _ in 0..count {
        let program = Program {
            argv: vec!["/bin/true".into()],
            env: Vec::new(),
            cwd: PathBuf::from("/"),
            stdin: Vec::new(),
            limits: limits.clone(),
        };
        let mut output = Capture::within(&program.limits);
        run_program(program, &mut output, std::future::pending::<()>()).await?;
    }
    Ok(start.elapsed())
}

fn rate(count: u32, took: Duration) -> f64 {
    f64::from(count) / took.as_secs_f64()
}
