//! Rules as ingest wants them: compiled, by trigger, all read at one config version.
//!
//! [`RuleCache`] is optimistic: it may be behind, and ingest finds out inside its own statement.

mod book;
mod cache;
mod compiled;
pub mod trial;

pub use book::{RuleBook, Trigger};
pub use cache::RuleCache;
pub use compiled::{CompiledRule, Firing, Target};
