//! The streams that are ready for use.

use std::path::Path;

use attune_testkit::trial;

use super::{ROOT, bore, tortured};
use crate::home::Home;

/// The pack without what only its broker needs, which would have to be installed.
fn home() -> Home {
    let home = Home::new();
    let (from, to) = (Path::new(ROOT).join("packs/streams"), home.path().join("streams"));
    for directory in ["", "sensors", "triggers"] {
        std::fs::create_dir_all(to.join(directory)).unwrap();
        for file in std::fs::read_dir(from.join(directory)).unwrap() {
            let file = file.unwrap();
            if file.path().is_file() && file.file_name() != "requirements.txt" {
                std::fs::copy(file.path(), to.join(directory).join(file.file_name())).unwrap();
            }
        }
    }
    home
}

fn earns_exactly_once(sensor: &str, source: &str, params: &str, faults: &[&str]) {
    let home = home();
    let options = [&["--source", source, "--trigger-params", params, "--seed", "6"], faults].concat();
    let (ordeal, _) = tortured(&home, &Path::new("streams/sensors").join(sensor), &options);
    assert_eq!(ordeal["earned"], "exactly once", "{ordeal:#}");
    let not_held: Vec<_> = bore(&ordeal).into_iter().filter(|(_, bore)| *bore != "held").collect();
    assert_eq!(not_held, [], "{ordeal:#}");
}

#[test]
fn lines_that_are_appended() {
    earns_exactly_once("lines.yaml", "lines", r#"{"path": "{source}", "from": "start"}"#, &[]);
}

#[test]
fn files_that_appear() {
    // The others have nothing to do with what the source is.
    let of_the_source: &[&str] = &["--only", "kill,lost-ack,duplicate-page,torn-line,giant-line"];
    let faults = if trial::is_whole() { &[] } else { of_the_source };
    earns_exactly_once("directory.yaml", "files", r#"{"directory": "{source}"}"#, faults);
}
