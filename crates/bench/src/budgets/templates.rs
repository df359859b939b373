//! Templates that want too much, each compiled and rendered for one large event.

use std::collections::BTreeMap;
use std::path::Path;

use attune_core::event::EventView;
use attune_core::template::{Context, Template};
use serde_json::json;

use super::{Taken, measured, read};

pub(super) fn measure(corpus: &Path) -> anyhow::Result<Taken> {
    let templates: BTreeMap<String, String> =
        serde_saphyr::from_str(&read(&corpus.join("templates/hostile.yaml"))?)?;
    let (event, mut most) = (event(), Taken::default());
    println!("{:28} {:>10}", "template", "render");
    for (name, template) in &templates {
        let (ending, taken) = measured(|| ending(template, &event))?;
        println!("{name:28} {:7.1} ms {:6.1} MB  {ending:.28}", taken.milliseconds(), taken.megabytes());
        most = most.or(taken);
    }
    println!("{} templates\n", templates.len());
    Ok(most)
}

fn ending(template: &str, event: &EventView) -> String {
    let template = match Template::compile(&json!({"p": template})) {
        Ok(template) => template,
        Err(fault) => return fault.message,
    };
    match template.render(&Context { event, rule: &json!({}), pack_config: &json!({}) }) {
        Ok(value) => value["p"].to_string(),
        Err(error) => error.message,
    }
}

/// Numbers, texts, lists and objects of the size that a large event has.
fn event() -> EventView {
    EventView {
        id: 1,
        trigger: "demo.hostile".into(),
        sensor: None,
        source: None,
        key: None,
        payload: include!("../../../../corpus/templates/payload.rs"),
        trigger_params: None,
        created: chrono::DateTime::from_timestamp(1_770_000_000, 0).expect("a time that exists"),
    }
}
