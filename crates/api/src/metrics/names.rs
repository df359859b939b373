//! What is measured. The table of docs/operating.md has the same, which a test looks at.

use super::family::Name;

const fn counter(name: &'static str, help: &'static str) -> Name {
    Name { name, help, is_counter: true }
}

const fn gauge(name: &'static str, help: &'static str) -> Name {
    Name { name, help, is_counter: false }
}

pub(super) static SENSOR_POLLS: Name = counter(
    "attune_sensor_polls_total",
    "Polls that ended, of a stream its runs, by result: succeeded, failed, timed_out or stopped.",
);
pub(super) static SENSOR_CPU: Name =
    counter("attune_sensor_cpu_seconds_total", "Processor time of polls and streams, as far as it is known.");
pub(super) static SENSOR_TIME: Name =
    counter("attune_sensor_run_seconds_total", "Time that polls and streams ran.");
pub(super) static SENSOR_OUTPUT: Name =
    counter("attune_sensor_output_bytes_total", "Output that was read of polls and streams.");
pub(super) static SENSOR_EVENTS: Name = counter("attune_sensor_events_total", "Events of polls and streams.");
pub(super) static SENSOR_MEMORY: Name = gauge(
    "attune_sensor_peak_memory_bytes",
    "The most memory that a poll or stream had in this hour and the one before; in a warm host that of the host.",
);
pub(super) static SENSOR_LATENESS: Name =
    gauge("attune_sensor_lateness_seconds", "How late the last poll started.");
pub(super) static SENSOR_STATUS: Name =
    gauge("attune_sensor_status", "1, with the status that the sensor has.");
pub(super) static ACTION_ATTEMPTS: Name = counter(
    "attune_action_attempts_total",
    "Attempts of executions that ended, by result: succeeded, failed, timed_out or stopped (cancelled).",
);
pub(super) static ACTION_CPU: Name =
    counter("attune_action_cpu_seconds_total", "Processor time of attempts, as far as it is known.");
pub(super) static ACTION_TIME: Name = counter("attune_action_run_seconds_total", "Time that attempts ran.");
pub(super) static ACTION_OUTPUT: Name =
    counter("attune_action_output_bytes_total", "Output that was read of attempts, their log included.");
pub(super) static ACTION_MEMORY: Name = gauge(
    "attune_action_peak_memory_bytes",
    "The most memory that an attempt had in this hour and the one before; in a warm host that of the host.",
);
pub(super) static SENSORS: Name = gauge("attune_sensors", "Sensors by status.");
pub(super) static WORKERS: Name = gauge("attune_workers", "Workers by role and status.");
pub(super) static EXECUTIONS: Name = gauge(
    "attune_executions",
    "Executions that have not ended, by status: requested (the queue) or running.",
);
pub(super) static BUILD: Name = gauge("attune_build_info", "1, with the version of the API that answers.");
pub(super) static PROCESS_CPU: Name =
    counter("process_cpu_seconds_total", "Processor time of the API that answers.");
pub(super) static PROCESS_RESIDENT: Name =
    gauge("process_resident_memory_bytes", "Resident memory of the API that answers.");
pub(super) static PROCESS_VIRTUAL: Name =
    gauge("process_virtual_memory_bytes", "Address space of the API that answers.");
pub(super) static PROCESS_FILES: Name =
    gauge("process_open_fds", "Open descriptors of the API that answers.");
pub(super) static PROCESS_THREADS: Name = gauge("process_threads", "Threads of the API that answers.");
pub(super) static PROCESS_START: Name =
    gauge("process_start_time_seconds", "When the API that answers was started, in seconds since 1970.");

/// All of them.
#[cfg(test)]
pub(super) static ALL: [&Name; 23] = [
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
