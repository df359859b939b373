//! The processes of this machine, as far as this user may look at them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The variable that names the directory for temporary files.
const TEMPORARY: &str = "TMPDIR=";

/// One process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    /// Its program and arguments.
    pub(crate) command: Vec<String>,
    /// Its directory for temporary files; `None` when it has none or does not show it.
    pub(crate) temporary: Option<PathBuf>,
}

/// Every process by its number. Those that end meanwhile are left out.
pub(crate) fn all() -> HashMap<u32, Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return HashMap::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, read(pid)?))).collect()
}

fn read(pid: u32) -> Option<Process> {
    let directory = Path::new("/proc").join(pid.to_string());
    let stat = fs::read_to_string(directory.join("stat")).ok()?;
    let (state, parent) = state_and_parent(&stat)?;
    // What has ended and was not yet waited for does no harm.
    if state == "Z" {
        return None;
    }
    let words = |file: &str| words(&fs::read(directory.join(file)).unwrap_or_default());
    let temporary =
        words("environ").iter().find_map(|variable| Some(variable.strip_prefix(TEMPORARY)?.into()));
    Some(Process { pid, parent, command: words("cmdline"), temporary })
}

/// `pid (name) state parent …`; the name may hold anything.
fn state_and_parent(stat: &str) -> Option<(&str, u32)> {
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    Some((fields.next()?, fields.next()?.parse().ok()?))
}

fn words(bytes: &[u8]) -> Vec<String> {
    let words = bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_among_them() {
        let all = all();
        let own = &all[&std::process::id()];
        assert_eq!(own.parent, std::os::unix::process::parent_id());
        assert_eq!(own.temporary, std::env::var_os("TMPDIR").map(PathBuf::from));
        assert!(!own.command.is_empty());
    }

    #[test]
    fn a_name_may_hold_anything() {
        assert_eq!(state_and_parent("7 (a) Z (b) S 3 7 7"), Some(("S", 3)));
    }
}
