//! Names for a shell, from the API that the line so far speaks of.

use std::time::Duration;

use clap_complete::engine::CompletionCandidate;
use serde_json::Value;

use super::super::noun::Noun;
use crate::arguments::{Format, Global};
use crate::client::Client;

/// Longer, and the shell would seem to hang.
const PATIENCE: Duration = Duration::from_millis(700);
/// Of happenings only the newest are worth a look.
const HAPPENINGS: &str = "20";
const THINGS: &str = "1000";

/// The things of a noun.
pub(super) fn of(noun: Noun) -> Vec<CompletionCandidate> {
    let rows = ask(noun).unwrap_or_default();
    let names = rows.as_array().into_iter().flatten().filter_map(|row| name(noun, row));
    names.filter(|name| is_plain(name)).map(CompletionCandidate::new).collect()
}

/// The columns by which a list may be narrowed.
pub(super) fn columns(noun: Noun) -> Vec<CompletionCandidate> {
    noun.filters().iter().map(|column| CompletionCandidate::new(format!("{column}="))).collect()
}

fn ask(noun: Noun) -> Option<Value> {
    let client = Client::patient_for(&global(), PATIENCE).ok()?;
    let limit = if noun.is_happening() { HAPPENINGS } else { THINGS };
    client.get(&format!("/api/{}s", noun.name()), &[("limit".to_owned(), limit.to_owned())]).ok()
}

fn name(noun: Noun, row: &Value) -> Option<String> {
    match noun {
        Noun::Worker => row["name"].as_str().map(str::to_owned),
        noun if noun.is_happening() => row["id"].as_i64().map(|id| id.to_string()),
        _ => row["ref"].as_str().map(str::to_owned),
    }
}

/// Rows may hold anything, and a shell acts on some of it.
fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// The options that the line names so far.
fn global() -> Global {
    Global {
        config: option("--config").map(Into::into),
        data_dir: option("--data-dir").map(Into::into),
        api_url: option("--api-url").or_else(|| std::env::var("ATTUNE_API_URL").ok()),
        output: Format::Json,
    }
}

fn option(name: &str) -> Option<String> {
    let words: Vec<_> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let at = words.iter().rposition(|word| word == name || word.starts_with(&format!("{name}=")))?;
    match words[at].split_once('=') {
        Some((_, value)) => Some(value.to_owned()),
        None => words.get(at + 1).cloned(),
    }
}
