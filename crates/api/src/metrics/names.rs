//! What is measured. The table of docs/operating.md has the same, which a test looks at.

use super::family::{Measure, Scale};

const fn counter(name: &'static str, scale: Scale, help: &'static str) -> Measure {
    Measure { name, help, is_counter: true, scale }
}

const fn gauge(name: &'static str, scale: Scale, help: &'static str) -> Measure {
    Measure { name, help, is_counter: false, scale }
}

pub(super) static SENSOR_POLLS: Measure = counter(
    "attune_sensor_polls_total",
    Scale::One,
    "Polls that ended, of a stream its runs, by result: succeeded, failed, timed_out or stopped.",
);
pub(super) static SENSOR_CPU: Measure = counter(
    "attune_sensor_cpu_seconds_total",
    Scale::Micro,
    "Processor time of polls and streams, as far as it is known.",
);
pub(super) static SENSOR_TIME: Measure =
    counter("attune_sensor_run_seconds_total", Scale::Micro, "Time that polls and streams ran.");
pub(super) static SENSOR_OUTPUT: Measure =
    counter("attune_sensor_output_bytes_total", Scale::One, "Output that was read of polls and streams.");
pub(super) static SENSOR_EVENTS: Measure =
    counter("attune_sensor_events_total", Scale::One, "Events of polls and streams.");
pub(super) static SENSOR_MEMORY: Measure = gauge(
    "attune_sensor_peak_memory_bytes",
    Scale::One,
    "The most memory that a poll or stream had in this hour and the one before; in a warm host that of the host.",
);
pub(super) static SENSOR_LATENESS: Measure =
    gauge("attune_sensor_lateness_seconds", Scale::Milli, "How late the last poll started.");
pub(super) static SENSOR_STATUS: Measure =
    gauge("attune_sensor_status", Scale::One, "1, with the status that the sensor has.");
pub(super) static ACTION_ATTEMPTS: Measure = counter(
    "attune_action_attempts_total",
    Scale::One,
    "Attempts of executions that ended, by result: succeeded, failed, timed_out or stopped (cancelled).",
);
pub(super) static ACTION_CPU: Measure = counter(
    "attune_action_cpu_seconds_total",
    Scale::Micro,
    "Processor time of attempts, as far as it is known.",
);
pub(super) static ACTION_TIME: Measure =
    counter("attune_action_run_seconds_total", Scale::Micro, "Time that attempts ran.");
pub(super) static ACTION_OUTPUT: Measure = counter(
    "attune_action_output_bytes_total",
    Scale::One,
    "Output that was read of attempts, their log included.",
);
pub(super) static ACTION_MEMORY: Measure = gauge(
    "attune_action_peak_memory_bytes",
    Scale::One,
    "The most memory that an attempt had in this hour and the one before; in a warm host that of the host.",
);
pub(super) static SENSORS: Measure = gauge("attune_sensors", Scale::One, "Sensors by status.");
pub(super) static WORKERS: Measure = gauge("attune_workers", Scale::One, "Workers by role and status.");
pub(super) static EXECUTIONS: Measure = gauge(
    "attune_executions",
    Scale::One,
    "Executions that have not ended, by status: requested (the queue) or running.",
);
pub(super) static BUILD: Measure =
    gauge("attune_build_info", Scale::One, "1, with the version of the API that answers.");
pub(super) static PROCESS_CPU: Measure =
    counter("process_cpu_seconds_total", Scale::Milli, "Processor time of the API that answers.");
pub(super) static PROCESS_RESIDENT: Measure =
    gauge("process_resident_memory_bytes", Scale::One, "Resident memory of the API that answers.");
pub(super) static PROCESS_VIRTUAL: Measure =
    gauge("process_virtual_memory_bytes", Scale::One, "Address space of the API that answers.");
pub(super) static PROCESS_FILES: Measure =
    gauge("process_open_fds", Scale::One, "Open descriptors of the API that answers.");
pub(super) static PROCESS_THREADS: Measure =
    gauge("process_threads", Scale::One, "Threads of the API that answers.");
pub(super) static PROCESS_START: Measure = gauge(
    "process_start_time_seconds",
    Scale::Milli,
    "When the API that answers was started, in seconds since 1970.",
);

/// All of them.
#[cfg(test)]
pub(super) static ALL: [&Measure; 23] = [
    &SENSOR_POLLS,
    &SENSOR_CPU,
    &SENSOR_TIME,
    &SENSOR_OUTPUT,
    &SENSOR_EVENTS,
    &SENSOR_MEMORY,
    &SENSOR_LATENESS,
    &SENSOR_STATUS,
    &ACTION_ATTEMPTS,
    &ACTION_CPU,
    &ACTION_TIME,
    &ACTION_OUTPUT,
    &ACTION_MEMORY,
    &SENSORS,
    &WORKERS,
    &EXECUTIONS,
    &BUILD,
    &PROCESS_CPU,
    &PROCESS_RESIDENT,
    &PROCESS_VIRTUAL,
    &PROCESS_FILES,
    &PROCESS_THREADS,
    &PROCESS_START,
];
