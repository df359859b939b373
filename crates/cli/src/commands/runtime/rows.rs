//! The runtimes that a command is about: those of the Attune that runs here, else those that this program carries.

use anyhow::Context as _;
use attune_common::models::Runtime;
use attune_common::repositories::listing::nearest;
use attune_core::names::Called;
use attune_core::pack;
use attune_executor::core_pack;
use serde_json::Value;

use crate::arguments::Global;
use crate::client::Client;
use crate::failure::Failure;
use crate::output;

/// As many rows as the API gives at once.
pub(super) const MOST: u32 = 1000;

/// Every runtime. One that was addressed must answer; where none was and none runs, the core pack has to do.
pub(super) fn all(global: &Global) -> anyhow::Result<Vec<Runtime>> {
    match stored(global) {
        Err(error) if global.api_url.is_none() && is_nobody_there(&error) => {
            output::note(
                "note: no Attune runs here, so these are the runtimes of the core pack in this program",
            );
            let mut runtimes = core_pack::definitions()?.runtimes.clone();
            runtimes.sort_by(|a, b| a.r#ref.cmp(&b.r#ref));
            Ok(runtimes.into_iter().map(unstored).collect())
        }
        rows => rows,
    }
}

/// Those that `name` means: by ref, last part of the ref, name or alias.
pub(super) fn named(rows: Vec<Runtime>, name: &str) -> Result<Vec<Runtime>, Failure> {
    let near = near(&rows, name).map_or_else(String::new, |near| format!("; did you mean {near}?"));
    let meant: Vec<_> = rows.into_iter().filter(|row| called(row).answers_to(name)).collect();
    if meant.is_empty() {
        return Err(Failure::NotFound(format!("there is no runtime {name:?}{near}")));
    }
    Ok(meant)
}

/// A row as the API gives it.
pub(super) fn read(row: Value) -> anyhow::Result<Runtime> {
    serde_json::from_value(row).context("the API's answer is no row of a runtime")
}

/// The rows of a list.
pub(super) fn array(rows: Value) -> Vec<Value> {
    match rows {
        Value::Array(rows) => rows,
        _ => Vec::new(),
    }
}

fn stored(global: &Global) -> anyhow::Result<Vec<Runtime>> {
    let rows = Client::new(global)?.get("/api/runtimes", &[("limit".to_owned(), MOST.to_string())])?;
    array(rows).into_iter().map(read).collect()
}

fn is_nobody_there(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(Failure::NoAddress(_) | Failure::Unreachable { .. }))
}

fn unstored(runtime: pack::Runtime) -> Runtime {
    Runtime {
        id: 0,
        r#ref: runtime.r#ref,
        pack: None,
        pack_ref: None,
        description: runtime.description,
        name: runtime.name,
        distributions: runtime.distributions,
        installation: runtime.installation,
        execution: runtime.execution,
        aliases: runtime.aliases,
        created: None,
        updated: None,
    }
}

fn called(row: &Runtime) -> Called<'_> {
    Called { name: &row.name, r#ref: &row.r#ref, aliases: &row.aliases }
}

fn near(rows: &[Runtime], name: &str) -> Option<String> {
    let own = |row: &Runtime| [row.r#ref.clone(), row.name.to_lowercase()];
    let names = rows.iter().flat_map(|row| own(row).into_iter().chain(row.aliases.iter().cloned()));
    nearest(&name.to_lowercase(), names.collect())
}
