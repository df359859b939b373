//! What an author can try before a pack is loaded: definitions from files stand where rows would.
//!
//! Whatever a pack refers to is looked for in a [`Library`]: in the pack itself, in the core pack that this program
//! carries, and, when there is one, in a running Attune. No database is needed.

mod library;
mod new_sensor;
mod rules;

pub use library::{Failed, Library, Running};
pub use new_sensor::{NewSensor, NewSensorError, Written};
pub use rules::{UnloadedError, rule_book, rule_on_trial};
