//! `triggers/*.yaml`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::definition::{define, enabled};
use super::fields::Fields;

/// A type of event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// Its unique name.
    #[serde(skip)]
    pub r#ref: String,
    /// A short title.
    pub label: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// JSON Schema of the parameters that a rule may give.
    pub param_schema: Value,
    /// JSON Schema of an event's payload.
    pub payload_schema: Value,
    /// Events a minute that it takes; none: any number.
    #[serde(default)]
    pub max_per_minute: Option<i32>,
    /// Whether it takes events at first.
    #[serde(skip, default = "enabled")]
    pub enabled: bool,
}
define!(Trigger, Trigger);

impl Trigger {
    pub(super) const KEYS: &[&str] =
        &["ref", "label", "description", "param_schema", "payload_schema", "max_per_minute", "enabled"];

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            r#ref: fields.own_ref(),
            label: fields.text("label"),
            description: fields.text("description"),
            param_schema: fields.schema("param_schema"),
            payload_schema: fields.schema("payload_schema"),
            max_per_minute: fields.positive("max_per_minute"),
            enabled: fields.boolean("enabled", true),
        }
    }
}
