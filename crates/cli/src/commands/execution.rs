//! `attune execution`: what ran, what it said, and orders to stop it or to run it again.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::cancel_where;
use super::each::each;
use super::noun::{self, Noun};
use crate::arguments::Global;
use crate::client::Client;
use crate::output;

/// What to do with executions.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print what an execution wrote to stderr, as it came
    Logs {
        /// The execution's id
        id: i64,
    },
    /// End them: what waits at once, what runs with everything that it started
    Cancel(Cancel),
    /// Run them once more, with the same parameters and the action as it is now
    Retry(Retry),
    #[command(flatten)]
    Read(noun::Command),
}

/// Which.
#[derive(Debug, Args)]
pub(crate) struct Ids {
    /// Their ids
    #[arg(required = true, value_name = "ID")]
    ids: Vec<i64>,
}

/// Which: by id, or all that fit.
#[derive(Debug, Args)]
#[command(
    after_help = "Columns: status, action_ref, rule_ref, trigger_ref, event\n\nExamples:\n  attune execution cancel 42\n  attune execution cancel --where action_ref=demo.slow --where status=requested\n  attune execution cancel --where rule_ref=demo.loop --older-than 10m --yes"
)]
pub(crate) struct Cancel {
    /// Their ids
    #[arg(value_name = "ID", required_unless_present_any = ["filters", "older_than"], conflicts_with_all = ["filters", "older_than", "yes"])]
    ids: Vec<i64>,
    /// All whose COLUMN equals VALUE; may be repeated
    #[arg(short, long = "where", value_name = "COLUMN=VALUE", value_parser = noun::parse_pair)]
    filters: Vec<(String, String)>,
    /// All that were requested longer ago, such as 10m
    #[arg(long, value_name = "TIME")]
    older_than: Option<String>,
    /// Does not ask before it cancels all that fit
    #[arg(short, long)]
    yes: bool,
}

/// Which, and how.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  attune execution retry 42\n  attune execution list --where retry_of=42")]
pub(crate) struct Retry {
    #[command(flatten)]
    ids: Ids,
    /// Also those that succeeded
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(global: &Global, command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Logs { id } => {
            output::bytes(&Client::new(global)?.get_bytes(&format!("/api/executions/{id}/logs"))?)
        }
        Command::Cancel(Cancel { ids, .. }) if !ids.is_empty() => {
            order(global, ids, "cancel", &json!({}), cancelled)
        }
        Command::Cancel(Cancel { filters, older_than, yes, .. }) => {
            cancel_where::cancel(global, filters, older_than.as_deref(), *yes)
        }
        Command::Retry(Retry { ids: Ids { ids }, force }) => {
            order(global, ids, "retry", &json!({"force": force}), retried)
        }
        Command::Read(command) => noun::run(global, Noun::Execution, command),
    }
}

/// Gives one order for each.
fn order(
    global: &Global,
    ids: &[i64],
    order: &str,
    body: &Value,
    line: fn(&Value) -> String,
) -> anyhow::Result<()> {
    let client = Client::new(global)?;
    each(global, ids, |id| client.post(&format!("/api/executions/{id}/{order}"), body), line)
}

fn cancelled(answer: &Value) -> String {
    let what = match (answer["status"] == "cancelled", answer["changed"] == true) {
        (true, _) => "is cancelled",
        (false, true) => "is being cancelled: its worker ends it",
        (false, false) => "is being cancelled already",
    };
    format!("execution {} {what}", answer["id"])
}

fn retried(answer: &Value) -> String {
    format!("execution {} runs again as {}", answer["again"], answer["id"])
}
