//! How much of a value is looked at while it is checked.
//!
//! The validator knows no budget, and its work can grow with the power of the value's depth. But it looks at values only
//! through the traits below, so each look spends a step, of texts and of comparisons one for each piece. With the last
//! step the check is left, by unwinding, because nothing else ends it everywhere: a keyword that merely failed would leave
//! the branches beside it going on.

use std::borrow::Cow;
use std::cell::Cell;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, Node, NodeIdentity, Object, cmp, unique};
use serde_json::{Map, Number, Value};

use super::cost::Cost;
use super::parts::{self, blocks};
use crate::work;

/// What one step is in the budget of the thread ([`crate::work`]).
pub(super) const STEP: u64 = 8;

thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(0) };
    static COST: Cell<Cost> = const { Cell::new(Cost::NONE) };
}

/// The budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exhausted;

/// Runs a check that may spend so many steps, or what the budget of the thread has for it. The second value is how many it
/// spent.
pub(super) fn within<T>(steps: u64, cost: Cost, check: impl FnOnce() -> T) -> (Result<T, Exhausted>, u64) {
    let given = allowance(steps);
    LEFT.set(given);
    COST.set(cost);
    let outcome = match catch_unwind(AssertUnwindSafe(check)) {
        Ok(outcome) => Ok(outcome),
        Err(cause) if cause.is::<Exhausted>() => Err(Exhausted),
        Err(cause) => resume_unwind(cause),
    };
    let spent = given - LEFT.get();
    charge(spent, outcome.is_err() && given < steps);
    (outcome, spent)
}

/// So many steps, or what is left in the budget of the thread.
pub(super) fn allowance(steps: u64) -> u64 {
    steps.min(work::left() / STEP)
}

/// Takes steps off the budget of the thread; all of it when they did not suffice.
pub(super) fn charge(steps: u64, is_spent: bool) {
    let _ = work::spend(if is_spent { u64::MAX } else { steps.saturating_mul(STEP) });
}

fn spend(steps: u64) {
    let Some(left) = LEFT.get().checked_sub(steps) else {
        LEFT.set(0);
        resume_unwind(Box::new(Exhausted));
    };
    LEFT.set(left);
}

fn spend_on_text(length: usize) {
    let cost = COST.get();
    spend(cost.text.saturating_add(cost.text_block.saturating_mul(blocks(length))));
}

/// Steps for all that a value is.
fn spend_on_all(value: &Value) {
    let Ok(()) = parts::each(value, &mut |steps| {
        spend(steps);
        Ok::<_, Infallible>(())
    });
}

/// Values of `serde_json` that are counted when they are looked at.
#[derive(Debug)]
pub(super) struct Metered;

impl Json for Metered {
    type Node<'a> = &'a Value;
    type PreparedKey = String;
    type StringBuffer = Value;

    const KEYS_PER_LOOKUP: usize = 2;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(buffer: &mut Value, string: &str, f: impl FnOnce(&Value) -> T) -> T {
        *buffer = Value::from(string);
        f(buffer)
    }
}

impl<'a> Node<'a, Metered> for &'a Value {
    type Object = &'a Map<String, Value>;
    type Array = &'a [Value];
    type Number = &'a Number;

    fn as_object(&self) -> Option<&'a Map<String, Value>> {
        spend(1);
        Value::as_object(self)
    }

    fn as_array(&self) -> Option<&'a [Value]> {
        spend(1);
        Value::as_array(self).map(Vec::as_slice)
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        spend(1);
        let text = Value::as_str(self)?;
        spend_on_text(text.len());
        Some(Cow::Borrowed(text))
    }

    fn as_number(&self) -> Option<&'a Number> {
        spend(1);
        Value::as_number(self)
    }

    fn as_boolean(&self) -> Option<bool> {
        spend(1);
        Value::as_bool(self)
    }

    fn is_null(&self) -> bool {
        spend(1);
        Value::is_null(self)
    }

    fn json_type(&self) -> JsonType {
        spend(1);
        match self {
            Value::Null => JsonType::Null,
            Value::Bool(_) => JsonType::Boolean,
            Value::Number(_) => JsonType::Number,
            Value::String(_) => JsonType::String,
            Value::Array(_) => JsonType::Array,
            Value::Object(_) => JsonType::Object,
        }
    }

    fn string_length(&self) -> Option<u64> {
        spend(1);
        let text = Value::as_str(self)?;
        spend(blocks(text.len()));
        Some(text.chars().count() as u64)
    }

    fn equals_value(&self, expected: &Value) -> bool {
        spend(1);
        // The sizes of texts and of lists decide first, so only what is alike is walked.
        if std::mem::discriminant(*self) == std::mem::discriminant(expected) {
            spend_on_all(expected);
        }
        cmp::equal(self, expected)
    }

    /// Asked for by each error that is made, which may come to be copied, with what it quotes of the schema.
    fn to_value(&self) -> Cow<'a, Value> {
        spend(COST.get().error);
        spend_on_all(self);
        Cow::Borrowed(self)
    }

    fn identity(&self) -> Option<NodeIdentity> {
        Some(NodeIdentity::new(std::ptr::from_ref::<Value>(self) as usize))
    }
}

impl<'a> Object<'a, Metered> for &'a Map<String, Value> {
    type Node = &'a Value;
    type MemberName = &'a str;
    type MembersIter = Members<'a>;

    fn len(&self) -> usize {
        Map::len(self)
    }

    fn get(&self, key: &String) -> Option<&'a Value> {
        spend(1);
        let value = (*self).get(key.as_str())?;
        spend(COST.get().part);
        Some(value)
    }

    fn members(&self) -> Members<'a> {
        Members(self.iter())
    }
}

/// The members of an object.
pub(super) struct Members<'a>(serde_json::map::Iter<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.0.next()?;
        let Cost { part, name: own, text_block, .. } = COST.get();
        spend(part.saturating_add(own.saturating_mul(1 + text_block * blocks(name.len()))));
        Some((name, value))
    }
}

impl<'a> Array<'a, Metered> for &'a [Value] {
    type Node = &'a Value;
    type ElementsIter = Elements<'a>;

    fn len(&self) -> usize {
        <[Value]>::len(self)
    }

    fn elements(&self) -> Elements<'a> {
        Elements(self.iter())
    }

    fn is_unique(&self) -> bool {
        self.iter().for_each(spend_on_all);
        unique::is_unique(self)
    }
}

/// The elements of a list.
pub(super) struct Elements<'a>(std::slice::Iter<'a, Value>);

impl<'a> Iterator for Elements<'a> {
    type Item = &'a Value;

    fn next(&mut self) -> Option<Self::Item> {
        let element = self.0.next()?;
        spend(COST.get().part);
        Some(element)
    }
}
