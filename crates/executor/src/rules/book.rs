//! All triggers and enabled rules at one config version.

use std::borrow::Cow;
use std::collections::HashMap;

use attune_common::repositories::rule::{RuleRow, RuleSet, TriggerRow};
use attune_core::schema::Schema;
use serde_json::{Value, json};

use super::CompiledRule;
use super::compiled::canonical_params;

/// Everything that matching needs, as of one config version.
#[derive(Debug, Default)]
pub struct RuleBook {
    /// `config_version.version` when it was read.
    pub version: i64,
    triggers: HashMap<String, Trigger>,
}

/// A trigger with its rules.
#[derive(Debug)]
pub struct Trigger {
    /// `trigger.id`.
    pub id: i64,
    /// Events of a disabled trigger are refused.
    pub enabled: bool,
    /// What the payload must look like; the reason when the stored schema is none.
    pub payload_schema: Result<Schema, String>,
    /// Enabled rules, by id.
    pub rules: Vec<CompiledRule>,
    param_schema: Schema,
    no_params: String,
}

impl RuleBook {
    /// Compiles what was read. A rule that does not compile is left out and reported once per book.
    pub fn compile(set: RuleSet) -> Self {
        let mut by_trigger: HashMap<i64, Vec<RuleRow>> = HashMap::new();
        for rule in set.rules {
            by_trigger.entry(rule.trigger).or_default().push(rule);
        }
        let triggers = set
            .triggers
            .into_iter()
            .map(|row| {
                let rules = by_trigger.remove(&row.id).unwrap_or_default();
                (row.r#ref.clone(), Trigger::compile(&row, rules))
            })
            .collect();
        Self { version: set.version, triggers }
    }

    /// The trigger with this ref.
    pub fn trigger(&self, r#ref: &str) -> Option<&Trigger> {
        self.triggers.get(r#ref)
    }
}

impl Trigger {
    /// A trigger by itself, of which no rule is known.
    pub fn alone(row: &TriggerRow) -> Self {
        Self::compile(row, Vec::new())
    }

    /// Compiles a rule on this trigger; the reason when that can not match anything.
    pub fn rule(&self, row: RuleRow) -> Result<CompiledRule, String> {
        CompiledRule::compile(row, &self.param_schema)
    }

    fn compile(row: &TriggerRow, rules: Vec<RuleRow>) -> Self {
        let param_schema = Schema::compile(&row.param_schema).unwrap_or_else(|fault| {
            tracing::warn!(trigger.ref = %row.r#ref, reason = %fault, "The trigger's param_schema is unusable; its defaults are not filled in");
            Schema::compile(&json!({})).expect("the empty schema is a schema")
        });
        let rules = rules.into_iter().filter_map(|rule| compile_rule(rule, &param_schema)).collect();
        Self {
            id: row.id,
            enabled: row.enabled,
            payload_schema: Schema::compile(&row.payload_schema).map_err(|fault| fault.to_string()),
            rules,
            no_params: canonical_params(&param_schema, Some(&json!({}))),
            param_schema,
        }
    }

    /// Whether events may be made for these parameters; none are always allowed.
    pub fn check_params(&self, trigger_params: Option<&Value>) -> Result<(), String> {
        let Some(given) = trigger_params.filter(|params| !params.is_null()) else { return Ok(()) };
        let mut params = given.clone();
        self.param_schema.fill_defaults(&mut params);
        self.param_schema.validate(&params).map_err(|violation| violation.to_string())
    }

    /// The rules whose trigger parameters equal those of an event.
    pub fn rules_for(&self, trigger_params: Option<&Value>) -> impl Iterator<Item = &CompiledRule> {
        let wanted = self.canonical(trigger_params);
        self.rules.iter().filter(move |rule| rule.trigger_params == *wanted)
    }

    /// The parameters of an event in the form in which they are compared with a rule's.
    pub fn canonical(&self, trigger_params: Option<&Value>) -> Cow<'_, str> {
        match trigger_params {
            None | Some(Value::Null) => Cow::Borrowed(&self.no_params),
            Some(params) => Cow::Owned(canonical_params(&self.param_schema, Some(params))),
        }
    }
}

fn compile_rule(row: RuleRow, param_schema: &Schema) -> Option<CompiledRule> {
    let name = row.r#ref.clone();
    CompiledRule::compile(row, param_schema)
        .inspect_err(|reason| tracing::warn!(rule.ref = %name, reason, "The rule can not match anything"))
        .ok()
}
