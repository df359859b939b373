//! One language, as a row of table `runtime`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::FromRow;

/// What it takes to run code in one language; sensors and actions share it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, FromRow)]
pub struct Runtime {
    /// The key that other tables point at.
    pub id: i64,
    /// The unique dotted name: `core.native`.
    pub r#ref: String,
    /// The pack that brought it; an operator may write one that belongs to none.
    pub pack: Option<i64>,
    /// The ref of that pack.
    pub pack_ref: Option<String>,
    /// What it is, in words.
    pub description: Option<String>,
    /// What people call it.
    pub name: String,
    /// How to find out whether a machine has it, as written: [`attune_core::runtime::distributions`] reads it.
    pub distributions: Value,
    /// How to install it: hints that are shown when it is missing.
    pub installation: Option<Value>,
    /// How it runs its code, as written: [`attune_core::runtime::execution`] reads it.
    pub execution: Value,
    /// Other names that people call it.
    pub aliases: Vec<String>,
    /// When the row was written.
    pub created: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub updated: Option<DateTime<Utc>>,
}
