//! All triggers and enabled rules at one config version.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use attune_common::repositories::rule::{RuleRow, RuleSet, TriggerRow};
use attune_core::schema::Schema;
use serde_json::{Value, json};

use super::CompiledRule;
use super::compiled::{ActionSchemas, canonical_params};

/// Everything that matching needs, as of one config version.
#[derive(Debug, Default)]
pub struct RuleBook {
    /// `config_version.version` when it was read.
    pub version: i64,
    triggers: HashMap<String, Trigger>,
    /// By ref.
    broken: HashMap<String, Broken>,
}

/// A rule that does not compile.
#[derive(Debug, Clone)]
struct Broken {
    id: i64,
    fingerprint: i64,
    reason: String,
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
    /// Enabled rules, by their parameters for the trigger, then by id.
    pub rules: Vec<Arc<CompiledRule>>,
    r#ref: String,
    param_schema: Schema,
    no_params: String,
}

impl RuleBook {
    /// The book as it is after a change. What is as it was is not compiled again: with 50,000 rules that takes a second. A
    /// rule that does not compile is left out, and reported once.
    #[must_use]
    pub fn renewed(&self, set: RuleSet) -> Self {
        let is_kept = |id, fingerprint| set.fingerprints.get(&id) == Some(&fingerprint);
        let mut broken = self.broken.clone();
        broken.retain(|_, it| is_kept(it.id, it.fingerprint));
        let mut by_trigger: HashMap<i64, Vec<RuleRow>> = HashMap::new();
        for rule in set.rules {
            by_trigger.entry(rule.trigger).or_default().push(rule);
        }
        let (mut triggers, mut actions) = (HashMap::new(), ActionSchemas::default());
        for row in set.triggers {
            let mut trigger = Trigger::alone(&row);
            let before = self.trigger(&row.r#ref).map_or(&[][..], |before| &before.rules);
            let kept = before.iter().filter(|rule| is_kept(rule.id, rule.fingerprint));
            trigger.rules.extend(kept.cloned());
            trigger.take(by_trigger.remove(&row.id).unwrap_or_default(), &mut actions, &mut broken);
            triggers.insert(row.r#ref, trigger);
        }
        Self { version: set.version, triggers, broken }
    }

    /// What was compiled: rules with the fingerprints of their rows.
    pub fn fingerprints(&self) -> BTreeMap<i64, i64> {
        let rules = self.triggers.values().flat_map(|trigger| &trigger.rules);
        let rules = rules.map(|rule| (rule.id, rule.fingerprint));
        rules.chain(self.broken.values().map(|it| (it.id, it.fingerprint))).collect()
    }

    /// Why the rule of this ref was left out, when it was.
    pub fn fault(&self, rule: &str) -> Option<&str> {
        self.broken.get(rule).map(|it| it.reason.as_str())
    }

    /// The trigger with this ref.
    pub fn trigger(&self, r#ref: &str) -> Option<&Trigger> {
        self.triggers.get(r#ref)
    }
}

impl Trigger {
    /// A trigger by itself, of which no rule is known.
    pub fn alone(row: &TriggerRow) -> Self {
        let param_schema = Schema::compile(&row.param_schema).unwrap_or_else(|fault| {
            tracing::warn!(trigger.ref = %row.r#ref, reason = %fault, "The trigger's param_schema is unusable; its defaults are not filled in");
            Schema::compile(&json!({})).expect("the empty schema is a schema")
        });
        Self {
            id: row.id,
            enabled: row.enabled,
            payload_schema: Schema::compile(&row.payload_schema).map_err(|fault| fault.to_string()),
            rules: Vec::new(),
            r#ref: row.r#ref.clone(),
            no_params: canonical_params(&param_schema, Some(&json!({}))),
            param_schema,
        }
    }

    /// Compiles a rule on this trigger; the reason when that can not match anything.
    pub fn rule(&self, row: RuleRow) -> Result<CompiledRule, String> {
        self.compile(row, &mut ActionSchemas::default())
    }

    fn compile(&self, row: RuleRow, actions: &mut ActionSchemas) -> Result<CompiledRule, String> {
        CompiledRule::compile(row, &self.r#ref, &self.param_schema, actions)
    }

    /// Compiles its rules. Sorted by parameters, so that of 50,000 timers' rules an event meets only its own.
    fn take(
        &mut self,
        rules: Vec<RuleRow>,
        actions: &mut ActionSchemas,
        broken: &mut HashMap<String, Broken>,
    ) {
        for row in rules {
            let (name, id, fingerprint) = (row.r#ref.clone(), row.id, row.fingerprint);
            match self.compile(row, actions) {
                Ok(rule) => self.rules.push(Arc::new(rule)),
                Err(reason) => {
                    tracing::warn!(rule.ref = %name, reason, "The rule can not match anything");
                    broken.insert(name, Broken { id, fingerprint, reason });
                }
            }
        }
        self.rules.sort_by(|a, b| a.trigger_params.cmp(&b.trigger_params).then(a.id.cmp(&b.id)));
    }

    /// Whether events may be made for these parameters; none are always allowed.
    pub fn check_params(&self, trigger_params: Option<&Value>) -> Result<(), String> {
        let Some(given) = trigger_params.filter(|params| !params.is_null()) else { return Ok(()) };
        let mut params = given.clone();
        self.param_schema.fill_defaults(&mut params);
        self.param_schema.validate(&params).map_err(|violation| violation.to_string())
    }

    /// The rules whose trigger parameters equal those of an event.
    pub fn rules_for(&self, trigger_params: Option<&Value>) -> &[Arc<CompiledRule>] {
        self.rules_of(&self.canonical(trigger_params))
    }

    /// The rules with these canonical trigger parameters.
    pub fn rules_of(&self, params: &str) -> &[Arc<CompiledRule>] {
        let from = self.rules.partition_point(|rule| *rule.trigger_params < *params);
        let count = self.rules[from..].partition_point(|rule| rule.trigger_params == params);
        &self.rules[from..from + count]
    }

    /// The parameters of an event in the form in which they are compared with a rule's.
    pub fn canonical(&self, trigger_params: Option<&Value>) -> Cow<'_, str> {
        match trigger_params {
            None | Some(Value::Null) => Cow::Borrowed(&self.no_params),
            Some(params) => Cow::Owned(canonical_params(&self.param_schema, Some(params))),
        }
    }
}
