//! What templates that want too much get before they end: time, and memory beyond what was there before.
//!
//! The highest memory of a process is counted by the kernel, and can be set back to what is used now.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use attune_core::event::EventView;
use attune_core::template::{Context, Template};
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Templates by name, as YAML
    #[arg(long, value_name = "FILE", default_value = "corpus/templates/hostile.yaml")]
    templates: std::path::PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(&arguments.templates)
        .with_context(|| format!("could not read {}", arguments.templates.display()))?;
    let templates: BTreeMap<String, String> = serde_saphyr::from_str(&text)?;
    let event = event();
    let (mut slowest, mut largest) = (Duration::ZERO, 0);
    for (name, template) in &templates {
        let before = reset_peak()?;
        let start = Instant::now();
        let ending = ending(template, &event);
        let (took, grown) = (start.elapsed(), peak()?.saturating_sub(before));
        println!(
            "{name:28} {:8.2} ms {:8.1} MB  {ending:.60}",
            took.as_secs_f64() * 1000.0,
            megabytes(grown)
        );
        (slowest, largest) = (slowest.max(took), largest.max(grown));
    }
    println!(
        "{} templates: slowest {:.1} ms, largest {:.1} MB",
        templates.len(),
        slowest.as_secs_f64() * 1000.0,
        megabytes(largest)
    );
    Ok(())
}

fn ending(template: &str, event: &EventView) -> String {
    let template = match Template::compile(&json!({"p": template})) {
        Ok(template) => template,
        Err(fault) => return fault.to_string(),
    };
    match template.render(&Context { event, rule: &json!({}), pack_config: &json!({}) }) {
        Ok(value) => value.to_string(),
        Err(error) => error.to_string(),
    }
}

/// Numbers, texts, lists and objects of the size that a large event has.
fn event() -> EventView {
    let deep = (0..90).fold(json!([]), |inner, _| json!([inner]));
    let objects: Vec<Value> = (0..2000).map(|n| json!({"name": format!("name-{n}"), "n": n})).collect();
    EventView {
        id: 1,
        trigger: "demo.hostile".into(),
        sensor: None,
        source: None,
        key: None,
        payload: json!({"n": 99_999_999_999_999_u64, "text": "text", "long": "x".repeat(200_000),
            "list": (0..20_000).collect::<Vec<_>>(), "objects": objects, "deep": deep}),
        trigger_params: None,
        created: chrono::DateTime::from_timestamp(1_770_000_000, 0).expect("a time that exists"),
    }
}

/// Sets the highest memory back, and gives what is used now, in KB.
fn reset_peak() -> anyhow::Result<u64> {
    std::fs::write("/proc/self/clear_refs", "5")?;
    peak()
}

/// The highest memory since it was set back, in KB.
fn peak() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("the kernel counts no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn megabytes(kilobytes: u64) -> f64 {
    kilobytes as f64 / 1024.0
}
