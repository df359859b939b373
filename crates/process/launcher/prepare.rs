//! The preparations in the launcher's own process, before a program is started or executed.

#![expect(unsafe_code, reason = "executing a program takes the argument array as it came")]

use core::ffi::{c_int, c_uint};
use core::time::Duration;

use crate::order::Order;
use crate::protocol::{STATUS_FD, Step};
use crate::{Failure, sys};

/// Closes whatever the service had open without meaning to hand it on, and keeps the report and the group from the
/// program.
pub(crate) fn descriptors(order: &Order) -> Result<(), Failure> {
    let last = order.group.unwrap_or(STATUS_FD);
    (STATUS_FD..=last)
        .try_for_each(sys::close_on_exec)
        .and_then(|()| sys::close_descriptors(last.cast_unsigned() + 1, c_uint::MAX))
        .map_err(|errno| (Step::Descriptors, errno))
}

/// Makes this process the one that inherits every orphan of the program, and that learns of the service's death. It needs
/// no session of its own, which would cost a group of the scheduler's for each run.
pub(crate) fn watch_over(order: &Order) -> Result<(), Failure> {
    sys::new_process_group().map_err(|errno| (Step::Session, errno))?;
    sys::become_subreaper().map_err(|errno| (Step::Subreaper, errno))?;
    follow_parent(order.parent, sys::SIGTERM)
}

/// Leaves the program's streams to it: as long as the launcher held them too, their reader would never see the end.
pub(crate) fn let_go_of_streams() -> Result<(), Failure> {
    let last: c_uint = 2;
    sys::close_descriptors(0, last).map_err(|errno| (Step::Descriptors, errno))
}

/// Becomes the program; returns only when that failed. The user is changed first, because changing it clears the
/// death signal.
pub(crate) fn become_program(order: &Order) -> Failure {
    let prepared = sys::new_session()
        .map_err(|errno| (Step::Session, errno))
        .and_then(|()| change_user(order))
        .and_then(|()| confine(order))
        .and_then(|()| follow_parent(order.parent, order.death_signal));
    match prepared {
        Err(failure) => failure,
        Ok(()) => (Step::Exec, execute(order)),
    }
}

fn change_user(order: &Order) -> Result<(), Failure> {
    match (order.user, order.group_id) {
        (Some(user), Some(group)) => sys::become_user(user, group).map_err(|errno| (Step::User, errno)),
        (None, None) => Ok(()),
        _ => Err((Step::Order, sys::EINVAL)),
    }
}

/// The working directory and the limits, in the process that is about to execute the program.
pub(crate) fn confine(order: &Order) -> Result<(), Failure> {
    sys::change_directory(order.directory).map_err(|errno| (Step::Directory, errno))?;
    for (resource, value) in order.limits.iter().flatten() {
        sys::lower_limit(*resource, *value).map_err(|errno| (Step::Limits, errno))?;
    }
    if order.no_new_privileges {
        sys::forbid_new_privileges().map_err(|errno| (Step::Privileges, errno))?;
    }
    Ok(())
}

/// Asks for `signal` at the parent's death, then makes sure that it had not died before.
pub(crate) fn follow_parent(parent: c_int, signal: c_int) -> Result<(), Failure> {
    sys::set_death_signal(signal).map_err(|errno| (Step::Parent, errno))?;
    if sys::parent_id() == parent { Ok(()) } else { Err((Step::Parent, sys::ESRCH)) }
}

/// Executes the program. A file that was written a moment ago can still be open for writing in a sibling that is
/// itself about to execute something, so "text file busy" is worth a few more tries.
pub(crate) fn execute(order: &Order) -> c_int {
    sys::release_signals();
    let mut errno = 0;
    for attempt in 0..6 {
        // SAFETY: `Order::read` saw at least one argument before the null.
        errno = unsafe { sys::execute(order.argv, order.env) };
        if errno != sys::ETXTBSY {
            break;
        }
        sys::sleep(Duration::from_millis(1 << attempt));
    }
    errno
}
