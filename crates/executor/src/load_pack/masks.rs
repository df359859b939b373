//! What of a difference may be shown: values that a schema calls secret are masked by the schemas of both sides, because
//! either may be the one that knows.

use std::collections::{BTreeSet, HashMap};

use attune_common::repositories::pack_thing;
use attune_core::pack::Definitions;
use attune_core::schema::Schema;
use serde_json::Value;
use sqlx::PgConnection;

use super::merge::{Columns, Difference, Merged};
use super::things::ByName;

/// The schemas by which values are masked that belong to another thing.
#[derive(Debug, Default)]
pub(crate) struct Masks {
    /// Of the parameters of actions, by the action's ref: as the row says, as the files say.
    actions: HashMap<String, Vec<Value>>,
}

impl Masks {
    /// Those that the rules in `definitions` and in `rows` need.
    pub(crate) async fn read(
        tx: &mut PgConnection,
        definitions: &Definitions,
        rows: &ByName,
    ) -> sqlx::Result<Self> {
        let before = rows.iter().filter(|((kind, _), _)| kind == "rule");
        let before = before.filter_map(|(_, row)| row.get("action")?.as_str().map(str::to_owned));
        let refs: BTreeSet<_> =
            definitions.rules.iter().map(|rule| rule.action.clone()).chain(before).collect();
        let mut actions: HashMap<String, Vec<Value>> = HashMap::new();
        for row in pack_thing::list(tx, &refs.into_iter().collect::<Vec<_>>()).await? {
            if row.kind == "action" {
                actions.entry(row.r#ref).or_default().push(row.columns["param_schema"].clone());
            }
        }
        for action in &definitions.actions {
            actions.entry(action.r#ref.clone()).or_default().push(action.param_schema.clone());
        }
        Ok(Self { actions })
    }

    /// Masks what `merged` shows. `sides` are the row before and the columns that it should have.
    pub(crate) fn apply(&self, kind: &str, sides: [Option<&Columns>; 2], merged: &mut Merged) {
        for Difference { field, old, new } in merged.changes.iter_mut().chain(&mut merged.kept) {
            for schema in self.schemas(kind, field, sides) {
                for value in [&mut *old, &mut *new] {
                    *value = mask(schema, value);
                }
            }
        }
    }

    fn schemas<'a>(&'a self, kind: &str, field: &str, sides: [Option<&'a Columns>; 2]) -> Vec<&'a Value> {
        let column = |name: &str| sides.into_iter().flatten().filter_map(|side| side.get(name)).collect();
        match (kind, field) {
            ("pack", "config") => column("config_schema"),
            ("sensor", "config") => column("param_schema"),
            ("rule", "action_params") => {
                let names: Vec<&Value> = column("action");
                let of_action = |name: &&Value| self.actions.get(name.as_str()?);
                names.iter().filter_map(of_action).flatten().collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Everything, when the schema is none.
fn mask(schema: &Value, value: &Value) -> Value {
    match Schema::compile(schema) {
        Ok(schema) => schema.mask(value),
        Err(_) => Value::from("***"),
    }
}
