//! `attune pack`: validate one here, compare it with what is there, load it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use attune_core::conditions::Conditions;
use attune_core::pack::{Fault, Pack};
use attune_core::template::Template;
use attune_runtimes::directory::DirectoryError;
use attune_runtimes::files::Files;
use attune_runtimes::{archive, directory, requirements};
use clap::Subcommand;
use serde_json::{Value, json};

use super::author;
use super::noun::{self, Noun};
use super::{report, switch};
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
    /// Run the tests of a pack here, before it is loaded
    Test(author::pack_test::Test),
    /// Load a pack: all of it, or nothing and the reason
    Load {
        /// The directory that holds pack.yaml
        directory: PathBuf,
    },
    /// What a load would do, field by field; nothing is loaded
    Diff {
        /// The directory that holds pack.yaml
        directory: PathBuf,
        /// Exit with 1 when a load would change something
        #[arg(long)]
        exit_code: bool,
    },
    #[command(flatten)]
    Switch(switch::Command),
    #[command(flatten)]
    Read(noun::Command),
}

pub(crate) fn run(global: &Global, command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Validate { directory } => validate(global, directory)?,
        Command::Load { directory } => load(global, directory)?,
        Command::Diff { directory, exit_code } => return diff(global, directory, *exit_code),
        Command::Switch(command) => switch::run(global, Noun::Pack, command)?,
        Command::Read(noun::Command::Show(show)) => self::show(global, show)?,
        Command::Test(test) => return author::pack_test::run(global, test),
        Command::Read(command) => noun::run(global, Noun::Pack, command)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a pack from a directory and checks all that can be checked without a database.
pub(crate) fn read(path: &Path) -> anyhow::Result<(Files, Pack)> {
    let files = directory::read(path).map_err(unfit)?;
    let pack = Pack::parse(files.contents()).map_err(|faults| refused(path, &faults))?;
    warn_of_rules(&pack);
    warn_of_commands(&pack);
    warn_of_line_ends(&files);
    Ok((files, pack))
}

/// What is not there is so, what cannot be read is a failure, what a pack cannot hold is refused.
pub(crate) fn unfit(error: DirectoryError) -> anyhow::Error {
    match error {
        DirectoryError::Unreadable { path, source } if source.kind() == ErrorKind::NotFound => {
            Failure::NotFound(format!("there is no directory {}", path.display())).into()
        }
        DirectoryError::Unreadable { .. } => error.into(),
        DirectoryError::NotUtf8 { .. } | DirectoryError::Special { .. } | DirectoryError::File(_) => {
            Failure::Refused(error.to_string()).into()
        }
    }
}

/// What a rule may say, but hardly means: a field that no event has, a list where none can be.
pub(crate) fn warn_of_rules(pack: &Pack) {
    for rule in &pack.rules {
        let conditions =
            Conditions::compile(&rule.conditions).map(|conditions| conditions.warnings().to_vec());
        for warning in conditions.into_iter().flatten() {
            output::note(&format!("warning: {}: conditions{warning}", rule.r#ref));
        }
        let params = Template::compile(&rule.action_params).map(|template| template.warnings().to_vec());
        for warning in params.into_iter().flatten() {
            output::note(&format!("warning: {}: action_params.{warning}", rule.r#ref));
        }
    }
}

/// Commands that the pack requires and this machine lacks; the one that is to run it may have them.
fn warn_of_commands(pack: &Pack) {
    for missing in requirements::missing(&pack.manifest.requires) {
        let (name, command, advice) = (&pack.manifest.r#ref, &missing.command, missing.advice());
        let words = format!("`{command}` is not on PATH of this machine{advice}");
        output::note(&format!("warning: {name}: requires: {words}"));
    }
}

/// Scripts as another system's editor saves them.
pub(crate) fn warn_of_line_ends(files: &Files) {
    for path in files.foreign_line_ends() {
        let words = "its lines end in CR LF, which most interpreters cannot read; save it with LF";
        output::note(&format!("warning: {path}: {words}"));
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
        Format::Table => output::text(&report::summary(&report)),
    }
}

fn diff(global: &Global, path: &Path, exit_code: bool) -> anyhow::Result<ExitCode> {
    let (files, _) = read(path)?;
    let packed = archive::write(&files)?;
    let report = Client::new(global)?.post_archive("/api/packs/diff", &packed)?;
    match global.output {
        Format::Json => output::json(&report)?,
        Format::Table => output::text(&report::difference(&report))?,
    }
    let differs = exit_code && report::changes_something(&report);
    Ok(if differs { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The pack's row, and what belongs to it.
fn show(global: &Global, show: &noun::Show) -> anyhow::Result<()> {
    let client = Client::new(global)?;
    let mut pack = noun::find(&client, Noun::Pack, show)?;
    for noun in [Noun::Runtime, Noun::Trigger, Noun::Sensor, Noun::Action, Noun::Rule] {
        let of_pack = [("pack_ref", pack["ref"].as_str().unwrap_or_default()), ("limit", "1000")];
        let query = of_pack.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let rows = client.get(&format!("/api/{}s", noun.name()), &query)?;
        let refs: Value = rows.as_array().into_iter().flatten().map(|row| row["ref"].clone()).collect();
        pack[format!("{}s", noun.name())] = refs;
    }
    output::object(global.output, &pack)
}
