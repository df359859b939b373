//! The whole of what the gate only samples.
//!
//! Some claims hold over a matrix of languages, faults and seeds that takes minutes. The gate tries each kind once; `scripts/trials`
//! sets the variable, and the same tests try all of it.

use std::env;

/// Set by `scripts/trials`.
pub const VARIABLE: &str = "ATTUNE_TRIAL";

/// How many times as often a fault is tried in a trial.
const MORE: usize = 5;

/// How often something is killed or cut off: so often in the gate, and more often in a trial.
pub fn rounds(of_the_gate: usize) -> usize {
    if is_whole() { MORE * of_the_gate } else { of_the_gate }
}

/// Whether the whole matrix is to be tried.
pub fn is_whole() -> bool {
    env::var_os(VARIABLE).is_some_and(|value| !value.is_empty())
}
