//! Things from an operator's own file: created or changed, all of the file's documents or none.
//!
//! The documents are read by what reads a pack's files and checked by what checks a load, inside of one transaction. What is
//! written is an operator's change, as one by plain SQL is: the next load of the pack finds that the row differs from its last
//! load and keeps it. A document says the whole thing, and what it leaves out becomes the default; only `enabled`, left out,
//! stays as it is. A thing belongs to the pack that its ref begins with; a rule or a trigger needs none, because it has no code.

use std::collections::{BTreeMap, BTreeSet};

use attune_common::repositories::pack_thing::{self, Owner};
use attune_common::repositories::{config_version, pack};
use attune_core::pack::{Contents, Definitions, Documents, Fault, Kind, refs};
use attune_runtimes::archive;
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgConnection, PgPool};

use crate::apart::in_place;
use crate::load_pack::{self, Change, Columns, Fate, Masks, Thing};

/// Why nothing was applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Its author has to correct these.
    #[error("the file is not valid")]
    Faults(Vec<Fault>),
    /// Reading it ended without an answer.
    #[error("reading the file was interrupted")]
    Interrupted(#[from] tokio::task::JoinError),
    /// The database refused or did not answer.
    #[error("can not write what the file defines")]
    Database(#[from] sqlx::Error),
}

/// What became of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Its ref.
    pub r#ref: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Its fields that changed, secrets masked.
    pub changes: Vec<Change>,
}

/// What became of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of a report")]
pub enum Outcome {
    Created,
    Changed,
    Unchanged,
}

/// Applies every document of a text. `file` is what faults call it.
pub async fn apply(pool: &PgPool, kind: Kind, file: &str, text: &str) -> Result<Vec<Applied>, ApplyError> {
    let documents = Documents::read(file, text).map_err(ApplyError::Faults)?;
    let contents = contents(pool, kind, &documents.packs()).await?;
    let define = move || documents.define(kind, &contents).map_err(ApplyError::Faults);
    let defined = tokio::task::spawn_blocking(define).await??;
    let mut tx = pool.begin().await?;
    config_version::lock(&mut tx).await?;
    let applied = write(&mut tx, kind, &defined).await?;
    let faults = load_pack::check_references(&mut tx, &defined).await?;
    if !faults.is_empty() {
        return Err(ApplyError::Faults(faults));
    }
    tx.commit().await?;
    Ok(applied)
}

/// The files among which the code must be, for kinds that have code.
async fn contents(pool: &PgPool, kind: Kind, packs: &BTreeSet<String>) -> Result<Contents, ApplyError> {
    let mut contents = Contents::new();
    if !matches!(kind, Kind::Sensor | Kind::Action) {
        return Ok(contents);
    }
    for name in packs {
        let digest = pack::find(pool, name).await?.and_then(|row| row.digest);
        let Some(digest) = digest else { continue };
        let Some(content) = pack::find_content(pool, &digest).await? else { continue };
        let read = move || archive::read(&content).map(|files| files.contents().keys().cloned().collect());
        // Content that was loaded is readable; if it is not, no file is in it.
        contents.insert(name.clone(), tokio::task::spawn_blocking(read).await?.unwrap_or_default());
    }
    Ok(contents)
}

async fn write(tx: &mut PgConnection, kind: Kind, defined: &Definitions) -> sqlx::Result<Vec<Applied>> {
    let things = load_pack::things_of(defined);
    let names: Vec<_> = things.iter().map(|thing| thing.r#ref.clone()).collect();
    let rows = load_pack::by_name(pack_thing::list(tx, &names).await?);
    let masks = Masks::read(tx, defined, &rows).await?;
    let (mut applied, mut changed) = (Vec::new(), BTreeMap::<_, Vec<Value>>::new());
    let compare = |thing: &Thing| compare(thing, rows.get(&thing.key()), defined, &masks);
    let compared: Vec<_> = in_place(|| things.iter().map(compare).collect());
    for (thing, (outcome, row)) in things.iter().zip(compared) {
        if outcome.outcome != Outcome::Unchanged {
            changed.entry(refs::pack_of(&thing.r#ref)).or_default().push(row);
        }
        applied.push(outcome);
    }
    for (name, rows) in changed {
        let id = pack::find(&mut *tx, name).await?.map(|row| row.id);
        load_pack::put_kind(tx, Owner { id, r#ref: id.map(|_| name) }, kind, &Value::Array(rows)).await?;
    }
    Ok(applied)
}

/// What becomes of a thing, and its whole row. Whatever the row says now is the last word that was known, so nothing in it is
/// kept.
fn compare(thing: &Thing, row: Option<&Columns>, defined: &Definitions, masks: &Masks) -> (Applied, Value) {
    let new = columns(thing, row, defined);
    let mut merged = load_pack::merge(new.clone(), row, row);
    masks.apply(thing.kind.as_str(), [row, Some(&new)], &mut merged);
    let name = &thing.r#ref;
    let changes = merged.changes.iter().map(|it| Change::of(thing.kind.as_str(), name, it)).collect();
    let outcome = Applied { r#ref: name.clone(), outcome: merged.fate.into(), changes };
    let mut whole = merged.columns;
    whole.insert("ref".to_owned(), Value::from(name.as_str()));
    (outcome, Value::Object(whole))
}

/// The columns that a document means; whether a thing is enabled only it says.
fn columns(thing: &Thing, row: Option<&Columns>, defined: &Definitions) -> Columns {
    let mut columns = thing.definition.as_object().cloned().unwrap_or_default();
    let now = row.and_then(|row| row.get("enabled")?.as_bool());
    let is_named = defined.names(thing.kind, &thing.r#ref, "enabled");
    let enabled = if is_named { thing.enabled } else { now.or(thing.enabled) };
    columns.extend(enabled.map(|enabled| ("enabled".to_owned(), Value::Bool(enabled))));
    columns
}

impl From<Fate> for Outcome {
    fn from(fate: Fate) -> Self {
        match fate {
            Fate::Created => Self::Created,
            Fate::Updated => Self::Changed,
            Fate::Unchanged => Self::Unchanged,
        }
    }
}
