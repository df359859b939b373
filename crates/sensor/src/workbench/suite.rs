//! The tests of a pack, one by one.

use attune_core::pack::{PackTest, PollExpectation, RuleExpectation, Subject};
use attune_executor::rules::trial::Trial;
use attune_executor::unloaded::{Library, UnloadedError, rule_on_trial};
use attune_runtimes::pack_directory::PackDirectory;
use chrono::Utc;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::report::milliseconds;
use super::{Given, Piece, Report, Workbench, WorkbenchError};

/// How one test ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// The name of its file.
    pub test: String,
    /// The sensor or rule.
    pub of: String,
    /// Whether what came is what was expected.
    pub passed: bool,
    /// How they differ.
    pub reason: Option<String>,
    /// How long it took.
    pub duration_ms: f64,
}

/// Runs one test of a pack.
pub async fn run_test(
    bench: &Workbench,
    own: &PackDirectory,
    library: &Library<'_>,
    test: &PackTest,
) -> Result<Outcome, WorkbenchError> {
    let start = Instant::now();
    let (of, verdict) = match &test.subject {
        Subject::Sensor { sensor, config, state, expect } => {
            let given = Given { config: config.clone(), state: state.clone(), ..Given::default() };
            let report = bench.poll(&Piece::of_pack(own, sensor), library, &given).await?;
            (sensor, judge_poll(expect, &report))
        }
        Subject::Rule { rule, event, expect } => (rule, try_rule(own, library, rule, event, expect)?),
    };
    let (passed, reason) = (verdict.is_ok(), verdict.err());
    let duration_ms = milliseconds(start.elapsed());
    Ok(Outcome { test: test.name().to_owned(), of: of.clone(), passed, reason, duration_ms })
}

/// What would not be stored is as good as no event.
fn judge_poll(expect: &PollExpectation, report: &Report) -> Result<(), String> {
    if let Some(error) = &report.error {
        return expect.check(Err(error));
    }
    let refused = report.events.iter().find_map(|event| event.refused.as_ref());
    if let Some(reason) = refused.or(report.set_aside.first().map(|aside| &aside.reason)) {
        return Err(format!("an event would be set aside: {reason}"));
    }
    let events: Vec<Value> = report.events.iter().map(|event| event.payload.clone()).collect();
    expect.check(Ok((&events, &report.state)))
}

fn try_rule(
    own: &PackDirectory,
    library: &Library<'_>,
    name: &str,
    event: &Value,
    expect: &RuleExpectation,
) -> Result<Result<(), String>, WorkbenchError> {
    let rule = own.pack.rules.iter().find(|rule| rule.r#ref == name);
    let rule = rule.ok_or_else(|| WorkbenchError::NotFound(format!("there is no rule {name:?}")))?;
    let on_trial = match rule_on_trial(&own.pack, rule, library) {
        Ok(on_trial) => on_trial,
        Err(UnloadedError::Fault(fault)) => return Ok(Err(fault.to_string())),
        Err(UnloadedError::Lookup(failed)) => return Err(WorkbenchError::Lookup(failed)),
    };
    let tried = on_trial.try_given(event.clone(), Utc::now());
    Ok(tried.and_then(|report| match report.trial {
        Trial { fires: true, params, .. } => expect.check(Ok(&params.unwrap_or_default())),
        Trial { reason, .. } => expect.check(Err(&reason.unwrap_or_default())),
    }))
}
