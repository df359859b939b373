//! `attune-sensor`: the service that runs sensors, as a program of its own.

use std::process::ExitCode;

use attune_sensor::{DRAIN, SensorService};

fn main() -> ExitCode {
    attune_boot::run_main(async |config, arguments| {
        let service = SensorService::new(config).await?.replacing(arguments.replace);
        attune_boot::serve(service.supervisor(), DRAIN, service.start()).await
    })
}
