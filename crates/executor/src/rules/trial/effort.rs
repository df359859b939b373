//! What a trial takes: each piece as much as ingest would allow it at most, and all of them as much as one submission.

use std::cell::Cell;

use attune_core::work;

use crate::ingest::{OutOfWork, WorkLimits, readable};

#[derive(Debug)]
pub(super) struct Effort {
    limits: WorkLimits,
    left: Cell<u64>,
    /// Steps of the dearest piece.
    most: Cell<u64>,
}

impl Default for Effort {
    fn default() -> Self {
        let limits = WorkLimits::default();
        Self { limits, left: Cell::new(limits.total), most: Cell::new(0) }
    }
}

impl Effort {
    /// Does one piece, as ingest would if nothing else took work.
    pub(super) fn piece<T>(&self, work: impl FnOnce() -> T) -> Result<T, OutOfWork> {
        let [.., limit] = self.limits.rounds;
        let done = work::within(limit, work);
        self.left.set(self.left.get().saturating_sub(done.spent));
        self.most.set(self.most.get().max(done.spent));
        done.finished().ok_or(OutOfWork::Own(limit))
    }

    pub(super) fn has_some(&self) -> bool {
        self.left.get() > 0
    }

    /// What the author should know of it.
    pub(super) fn note(&self) -> Option<String> {
        let (most, own) = (self.most.get(), self.limits.own);
        (most > own).then(|| {
            format!(
                "it takes {} steps; beyond {} it shares what one submission may do",
                readable(most),
                readable(own)
            )
        })
    }
}
