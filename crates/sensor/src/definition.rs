//! A sensor as its row says, with what is worked out once and used at every poll.

use std::collections::BTreeMap;
use std::time::Duration;

use attune_common::fuse::{self, Part, Thing};
use attune_common::repositories::sensor::SensorRow;
use attune_core::pack::{MIN_POLL_INTERVAL, Mode};
use attune_core::schedule::Policy;
use attune_core::schema::{Schema, canonical};
use attune_process::Level;
use attune_runtimes::confinement::Confinement;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::runtime::PollError;

/// Names the configuration as text.
const CONFIG: &str = "SENSOR_CONFIG";
/// Configurations beyond this many bytes are not handed over in the environment.
const SMALL: usize = 16 * 1024;

/// How far a sensor is confined that demands nothing else: it watches, so it needs no privilege that it does not have.
pub(crate) const CONFINED: Level = Level::Process;

/// A sensor, ready to be polled.
#[derive(Debug, Clone)]
pub struct Sensor {
    /// The row.
    pub row: SensorRow,
    /// Its configuration with the schema's defaults filled in.
    pub config: Value,
    /// The same with `"***"` in place of secrets, for events to point at.
    pub masked: Value,
    /// Names the masked configuration.
    pub digest: String,
    /// Variables of its polls: the configuration as text, when it is small and has no secret fields.
    pub variables: BTreeMap<String, String>,
    /// How far its program is confined.
    pub confinement: Confinement,
    /// Why its configuration can not be used.
    fault: Option<String>,
}

impl Sensor {
    /// Works out what follows from a row. A configuration that breaks its schema is found here and said at every poll.
    pub fn new(row: SensorRow) -> Self {
        let _note = fuse::note(Thing::Sensor, Part::Whole, row.id, row.version);
        if let Some(interval) = row.poll_interval.filter(|it| *it < MIN_POLL_INTERVAL.as_secs_f64()) {
            tracing::warn!(sensor.ref = %row.r#ref, interval_s = interval, "The sensor's poll_interval is too short; it is polled each 0.1 s");
        }
        let mut config = if row.config.is_null() { json!({}) } else { row.config.clone() };
        let (masked, is_public, fault) = match Schema::compile(&row.param_schema) {
            // What was put aside is not so much as compiled.
            _ if row.fault.is_some() => (json!("***"), false, row.fault.clone()),
            Err(fault) => (json!("***"), false, Some(format!("param_schema: {fault}"))),
            Ok(schema) => {
                let filled = schema.fill_defaults(&mut config).and_then(|()| schema.validate(&config));
                let fault = filled.err().map(|violation| format!("config: {violation}"));
                (schema.mask(&config), !schema.has_secrets(), fault)
            }
        };
        let digest = hex::encode(Sha256::digest(canonical(&masked)));
        let public = is_public.then(|| config.to_string()).filter(|text| text.len() <= SMALL);
        let variables = public.map(|text| (CONFIG.to_owned(), text)).into_iter().collect();
        let confinement = Confinement::read(row.sandbox.as_deref(), &row.limits, CONFINED);
        let fault = confinement.as_ref().err().cloned().or(fault);
        let confinement = confinement.unwrap_or(Confinement::at(CONFINED));
        Self { row, config, masked, digest, variables, confinement, fault }
    }

    /// It runs on and emits as it goes.
    pub(crate) fn is_stream(&self) -> bool {
        self.row.mode == Mode::Stream.as_str()
    }

    /// How often it is polled, when it says so itself.
    pub fn interval(&self) -> Option<Duration> {
        seconds(self.row.poll_interval).map(|interval| interval.max(MIN_POLL_INTERVAL))
    }

    /// What becomes of ticks that it missed.
    pub fn missed(&self) -> Policy {
        Policy::of_text(&self.row.missed).unwrap_or_default()
    }

    /// By how much its ticks may be moved.
    pub fn jitter(&self) -> Duration {
        seconds(self.row.jitter).unwrap_or_default()
    }

    /// How often it sends a canary, if it does.
    pub fn canary(&self) -> Option<Duration> {
        seconds(self.row.canary)
    }

    /// How long a poll may take, when it says so itself.
    pub fn timeout(&self) -> Option<Duration> {
        seconds(self.row.timeout)
    }

    /// The configuration breaks its schema, or the schema is none.
    pub(crate) fn check(&self) -> Result<(), PollError> {
        self.fault.clone().map_or(Ok(()), |fault| Err(PollError::Config(fault)))
    }

    /// The trigger that an event means: by ref, or by its last part; else the first.
    pub(crate) fn trigger_of(&self, payload: &Value) -> Option<&String> {
        let named = payload.get("event_type").and_then(Value::as_str).and_then(|name| {
            let last_part = |trigger: &str| trigger.rsplit('.').next() == Some(name);
            let triggers = &self.row.triggers;
            triggers
                .iter()
                .find(|trigger| *trigger == name)
                .or_else(|| triggers.iter().find(|t| last_part(t)))
        });
        named.or_else(|| self.row.triggers.first())
    }
}

fn seconds(seconds: Option<f64>) -> Option<Duration> {
    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).filter(|time| !time.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::tests::row;

    #[test]
    fn an_event_type_chooses_the_trigger_by_ref_or_last_part() {
        let mut row = row();
        row.triggers = ["demo.first", "demo.high_cpu", "other.high_cpu"].map(str::to_owned).to_vec();
        let sensor = Sensor::new(row);
        for (event_type, expected) in [
            (json!("high_cpu"), "demo.high_cpu"),
            (json!("other.high_cpu"), "other.high_cpu"),
            (json!("unknown"), "demo.first"),
            (json!(7), "demo.first"),
        ] {
            assert_eq!(sensor.trigger_of(&json!({"event_type": event_type})).unwrap(), expected);
        }
        assert_eq!(sensor.trigger_of(&json!({})).unwrap(), "demo.first");
    }

    #[test]
    fn defaults_are_filled_in_and_secrets_are_hidden() {
        let mut row = row();
        row.config = json!({"token": "hush"});
        row.param_schema = json!({"properties": {"token": {"secret": true}, "limit": {"default": 80}}});
        let sensor = Sensor::new(row);
        assert_eq!(sensor.config, json!({"token": "hush", "limit": 80}));
        assert_eq!(sensor.masked, json!({"token": "***", "limit": 80}));
        assert!(sensor.variables.is_empty());
        assert!(sensor.check().is_ok());
    }

    #[test]
    fn a_sensor_is_not_polled_more_often_than_ten_times_a_second() {
        let mut row = row();
        row.poll_interval = Some(1e-9);
        assert_eq!(Sensor::new(row.clone()).interval(), Some(MIN_POLL_INTERVAL));
        row.poll_interval = Some(0.25);
        assert_eq!(Sensor::new(row).interval(), Some(Duration::from_millis(250)));
    }

    #[test]
    fn a_configuration_that_breaks_its_schema_is_said() {
        let mut row = row();
        row.config = json!({"limit": "x"});
        row.param_schema = json!({"properties": {"limit": {"type": "integer"}}});
        let error = Sensor::new(row.clone()).check().unwrap_err().to_string();
        assert!(error.starts_with("config: limit: "), "{error}");
        row.param_schema = json!({"type": 7});
        assert!(Sensor::new(row).check().unwrap_err().to_string().starts_with("param_schema: "));
    }
}
