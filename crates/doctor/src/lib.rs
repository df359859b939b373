//! `attune doctor`: what is wrong with this installation, and how to mend it.
//!
//! An installation is a configuration, a data directory, a database and what runs on this machine. Each [`Finding`] says
//! what was found and, unless all is well, what to do about it.
//!
//! # Invariants
//! - Nothing is changed: no file is written, no lock is taken, no row is touched, no process gets a signal.
//! - A check needs no other one. They run side by side, each within a time limit; one that fails, hangs or panics is a
//!   finding of its own and stops none of the others.
//! - It works with Attune running or not, with a database or without. What can not be looked at is skipped, and says so.
//!
//! A check is one file in `checks/`.

mod checks;
mod examine;
mod finding;
mod installation;
mod processes;
mod report;

pub use examine::examine;
pub use finding::{Finding, Verdict};
pub use installation::Installation;
pub use report::{Report, Style};
