//! What is wrong with an `execution`, and where.

use thiserror::Error;

use super::reader::{MAX_ITEMS, MAX_LENGTH};

/// What is wrong with an `execution`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExecutionFault {
    /// It is no object, or a key's value has the wrong type.
    #[error("{at} must be {expected}")]
    WrongType {
        /// The key, or `execution`.
        at: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// A key that means nothing.
    #[error("{at:?} is no key here; there are {}", known.join(", "))]
    UnknownKey {
        /// The key as it stands.
        at: String,
        /// What there is instead.
        known: &'static [&'static str],
    },
    /// A key that can not be left out.
    #[error("{at} is missing")]
    Missing {
        /// The key.
        at: String,
    },
    /// A list beyond its limit.
    #[error("{at} has more than {MAX_ITEMS} items")]
    TooMany {
        /// The key.
        at: String,
    },
    /// A text beyond its limit.
    #[error("{at} is longer than {MAX_LENGTH} bytes")]
    TooLong {
        /// The key.
        at: String,
    },
    /// No program can be given this.
    #[error("{at} contains the character NUL")]
    Nul {
        /// The key.
        at: String,
    },
    /// A path that would depend on a working directory, or nothing.
    #[error("{at}: {binary:?} is neither a bare name nor an absolute path")]
    NotABinary {
        /// The key.
        at: String,
        /// The text as it stands.
        binary: String,
    },
    /// A path where the name of a file belongs.
    #[error("{at}: {name:?} is no plain file name; it means a file at the pack's root")]
    NotAFileName {
        /// The key.
        at: String,
        /// The text as it stands.
        name: String,
    },
    /// A placeholder that stands for nothing.
    #[error("{at}: {{{placeholder}}} stands for nothing; there are {}", known.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(", "))]
    UnknownPlaceholder {
        /// The key.
        at: String,
        /// What is between the braces.
        placeholder: String,
        /// What there is instead.
        known: &'static [&'static str],
    },
    /// A role that does not exist.
    #[error("{at}: {role:?} is no role; there are action and sensor")]
    UnknownRole {
        /// The key.
        at: String,
        /// The text as it stands.
        role: String,
    },
    /// A protocol that does not exist.
    #[error("protocol: {protocol:?} is unknown; there is ndjson, and without it one JSON object")]
    UnknownProtocol {
        /// The text as it stands.
        protocol: String,
    },
    /// No end of a file's name.
    #[error("extensions: {extension:?} is no extension of a file; write for example `rb`")]
    NotAnExtension {
        /// The text as it stands.
        extension: String,
    },
    /// A name that no environment has.
    #[error("{at}: {variable:?} is no name of an environment variable")]
    NotAVariable {
        /// The key.
        at: String,
        /// The text as it stands.
        variable: String,
    },
}

impl ExecutionFault {
    /// The path of the value that is meant, `environment.build[0].commands[1]`; empty for the whole.
    pub fn at(&self) -> &str {
        match self {
            Self::WrongType { at, .. } if at == "execution" => "",
            Self::WrongType { at, .. }
            | Self::UnknownKey { at, .. }
            | Self::Missing { at }
            | Self::TooMany { at }
            | Self::TooLong { at }
            | Self::Nul { at }
            | Self::NotABinary { at, .. }
            | Self::NotAFileName { at, .. }
            | Self::UnknownPlaceholder { at, .. }
            | Self::UnknownRole { at, .. }
            | Self::NotAVariable { at, .. } => at,
            Self::UnknownProtocol { .. } => "protocol",
            Self::NotAnExtension { .. } => "extensions",
        }
    }
}

pub(super) fn wrong_type(at: &str, expected: &'static str) -> ExecutionFault {
    ExecutionFault::WrongType { at: at.into(), expected }
}
