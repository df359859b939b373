//! `attune sensor conform`: a stream, or a host, held against the protocol.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use attune_executor::unloaded::Library;
use attune_sensor::workbench::{Check, Conformity, Kind, Piece};
use clap::Args;
use serde_json::{Value, json};

use super::running::{Api, dynamic};
use super::sensor_test::{parse_seconds, tell_apart};
use crate::arguments::{Format, Global};
use crate::output::{self, printable};

/// Which program.
#[derive(Debug, Args)]
#[command(after_help = "\
The protocol is docs/sensor-protocol.md. A stream is listened to for --seconds, gets its checkpoints acknowledged, other
parameters, and an order that it can not know, and is told to stop. A host polls FILE, fails at a file that is not there,
and goes on.
Exit code 0 when every check passed, 1 when one failed, 6 when the sensor or its pack is invalid.

Examples:
  attune sensor conform count.sh
  attune sensor conform packs/demo/sensors/inbox.yaml --seconds 20
  attune sensor conform try.py --host")]
pub(crate) struct Conform {
    /// The YAML file or the code of a streaming sensor; with --host a file that a host polls
    file: PathBuf,
    /// Try the host of the runtime, and let it poll FILE
    #[arg(long)]
    host: bool,
    /// The runtime, by ref, name or alias; for code by itself the one whose files end like it
    #[arg(long, value_name = "REF")]
    runtime: Option<String>,
    /// An object that is put over the sensor's configuration, key by key. As with every command it may also be Attune's own
    /// configuration file
    #[arg(long, value_name = "JSON|FILE")]
    config: Option<PathBuf>,
    /// How long a stream is listened to, and how long a host may take for one answer
    #[arg(long, value_name = "N", default_value = "5", value_parser = parse_seconds)]
    seconds: Duration,
}

pub(crate) fn run(global: &Global, conform: &Conform) -> anyhow::Result<ExitCode> {
    let (global, config) = &tell_apart(global, conform.config.as_deref())?;
    let conformity = attune_boot::runtime()?.block_on(held_against(global, conform, config))?;
    show(global.output, &conformity)?;
    Ok(if conformity.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn held_against(global: &Global, conform: &Conform, config: &Value) -> anyhow::Result<Conformity> {
    let bench = super::workbench(global).await?;
    let api = Api::find(global)?;
    let piece = Piece::of_file(&conform.file, conform.runtime.as_deref()).map_err(super::explain)?;
    let library = Library::new(piece.pack(), dynamic(api.as_ref()))?;
    let kind = if conform.host { Kind::Host } else { Kind::Stream };
    bench.conform(&piece, &library, config, kind, conform.seconds).await.map_err(super::explain)
}

fn show(format: Format, conformity: &Conformity) -> anyhow::Result<()> {
    let failed = conformity.checks.iter().filter(|check| !check.ok).count();
    let passed = conformity.checks.len() - failed;
    match format {
        Format::Json => {
            let mut all = serde_json::to_value(conformity)?;
            all["passed"] = json!(passed);
            all["failed"] = json!(failed);
            output::json(&all)
        }
        Format::Table => {
            let lines = conformity.checks.iter().map(line);
            let summary = format!("{}: {passed} passed, {failed} failed", conformity.sensor);
            output::text(&lines.chain([summary]).collect::<Vec<_>>().join("\n"))
        }
    }
}

fn line(check: &Check) -> String {
    let word = if check.ok { "ok  " } else { "FAIL" };
    format!("{word}  {}: {}", check.check, printable(&check.detail))
}
