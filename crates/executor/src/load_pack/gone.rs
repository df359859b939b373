//! What left the pack: disabled, not deleted, and remembered, so that it can come back as it was.

use std::collections::HashSet;

use attune_common::repositories::enabled;
use attune_common::repositories::listing::Noun;
use attune_common::repositories::pack::{self, ItemRow};
use attune_core::pack::Kind;
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::report::LoadReport;
use super::things::{ByName, Thing};

/// In the `pack_item` of a thing that is no longer in the pack, beside its columns: whether it was the load that
/// disabled it, and not an operator before.
pub(super) const DISABLED_BY_LOAD: &str = "disabled_by_load";

/// Disables what left with this load, and lists the runtimes that left with this one or an earlier one.
pub(super) async fn disable(
    tx: &mut PgConnection,
    pack: i64,
    things: &[Thing],
    items: &[ItemRow],
    rows: &ByName,
    report: &mut LoadReport,
) -> sqlx::Result<()> {
    let present: HashSet<_> = things.iter().map(Thing::key).collect();
    let gone: Vec<_> = items.iter().filter(|item| !present.contains(&key(item))).collect();
    report.left_runtimes =
        gone.iter().filter(|item| is_left_runtime(item, rows)).map(|item| item.r#ref.clone()).collect();
    let leaving: Vec<_> =
        gone.into_iter().filter(|item| item.definition.get(DISABLED_BY_LOAD).is_none()).collect();
    if leaving.is_empty() {
        return Ok(());
    }
    pack::put_items(tx, pack, &leaving.iter().map(|item| farewell(item, rows)).collect()).await?;
    let enabled: Vec<_> = leaving.into_iter().filter(|item| is_enabled(item, rows)).collect();
    report.disabled = enabled.iter().map(|item| item.r#ref.clone()).collect();
    disable_rows(tx, &enabled).await
}

fn key(item: &ItemRow) -> (String, String) {
    (item.kind.clone(), item.r#ref.clone())
}

fn is_left_runtime(item: &ItemRow, rows: &ByName) -> bool {
    item.kind == Kind::Runtime.as_str() && rows.contains_key(&key(item))
}

fn is_enabled(item: &ItemRow, rows: &ByName) -> bool {
    rows.get(&key(item)).is_some_and(|row| row.get("enabled") == Some(&Value::Bool(true)))
}

/// The item with the mark that it has left.
fn farewell(item: &ItemRow, rows: &ByName) -> Value {
    let mut definition = item.definition.clone();
    definition[DISABLED_BY_LOAD] = Value::Bool(is_enabled(item, rows));
    json!({"kind": item.kind, "ref": item.r#ref, "definition": definition})
}

async fn disable_rows(tx: &mut PgConnection, items: &[&ItemRow]) -> sqlx::Result<()> {
    // A runtime has no `enabled`, so it is never among these.
    for noun in [Noun::Trigger, Noun::Sensor, Noun::Action, Noun::Rule] {
        let of_kind = items.iter().filter(|item| item.kind == noun.name());
        let refs: Vec<_> = of_kind.map(|item| item.r#ref.clone()).collect();
        if !refs.is_empty() {
            enabled::set(tx, noun, &refs, false).await?;
        }
    }
    Ok(())
}
