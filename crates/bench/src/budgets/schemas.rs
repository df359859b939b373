//! Schemas, each compiled, and then asked about large values: is it right, which defaults are missing, what is secret.

use std::collections::BTreeMap;
use std::path::Path;

use attune_core::schema::Schema;
use serde_json::{Value, json};

use super::{Taken, measured, read};

pub(super) fn measure(corpus: &Path) -> anyhow::Result<Taken> {
    let values: Vec<(&'static str, Value)> = include!("../../../../corpus/schemas/values.rs");
    let mut most = Taken::default();
    for folder in ["hostile", "ordinary"] {
        println!("{folder:28} {:>9}{:9}  {:>9}", "compile", "", "check");
        let cases = cases(&corpus.join("schemas").join(folder))?;
        for (name, case) in &cases {
            // An ordinary one stands beside a value that keeps to it.
            let (document, own) = match folder {
                "ordinary" => (&case["schema"], Some(("its own", &case["value"]))),
                _ => (case, None),
            };
            let asked = own.into_iter().chain(values.iter().map(|(name, value)| (*name, value)));
            most = most.or(one(name, document, asked)?);
        }
        println!("{} schemas\n", cases.len());
    }
    Ok(most)
}

/// Prints what the dearest of the values took.
fn one<'a>(
    name: &str,
    document: &Value,
    values: impl Iterator<Item = (&'a str, &'a Value)>,
) -> anyhow::Result<Taken> {
    let (compiled, compile) = measured(|| Schema::compile(document))?;
    let figures = |taken: Taken| format!("{:6.1} ms {:5.1} MB", taken.milliseconds(), taken.megabytes());
    let Ok(schema) = compiled else {
        println!("{name:28} {}  refused", figures(compile));
        return Ok(compile);
    };
    let (mut most, mut dearest) = (Taken::default(), "");
    for (name, value) in values {
        let taken = measured(|| check(&schema, value))?.1;
        dearest = if taken.time > most.time { name } else { dearest };
        most = most.or(taken);
    }
    println!("{name:28} {}  {}  {dearest:.10}", figures(compile), figures(most));
    Ok(compile.or(most))
}

/// What is made of a value where it comes in, and where it is shown.
fn check(schema: &Schema, value: &Value) {
    let mut filled = value.clone();
    let is_filled = schema.fill_defaults(&mut filled).is_ok();
    let is_right = schema.validate(&filled).is_ok();
    std::hint::black_box((is_filled, is_right, schema.mask(value)));
}

fn cases(folder: &Path) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut cases = BTreeMap::new();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        cases.insert(name, serde_json::from_str(&read(&path)?)?);
    }
    Ok(cases)
}
