//! Keys that name files of the pack, and keys that other modules of this crate compile: each is compiled here, so that
//! what is wrong inside is reported at its own line.

use serde_json::{Value, json};

use super::fields::Fields;
use super::suggest::hint;
use crate::runtime::execution::{Execution, PACK_PLACEHOLDER};

impl Fields<'_> {
    /// The path of a file in this pack.
    pub(super) fn entrypoint(&mut self, key: &str) -> String {
        let path = self.required_text(key);
        if !path.is_empty() {
            self.check_file(key, &path);
        }
        path
    }

    fn check_file(&mut self, at: &str, path: &str) {
        if path.starts_with('/') || path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            self.fault(
                at,
                format!("{path:?} must be a plain path from the pack's root, such as actions/notify"),
            );
        } else if !self.paths().any(|known| known == path) {
            let hint = hint(path, self.paths());
            self.fault(at, format!("the pack has no file {path:?}{hint}"));
        }
    }

    /// How a runtime runs; what it takes from its own pack must be there.
    pub(super) fn execution(&mut self, key: &str) -> Value {
        let column = self.object(key);
        match Execution::parse(&column) {
            Ok(execution) => self.check_own_files(key, &execution),
            Err(fault) => self.fault(&join(key, fault.at()), fault.to_string()),
        }
        column
    }

    fn check_own_files(&mut self, key: &str, execution: &Execution) {
        for (i, arg) in execution.args.iter().enumerate() {
            if let Some(path) = arg.strip_prefix(PACK_PLACEHOLDER).and_then(|rest| rest.strip_prefix('/')) {
                self.check_file(&format!("{key}.args[{i}]"), path);
            }
        }
    }

    pub(super) fn distributions(&mut self, key: &str) -> Value {
        self.object(key)
    }

    pub(super) fn schema(&mut self, key: &str) -> Value {
        self.object(key)
    }

    pub(super) fn values_of(&mut self, key: &str, _schema: &str) -> Value {
        self.object(key)
    }

    pub(super) fn retry(&mut self, key: &str) -> Value {
        self.object(key)
    }

    pub(super) fn conditions(&mut self, key: &str) -> Value {
        self.get(key).map_or_else(|| json!([]), super::yaml::Node::to_json)
    }

    pub(super) fn templates(&mut self, key: &str) -> Value {
        self.object(key)
    }
}

/// `conditions` and `all[1].operator`, or `[0].operator`, as one path.
fn join(key: &str, at: &str) -> String {
    match at.chars().next() {
        None => key.to_owned(),
        Some('[') => format!("{key}{at}"),
        Some(_) => format!("{key}.{at}"),
    }
}
