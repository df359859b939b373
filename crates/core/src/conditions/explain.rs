//! Why a rule did not match: the first condition that is to blame, with both values.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::{Condition, Group, Node, Operator, Quantifier};
use crate::event::EventView;

/// What an explanation quotes of a value at most.
const QUOTED: usize = 200;

/// The outcome, explained.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The conditions hold.
    Matches,
    /// A condition did not hold, or held inside `none`.
    Blames(Blame),
    /// A group without conditions decided: an empty `any` never holds, an empty `all` or `none` always does.
    EmptyGroup {
        /// Where it stands in the rule.
        at: String,
    },
}

/// The condition that decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Blame {
    /// Where it stands in the rule: `all[1]`.
    pub at: String,
    /// The path it reads.
    pub field: String,
    /// What it asks.
    pub operator: Operator,
    /// The value in the rule.
    pub value: Value,
    /// The value in the event; `null` when it is missing.
    pub found: Value,
    /// Whether it held: true inside `none`, where it must not.
    pub held: bool,
}

pub(super) fn explain(root: &Node, event: &EventView) -> Verdict {
    why_not(root, event, true).unwrap_or(Verdict::Matches)
}

/// Why `node` is not `wanted`; `None` when it is.
fn why_not(node: &Node, event: &EventView, wanted: bool) -> Option<Verdict> {
    if node.holds(event) == wanted {
        return None;
    }
    Some(match node {
        Node::Condition(condition) => blame(condition, event, !wanted),
        Node::Group(group) => first_to_blame(group, event, wanted),
    })
}

fn first_to_blame(group: &Group, event: &EventView, wanted: bool) -> Verdict {
    let wanted = wanted != (group.quantifier == Quantifier::None);
    let first = group.nodes.iter().find_map(|node| why_not(node, event, wanted));
    first.unwrap_or_else(|| Verdict::EmptyGroup { at: group.at.to_string() })
}

fn blame(condition: &Condition, event: &EventView, held: bool) -> Verdict {
    Verdict::Blames(Blame {
        at: condition.at.to_string(),
        field: condition.field.as_str().to_owned(),
        operator: condition.operator,
        value: condition.value.clone(),
        found: condition.field.of(event).to_json(),
        held,
    })
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Matches => f.write_str("matches"),
            Self::EmptyGroup { at } => write!(f, "`{at}` is without conditions"),
            Self::Blames(blame) => blame.fmt(f),
        }
    }
}

impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = if self.held { "holds and must not" } else { "does not hold" };
        let (operator, value, found) = (self.operator.name(), quoted(&self.value), quoted(&self.found));
        write!(f, "{} {operator} {value} {outcome}: {} is {found}", self.field, self.field)
    }
}

/// A value as a message shows it: JSON, and not too long.
pub(crate) fn quoted(value: &Value) -> String {
    let mut text = value.to_string();
    if let Some((end, _)) = text.char_indices().nth(QUOTED) {
        text.truncate(end);
        text.push('…');
    }
    text
}
