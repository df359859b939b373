//! How many there are of what has no series of its own. What there is none of is 0, and does not vanish.

use attune_common::repositories::scrape::Count;
use attune_core::sensor_status::Status;

use super::Page;
use super::family::Family;
use super::names;

const ROLES: [&str; 3] = ["action", "sensor", "hybrid"];

pub(super) fn write(page: &mut Page, counts: &[Count]) -> Result<(), prometheus::Error> {
    let count = |noun: &str, role: Option<&str>, status: &str| {
        let is_it = |count: &&Count| {
            (count.noun.as_str(), count.role.as_deref(), count.status.as_str()) == (noun, role, status)
        };
        counts.iter().find(is_it).map_or(0, |count| count.count)
    };
    let mut sensors = Family::new(&names::SENSORS);
    for status in Status::ALL.map(Status::as_str) {
        sensors.sample(&[("status", status)], count("sensor", None, status));
    }
    page.add(sensors)?;
    let mut workers = Family::new(&names::WORKERS);
    for (role, status) in
        ROLES.into_iter().flat_map(|role| ["active", "inactive"].map(|status| (role, status)))
    {
        workers.sample(&[("role", role), ("status", status)], count("worker", Some(role), status));
    }
    page.add(workers)?;
    let mut executions = Family::new(&names::EXECUTIONS);
    for status in ["requested", "running"] {
        executions.sample(&[("status", status)], count("execution", None, status));
    }
    page.add(executions)
}
