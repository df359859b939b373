//! How much work one rendering may still do.
//!
//! One unit is about a nanosecond, or a byte that is made: an element that is looked at takes 16, one that is made 24. Every
//! operator and every filter spends here before it works or allocates. So one number bounds time and memory, whatever the
//! template says and whatever the event brings. The engine calls filters with their arguments only; what is left is known
//! to the thread ([`crate::work`]).

use minijinja::{Error, ErrorKind};

use crate::work;

/// Units of one rendering: at most some tens of milliseconds, and at most about this number of bytes at once.
pub const WORK_LIMIT: usize = 32 * 1024 * 1024;

/// What looking at one element costs.
pub(super) const ELEMENT: usize = 16;

/// What copying one element costs, whatever it holds.
pub(super) const COPIED: usize = 4;

/// What making one element costs: the bytes that it takes.
pub(super) const MADE: usize = 24;

/// What one instruction of the engine costs.
pub(super) const INSTRUCTION: usize = 32;

/// What entering the engine costs.
pub(super) const ENTRY: usize = 1_000;

/// Takes `units`. Where fewer are left the rendering ends.
pub(super) fn spend(units: usize) -> Result<(), Error> {
    work::spend(units as u64).map_err(|_| Error::new(ErrorKind::OutOfFuel, exceeded()))
}

/// Takes what making `count` elements costs.
pub(super) fn spend_made(count: usize) -> Result<(), Error> {
    spend(count.saturating_mul(MADE))
}

fn exceeded() -> String {
    let megabytes = WORK_LIMIT / 1024 / 1024;
    format!(
        "the parameters of a rule may take {megabytes} million steps, about one for each byte that is made or looked at"
    )
}
