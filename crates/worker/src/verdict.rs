//! Whether an attempt that ended gets a successor.

use std::time::Duration;

use attune_common::repositories::execution::Claimed;
use attune_core::retry::Policy;
use attune_core::usage::Ended;
use attune_executor::finish::Outcome;

/// Until the next attempt; `None` when this was the last. Attempts whose worker was lost do not count.
pub(crate) fn retry_in(claimed: &Claimed, outcome: &Outcome, random: f64) -> Option<Duration> {
    if matches!(outcome, Outcome::Succeeded(_) | Outcome::Cancelled) {
        return None;
    }
    let policy = Policy::parse(&claimed.action.as_ref()?.retry).unwrap_or_else(|faults| {
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        tracing::warn!(action.ref = %claimed.action_ref, faults = faults.join("; "), "The action's retry policy is unusable");
        Policy::default()
    });
    let counted = claimed.attempt.saturating_sub(i32::from(claimed.lost));
    policy.after(u32::try_from(counted).unwrap_or(0), random)
}

/// What an attempt counts as among those of its action.
pub(crate) fn ended(outcome: &Outcome) -> Ended {
    match outcome {
        Outcome::Succeeded(_) => Ended::Succeeded,
        Outcome::Failed { .. } => Ended::Failed,
        Outcome::TimedOut { .. } => Ended::TimedOut,
        Outcome::Cancelled => Ended::Stopped,
    }
}

#[cfg(test)]
mod tests {
    use attune_common::repositories::execution::ActionPlan;
    use serde_json::{Value, json};

    use super::*;

    fn claimed(attempt: i32, lost: i16, retry: Value) -> Claimed {
        let action = ActionPlan {
            id: 1,
            runtime: None,
            entrypoint: String::new(),
            timeout: None,
            retry,
            isolation: None,
            sandbox: None,
            limits: Value::Null,
            api: Value::Null,
        };
        Claimed {
            id: 1,
            attempt,
            lost,
            action_ref: "a.b".to_owned(),
            rule_ref: None,
            trigger_ref: None,
            pack_digest: None,
            params: json!({}),
            fault: None,
            action: Some(action),
        }
    }

    fn failed() -> Outcome {
        Outcome::Failed { result: None, error: "no".to_owned() }
    }

    #[test]
    fn lost_attempts_do_not_count() {
        let policy = json!({"max_attempts": 2, "delay": 3});
        let wait = Some(Duration::from_secs(3));
        assert_eq!(retry_in(&claimed(1, 0, policy.clone()), &failed(), 0.5), wait);
        assert_eq!(retry_in(&claimed(2, 0, policy.clone()), &failed(), 0.5), None);
        assert_eq!(retry_in(&claimed(4, 3, policy), &failed(), 0.5), wait);
    }

    #[test]
    fn success_and_a_wish_are_final_and_a_broken_policy_never_retries() {
        let policy = json!({"max_attempts": 9});
        assert_eq!(retry_in(&claimed(1, 0, policy.clone()), &Outcome::Succeeded(json!(1)), 0.5), None);
        assert_eq!(retry_in(&claimed(1, 0, policy), &Outcome::Cancelled, 0.5), None);
        assert_eq!(retry_in(&claimed(1, 0, json!({"max_attempts": "x"})), &failed(), 0.5), None);
    }
}
