//! What is not in a timer's row because it follows from it: its schedule in words, its next instant, and which rules ask for it.

use attune_core::schedule::{self, Timer};
use attune_core::schema;
use attune_executor::rules::RuleBook;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::view::Row;

/// Adds `schedule`, `next` and `rules`. A timer that no rule asks for has no next instant.
pub(super) fn tell(book: &RuleBook, row: &mut Row, now: DateTime<Utc>) {
    let trigger = row.get("trigger_ref").and_then(Value::as_str).unwrap_or_default().to_owned();
    let params = row.get("params").cloned().unwrap_or_default();
    let timer = Timer::read(&trigger, &params).and_then(Result::ok);
    let next = timer.as_ref().filter(|_| row.get("live") == Some(&Value::Bool(true))).and_then(|timer| {
        let anchor = DateTime::parse_from_rfc3339(row.get("anchor")?.as_str()?).ok()?;
        timer.next_after(anchor.with_timezone(&Utc), now)
    });
    let asking = book.trigger(&trigger).map_or(&[][..], |it| it.rules_of(&schema::canonical(&params)));
    let rules: Vec<Value> = asking.iter().map(|rule| Value::from(rule.r#ref.as_str())).collect();
    row.insert("schedule".to_owned(), timer.map(|timer| timer.to_string()).into());
    row.insert("next".to_owned(), next.map(schedule::text).into());
    row.insert("rules".to_owned(), Value::Array(rules));
}
