//! What Attune and the programs of sensors say to each other while they run: one JSON object a line, `type` first.
//! `docs/sensor-protocol.md` is the page for authors.
//!
//! - A program says [`Message`]s. [`Decoder`] makes them of chunks that are cut anywhere, and holds each against the
//!   [`Rules`] of its kind of conversation: [`Poll`] (one poll by a process of its own), [`Host`] (many polls and runs,
//!   one after the other) or [`Stream`].
//! - A program is told [`Order`]s, of which each is one line.
//!
//! A line that is no message, or not at its place, is an [`OutputError`](crate::output::OutputError) that quotes it, and
//! the conversation is over. Only the payload of an event is its author's: whatever is wrong with that sets the event
//! aside ([`Rejected`](crate::output::Rejected)) and no other.

mod decoder;
mod host;
mod line;
mod message;
mod order;
mod poll;
mod rules;
mod stream;
#[cfg(test)]
mod tests;

pub use decoder::{Decoder, LINE_LIMIT};
pub use host::{Host, Turn};
pub use line::Line;
pub use message::{CHECKPOINT_ID_LIMIT, CheckpointId, Message};
pub use order::{Brief, Order, Version};
pub use poll::{POLL_EVENTS, Poll};
pub use rules::Rules;
pub use stream::{STREAM_BYTES, STREAM_EVENTS, Stream};

/// The version of the protocol that this program speaks.
pub const VERSION: u32 = 1;
