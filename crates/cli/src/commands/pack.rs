//! `attune pack`: validate one here, load one there.

use std::path::{Path, PathBuf};

use attune_core::conditions::Conditions;
use attune_core::pack::{Fault, Pack};
use attune_core::template::Template;
use attune_runtimes::files::Files;
use attune_runtimes::{archive, directory};
use clap::Subcommand;
use serde_json::{Value, json};

use super::noun::{self, Noun};
use crate::arguments::{Format, Global};
use crate::client::Client;
use crate::failure::Failure;
use crate::output;

/// What to do with packs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a pack's files here; nothing is loaded
    Validate {
        /// The directory that holds pack.yaml
        directory: PathBuf,
    },
    /// Load a pack: all of it, or nothing and the reason
    Load {
        /// The directory that holds pack.yaml
        directory: PathBuf,
    },
    #[command(flatten)]
    Read(noun::Command),
}

pub(crate) fn run(global: &Global, command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Validate { directory } => validate(global, directory),
        Command::Load { directory } => load(global, directory),
        Command::Read(command) => noun::run(global, Noun::Pack, command),
    }
}

/// Reads a pack from a directory and checks all that can be checked without a database.
pub(crate) fn read(path: &Path) -> anyhow::Result<(Files, Pack)> {
    let files = directory::read(path)?;
    let pack = Pack::parse(files.contents()).map_err(|faults| refused(path, &faults))?;
    warn_of_rules(&pack);
    Ok((files, pack))
}

/// What a rule may say, but hardly means: a field that no event has, a list where none can be.
#[expect(clippy::print_stderr, reason = "a warning goes to the person who typed the command")]
fn warn_of_rules(pack: &Pack) {
    for rule in &pack.rules {
        let conditions =
            Conditions::compile(&rule.conditions).map(|conditions| conditions.warnings().to_vec());
        for warning in conditions.into_iter().flatten() {
            eprintln!("warning: {}: conditions{warning}", rule.r#ref);
        }
        let params = Template::compile(&rule.action_params).map(|template| template.warnings().to_vec());
        for warning in params.into_iter().flatten() {
            eprintln!("warning: {}: action_params.{warning}", rule.r#ref);
        }
    }
}

/// The faults of a pack, a line each.
pub(crate) fn refused(path: &Path, faults: &[Fault]) -> Failure {
    let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
    Failure::Refused(format!("{} is not valid\n  {}", path.display(), lines.join("\n  ")))
}

fn validate(global: &Global, path: &Path) -> anyhow::Result<()> {
    let (_, pack) = read(path)?;
    match global.output {
        Format::Json => output::json(
            &json!({"ref": pack.manifest.r#ref, "version": pack.manifest.version, "valid": true}),
        ),
        Format::Table => output::text(&format!("{} {} is valid", pack.manifest.r#ref, pack.manifest.version)),
    }
}

fn load(global: &Global, path: &Path) -> anyhow::Result<()> {
    let (files, _) = read(path)?;
    let packed = archive::write(&files)?;
    let report = Client::new(global)?.post_archive("/api/packs", &packed)?;
    match global.output {
        Format::Json => output::json(&report),
        Format::Table => output::text(&summary(&report)),
    }
}

/// What a load did, in a few lines.
pub(crate) fn summary(report: &Value) -> String {
    let text = |name: &str| report[name].as_str().unwrap_or_default().to_owned();
    let mut lines = vec![format!("{} {} is loaded", text("pack"), text("version"))];
    for name in ["created", "updated", "disabled", "left_runtimes"] {
        let refs: Vec<_> = report[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if !refs.is_empty() {
            lines.push(format!("  {}: {}", name.replace('_', " "), refs.join(", ")));
        }
    }
    for kept in report["kept"].as_array().into_iter().flatten() {
        let field = |name: &str| kept[name].as_str().unwrap_or_default().to_owned();
        lines.push(format!(
            "  kept: {} of {}, changed here since the last load",
            field("field"),
            field("ref")
        ));
    }
    lines.join("\n")
}
