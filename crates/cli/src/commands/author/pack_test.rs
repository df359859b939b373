//! `attune pack test`: the tests of a pack, a line each.

use std::path::PathBuf;
use std::process::ExitCode;

use attune_executor::unloaded::Library;
use attune_sensor::workbench::{Outcome, run_test};
use clap::Args;
use serde_json::json;

use super::running::{Api, dynamic};
use crate::arguments::{Format, Global};
use crate::output::{self, printable};

/// Which pack.
#[derive(Debug, Args)]
#[command(after_help = "Exit code 0 when all of them pass, 1 when one fails, 6 when the pack is invalid.")]
pub(crate) struct Test {
    /// The directory that holds pack.yaml
    directory: PathBuf,
}

pub(crate) fn run(global: &Global, test: &Test) -> anyhow::Result<ExitCode> {
    let own = super::read(&test.directory)?;
    let api = Api::find(global)?;
    let library = Library::new(Some(&own), dynamic(api.as_ref()))?;
    let outcomes = attune_boot::runtime()?.block_on(async {
        let bench = super::workbench(global).await?;
        let mut outcomes = Vec::new();
        for test in &own.pack.tests {
            let outcome = run_test(&bench, &own, &library, test).await.map_err(super::explain)?;
            tell(global.output, &outcome)?;
            outcomes.push(outcome);
        }
        anyhow::Ok(outcomes)
    })?;
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    summarise(global.output, &own.pack.manifest.r#ref, &outcomes, failed)?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(format: Format, outcome: &Outcome) -> anyhow::Result<()> {
    if format == Format::Json {
        return Ok(());
    }
    let word = if outcome.passed { "ok  " } else { "FAIL" };
    let mut lines = vec![format!("{word}  {}  {}  {} ms", outcome.test, outcome.of, outcome.duration_ms)];
    let reason = outcome.reason.iter().flat_map(|reason| reason.lines());
    lines.extend(reason.map(|line| format!("      {}", printable(line))));
    output::text(&lines.join("\n"))
}

fn summarise(format: Format, pack: &str, outcomes: &[Outcome], failed: usize) -> anyhow::Result<()> {
    let passed = outcomes.len() - failed;
    match format {
        Format::Json => {
            output::json(&json!({"pack": pack, "passed": passed, "failed": failed, "tests": outcomes}))
        }
        Format::Table => output::text(&format!("{pack}: {passed} passed, {failed} failed")),
    }
}
