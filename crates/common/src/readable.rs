//! Cells that can be read, whatever they hold.
//!
//! Operators write the public tables by plain SQL, and PostgreSQL stores more than this program reads: JSON nested deeper than
//! 127 levels, the number 1e400, a NULL inside an array. A plain column type fails the whole query over one such cell, and with
//! it every list, every rule and every assignment. So columns that operators may write are selected as [`Readable`]: the row
//! arrives, and the cell says what is wrong with it. Whatever needs that cell is broken with this reason; its neighbours are not.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Postgres, Type, ValueRef as _};

/// Each reason begins with this.
const UNREAD: &str = "cannot be read: ";

/// The field of a listed row that names its unreadable columns, each with the reason.
pub const UNREADABLE: &str = "unreadable";

/// A JSONB cell, or why it cannot be read. SQL's NULL is null.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Readable(Result<Value, String>);

/// The value, or a text that says why there is none: for readers that expect another type than a text, and say what they found
/// instead.
impl From<Readable> for Value {
    fn from(cell: Readable) -> Self {
        cell.0.unwrap_or_else(Self::String)
    }
}

/// As [`Value`]; null is none.
impl From<Readable> for Option<Value> {
    fn from(cell: Readable) -> Self {
        Some(Value::from(cell)).filter(|value| !value.is_null())
    }
}

impl Type<Postgres> for Readable {
    fn type_info() -> PgTypeInfo {
        <Value as Type<Postgres>>::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <Value as Type<Postgres>>::compatible(ty)
    }
}

impl<'r> Decode<'r, Postgres> for Readable {
    fn decode(cell: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        if cell.is_null() {
            return Ok(Self(Ok(Value::Null)));
        }
        Ok(Self(serde_json::from_slice(json(&cell)?).map_err(reason)))
    }
}

/// What of one row cannot be read.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<String>);

impl Faults {
    /// The value of a column, or null and a fault.
    pub(crate) fn take(&mut self, column: &str, cell: Readable) -> Value {
        cell.0.unwrap_or_else(|reason| {
            self.0.push(format!("{column}: {reason}"));
            Value::Null
        })
    }

    /// A fault that was found elsewhere.
    pub(crate) fn note(&mut self, reason: String) {
        self.0.push(reason);
    }

    /// With another one, if there is one.
    pub(crate) fn and(mut self, reason: Option<String>) -> Self {
        self.0.extend(reason);
        self
    }

    /// All of them in one sentence. `None`: the row can be read.
    pub(crate) fn into_reason(self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join("; "))
    }
}

/// A row as one JSON object. A field that cannot be read is null, and named in the field [`UNREADABLE`].
#[derive(Debug)]
pub(crate) struct Row(pub(crate) Value);

impl From<Row> for Value {
    fn from(row: Row) -> Self {
        row.0
    }
}

impl Type<Postgres> for Row {
    fn type_info() -> PgTypeInfo {
        <Value as Type<Postgres>>::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <Value as Type<Postgres>>::compatible(ty)
    }
}

impl<'r> Decode<'r, Postgres> for Row {
    fn decode(cell: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let json = json(&cell)?;
        Ok(Self(serde_json::from_slice(json).or_else(|_| by_field(json))?))
    }
}

/// Why a column cannot be read, where the row has that instead of its value.
pub fn reason_in(column: &Value) -> Option<&str> {
    column.as_str().filter(|text| text.starts_with(UNREAD))
}

/// What of a listed row cannot be read, in one sentence. `None`: all can.
pub fn reason_of(row: &Value) -> Option<String> {
    let faults = row.get(UNREADABLE)?.as_object()?;
    let told =
        faults.iter().map(|(column, reason)| format!("{column}: {}", reason.as_str().unwrap_or_default()));
    Some(told.collect::<Vec<_>>().join("; "))
}

/// The slow way: each field by itself. To find where a field ends costs no depth.
fn by_field(json: &[u8]) -> Result<Value, BoxDynError> {
    let cells: BTreeMap<String, &RawValue> = serde_json::from_slice(json)?;
    let (mut row, mut faults) = (Map::new(), Map::new());
    for (column, cell) in cells {
        let value = serde_json::from_str(cell.get()).unwrap_or_else(|error| {
            faults.insert(column.clone(), Value::String(reason(error)));
            Value::Null
        });
        row.insert(column, value);
    }
    row.insert(UNREADABLE.to_owned(), Value::Object(faults));
    Ok(Value::Object(row))
}

/// The text of a JSONB cell. Its binary form has a version in front.
fn json<'r>(cell: &PgValueRef<'r>) -> Result<&'r [u8], BoxDynError> {
    let bytes = cell.as_bytes()?;
    match (cell.format(), bytes) {
        (PgValueFormat::Text, text) | (PgValueFormat::Binary, [1, text @ ..]) => Ok(text),
        (PgValueFormat::Binary, _) => Err("a JSONB cell of an unknown version".into()),
    }
}

/// The words of the parser, without the place, which is of no use in a table.
fn reason(error: impl Display) -> String {
    let text = error.to_string();
    match text.split(" at line ").next() {
        Some("recursion limit exceeded") => format!("{UNREAD}it is nested deeper than 127 levels"),
        Some("number out of range") => format!("{UNREAD}it holds a number that is out of range"),
        words => format!("{UNREAD}{}", words.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deep(levels: usize) -> String {
        format!("{}1{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn a_row_is_read_but_for_what_cannot_be() {
        let row = format!(r#"{{"ref": "demo.a", "big": 1e400, "deep": {}, "n": [1]}}"#, deep(100_000));
        let row = by_field(row.as_bytes()).unwrap();
        assert_eq!(
            (&row["ref"], &row["n"], &row["big"], &row["deep"]),
            (&json!("demo.a"), &json!([1]), &Value::Null, &Value::Null)
        );
        assert_eq!(
            row[UNREADABLE],
            json!({"big": "cannot be read: it holds a number that is out of range",
                   "deep": "cannot be read: it is nested deeper than 127 levels"})
        );
    }

    #[test]
    fn faults_are_named_by_column() {
        let mut faults = Faults::default();
        assert_eq!(faults.take("config", Readable(Ok(json!({"a": 1})))), json!({"a": 1}));
        assert_eq!(faults.take("limits", Readable(Err("cannot be read: why".to_owned()))), Value::Null);
        assert_eq!(faults.into_reason().as_deref(), Some("limits: cannot be read: why"));
        assert_eq!(Faults::default().into_reason(), None);
    }
}
