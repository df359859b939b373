//! Defaults of missing properties. Only where a schema says unconditionally what an object holds (`properties`, `items`,
//! `allOf`, a local `$ref`): a default inside one branch of a choice would decide the choice.
//!
//! A default may be put in at every element of a list, so what goes in is bounded in size, and the work in steps.

use serde_json::{Map, Value};

use super::meter;
use super::parts;
use super::references::References;

/// References that lead in a circle without entering the value.
const MAX_DEPTH: usize = 64;
/// Schemas that are looked at for one value.
const STEPS: u64 = 5_000_000;
/// What all defaults together may count ([`parts`]).
const PARTS: u64 = 200_000;

/// The defaults of a value would be more than it may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Excess;

/// Whether there is any default.
pub(super) fn any(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => map.contains_key("default") || map.values().any(any),
        Value::Array(list) => list.iter().any(any),
        _ => false,
    }
}

pub(super) fn fill(document: &Value, references: &References, value: &mut Value) -> Result<(), Excess> {
    let given = meter::allowance(STEPS);
    let mut filling = Filling { document, references, steps: given, parts: PARTS };
    let filled = filling.fill(document, value, 0);
    meter::charge(given - filling.steps, filling.steps == 0 && given < STEPS);
    filled
}

struct Filling<'a> {
    document: &'a Value,
    references: &'a References,
    steps: u64,
    parts: u64,
}

impl<'a> Filling<'a> {
    fn fill(&mut self, schema: &'a Value, value: &mut Value, depth: usize) -> Result<(), Excess> {
        let Value::Object(schema) = schema else { return Ok(()) };
        if depth > MAX_DEPTH {
            return Ok(());
        }
        self.steps = self.steps.checked_sub(1).ok_or(Excess)?;
        if let Some(target) = self.references.of(self.document, schema) {
            self.fill(target, value, depth + 1)?;
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.fill(part, value, depth + 1)?;
        }
        match value {
            Value::Object(map) => self.fill_properties(schema, map, depth),
            Value::Array(list) => {
                let Some(items) = schema.get("items") else { return Ok(()) };
                list.iter_mut().try_for_each(|element| self.fill(items, element, depth + 1))
            }
            _ => Ok(()),
        }
    }

    fn fill_properties(
        &mut self,
        schema: &'a Map<String, Value>,
        map: &mut Map<String, Value>,
        depth: usize,
    ) -> Result<(), Excess> {
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            self.steps = self.steps.checked_sub(1).ok_or(Excess)?;
            if !map.contains_key(name)
                && let Some(default) = self.default_of(property)
            {
                self.take(1 + parts::blocks(name.len()))?;
                parts::each(default, &mut |count| self.take(count))?;
                map.insert(name.clone(), default.clone());
            }
            if let Some(value) = map.get_mut(name) {
                self.fill(property, value, depth + 1)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, count: u64) -> Result<(), Excess> {
        self.parts = self.parts.checked_sub(count).ok_or(Excess)?;
        Ok(())
    }

    fn default_of(&self, property: &'a Value) -> Option<&'a Value> {
        let property = property.as_object()?;
        property.get("default").or_else(|| self.references.of(self.document, property)?.get("default"))
    }
}
