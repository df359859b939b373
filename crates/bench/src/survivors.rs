//! Whether anything outlives its program: every way to escape, on every rung that this host has, and ten thousand runs
//! after which nothing is left.
//!
//! Whoever is left is found by a mark in its environment, in the process table of the whole machine, not by anything that
//! Attune believes.

use std::fmt::{self, Write as _};
use std::fs;
use std::future::pending;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use attune_process::{Capture, End, Level, Limits, Program, Rung, Said, run as run_program, talk};
use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Runs that each leave a process in the background
    #[arg(long, default_value_t = 10_000)]
    ticks: u32,
}

/// Each leaves processes behind and says so; none of them listens to SIGTERM or ends by itself.
const ESCAPES: [(&str, &str); 6] = [
    ("child", "sleep 1000 & echo up"),
    ("grandchild", "sh -c 'sleep 1000 & wait' & echo up"),
    ("background child of a finished parent", "sh -c 'sleep 1000 & exit 0'; echo up"),
    ("setsid", "setsid sleep 1000 & echo up"),
    ("double fork with setsid", "setsid sh -c 'setsid sh -c \"sleep 1000 & exit 0\" & exit 0'; echo up"),
    ("storm of 40", "i=0; while [ $i -lt 40 ]; do i=$((i+1)); setsid sleep 1000 & done; echo up"),
];

/// How long what was killed may take to vanish.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy)]
enum Way {
    ByItself,
    Ended(End),
    LauncherKilled,
}

impl fmt::Display for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ByItself => "ends",
            Self::Ended(End::Polite) => "asked",
            Self::Ended(_) => "killed",
            Self::LauncherKilled => "launcher killed",
        })
    }
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    println!(
        "survivors of a program that ends by itself, is asked to end, is killed, or whose launcher is killed"
    );
    let mut left = 0;
    for (rung, limits) in rungs().await {
        for (name, escape) in ESCAPES {
            let mut line = format!("{}, {name}:", rung.as_str());
            for way in ways(rung) {
                let survivors = survivors_of(escape, &limits, way).await?;
                write!(line, " {way} {survivors}")?;
                left += survivors;
            }
            println!("{line}");
        }
    }
    left += ticks(arguments.ticks).await?;
    anyhow::ensure!(left == 0, "{left} processes were left");
    Ok(())
}

async fn rungs() -> Vec<(Rung, Limits)> {
    let quick = Limits { grace: Duration::from_millis(50), drain: Duration::ZERO, ..Limits::default() };
    let alone = Limits { grouped: false, ..quick.clone() };
    let mut rungs = vec![(Rung::Subreaper, alone.clone())];
    if Rung::of(&quick).await == Rung::Cgroup {
        rungs.push((Rung::Cgroup, quick));
    }
    if Level::available().await.contains(&Level::Namespace) {
        rungs.push((Rung::PidNamespace, Limits { sandbox: Level::Namespace, ..alone }));
    }
    rungs
}

fn ways(rung: Rung) -> Vec<Way> {
    let always = [Way::ByItself, Way::Ended(End::Polite), Way::Ended(End::Now)];
    // Without the kernel's help nobody is left to end the tree then.
    let last = (rung != Rung::Subreaper).then_some(Way::LauncherKilled);
    always.into_iter().chain(last).collect()
}

fn program(mark: &str, script: &str, limits: &Limits) -> Program {
    Program {
        argv: ["/bin/sh", "-c", script].map(Into::into).into(),
        env: vec![("PATH".into(), "/usr/bin:/bin".into()), ("MARK".into(), mark.into())],
        cwd: PathBuf::from("/"),
        stdin: Vec::new(),
        limits: limits.clone(),
    }
}

async fn survivors_of(escape: &str, limits: &Limits, way: Way) -> anyhow::Result<usize> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mark = format!("survivors-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let then = if matches!(way, Way::ByItself) { "" } else { "; sleep 1001" };
    let talk = talk(program(&mark, &format!("trap '' TERM; {escape}{then}"), limits)).await?;
    let launcher = talk.launcher_pid();
    let (_input, mut output) = talk.split();
    while !matches!(output.next().await, Some(Said::Stdout(_)) | None) {}
    match way {
        Way::ByItself => drop(output.end(End::Awaited(Duration::MAX)).await?),
        Way::Ended(how) => drop(output.end(how).await?),
        Way::LauncherKilled => {
            let launcher = i32::try_from(launcher).ok().and_then(Pid::from_raw);
            kill_process(launcher.context("a launcher has a process id")?, Signal::KILL)?;
            // That the launcher is lost is what was to happen.
            drop(output.end(End::Awaited(Duration::MAX)).await);
        }
    }
    Ok(left_with(&mark).await)
}

/// Programs that each leave a process behind, two at a time as on a worker; who is left in the end, dead or alive.
async fn ticks(count: u32) -> anyhow::Result<usize> {
    let mark = format!("survivors-{}-ticks", std::process::id());
    let start = Instant::now();
    tokio::try_join!(leave_behind(&mark, count / 2), leave_behind(&mark, count - count / 2))?;
    let took = start.elapsed().as_secs_f64();
    let (alive, zombies) = (left_with(&mark).await, zombies());
    println!("{count} ticks in {took:.1} s: {alive} processes, {zombies} zombies");
    Ok(alive + zombies)
}

async fn leave_behind(mark: &str, count: u32) -> anyhow::Result<()> {
    let limits = Limits::default();
    for _ in 0..count {
        let program = program(mark, "sleep 1000 >/dev/null 2>&1 & exit 0", &limits);
        run_program(program, &mut Capture::within(&limits), pending()).await?;
    }
    Ok(())
}

/// How many processes carry the mark, once those that were killed had time to vanish.
async fn left_with(mark: &str) -> usize {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = bearers(mark);
        if left == 0 || Instant::now() >= deadline {
            return left;
        }
        sleep(Duration::from_millis(5)).await;
    }
}

fn bearers(mark: &str) -> usize {
    let entry = format!("MARK={mark}");
    let carries = |process: &PathBuf| {
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == entry.as_bytes())
    };
    processes().filter(carries).count()
}

/// Children of this process that have ended and were not reaped.
fn zombies() -> usize {
    let ours = format!("Z {} ", std::process::id());
    let is_ours = |process: &PathBuf| {
        let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(&ours))
    };
    processes().filter(is_ours).count()
}

fn processes() -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok())
        .map(|entry| entry.path())
}
