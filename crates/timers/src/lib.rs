//! Timers: the events that Attune makes by itself because it is time.
//!
//! There is one timer for each distinct pair of a timer trigger and its canonical parameters that enabled rules ask for,
//! however many rules these are. Which instants it has, `attune_core::schedule` says; here they are waited for and go into
//! ingest like any other event, with (instant, timer) as the key.
//!
//! # Invariants
//! - **The key decides.** Two services, or one that starts again, may fire an instant twice; ingest takes it once.
//! - **Nothing is done before it is in.** A timer goes on from an instant only after the commit of its event, so a database
//!   that is away or a kill leaves instants that are still due. What becomes of them, the rule's `missed` says.
//! - **At rest nothing is written.** How far timers are is written some seconds after something fired ([`Tally`]). What
//!   fired later than that is read from the keys, whenever there is a doubt: after a start, and when an instant is late.
//!
//! # Clocks
//! The wall clock is the only one. Each round is given the time and looks what is due; between rounds the task sleeps until
//! the next instant, but no longer than a second, so that a clock that was set is noticed. One that leapt forward makes
//! instants late. One that went back has the timers count from there again, and the keys keep out what had been fired.

mod batch;
mod error;
mod fired;
mod follow;
mod live;
mod roster;
mod rules;
mod service;
mod tally;

pub use error::RoundError;
pub use fired::SOURCE;
pub use service::Timers;

#[cfg(doc)]
use tally::Tally;
