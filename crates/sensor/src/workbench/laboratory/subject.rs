//! The sensor as it is tried: its configuration leads it to the source of this run.

use std::path::Path;

use attune_core::pack::Isolation;
use serde_json::{Value, json};

use super::super::{Piece, WorkbenchError, lay_over};
use super::Trial;
use super::source::{Source, SourceKind};
use crate::definition::Sensor;

/// Stands for the path of the source.
const SOURCE: &str = "{source}";
const NOWHERE: &str = "nothing tells the sensor where its source is: name a key (--source lines:KEY), or put {source} into --config or --trigger-params";

/// The sensor as it is tried, and its source.
pub(super) struct Subject {
    pub(super) sensor: Sensor,
    /// What rules ask of it: `[{trigger, params}]`.
    pub(super) params: Value,
    pub(super) source: Option<Source>,
}

impl Subject {
    pub(super) fn new(piece: &Piece, trial: &Trial, scratch: &Path) -> Result<Self, WorkbenchError> {
        let source = match &trial.source {
            Some(kind) => Some(Source::open(kind, scratch)?),
            None => None,
        };
        if source.is_some() && !learns(trial) {
            return Err(WorkbenchError::Refused(NOWHERE.to_owned()));
        }
        let place = source.as_ref().and_then(Source::path).map(|path| path.display().to_string());
        let place = place.as_deref();
        let mut row = piece.row().clone();
        lay_over(&mut row.config, &filled(&trial.config, place, scratch));
        if let (Some(key), Some(place)) = (trial.source.as_ref().and_then(SourceKind::key), place) {
            lay_over(&mut row.config, &json!({key: place}));
        }
        // Every poll may be the first one of a process: a host that lives on proves nothing.
        row.isolation = Some(Isolation::Process.as_str().to_owned());
        let params = trial.params.as_ref().map(|params| filled(params, place, scratch));
        let asked = params
            .zip(row.triggers.first())
            .map(|(params, trigger)| json!({"trigger": trigger, "params": params}));
        Ok(Self { sensor: Sensor::new(row), params: asked.into_iter().collect(), source })
    }
}

/// Whether anything tells the sensor where its source is; a program of the author's needs nobody for that.
fn learns(trial: &Trial) -> bool {
    let is_named = |value: &Value| value.to_string().contains(SOURCE);
    let told = is_named(&trial.config) || trial.params.as_ref().is_some_and(is_named);
    told || trial
        .source
        .as_ref()
        .is_none_or(|kind| kind.key().is_some() || matches!(kind, SourceKind::Command(_)))
}

/// A value with the paths of this run in its texts.
fn filled(value: &Value, source: Option<&str>, scratch: &Path) -> Value {
    match value {
        Value::String(text) => Value::String(
            text.replace(SOURCE, source.unwrap_or(SOURCE))
                .replace("{scratch}", &scratch.display().to_string()),
        ),
        Value::Array(all) => all.iter().map(|value| filled(value, source, scratch)).collect(),
        Value::Object(all) => {
            all.iter().map(|(key, value)| (key.clone(), filled(value, source, scratch))).collect()
        }
        other => other.clone(),
    }
}
