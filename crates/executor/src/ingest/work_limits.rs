//! How much work may follow from one submission, and the words for what found none left.

use std::time::Duration;

use attune_core::brakes::Readable;

const MILLION: u64 = 1_000_000;

/// How much work may follow from one submission.
#[derive(Debug, Clone, Copy)]
pub struct WorkLimits {
    /// Steps that each piece has of its own: a check, the conditions of a rule, the parameters of one.
    pub own: u64,
    /// Steps of a piece that needs more, round by round.
    pub rounds: [u64; 3],
    /// Steps of all rounds together.
    pub total: u64,
    /// When the rounds took a processor for so long, there are no more.
    pub time: Duration,
}

impl Default for WorkLimits {
    fn default() -> Self {
        Self {
            own: 50_000,
            rounds: [MILLION, 16 * MILLION, 500 * MILLION],
            total: 2_000 * MILLION,
            time: Duration::from_secs(20),
        }
    }
}

/// Why a piece of work did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutOfWork {
    /// It takes more than any may.
    #[error("out of work: it takes more than {} steps, which is all that a rule may take for an event", readable(*.0))]
    Own(u64),
    /// Others took what there is for all.
    #[error(
        "out of work: all that is dear and follows from one request, poll or checkpoint may take {} steps together, and others took them; what takes at most {} is never held up",
        readable(.0.total), readable(.0.own)
    )]
    Shared(WorkLimits),
}

/// Steps, for people.
pub(crate) fn readable(steps: u64) -> String {
    let number = |count: u64| Readable(usize::try_from(count).unwrap_or(usize::MAX));
    if steps < MILLION { number(steps).to_string() } else { format!("{} million", number(steps / MILLION)) }
}

impl PartialEq for WorkLimits {
    fn eq(&self, other: &Self) -> bool {
        (self.own, self.total) == (other.own, other.total)
    }
}

impl Eq for WorkLimits {}
