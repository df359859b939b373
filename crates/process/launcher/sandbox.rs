//! A program that sees only a part of the system.
//!
//! A process cannot move itself into a new namespace of processes, only its children are born into one. So the
//! launcher makes a copy of itself there, which is that namespace's process 1 and does all that a launcher does,
//! reporting included; the launcher itself passes signals on and waits. When it is killed, its copy gets SIGKILL, and
//! the kernel kills whatever lives in a namespace whose process 1 is gone.

use core::ffi::c_int;

use crate::order::{Order, Sandbox};
use crate::protocol::{KILL_NOW, Step};
use crate::sys::{self, SIGCHLD, SIGINT, SIGTERM, Waited};
use crate::{Failure, mounts, prepare, procfs};

const CLONE_NEWNS: usize = 0x0002_0000;
const CLONE_NEWIPC: usize = 0x0800_0000;
const CLONE_NEWUSER: usize = 0x1000_0000;
const CLONE_NEWPID: usize = 0x2000_0000;
const CLONE_NEWNET: usize = 0x4000_0000;

/// Runs the program in namespaces of its own, which have a user namespace of their own: so it takes no privilege to
/// make them, and root in there has none outside.
pub(crate) fn run(order: &Order) -> Result<(), Failure> {
    let network = if order.sandbox == Sandbox::Strict { CLONE_NEWNET } else { 0 };
    let namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | network;
    let outside = Outside { launcher: sys::process_id(), user: sys::user_id(), group: sys::group_id() };
    match sys::copy_process(namespaces, order.group).map_err(refused)? {
        0 => inside(order, &outside),
        copy => {
            prepare::let_go_of_streams()?;
            relay(copy)
        }
    }
}

fn refused(errno: c_int) -> Failure {
    (Step::Sandbox, errno)
}

/// What was so before the new namespaces.
struct Outside {
    launcher: c_int,
    user: u32,
    group: u32,
}

/// The group is not handed on: to kill it would be to kill this process too, before it can report.
fn inside(order: &Order, outside: &Outside) -> Result<(), Failure> {
    follow(outside.launcher)?;
    keep_identity(outside).map_err(refused)?;
    mounts::arrange(order).map_err(refused)?;
    crate::run(order, None)
}

/// The parent's number means nothing in here, so that it lives is seen in the process table of outside, which is still
/// the one that is mounted.
fn follow(launcher: c_int) -> Result<(), Failure> {
    sys::set_death_signal(sys::SIGKILL).map_err(|errno| (Step::Parent, errno))?;
    let lives = procfs::look_at(launcher).is_some_and(|process| !process.ended);
    if lives { Ok(()) } else { Err((Step::Parent, sys::ESRCH)) }
}

/// The one user and the one group that the program may be stay what they are.
fn keep_identity(outside: &Outside) -> Result<(), c_int> {
    sys::write_file(c"/proc/self/uid_map", Line::mapping(outside.user).text())?;
    sys::write_file(c"/proc/self/setgroups", b"deny")?;
    sys::write_file(c"/proc/self/gid_map", Line::mapping(outside.group).text())
}

/// `ID ID 1`.
struct Line {
    bytes: [u8; 24],
    length: usize,
}

impl Line {
    fn mapping(id: u32) -> Self {
        let mut line = Self { bytes: [0; 24], length: 0 };
        for number in [id, id, 1] {
            line.push(number);
        }
        line
    }

    fn push(&mut self, number: u32) {
        let mut digits = [0; 10];
        for byte in procfs::decimal(number, &mut digits).iter().chain(b" ") {
            self.bytes[self.length] = *byte;
            self.length += 1;
        }
    }

    fn text(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Passes on what the service asks for until the copy has ended.
fn relay(copy: c_int) -> Result<(), Failure> {
    loop {
        match sys::reap_any() {
            Waited::Ended { pid, status } if pid == copy => sys::exit(i32::from(status != 0)),
            Waited::Ended { .. } => {}
            Waited::NoChildren => return Err((Step::Sandbox, sys::ESRCH)),
            Waited::NoneYet => match sys::wait_signal(&[SIGCHLD, SIGTERM, SIGINT, KILL_NOW], None) {
                Some(SIGCHLD) | None => {}
                Some(signal) => sys::signal_child(copy, signal),
            },
        }
    }
}
