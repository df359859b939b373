//! How long a failing sensor waits: twice as long after each failure in a row, up to a cap, with jitter, so that the
//! sensors of a service that went down do not all come back in the same second.

use std::time::Duration;

/// The longest wait of who failed.
const FAILED: Duration = Duration::from_mins(5);
/// The longest wait of who was killed from outside, which says little about the next time. It waits at all, because a kernel
/// without memory kills who took it.
const KILLED: Duration = Duration::from_secs(10);

/// The longest wait of who failed, or was killed from outside.
pub fn cap(was_killed: bool) -> Duration {
    if was_killed { KILLED } else { FAILED }
}

/// The wait after `failures` failures in a row: between half and all of `base · 2^(failures - 1)`, at most `cap`.
/// `random` is from 0 to 1. No failure, no wait.
pub fn delay(base: Duration, cap: Duration, failures: u32, random: f64) -> Duration {
    let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
    let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
    let longest = base.saturating_mul(factor).min(cap);
    longest.mul_f64(0.5 + 0.5 * random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BASE: Duration = Duration::from_secs(2);
    const CAP: Duration = Duration::from_mins(5);

    #[test]
    fn doubles_up_to_the_cap() {
        let seconds =
            [0, 1, 2, 3, 8, 9, 1000, u32::MAX].map(|failures| delay(BASE, CAP, failures, 1.0).as_secs());
        assert_eq!(seconds, [0, 2, 4, 8, 256, 300, 300, 300]);
        assert_eq!(delay(BASE, CAP, 3, 0.0), Duration::from_secs(4));
    }

    proptest! {
        #[test]
        fn stays_within_its_bounds(base: u32, cap: u32, failures: u32, random: f64) {
            prop_assume!(!random.is_nan());
            let (base, cap) = (Duration::from_millis(base.into()), Duration::from_millis(cap.into()));
            let waited = delay(base, cap, failures, random);
            prop_assert!(waited <= cap);
            prop_assert!(failures == 0 || waited >= base.min(cap) / 2);
        }
    }
}
