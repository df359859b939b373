//! Sensors and actions, each with series of its own.

use attune_common::repositories::scrape::Thing;

use super::Page;
use super::family::{Family, Measure};
use super::names;

type Figure = (&'static Measure, fn(&Thing) -> i64);

/// What is counted of sensors.
const OF_SENSORS: [Figure; 5] = [
    (&names::SENSOR_CPU, |thing| thing.cpu_us),
    (&names::SENSOR_TIME, |thing| thing.wall_us),
    (&names::SENSOR_OUTPUT, |thing| thing.output_bytes),
    (&names::SENSOR_EVENTS, |thing| thing.events),
    (&names::SENSOR_MEMORY, |thing| thing.peak_memory_bytes),
];

/// The same of actions.
const OF_ACTIONS: [Figure; 4] = [
    (&names::ACTION_CPU, |thing| thing.cpu_us),
    (&names::ACTION_TIME, |thing| thing.wall_us),
    (&names::ACTION_OUTPUT, |thing| thing.output_bytes),
    (&names::ACTION_MEMORY, |thing| thing.peak_memory_bytes),
];

pub(super) fn write(page: &mut Page, things: &[Thing]) -> Result<(), prometheus::Error> {
    let (sensors, actions): (Vec<_>, Vec<_>) = things.iter().partition(|thing| thing.kind == "sensor");
    page.add(results(&names::SENSOR_POLLS, "sensor", &sensors))?;
    for figure in &OF_SENSORS {
        page.add(figures(figure, "sensor", &sensors))?;
    }
    page.add(lateness(&sensors))?;
    page.add(statuses(&sensors))?;
    page.add(results(&names::ACTION_ATTEMPTS, "action", &actions))?;
    for figure in &OF_ACTIONS {
        page.add(figures(figure, "action", &actions))?;
    }
    Ok(())
}

fn figures((name, of): &Figure, kind: &str, things: &[&Thing]) -> Family {
    let mut family = Family::new(name);
    for thing in things {
        family.sample(&[(kind, &thing.r#ref)], of(thing));
    }
    family
}

fn results(name: &'static Measure, kind: &str, things: &[&Thing]) -> Family {
    let mut family = Family::new(name);
    for thing in things {
        let &&Thing { runs, failed, timed_out, stopped, .. } = thing;
        for (result, count) in [
            ("succeeded", runs - failed - stopped),
            ("failed", failed - timed_out),
            ("timed_out", timed_out),
            ("stopped", stopped),
        ] {
            family.sample(&[(kind, &thing.r#ref), ("result", result)], count);
        }
    }
    family
}

/// A stream is never late, nor is who was never polled.
fn lateness(sensors: &[&Thing]) -> Family {
    let mut family = Family::new(&names::SENSOR_LATENESS);
    for (sensor, late) in sensors.iter().filter_map(|sensor| Some((sensor, sensor.lateness_ms?))) {
        family.sample(&[("sensor", &sensor.r#ref)], late);
    }
    family
}

fn statuses(sensors: &[&Thing]) -> Family {
    let mut family = Family::new(&names::SENSOR_STATUS);
    for (sensor, status) in sensors.iter().filter_map(|sensor| Some((sensor, sensor.status.as_ref()?))) {
        family.sample(&[("sensor", &sensor.r#ref), ("status", status)], 1);
    }
    family
}
