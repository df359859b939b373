//! The conditions of a rule: a list of `{field, operator, value}` that must all hold, or groups `all`, `any` and `none`,
//! nested.
//!
//! Compiled once, when the rule is saved or loaded; paths and regular expressions are parsed then, so that testing an
//! event reads the payload by reference and allocates nothing (save to write out `created`, where a condition reads it).
//! What can not be compiled is refused with its place. Testing can not fail: every operator is defined for every pair of
//! values. A group without conditions means what logic says: an empty `all` or `none` holds, an empty `any` does not.

mod compile;
mod cost;
mod equal;
mod explain;
mod number;
mod operator;
#[cfg(test)]
mod tests;

use regex::Regex;
use serde_json::Value;

use crate::event::{EventView, Field};

use cost::Cost;
pub(crate) use equal::same;
pub(crate) use explain::quoted;
pub use explain::{Blame, Verdict};
pub use operator::Operator;

/// Compiled conditions.
#[derive(Debug, Clone)]
pub struct Conditions {
    root: Node,
    warnings: Vec<ConditionFault>,
}

/// What is wrong with the conditions of a rule, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if at.is_empty() { String::new() } else { format!("{at}: ") })]
pub struct ConditionFault {
    /// The place, as a path: `all[1].operator`; empty for the whole.
    pub at: String,
    /// What is wrong.
    pub message: String,
}

#[derive(Debug, Clone)]
enum Node {
    Group(Group),
    Condition(Condition),
}

#[derive(Debug, Clone)]
struct Group {
    at: Box<str>,
    quantifier: Quantifier,
    nodes: Box<[Node]>,
}

/// How many of a group must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    All,
    Any,
    None,
}

#[derive(Debug, Clone)]
struct Condition {
    at: Box<str>,
    field: Field,
    operator: Operator,
    value: Value,
    regex: Option<Regex>,
    cost: Cost,
}

impl Conditions {
    /// Compiles the conditions of a rule.
    pub fn compile(value: &Value) -> Result<Self, ConditionFault> {
        compile::compile(value)
    }

    /// Whether they hold for this event. When the budget of the thread is spent meanwhile ([`crate::work`]) the answer says
    /// nothing.
    pub fn matches(&self, event: &EventView) -> bool {
        self.root.holds(event)
    }

    /// Why they hold or not.
    pub fn explain(&self, event: &EventView) -> Verdict {
        explain::explain(&self.root, event)
    }

    /// What is legal but surely not meant, such as a field that no event has.
    pub fn warnings(&self) -> &[ConditionFault] {
        &self.warnings
    }
}

impl Node {
    fn holds(&self, event: &EventView) -> bool {
        match self {
            Self::Group(group) => group.holds(event),
            Self::Condition(condition) => condition.holds(event),
        }
    }
}

impl Group {
    fn holds(&self, event: &EventView) -> bool {
        match self.quantifier {
            Quantifier::All => self.nodes.iter().all(|node| node.holds(event)),
            Quantifier::Any => self.nodes.iter().any(|node| node.holds(event)),
            Quantifier::None => !self.nodes.iter().any(|node| node.holds(event)),
        }
    }
}

impl Condition {
    fn holds(&self, event: &EventView) -> bool {
        let found = self.field.of(event);
        self.cost.spend(self.operator, &found).is_ok()
            && self.operator.holds(&found, &self.value, self.regex.as_ref())
    }
}
