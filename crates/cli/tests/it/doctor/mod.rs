//! `attune doctor`: each fault is made for real, found, and named with what mends it.

mod database;
mod directories;
mod processes;
mod running;

use serde_json::Value;

use crate::eventually::eventually;
use crate::home::Home;

/// What `attune doctor` says of one check, as it stands at the terminal.
fn section(home: &Home, check: &str) -> String {
    let text = home.attune(&["doctor"]).stdout;
    let is_of = |line: &&str| {
        line.get(line.find(' ').unwrap_or_default()..)
            .is_some_and(|line| line.trim_start().starts_with(check))
    };
    let mut lines = Vec::new();
    let mut within = false;
    for line in text.lines() {
        within = if line.starts_with([' ', '\n']) { within } else { is_of(&line) };
        if within {
            lines.push(line);
        }
    }
    lines.join("\n") + "\n"
}

/// The findings of one check as `(verdict, what was found)`.
fn findings(home: &Home, check: &str) -> Vec<(String, String)> {
    let answer = home.attune(&["doctor", "-o", "json"]);
    let report: Value =
        serde_json::from_str(&answer.stdout).unwrap_or_else(|error| panic!("{error}: {answer}"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let own = report["findings"].as_array().unwrap().iter().filter(|finding| finding["check"] == check);
    own.map(|finding| (text(&finding["verdict"]), text(&finding["found"]))).collect()
}

/// Waits until a check finds something of this verdict that contains `what`.
#[track_caller]
fn finds(home: &Home, check: &str, verdict: &str, what: &str) {
    eventually(&format!("{check}: {verdict}: {what}"), || {
        let found = findings(home, check);
        found.into_iter().find(|(is, found)| is == verdict && found.contains(what))
    });
}
