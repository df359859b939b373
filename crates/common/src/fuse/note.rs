//! Notes of what a thread evaluates.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use attune_core::work;

use super::page::{ALL, MOST_SLOTS, page};
use super::{Evaluated, Part, Thing};

/// Slots that no living thread has: those that were given back, and those from here on.
static FREE: Mutex<(Vec<usize>, usize)> = Mutex::new((Vec::new(), 0));

/// No slot was taken.
const NONE: usize = usize::MAX;

thread_local! {
    /// The slot of this thread. Without a destructor, so that a signal handler may read it.
    static SLOT: Cell<usize> = const { Cell::new(NONE) };
    /// Gives it back.
    static LEASE: Cell<Option<Lease>> = const { Cell::new(None) };
}

/// A slot that a thread has for as long as it lives.
struct Lease(usize);

impl Drop for Lease {
    fn drop(&mut self) {
        SLOT.set(NONE);
        FREE.lock().unwrap_or_else(PoisonError::into_inner).0.push(self.0);
    }
}

/// That this thread evaluates something, until it is dropped. Notes within notes are kept like a stack.
#[derive(Debug)]
#[must_use = "dropped, it is forgotten"]
pub struct Note {
    kept: Option<Kept>,
    /// It belongs to its thread.
    _thread: PhantomData<*const ()>,
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    slot: usize,
    now: [u64; 2],
    before: [u64; 2],
}

/// Notes that this thread evaluates a part of a thing from now on. What has no row, and so no id, is not noted.
pub fn note(thing: Thing, part: Part, id: i64, version: i64) -> Note {
    let kept = page().filter(|_| id > 0).and_then(|_| keep(Evaluated { thing, part, id, version }.words()));
    Note { kept, _thread: PhantomData }
}

fn keep(now: [u64; 2]) -> Option<Kept> {
    let slot = slot()?;
    let [first, second] = page()?.slot(slot);
    let before = [first.load(Ordering::Relaxed), second.load(Ordering::Relaxed)];
    write(slot, now);
    Some(Kept { slot, now, before })
}

/// The first word is 0 while the second is another's.
fn write(slot: usize, [first, second]: [u64; 2]) {
    let Some(page) = page() else { return };
    let [at_first, at_second] = page.slot(slot);
    at_first.store(0, Ordering::Release);
    at_second.store(second, Ordering::Release);
    at_first.store(first, Ordering::Release);
}

impl Drop for Note {
    fn drop(&mut self) {
        let Some(kept) = self.kept else { return };
        write(kept.slot, kept.before);
        // What was cut short has not shown yet that it can be evaluated.
        if let Some(page) = page().filter(|_| !work::is_exhausted()) {
            page.acquit(kept.now);
        }
    }
}

/// The slot of this thread.
fn slot() -> Option<usize> {
    let known = SLOT.get();
    if known != NONE {
        return Some(known);
    }
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    let slot = free.0.pop().or_else(|| {
        let next = free.1;
        free.1 += 1;
        (next < MOST_SLOTS).then_some(next)
    })?;
    drop(free);
    SLOT.set(slot);
    // While a thread ends it may be too late for that; then the slot is lost.
    let _ = LEASE.try_with(|lease| lease.set(Some(Lease(slot))));
    Some(slot)
}

/// Says in the page that this thread aborts. Called by a signal handler.
pub(super) fn aborting() {
    let Some(page) = page() else { return };
    let slot = SLOT.get();
    let evaluates = slot != NONE && page.slot(slot)[0].load(Ordering::Relaxed) != 0;
    page.abort(if evaluates { slot as u64 + 1 } else { ALL });
}
