//! What an expression gave, as JSON.

use minijinja::value::{Value as Given, ValueKind};
use serde_json::{Map, Value};

use super::budget::Budget;

/// As deep as parsed JSON can be; a loop could nest lists until writing them overflows the stack.
const MAX_DEPTH: usize = 128;

pub(super) fn to_json(given: &Given, budget: &mut Budget) -> Result<Value, String> {
    convert(given, budget, 0)
}

fn convert(given: &Given, budget: &mut Budget, depth: usize) -> Result<Value, String> {
    if depth > MAX_DEPTH {
        return Err(format!("the value is nested more than {MAX_DEPTH} deep"));
    }
    match given.kind() {
        ValueKind::Undefined | ValueKind::None => budget.spend(0).map(|()| Value::Null),
        ValueKind::Bool => budget.spend(0).map(|()| Value::Bool(given.is_true())),
        ValueKind::Number => budget.spend(0).and_then(|()| number(given)),
        ValueKind::String => {
            let text = given.as_str().unwrap_or_default();
            budget.spend(text.len()).map(|()| Value::from(text))
        }
        ValueKind::Seq | ValueKind::Iterable => list(given, budget, depth),
        ValueKind::Map => object(given, budget, depth),
        kind => Err(format!("the expression gives something ({kind}) that is no JSON")),
    }
}

fn number(given: &Given) -> Result<Value, String> {
    match serde_json::to_value(given) {
        Ok(number @ Value::Number(_)) => Ok(number),
        _ => {
            Err("the expression gives a number that JSON has not (infinite, not a number, or beyond 64 bits)"
                .into())
        }
    }
}

fn list(given: &Given, budget: &mut Budget, depth: usize) -> Result<Value, String> {
    budget.spend(0)?;
    let elements = given.try_iter().map_err(|error| error.to_string())?;
    elements.map(|element| convert(&element, budget, depth + 1)).collect()
}

fn object(given: &Given, budget: &mut Budget, depth: usize) -> Result<Value, String> {
    budget.spend(0)?;
    let mut map = Map::new();
    for key in given.try_iter().map_err(|error| error.to_string())? {
        let name = key.as_str().ok_or("the expression gives an object with a key that is no string")?;
        let value = given.get_item(&key).map_err(|error| error.to_string())?;
        budget.spend(name.len())?;
        map.insert(name.to_owned(), convert(&value, budget, depth + 1)?);
    }
    Ok(Value::Object(map))
}
