//! `actions/*.yaml`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::definition::{define, enabled};
use super::fields::Fields;
use super::{Isolation, Kind, Permission, Sandbox};

/// What becomes of an execution while as many of its action run as may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It waits for its turn.
    #[default]
    Queue,
    /// It is cancelled.
    Skip,
}

impl Overlap {
    /// All of them, the default first.
    pub const ALL: [Self; 2] = [Self::Queue, Self::Skip];

    /// As the column has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Skip => "skip",
        }
    }
}

/// Code that does something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Its unique name.
    #[serde(skip)]
    pub r#ref: String,
    /// A short title.
    pub label: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// The ref of the runtime that runs it.
    pub runtime: String,
    /// Path of its code from the pack's root.
    pub entrypoint: String,
    /// JSON Schema of its parameters.
    pub param_schema: Value,
    /// Seconds that an attempt may take; none: the worker's default.
    pub timeout: Option<f64>,
    /// What happens after a failure, see [`crate::retry::Policy`].
    pub retry: Value,
    /// Whether an attempt whose worker is lost is the last one.
    pub at_most_once: bool,
    /// How many of its executions run at once; none: as many as there is room for.
    #[serde(default)]
    pub max_concurrent: Option<i32>,
    /// What becomes of one more.
    #[serde(default)]
    pub overlap: Overlap,
    /// Whether its code stays loaded between runs; none: it does not.
    pub isolation: Option<Isolation>,
    /// How far it is confined; none: as actions are.
    pub sandbox: Option<Sandbox>,
    /// What its program may take, see [`crate::limits::Limits`].
    pub limits: Value,
    /// What its runs may ask of the API, each with a token of its own.
    #[serde(default)]
    pub api: Vec<Permission>,
    /// Whether it may run at first.
    #[serde(skip, default = "enabled")]
    pub enabled: bool,
}
define!(Action, Action);

impl Action {
    pub(super) const KEYS: &[&str] = &[
        "ref",
        "label",
        "description",
        "runtime",
        "entrypoint",
        "param_schema",
        "timeout",
        "retry",
        "at_most_once",
        "max_concurrent",
        "overlap",
        "isolation",
        "sandbox",
        "limits",
        "api",
        "enabled",
    ];

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            r#ref: fields.own_ref(),
            label: fields.text("label"),
            description: fields.text("description"),
            runtime: fields.reference("runtime", Kind::Runtime),
            entrypoint: fields.entrypoint("entrypoint"),
            param_schema: fields.schema("param_schema"),
            timeout: fields.seconds("timeout"),
            retry: fields.retry("retry"),
            at_most_once: fields.boolean("at_most_once", false),
            max_concurrent: fields.positive("max_concurrent"),
            overlap: fields.choice("overlap", &Overlap::ALL, Overlap::as_str),
            isolation: Isolation::read(fields),
            sandbox: Sandbox::read(fields),
            limits: fields.limits("limits"),
            api: Permission::read(fields),
            enabled: fields.boolean("enabled", true),
        }
    }
}
