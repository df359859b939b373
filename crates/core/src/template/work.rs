//! How much work one rendering may still do.
//!
//! One unit is about a nanosecond, or a byte that is made: an element that is looked at takes 16, one that is made 24. Every
//! operator and every filter spends here before it works or allocates. So one number bounds time and memory, whatever the
//! template says and whatever the event brings.
//!
//! The engine calls filters with their arguments only, so the budget belongs to the thread while a rendering takes place.

use std::cell::Cell;

use minijinja::{Error, ErrorKind};

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

thread_local! {
    static LEFT: Cell<usize> = const { Cell::new(0) };
}

/// Runs `render` with a budget of its own.
pub(super) fn within<T>(limit: usize, render: impl FnOnce() -> T) -> T {
    let before = LEFT.replace(limit);
    let rendered = render();
    LEFT.set(before);
    rendered
}

/// Takes `units`. Where fewer are left the rendering ends.
pub(super) fn spend(units: usize) -> Result<(), Error> {
    let left = LEFT.get().checked_sub(units);
    LEFT.set(left.unwrap_or(0));
    left.map(drop).ok_or_else(|| Error::new(ErrorKind::OutOfFuel, exceeded()))
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
