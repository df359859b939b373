//! How much of the machine the program of a sensor or an action gets to see and to change.

use serde::{Deserialize, Serialize};

use super::fields::Fields;

/// A level of confinement; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sandbox {
    /// Not confined: sudo works.
    None,
    /// No new privileges, and limits that no honest program meets.
    Process,
    /// Its own processes and its own temporary directory.
    Namespace,
    /// Nothing to change but its working directory, and no network.
    Strict,
}

impl Sandbox {
    /// All of them, the weakest first.
    pub const ALL: [Self; 4] = [Self::None, Self::Process, Self::Namespace, Self::Strict];

    /// As the column has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Process => "process",
            Self::Namespace => "namespace",
            Self::Strict => "strict",
        }
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        fields.optional_choice("sandbox", &Self::ALL, Self::as_str)
    }
}
