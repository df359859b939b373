//! The configuration: every fault that would stop a start.

use crate::finding::Finding;
use crate::installation::Installation;

pub(super) fn check(installation: &Installation) -> Vec<Finding> {
    let survey = &installation.survey;
    if survey.faults.is_empty() {
        let file = survey.file.as_ref().map(|file| format!("{} and the environment", file.display()));
        return vec![Finding::ok(format!(
            "{} are valid",
            file.unwrap_or_else(|| "the defaults and the environment".to_owned())
        ))];
    }
    let mend = "correct it there; `attune config check` looks again, docs/configuration.md names every key";
    survey.faults.iter().map(|fault| Finding::problem(fault.to_string(), mend)).collect()
}
