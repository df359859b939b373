//! What can be wrong with an output as a whole. Each message quotes the offending part, escaped and short, because its
//! author will see nothing else.

use crate::protocol::{CHECKPOINT_ID_LIMIT, POLL_EVENTS, STREAM_BYTES, STREAM_EVENTS, VERSION};

/// Why an output could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// Nothing but white space.
    #[error("the program printed nothing; one JSON object with an `events` array was expected")]
    Empty,
    /// Bytes that are no text.
    #[error("the output is not UTF-8 at byte {position}: {excerpt}")]
    NotUtf8 {
        /// The first byte that is wrong, from 0.
        position: usize,
        /// What stands there.
        excerpt: String,
    },
    /// Text that is not JSON.
    #[error("the output is not JSON ({reason}): {excerpt}")]
    NotJson {
        /// What the parser says.
        reason: String,
        /// What stands there.
        excerpt: String,
    },
    /// JSON and then something else.
    #[error("after the JSON object the output goes on: {excerpt}")]
    Trailing {
        /// What follows.
        excerpt: String,
    },
    /// JSON that is no object.
    #[error("the output is no JSON object: {excerpt}")]
    NotAnObject {
        /// How it starts.
        excerpt: String,
    },
    /// An object without events.
    #[error("the output has no `events`: {excerpt}")]
    NoEvents {
        /// How it starts.
        excerpt: String,
    },
    /// `events` is no list.
    #[error("`events` is not an array: {excerpt}")]
    EventsNotAnArray {
        /// How it starts.
        excerpt: String,
    },
    /// More events than one poll may have.
    #[error("more than {POLL_EVENTS} events came in one poll; report the rest in the next ones")]
    TooManyEvents,
    /// A state that is no object, or that can not be stored.
    #[error("the state can not be kept ({reason}): {excerpt}")]
    BadState {
        /// Why not.
        reason: String,
        /// How it starts.
        excerpt: String,
    },
    /// A message that this version does not know.
    #[error("a message has no known `type`: {excerpt}")]
    UnknownMessage {
        /// How the line starts.
        excerpt: String,
    },
    /// A line that is longer than any message may be.
    #[error("a line is longer than {limit} bytes: {excerpt}")]
    LineTooLong {
        /// The limit in bytes.
        limit: usize,
        /// How it starts.
        excerpt: String,
    },
    /// Something after `done`.
    #[error("after `done` the output goes on: {excerpt}")]
    AfterDone {
        /// What follows.
        excerpt: String,
    },
    /// The output ended without `done`: the wrapper or host died.
    #[error("the output ended without `done`")]
    NotDone,
    /// The output ended within a line that is no message: the program died while it wrote.
    #[error("the output ended within a line: {excerpt}")]
    CutOff {
        /// How the line starts.
        excerpt: String,
    },
    /// A version of the protocol that this program does not speak.
    #[error("this version of the protocol is not known, only {VERSION} is: {excerpt}")]
    UnknownVersion {
        /// The `hello` that names it, or names none.
        excerpt: String,
    },
    /// A host that says something before `hello`.
    #[error("a host says `hello` first, and not: {excerpt}")]
    NoHello {
        /// What it says.
        excerpt: String,
    },
    /// A second `hello`, or one after other messages.
    #[error("`hello` comes first or not at all: {excerpt}")]
    LateHello {
        /// The line.
        excerpt: String,
    },
    /// A host that speaks although nothing was asked of it.
    #[error("the host was asked nothing, and yet it says: {excerpt}")]
    Unasked {
        /// What it says.
        excerpt: String,
    },
    /// A message of a host that belongs to another request.
    #[error("the request was number {asked}, but this is about another: {excerpt}")]
    WrongId {
        /// The request.
        asked: u64,
        /// The message.
        excerpt: String,
    },
    /// A message without an id, of a host that has one in each.
    #[error("the request was number {asked}, and this says not that it is about it: {excerpt}")]
    NoId {
        /// The request.
        asked: u64,
        /// The message.
        excerpt: String,
    },
    /// A message that belongs into another kind of conversation.
    #[error("`{kind}` has no place in {place}: {excerpt}")]
    Misplaced {
        /// The message's `type`.
        kind: &'static str,
        /// What the program takes part in.
        place: &'static str,
        /// How the line starts.
        excerpt: String,
    },
    /// Something after the stream said that it failed.
    #[error("after `error` the stream goes on: {excerpt}")]
    AfterError {
        /// What follows.
        excerpt: String,
    },
    /// A checkpoint of a stream whose events were committed as they came.
    #[error("`hello` did not announce `\"checkpoints\":true`: {excerpt}")]
    Unannounced {
        /// The checkpoint.
        excerpt: String,
    },
    /// A checkpoint's id that would not be worth sending back.
    #[error("the id of a checkpoint is longer than {CHECKPOINT_ID_LIMIT} bytes: {excerpt}")]
    CheckpointIdTooLong {
        /// The checkpoint.
        excerpt: String,
    },
    /// A stream that announced checkpoints and makes none.
    #[error("more than {STREAM_EVENTS} events, or {STREAM_BYTES} bytes of them, came without a checkpoint")]
    NoCheckpoint,
}
