//! `attune-worker`: the service that runs actions, as a program of its own.

use std::process::ExitCode;

use attune_worker::{DRAIN, WorkerService};

fn main() -> ExitCode {
    attune_boot::run_main(async |config, arguments| {
        let service = WorkerService::new(config).await?.replacing(arguments.replace);
        attune_boot::serve(service.supervisor(), DRAIN, service.start()).await
    })
}
