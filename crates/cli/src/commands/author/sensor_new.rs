//! `attune sensor new`: a pack to begin with.

use std::path::PathBuf;

use attune_executor::unloaded::{Library, NewSensor, NewSensorError, Written};
use clap::Args;
use serde_json::json;

use super::running::{Api, dynamic};
use crate::arguments::{Format, Global};
use crate::failure::Failure;
use crate::output;

/// What kind of sensor, and where.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  attune sensor new --runtime python shop            pack shop with the sensor shop.shop, in ./shop
  attune sensor new --runtime node shop.orders       pack shop with the sensor shop.orders
  attune sensor new --runtime shell till --pack shop another sensor in the pack in ./shop")]
pub(crate) struct New {
    /// The runtime, by ref, name or alias
    #[arg(long)]
    runtime: String,
    /// The directory of the new pack, named as the pack, or PACK.SENSOR; with --pack the name of the sensor
    name: PathBuf,
    /// Add it to the pack in this directory instead
    #[arg(long, value_name = "DIR")]
    pack: Option<PathBuf>,
}

pub(crate) fn run(global: &Global, new: &New) -> anyhow::Result<()> {
    let api = Api::find(global)?;
    let library = Library::new(None, dynamic(api.as_ref()))?;
    let asked = NewSensor { runtime: &new.runtime, name: &new.name, pack: new.pack.as_deref() };
    let written = asked.write(&library).map_err(explain)?;
    match global.output {
        Format::Json => {
            output::json(&json!({"pack": written.root, "files": written.files, "sensor": written.sensor}))
        }
        Format::Table => output::text(&summary(&written)),
    }
}

fn explain(error: NewSensorError) -> anyhow::Error {
    match error {
        NewSensorError::UnknownRuntime { .. } => Failure::NotFound(error.to_string()).into(),
        NewSensorError::NoTemplate { .. } | NewSensorError::Name(_) | NewSensorError::Faulty(_) => {
            Failure::Refused(error.to_string()).into()
        }
        NewSensorError::Pack(error) => super::refused(error),
        error => error.into(),
    }
}

fn summary(written: &Written) -> String {
    let root = written.root.display();
    let files = written.files.iter().map(|file| format!("  {root}/{file}"));
    let lines = std::iter::once("wrote".to_owned()).chain(files).chain([
        "next".to_owned(),
        format!("  attune sensor test {root}/{}", written.sensor),
        format!("  attune pack test {root}"),
        format!("  attune pack load {root}"),
    ]);
    lines.collect::<Vec<_>>().join("\n")
}
