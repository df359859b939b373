//! When an action that failed or timed out is tried again: `{max_attempts, delay, backoff, jitter}`.
//!
//! Only attempts that ended by themselves count; one whose worker was lost says nothing about the action.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

/// However the numbers multiply, nobody waits longer for a retry.
const LONGEST: f64 = 24.0 * 60.0 * 60.0;

/// A retry policy. The default one never retries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Policy {
    /// Attempts in all, the first one included.
    pub max_attempts: u32,
    /// Seconds before the second attempt.
    pub delay: f64,
    /// By how much each further wait is longer than the one before.
    pub backoff: f64,
    /// The share of a wait, from 0 to 1, by which it may be shorter or longer.
    pub jitter: f64,
}

/// What is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if at.is_empty() { String::new() } else { format!("{at}: ") })]
pub struct RetryFault {
    /// The key; empty for the whole.
    pub at: String,
    /// What is wrong.
    pub message: String,
}

impl Default for Policy {
    fn default() -> Self {
        Self { max_attempts: 1, delay: 0.0, backoff: 1.0, jitter: 0.0 }
    }
}

impl Policy {
    /// Reads a policy; what is absent has its default. All faults are reported.
    pub fn parse(value: &Value) -> Result<Self, Vec<RetryFault>> {
        let map = match value {
            Value::Null => return Ok(Self::default()),
            Value::Object(map) => map,
            _ => {
                return Err(vec![fault(
                    "",
                    "a retry policy is an object: {max_attempts, delay, backoff, jitter}",
                )]);
            }
        };
        let (mut policy, mut faults) = (Self::default(), Vec::new());
        for (key, value) in map {
            if let Err(message) = policy.set(key, value) {
                faults.push(fault(key, message));
            }
        }
        if faults.is_empty() { Ok(policy) } else { Err(faults) }
    }

    /// How long to wait after `counted_attempts` attempts that count; `None` when there were enough. `random` is from 0
    /// to 1.
    pub fn after(&self, counted_attempts: u32, random: f64) -> Option<Duration> {
        if counted_attempts >= self.max_attempts {
            return None;
        }
        let exponent = f64::from(counted_attempts.saturating_sub(1));
        let wait = (self.delay * self.backoff.powf(exponent)).min(LONGEST);
        let factor = 1.0 + self.jitter * (2.0 * random.clamp(0.0, 1.0) - 1.0);
        Some(Duration::from_secs_f64((wait * factor).clamp(0.0, LONGEST)))
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), &'static str> {
        match key {
            "max_attempts" => self.max_attempts = attempts(value)?,
            "delay" => self.delay = within(value, 0.0..=LONGEST, "is a number of seconds from 0 to 86400")?,
            "backoff" => self.backoff = within(value, 1.0..=100.0, "is a number from 1 to 100")?,
            "jitter" => self.jitter = within(value, 0.0..=1.0, "is a number from 0 to 1")?,
            _ => return Err("unknown key; there are max_attempts, delay, backoff, jitter"),
        }
        Ok(())
    }
}

fn attempts(value: &Value) -> Result<u32, &'static str> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number.filter(|number| (1..=1000).contains(number)).ok_or("is a whole number from 1 to 1000")
}

fn within(value: &Value, range: RangeInclusive<f64>, otherwise: &'static str) -> Result<f64, &'static str> {
    value.as_f64().filter(|number| range.contains(number)).ok_or(otherwise)
}

fn fault(at: &str, message: &str) -> RetryFault {
    RetryFault { at: at.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn waits(policy: &Value, random: f64) -> Vec<f64> {
        let policy = Policy::parse(policy).unwrap();
        (1..).map_while(|counted| policy.after(counted, random)).map(|wait| wait.as_secs_f64()).collect()
    }

    #[test]
    fn the_default_never_retries() {
        assert!(waits(&json!(null), 0.5).is_empty());
        assert!(waits(&json!({}), 0.5).is_empty());
    }

    #[test]
    fn waits_grow() {
        assert_eq!(waits(&json!({"max_attempts": 4, "delay": 2, "backoff": 3}), 0.5), [2.0, 6.0, 18.0]);
        assert_eq!(waits(&json!({"max_attempts": 3}), 0.5), [0.0, 0.0]);
        assert_eq!(waits(&json!({"max_attempts": 2, "delay": 10, "jitter": 0.5}), 0.0), [5.0]);
        assert_eq!(waits(&json!({"max_attempts": 2, "delay": 10, "jitter": 0.5}), 1.0), [15.0]);
    }

    #[test]
    fn faults_are_collected() {
        let faults = Policy::parse(
            &json!({"max_attempts": 0, "delay": -1, "backoff": "2", "jitter": 2, "retries": 1}),
        );
        let places: Vec<_> = faults.unwrap_err().into_iter().map(|fault| fault.at).collect();
        assert_eq!(places, ["backoff", "delay", "jitter", "max_attempts", "retries"]);
        assert_eq!(Policy::parse(&json!(3)).unwrap_err()[0].at, "");
        assert!(Policy::parse(&json!({"max_attempts": 1.5})).is_err());
    }

    proptest! {
        #[test]
        fn never_panics_and_never_waits_beyond_the_longest(
            max_attempts in 1..=1000_u32, delay in 0.0..=LONGEST, backoff in 1.0..=100.0, jitter in 0.0..=1.0,
            counted: u32, random in 0.0..=1.0,
        ) {
            let policy = Policy { max_attempts, delay, backoff, jitter };
            let wait = policy.after(counted, random);
            prop_assert_eq!(wait.is_some(), counted < max_attempts);
            prop_assert!(wait.is_none_or(|wait| wait.as_secs_f64() <= LONGEST));
        }
    }
}
