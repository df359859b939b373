//! All samples of one name.

use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

/// A name with what it says and how it moves.
#[derive(Debug)]
pub(super) struct Name {
    /// As Prometheus has it.
    pub(super) name: &'static str,
    /// For whoever reads the page.
    pub(super) help: &'static str,
    /// Whether it only rises.
    pub(super) is_counter: bool,
}

/// The samples of one name.
#[derive(Debug)]
pub(super) struct Family {
    name: &'static Name,
    metrics: Vec<Metric>,
}

impl Family {
    pub(super) fn new(name: &'static Name) -> Self {
        Self { name, metrics: Vec::new() }
    }

    /// Adds a sample with these labels.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        let mut metric = Metric::from_label(labels.iter().map(|(name, value)| label(name, value)).collect());
        if self.name.is_counter {
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
        family.set_name(self.name.name.to_owned());
        family.set_help(self.name.help.to_owned());
        family.set_field_type(if self.name.is_counter { MetricType::COUNTER } else { MetricType::GAUGE });
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
