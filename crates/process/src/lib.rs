//! Other people's programs: starting them, bounding them, and leaving nothing of them behind.
//!
//! Everything is started through a small static launcher (`launcher/`, embedded here) by one dedicated thread. The
//! service itself never forks, never runs code between a fork and an exec, and waits for no process that it does not
//! know. [`run()`] is for programs that come and go: the launcher stays as the parent of whatever they leave behind, so
//! that *the process and everything it started* is gone when the run is over, also when the service was killed.
//! [`talk()`] is the same for programs that are spoken with while they live. [`daemon`] is for the one program that Attune keeps: the launcher becomes it.
//!
//! Invariants: a program sees exactly the environment, directory and three streams that it was given; no wait is
//! unbounded; a dropped future leaves neither a process nor a zombie.
//!
//! This is the only crate with `unsafe`, in the files that say so.

pub mod bare;
mod child;
pub mod daemon;
mod error;
mod excess;
mod feed;
mod find;
mod group;
mod hierarchy;
mod identity;
mod image;
mod inlet;
mod launch;
mod memory;
mod order;
mod outcome;
mod output;
mod pipes;
mod posix_spawn;
mod program;
#[cfg_attr(not(test), expect(dead_code, reason = "the host reads records, it never writes one"))]
#[path = "../launcher/protocol.rs"]
mod protocol;
mod reaper;
pub mod remains;
mod run;
mod rung;
mod running;
mod sandbox;
mod session;
mod spawner;
mod talk;
mod tree;
mod trial;

pub use error::LaunchError;
pub use excess::Excess;
pub use find::find_on_path;
pub use identity::{Liveness, ProcessIdentity};
pub use memory::memory;
pub use outcome::{Finished, Outcome, Stream, Usage};
pub use output::{Capture, Captured, Output};
pub use program::{Limits, OnOverflow, Program, Resources, StreamLimit};
pub use run::run;
pub use rung::Rung;
pub use running::{Running, running};
pub use sandbox::Level;
pub use talk::{End, Said, Talk, TalkIn, TalkOut, talk};
pub use tree::descendants;
