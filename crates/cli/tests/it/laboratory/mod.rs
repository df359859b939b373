//! The laboratory: sensors that are honest, and sensors that were planted, each of which earns what it is worth.

mod planted;
mod polled;
mod reports;
mod streams;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::home::Home;
use crate::pack;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A pack `demo` with the streams of one language of the corpus.
fn home_of(language: &str) -> Home {
    let home = Home::new();
    let root = pack::write(
        home.path(),
        "demo",
        &[
            ("pack.yaml", "ref: demo\nname: Demo\nversion: 1.0.0\n"),
            ("triggers/seen.yaml", "ref: demo.seen\n"),
        ],
    );
    let corpus = Path::new(ROOT).join("corpus/torture").join(language);
    for file in std::fs::read_dir(corpus).unwrap() {
        let file = file.unwrap().path();
        let (name, stem) =
            (file.file_name().unwrap().to_str().unwrap(), file.file_stem().unwrap().to_str().unwrap());
        let sensor = format!(
            "ref: demo.{stem}\nmode: stream\nruntime: core.{language}\nentrypoint: sensors/{name}\ntriggers: [demo.seen]\n"
        );
        let definition = format!("sensors/{stem}.yaml");
        pack::write(&root, ".", &[(&definition, &sensor)]);
        std::fs::copy(&file, root.join("sensors").join(name)).unwrap();
    }
    home
}

/// The definition of one of its streams.
fn stream(name: &str) -> PathBuf {
    PathBuf::from(format!("demo/sensors/{name}.yaml"))
}

/// What the laboratory says of a sensor, and its exit code.
fn tortured(home: &Home, sensor: &Path, options: &[&str]) -> (Value, i32) {
    let command = ["sensor", "test", sensor.to_str().unwrap(), "--torture", "-o", "json"];
    let answer = home.attune(&[&command, options].concat());
    (serde_json::from_str(&answer.stdout).unwrap_or_else(|_| panic!("{answer}")), answer.code)
}

/// Where the sensors here look, and where they may keep a cursor of their own.
const LINES: [&str; 4] = ["--source", "lines:file", "--config", r#"{"cursor": "{scratch}/cursor"}"#];

/// The fault that shows what it earned.
fn shown_by(ordeal: &Value) -> Option<&str> {
    ordeal["shown_by"]["fault"].as_str()
}

/// How it bore each fault.
fn bore(ordeal: &Value) -> Vec<(&str, &str)> {
    let faults = ordeal["faults"].as_array().unwrap();
    faults.iter().map(|tried| (tried["fault"].as_str().unwrap(), tried["bore"].as_str().unwrap())).collect()
}
