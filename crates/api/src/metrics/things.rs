//! Sensors and actions, each with series of its own.

use attune_common::repositories::scrape::Thing;

use super::Page;
use super::family::{Family, Name};
use super::names;

type Figure = (&'static Name, fn(&Thing) -> i64, f64);

/// What is counted of sensors, and how much one of the column's units is.
const OF_SENSORS: [Figure; 5] = [
    (&names::SENSOR_CPU, |thing| thing.cpu_us, MICRO),
    (&names::SENSOR_TIME, |thing| thing.wall_us, MICRO),
    (&names::SENSOR_OUTPUT, |thing| thing.output_bytes, 1.0),
    (&names::SENSOR_EVENTS, |thing| thing.events, 1.0),
    (&names::SENSOR_MEMORY, |thing| thing.peak_memory_bytes, 1.0),
];

/// The same of actions.
const OF_ACTIONS: [Figure; 4] = [
    (&names::ACTION_CPU, |thing| thing.cpu_us, MICRO),
    (&names::ACTION_TIME, |thing| thing.wall_us, MICRO),
    (&names::ACTION_OUTPUT, |thing| thing.output_bytes, 1.0),
    (&names::ACTION_MEMORY, |thing| thing.peak_memory_bytes, 1.0),
];

const MICRO: f64 = 1e-6;
const MILLI: f64 = 1e-3;

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

fn figures((name, of, unit): &Figure, kind: &str, things: &[&Thing]) -> Family {
    let mut family = Family::new(name);
    for thing in things {
        family.sample(&[(kind, &thing.r#ref)], of(thing) as f64 * unit);
    }
    family
}

fn results(name: &'static Name, kind: &str, things: &[&Thing]) -> Family {
    let mut family = Family::new(name);
    for thing in things {
        let Thing { runs, failed, timed_out, stopped, .. } = thing;
        for (result, count) in [
            ("succeeded", runs - failed - stopped),
            ("failed", failed - timed_out),
            ("timed_out", *timed_out),
            ("stopped", *stopped),
        ] {
            family.sample(&[(kind, &thing.r#ref), ("result", result)], count as f64);
        }
    }
    family
}

/// A stream is never late, nor is who was never polled.
fn lateness(sensors: &[&Thing]) -> Family {
    let mut family = Family::new(&names::SENSOR_LATENESS);
    for (sensor, late) in sensors.iter().filter_map(|sensor| Some((sensor, sensor.lateness_ms?))) {
        family.sample(&[("sensor", &sensor.r#ref)], late as f64 * MILLI);
    }
    family
}

fn statuses(sensors: &[&Thing]) -> Family {
    let mut family = Family::new(&names::SENSOR_STATUS);
    for (sensor, status) in sensors.iter().filter_map(|sensor| Some((sensor, sensor.status.as_ref()?))) {
        family.sample(&[("sensor", &sensor.r#ref), ("status", status)], 1.0);
    }
    family
}
