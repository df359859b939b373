//! What is asked of a host, and what it answers.

use std::collections::BTreeMap;
use std::time::Duration;

use attune_core::protocol::{Brief, Message, Order, Turn};
use attune_core::usage::Spent;
use serde_json::Value;

/// One turn: a poll or a run.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What is asked for.
    pub task: Task<'a>,
    /// The path of the code in its pack.
    pub entrypoint: &'a str,
    /// What the code finds in its environment, beside what its host was started with.
    pub variables: &'a BTreeMap<String, String>,
    /// How long it may take; it waits for its host no longer than that either.
    pub time: Duration,
    /// What the host may print for it.
    pub output_limit: usize,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Task<'a> {
    /// A poll of the sensor with this id, which decides its host.
    Poll {
        /// `sensor.id`.
        sensor: i64,
        /// What it has to know.
        brief: Brief<'a>,
    },
    /// A run of an action.
    Run {
        /// Its ref.
        action: &'a str,
        /// Its parameters.
        params: &'a Value,
    },
}

/// How a turn ended after which the host lives on.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// It went well.
    Done,
    /// The author's code failed.
    Failed {
        /// What it says.
        message: String,
        /// Where it happened.
        traceback: Option<String>,
    },
    /// The code can not run in a host; it is remembered until its file changes.
    Unfit {
        /// Why not.
        reason: String,
    },
}

/// Hears what a host says before its answer.
pub trait Listener: Send {
    /// Events, state, log, result.
    fn message(&mut self, message: Message);
    /// The next bytes of its standard error.
    fn log(&mut self, chunk: &[u8]);
    /// What the turn took, once it is over. The memory is that of the host, which others had turns in too.
    fn spent(&mut self, spent: Spent);
}

impl Task<'_> {
    /// What decides the host.
    pub(super) fn key(&self) -> Option<i64> {
        match self {
            Self::Poll { sensor, .. } => Some(*sensor),
            Self::Run { .. } => None,
        }
    }

    pub(super) fn turn(&self) -> Turn {
        match self {
            Self::Poll { .. } => Turn::Poll,
            Self::Run { .. } => Turn::Run,
        }
    }

    /// The line to the host.
    pub(super) fn line(&self, id: u64, file: &str, env: &BTreeMap<String, String>) -> Vec<u8> {
        let order = match *self {
            Self::Poll { brief, .. } => Order::Poll { id, file, brief, env },
            Self::Run { action, params } => Order::Run { id, action, file, params, env },
        };
        order.line()
    }
}
