//! The API as a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    attune_boot::run_main(attune_api::run)
}
