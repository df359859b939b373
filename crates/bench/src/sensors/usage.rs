//! What processes took of the processor and of the memory, read from `/proc`.

use std::collections::{HashMap, HashSet};
use std::fs::read_to_string;
use std::time::Duration;

/// The unit of the times in `/proc`, which is the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// What was taken so far.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// Processor time of this process.
    pub(crate) own: Duration,
    /// Of everything that it started, but for the database.
    pub(crate) children: Duration,
    /// Of the database.
    pub(crate) database: Duration,
    /// Bytes of memory of this process, its share of what it shares.
    pub(crate) memory: u64,
    /// Warm hosts that live now.
    pub(crate) hosts: HashSet<u32>,
    /// Their bytes, each its share of what it shares.
    pub(crate) host_memory: u64,
}

#[derive(Debug, Clone, Copy)]
struct Process {
    parent: u32,
    own: Duration,
    /// Of its children that have ended.
    ended: Duration,
}

impl Usage {
    /// Now, with the first process of the database.
    pub(crate) fn now(database: u32) -> anyhow::Result<Self> {
        let all = processes()?;
        let me = std::process::id();
        let of_database: HashSet<u32> = descendants(&all, database).into_iter().chain([database]).collect();
        let children: Vec<u32> =
            descendants(&all, me).into_iter().filter(|pid| !of_database.contains(pid)).collect();
        let total = |pid: &u32| all.get(pid).map_or(Duration::ZERO, |process| process.own + process.ended);
        let hosts: HashSet<u32> = children.iter().copied().filter(|pid| is_host(*pid)).collect();
        let mine = all.get(&me).copied();
        Ok(Self {
            own: mine.map_or(Duration::ZERO, |process| process.own),
            children: mine.map_or(Duration::ZERO, |process| process.ended) + children.iter().map(total).sum(),
            database: of_database.iter().map(total).sum(),
            memory: memory(me),
            host_memory: hosts.iter().map(|pid| memory(*pid)).sum(),
            hosts,
        })
    }

    /// Processor time since an earlier look: own, children, database.
    pub(crate) fn since(&self, earlier: &Self) -> [Duration; 3] {
        [
            self.own.saturating_sub(earlier.own),
            self.children.saturating_sub(earlier.children),
            self.database.saturating_sub(earlier.database),
        ]
    }
}

fn processes() -> anyhow::Result<HashMap<u32, Process>> {
    let names =
        std::fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let pids = names.filter_map(|name| name.parse().ok());
    Ok(pids
        .filter_map(|pid| Some((pid, process(&read_to_string(format!("/proc/{pid}/stat")).ok()?)?)))
        .collect())
}

/// The name stands in parentheses and may hold anything; what follows the last one are numbers.
fn process(stat: &str) -> Option<Process> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let time =
        |at: usize| Some(Duration::from_secs_f64(fields.get(at)?.parse::<f64>().ok()? / TICKS_PER_SECOND));
    Some(Process {
        parent: fields.get(1)?.parse().ok()?,
        own: time(11)? + time(12)?,
        ended: time(13)? + time(14)?,
    })
}

fn descendants(all: &HashMap<u32, Process>, root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut seen = 0;
    while let Some(parent) = found.get(seen).copied() {
        found.extend(all.iter().filter(|(_, process)| process.parent == parent).map(|(pid, _)| *pid));
        seen += 1;
    }
    found.split_off(1)
}

/// A host is run by an interpreter, from a file `host.*` of the runtime's pack; the launcher beside it names that too.
fn is_host(pid: u32) -> bool {
    let command = read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let mut words = command.split('\0');
    let is_launcher = words.next().is_some_and(|program| program.contains("launcher"));
    !is_launcher && words.any(|word| word.contains("/runtimes/") && word.contains("/host."))
}

fn memory(pid: u32) -> u64 {
    let text = read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("Pss:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}
