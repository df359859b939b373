//! What this machine can run.
//!
//! No code knows a language: a row of table `runtime` says by which commands a machine finds out whether it has that
//! runtime, and this module runs them. Who is asked, the first that answers wins:
//!
//! 1. an environment variable: its names count, the database is not asked; set but empty, there are none;
//! 2. the configuration's `capabilities.runtimes`: likewise, unless it is empty;
//! 3. the database: every row is verified, side by side, and only what is available is reported.
//!
//! Names given by hand are not verified; [`RuntimeDetector::match_runtimes`] finds the rows that they mean, when there is
//! work to match.
//!
//! # Failure
//! A row never fails detection: whatever it holds, it is unavailable for a reason. Only a database that can not be asked
//! does.

mod cache;
mod capabilities;
mod detector;
mod reported;
mod run;
mod system;
mod verdict;
mod verifier;

pub use capabilities::{Detected, DetectedRuntime, Tier};
pub use detector::{Error, Result, Round, RuntimeDetector};
pub use reported::{Reported, refused_version, reported};
pub use system::{advice, advice_for_all};
pub use verdict::{Failed, Verdict, Version};
pub use verifier::{Trust, Verifier};
