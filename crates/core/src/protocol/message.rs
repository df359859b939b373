//! What a program says.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::output::Rejected;

/// Bytes of a checkpoint's id.
pub const CHECKPOINT_ID_LIMIT: usize = 1024;

/// One message of a program.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Who speaks. The version is one that is understood.
    Hello {
        /// Its events are committed at its checkpoints, and not as they come.
        checkpoints: bool,
        /// As a host it says with each message of a turn whose it is.
        ids: bool,
    },
    /// An event, or what can not be one.
    Event(Result<Value, Rejected>),
    /// The state to keep, replacing the one before; `None` keeps that.
    State(Option<Value>),
    /// The events since the last one belong together with this state.
    Checkpoint {
        /// What its acknowledgement names; `None` wants none.
        id: Option<CheckpointId>,
        /// The state to keep; `None` keeps the one before.
        state: Option<Value>,
    },
    /// It is alive.
    Heartbeat,
    /// It reached its source.
    Contact,
    /// A line for the log.
    Log {
        /// How bad it is, in the program's words.
        level: Option<String>,
        /// What it says.
        message: String,
    },
    /// What a run gave, as JSON. Whether it can be stored is for whoever stores it.
    Result(String),
    /// The file that was asked for can not run in a host.
    Unfit {
        /// Why not.
        reason: String,
    },
    /// The author's code failed.
    Error {
        /// What it says.
        message: String,
        /// Where it happened, as its language shows it.
        traceback: Option<String>,
        /// As in [`Self::Done`].
        cpu: Option<Duration>,
    },
    /// The poll or run is over and went well.
    Done {
        /// The processor time that it took, as a host says.
        cpu: Option<Duration>,
    },
}

impl Message {
    /// Its `type`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Event(_) => "event",
            Self::State(_) => "state",
            Self::Checkpoint { .. } => "checkpoint",
            Self::Heartbeat => "heartbeat",
            Self::Contact => "contact",
            Self::Log { .. } => "log",
            Self::Result(_) => "result",
            Self::Unfit { .. } => "unfit",
            Self::Error { .. } => "error",
            Self::Done { .. } => "done",
        }
    }
}

/// Whatever JSON a program gave its checkpoint as a name. It gets the same text back.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct CheckpointId(Box<RawValue>);

impl CheckpointId {
    pub(super) fn new(raw: &RawValue) -> Self {
        Self(raw.to_owned())
    }
}

impl PartialEq for CheckpointId {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}
