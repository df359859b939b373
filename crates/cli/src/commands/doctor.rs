//! `attune doctor`: what is wrong with this installation. The checks are attune-doctor's.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use attune_common::config::Sources;
use attune_doctor::{Installation, Report, Style, examine};

use crate::arguments::{Format, Global};
use crate::output;

/// Shown below the help.
pub(crate) const EXIT_CODES: &str =
    "Exit codes: 0 nothing is broken (warnings are no problem), 1 something is";

pub(crate) fn run(global: &Global) -> anyhow::Result<ExitCode> {
    let sources = Sources::of_process(global.config.as_deref());
    let installation = Installation::new(&sources, global.data_dir.clone(), global.api_url.clone());
    let runtime = attune_boot::runtime()?;
    let report = runtime.block_on(examine(installation));
    // A check that hangs must not keep the answer back.
    runtime.shutdown_background();
    print(global.output, &report)?;
    Ok(if report.has_problem() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print(format: Format, report: &Report) -> anyhow::Result<()> {
    let is_plain = !std::io::stdout().is_terminal() || std::env::var_os("NO_COLOR").is_some();
    match format {
        Format::Json => output::json(&serde_json::to_value(report)?),
        Format::Table if is_plain => output::text(&report.render(Style::Plain)),
        Format::Table => output::coloured(&report.render(Style::Coloured)),
    }
}
