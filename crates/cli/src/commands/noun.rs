//! `attune NOUN list|show`, alike for every noun.

use attune_common::repositories::listing;
use clap::{Args, Subcommand};
use serde_json::Value;

use crate::arguments::Global;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{self, Column};

pub(crate) use attune_common::repositories::listing::Noun;

/// Reading commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List them: things by name, happenings newest first
    List(List),
    /// Show one with all its fields
    Show(Show),
}

/// What narrows a list.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only rows whose COLUMN equals VALUE; may be repeated
    #[arg(short, long = "where", value_name = "COLUMN=VALUE", value_parser = parse_pair)]
    filters: Vec<(String, String)>,
    /// At most so many rows
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Only ids below this one: the next page of a list of happenings
    #[arg(long, value_name = "ID")]
    before: Option<i64>,
    /// Only names after this one: the next page of a list of things
    #[arg(long, value_name = "NAME")]
    after: Option<String>,
}

/// Which one.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its ref (a worker's name), or its id
    name: String,
}

pub(crate) fn run(global: &Global, noun: Noun, command: &Command) -> anyhow::Result<()> {
    match command {
        Command::List(list) => {
            let rows = Value::Array(rows(&Client::new(global)?, noun, list)?);
            output::list(global.output, &with_faults(columns(noun), &rows), &rows)
        }
        Command::Show(show) => self::show(global, noun, show),
    }
}

/// One more column where a row has a fault.
fn with_faults(columns: &[Column], rows: &Value) -> Vec<Column> {
    const FAULT: Column = ("FAULT", "fault");
    let is_faulty = rows.as_array().into_iter().flatten().any(|row| row["fault"].is_string());
    let more = (is_faulty && !columns.contains(&FAULT)).then_some(FAULT);
    columns.iter().copied().chain(more).collect()
}

/// The rows of a list. Says so when there are fewer than were asked for, and not all.
pub(crate) fn rows(client: &Client, noun: Noun, list: &List) -> anyhow::Result<Vec<Value>> {
    let limit = usize::try_from(list.limit).unwrap_or(usize::MAX);
    let (rows, rest) = client.list(&format!("/api/{}s", noun.name()), &query(noun, list)?, limit)?;
    if rest.is_some() {
        let end = rows.last().map(|row| output::value(&row[noun.natural_key()])).unwrap_or_default();
        let option = if noun.is_happening() { "before" } else { "after" };
        output::note(&format!("note: these are {} rows; the next ones: --{option} {end}", rows.len()));
    }
    Ok(rows)
}

/// Shows one with all its fields.
pub(crate) fn show(global: &Global, noun: Noun, show: &Show) -> anyhow::Result<()> {
    output::object(global.output, &find(&Client::new(global)?, noun, show)?)
}

/// The one that is asked for.
pub(crate) fn find(client: &Client, noun: Noun, show: &Show) -> anyhow::Result<Value> {
    client.get(&format!("/api/{}s/{}", noun.name(), path_segment(&show.name)), &[])
}

/// What a list asks the API for.
fn query(noun: Noun, list: &List) -> Result<Vec<(String, String)>, Failure> {
    let known = listing::Noun::filters(noun);
    if let Some((column, _)) = list.filters.iter().find(|(column, _)| !known.contains(&column.as_str())) {
        let known = known.join(", ");
        return Err(Failure::Usage(format!(
            "{}s can not be narrowed by {column}, only by {known}",
            noun.name()
        )));
    }
    let mut query = list.filters.clone();
    query.push(("limit".to_owned(), list.limit.to_string()));
    query.extend(list.before.map(|id| ("before".to_owned(), id.to_string())));
    query.extend(list.after.clone().map(|name| ("after".to_owned(), name)));
    Ok(query)
}

pub(super) fn parse_pair(text: &str) -> Result<(String, String), String> {
    let (column, value) = text.split_once('=').ok_or("it has no `=`; write for example status=failed")?;
    Ok((column.trim().to_owned(), value.to_owned()))
}

/// Percent-encodes what may not stand in a path.
pub(crate) fn path_segment(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// What a table shows of each noun; JSON has everything.
#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(crate) fn columns(noun: Noun) -> &'static [Column] {
    match noun {
        Noun::Pack => &[
            ("REF", "ref"),
            ("NAME", "name"),
            ("VERSION", "version"),
            ("ENABLED", "enabled"),
            ("UPDATED", "updated"),
            ("DESCRIPTION", "description"),
        ],
        Noun::Runtime => &[
            ("REF", "ref"),
            ("NAME", "name"),
            ("PACK", "pack_ref"),
            ("ALIASES", "aliases"),
            ("DESCRIPTION", "description"),
            ("WORKERS", "workers"),
        ],
        Noun::Worker => &[
            ("ID", "id"),
            ("NAME", "name"),
            ("ROLE", "worker_role"),
            ("STATUS", "status"),
            ("HOST", "host"),
            ("LAST HEARTBEAT", "last_heartbeat"),
            ("EPOCH", "epoch"),
        ],
        Noun::Trigger => {
            &[("REF", "ref"), ("LABEL", "label"), ("ENABLED", "enabled"), ("DESCRIPTION", "description")]
        }
        Noun::Timer => &[
            ("ID", "id"),
            ("TRIGGER", "trigger_ref"),
            ("SCHEDULE", "schedule"),
            ("LIVE", "live"),
            ("NEXT", "next"),
            ("LAST", "last"),
            ("FIRED", "fired"),
            ("MISSED", "missed"),
            ("RULES", "rules"),
        ],
        Noun::Sensor => &[
            ("REF", "ref"),
            ("STATUS", "status"),
            ("SINCE", "since"),
            ("ENABLED", "enabled"),
            ("MODE", "mode"),
            ("RUNTIME", "runtime_ref"),
            ("WORKER", "worker_name"),
            ("POLLS", "polls"),
            ("EVENTS", "events"),
            ("REJECTED", "rejected"),
            ("FAILURES", "failures"),
            ("LAST EVENT", "last_event"),
            ("NEXT TRY", "next_try"),
            ("REASON", "reason"),
            ("LAST ERROR", "last_error"),
        ],
        Noun::Action => &[
            ("REF", "ref"),
            ("RUNTIME", "runtime_ref"),
            ("ENTRYPOINT", "entrypoint"),
            ("ENABLED", "enabled"),
            ("DESCRIPTION", "description"),
        ],
        Noun::Rule => &[
            ("REF", "ref"),
            ("TRIGGER", "trigger_ref"),
            ("ACTION", "action_ref"),
            ("ENABLED", "enabled"),
            ("REVISION", "revision"),
            ("HELD SINCE", "held_since"),
            ("FAULT", "fault"),
        ],
        Noun::Event => &[
            ("ID", "id"),
            ("CREATED", "created"),
            ("TRIGGER", "trigger_ref"),
            ("SENSOR", "sensor_ref"),
            ("SOURCE", "source"),
            ("PAYLOAD", "payload"),
        ],
        Noun::Enforcement => &[
            ("ID", "id"),
            ("CREATED", "created"),
            ("EVENT", "event"),
            ("RULE", "rule_ref"),
            ("REVISION", "rule_revision"),
            ("STATUS", "status"),
            ("REASON", "reason"),
        ],
        Noun::Execution => &[
            ("ID", "id"),
            ("CREATED", "created"),
            ("STATUS", "status"),
            ("ACTION", "action_ref"),
            ("RULE", "rule_ref"),
            ("ATTEMPT", "attempt"),
            ("WORKER", "worker_name"),
            ("FINISHED", "finished"),
            ("ERROR", "error"),
        ],
    }
}
