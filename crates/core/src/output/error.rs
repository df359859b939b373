//! What can be wrong with an output as a whole. Each message quotes the offending part, escaped and short, because its
//! author will see nothing else.

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
    /// A state that is no object, or that can not be stored.
    #[error("the state can not be kept ({reason}): {excerpt}")]
    BadState {
        /// Why not.
        reason: String,
        /// How it starts.
        excerpt: String,
    },
    /// A message of a wrapper that this version does not know.
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
    /// The output ended without `done`: the wrapper died.
    #[error("the output ended without `done`")]
    NotDone,
}
