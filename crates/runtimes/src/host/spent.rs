//! What the turns of a host take of the processor.
//!
//! Only the host can tell its turns apart, so what it says is believed, but not that it took more than the machine has. What a
//! turn took that never got an answer is what the host took in all, less what is accounted for.

use std::sync::LazyLock;
use std::thread::available_parallelism;
use std::time::Duration;

use attune_core::usage::Spent;

use super::warm::Warm;

/// Asking for it means to read files.
static CORES: LazyLock<u32> = LazyLock::new(|| {
    available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX))
});

/// As much of a processor time as can be spent in this time.
pub(super) fn within(cpu: Duration, took: Duration) -> Duration {
    cpu.min(took.saturating_mul(*CORES))
}

impl Warm {
    /// What its last turn took, which had an answer after this time. The memory is not known here.
    pub(super) fn account(&mut self, took: Duration) -> Spent {
        let cpu = self.spent.cpu.map(|cpu| within(cpu, took));
        self.accounted = self.accounted.zip(cpu).map(|(before, cpu)| before.saturating_add(cpu));
        Spent { cpu, ..self.spent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_more_than_there_is() {
        let second = Duration::from_secs(1);
        assert_eq!(within(second / 2, second), second / 2);
        assert_eq!(within(Duration::MAX, second), second * *CORES);
    }
}
