//! `attune NOUN enable|disable`, alike for every noun that has `enabled`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::each::each;
use super::noun::{Noun, path_segment};
use crate::arguments::Global;
use crate::client::Client;

/// On and off.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Put into force again; everybody follows within a second
    Enable(Refs),
    /// Put out of force until it is enabled; loading its pack again does not enable it
    Disable(Refs),
}

/// Which.
#[derive(Debug, Args)]
pub(crate) struct Refs {
    /// Their refs
    #[arg(required = true, value_name = "REF")]
    refs: Vec<String>,
}

impl Refs {
    /// The names, at least one.
    pub(crate) fn names(&self) -> &[String] {
        &self.refs
    }
}

pub(crate) fn run(global: &Global, noun: Noun, command: &Command) -> anyhow::Result<()> {
    let (refs, enabled) = match command {
        Command::Enable(Refs { refs }) => (refs, true),
        Command::Disable(Refs { refs }) => (refs, false),
    };
    let client = Client::new(global)?;
    let order = |name: &String| {
        let path = format!("/api/{}s/{}", noun.name(), path_segment(name));
        client.patch(&path, &json!({"enabled": enabled}))
    };
    each(global, refs, order, |answer| line(noun, answer))
}

fn line(noun: Noun, answer: &Value) -> String {
    let state = if answer["enabled"] == true { "enabled" } else { "disabled" };
    let already = if answer["changed"] == true { "" } else { " already" };
    format!("{} {} is {state}{already}", noun.name(), answer["ref"].as_str().unwrap_or_default())
}
