//! The page is what Prometheus reads, whatever names it holds.

use std::collections::{BTreeMap, HashSet};

use attune_common::repositories::scrape::{Count, Thing};
use regex::Regex;

use super::{MOST, names, page};

fn thing(kind: &str, name: &str) -> Thing {
    Thing {
        kind: kind.to_owned(),
        r#ref: name.to_owned(),
        status: (kind == "sensor").then(|| "running".to_owned()),
        lateness_ms: (kind == "sensor").then_some(1500),
        runs: 9,
        failed: 3,
        timed_out: 1,
        stopped: 2,
        cpu_us: 1_250_000,
        wall_us: 2_000_000,
        output_bytes: 12_345_678_901_234,
        events: 5,
        peak_memory_bytes: 1_000_000,
    }
}

/// What a line of the format is, as a reader sees it that takes nothing else: name, labels, value.
type Samples = BTreeMap<(String, String), f64>;

/// Reads a page, and holds it against the rules: HELP, TYPE and samples of one name stand together, and no series comes twice.
fn read(page: &str) -> Samples {
    let help = Regex::new(r"^# HELP ([a-z_]+) [^\n\\]+$").unwrap();
    let kind = Regex::new(r"^# TYPE ([a-z_]+) (counter|gauge)$").unwrap();
    let label = r#"[a-z_]+="(?:[^"\\\n]|\\[n"\\])*""#;
    let sample =
        Regex::new(&format!(r"^([a-z_]+)(?:\{{({label}(?:,{label})*)\}})? (-?[0-9]+(?:\.[0-9]+)?)$"))
            .unwrap();
    let (mut samples, mut names, mut current) = (Samples::new(), HashSet::new(), None);
    for line in page.lines() {
        if let Some(found) = help.captures(line) {
            current = Some(found[1].to_owned());
            assert!(names.insert(found[1].to_owned()), "twice: {line}");
        } else if let Some(found) = kind.captures(line) {
            assert_eq!(current.as_deref(), Some(&found[1]), "{line}");
            assert_eq!(found[1].ends_with("_total"), &found[2] == "counter", "{line}");
        } else {
            let found = sample.captures(line).unwrap_or_else(|| panic!("no line of the format: {line}"));
            assert_eq!(current.as_deref(), Some(&found[1]), "{line}");
            let labels = found.get(2).map_or("", |labels| labels.as_str()).to_owned();
            let value = found[3].parse().unwrap();
            assert!(samples.insert((found[1].to_owned(), labels), value).is_none(), "twice: {line}");
        }
    }
    assert!(page.ends_with('\n'));
    samples
}

fn value(samples: &Samples, name: &str, labels: &str) -> f64 {
    let key = (name.to_owned(), labels.to_owned());
    *samples.get(&key).unwrap_or_else(|| panic!("no {name} of {labels}: {samples:?}"))
}

#[test]
fn units_are_base_units_and_results_add_up() {
    let page = page(&[thing("sensor", "demo.s"), thing("action", "demo.a")], &[]).unwrap();
    let samples = read(&page);
    for (name, labels, expected) in [
        ("attune_sensor_cpu_seconds_total", r#"sensor="demo.s""#, 1.25),
        ("attune_sensor_run_seconds_total", r#"sensor="demo.s""#, 2.0),
        ("attune_sensor_output_bytes_total", r#"sensor="demo.s""#, 12_345_678_901_234.0),
        ("attune_sensor_events_total", r#"sensor="demo.s""#, 5.0),
        ("attune_sensor_lateness_seconds", r#"sensor="demo.s""#, 1.5),
        ("attune_sensor_status", r#"sensor="demo.s",status="running""#, 1.0),
        ("attune_sensor_polls_total", r#"sensor="demo.s",result="succeeded""#, 4.0),
        ("attune_sensor_polls_total", r#"sensor="demo.s",result="failed""#, 2.0),
        ("attune_sensor_polls_total", r#"sensor="demo.s",result="timed_out""#, 1.0),
        ("attune_sensor_polls_total", r#"sensor="demo.s",result="stopped""#, 2.0),
        ("attune_action_attempts_total", r#"action="demo.a",result="succeeded""#, 4.0),
        ("attune_action_peak_memory_bytes", r#"action="demo.a""#, 1e6),
    ] {
        let found = value(&samples, name, labels);
        assert!((found - expected).abs() < 1e-9, "{name} of {labels}: {found}");
    }
}

#[test]
fn hostile_names_stay_within_their_labels() {
    let name = "a\"} 1\n# TYPE evil counter\nevil \\ 7\u{0}\u{1f4a3}";
    let samples = read(&page(&[thing("sensor", name)], &[]).unwrap());
    let labels = "sensor=\"a\\\"} 1\\n# TYPE evil counter\\nevil \\\\ 7\u{0}\u{1f4a3}\"";
    assert!(value(&samples, "attune_sensor_events_total", labels) > 0.0);
    assert!(!samples.keys().any(|(name, _)| name == "evil"));
}

#[test]
fn what_there_is_none_of_is_zero() {
    let samples = read(&page(&[], &[]).unwrap());
    for (name, labels) in [
        ("attune_executions", r#"status="requested""#),
        ("attune_executions", r#"status="running""#),
        ("attune_sensors", r#"status="stuck""#),
        ("attune_workers", r#"role="action",status="active""#),
    ] {
        assert!(value(&samples, name, labels).abs() < 1e-9, "{name}");
    }
    let count = |noun: &str, role: Option<&str>, status: &str| Count {
        noun: noun.to_owned(),
        role: role.map(str::to_owned),
        status: status.to_owned(),
        count: 3,
    };
    let counts = [count("sensor", None, "stuck"), count("worker", Some("action"), "active")];
    let samples = read(&page(&[], &counts).unwrap());
    assert!(value(&samples, "attune_sensors", r#"status="stuck""#) > 2.0);
    assert!(value(&samples, "attune_workers", r#"role="action",status="active""#) > 2.0);
    assert!(value(&samples, "process_resident_memory_bytes", "") > 1e6);
    assert!(value(&samples, "process_start_time_seconds", "") > 1.6e9);
}

/// The promise of the constant, and that the page of all of them is one.
#[test]
fn as_many_as_there_may_be_are_one_page() {
    let things: Vec<_> = (0..MOST).map(|n| thing("sensor", &format!("warehouse.temperature_{n}"))).collect();
    let page = page(&things, &[]).unwrap();
    assert!(page.len() < 12_000_000, "{} bytes", page.len());
    let lines = page.lines().filter(|line| line.starts_with("attune_sensor_events_total"));
    assert_eq!(lines.count(), things.len());
}

#[test]
fn the_documentation_has_every_name() {
    let documentation = include_str!("../../../../docs/operating.md");
    for name in names::ALL {
        let line = format!("| `{}` |", name.name);
        let is_there =
            documentation.lines().any(|known| known.starts_with(&line) && known.contains(name.help));
        assert!(is_there, "docs/operating.md lacks {line} {} |", name.help);
    }
}
