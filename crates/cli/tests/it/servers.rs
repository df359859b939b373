//! The processes of a private server, found as an operator would find them: by where they work.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

use crate::eventually::eventually;

/// The processes of the server whose cluster lies in `data_dir`, the postmaster among them.
pub(crate) fn processes(data_dir: &Path) -> Vec<Pid> {
    let cluster = data_dir.join("postgres");
    let works_there = |process: &PathBuf| {
        std::fs::read_link(process.join("cwd")).is_ok_and(|directory| directory == cluster)
    };
    let all = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    all.filter(works_there).filter_map(|process| pid(process.file_name()?.to_str()?)).collect()
}

/// The postmaster that the cluster itself names.
pub(crate) fn postmaster(data_dir: &Path) -> Pid {
    eventually("the server names its process", || {
        let file = std::fs::read_to_string(data_dir.join("postgres/postmaster.pid")).ok()?;
        pid(file.lines().next()?)
    })
}

/// Sends a signal to every process of the server.
pub(crate) fn signal(data_dir: &Path, signal: Signal) {
    for process in processes(data_dir) {
        // One that has just ended is as good as one that was signalled.
        let _ = kill_process(process, signal);
    }
}

/// Waits until a process is gone.
pub(crate) fn gone(process: Pid) {
    let path = format!("/proc/{}", process.as_raw_nonzero());
    eventually("the process is gone", || (!Path::new(&path).exists()).then_some(()));
}

pub(crate) fn pid(text: &str) -> Option<Pid> {
    Pid::from_raw(text.trim().parse().ok()?)
}
