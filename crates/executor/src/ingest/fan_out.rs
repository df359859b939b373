//! How much may follow from one submission: rules that fire, and the bytes of the parameters that they render.
//!
//! It is counted while events are matched, before a rule's template is rendered, so what is refused costs at most what is
//! allowed. An event that is too much by itself is unsuitable, like one that breaks its schema. Where the events are too many
//! together, the poster is told how many fit, and what comes from elsewhere goes in in parts ([`super::Submission::split`]).

use attune_core::brakes::{
    ENFORCEMENTS_OF_A_SUBMISSION, PARAMETERS_OF_A_SUBMISSION, RULES_OF_AN_EVENT, Readable,
};

use super::error::Refusal;

/// What has followed from a submission so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FanOut {
    enforcements: usize,
    bytes: usize,
}

/// What a submission may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// So many enforcements.
    Enforcements,
    /// Parameters of so many bytes.
    Bytes,
}

/// Why an event does not fit in.
#[derive(Debug)]
pub(super) enum Excess {
    /// It would not fit in alone.
    Event(Refusal),
    /// Those before it fill the submission.
    Submission(Bound),
}

impl FanOut {
    /// Takes the rules that an event matched. The caller need not look for more than one beyond what an event may have.
    pub(super) fn take_rules(&mut self, trigger: &str, count: usize) -> Result<(), Excess> {
        if count > RULES_OF_AN_EVENT {
            return Err(Excess::Event(Refusal::TooManyRules(trigger.to_owned())));
        }
        self.enforcements += count;
        if self.enforcements > ENFORCEMENTS_OF_A_SUBMISSION {
            return Err(Excess::Submission(Bound::Enforcements));
        }
        Ok(())
    }

    /// Takes rendered parameters; `own` is what their event has rendered so far, these included.
    pub(super) fn take_bytes(&mut self, trigger: &str, own: usize, count: usize) -> Result<(), Excess> {
        if own > PARAMETERS_OF_A_SUBMISSION {
            return Err(Excess::Event(Refusal::TooManyBytes(trigger.to_owned())));
        }
        self.bytes += count;
        if self.bytes > PARAMETERS_OF_A_SUBMISSION {
            return Err(Excess::Submission(Bound::Bytes));
        }
        Ok(())
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Enforcements => {
                write!(f, "more than {} executions", Readable(ENFORCEMENTS_OF_A_SUBMISSION))
            }
            Self::Bytes => write!(
                f,
                "executions whose parameters take more than {} MB",
                PARAMETERS_OF_A_SUBMISSION / (1024 * 1024)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_several_events_fill_a_submission_and_those_of_one_are_refused() {
        let mut fan_out = FanOut::default();
        let part = PARAMETERS_OF_A_SUBMISSION / 2;
        for own in [part, part] {
            fan_out.take_bytes("a.b", own, part).unwrap();
        }
        let full = fan_out.take_bytes("a.b", 1, 1);
        assert!(matches!(full, Err(Excess::Submission(Bound::Bytes))), "{full:?}");
        let mut fan_out = FanOut::default();
        fan_out.take_bytes("a.b", part, part).unwrap();
        let large = fan_out.take_bytes("a.b", PARAMETERS_OF_A_SUBMISSION + 1, 1);
        assert!(matches!(large, Err(Excess::Event(Refusal::TooManyBytes(_)))), "{large:?}");
    }
}
