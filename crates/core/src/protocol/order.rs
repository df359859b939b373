//! What a program is told.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::VERSION;
use super::message::CheckpointId;

/// One line to a program.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Order<'a> {
    /// The first line to a stream.
    Start {
        /// The version of the protocol.
        protocol: Version,
        /// What it has to know. The state is that of the last checkpoint.
        #[serde(flatten)]
        brief: Brief<'a>,
    },
    /// Other parameters are asked for by the live rules; to a stream.
    Params {
        /// All of them, by trigger.
        trigger_params: &'a Value,
    },
    /// Everything up to a checkpoint is committed; to a stream.
    Ack {
        /// The checkpoint's own id.
        checkpoint: &'a CheckpointId,
    },
    /// Come to an end; to a stream or a host.
    Stop,
    /// Poll a sensor; to a host.
    Poll {
        /// Names the poll in its answer.
        id: u64,
        /// The author's file.
        file: &'a str,
        /// What it has to know.
        #[serde(flatten)]
        brief: Brief<'a>,
        /// Variables of this poll.
        env: &'a BTreeMap<String, String>,
    },
    /// Run an action; to a host.
    Run {
        /// Names the run in its answer.
        id: u64,
        /// The action's ref.
        action: &'a str,
        /// The author's file.
        file: &'a str,
        /// Its parameters.
        params: &'a Value,
        /// Variables of this run.
        env: &'a BTreeMap<String, String>,
    },
}

/// What a sensor has to know.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Brief<'a> {
    /// Its ref.
    pub sensor: &'a str,
    /// Its configuration.
    pub config: &'a Value,
    /// What it remembers.
    pub state: &'a Value,
    /// The refs of its triggers.
    pub triggers: &'a [String],
    /// The parameters that live rules ask for, by trigger.
    pub trigger_params: &'a Value,
}

/// [`VERSION`], written as a number.
#[derive(Debug, Clone, Copy)]
pub struct Version;

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(VERSION)
    }
}

impl Order<'_> {
    /// The line, with its newline.
    pub fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("texts and JSON values are JSON");
        line.push(b'\n');
        line
    }
}
