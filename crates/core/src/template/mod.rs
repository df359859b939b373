//! Parameters of an action: JSON whose strings are minijinja templates over `event`, `rule` and `pack.config`.
//!
//! - A string that is exactly one expression, `"{{ event.payload.count }}"`, gives the value of that expression with its
//!   JSON type; when that is undefined, `null`. So do `{{ event.payload.a.b }}` and `… | default(1)` when `a` is missing.
//! - Any other string gives text. Strings go in as they are, everything else as JSON: `true`, `null`, `1.0`, `["a"]`.
//!   Undefined inside text is an error that names what is missing, because a text with a hole in it is a lie.
//! - Keys are no templates. Nothing is escaped. There are no files, includes or macros, and nothing outside the context.
//!
//! Compiled once, when the rule is saved. Rendering is pure and bounded: fuel per string, bytes for the whole, depth of
//! what comes out. A string without a template is copied and a plain path is walked; neither enters minijinja. What does,
//! takes along the parts of the context that it names, not the whole payload.

mod budget;
mod compile;
mod cost;
mod engine;
mod filters;
mod needs;
mod plain;
mod result;
mod rewrite;
#[cfg(test)]
mod tests;
mod weigh;
mod work;

use std::panic::{self, AssertUnwindSafe};

use minijinja::{Environment, Expression};
use serde_json::{Map, Value};

use crate::event::EventView;
use crate::path::{index_place, key_place};

use budget::Budget;
use needs::Needs;
use plain::PlainPath;
pub use work::WORK_LIMIT;

/// Bytes of everything that one rendering gives.
pub const SIZE_LIMIT: usize = 1024 * 1024;

/// Compiled parameters.
#[derive(Debug)]
pub struct Template {
    root: Node,
    texts: Environment<'static>,
    warnings: Vec<TemplateFault>,
}

/// What a template may read.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// `event`.
    pub event: &'a EventView,
    /// `rule`: what is known of the rule, such as its `ref`.
    pub rule: &'a Value,
    /// `pack.config`.
    pub pack_config: &'a Value,
}

/// What is wrong with a template, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if at.is_empty() { String::new() } else { format!("{at}: ") })]
pub struct TemplateFault {
    /// The place, as a path: `headers.Authorization`; empty for the whole.
    pub at: String,
    /// What is wrong.
    pub message: String,
}

/// Why a template could not be rendered for an event, and where. Quotes no value: the configuration may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if at.is_empty() { String::new() } else { format!("{at}: ") })]
pub struct TemplateError {
    /// The place, as a path; empty for the whole.
    pub at: String,
    /// What went wrong.
    pub message: String,
}

#[derive(Debug)]
enum Node {
    Literal(Value),
    List(Box<[Node]>),
    Object(Box<[(String, Node)]>),
    Path(PlainPath),
    Expression {
        expression: Box<Expression<'static, 'static>>,
        needs: Needs,
    },
    /// Text around expressions: the template of this name.
    Text {
        name: String,
        needs: Needs,
    },
}

impl Template {
    /// Compiles the parameters of a rule.
    pub fn compile(value: &Value) -> Result<Self, TemplateFault> {
        compile::compile(value)
    }

    /// The parameters for one event.
    pub fn render(&self, context: &Context) -> Result<Value, TemplateError> {
        let mut budget = Budget::new(SIZE_LIMIT);
        let render = || {
            let rendered = self.node(&self.root, context, &mut budget, "");
            // What is copied was not spent on by anything.
            let _ = work::spend(SIZE_LIMIT - budget.left());
            rendered
        };
        let within = || crate::work::within(WORK_LIMIT as u64, render).value();
        panic::catch_unwind(AssertUnwindSafe(within)).unwrap_or_else(|_| {
            let message = "the template engine failed at this template; please report it".into();
            Err(TemplateError { at: String::new(), message })
        })
    }

    /// What is legal but surely not meant: names that no template can know.
    pub fn warnings(&self) -> &[TemplateFault] {
        &self.warnings
    }

    fn node(
        &self,
        node: &Node,
        context: &Context,
        budget: &mut Budget,
        at: &str,
    ) -> Result<Value, TemplateError> {
        let rendered = match node {
            Node::Literal(value) => budget.spend_on(value).map(|()| value.clone()),
            Node::Path(path) => path.get(context, budget),
            Node::Expression { expression, needs } => engine::evaluate(expression, needs, context, budget),
            Node::Text { name, needs } => engine::write(&self.texts, name, needs, context, budget),
            Node::List(nodes) => return self.list(nodes, context, budget, at),
            Node::Object(nodes) => return self.object(nodes, context, budget, at),
        };
        rendered.map_err(|message| TemplateError { at: at.to_owned(), message })
    }

    fn list(
        &self,
        nodes: &[Node],
        context: &Context,
        budget: &mut Budget,
        at: &str,
    ) -> Result<Value, TemplateError> {
        let elements = nodes.iter().enumerate();
        elements.map(|(index, node)| self.node(node, context, budget, &index_place(at, index))).collect()
    }

    fn object(
        &self,
        nodes: &[(String, Node)],
        context: &Context,
        budget: &mut Budget,
        at: &str,
    ) -> Result<Value, TemplateError> {
        let mut map = Map::new();
        for (key, node) in nodes {
            map.insert(key.clone(), self.node(node, context, budget, &key_place(at, key))?);
        }
        Ok(Value::Object(map))
    }
}
