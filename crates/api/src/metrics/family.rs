//! All samples of one name.

use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

/// What is measured: its name, what it says, and how it moves.
#[derive(Debug)]
pub(super) struct Measure {
    /// As Prometheus has it.
    pub(super) name: &'static str,
    /// For the reader of the page.
    pub(super) help: &'static str,
    /// Whether it only rises.
    pub(super) is_counter: bool,
    /// As many of what is counted here are one of what Prometheus has.
    pub(super) scale: Scale,
}

/// From the units of columns to base units.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scale {
    /// They are.
    One,
    /// Milliseconds to seconds.
    Milli,
    /// Microseconds to seconds.
    Micro,
}

impl Scale {
    #[expect(clippy::cast_precision_loss, reason = "the format knows nothing but floats")]
    fn apply(self, count: i64) -> f64 {
        match self {
            Self::One => count as f64,
            Self::Milli => count as f64 / 1e3,
            Self::Micro => count as f64 / 1e6,
        }
    }
}

/// The samples of one name.
#[derive(Debug)]
pub(super) struct Family {
    measure: &'static Measure,
    metrics: Vec<Metric>,
}

impl Family {
    pub(super) fn new(measure: &'static Measure) -> Self {
        Self { measure, metrics: Vec::new() }
    }

    /// Adds a sample with these labels, counted in the units of the name's scale.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], count: i64) {
        let value = self.measure.scale.apply(count);
        let mut metric = Metric::from_label(labels.iter().map(|(name, value)| label(name, value)).collect());
        if self.measure.is_counter {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        self.metrics.push(metric);
    }

    /// The family, unless it has no sample.
    pub(super) fn into_inner(self) -> Option<MetricFamily> {
        if self.metrics.is_empty() {
            return None;
        }
        let mut family = MetricFamily::default();
        family.set_name(self.measure.name.to_owned());
        family.set_help(self.measure.help.to_owned());
        family.set_field_type(if self.measure.is_counter { MetricType::COUNTER } else { MetricType::GAUGE });
        family.set_metric(self.metrics);
        Some(family)
    }
}

fn label(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}
