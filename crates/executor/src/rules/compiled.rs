//! One rule, ready to be asked about an event.

use std::collections::HashMap;
use std::sync::Arc;

use attune_common::fuse::{self, Note, Part, Thing};
use attune_common::repositories::rule::RuleRow;
use attune_core::conditions::{Conditions, Verdict};
use attune_core::event::EventView;
use attune_core::output;
use attune_core::schedule::Timer;
use attune_core::schema::{self, Schema, Violation};
use attune_core::template::{Context, Template};
use serde_json::{Value, json};

/// A rule with its conditions, template and schemas compiled.
#[derive(Debug)]
pub struct CompiledRule {
    /// `rule.id`.
    pub id: i64,
    /// `rule.ref`.
    pub r#ref: String,
    /// What an enforcement records.
    pub revision: i64,
    /// Events that it acts on in a minute; `None`: any number.
    pub max_per_minute: Option<i32>,
    /// Canonical parameters for the trigger, defaults filled in.
    pub trigger_params: String,
    /// What it executes; the reason when it can not.
    pub target: Result<Target, String>,
    version: i64,
    conditions: Conditions,
    params: Result<Template, String>,
    rule_view: Value,
    pack_config: Value,
}

/// The action of a rule.
#[derive(Debug)]
pub struct Target {
    /// `action.id`.
    pub action: i64,
    /// `action.ref`.
    pub action_ref: String,
    /// What a worker must have.
    pub runtime: Option<i64>,
    /// The content that the execution records.
    pub pack_digest: Option<String>,
    version: i64,
    schema: Arc<Schema>,
}

/// The schemas of actions, compiled once for all rules that are compiled together: 50,000 timers may run one action.
#[derive(Debug, Default)]
pub struct ActionSchemas(HashMap<String, Result<Arc<Schema>, String>>);

impl ActionSchemas {
    /// `id` and `version` name the action to the fuse.
    fn get(
        &mut self,
        action: &str,
        schema: Option<Value>,
        (id, version): (i64, i64),
    ) -> Result<Arc<Schema>, String> {
        if let Some(known) = self.0.get(action) {
            return known.clone();
        }
        let _note = fuse::note(Thing::Action, Part::Whole, id, version);
        let compiled = Schema::compile(&schema.unwrap_or_default());
        let compiled =
            compiled.map(Arc::new).map_err(|fault| format!("param_schema of action {action}: {fault}"));
        self.0.insert(action.to_owned(), compiled.clone());
        compiled
    }
}

/// What a rule that matched leads to.
#[derive(Debug)]
pub enum Firing<'a> {
    /// An execution of this action with these parameters.
    Execute(&'a Target, Value),
    /// A failed enforcement, with the reason.
    Fail(String),
}

impl CompiledRule {
    /// Compiles a row. Conditions that do not compile (saved by plain SQL) are an error: the rule can not match anything. So
    /// are parameters that no timer has, and columns that cannot be read.
    pub fn compile(
        row: RuleRow,
        trigger: &str,
        param_schema: &Schema,
        actions: &mut ActionSchemas,
    ) -> Result<Self, String> {
        if let Some(reason) = row.fault {
            return Err(reason);
        }
        let conditions =
            Conditions::compile(&row.conditions).map_err(|fault| format!("conditions: {fault}"))?;
        let params = Template::compile(&row.action_params).map_err(|fault| format!("action_params: {fault}"));
        let rule_view = json!({"id": row.id, "ref": row.r#ref, "revision": row.revision});
        let trigger_params = filled_params(param_schema, Some(&row.trigger_params))
            .map_err(|violation| format!("trigger_params: {violation}"))?;
        if let Some(Err(fault)) = Timer::read(trigger, &trigger_params) {
            return Err(format!("trigger_params: {fault}"));
        }
        let trigger_params = schema::canonical(&trigger_params);
        Ok(Self {
            id: row.id,
            r#ref: row.r#ref.clone(),
            revision: row.revision,
            version: row.version,
            max_per_minute: row.max_per_minute,
            trigger_params,
            conditions,
            params,
            rule_view,
            pack_config: row.pack_config.clone(),
            target: Target::compile(row, actions),
        })
    }

    /// That a part of it is evaluated.
    pub fn note(&self, part: Part) -> Note {
        fuse::note(Thing::Rule, part, self.id, self.version)
    }

    /// Whether the rule is about this event.
    pub fn matches(&self, event: &EventView) -> bool {
        let _note = self.note(Part::Match);
        self.conditions.matches(event)
    }

    /// What the rule does about an event that it matches.
    pub fn fire(&self, event: &EventView) -> Firing<'_> {
        let _note = self.note(Part::Render);
        match self.render(event) {
            Ok((target, params)) => Firing::Execute(target, params),
            Err(reason) => Firing::Fail(reason.replace('\0', "\\0")),
        }
    }

    /// Why the conditions hold for this event or not.
    pub fn explain(&self, event: &EventView) -> Verdict {
        self.conditions.explain(event)
    }

    fn render(&self, event: &EventView) -> Result<(&Target, Value), String> {
        let target = self.target.as_ref().map_err(Clone::clone)?;
        let template = self.params.as_ref().map_err(Clone::clone)?;
        let context = Context { event, rule: &self.rule_view, pack_config: &self.pack_config };
        let mut params = template.render(&context).map_err(|error| format!("action_params: {error}"))?;
        let _note = fuse::note(Thing::Action, Part::Check, target.action, target.version);
        let filled = target.schema.fill_defaults(&mut params);
        // A template may have put a secret of the pack into a parameter that is none.
        filled
            .and_then(|()| target.schema.validate_quietly(&params))
            .map_err(|violation| format!("action_params: {violation}"))?;
        // What PostgreSQL can not store fails this enforcement, not the batch around it.
        output::storable(&params).map_err(|reason| format!("action_params: {reason}"))?;
        Ok((target, params))
    }
}

impl Target {
    /// Parameters as they may be shown.
    pub fn mask(&self, params: &Value) -> Value {
        self.schema.mask(params)
    }

    fn compile(row: RuleRow, actions: &mut ActionSchemas) -> Result<Self, String> {
        let (Some(action), Some(action_ref)) = (row.action, row.action_ref) else {
            return Err("the rule's action does not exist".to_owned());
        };
        if row.action_enabled != Some(true) {
            return Err(format!("action {action_ref} is disabled, by itself or with its pack"));
        }
        let version = row.action_version.unwrap_or_default();
        let schema = actions.get(&action_ref, row.action_schema, (action, version))?;
        Ok(Self { action, action_ref, runtime: row.runtime, pack_digest: row.pack_digest, version, schema })
    }
}

/// Parameters of a trigger in the one form in which they are compared.
pub(crate) fn canonical_params(schema: &Schema, params: Option<&Value>) -> Result<String, Violation> {
    filled_params(schema, params).map(|params| schema::canonical(&params))
}

fn filled_params(schema: &Schema, params: Option<&Value>) -> Result<Value, Violation> {
    let mut params = params.filter(|params| !params.is_null()).cloned().unwrap_or_else(|| json!({}));
    schema.fill_defaults(&mut params)?;
    Ok(params)
}
