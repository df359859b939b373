//! What definitions say of things that only the database knows: they must be there and allow what is wanted of them.
//!
//! Checked after the rows are written and before they are committed, so that things of the same pack and of others are
//! found in the same place.

use std::collections::BTreeSet;

use attune_common::repositories::listing::{self, Noun};
use attune_common::repositories::{pack_thing, timer};
use attune_core::pack::{Definitions, Fault, Kind, Reference, Rule};
use attune_core::runtime::execution::{Execution, Role};
use attune_core::schedule::Timer;
use attune_core::schema::Schema;
use serde_json::Value;
use sqlx::PgConnection;

use super::apply::by_name;
use super::merge::Columns;
use super::things::ByName;
use crate::apart::in_place;

/// Everything that is wrong with what definitions refer to.
pub(crate) async fn check(tx: &mut PgConnection, defined: &Definitions) -> sqlx::Result<Vec<Fault>> {
    let targets = Targets::read(tx, defined).await?;
    let mut faults = Vec::new();
    for reference in defined.external_refs() {
        if targets.find(reference.kind, &reference.r#ref).is_none() {
            faults.push(missing(tx, reference).await?);
        }
    }
    faults.extend(
        defined
            .sensors
            .iter()
            .filter_map(|sensor| targets.check_role(defined, Kind::Sensor, &sensor.r#ref, &sensor.runtime)),
    );
    faults.extend(
        defined
            .actions
            .iter()
            .filter_map(|action| targets.check_role(defined, Kind::Action, &action.r#ref, &action.runtime)),
    );
    let check = |rule| targets.check_trigger_params(defined, rule);
    let params: Vec<_> = in_place(|| defined.rules.iter().map(check).collect());
    for (rule, fault) in defined.rules.iter().zip(params) {
        let fault = match fault {
            None => check_date(tx, defined, rule).await?,
            fault => fault,
        };
        faults.extend(fault);
    }
    faults.sort();
    Ok(faults)
}

async fn missing(tx: &mut PgConnection, reference: &Reference) -> sqlx::Result<Fault> {
    let noun = match reference.kind {
        Kind::Runtime => Noun::Runtime,
        Kind::Trigger => Noun::Trigger,
        Kind::Sensor => Noun::Sensor,
        Kind::Action => Noun::Action,
        Kind::Rule => Noun::Rule,
    };
    let near = listing::find_near(tx, noun, &reference.r#ref).await?;
    let hint = near.map_or_else(String::new, |name| format!(" (did you mean {name}?)"));
    Ok(reference.fault(format!("there is no {} {:?}{hint}", reference.kind, reference.r#ref)))
}

/// The rows that definitions refer to.
struct Targets(ByName);

impl Targets {
    async fn read(tx: &mut PgConnection, defined: &Definitions) -> sqlx::Result<Self> {
        let runtimes =
            defined.sensors.iter().map(|it| &it.runtime).chain(defined.actions.iter().map(|it| &it.runtime));
        let triggers = defined
            .rules
            .iter()
            .map(|it| &it.trigger)
            .chain(defined.sensors.iter().flat_map(|it| &it.triggers));
        let actions = defined.rules.iter().map(|it| &it.action);
        let refs: BTreeSet<_> = runtimes.chain(triggers).chain(actions).cloned().collect();
        let rows = pack_thing::list(tx, &refs.into_iter().collect::<Vec<_>>()).await?;
        Ok(Self(by_name(rows)))
    }

    fn find(&self, kind: Kind, name: &str) -> Option<&Columns> {
        self.0.get(&(kind.as_str().to_owned(), name.to_owned()))
    }

    /// A fault when the runtime is not for this kind of code.
    fn check_role(&self, defined: &Definitions, kind: Kind, name: &str, runtime: &str) -> Option<Fault> {
        let (role, code) = match kind {
            Kind::Sensor => (Role::Sensor, "sensors"),
            _ => (Role::Action, "actions"),
        };
        let column = self.find(Kind::Runtime, runtime)?.get("execution").unwrap_or(&Value::Null);
        let message = match Execution::parse(column) {
            Ok(execution) if execution.allows(role) => return None,
            Ok(_) => format!("runtime {runtime} does not run {code}"),
            Err(fault) => format!("runtime {runtime} can run nothing: its execution: {fault}"),
        };
        Some(defined.fault(kind, name, "runtime", message))
    }

    /// A fault when the parameters are not what the trigger takes.
    fn check_trigger_params(&self, defined: &Definitions, rule: &Rule) -> Option<Fault> {
        let column = self.find(Kind::Trigger, &rule.trigger)?.get("param_schema").unwrap_or(&Value::Null);
        check_trigger_params(defined, rule, column)
    }
}

/// A fault when the parameters that a rule gives its trigger are not what the trigger takes.
pub(crate) fn check_trigger_params(
    defined: &Definitions,
    rule: &Rule,
    param_schema: &Value,
) -> Option<Fault> {
    let schema = match Schema::compile(param_schema) {
        Ok(schema) => schema,
        Err(fault) => {
            let message = format!("the param_schema of trigger {} is unusable: {fault}", rule.trigger);
            return Some(defined.fault(Kind::Rule, &rule.r#ref, "trigger", message));
        }
    };
    let mut params = rule.trigger_params.clone();
    let filled = schema.fill_defaults(&mut params).and_then(|()| schema.validate(&params));
    let (field, message) = if let Err(violation) = filled {
        (violation.path, violation.message)
    } else {
        let fault = Timer::read(&rule.trigger, &params)?.err()?;
        (fault.field, fault.message)
    };
    let field =
        if field.is_empty() { "trigger_params".to_owned() } else { format!("trigger_params.{field}") };
    Some(defined.fault(Kind::Rule, &rule.r#ref, &field, message))
}

/// A fault when a rule asks for a date that is over. One that was waited for while it was to come may stay.
async fn check_date(
    tx: &mut PgConnection,
    defined: &Definitions,
    rule: &Rule,
) -> sqlx::Result<Option<Fault>> {
    let Some(Ok(timer)) = Timer::read(&rule.trigger, &rule.trigger_params) else { return Ok(None) };
    let Some((field, at)) = timer.only().filter(|_| rule.enabled) else { return Ok(None) };
    if !timer::is_over(tx, &rule.trigger, &rule.trigger_params, at).await? {
        return Ok(None);
    }
    let message = format!("{} is over", rule.trigger_params[field]);
    Ok(Some(defined.fault(Kind::Rule, &rule.r#ref, &format!("trigger_params.{field}"), message)))
}
