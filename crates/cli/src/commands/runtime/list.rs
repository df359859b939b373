//! `attune runtime list`: each runtime, and which live workers say that they have it.

use attune_common::models::Runtime;
use attune_common::runtime_detection::reported;
use serde_json::{Value, json};

use super::super::noun::{self, Noun};
use super::rows;
use crate::arguments::{Format, Global};
use crate::client::Client;
use crate::output;

pub(super) fn run(global: &Global, list: &noun::List) -> anyhow::Result<()> {
    let client = Client::new(global)?;
    let mut rows = Value::Array(noun::rows(&client, Noun::Runtime, list)?);
    let live = [("status".to_owned(), "active".to_owned()), ("limit".to_owned(), rows::MOST.to_string())];
    let mut workers = rows::array(client.get("/api/workers", &live)?);
    workers.retain(|worker| worker["live"] == true);
    for row in rows.as_array_mut().into_iter().flatten() {
        let having = having(&rows::read(row.clone())?, &workers);
        row["workers"] = match global.output {
            Format::Json => having.into(),
            Format::Table => having.iter().map(brief).collect(),
        };
    }
    output::list(global.output, noun::columns(Noun::Runtime), &rows)
}

/// The workers that say that they have the runtime.
fn having(runtime: &Runtime, workers: &[Value]) -> Vec<Value> {
    let of = |worker: &Value| {
        let version = reported(worker.get("capabilities"), runtime)?.version;
        Some(json!({"name": worker["name"], "role": worker["worker_role"], "version": version}))
    };
    workers.iter().filter_map(of).collect()
}

/// Its name, and the version if there is one.
fn brief(worker: &Value) -> Value {
    let text = |field: &str| worker[field].as_str().unwrap_or_default();
    format!("{} {}", text("name"), text("version")).trim_end().into()
}
