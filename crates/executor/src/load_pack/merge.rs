//! The three-way merge of one row, the same for every kind of thing.

use attune_core::schema::canonical;
use serde_json::{Map, Value};

use super::report::Fate;

/// The columns of one row, by name.
pub(crate) type Columns = Map<String, Value>;

/// What a row should say now.
#[derive(Debug, PartialEq)]
pub(crate) struct Merged {
    pub(crate) columns: Columns,
    pub(crate) fate: Fate,
    /// What changes.
    pub(crate) changes: Vec<Difference>,
    /// What the operator's value stays in although the pack says something else.
    pub(crate) kept: Vec<Difference>,
}

/// One column with two values: what the row says and what it should say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    pub(crate) field: String,
    pub(crate) old: Value,
    pub(crate) new: Value,
}

/// Merges what the pack says (`new`), what the last load said and what the row says.
///
/// A row that was never loaded is the operator's own. A column that the last load knew nothing of takes the new value: it
/// came with a later version of Attune.
pub(crate) fn merge(new: Columns, last: Option<&Columns>, row: Option<&Columns>) -> Merged {
    let (changes, kept) = (Vec::new(), Vec::new());
    let Some(row) = row else { return Merged { columns: new, fate: Fate::Created, changes, kept } };
    let mut merged = Merged { columns: Columns::new(), fate: Fate::Unchanged, changes, kept };
    for (field, value) in new {
        let now = row.get(&field).unwrap_or(&Value::Null);
        if is_same(now, &value) {
            merged.columns.insert(field, value);
        } else if is_operators(now, &field, last) {
            merged.columns.insert(field.clone(), now.clone());
            merged.kept.push(Difference { field, old: now.clone(), new: value });
        } else {
            merged.columns.insert(field.clone(), value.clone());
            merged.change(Difference { field, old: now.clone(), new: value });
        }
    }
    merged
}

impl Merged {
    /// Notes a change.
    pub(crate) fn change(&mut self, change: Difference) {
        self.fate = Fate::Updated;
        self.changes.push(change);
    }
}

fn is_operators(now: &Value, field: &str, last: Option<&Columns>) -> bool {
    last.is_none_or(|last| last.get(field).is_some_and(|last| !is_same(now, last)))
}

/// Whether two values are the same JSON, numbers by value.
pub(super) fn is_same(left: &Value, right: &Value) -> bool {
    left == right || canonical(left) == canonical(right)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn columns(value: Value) -> Columns {
        match value {
            Value::Object(map) => map,
            _ => Columns::new(),
        }
    }

    /// Merges one column; returns its value and whether the operator's was kept.
    fn one(new: Value, last: Option<Value>, row: Value) -> (Value, Fate, bool) {
        let wrap = |value: Value| columns(json!({ "x": value }));
        let merged = merge(wrap(new), last.map(wrap).as_ref(), Some(&wrap(row)));
        (merged.columns["x"].clone(), merged.fate, !merged.kept.is_empty())
    }

    #[test]
    fn the_operator_wins_where_both_changed_and_the_pack_where_it_alone_did() {
        assert_eq!(one(json!(2), Some(json!(1)), json!(1)), (json!(2), Fate::Updated, false));
        assert_eq!(one(json!(1), Some(json!(1)), json!(9)), (json!(9), Fate::Unchanged, true));
        assert_eq!(one(json!(2), Some(json!(1)), json!(9)), (json!(9), Fate::Unchanged, true));
        assert_eq!(one(json!(2), Some(json!(1)), json!(2)), (json!(2), Fate::Unchanged, false));
    }

    #[test]
    fn a_row_that_was_never_loaded_is_the_operators() {
        assert_eq!(one(json!(2), None, json!(1)), (json!(1), Fate::Unchanged, true));
        assert_eq!(one(json!(1), None, json!(1)), (json!(1), Fate::Unchanged, false));
    }

    #[test]
    fn numbers_count_by_value_and_keys_in_any_order() {
        let row = serde_json::from_str(r#"{"b": 2, "a": 1.0}"#).unwrap();
        let (_, fate, kept) = one(json!({"a": 1, "b": 2.0}), None, row);
        assert_eq!((fate, kept), (Fate::Unchanged, false));
        assert_eq!(one(json!(30.0), Some(json!(30)), json!(30)).1, Fate::Unchanged);
    }

    #[test]
    fn a_column_that_is_newer_than_the_last_load_takes_the_packs_value() {
        let (new, row) = (columns(json!({"x": 1, "y": 2})), columns(json!({"x": 1, "y": null})));
        let merged = merge(new.clone(), Some(&columns(json!({"x": 1}))), Some(&row));
        assert_eq!((merged.columns, merged.fate), (new, Fate::Updated));
    }

    #[test]
    fn without_a_row_everything_is_new() {
        let new = columns(json!({"x": 1}));
        assert_eq!(
            merge(new.clone(), None, None),
            Merged { columns: new, fate: Fate::Created, changes: vec![], kept: vec![] }
        );
    }
}
