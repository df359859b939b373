//! Everything that a pack defines, as columns, and the rows that it becomes.

use std::collections::HashMap;

use attune_common::repositories::pack_thing::{self, Owner};
use attune_core::pack::{Definition, Definitions, Kind};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::gone::DISABLED_BY_LOAD;
use super::masks::Masks;
use super::merge::{Columns, Difference, is_same, merge};
use super::report::{Fate, LoadReport};
use crate::apart::in_place;

/// Columns by kind and ref.
pub(crate) type ByName = HashMap<(String, String), Columns>;

/// One thing as the pack says.
#[derive(Debug)]
pub(crate) struct Thing {
    pub(crate) kind: Kind,
    pub(crate) r#ref: String,
    /// What `pack_item` remembers.
    pub(crate) definition: Value,
    /// Counts at the first load only; a runtime has none.
    pub(crate) enabled: Option<bool>,
}

impl Thing {
    fn new(definition: &impl Definition, kind: Kind, enabled: Option<bool>) -> Self {
        Self { kind, r#ref: definition.item_ref().to_owned(), definition: definition.definition(), enabled }
    }

    pub(crate) fn key(&self) -> (String, String) {
        (self.kind.as_str().to_owned(), self.r#ref.clone())
    }
}

/// Everything that is defined, each after those that it refers to.
pub(crate) fn things_of(defined: &Definitions) -> Vec<Thing> {
    let runtimes = defined.runtimes.iter().map(|it| Thing::new(it, Kind::Runtime, None));
    let triggers = defined.triggers.iter().map(|it| Thing::new(it, Kind::Trigger, Some(it.enabled)));
    let sensors = defined.sensors.iter().map(|it| Thing::new(it, Kind::Sensor, Some(it.enabled)));
    let actions = defined.actions.iter().map(|it| Thing::new(it, Kind::Action, Some(it.enabled)));
    let rules = defined.rules.iter().map(|it| Thing::new(it, Kind::Rule, Some(it.enabled)));
    runtimes.chain(triggers).chain(sensors).chain(actions).chain(rules).collect()
}

/// Merges everything with its last load and its row, and writes the rows that change.
pub(super) async fn put(
    tx: &mut PgConnection,
    owner: Owner<'_>,
    things: &[Thing],
    last: &ByName,
    rows: &ByName,
    masks: &Masks,
    report: &mut LoadReport,
) -> sqlx::Result<()> {
    for kind in Kind::ALL {
        let of_kind = things.iter().filter(|thing| thing.kind == kind);
        let merge = |thing| merge_one(thing, last, rows, masks, report);
        let changed: Vec<Value> = in_place(|| of_kind.filter_map(merge).collect());
        if !changed.is_empty() {
            put_kind(tx, owner, kind, &Value::Array(changed)).await?;
        }
    }
    Ok(())
}

/// The row of one thing, if it has to be written.
fn merge_one(
    thing: &Thing,
    last: &ByName,
    rows: &ByName,
    masks: &Masks,
    report: &mut LoadReport,
) -> Option<Value> {
    let (last, row) = (last.get(&thing.key()), rows.get(&thing.key()));
    let new = thing.definition.as_object().cloned().unwrap_or_default();
    let mut merged = merge(new.clone(), last, row);
    masks.apply(thing.kind.as_str(), [row, Some(&new)], &mut merged);
    if let Some(enabled) = enabled(thing, last, row) {
        if let Some(before) = row.and_then(|row| row.get("enabled")).filter(|before| **before != enabled) {
            let field = "enabled".to_owned();
            merged.change(Difference { field, old: before.clone(), new: Value::Bool(enabled) });
        }
        merged.columns.insert("enabled".to_owned(), Value::Bool(enabled));
    }
    report.note_thing(thing.kind, &thing.r#ref, &merged);
    merged.columns.insert("ref".to_owned(), json!(thing.r#ref));
    (merged.fate != Fate::Unchanged).then_some(Value::Object(merged.columns))
}

/// The pack's word at first, then the operator's; what a load disabled, this one enables.
fn enabled(thing: &Thing, last: Option<&Columns>, row: Option<&Columns>) -> Option<bool> {
    let at_first = thing.enabled?;
    let now = row.and_then(|row| row.get("enabled")?.as_bool());
    let comes_back = last.is_some_and(|last| last.get(DISABLED_BY_LOAD) == Some(&Value::Bool(true)));
    Some(now.map_or(at_first, |now| now || comes_back))
}

/// What this load remembers of everything that it says differently than the last one did.
pub(super) fn changed_items(things: &[Thing], last: &ByName) -> Vec<Value> {
    let is_known = |thing: &&Thing| {
        let last = last.get(&thing.key());
        last.is_some_and(|last| is_same(&Value::Object(last.clone()), &thing.definition))
    };
    let items = things.iter().filter(|thing| !is_known(thing));
    items
        .map(|thing| json!({"kind": thing.kind, "ref": thing.r#ref, "definition": thing.definition}))
        .collect()
}

/// Writes rows of one kind.
pub(crate) async fn put_kind(
    tx: &mut PgConnection,
    owner: Owner<'_>,
    kind: Kind,
    rows: &Value,
) -> sqlx::Result<()> {
    match kind {
        Kind::Runtime => pack_thing::put_runtimes(tx, owner, rows).await,
        Kind::Trigger => pack_thing::put_triggers(tx, owner, rows).await,
        Kind::Sensor => pack_thing::put_sensors(tx, owner, rows).await,
        Kind::Action => pack_thing::put_actions(tx, owner, rows).await,
        Kind::Rule => pack_thing::put_rules(tx, owner, rows).await,
    }
}
