//! `tests/*.yaml`: one test of a sensor or of a rule, run by its author before the pack is loaded.
//!
//! A test is no thing of the pack: it has no ref and no row. It is checked with the rest, so that a test that names what
//! is no longer there is found where it is written.

use std::path::Path;

use serde_json::{Value, json};

use super::Kind;
use super::expectation::{PollExpectation, RuleExpectation};
use super::fields::Fields;
use super::yaml::Node;

/// The directory of a pack that holds one file for each.
pub(super) const TESTS: &str = "tests";

const SENSOR_KEYS: &[&str] = &["sensor", "config", "state", "expect"];
const RULE_KEYS: &[&str] = &["rule", "event", "expect"];

/// One test.
#[derive(Clone, Debug, PartialEq)]
pub struct PackTest {
    /// Path from the pack's root.
    pub file: String,
    /// What is tested, and how.
    pub subject: Subject,
}

/// What is tested, and how.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// One poll of a sensor.
    Sensor {
        /// Its ref.
        sensor: String,
        /// Put over the sensor's own configuration, key by key.
        config: Value,
        /// What it remembers.
        state: Value,
        /// What has to come of it.
        expect: PollExpectation,
    },
    /// One event before a rule.
    Rule {
        /// Its ref.
        rule: String,
        /// The event, or its payload alone.
        event: Value,
        /// What has to come of it.
        expect: RuleExpectation,
    },
}

impl PackTest {
    /// Its name in a report: that of its file.
    pub fn name(&self) -> &str {
        Path::new(&self.file).file_stem().and_then(|name| name.to_str()).unwrap_or(&self.file)
    }

    /// The keys that belong to what the file tests.
    pub(super) fn keys(node: &Node) -> &'static [&'static str] {
        if node.entry("rule").is_some() { RULE_KEYS } else { SENSOR_KEYS }
    }

    pub(super) fn read(file: &str, fields: &mut Fields<'_>) -> Self {
        let subject = if fields.get("rule").is_some() { rule(fields) } else { sensor(fields) };
        Self { file: file.to_owned(), subject }
    }
}

fn sensor(fields: &mut Fields<'_>) -> Subject {
    Subject::Sensor {
        sensor: fields.own_reference("sensor", Kind::Sensor),
        config: fields.object("config"),
        state: fields.object("state"),
        expect: fields.nested("expect", PollExpectation::KEYS, PollExpectation::read).unwrap_or_default(),
    }
}

fn rule(fields: &mut Fields<'_>) -> Subject {
    Subject::Rule {
        rule: fields.own_reference("rule", Kind::Rule),
        event: fields.optional_object("event").unwrap_or_else(|| json!({})),
        expect: fields.nested("expect", RuleExpectation::KEYS, RuleExpectation::read).unwrap_or_default(),
    }
}
