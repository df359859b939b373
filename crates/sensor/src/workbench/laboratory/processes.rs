//! The processes of the program on trial, below its launcher.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// So many looks in a row that see nothing going on.
const LOOKS: u32 = 3;

/// Sends a signal to all of them; `false`: there is none yet, or none any more.
pub(super) fn signal(launcher: u32, signal: Signal) -> bool {
    let pids = programs(launcher).into_iter().filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    pids.filter(|&pid| kill_process(pid, signal).is_ok()).count() > 0
}

/// Without what is the launcher still: stopped before it has become the program, it would hold up its launcher. And without
/// what is over.
fn programs(launcher: u32) -> Vec<u32> {
    let file = |pid: u32| std::fs::read_link(format!("/proc/{pid}/exe")).ok();
    let (own, mut found) = (file(launcher), attune_process::descendants(launcher).unwrap_or_default());
    found.retain(|&pid| file(pid) != own && state(pid) != Some('Z'));
    found
}

/// Waits until all of them wait: what the program had to do is done, as far as can be seen from outside; so long at most.
pub(super) async fn until_idle(launcher: u32, most: Duration) {
    let end = Instant::now() + most;
    let mut idle = 0;
    while idle < LOOKS && Instant::now() < end {
        sleep(LOOK).await;
        idle = if is_busy(launcher) { 0 } else { idle + 1 };
    }
}

fn is_busy(launcher: u32) -> bool {
    programs(launcher).into_iter().any(|pid| state(pid) == Some('R'))
}

/// `pid (name) state …`
fn state(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat[stat.rfind(')')? + 1..].trim_start().chars().next()
}
