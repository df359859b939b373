//! Percentiles of durations.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Collects durations with microsecond resolution.
#[derive(Debug)]
pub(crate) struct Summary(Histogram<u64>);

impl Summary {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self(Histogram::new(3)?))
    }

    pub(crate) fn record(&mut self, duration: Duration) -> anyhow::Result<()> {
        Ok(self.0.record(u64::try_from(duration.as_micros())?)?)
    }

    /// Half of them took longer.
    pub(crate) fn median(&self) -> Duration {
        Duration::from_micros(self.0.value_at_quantile(0.5))
    }

    /// One of a hundred took longer.
    pub(crate) fn p99(&self) -> Duration {
        Duration::from_micros(self.0.value_at_quantile(0.99))
    }

    /// None of them took longer.
    pub(crate) fn longest(&self) -> Duration {
        Duration::from_micros(self.0.max())
    }

    /// `n=… p50=… p90=… p99=… p99.9=… max=…` in milliseconds.
    pub(crate) fn line(&self) -> String {
        let at = |quantile: f64| millis(self.0.value_at_quantile(quantile));
        format!(
            "n={} p50={} p90={} p99={} p99.9={} max={} (ms)",
            self.0.len(),
            at(0.5),
            at(0.9),
            at(0.99),
            at(0.999),
            millis(self.0.max())
        )
    }
}

fn millis(micros: u64) -> String {
    format!("{}.{:02}", micros / 1000, micros % 1000 / 10)
}
