//! Keys that name files of the pack, and keys that other modules of this crate compile: each is compiled here, so that
//! what is wrong inside is reported at its own line.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Requirement;
use super::fields::Fields;
use super::suggest::hint;
use super::yaml::Node;
use crate::conditions::Conditions;
use crate::limits::Limits;
use crate::retry;
use crate::runtime::distributions::{Bound, Candidate, Distributions, Verification};
use crate::runtime::execution::{Execution, PACK_PLACEHOLDER};
use crate::schema::Schema;
use crate::template::Template;

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
        self.check_own_arguments(&format!("{key}.args"), &execution.args);
        if let Some(host) = &execution.host {
            self.check_own_arguments(&format!("{key}.host.args"), &host.args);
        }
        for directory in &execution.template {
            self.check_directory(&format!("{key}.template"), directory);
        }
    }

    fn check_own_arguments(&mut self, at: &str, args: &[String]) {
        for (i, arg) in args.iter().enumerate() {
            if let Some(path) = arg.strip_prefix(PACK_PLACEHOLDER).and_then(|rest| rest.strip_prefix('/')) {
                self.check_file(&format!("{at}[{i}]"), path);
            }
        }
    }

    fn check_directory(&mut self, at: &str, directory: &str) {
        let parents = |path: &str| path.rsplit_once('/').map(|(parent, _)| parent.to_owned());
        let known: BTreeSet<String> = self
            .paths()
            .flat_map(|path| std::iter::successors(parents(path), |path| parents(path)))
            .collect();
        if !known.contains(directory) {
            let hint = hint(directory, known.iter().map(String::as_str));
            self.fault(at, format!("the pack has no directory {directory:?}{hint}"));
        }
    }

    /// Verification metadata. A row takes any; a pack is refused with what a row would only be unavailable for.
    pub(super) fn distributions(&mut self, key: &str) -> Value {
        if self.get(key).is_none() {
            self.fault(key, "is missing");
        }
        let Some(column) = self.optional_object(key) else { return json!({}) };
        let distributions = Distributions::parse(&column);
        match distributions.verification {
            Verification::NotNeeded => {}
            Verification::Missing(why) => self.fault(&format!("{key}.verification"), why),
            Verification::Commands(candidates) => {
                for Candidate { index, command } in candidates {
                    let at = format!("{key}.verification.commands[{index}]");
                    self.note(&at, command.err());
                }
            }
        }
        for (name, bound) in [
            ("min_version", distributions.min_version),
            ("recommended_version", distributions.recommended_version),
        ] {
            if let Bound::Unreadable(text) = bound {
                self.fault(&format!("{key}.{name}"), format!("{text} is no version"));
            }
        }
        column
    }

    /// A JSON Schema; left out, it accepts everything.
    pub(super) fn schema(&mut self, key: &str) -> Value {
        let schema = self.object(key);
        if let Err(fault) = Schema::compile(&schema) {
            self.fault(&join(key, &fault.at), fault.message);
        }
        schema
    }

    /// Values, and whether they keep to the schema of another key. What the schema requires may be missing: an operator
    /// gives it, and it is asked for before anything runs.
    pub(super) fn values_of(&mut self, key: &str, schema: &str) -> Value {
        let values = self.object(key);
        let mut schema = self.get(schema).map_or_else(|| json!({}), Node::to_json);
        schema.as_object_mut().map(|schema| schema.remove("required"));
        if let Ok(schema) = Schema::compile(&schema)
            && let Err(violation) = schema.validate(&values)
        {
            self.fault(&join(key, &violation.path), violation.message);
        }
        values
    }

    /// A retry policy.
    pub(super) fn retry(&mut self, key: &str) -> Value {
        let policy = self.object(key);
        for fault in retry::Policy::parse(&policy).err().unwrap_or_default() {
            self.fault(&join(key, &fault.at), fault.message);
        }
        policy
    }

    /// What a program may take.
    pub(super) fn limits(&mut self, key: &str) -> Value {
        let limits = self.object(key);
        for fault in Limits::parse(&limits).err().unwrap_or_default() {
            self.fault(&join(key, &fault.at), fault.message);
        }
        limits
    }

    /// Commands of the system.
    pub(super) fn requirements(&mut self, key: &str) -> Vec<Requirement> {
        let list = self.get(key).map_or_else(|| json!([]), Node::to_json);
        Requirement::parse_all(&list).unwrap_or_else(|faults| {
            for fault in faults {
                self.fault(&join(key, &fault.at), fault.message);
            }
            Vec::new()
        })
    }

    /// Conditions. Compiling ends at the first fault, so the members of a list are tried one by one.
    pub(super) fn conditions(&mut self, key: &str) -> Value {
        let conditions = self.get(key).map_or_else(|| json!([]), Node::to_json);
        let Value::Array(members) = &conditions else {
            if let Err(fault) = Conditions::compile(&conditions) {
                self.fault(&join(key, &fault.at), fault.message);
            }
            return conditions;
        };
        for (i, member) in members.iter().enumerate() {
            if let Err(fault) = Conditions::compile(&json!([member])) {
                let at = fault.at.strip_prefix("[0]").unwrap_or_default();
                self.fault(&format!("{key}[{i}]{at}"), fault.message);
            }
        }
        conditions
    }

    /// Templates, parameter by parameter for the same reason.
    pub(super) fn templates(&mut self, key: &str) -> Value {
        let parameters = self.object(key);
        for (name, template) in parameters.as_object().into_iter().flatten() {
            if let Err(fault) = Template::compile(template) {
                self.fault(&join(&format!("{key}.{name}"), &fault.at), fault.message);
            }
        }
        parameters
    }

    fn note(&mut self, at: &str, fault: Option<impl std::fmt::Display>) {
        if let Some(fault) = fault {
            self.fault(at, fault.to_string());
        }
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
