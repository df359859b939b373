//! Which state follows which.

use std::time::Duration;

use super::Status;

/// A status with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It has not ticked yet.
    Starting {
        /// For what it waits, when that is known.
        reason: Option<String>,
    },
    /// It ticks, and had an event lately.
    Running,
    /// It ticks as it should, but had no event for long.
    Quiet {
        /// For how long.
        reason: String,
    },
    /// It ticks, but an expectation is broken.
    Silent {
        /// Which.
        reason: String,
    },
    /// It does not tick although it is due.
    Stuck {
        /// Since when, and when it was due.
        reason: String,
    },
    /// Its last tick failed.
    Failing {
        /// Why.
        error: String,
        /// Until the next try.
        retry_in: Duration,
    },
    /// It is not polled.
    Paused {
        /// By whom, or after what.
        reason: String,
    },
    /// Nobody can run it.
    Unschedulable {
        /// What nobody has.
        reason: String,
    },
    /// It is disabled.
    Stopped {
        /// By what, if not by itself.
        reason: Option<String>,
    },
}

/// What can happen to a sensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A worker takes it.
    Claim,
    /// Its worker can not start it yet.
    Wait {
        /// For what it waits.
        reason: String,
    },
    /// A poll went well, a stream has started or committed something.
    Tick {
        /// Whether it brought events.
        events: bool,
    },
    /// A poll or a stream failed.
    Fail {
        /// Why.
        error: String,
        /// Until the next try.
        retry_in: Duration,
    },
    /// The watch: no event for long.
    Quieten {
        /// For how long.
        reason: String,
    },
    /// The watch: an expectation is broken.
    Silence {
        /// Which.
        reason: String,
    },
    /// The watch: it does not tick although it is due.
    Stick {
        /// Since when.
        reason: String,
    },
    /// The watch: what was missing is there.
    Recover,
    /// Nobody can run it.
    Strand {
        /// What nobody has.
        reason: String,
    },
    /// It shall not be polled.
    Pause {
        /// By whom, or after what.
        reason: String,
    },
    /// It shall be polled again.
    Resume,
    /// It was disabled, by itself or with its pack.
    Stop {
        /// By what, if not by itself.
        reason: Option<String>,
    },
}

/// An event that has no place in a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a sensor that is {from:?} can not take {event:?}")]
pub struct InvalidTransition {
    /// The state.
    pub from: State,
    /// The event.
    pub event: Event,
}

/// The state that follows.
///
/// Who holds the epoch knows best: a tick makes it running whatever was said before, but that somebody wants it paused. A tick
/// without events does not make it less quiet, and none makes it less silent, since an event may be there and something else
/// still be missing: the watch knows. So these two do not flap; nor does taking it over from a worker change them.
#[expect(clippy::match_same_arms, reason = "what comes first decides")]
pub fn next(state: State, event: Event) -> Result<State, InvalidTransition> {
    use Status::{Failing, Paused, Quiet, Running, Silent, Starting, Stopped, Stuck, Unschedulable};
    match (state.status(), event) {
        (_, Event::Stop { reason }) => Ok(State::Stopped { reason }),
        (_, Event::Pause { reason }) => Ok(State::Paused { reason }),
        (Paused, Event::Resume) => Ok(State::Starting { reason: None }),
        (Paused, Event::Claim | Event::Wait { .. } | Event::Tick { .. } | Event::Fail { .. }) => Ok(state),
        (_, Event::Fail { error, retry_in }) => Ok(State::Failing { error, retry_in }),
        (Quiet, Event::Tick { events: false }) | (Silent, Event::Tick { .. }) => Ok(state),
        (_, Event::Tick { .. }) => Ok(State::Running),
        (Running | Quiet | Silent | Failing, Event::Claim) => Ok(state),
        (Starting | Stuck | Unschedulable | Stopped, Event::Claim) => Ok(State::Starting { reason: None }),
        (Stuck, Event::Wait { .. }) => Ok(state),
        (_, Event::Wait { reason }) => Ok(State::Starting { reason: Some(reason) }),
        (Running | Silent, Event::Quieten { reason }) => Ok(State::Quiet { reason }),
        (Running | Quiet | Silent, Event::Silence { reason }) => Ok(State::Silent { reason }),
        (Silent | Stuck, Event::Recover) => Ok(State::Running),
        (Starting | Running | Quiet | Silent | Failing, Event::Stick { reason }) => {
            Ok(State::Stuck { reason })
        }
        (
            Starting | Running | Quiet | Silent | Stuck | Failing | Unschedulable | Stopped,
            Event::Strand { reason },
        ) => Ok(State::Unschedulable { reason }),
        (_, event) => Err(InvalidTransition { from: state, event }),
    }
}

impl State {
    /// The status column.
    pub fn status(&self) -> Status {
        match self {
            Self::Starting { .. } => Status::Starting,
            Self::Running => Status::Running,
            Self::Quiet { .. } => Status::Quiet,
            Self::Silent { .. } => Status::Silent,
            Self::Stuck { .. } => Status::Stuck,
            Self::Failing { .. } => Status::Failing,
            Self::Paused { .. } => Status::Paused,
            Self::Unschedulable { .. } => Status::Unschedulable,
            Self::Stopped { .. } => Status::Stopped,
        }
    }

    /// The reason column. Why it is failing is in the column of the last error.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Starting { reason } | Self::Stopped { reason } => reason.as_deref(),
            Self::Quiet { reason }
            | Self::Silent { reason }
            | Self::Stuck { reason }
            | Self::Paused { reason }
            | Self::Unschedulable { reason } => Some(reason),
            Self::Running | Self::Failing { .. } => None,
        }
    }

    /// A state as its columns say, as far as they do.
    pub fn of_columns(status: Status, reason: Option<String>) -> Self {
        let said = reason.clone().unwrap_or_default();
        match status {
            Status::Starting => Self::Starting { reason },
            Status::Running => Self::Running,
            Status::Quiet => Self::Quiet { reason: said },
            Status::Silent => Self::Silent { reason: said },
            Status::Stuck => Self::Stuck { reason: said },
            Status::Failing => Self::Failing { error: said, retry_in: Duration::ZERO },
            Status::Paused => Self::Paused { reason: said },
            Status::Unschedulable => Self::Unschedulable { reason: said },
            Status::Stopped => Self::Stopped { reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn why() -> String {
        "because".to_owned()
    }

    fn states() -> Vec<State> {
        Status::ALL.into_iter().map(|status| State::of_columns(status, Some("before".to_owned()))).collect()
    }

    fn events() -> Vec<(&'static str, Event)> {
        let (reason, error) = (why(), why());
        vec![
            ("claim", Event::Claim),
            ("wait", Event::Wait { reason: why() }),
            ("tick", Event::Tick { events: false }),
            ("events", Event::Tick { events: true }),
            ("fail", Event::Fail { error, retry_in: Duration::from_secs(1) }),
            ("quieten", Event::Quieten { reason: why() }),
            ("silence", Event::Silence { reason: why() }),
            ("stick", Event::Stick { reason: why() }),
            ("recover", Event::Recover),
            ("strand", Event::Strand { reason: why() }),
            ("pause", Event::Pause { reason: why() }),
            ("resume", Event::Resume),
            ("stop", Event::Stop { reason: Some(reason) }),
        ]
    }

    /// Each pair, written out: what follows, `-` for nothing. The columns are the states in the order of [`Status::ALL`].
    const TABLE: &str = "
        claim    starting      running       quiet         silent        starting      failing       paused starting      starting
        wait     starting      starting      starting      starting      stuck         starting      paused starting      starting
        tick     running       running       quiet         silent        running       running       paused running       running
        events   running       running       running       silent        running       running       paused running       running
        fail     failing       failing       failing       failing       failing       failing       paused failing       failing
        quieten  -             quiet         -             quiet         -             -             -      -             -
        silence  -             silent        silent        silent        -             -             -      -             -
        stick    stuck         stuck         stuck         stuck         -             stuck         -      -             -
        recover  -             -             -             running       running       -             -      -             -
        strand   unschedulable unschedulable unschedulable unschedulable unschedulable unschedulable -      unschedulable unschedulable
        pause    paused        paused        paused        paused        paused        paused        paused paused        paused
        resume   -             -             -             -             -             -             starting -           -
        stop     stopped       stopped       stopped       stopped       stopped       stopped       stopped stopped      stopped";

    #[test]
    fn every_pair() {
        let rows: Vec<Vec<&str>> =
            TABLE.trim().lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows.len(), events().len());
        for (row, (name, event)) in rows.iter().zip(events()) {
            assert_eq!((row[0], row.len()), (name, 1 + Status::ALL.len()));
            for (state, expected) in states().into_iter().zip(&row[1..]) {
                let following = next(state.clone(), event.clone());
                let status = following.map_or("-", |following| following.status().as_str());
                assert_eq!(status, *expected, "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn what_is_refused_is_named() {
        let refused = next(State::Running, Event::Resume).unwrap_err();
        assert_eq!(refused.to_string(), "a sensor that is Running can not take Resume");
    }

    proptest! {
        /// Whatever happens: what stands still has a reason, a pause lasts until somebody ends it, and nothing but the watch
        /// makes a silent sensor running by itself.
        #[test]
        fn no_state_is_left_without_a_reason(choices in prop::collection::vec(0..13_usize, 0..80)) {
            let mut state = State::Starting { reason: None };
            for choice in choices {
                let (name, event) = events().swap_remove(choice);
                let Ok(following) = next(state.clone(), event) else { continue };
                let needs_reason = !matches!(following.status(),
                    Status::Starting | Status::Running | Status::Failing | Status::Stopped);
                prop_assert!(!needs_reason || following.reason().is_some_and(|reason| !reason.is_empty()));
                if state.status() == Status::Paused && following.status() != Status::Paused {
                    prop_assert!(["resume", "stop"].contains(&name));
                }
                if state.status() == Status::Silent && following.status() == Status::Running {
                    prop_assert_eq!(name, "recover");
                }
                state = following;
            }
        }
    }
}
