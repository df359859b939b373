//! All triggers and enabled rules at one config version.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use attune_common::fuse::{self, Note, Part, Thing};
use attune_common::repositories::config_version::Changed;
use attune_common::repositories::rule::{RuleRow, RuleSet, TriggerRow};
use attune_core::schema::{self, Schema};
use serde_json::{Value, json};

use super::CompiledRule;
use super::compiled::{ActionSchemas, canonical_params};

/// Everything that matching needs, as of one config version.
#[derive(Debug, Default)]
pub struct RuleBook {
    /// `config_version.version` when it was read.
    pub version: i64,
    /// By ref. A trigger whose rules are as they were is shared with the book before.
    triggers: HashMap<String, Arc<Trigger>>,
    /// By ref.
    broken: HashMap<String, Broken>,
}

/// A rule that does not compile.
#[derive(Debug, Clone)]
struct Broken {
    id: i64,
    reason: String,
}

/// A trigger with its rules.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// `trigger.id`.
    pub id: i64,
    /// Events of a disabled trigger are refused.
    pub enabled: bool,
    /// Events that it takes in a minute; `None`: any number.
    pub max_per_minute: Option<i32>,
    /// What the payload must look like; the reason when the stored schema is none.
    pub payload_schema: Result<Arc<Schema>, String>,
    /// Enabled rules, by their parameters for the trigger, then by id.
    pub rules: Vec<Arc<CompiledRule>>,
    version: i64,
    r#ref: String,
    param_schema: Arc<Schema>,
    no_params: String,
}

impl RuleBook {
    /// The book as it is after a change. What is as it was is not compiled again: with 50,000 rules that takes a second. A
    /// rule that does not compile is left out, and reported once.
    #[must_use]
    pub fn renewed(&self, version: i64, set: RuleSet) -> Self {
        let mut broken = self.broken.clone();
        broken.retain(|_, it| set.changed_rules.keeps(it.id));
        let mut new: HashMap<i64, Vec<RuleRow>> = HashMap::new();
        for rule in set.rules {
            new.entry(rule.trigger).or_default().push(rule);
        }
        let mut actions = ActionSchemas::default();
        let mut triggers = self.renewed_triggers(&set.changed_triggers, &set.triggers);
        for trigger in triggers.values_mut() {
            let new = new.remove(&trigger.id).unwrap_or_default();
            if !new.is_empty() || trigger.rules.iter().any(|rule| !set.changed_rules.keeps(rule.id)) {
                let trigger = Arc::make_mut(trigger);
                trigger.rules.retain(|rule| set.changed_rules.keeps(rule.id));
                trigger.take(new, &mut actions, &mut broken);
            }
        }
        Self { version, triggers, broken }
    }

    /// The triggers as they are now, with the rules that they had.
    fn renewed_triggers(&self, changed: &Changed, rows: &[TriggerRow]) -> HashMap<String, Arc<Trigger>> {
        let (kept, before): (Vec<_>, Vec<_>) = self.triggers.values().partition(|it| changed.keeps(it.id));
        let before: HashMap<i64, _> = before.into_iter().map(|it| (it.id, it)).collect();
        let renewed = rows.iter().map(|row| {
            let before = before.get(&row.id);
            let rules = before.map(|it| it.rules.clone()).unwrap_or_default();
            Arc::new(Trigger { rules, ..Trigger::alone(row) })
        });
        let kept = kept.into_iter().cloned();
        kept.chain(renewed).map(|trigger| (trigger.r#ref.clone(), trigger)).collect()
    }

    /// Why the rule of this ref was left out, when it was.
    pub fn fault(&self, rule: &str) -> Option<&str> {
        self.broken.get(rule).map(|it| it.reason.as_str())
    }

    /// The trigger with this ref.
    pub fn trigger(&self, r#ref: &str) -> Option<&Arc<Trigger>> {
        self.triggers.get(r#ref)
    }
}

impl Trigger {
    /// A trigger by itself, of which no rule is known.
    pub fn alone(row: &TriggerRow) -> Self {
        let _note = fuse::note(Thing::Trigger, Part::Whole, row.id, row.version);
        // What was put aside is not so much as compiled.
        let none = Value::Null;
        let given = if row.fault.is_none() { &row.param_schema } else { &none };
        let param_schema = Schema::compile(given).unwrap_or_else(|fault| {
            tracing::warn!(trigger.ref = %row.r#ref, reason = %fault, "The trigger's param_schema is unusable; its defaults are not filled in");
            Schema::compile(&json!({})).expect("the empty schema is a schema")
        });
        Self {
            id: row.id,
            enabled: row.enabled,
            payload_schema: payload_schema(row),
            max_per_minute: row.max_per_minute,
            rules: Vec::new(),
            version: row.version,
            r#ref: row.r#ref.clone(),
            no_params: canonical_params(&param_schema, Some(&json!({}))).unwrap_or_else(|_| "{}".to_owned()),
            param_schema: Arc::new(param_schema),
        }
    }

    /// Compiles a rule on this trigger; the reason when that can not match anything.
    pub fn rule(&self, row: RuleRow) -> Result<CompiledRule, String> {
        self.compile(row, &mut ActionSchemas::default())
    }

    fn compile(&self, row: RuleRow, actions: &mut ActionSchemas) -> Result<CompiledRule, String> {
        let _note = fuse::note(Thing::Rule, Part::Whole, row.id, row.version);
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
            let (name, id) = (row.r#ref.clone(), row.id);
            match self.compile(row, actions) {
                Ok(rule) => self.rules.push(Arc::new(rule)),
                Err(reason) => {
                    tracing::warn!(rule.ref = %name, reason, "The rule can not match anything");
                    broken.insert(name, Broken { id, reason });
                }
            }
        }
        self.rules.sort_by(|a, b| a.trigger_params.cmp(&b.trigger_params).then(a.id.cmp(&b.id)));
    }

    /// That its schemas are evaluated.
    pub(crate) fn note(&self) -> Note {
        fuse::note(Thing::Trigger, Part::Check, self.id, self.version)
    }

    /// Whether events may be made for these parameters; none are always allowed.
    pub fn check_params(&self, trigger_params: Option<&Value>) -> Result<(), String> {
        let Some(given) = trigger_params.filter(|params| !params.is_null()) else { return Ok(()) };
        let _note = self.note();
        let mut params = given.clone();
        let filled = self.param_schema.fill_defaults(&mut params);
        filled.and_then(|()| self.param_schema.validate(&params)).map_err(|violation| violation.to_string())
    }

    /// Where the rules stand whose trigger parameters equal those of an event.
    pub(crate) fn places_for(&self, trigger_params: Option<&Value>) -> Range<usize> {
        self.places_of(&self.canonical(trigger_params))
    }

    /// The rules with these canonical trigger parameters.
    pub fn rules_of(&self, params: &str) -> &[Arc<CompiledRule>] {
        &self.rules[self.places_of(params)]
    }

    fn places_of(&self, params: &str) -> Range<usize> {
        let from = self.rules.partition_point(|rule| *rule.trigger_params < *params);
        let count = self.rules[from..].partition_point(|rule| rule.trigger_params == params);
        from..from + count
    }

    /// The parameters of an event in the form in which they are compared with a rule's.
    pub fn canonical(&self, trigger_params: Option<&Value>) -> Cow<'_, str> {
        match trigger_params {
            None | Some(Value::Null) => Cow::Borrowed(&self.no_params),
            // Parameters whose defaults do not fit were refused when they were checked.
            Some(params) => {
                let _note = self.note();
                let filled = canonical_params(&self.param_schema, Some(params));
                Cow::Owned(filled.unwrap_or_else(|_| schema::canonical(params)))
            }
        }
    }
}

/// A trigger that cannot be read takes no event.
fn payload_schema(row: &TriggerRow) -> Result<Arc<Schema>, String> {
    if let Some(reason) = &row.fault {
        return Err(reason.clone());
    }
    Schema::compile(&row.payload_schema).map(Arc::new).map_err(|fault| fault.to_string())
}
