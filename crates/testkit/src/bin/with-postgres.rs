//! Runs a command with a throwaway `PostgreSQL` cluster: `with-postgres [--migrated] -- COMMAND ARGUMENTS…`
//!
//! The command finds the cluster in `ATTUNE_TEST_DATABASE_URL` and, with `--migrated`, a database with the whole schema
//! in `DATABASE_URL`. Its exit code is passed on, and signals reach it. The cluster goes when the command has ended.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use anyhow::Context;
use attune_testkit::{Scratch, cluster, migrate_rest};
use clap::Parser;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::PgPool;
use tokio::process::{Child, Command};
use tokio::signal::unix::{self, SignalKind};

/// Runs a command with a throwaway `PostgreSQL` cluster.
#[derive(Debug, Parser)]
struct Arguments {
    /// Migrate the database `attune` and name it in `DATABASE_URL`
    #[arg(long)]
    migrated: bool,
    /// What to run
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut signals = Signals::new().context("cannot listen for signals")?;
    let scratch = Scratch::start().await.context("cannot start a cluster")?;
    let status = run(&arguments, &scratch.url(), &mut signals).await;
    scratch.remove().await.context("cannot remove the cluster")?;
    Ok(exit_code(status?))
}

async fn run(arguments: &Arguments, url: &str, signals: &mut Signals) -> anyhow::Result<ExitStatus> {
    let (program, rest) = arguments.command.split_first().context("there is no command")?;
    let mut command = Command::new(program);
    command.args(rest).env(cluster::URL_VARIABLE, url);
    if arguments.migrated {
        let pool = PgPool::connect(url).await.context("cannot connect to the cluster")?;
        migrate_rest(&pool).await;
        pool.close().await;
        command.env("DATABASE_URL", url);
    }
    let mut child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
    loop {
        tokio::select! {
            status = child.wait() => return status.context("cannot wait for the command"),
            signal = signals.next() => pass_on(signal, &child),
        }
    }
}

/// The command's own code; by custom 128 and the signal when one ended it.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// The signals that ask this program to end. It does not: it ends when the command does.
struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
            hangup: unix::signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.terminate.recv() => Signal::TERM,
            _ = self.hangup.recv() => Signal::HUP,
        }
    }
}

/// A terminal sends its interrupt to the command as well; twice would mean something else to it.
fn pass_on(signal: Signal, child: &Child) {
    if signal == Signal::INT && io::stdin().is_terminal() {
        return;
    }
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // A command that has just ended is waited for in the next moment.
        let _ = kill_process(pid, signal);
    }
}
