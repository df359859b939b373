//! What sensors print: the one JSON object of a plain program ([`parse_plain`]), and what every event, state and output
//! has to be. What is said line by line is in [`protocol`](crate::protocol).
//!
//! Other people's programs wrote it, so everything about it may be wrong. Two kinds of wrong are kept apart:
//! - the output is not what it should be: an [`OutputError`]; the poll failed and nothing of it is taken;
//! - one event is nothing that `PostgreSQL` can store: [`Rejected`], with its bytes as they came; its neighbours go in.
//!
//! Of a key that an object has twice the last one counts, as in most readers of JSON.

mod error;
mod event;
mod plain;
pub(crate) mod quote;
mod storable;
#[cfg(test)]
mod tests;

pub use error::OutputError;
pub(crate) use event::read as read_event;
pub use event::{EVENT_LIMIT, Rejected};
pub(crate) use plain::state as read_state;
pub use plain::{PlainOutput, parse_plain};
pub use storable::{MAX_DEPTH, Reason, storable};
