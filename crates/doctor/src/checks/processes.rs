//! Processes that outlived whoever was to look after them.
//!
//! A launcher ends with its service, a program with its launcher, a private database with its owner; the kernel sees to it.
//! So these are left only by a process that was stopped, hangs in the kernel, or lost its launcher by force.

use std::collections::HashMap;

use attune_localdb::orphans_of;

use crate::finding::Finding;
use crate::installation::Installation;
use crate::processes::{self, Process};

const LAUNCHER: &str = "attune-launcher";
/// The launcher's argument that says whose it is.
const PARENT: &str = "--parent=";
/// What only a program that Attune started has in its environment.
const MARKS: [&str; 2] = ["ATTUNE_EXECUTION_ID", "SENSOR_CONTEXT"];

pub(super) fn check(installation: &Installation) -> Vec<Finding> {
    let all = processes::all();
    let launchers = all.values().filter(|process| is_left_launcher(process));
    let programs = all.values().filter(|process| is_left_program(process, &all));
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
fn is_left_launcher(process: &Process) -> bool {
    let meant = process.command.iter().find_map(|argument| argument.strip_prefix(PARENT)?.parse().ok());
    is_launcher(process) && meant.is_some_and(|meant: u32| meant != process.parent)
}

/// No launcher is above it. The one right below a service that is just being started is a launcher itself.
fn is_left_program(process: &Process, all: &HashMap<u32, Process>) -> bool {
    let is_ours = process.variables.iter().any(|name| MARKS.contains(&name.as_str()));
    let above = std::iter::successors(Some(process), |process| all.get(&process.parent));
    is_ours && !above.take(all.len()).any(is_launcher)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, parent: u32, command: &[&str], variables: &[&str]) -> (u32, Process) {
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        (pid, Process { pid, parent, command: owned(command), variables: owned(variables) })
    }

    #[test]
    fn who_has_its_launcher_and_whose_launcher_has_its_service_is_well() {
        let all = HashMap::from([
            process(1, 0, &["init"], &[]),
            process(10, 1, &["attune", "up"], &[]),
            process(11, 10, &[LAUNCHER, "run", "--parent=10"], &[]),
            process(12, 11, &["sh"], &["SENSOR_CONTEXT"]),
            process(13, 12, &["sleep"], &["SENSOR_CONTEXT"]),
            process(21, 1, &[LAUNCHER, "run", "--parent=20"], &[]),
            process(32, 1, &["sh"], &["ATTUNE_EXECUTION_ID"]),
            process(33, 1, &["sh"], &["HOME"]),
        ]);
        let found = |is_left: &dyn Fn(&Process) -> bool| {
            let mut pids: Vec<_> =
                all.values().filter(|process| is_left(process)).map(|process| process.pid).collect();
            pids.sort_unstable();
            pids
        };
        assert_eq!(found(&is_left_launcher), [21]);
        assert_eq!(found(&|process| is_left_program(process, &all)), [32]);
    }
}
