//! `runtimes/*.yaml`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::definition::define;
use super::fields::Fields;

/// How code of one language is verified, installed and run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Runtime {
    /// Its unique name.
    #[serde(skip)]
    pub r#ref: String,
    /// What people call it.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// Verification metadata, see [`crate::runtime::distributions`].
    pub distributions: Value,
    /// Hints that are shown when it is missing.
    pub installation: Option<Value>,
    /// How it runs, see [`crate::runtime::execution`].
    pub execution: Value,
    /// Other names that find it.
    pub aliases: Vec<String>,
}
define!(Runtime, Runtime);

impl Runtime {
    pub(super) const KEYS: &[&str] =
        &["ref", "name", "description", "distributions", "installation", "execution", "aliases"];

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            r#ref: fields.own_ref(),
            name: fields.required_text("name"),
            description: fields.text("description"),
            distributions: fields.distributions("distributions"),
            installation: fields.optional_object("installation"),
            execution: fields.execution("execution"),
            aliases: fields.texts("aliases"),
        }
    }
}
