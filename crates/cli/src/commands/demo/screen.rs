//! What the demo shows while it runs: a line per journey on stdout, notes and a progress bar on stderr.

use std::time::Duration;

use attune_common::repositories::journey::Journey;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::arguments::Format;
use crate::output;

/// A terminal, or what takes its place.
#[derive(Debug)]
pub(super) struct Screen {
    bar: ProgressBar,
    format: Format,
}

impl Screen {
    /// The bar counts the seconds; it is only drawn on a terminal.
    pub(super) fn new(format: Format, seconds: u64) -> Self {
        let bar = ProgressBar::new(seconds * 10);
        let style = ProgressStyle::with_template("{bar:40} {msg}").expect("the template is a constant");
        bar.set_style(style);
        Self { bar, format }
    }

    /// Something that the person should know.
    pub(super) fn note(&self, text: &str) {
        self.bar.suspend(|| output::note(text));
    }

    /// A journey that ended.
    pub(super) fn show(&self, journey: &Journey) -> anyhow::Result<()> {
        match self.format {
            Format::Json => Ok(()),
            Format::Table => self.bar.suspend(|| output::text(&line(journey))),
        }
    }

    /// How far the demo is.
    pub(super) fn advance(&self, elapsed: Duration, journeys: usize) {
        self.bar.set_position(u64::try_from(elapsed.as_millis() / 100).unwrap_or(u64::MAX));
        self.bar.set_message(format!("{:.0} s, {journeys} events became actions", elapsed.as_secs_f64()));
    }

    /// Takes the bar away.
    pub(super) fn close(&self) {
        self.bar.finish_and_clear();
    }
}

fn line(journey: &Journey) -> String {
    let Journey { event, sensor, trigger, rule, action, status, .. } = journey;
    let source = sensor.as_deref().unwrap_or("posted");
    let time = journey.finished.map_or_else(String::new, |time| time.format("%H:%M:%S").to_string());
    let outcome = match (&journey.error, &journey.result) {
        (Some(error), _) => error.clone(),
        (None, Some(Value::Object(result))) => {
            result.values().map(output::value).collect::<Vec<_>>().join(", ")
        }
        (None, result) => output::value(result.as_ref().unwrap_or(&Value::Null)),
    };
    format!("{time}  {source} -> event {event} {trigger} -> {rule} -> {action} {status}: {outcome}")
}
