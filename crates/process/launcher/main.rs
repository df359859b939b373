//! The launcher: a tiny program between the service and somebody else's program.
//!
//! Starting a process from a large one is slow when it forks, and what must happen between the fork and the exec can
//! only be done in the new process. So the service starts this program instead, which is static and has no run-time
//! to start up, and which makes the preparations (`prepare`) and then either becomes the program (`exec`, for the
//! private database) or starts it and stays as the parent of whatever it leaves behind (`supervise`).
//!
//! Invariants: every signal is blocked from before the first instruction (the service asks for that when it starts
//! this program), so a request to stop is never lost; descriptors 0, 1 and 2 belong to the program, 3 is the report,
//! and no other is open.
//!
//! Failure: each step that fails is one record with the step and the error number, and a non-zero exit. When the
//! service is gone there is nobody to tell, and the tree is ended all the same.
#![no_main]
#![expect(unsafe_code, reason = "without the run-time, `main` is the C library's")]

mod order;
mod prepare;
#[expect(dead_code, reason = "the launcher writes records, it never reads one")]
mod protocol;
mod start;
mod supervise;
mod sys;
mod tree;

use std::ffi::c_int;

use order::{Mode, Order};
use protocol::{Report, STATUS_FD, Step};

/// A failed step: where, and its error number.
type Failure = (Step, c_int);

/// The exit code of a launcher that could not start the program; the record says why.
const NOT_STARTED: c_int = 125;

/// Called by the C library's start-up code.
#[unsafe(no_mangle)]
extern "C" fn main(_count: c_int, argv: sys::CStrings) -> c_int {
    // SAFETY: these are the arguments of `main`.
    let order = unsafe { Order::read(argv) };
    match order.map_err(|errno| (Step::Order, errno)).and_then(|order| obey(&order)) {
        Ok(()) => 0,
        Err((step, errno)) => {
            report(Report::Failed { step, errno });
            NOT_STARTED
        }
    }
}

fn obey(order: &Order) -> Result<(), Failure> {
    sys::name_process(c"attune-launcher");
    prepare::descriptors()?;
    match order.mode {
        Mode::Exec => Err(prepare::become_program(order)),
        Mode::Run => {
            prepare::watch_over(order)?;
            let program = start::start(order)?;
            report(supervise::supervise(program, order.grace));
            Ok(())
        }
    }
}

fn report(report: Report) {
    sys::write_record(STATUS_FD, &report.to_bytes());
}
