//! `rules/*.yaml`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Kind;
use super::definition::{define, enabled};
use super::fields::Fields;

/// Which events lead to which action, with which parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Its unique name.
    #[serde(skip)]
    pub r#ref: String,
    /// A short title.
    pub label: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// The ref of the trigger whose events it sees.
    pub trigger: String,
    /// What an event must be like, see [`crate::conditions`].
    pub conditions: Value,
    /// Parameters for the trigger.
    pub trigger_params: Value,
    /// The ref of the action.
    pub action: String,
    /// Parameters for the action, see [`crate::template`].
    pub action_params: Value,
    /// Events a minute that it acts on; none: any number.
    #[serde(default)]
    pub max_per_minute: Option<i32>,
    /// Whether it is in force at first.
    #[serde(skip, default = "enabled")]
    pub enabled: bool,
}
define!(Rule, Rule);

impl Rule {
    pub(super) const KEYS: &[&str] = &[
        "ref",
        "label",
        "description",
        "trigger",
        "conditions",
        "trigger_params",
        "action",
        "action_params",
        "max_per_minute",
        "enabled",
    ];

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            r#ref: fields.own_ref(),
            label: fields.text("label"),
            description: fields.text("description"),
            trigger: fields.reference("trigger", Kind::Trigger),
            conditions: fields.conditions("conditions"),
            trigger_params: fields.object("trigger_params"),
            action: fields.reference("action", Kind::Action),
            action_params: fields.templates("action_params"),
            max_per_minute: fields.positive("max_per_minute"),
            enabled: fields.boolean("enabled", true),
        }
    }
}
