//! Processes that outlived whoever was to look after them.
//!
//! A launcher ends with its service, a program with its launcher, a private database with its owner; the kernel sees to it.
//! So these are left only by a process that was stopped, hangs in the kernel, or lost its launcher by force.
//!
//! Only those of this installation count, by the directory below its cache that each run has for itself: what another one on
//! this machine left is not for this person to kill.

use std::collections::HashMap;
use std::path::Path;

use attune_localdb::orphans_of;

use crate::finding::Finding;
use crate::installation::Installation;
use crate::processes::{self, Process};

const LAUNCHER: &str = "attune-launcher";
/// The launcher's argument that says whose it is.
const PARENT: &str = "--parent=";
/// The launcher's argument that says where its program runs.
const DIRECTORY: &str = "--cwd=";

pub(super) fn check(installation: &Installation) -> Vec<Finding> {
    let (all, cache) = (processes::all(), &installation.config.cache_dir);
    let launchers = all.values().filter(|process| is_left_launcher(process, cache));
    let programs = all.values().filter(|process| is_left_program(process, cache, &all));
    let servers = orphans_of(&installation.config.data_dir);
    let findings: Vec<_> = [
        left("launcher whose service is gone", launchers.map(|process| process.pid).collect()),
        left("program whose launcher is gone", programs.map(|process| process.pid).collect()),
        left("server of the private database without an owner", servers),
    ]
    .into_iter()
    .flatten()
    .collect();
    if findings.is_empty() { vec![Finding::ok("none was left behind")] } else { findings }
}

fn left(what: &str, mut pids: Vec<u32>) -> Option<Finding> {
    pids.sort_unstable();
    let pids = pids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let mend = if what.starts_with("server") {
        "`attune up` on this data directory stops it and starts its own".to_owned()
    } else {
        format!("kill -KILL {pids}")
    };
    (!pids.is_empty()).then(|| Finding::problem(format!("a {what}: pid {pids}"), mend))
}

fn is_launcher(process: &Process) -> bool {
    process.command.first().is_some_and(|program| program == LAUNCHER)
}

/// It was given to another parent than the one that started it.
fn is_left_launcher(process: &Process, cache: &Path) -> bool {
    let argument = |name| process.command.iter().find_map(|argument| argument.strip_prefix(name));
    let is_ours = argument(DIRECTORY).is_some_and(|directory| Path::new(directory).starts_with(cache));
    let meant = argument(PARENT).and_then(|parent| parent.parse().ok());
    is_ours && is_launcher(process) && meant.is_some_and(|meant: u32| meant != process.parent)
}

/// No launcher is above it. The one right below a service that is just being started is a launcher itself.
fn is_left_program(process: &Process, cache: &Path, all: &HashMap<u32, Process>) -> bool {
    let is_ours = process.temporary.as_ref().is_some_and(|directory| directory.starts_with(cache));
    let above = std::iter::successors(Some(process), |process| all.get(&process.parent));
    is_ours && !above.take(all.len()).any(is_launcher)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, parent: u32, command: &[&str], temporary: Option<&str>) -> (u32, Process) {
        let command = command.iter().map(ToString::to_string).collect();
        (pid, Process { pid, parent, command, temporary: temporary.map(Into::into) })
    }

    #[test]
    fn who_has_its_launcher_and_whose_launcher_has_its_service_is_well() {
        let (ours, others) = ("/cache/work/1/run-x", "/other/work/1/run-x");
        let launcher = |pid, parent, directory: &str| {
            let directory = format!("{DIRECTORY}{directory}");
            process(pid, parent, &[LAUNCHER, "run", &format!("{PARENT}{}", pid - 1), &directory], None)
        };
        let all = HashMap::from([
            process(1, 0, &["init"], None),
            process(10, 1, &["attune", "up"], None),
            launcher(11, 10, ours),
            process(12, 11, &["sh"], Some(ours)),
            process(13, 12, &["sleep"], Some(ours)),
            launcher(21, 1, ours),
            launcher(22, 1, others),
            process(32, 1, &["sh"], Some(ours)),
            process(33, 1, &["sh"], Some(others)),
            process(34, 1, &["sh"], None),
        ]);
        let found = |is_left: &dyn Fn(&Process) -> bool| {
            let mut pids: Vec<_> =
                all.values().filter(|process| is_left(process)).map(|process| process.pid).collect();
            pids.sort_unstable();
            pids
        };
        let cache = Path::new("/cache");
        assert_eq!(found(&|process| is_left_launcher(process, cache)), [21]);
        assert_eq!(found(&|process| is_left_program(process, cache, &all)), [32]);
    }
}
