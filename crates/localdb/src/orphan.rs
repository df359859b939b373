//! Servers without an owner.
//!
//! The kernel stops the server when its owner dies, but that takes a moment, and a backend that is busy survives its
//! postmaster for a while. Whoever has won the lock makes sure that nothing of the last owner's server is left before it
//! starts its own: two servers on one cluster would destroy it.
//!
//! A server of this cluster is recognised by its working directory and its program, never by a number in a file: pids
//! are used again, in containers after every start.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::task::spawn_blocking;

use crate::Error;
use crate::layout::Layout;
use crate::lock::owner_of;

/// A signal, and the time it gets to show effect.
type Rung = (Signal, Duration);

/// Fast shutdown, immediate shutdown, and what nothing withstands.
const GENTLE: [Rung; 3] = [
    (Signal::INT, Duration::from_secs(30)),
    (Signal::QUIT, Duration::from_secs(5)),
    (Signal::KILL, Duration::from_secs(5)),
];
/// initdb starts one server after the other; what starts while the first round looks is found by the next.
const AT_ONCE: [Rung; 3] = [(Signal::KILL, Duration::from_secs(5)); 3];

/// Stops every process that runs on `cluster` and removes the pid file that a dead one left.
///
/// The caller holds the lock.
pub(crate) async fn stop(cluster: &Path) -> Result<(), Error> {
    climb(cluster, &GENTLE).await?;
    remove_pid_file(cluster)
}

/// The same for a cluster that is to be removed.
pub(crate) async fn kill(cluster: &Path) -> Result<(), Error> {
    climb(cluster, &AT_ONCE).await
}

/// The processes of a server that runs on the cluster of `data_dir` although nobody owns that any more.
pub fn orphans_of(data_dir: &Path) -> Vec<u32> {
    let Ok(layout) = Layout::existing(data_dir) else { return Vec::new() };
    // In this order: a server that starts meanwhile has an owner.
    let servers = running_on(&layout.cluster());
    if owner_of(data_dir).is_some() {
        return Vec::new();
    }
    servers.into_iter().map(|pid| pid.as_raw_nonzero().get().unsigned_abs()).collect()
}

async fn climb(cluster: &Path, ladder: &[Rung]) -> Result<(), Error> {
    for &(signal, limit) in ladder {
        let servers = running_on(cluster);
        if servers.is_empty() {
            return Ok(());
        }
        let targets = if signal == Signal::INT { postmaster_of(cluster, &servers) } else { servers };
        tracing::warn!(cluster = %cluster.display(), ?signal, pids = ?targets, "stopping a server without an owner");
        // Ends early only with the whole runtime.
        let _ = spawn_blocking(move || signal_and_wait(&targets, signal, limit)).await;
    }
    match running_on(cluster).first() {
        Some(pid) => Err(Error::OrphanStays { pid: pid.as_raw_nonzero().get(), cluster: cluster.to_owned() }),
        None => Ok(()),
    }
}

/// To a backend SIGINT means something else, so the first rung is for the postmaster alone.
fn postmaster_of(cluster: &Path, servers: &[Pid]) -> Vec<Pid> {
    let named = fs::read_to_string(cluster.join("postmaster.pid")).ok().and_then(|text| pid_in(&text));
    servers.iter().copied().filter(|pid| Some(*pid) == named).collect()
}

/// The first line; negative when the server runs without a postmaster, as it does during initdb.
fn pid_in(text: &str) -> Option<Pid> {
    Pid::from_raw(text.lines().next()?.trim().parse::<i32>().ok()?.checked_abs()?)
}

fn running_on(cluster: &Path) -> Vec<Pid> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter(|process| is_server_on(&process.path(), cluster))
        .filter_map(|process| Pid::from_raw(process.file_name().to_str()?.parse().ok()?))
        .collect()
}

fn is_server_on(process: &Path, cluster: &Path) -> bool {
    fs::read_link(process.join("cwd")).is_ok_and(|directory| directory == cluster)
        && fs::read_link(process.join("exe")).is_ok_and(|program| is_servers(&program))
}

/// The kernel marks a program that an upgrade has replaced as `(deleted)`.
fn is_servers(program: &Path) -> bool {
    let name = program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    matches!(name.trim_end_matches(" (deleted)"), "postgres" | "postmaster" | "initdb")
}

/// Blocks until the last of them is gone, or `limit` has passed.
fn signal_and_wait(targets: &[Pid], signal: Signal, limit: Duration) {
    let deadline = Instant::now() + limit;
    // All of them first: the backends end together.
    let handles =
        targets.iter().filter_map(|pid| pidfd_open(*pid, PidfdFlags::empty()).ok()).collect::<Vec<_>>();
    for handle in &handles {
        // One that has just ended is what this wants.
        let _ = pidfd_send_signal(handle, signal);
    }
    for handle in &handles {
        let left = deadline.saturating_duration_since(Instant::now());
        // An interrupted wait only makes the next rung come early.
        let _ = poll(&mut [PollFd::new(handle, PollFlags::IN)], Timespec::try_from(left).ok().as_ref());
    }
}

fn remove_pid_file(cluster: &Path) -> Result<(), Error> {
    let path = cluster.join("postmaster.pid");
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file("remove", &path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_pid_of_either_kind_of_server() {
        assert_eq!(pid_in("4711\n/data/postgres\n"), Pid::from_raw(4711));
        assert_eq!(pid_in("-4711\n"), Pid::from_raw(4711));
        assert_eq!(pid_in(""), None);
        assert_eq!(pid_in("0\n"), None);
    }

    #[test]
    fn knows_the_server_after_an_upgrade() {
        assert!(is_servers(Path::new("/usr/lib/postgresql/15/bin/postgres (deleted)")));
        assert!(!is_servers(Path::new("/usr/bin/psql")));
    }

    #[tokio::test]
    async fn a_pid_that_belongs_to_another_program_is_left_alone() {
        let cluster = tempfile::tempdir().unwrap();
        let pid_file = cluster.path().join("postmaster.pid");
        fs::write(&pid_file, std::process::id().to_string()).unwrap();
        stop(cluster.path()).await.unwrap();
        assert!(!pid_file.exists());
    }
}
