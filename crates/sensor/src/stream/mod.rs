//! Sensors that run on and emit as they go.
//!
//! One task per stream, which starts its program, listens to it, commits what it says and starts it again when it failed
//! ([`supervise`]). Streams hold no place in the lanes of polls, and none of them waits for another. What a stream sends is
//! committed in order, one commit at a time ([`intake`], [`commits`]); what it is told is kept small ([`outbox`]). While too
//! much is uncommitted nothing is read, so a database that is slow or away stops the program at its pipe and nowhere else.
//!
//! Effectively once, with checkpoints: events and the state that follows from them are one submission to ingest, under the
//! sensor's epoch, and only then does the program hear of it. Whenever anything dies in between, the next start goes on from
//! the state that is in the database. So a start waits until every commit of the run before is certain; one that stays in
//! doubt costs the epoch, which fences it off.

mod asked;
mod canary;
mod commits;
mod consumption;
mod ear;
mod error;
mod health;
mod intake;
mod listener;
mod log;
mod outbox;
mod restart;
mod session;
mod set;
mod start;
mod supervise;
mod trial;
mod watchdog;

use std::sync::Arc;

pub(crate) use commits::{Committing, NotCommitted};
pub(crate) use error::StreamError;
pub(crate) use intake::Batch;
pub(crate) use session::Ended;
pub(crate) use set::Streams;
pub(crate) use trial::{Heard, Trial, listen};

use crate::definition::Sensor;

/// What should become of a stream.
#[derive(Debug, Clone)]
enum Wanted {
    /// It should run like this.
    Run(Arc<Sensor>),
    /// It should not run here now.
    Stop,
    /// It should not run here, and be given back.
    GiveBack,
}
