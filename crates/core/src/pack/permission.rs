//! What the runs of an action or a sensor may ask of the API.

use serde::{Deserialize, Serialize};

use super::fields::Fields;

/// What a run may ask of the API, with a token of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Permission {
    /// It may send events.
    #[serde(rename = "event.send")]
    EventSend,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::EventSend];

    /// As the column has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventSend => "event.send",
        }
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Vec<Self> {
        fields.choices("api", &Self::ALL, Self::as_str)
    }
}
