//! How rows look from outside: secrets masked, timestamps in one form.
//!
//! Which field is secret a schema says: a sensor and a pack have theirs in the row, the parameters of executions and rules
//! go by the schema of their action.

use std::collections::HashMap;
use std::sync::Arc;

use attune_common::fuse::{self, Part, Thing};
use attune_common::readable::{self, UNREADABLE};
use attune_common::repositories::action::{self, SecretSchema};
use attune_common::repositories::listing::Noun;
use attune_executor::apart::apart;
use attune_executor::rules::RuleBook;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};
use sqlx::PgPool;

use super::{masks, timeline, timers};

/// Columns that hold a time; the others may hold text that only looks like one.
const TIMES: [&str; 18] = [
    "created",
    "updated",
    "started",
    "finished",
    "cancel_requested",
    "not_before",
    "last_heartbeat",
    "lease_until",
    "next_try",
    "since",
    "last_tick",
    "last_contact",
    "last_event",
    "anchor",
    "handled",
    "last",
    "poked_at",
    "held_since",
];

/// What stands for a value that may be secret.
const HIDDEN: &str = "***";

/// A row by column.
pub(super) type Row = Map<String, Value>;

/// Schemas by action.
type Schemas = HashMap<i64, SecretSchema>;

/// The rows as they may be shown, with what the rules in force say about them. Masks are an author's work, and apart.
pub(super) async fn of_rows(
    pool: &PgPool,
    rules: Arc<RuleBook>,
    noun: Noun,
    rows: Vec<Value>,
) -> sqlx::Result<Vec<Value>> {
    let rows: Vec<Row> = rows.into_iter().filter_map(into_row).collect();
    let schemas = match noun {
        Noun::Rule | Noun::Execution => secret_schemas(pool, &rows).await?,
        _ => Schemas::new(),
    };
    Ok(apart(move || shown(&rules, noun, rows, &schemas)).await)
}

fn shown(rules: &RuleBook, noun: Noun, mut rows: Vec<Row>, schemas: &Schemas) -> Vec<Value> {
    match noun {
        Noun::Sensor => {
            for row in &mut rows {
                mask_by_own(row, Thing::Sensor, "param_schema");
                timeline::name_parts(row);
            }
        }
        Noun::Pack => rows.iter_mut().for_each(|row| mask_by_own(row, Thing::Pack, "config_schema")),
        Noun::Rule => {
            mask_by_action(schemas, &mut rows, "action_params");
            for row in &mut rows {
                tell_fault(rules, row);
            }
        }
        Noun::Timer => rows.iter_mut().for_each(|row| timers::tell(rules, row, Utc::now())),
        Noun::Execution => mask_by_action(schemas, &mut rows, "params"),
        Noun::Runtime | Noun::Worker | Noun::Trigger | Noun::Action | Noun::Event | Noun::Enforcement => {}
    }
    rows.iter_mut().for_each(tell_trouble);
    rows.iter_mut().for_each(unify_times);
    rows.into_iter().map(Value::Object).collect()
}

/// The rows as safe mode shows them, where no schema and no rule is read: what may hold a secret is hidden, and what only the
/// rules in force could say is not known.
pub(super) fn of_rows_unread(rules: &RuleBook, noun: Noun, rows: Vec<Value>) -> Vec<Value> {
    let mut rows: Vec<Row> = rows.into_iter().filter_map(into_row).collect();
    for row in &mut rows {
        match noun {
            Noun::Sensor => {
                hide(row, "config");
                timeline::name_parts(row);
            }
            Noun::Pack => hide(row, "config"),
            Noun::Execution => hide(row, "params"),
            Noun::Rule => {
                hide(row, "action_params");
                row.insert("fault".to_owned(), Value::from("not known in safe mode"));
            }
            Noun::Timer => {
                timers::tell(rules, row, Utc::now());
                row.insert("rules".to_owned(), Value::Null);
            }
            Noun::Runtime | Noun::Worker | Noun::Trigger | Noun::Action | Noun::Event | Noun::Enforcement => {
            }
        }
        tell_trouble(row);
        unify_times(row);
    }
    rows.into_iter().map(Value::Object).collect()
}

fn hide(row: &mut Row, column: &str) {
    row.insert(column.to_owned(), Value::from(HIDDEN));
}

fn into_row(value: Value) -> Option<Row> {
    match value {
        Value::Object(row) => Some(row),
        _ => None,
    }
}

/// Masks the configuration by the schema that stands beside it. What was put aside is not evaluated: then everything is
/// hidden.
fn mask_by_own(row: &mut Row, thing: Thing, column: &str) {
    let is_aside = row.get("put_aside").is_some_and(Value::is_string);
    let schema = row.get(column).filter(|_| !is_aside).cloned().unwrap_or_default();
    let number = |column: &str| row.get(column).and_then(Value::as_i64).unwrap_or_default();
    let _note = fuse::note(thing, Part::Mask, number("id"), number("config_version"));
    mask(row, "config", &schema);
}

async fn secret_schemas(pool: &PgPool, rows: &[Row]) -> sqlx::Result<Schemas> {
    let actions: Vec<i64> = rows.iter().filter_map(action_of).collect();
    if actions.is_empty() {
        return Ok(Schemas::new());
    }
    let schemas = action::list_secret_schemas(pool, &actions).await?.into_iter();
    Ok(schemas.map(|schema| (schema.action, schema)).collect())
}

/// The parameters of an action that is gone have no schema any more and are shown.
fn mask_by_action(schemas: &Schemas, rows: &mut [Row], column: &str) {
    for row in rows {
        if let Some(SecretSchema { action, version, schema }) = action_of(row).and_then(|it| schemas.get(&it))
        {
            let _note = fuse::note(Thing::Action, Part::Mask, *action, *version);
            mask(row, column, schema);
        }
    }
}

fn action_of(row: &Row) -> Option<i64> {
    row.get("action").and_then(Value::as_i64)
}

/// Hides what the schema calls secret, and everything when the schema is none.
fn mask(row: &mut Row, column: &str, schema: &Value) {
    let masked = match (row.get(column), masks::schema(schema)) {
        (Some(value), Some(schema)) => schema.mask(value),
        _ => Value::from(HIDDEN),
    };
    row.insert(column.to_owned(), masked);
}

/// Why a rule that is enabled cannot match anything.
fn tell_fault(rules: &RuleBook, row: &mut Row) {
    let fault = row.get("ref").and_then(|name| rules.fault(name.as_str()?)).map(Value::from);
    row.insert("fault".to_owned(), fault.unwrap_or_default());
}

/// Why a thing cannot be used, when that is known of its row alone: it was put aside, or a column cannot be read.
fn tell_trouble(row: &mut Row) {
    let aside = row.remove("put_aside").and_then(|reason| Some(reason.as_str()?.to_owned()));
    let trouble =
        aside.or_else(|| row.get(UNREADABLE).and_then(|_| readable::reason_of(&Value::Object(row.clone()))));
    if let Some(trouble) = trouble {
        row.insert("fault".to_owned(), Value::String(trouble));
    }
}

/// RFC 3339, UTC, milliseconds.
fn unify_times(row: &mut Row) {
    for column in TIMES {
        let time = row.get(column).and_then(|value| DateTime::parse_from_rfc3339(value.as_str()?).ok());
        if let Some(time) = time {
            let text = time.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::Millis, true);
            row.insert(column.to_owned(), Value::from(text));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn masked(schema: &Value) -> Value {
        let mut row = into_row(json!({"config": {"key": "k", "url": "u"}, "param_schema": schema})).unwrap();
        mask_by_own(&mut row, Thing::Sensor, "param_schema");
        row["config"].clone()
    }

    #[test]
    fn secrets_are_masked_and_without_a_usable_schema_everything_is() {
        let schema = json!({"properties": {"key": {"type": "string", "secret": true}}});
        assert_eq!(masked(&schema), json!({"key": "***", "url": "u"}));
        assert_eq!(masked(&json!({"type": "nonsense"})), json!("***"));
    }

    #[test]
    fn safe_mode_hides_what_a_schema_might_call_secret_and_says_what_it_does_not_know() {
        let row = |noun, row| of_rows_unread(&RuleBook::default(), noun, vec![row]).remove(0);
        let schema = json!({"properties": {}});
        let sensor = row(Noun::Sensor, json!({"ref": "a", "config": {"url": "u"}, "param_schema": schema}));
        assert_eq!(sensor, json!({"ref": "a", "config": "***", "param_schema": schema}));
        assert_eq!(row(Noun::Pack, json!({"config": {}}))["config"], "***");
        assert_eq!(row(Noun::Execution, json!({"params": {"a": 1}}))["params"], "***");
        let rule = json!({"action_params": {"a": "{{ 1 }}"}, "put_aside": null});
        assert_eq!(row(Noun::Rule, rule), json!({"action_params": "***", "fault": "not known in safe mode"}));
        assert_eq!(row(Noun::Rule, json!({"put_aside": "it killed Attune"}))["fault"], "it killed Attune");
        assert_eq!(row(Noun::Timer, json!({"trigger_ref": "x"}))["rules"], Value::Null);
        assert_eq!(row(Noun::Event, json!({"payload": {"a": 1}}))["payload"], json!({"a": 1}));
    }

    #[test]
    fn times_have_milliseconds_and_text_stays_text() {
        let time = "2026-01-31T10:00:00.123456+00:00";
        let mut row = into_row(json!({"created": time, "updated": null, "key": time})).unwrap();
        unify_times(&mut row);
        assert_eq!(
            Value::Object(row),
            json!({"created": "2026-01-31T10:00:00.123Z", "updated": null, "key": time})
        );
    }
}
