//! Once, at one instant.

use chrono::{DateTime, Utc};

use super::fields::{Fault, Fields};
use super::zone;

/// The one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) at: DateTime<Utc>,
    pub(super) zone: chrono_tz::Tz,
}

impl Date {
    pub(super) const PARAMS: &[&str] = &["at", "timezone", "missed"];

    pub(super) fn read(fields: Fields<'_>) -> Result<Self, Fault> {
        let zone = zone::read(fields)?;
        let text = fields.required_text("at")?;
        Ok(Self { at: zone::instant_in(zone, "at", text)?, zone })
    }

    pub(super) fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        Some(self.at).filter(|at| *at > after)
    }
}
