//! Processes that are left behind, which the kernel prevents as long as it is let.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::{findings, finds};
use crate::eventually::eventually;
use crate::home::Home;
use crate::servers::{self, pid};

/// Killed with the test, however that ends.
struct Held(Pid);

impl Held {
    fn still(pid: Pid) -> Self {
        kill_process(pid, Signal::STOP).unwrap();
        Self(pid)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // It has ended when all went as it should.
        let _ = kill_process(self.0, Signal::KILL);
    }
}

/// Ended with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).unwrap();
    }
}

/// The children of a process.
fn children(parent: Pid) -> Vec<Pid> {
    let is_child = |process: &Path| {
        let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        after_name.split(' ').nth(1) == Some(&parent.as_raw_nonzero().to_string())
    };
    let all = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    all.filter(|process| is_child(process))
        .filter_map(|process| pid(process.file_name()?.to_str()?))
        .collect()
}

/// A process's program and its arguments.
fn arguments(process: Pid) -> Vec<String> {
    let words = std::fs::read_to_string(format!("/proc/{}/cmdline", process.as_raw_nonzero()));
    words.unwrap_or_default().split_terminator('\0').map(str::to_owned).collect()
}

/// The kernel continues a launcher that was stopped as soon as its service is gone, and so it ends. What hangs in the kernel
/// can not be made here: a program with a launcher's command line stands for it.
#[test]
fn a_launcher_without_its_service() {
    let home = Home::new();
    let directory = format!("--cwd={}", home.data_dir().join("cache/work/1/run-x").display());
    let stands_for_it = Command::new("sh")
        .arg0("attune-launcher")
        .args(["-c", "read line", "run", "--parent=1", &directory])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let launcher = Ended(stands_for_it);
    finds(
        &home,
        "processes",
        "problem",
        &format!("a launcher whose service is gone: pid {}", launcher.0.id()),
    );
}

#[test]
fn a_program_without_its_launcher() {
    let (home, _database) = Home::with_database();
    let up = home.up(&[]);
    // The kernel ends the program with its launcher, but not what the program started.
    let wait = "command=sleep 300 & wait";
    home.json(&["action", "run", "core.run_command", "--param", wait, "--detach"]);
    let (launcher, program) = eventually("the program runs", || {
        let is_ours = |process: &Pid| arguments(*process) == ["sleep", "300"];
        let started = |launcher: Pid| children(launcher).into_iter().flat_map(children).find(is_ours);
        children(up.pid()).into_iter().find_map(|launcher| Some((launcher, started(launcher)?)))
    });
    let program = Held(program);
    kill_process(launcher, Signal::KILL).unwrap();
    up.kill();
    // The service, or any other start on this machine, ends what was left where that can be found; doctor tells what is
    // still there.
    let named = format!("a program whose launcher is gone: pid {}", program.0.as_raw_nonzero());
    let is_named = |(verdict, found): (String, String)| verdict == "problem" && found.contains(&named);
    eventually("what was left is ended, or named", || {
        let is_gone = arguments(program.0) != ["sleep", "300"];
        (is_gone || findings(&home, "processes").into_iter().any(is_named)).then_some(())
    });
}

#[test]
fn a_private_server_without_its_owner() {
    let home = Home::new();
    let up = home.up(&[]);
    let server = Held::still(servers::postmaster(&home.data_dir()));
    up.kill();
    finds(&home, "processes", "problem", "a server of the private database without an owner: pid ");
    kill_process(server.0, Signal::CONT).unwrap();
    servers::gone(server.0);
}
