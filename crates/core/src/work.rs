//! How much work the evaluation of what authors write may still make.
//!
//! One step is about a nanosecond, or a byte that is made or looked at. Templates, schemas and conditions spend before they
//! work, and end when nothing is left. Budgets nest: what is spent in the inner one is spent in the outer one too, and the
//! inner one never has more than is left of that. So one rendering has a limit of its own, and all that follows from a
//! submission has one together.
//!
//! Whatever evaluates knows no more than its arguments, so the budget belongs to the thread. Where none is set, nothing
//! is refused.

use std::cell::Cell;

thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// The budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted;

/// What came of a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done<T> {
    value: T,
    /// Steps that it took.
    pub spent: u64,
    is_exhausted: bool,
}

impl<T> Done<T> {
    /// What it gave; `None`: its budget was spent before it came to its end, so what it gave says nothing.
    pub fn finished(self) -> Option<T> {
        (!self.is_exhausted).then_some(self.value)
    }

    /// What it gave, for work that says by itself when it was cut short.
    pub(crate) fn value(self) -> T {
        self.value
    }
}

/// Takes what was spent off the budget outside, also when the work panics.
struct Inner {
    outer: u64,
    given: u64,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let spent = self.given - LEFT.get().min(self.given);
        let unlimited = self.outer == u64::MAX;
        LEFT.set(if unlimited { u64::MAX } else { self.outer - spent });
    }
}

/// Does a piece of work that may take so many steps.
pub fn within<T>(limit: u64, work: impl FnOnce() -> T) -> Done<T> {
    let outer = LEFT.get();
    let inner = Inner { outer, given: limit.min(outer) };
    LEFT.set(inner.given);
    let value = work();
    let left = LEFT.get();
    Done { value, spent: inner.given - left, is_exhausted: left == 0 }
}

/// Takes steps; when there are not so many, takes what there is.
pub fn spend(steps: u64) -> Result<(), Exhausted> {
    let left = LEFT.get();
    if left == u64::MAX {
        return Ok(());
    }
    LEFT.set(left.saturating_sub(steps));
    if left > steps { Ok(()) } else { Err(Exhausted) }
}

/// Steps that are left.
pub(crate) fn left() -> u64 {
    LEFT.get()
}

/// Whether what is done now was cut short.
pub fn is_exhausted() -> bool {
    LEFT.get() == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_inside_is_spent_outside() {
        let outer = within(100, || {
            let inner = within(30, || spend(20));
            assert_eq!((inner.spent, inner.finished()), (20, Some(Ok(()))));
            let inner = within(30, || spend(31));
            assert_eq!((inner.spent, inner.finished()), (30, None));
            left()
        });
        assert_eq!((outer.spent, outer.finished()), (50, Some(50)));
    }

    #[test]
    fn the_inner_budget_is_no_larger_than_what_is_left_outside() {
        let outer = within(10, || within(1000, || spend(10)).finished());
        assert_eq!((outer.spent, outer.finished()), (10, None));
        assert_eq!((left(), spend(u64::MAX)), (u64::MAX, Ok(())), "without a budget there is no end");
    }

    #[test]
    fn a_panic_leaves_the_budget_outside_as_it_is() {
        let outer = within(100, || {
            let caught =
                std::panic::catch_unwind(|| within(50, || spend(7).map(|()| panic!("as it should"))));
            assert!(caught.is_err());
            left()
        });
        assert_eq!(outer.finished(), Some(93));
    }
}
