//! How far the runs of a sensor or an action are kept apart from each other.

use serde::{Deserialize, Serialize};

use super::fields::Fields;

/// Whether code is loaded once for many runs, or for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// In a host that has loaded the code already; what it keeps in memory lives on.
    Warm,
    /// In a fresh process each time.
    Process,
}

impl Isolation {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Warm, Self::Process];

    /// As the column has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::Process => "process",
        }
    }

    /// What a column says; none for the default.
    pub fn of_column(column: Option<&str>) -> Option<Self> {
        Self::ALL.into_iter().find(|isolation| Some(isolation.as_str()) == column)
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        fields.optional_choice("isolation", &Self::ALL, Self::as_str)
    }
}
