//! `pack.yaml`.

use serde_json::Value;

use super::Requirement;
use super::fields::Fields;
use super::refs::check_pack_ref;

/// What a pack says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// Its unique name, the first part of every ref in it.
    pub r#ref: String,
    /// A title.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// What it is about.
    pub description: Option<String>,
    /// Values for `config_schema`, which templates see as `pack.config`.
    pub config: Value,
    /// JSON Schema of `config`.
    pub config_schema: Value,
    /// Commands of the system that its code calls.
    pub requires: Vec<Requirement>,
}

impl Manifest {
    pub(super) const KEYS: &[&str] =
        &["ref", "name", "version", "description", "config", "config_schema", "requires"];

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            r#ref: fields.checked_text("ref", check_pack_ref),
            name: fields.required_text("name"),
            version: fields.checked_text("version", check_version),
            description: fields.text("description"),
            config_schema: fields.schema("config_schema"),
            config: fields.values_of("config", "config_schema"),
            requires: fields.requirements("requires"),
        }
    }
}

fn check_version(text: &str) -> Result<(), String> {
    semver::Version::parse(text)
        .map(|_| ())
        .map_err(|error| format!("{text:?} is no semantic version such as 1.2.0: {error}"))
}
