//! How many files a process started from here may have open, and how many a busy Attune needs.

use attune_common::config::Config;
use rustix::process::{Resource, getrlimit};

use crate::finding::Finding;
use crate::installation::Installation;

/// Connections to the API, those of its readers to the database, logs, listeners, libraries.
const BASE: u64 = 649;
/// A program that runs: its three streams, its report, and the handle on it.
const PER_PROGRAM: u64 = 5;

pub(super) fn check(installation: &Installation) -> Vec<Finding> {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    vec![judge(limit, needed(&installation.config))]
}

fn judge(limit: u64, needed: u64) -> Finding {
    if limit >= needed {
        return Finding::ok(format!("{limit} are allowed, a busy Attune needs {needed}"));
    }
    Finding::warning(
        format!("only {limit} are allowed, a busy Attune needs {needed}"),
        format!("ulimit -n {0}, or LimitNOFILE={0} in the service's unit", needed.next_power_of_two()),
    )
}

/// What this configuration may have open when everything it allows happens at once.
fn needed(config: &Config) -> u64 {
    let sensors = config
        .sensor
        .as_ref()
        .map_or(0, |sensor| 2 * u64::from(sensor.max_concurrent_sensors) + u64::from(sensor.max_streams));
    let runs = config.worker.as_ref().map_or(0, |worker| u64::from(worker.max_concurrent_executions));
    BASE + u64::from(config.database.max_connections) + PER_PROGRAM * (sensors + runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_configuration_needs_more() {
        let mut config = Config::default();
        let usual = needed(&config);
        assert!(usual < 1024, "the usual limit is enough for the defaults: {usual}");
        config.worker.as_mut().unwrap().max_concurrent_executions = 1000;
        assert_eq!(
            judge(1024, needed(&config)).mend.unwrap(),
            "ulimit -n 8192, or LimitNOFILE=8192 in the service's unit"
        );
    }
}
