//! Rules of a pack as rows.

use std::collections::BTreeMap;

use attune_common::repositories::rule::{KnownRule, RuleRow, RuleSet, TriggerRow};
use attune_core::pack::{Fault, Kind, Pack, Rule};
use serde_json::json;

use super::library::{Failed, Library};
use crate::load_pack::check_trigger_params;
use crate::rules::RuleBook;
use crate::rules::trial::OnTrial;

/// Why a rule can not be tried.
#[derive(Debug, thiserror::Error)]
pub enum UnloadedError {
    /// Its author has to correct this.
    #[error("{0}")]
    Fault(Fault),
    /// The running Attune did not answer.
    #[error("can not ask the running Attune")]
    Lookup(#[source] Failed),
}

/// A rule of a pack, ready to be asked about events. What a load would refuse is a fault here.
pub fn rule_on_trial(pack: &Pack, rule: &Rule, library: &Library<'_>) -> Result<OnTrial, UnloadedError> {
    let fault =
        |field: &str, message| UnloadedError::Fault(pack.fault(Kind::Rule, &rule.r#ref, field, message));
    let trigger = library.trigger(&rule.trigger).map_err(UnloadedError::Lookup)?;
    let trigger = trigger.ok_or_else(|| fault("trigger", library.missing(Kind::Trigger, &rule.trigger)))?;
    if let Some(fault) = check_trigger_params(pack, rule, &trigger.param_schema) {
        return Err(UnloadedError::Fault(fault));
    }
    let row = rule_row(pack, rule, &trigger, library).map_err(UnloadedError::Lookup)?;
    if row.action.is_none() {
        return Err(fault("action", library.missing(Kind::Action, &rule.action)));
    }
    Ok(OnTrial::new(KnownRule { rule: row, trigger }))
}

/// The enabled rules of a pack with their triggers, as a process that ingests would have them.
pub fn rule_book(pack: &Pack, library: &Library<'_>) -> Result<RuleBook, Failed> {
    let (mut triggers, mut rules): (BTreeMap<&str, TriggerRow>, Vec<_>) = Default::default();
    for rule in pack.rules.iter().filter(|rule| rule.enabled) {
        let Some(mut trigger) = library.trigger(&rule.trigger)? else { continue };
        let next = i64::try_from(triggers.len()).unwrap_or(i64::MAX);
        trigger.id = triggers.get(rule.trigger.as_str()).map_or(next, |known| known.id);
        rules.push(rule_row(pack, rule, &trigger, library)?);
        triggers.insert(&rule.trigger, trigger);
    }
    let triggers = triggers.into_values().collect();
    Ok(RuleBook::default().renewed(0, RuleSet { triggers, rules, ..RuleSet::default() }))
}

fn rule_row(
    pack: &Pack,
    rule: &Rule,
    trigger: &TriggerRow,
    library: &Library<'_>,
) -> Result<RuleRow, Failed> {
    let action = library.find(Kind::Action, &rule.action)?;
    Ok(RuleRow {
        id: 0,
        r#ref: rule.r#ref.clone(),
        enabled: rule.enabled,
        max_per_minute: None,
        revision: 1,
        trigger: trigger.id,
        conditions: rule.conditions.clone(),
        trigger_params: rule.trigger_params.clone(),
        action_params: rule.action_params.clone(),
        pack_config: pack.manifest.config.clone(),
        action: action.as_ref().map(|_| 0),
        action_ref: Some(rule.action.clone()),
        runtime: None,
        action_schema: action.as_ref().map(|action| action["param_schema"].clone()),
        action_enabled: action.map(|action| action["enabled"] != json!(false)),
        pack_digest: None,
        version: 0,
        action_version: None,
        fault: None,
    })
}
