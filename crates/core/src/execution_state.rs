//! The life of an execution:
//!
//! ```text
//! requested -> running -> succeeded | failed | timed_out | abandoned
//!     ^           |       cancelled (also from requested)
//!     +-----------+  a retry, or the worker was lost
//! ```
//!
//! To cancel what runs is a wish: its worker ends it, and what ended by itself before that keeps its own end. Whatever would
//! lead to another attempt ends a cancelled execution instead.
//!
//! One table, [`next`], decides every step; the statements that write it state the expected old state, so that the two can
//! not disagree. Every event of a worker carries the attempt that it ran: a worker that was given up and comes back late is
//! refused. A lost attempt raises `attempt` and not the count of those that failed; [`MAX_LOST_IN_ROW`] of them in a row
//! end the execution, because then it is the execution that ends its workers.

use serde::{Deserialize, Serialize};

/// Losses in a row after which an execution is abandoned.
pub const MAX_LOST_IN_ROW: u32 = 5;

/// The status column, as the SQL enum writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits for a worker.
    Requested,
    /// A worker runs it.
    Running,
    /// Ended with exit code 0.
    Succeeded,
    /// Ended otherwise, and no attempt is left.
    Failed,
    /// Was stopped for taking too long, and no attempt is left.
    TimedOut,
    /// Somebody stopped it.
    Cancelled,
    /// Its workers were lost.
    Abandoned,
}

/// The attempts so far, the present one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attempts {
    /// The number of the present attempt, from 1.
    pub number: u32,
    /// Attempts whose worker was lost.
    pub lost: u32,
    /// Those since the last attempt that ended by itself.
    pub lost_in_row: u32,
}

/// A state with what belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Waits for a worker.
    Requested(Attempts),
    /// `worker` runs it.
    Running {
        /// The attempts, this one included.
        attempts: Attempts,
        /// The row of the worker.
        worker: i64,
        /// Whether the worker should end it: `cancel_requested` is set.
        cancelling: bool,
    },
    /// Nothing follows.
    Ended(Ending),
}

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// With exit code 0.
    Succeeded,
    /// Otherwise.
    Failed,
    /// Out of time.
    TimedOut,
    /// By somebody's wish.
    Cancelled,
    /// Without anybody to run it.
    Abandoned,
}

/// What can happen to an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A worker takes it.
    Claim {
        /// The row of the worker.
        worker: i64,
    },
    /// The attempt ended well.
    Succeed {
        /// The attempt that the worker ran.
        attempt: u32,
    },
    /// The attempt failed.
    Fail {
        /// The attempt that the worker ran.
        attempt: u32,
        /// Whether the policy grants another.
        retry: bool,
    },
    /// The attempt ran out of time.
    TimeOut {
        /// The attempt that the worker ran.
        attempt: u32,
        /// Whether the policy grants another.
        retry: bool,
    },
    /// The worker of this attempt is gone.
    Lose {
        /// The attempt that it ran.
        attempt: u32,
        /// Whether the action may have run and must not run again.
        at_most_once: bool,
    },
    /// Somebody wants it stopped.
    Cancel,
    /// The worker stopped the attempt because somebody wants it.
    Stop {
        /// The attempt that the worker ran.
        attempt: u32,
    },
}

/// An event that has no place in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an execution that is {from:?} can not take {event:?}")]
pub struct InvalidTransition {
    /// The state.
    pub from: State,
    /// The event.
    pub event: Event,
}

/// The state that follows.
pub fn next(state: State, event: Event) -> Result<State, InvalidTransition> {
    match (state, event) {
        (State::Requested(attempts), Event::Claim { worker }) => {
            Ok(State::Running { attempts, worker, cancelling: false })
        }
        (State::Requested(_), Event::Cancel) => Ok(State::Ended(Ending::Cancelled)),
        (State::Running { attempts, worker, cancelling: false }, Event::Cancel) => {
            Ok(State::Running { attempts, worker, cancelling: true })
        }
        (State::Running { attempts, cancelling, .. }, _) if event.attempt() == Some(attempts.number) => {
            attempts.after(event, cancelling).ok_or(InvalidTransition { from: state, event })
        }
        (State::Requested(_) | State::Running { .. } | State::Ended(_), _) => {
            Err(InvalidTransition { from: state, event })
        }
    }
}

impl Event {
    /// The attempt that a worker speaks of.
    fn attempt(self) -> Option<u32> {
        match self {
            Self::Succeed { attempt }
            | Self::Fail { attempt, .. }
            | Self::TimeOut { attempt, .. }
            | Self::Lose { attempt, .. }
            | Self::Stop { attempt } => Some(attempt),
            Self::Claim { .. } | Self::Cancel => None,
        }
    }
}

impl Attempts {
    /// The first attempt.
    pub const FIRST: Self = Self { number: 1, lost: 0, lost_in_row: 0 };

    /// Those that count against `max_attempts`, the present one included.
    pub fn counted(self) -> u32 {
        self.number.saturating_sub(self.lost)
    }

    /// After the end of the present attempt.
    fn after(self, event: Event, cancelling: bool) -> Option<State> {
        let cancelled = State::Ended(Ending::Cancelled);
        let again = |retry: bool| retry.then_some(if cancelling { cancelled } else { self.retried() });
        match event {
            Event::Succeed { .. } => Some(State::Ended(Ending::Succeeded)),
            Event::Fail { retry, .. } => again(retry).or(Some(State::Ended(Ending::Failed))),
            Event::TimeOut { retry, .. } => again(retry).or(Some(State::Ended(Ending::TimedOut))),
            Event::Lose { .. } | Event::Stop { .. } if cancelling => Some(cancelled),
            Event::Lose { at_most_once, .. } => {
                self.lost(at_most_once).or(Some(State::Ended(Ending::Abandoned)))
            }
            Event::Stop { .. } | Event::Claim { .. } | Event::Cancel => None,
        }
    }

    /// After an attempt that ended by itself.
    fn retried(self) -> State {
        State::Requested(Self { number: self.number + 1, lost_in_row: 0, ..self })
    }

    /// After a loss: the next, unless the action must not run twice or nobody survives it.
    fn lost(self, at_most_once: bool) -> Option<State> {
        let lost_in_row = self.lost_in_row + 1;
        let again = Self { number: self.number + 1, lost: self.lost + 1, lost_in_row };
        (!at_most_once && lost_in_row < MAX_LOST_IN_ROW).then_some(State::Requested(again))
    }
}

impl State {
    /// The status column.
    pub fn status(self) -> Status {
        match self {
            Self::Requested(_) => Status::Requested,
            Self::Running { .. } => Status::Running,
            Self::Ended(Ending::Succeeded) => Status::Succeeded,
            Self::Ended(Ending::Failed) => Status::Failed,
            Self::Ended(Ending::TimedOut) => Status::TimedOut,
            Self::Ended(Ending::Cancelled) => Status::Cancelled,
            Self::Ended(Ending::Abandoned) => Status::Abandoned,
        }
    }
}

impl Status {
    /// Whether nothing follows.
    pub fn is_end(self) -> bool {
        !matches!(self, Self::Requested | Self::Running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WORKER: i64 = 9;
    const SECOND: Attempts = Attempts { number: 2, lost: 1, lost_in_row: 1 };
    const RUNNING: State = State::Running { attempts: SECOND, worker: WORKER, cancelling: false };
    const CANCELLING: State = State::Running { attempts: SECOND, worker: WORKER, cancelling: true };

    fn third(lost: u32, lost_in_row: u32) -> State {
        State::Requested(Attempts { number: 3, lost, lost_in_row })
    }

    fn all_states() -> Vec<State> {
        use Ending::{Abandoned, Cancelled, Failed, Succeeded, TimedOut};
        let ended = [Succeeded, Failed, TimedOut, Cancelled, Abandoned].map(State::Ended);
        [State::Requested(SECOND), RUNNING, CANCELLING].into_iter().chain(ended).collect()
    }

    fn all_events(attempt: u32) -> Vec<Event> {
        let either = [false, true];
        let mut events = vec![Event::Claim { worker: WORKER }, Event::Succeed { attempt }, Event::Cancel];
        events.push(Event::Stop { attempt });
        events.extend(either.map(|retry| Event::Fail { attempt, retry }));
        events.extend(either.map(|retry| Event::TimeOut { attempt, retry }));
        events.extend(either.map(|at_most_once| Event::Lose { attempt, at_most_once }));
        events
    }

    /// The steps that exist, written out; every other pair must be refused.
    fn expected(state: State, event: Event) -> Option<State> {
        let steps = [
            (State::Requested(SECOND), Event::Claim { worker: WORKER }, RUNNING),
            (State::Requested(SECOND), Event::Cancel, State::Ended(Ending::Cancelled)),
            (RUNNING, Event::Cancel, CANCELLING),
            (RUNNING, Event::Succeed { attempt: 2 }, State::Ended(Ending::Succeeded)),
            (RUNNING, Event::Fail { attempt: 2, retry: false }, State::Ended(Ending::Failed)),
            (RUNNING, Event::Fail { attempt: 2, retry: true }, third(1, 0)),
            (RUNNING, Event::TimeOut { attempt: 2, retry: false }, State::Ended(Ending::TimedOut)),
            (RUNNING, Event::TimeOut { attempt: 2, retry: true }, third(1, 0)),
            (RUNNING, Event::Lose { attempt: 2, at_most_once: false }, third(2, 2)),
            (RUNNING, Event::Lose { attempt: 2, at_most_once: true }, State::Ended(Ending::Abandoned)),
            (CANCELLING, Event::Succeed { attempt: 2 }, State::Ended(Ending::Succeeded)),
            (CANCELLING, Event::Fail { attempt: 2, retry: false }, State::Ended(Ending::Failed)),
            (CANCELLING, Event::Fail { attempt: 2, retry: true }, State::Ended(Ending::Cancelled)),
            (CANCELLING, Event::TimeOut { attempt: 2, retry: false }, State::Ended(Ending::TimedOut)),
            (CANCELLING, Event::TimeOut { attempt: 2, retry: true }, State::Ended(Ending::Cancelled)),
            (CANCELLING, Event::Lose { attempt: 2, at_most_once: false }, State::Ended(Ending::Cancelled)),
            (CANCELLING, Event::Lose { attempt: 2, at_most_once: true }, State::Ended(Ending::Cancelled)),
            (CANCELLING, Event::Stop { attempt: 2 }, State::Ended(Ending::Cancelled)),
        ];
        steps.into_iter().find(|(from, by, _)| (*from, *by) == (state, event)).map(|(_, _, to)| to)
    }

    #[test]
    fn every_pair() {
        for state in all_states() {
            for event in [1, 2, 3].into_iter().flat_map(all_events) {
                let expected = expected(state, event).ok_or(InvalidTransition { from: state, event });
                assert_eq!(next(state, event), expected, "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn the_fifth_loss_in_a_row_ends_it() {
        let mut state = State::Requested(Attempts::FIRST);
        for attempt in 1..=MAX_LOST_IN_ROW {
            state = next(state, Event::Claim { worker: WORKER }).unwrap();
            state = next(state, Event::Lose { attempt, at_most_once: false }).unwrap();
            assert_eq!(state.status().is_end(), attempt == MAX_LOST_IN_ROW);
        }
        assert_eq!(state.status(), Status::Abandoned);
    }

    #[test]
    fn statuses_read_as_the_column_does() {
        let names = all_states()
            .into_iter()
            .filter(|state| *state != CANCELLING)
            .map(|state| serde_json::to_value(state.status()).unwrap());
        let expected = ["requested", "running", "succeeded", "failed", "timed_out", "cancelled", "abandoned"];
        assert!(names.eq(expected));
    }

    proptest! {
        #[test]
        fn an_end_is_an_end_and_attempts_only_rise(choices in prop::collection::vec((0..10_usize, 0..2_u32), 0..60)) {
            let mut state = State::Requested(Attempts::FIRST);
            let mut number = 1;
            for (choice, late) in choices {
                let Ok(following) = next(state, all_events(number - late.min(number - 1))[choice]) else { continue };
                prop_assert!(!state.status().is_end());
                if let State::Requested(attempts) | State::Running { attempts, .. } = following {
                    prop_assert!(attempts.number == number || attempts.number == number + 1);
                    prop_assert!(attempts.counted() >= 1 && attempts.lost_in_row < MAX_LOST_IN_ROW);
                    number = attempts.number;
                }
                state = following;
            }
        }
    }
}
