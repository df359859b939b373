//! How long to wait for a peer that sends or receives too slowly.

use std::time::Duration;

use crate::limits::Limits;

/// Time that is used up by waiting and earned back by bytes, up to what there was at first. So a pause is forgiven, and one
/// byte each minute is not.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    most: Duration,
    rate: u32,
    left: Duration,
}

impl Patience {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { most: limits.stall, rate: limits.rate.max(1), left: limits.stall }
    }

    /// How much of it is left.
    pub(crate) fn left(&self) -> Duration {
        self.left
    }

    /// After a wait for these bytes.
    pub(crate) fn spend(&mut self, waited: Duration, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let earned = Duration::from_secs(1) * bytes / self.rate;
        self.left = self.left.saturating_sub(waited).saturating_add(earned).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_forgiven_and_a_trickle_is_not() {
        let limits = Limits { stall: Duration::from_secs(30), rate: 1000, ..Limits::default() };
        let mut patience = Patience::new(&limits);
        patience.spend(Duration::from_secs(29), 0);
        patience.spend(Duration::from_secs(1), 40_000);
        assert_eq!(patience.left(), Duration::from_secs(30));
        for _ in 0..3 {
            patience.spend(Duration::from_secs(10), 1);
        }
        assert!(patience.left() < Duration::from_millis(10), "{patience:?}");
    }
}
