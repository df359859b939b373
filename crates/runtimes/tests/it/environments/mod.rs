//! Environments of packs, with a machine that has nothing yet, and with other processes.

mod builds;
mod faults;
mod machine;
mod processes;
