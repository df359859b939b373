//! Starting the program from the launcher that stays.
//!
//! The new process borrows the launcher's memory until it executes (`CLONE_VM | CLONE_VFORK`), so nothing is copied
//! and a failure is simply left in a variable.

#![expect(unsafe_code, reason = "a process that borrows memory is made and entered by hand")]

use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;

use crate::order::Order;
use crate::protocol::Step;
use crate::{Failure, prepare, sys};

/// 16 KiB: a few shallow frames, in units that keep the alignment that every machine asks of a stack.
const STACK: usize = 16 * 1024 / size_of::<u128>();

struct Attempt<'a> {
    order: &'a Order,
    launcher: c_int,
    failure: Option<Failure>,
}

/// Starts the program, in this cgroup, and gives its streams to it alone.
pub(crate) fn start(order: &Order, group: Option<c_int>) -> Result<c_int, Failure> {
    let mut stack = [MaybeUninit::uninit(); STACK];
    let mut attempt = Attempt { order, launcher: sys::process_id(), failure: None };
    // SAFETY: `enter` gets an `Attempt` and writes only its `failure`.
    let program = unsafe { sys::borrow_memory_and_run(enter, &mut stack, &mut attempt, group) };
    let program = program.map_err(|errno| (Step::Clone, errno))?;
    // Written by the other process behind the compiler's back, so it is read the same way.
    // SAFETY: a live value, and nobody else is there to write it any more.
    if let Some(failure) = unsafe { (&raw const attempt.failure).read_volatile() } {
        return Err(failure);
    }
    prepare::let_go_of_streams()?;
    Ok(program)
}

extern "C" fn enter(attempt: *mut c_void) -> ! {
    // SAFETY: `start` passes its `Attempt` and sleeps until this process has executed or exited.
    let attempt = unsafe { &mut *attempt.cast::<Attempt<'_>>() };
    attempt.failure = Some(become_program(attempt.order, attempt.launcher));
    sys::exit(crate::NOT_STARTED)
}

/// Its own session, so that a signal to its process group never meets the launcher; and SIGKILL when the launcher
/// itself is killed, which is all that can still be done then.
fn become_program(order: &Order, launcher: c_int) -> Failure {
    let prepared = sys::new_session()
        .map_err(|errno| (Step::Session, errno))
        .and_then(|()| prepare::follow_parent(launcher, sys::SIGKILL))
        .and_then(|()| prepare::confine(order));
    match prepared {
        Err(failure) => failure,
        Ok(()) => (Step::Exec, prepare::execute(order)),
    }
}
