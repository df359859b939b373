//! The launcher: a tiny program between the service and somebody else's program.
//!
//! Starting a process from a large one is slow when it forks, and what must happen between the fork and the exec can
//! only be done in the new process. So the service starts this program instead, which is static and has no run-time
//! library to start up, and which makes the preparations (`prepare`) and then either becomes the program (`exec`, for
//! the private database) or starts it and stays as the parent of whatever it leaves behind (`supervise`).
//!
//! Invariants: every signal is blocked from before the first instruction (the service asks for that when it starts
//! this program), so a request to stop is never lost; descriptors 0, 1 and 2 belong to the program, 3 is the report,
//! 4 the program's cgroup if it has one, and no other is open.
//!
//! Failure: each step that fails is one record with the step and the error number, and a non-zero exit. When the
//! service is gone there is nobody to tell, and the tree is ended all the same.
//!
//! The build script sets `launcher`. Without it this is an ordinary program that does nothing, for the tools that
//! check the code.
#![cfg_attr(launcher, no_std, no_main)]
#![expect(unsafe_code, reason = "the arguments come from the kernel as addresses")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "the kernel's numbers of processes, signals and errors all fit into a C int"
)]

mod filesystem;
mod mounts;
mod order;
mod prepare;
mod procfs;
#[expect(dead_code, reason = "the launcher writes records, it never reads one")]
mod protocol;
#[cfg(launcher)]
mod runtime;
mod sandbox;
mod start;
mod supervise;
mod sys;
mod syscall;
mod table;
mod tree;

use core::ffi::c_int;

use order::{Mode, Order, Sandbox};
use protocol::{Report, STATUS_FD, Step};

/// A failed step: where, and its error number.
type Failure = (Step, c_int);

/// The exit code of a launcher that could not end all that it had started.
const LEFT_SOME: c_int = 1;

/// The exit code of a launcher that could not start the program; the record says why.
const NOT_STARTED: c_int = 125;

#[cfg(not(launcher))]
fn main() {
    let _: unsafe extern "C" fn(*const usize) -> ! = begin;
}

/// The first instruction comes here with what the kernel has put on the stack: the number of arguments, the arguments
/// and a null, the environment and a null.
unsafe extern "C" fn begin(stack: *const usize) -> ! {
    // SAFETY: the kernel has laid it out so, and it stays as long as the process.
    let order = unsafe {
        let argv: sys::CStrings = stack.add(1).cast();
        Order::read(argv, argv.add(*stack + 1))
    };
    match order.map_err(|errno| (Step::Order, errno)).and_then(|order| obey(&order)) {
        Ok(()) => sys::exit(0),
        Err((step, errno)) => {
            report(Report::Failed { step, errno });
            sys::exit(NOT_STARTED)
        }
    }
}

fn obey(order: &Order) -> Result<(), Failure> {
    sys::name_process(c"attune-launcher");
    prepare::descriptors(order)?;
    match order.mode {
        Mode::Exec => Err(prepare::become_program(order)),
        Mode::Run => {
            prepare::watch_over(order)?;
            if order.sandbox == Sandbox::None { run(order, order.group) } else { sandbox::run(order) }
        }
    }
}

/// Starts the program in the group and stays until nothing is left of it.
fn run(order: &Order, group: Option<c_int>) -> Result<(), Failure> {
    let program = start::start(order, group)?;
    let ended = supervise::supervise(program, order.grace, group);
    report(ended);
    if matches!(ended, Report::Ended { survivors: 0, .. }) { Ok(()) } else { sys::exit(LEFT_SOME) }
}

fn report(report: Report) {
    sys::write_record(STATUS_FD, &report.to_bytes());
}
