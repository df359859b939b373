//! What the machine can do without Attune: round trips through pipes, and bare spawns of the same shell program.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use attune_process::bare::spawn_and_wait;
use clap::Args;

use super::language::Language;
use crate::world::Scratch;

/// As long as a short message.
const MESSAGE: [u8; 100] = [b'x'; 100];
/// One per core of the machine that the aims were set on.
const THREADS: usize = 2;

/// The part that spawns, in a process of its own: what it starts shares its stdout.
#[derive(Debug, Clone, Args)]
pub(crate) struct BareArguments {
    #[arg(long)]
    seconds: u64,
    #[arg(long)]
    report: PathBuf,
    #[arg(last = true)]
    command: Vec<OsString>,
}

/// Bare spawns a second.
pub(super) fn run(seconds: u64) -> anyhow::Result<f64> {
    println!(
        "settings: limits, {seconds} s per figure, messages of {} bytes, {THREADS} threads",
        MESSAGE.len()
    );
    for processes in [1, 2] {
        let rate = in_parallel(processes, move || round_trips(Duration::from_secs(seconds)))?;
        println!("bare pipe round trips, {processes} process(es): {rate:.0}/s");
    }
    let rate = bare_spawns(seconds)?;
    println!("bare posix_spawn of the shell program: {rate:.0}/s");
    Ok(rate)
}

/// The sum of the rates of several threads.
fn in_parallel(
    threads: usize,
    rate: impl Fn() -> io::Result<f64> + Copy + Send + 'static,
) -> anyhow::Result<f64> {
    let running: Vec<_> = (0..threads).map(|_| thread::spawn(rate)).collect();
    running.into_iter().try_fold(0.0, |sum, thread| {
        Ok(sum + thread.join().map_err(|_| anyhow::anyhow!("a thread of the benchmark ended by a bug"))??)
    })
}

fn round_trips(time: Duration) -> io::Result<f64> {
    let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (Some(mut stdin), Some(mut stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("the pipes are missing"));
    };
    let rate = per_second(time, || {
        stdin.write_all(&MESSAGE)?;
        stdout.read_exact(&mut [0; MESSAGE.len()])
    })?;
    drop(stdin);
    child.wait()?;
    Ok(rate)
}

fn bare_spawns(seconds: u64) -> anyhow::Result<f64> {
    let scratch = Scratch::new("bare")?;
    let (program, report) = (scratch.path().join("sensor.sh"), scratch.path().join("report"));
    std::fs::write(&program, Language::Shell.sensor())?;
    let shell = shell()?;
    let status = Command::new(std::env::current_exe()?)
        .args(["bare-spawns", "--seconds", &seconds.to_string(), "--report"])
        .args([report.as_os_str(), "--".as_ref(), shell.as_os_str(), program.as_os_str()])
        .stdout(Stdio::null())
        .status()?;
    anyhow::ensure!(status.success(), "the bare spawns failed");
    Ok(std::fs::read_to_string(report)?.parse()?)
}

/// The one that runs shell sensors.
fn shell() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    attune_process::find_on_path("bash", &path).ok_or_else(|| anyhow::anyhow!("bash is not on PATH"))
}

/// The process of its own.
pub(crate) fn bare(arguments: &BareArguments) -> anyhow::Result<()> {
    let (time, command) = (Duration::from_secs(arguments.seconds), arguments.command.clone());
    let command: &'static [OsString] = command.leak();
    let rate = in_parallel(THREADS, move || per_second(time, || spawn_and_wait(command).map(|_| ())))?;
    write_report(&arguments.report, rate)
}

fn write_report(path: &Path, rate: f64) -> anyhow::Result<()> {
    Ok(std::fs::write(path, rate.to_string())?)
}

fn per_second(time: Duration, mut work: impl FnMut() -> io::Result<()>) -> io::Result<f64> {
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < time {
        work()?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}
