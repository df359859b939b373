//! The whole of what the gate only samples.
//!
//! Some claims hold over a matrix of languages, faults and seeds that takes minutes. The gate tries each kind once; `scripts/trials`
//! sets the variable, and the same tests try all of it.

use std::env;

/// Set by `scripts/trials`.
pub const VARIABLE: &str = "ATTUNE_TRIAL";

/// Whether the whole matrix is to be tried.
pub fn is_whole() -> bool {
    env::var_os(VARIABLE).is_some_and(|value| !value.is_empty())
}
