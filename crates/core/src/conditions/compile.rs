//! From the JSON of a rule to conditions that can be tested. Refuses what has no meaning, and warns of what has one that
//! nobody can have wanted (a field that no event has).

use regex::RegexBuilder;
use serde_json::{Map, Value};

use super::cost::Cost;
use super::{Condition, ConditionFault, Conditions, Group, Node, Operator, Quantifier};
use crate::event::Field;
use crate::path::{index_place, key_place};
use crate::pattern::{copies, one_line};

/// Groups within groups; deeper ones would be a way to exhaust the stack.
const MAX_DEPTH: usize = 32;
/// Bytes of one compiled regular expression.
const REGEX_LIMIT: usize = 1 << 20;
/// Copies that the patterns of a rule make by counted repetition, together: about a second for the largest text there is.
const MAX_COPIES: usize = 300;
const GROUPS: [&str; 3] = ["all", "any", "none"];

pub(super) fn compile(value: &Value) -> Result<Conditions, ConditionFault> {
    let mut compiler = Compiler { copies_left: MAX_COPIES, warnings: Vec::new() };
    let root = match value {
        Value::Null => all("", Box::default()),
        Value::Array(list) => all("", compiler.nodes(list, "", 0)?),
        Value::Object(map) if map.contains_key("operator") || map.contains_key("field") => {
            return Err(fault("", "a single condition stands in a list: [{field, operator, value}]"));
        }
        Value::Object(map) => compiler.groups(map, "", 0)?,
        _ => return Err(fault("", "conditions are a list, or an object with `all`, `any` or `none`")),
    };
    Ok(Conditions { root, warnings: compiler.warnings })
}

struct Compiler {
    copies_left: usize,
    warnings: Vec<ConditionFault>,
}

impl Compiler {
    fn nodes(&mut self, list: &[Value], at: &str, depth: usize) -> Result<Box<[Node]>, ConditionFault> {
        list.iter()
            .enumerate()
            .map(|(index, value)| self.node(value, &index_place(at, index), depth))
            .collect()
    }

    fn node(&mut self, value: &Value, at: &str, depth: usize) -> Result<Node, ConditionFault> {
        let Value::Object(map) = value else {
            return Err(fault(at, "a condition is an object: {field, operator, value} or a group"));
        };
        if map.keys().any(|key| GROUPS.contains(&key.as_str())) {
            return self.groups(map, at, depth);
        }
        self.condition(map, at).map(Node::Condition)
    }

    /// The groups of one object, all of which must hold.
    fn groups(&mut self, map: &Map<String, Value>, at: &str, depth: usize) -> Result<Node, ConditionFault> {
        if depth >= MAX_DEPTH {
            return Err(fault(at, format!("groups are nested more than {MAX_DEPTH} deep")));
        }
        known_keys(map, &GROUPS, at)?;
        let mut groups = map
            .iter()
            .map(|(name, value)| self.group(name, value, &key_place(at, name), depth))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(if groups.len() == 1 { groups.remove(0) } else { all(at, groups.into()) })
    }

    fn group(&mut self, name: &str, value: &Value, at: &str, depth: usize) -> Result<Node, ConditionFault> {
        let Value::Array(list) = value else {
            return Err(fault(at, format!("`{name}` is a list of conditions")));
        };
        let nodes = self.nodes(list, at, depth + 1)?;
        let quantifier = quantifier(name);
        if nodes.is_empty() && quantifier == Quantifier::Any {
            self.warn(at, "an empty `any` never holds");
        }
        Ok(Node::Group(Group { at: at.into(), quantifier, nodes }))
    }

    fn condition(&mut self, map: &Map<String, Value>, at: &str) -> Result<Condition, ConditionFault> {
        known_keys(map, &["field", "operator", "value"], at)?;
        let field_at = key_place(at, "field");
        let field =
            Field::parse(text(map, "field", at)?).map_err(|error| fault(&field_at, error.to_string()))?;
        let operator = operator(map, at)?;
        let value = operand(map, operator, at)?;
        if !field.is_known() {
            let message = format!("no event has a field `{0}`; did you mean `payload.{0}`?", field.as_str());
            self.warn(&field_at, message);
        }
        if !operator.accepts(&value) {
            let message = format!("`{}` can not hold with such a value, whatever the field", operator.name());
            self.warn(&key_place(at, "value"), message);
        }
        let regex = (operator == Operator::Matches)
            .then(|| self.regex(&value, &key_place(at, "value")))
            .transpose()?;
        let cost = Cost::of(&value, regex.as_ref());
        Ok(Condition { at: at.into(), field, operator, value, regex, cost })
    }

    fn regex(&mut self, value: &Value, at: &str) -> Result<regex::Regex, ConditionFault> {
        let pattern =
            value.as_str().ok_or_else(|| fault(at, "`matches` takes a regular expression as a string"))?;
        let regex = RegexBuilder::new(pattern)
            .size_limit(REGEX_LIMIT)
            .build()
            .map_err(|error| fault(at, format!("not a regular expression: {}", one_line(&error))))?;
        self.copies_left = self.copies_left.checked_sub(copies(pattern)).ok_or_else(|| {
            fault(
                at,
                format!(
                    "the patterns of a rule may repeat their parts at most {MAX_COPIES} times by `{{n}}`"
                ),
            )
        })?;
        Ok(regex)
    }

    fn warn(&mut self, at: &str, message: impl Into<String>) {
        self.warnings.push(fault(at, message));
    }
}

/// `name` is one of [`GROUPS`].
fn quantifier(name: &str) -> Quantifier {
    match name {
        "any" => Quantifier::Any,
        "none" => Quantifier::None,
        _ => Quantifier::All,
    }
}

fn all(at: &str, nodes: Box<[Node]>) -> Node {
    Node::Group(Group { at: at.into(), quantifier: Quantifier::All, nodes })
}

fn operator(map: &Map<String, Value>, at: &str) -> Result<Operator, ConditionFault> {
    let name = text(map, "operator", at)?;
    Operator::named(name).ok_or_else(|| {
        let known: Vec<_> = Operator::ALL.iter().map(|operator| operator.name()).collect();
        fault(
            &key_place(at, "operator"),
            format!("unknown operator `{name}`; there are {}", known.join(", ")),
        )
    })
}

fn operand(map: &Map<String, Value>, operator: Operator, at: &str) -> Result<Value, ConditionFault> {
    match (map.get("value"), operator) {
        (None, Operator::Exists) => Ok(Value::Bool(true)),
        (None, _) => Err(fault(at, format!("`{}` needs a `value`", operator.name()))),
        (Some(value), Operator::Exists) if !value.is_boolean() => {
            Err(fault(&key_place(at, "value"), "`exists` takes true or false"))
        }
        (Some(value), _) => Ok(value.clone()),
    }
}

fn text<'a>(map: &'a Map<String, Value>, key: &str, at: &str) -> Result<&'a str, ConditionFault> {
    match map.get(key) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(fault(&key_place(at, key), format!("`{key}` is a string"))),
        None => Err(fault(at, format!("`{key}` is missing"))),
    }
}

fn known_keys(map: &Map<String, Value>, known: &[&str], at: &str) -> Result<(), ConditionFault> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => {
            Err(fault(&key_place(at, key), format!("unknown key `{key}`; there are {}", known.join(", "))))
        }
        None => Ok(()),
    }
}

fn fault(at: &str, message: impl Into<String>) -> ConditionFault {
    ConditionFault { at: at.to_owned(), message: message.into() }
}
