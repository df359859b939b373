//! The service that runs actions: claim, run, finish.
//!
//! A [`WorkerService`] holds one place in the `worker` table and claims executions of the runtimes that its machine has,
//! as many as it has free slots. Each run is one program in a private directory with a clean environment; how it ended is
//! recorded under its attempt number, so an attempt that was declared lost meanwhile changes nothing. Whatever happens to
//! this process, no execution stays running: a graceful stop gives back what it could not finish, and a lost lease lets
//! others take the rest.

mod attempt;
mod cancelling;
mod claims;
mod error;
mod known;
mod log;
mod others;
mod pass;
mod program;
mod registration;
mod result;
mod service;
mod upkeep;
mod verdict;
mod warm;

pub use error::Error;
pub use registration::WorkerRegistration;
pub use service::{DRAIN, Surroundings, WorkerService};
