//! What sensors print: the one JSON object of a plain program ([`parse_plain`]) and the messages of a wrapper, one per
//! line ([`NdjsonDecoder`]).
//!
//! Other people's programs wrote it, so everything about it may be wrong. Two kinds of wrong are kept apart:
//! - the output is not what it should be: an [`OutputError`]; the poll failed and nothing of it is taken;
//! - one event is nothing that `PostgreSQL` can store: [`Rejected`], with its bytes as they came; its neighbours go in.
//!
//! Of a key that an object has twice the last one counts, as in most readers of JSON.

mod error;
mod event;
mod ndjson;
mod plain;
mod quote;
mod storable;
#[cfg(test)]
mod tests;

pub use error::OutputError;
pub use event::{EVENT_LIMIT, Rejected};
pub use ndjson::{LINE_LIMIT, Message, NdjsonDecoder};
pub use plain::{PlainOutput, parse_plain};
pub use storable::{MAX_DEPTH, Reason, storable};
