//! Each verification command by itself, one after the other: what no detection can undercut.

use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Context as _;
use attune_common::config::env;
use attune_common::repositories::runtime;
use attune_core::runtime::distributions::{Command, Distributions, Verification};
use attune_process::{Capture, Finished, Limits, Program, find_on_path, run as run_program};
use sqlx::PgPool;

use crate::summary::Summary;

/// What one command takes at the median, and its processor time on average.
#[derive(Debug, Clone, Copy)]
struct Cost {
    wall: Duration,
    cpu: Duration,
}

/// Prints what each command costs; the larger of the slowest one and of their processor time over the cores.
pub(super) async fn run(pool: &PgPool, rounds: u32) -> anyhow::Result<Duration> {
    let mut costs = Vec::new();
    for (binary, command) in commands(pool).await? {
        let cost = measure(&binary, &command, rounds).await?;
        println!(
            "alone: {} {}: {:.1?}, CPU {:.1?}",
            binary.display(),
            command.args.join(" "),
            cost.wall,
            cost.cpu
        );
        costs.push(cost);
    }
    let slowest = costs.iter().map(|cost| cost.wall).max().unwrap_or_default();
    let cores = u32::try_from(available_parallelism()?.get())?;
    let shared = costs.iter().map(|cost| cost.cpu).sum::<Duration>() / cores;
    println!("bound: the slowest takes {slowest:.1?}, all of them on {cores} cores {shared:.1?}");
    Ok(slowest.max(shared))
}

/// Every command of every row whose binary is here.
async fn commands(pool: &PgPool) -> anyhow::Result<Vec<(PathBuf, Command)>> {
    let path = std::env::var_os(env::PATH).unwrap_or_default();
    let candidates = runtime::list(pool).await?.into_iter().flat_map(|row| {
        match Distributions::parse(&row.distributions).verification {
            Verification::Commands(candidates) => candidates,
            Verification::NotNeeded | Verification::Missing(_) => Vec::new(),
        }
    });
    let commands = candidates.filter_map(|candidate| candidate.command.ok());
    Ok(commands.filter_map(|command| Some((find_on_path(&command.binary, &path)?, command))).collect())
}

async fn measure(binary: &Path, command: &Command, rounds: u32) -> anyhow::Result<Cost> {
    let (mut walls, mut cpu) = (Summary::new()?, Duration::ZERO);
    for _ in 0..rounds {
        let finished = once(binary, command).await?;
        walls.record(finished.wall)?;
        cpu += finished.usage.cpu_user + finished.usage.cpu_system;
    }
    Ok(Cost { wall: walls.median(), cpu: cpu / rounds })
}

async fn once(binary: &Path, command: &Command) -> anyhow::Result<Finished> {
    let variables = [env::PATH, env::HOME].into_iter();
    let program = Program {
        argv: std::iter::once(binary.into()).chain(command.args.iter().map(Into::into)).collect(),
        env: variables.filter_map(|name| Some((name.into(), std::env::var_os(name)?))).collect(),
        cwd: PathBuf::from("/"),
        stdin: Vec::new(),
        limits: Limits::default(),
    };
    let mut output = Capture::within(&program.limits);
    let finished = run_program(program, &mut output, std::future::pending()).await;
    finished.with_context(|| format!("can not run {}", binary.display()))
}
