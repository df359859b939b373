//! The timers that rules ask for become the timers that are waited for.
//!
//! A timer that is new here may be known in the database: from before a restart, to another service, or from a time when
//! a rule asked for it and then none did. Its row says where it goes on.

use std::collections::{HashMap, HashSet};

use attune_common::repositories::timer::{self, TimerRow};
use attune_core::schedule::Timer;
use attune_core::schema;
use attune_executor::rules::RuleBook;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::PgPool;

use crate::live::Live;
use crate::roster::Roster;
use crate::rules::{self, Name};

/// By how much services may differ: in the rules that they know, and by their clocks.
const OVERLAP: TimeDelta = TimeDelta::seconds(10);
/// Timers of one statement.
const BATCH: usize = 5000;

/// A timer before its row is known.
struct Asked {
    name: Name,
    timer: Timer,
    params: Value,
}

/// Brings the roster to what a book asks for, and the table with it. `before`: the book that the roster follows, if that is
/// known; then only what differs is looked at.
pub(crate) async fn follow(
    pool: &PgPool,
    roster: &mut Roster,
    before: Option<&RuleBook>,
    book: &RuleBook,
    now: DateTime<Utc>,
    is_first: bool,
) -> sqlx::Result<()> {
    // At the start everything until then was done by whoever was here before; later, what another service has begun with.
    let done = if is_first { timer::get_progress(pool).await?.min(now) } else { now };
    let mut gone = unasked(roster, before, book);
    let nothing = RuleBook::default();
    let new = rules::asked_for_only_by(book, before.unwrap_or(&nothing));
    let new: Vec<_> =
        new.filter(|name| roster.find(name).is_none()).filter_map(|name| read(book, name)).collect();
    for asked in new.chunks(BATCH) {
        for live in enlist(pool, book, asked, done - OVERLAP, now).await? {
            roster.add(live);
        }
    }
    if is_first {
        gone.extend(timer::list_live(pool).await?.into_iter().filter(|id| roster.get(*id).is_none()));
    }
    if !gone.is_empty() {
        timer::retire(pool, book.version, &gone.iter().copied().collect::<Vec<_>>(), now).await?;
        for id in gone {
            roster.remove(id);
        }
    }
    Ok(())
}

/// The timers of the roster that a book does not ask for.
fn unasked(roster: &Roster, before: Option<&RuleBook>, book: &RuleBook) -> HashSet<i64> {
    match before {
        Some(before) => {
            rules::asked_for_only_by(before, book).filter_map(|name| roster.find(&name)).collect()
        }
        None => roster.iter().filter(|it| !rules::is_asked_for(book, &it.name)).map(|it| it.id).collect(),
    }
}

/// Parameters that can not be read are no rule's: the book leaves such rules out.
fn read(book: &RuleBook, name: Name) -> Option<Asked> {
    let _note = rules::note(book, &name);
    let params = serde_json::from_str(&name.params).ok()?;
    let timer = Timer::read(name.trigger, &params)?.ok()?;
    Some(Asked { name, timer, params })
}

async fn enlist(
    pool: &PgPool,
    book: &RuleBook,
    asked: &[Asked],
    from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Live>> {
    let triggers: Vec<_> = asked.iter().map(|it| it.name.trigger.to_owned()).collect();
    let params: Vec<_> = asked.iter().map(|it| it.params.clone()).collect();
    let rows = timer::enlist(pool, book.version, &triggers, &params, now).await?;
    let by_name: HashMap<_, _> = asked.iter().map(|it| ((it.name.trigger, &*it.name.params), it)).collect();
    let live = |row: TimerRow| {
        let params = schema::canonical(&row.params);
        let asked = by_name.get(&(row.trigger_ref.as_str(), params.as_str()))?;
        let _note = rules::note(book, &asked.name);
        Some(Live::new(asked.name.clone(), asked.timer.clone(), &row, from, now))
    };
    Ok(rows.into_iter().filter_map(live).collect())
}
