//! `attune runtime verify`: whether this machine has the runtimes, and why. It really looks: nothing is remembered.

use std::process::ExitCode;

use attune_common::config::Config;
use attune_common::models::Runtime;
use attune_common::runtime_detection::{Trust, Verdict, Verifier};
use clap::Args;

use super::{explain, rows};
use crate::arguments::{Format, Global};
use crate::output;

/// Which ones.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  attune runtime verify\n  attune runtime verify node\n\nThe exit code is 1 when the one that is named is not available here."
)]
pub(crate) struct Verify {
    /// Ref, name or alias of one; without it, all
    #[arg(value_name = "REF")]
    name: Option<String>,
}

pub(super) fn run(global: &Global, verify: &Verify) -> anyhow::Result<ExitCode> {
    let config = Config::load_from(global.config.as_deref())?;
    let all = rows::all(global)?;
    let runtimes = match &verify.name {
        Some(name) => rows::named(all, name)?,
        None => all,
    };
    let verifier = Verifier::new(&config.limits);
    let verdicts = attune_boot::runtime()?.block_on(verifier.verify_all(&runtimes, Trust::Nothing));
    let is_wanting = verify.name.is_some() && verdicts.iter().any(|verdict| !verdict.available);
    show(global.output, &runtimes.into_iter().zip(verdicts).collect::<Vec<_>>())?;
    Ok(ExitCode::from(u8::from(is_wanting)))
}

fn show(format: Format, verdicts: &[(Runtime, Verdict)]) -> anyhow::Result<()> {
    let each = verdicts.iter().map(|(runtime, verdict)| (runtime, verdict));
    match format {
        Format::Json => {
            output::json(&each.map(|(runtime, verdict)| explain::json(runtime, verdict)).collect())
        }
        Format::Table => {
            let texts: Vec<_> = each.map(|(runtime, verdict)| explain::text(runtime, verdict)).collect();
            output::text(&output::printable(&texts.join("\n")))
        }
    }
}
