//! From the JSON of a rule to a template.

use minijinja::Environment;
use serde_json::Value;

use super::budget::Budget;
use super::engine::{self, EXPRESSIONS};
use super::needs::{self, Needs};
use super::plain::PlainPath;
use super::rewrite::{self, Tokens};
use super::{Node, SIZE_LIMIT, Template, TemplateFault};
use crate::path::{index_place, key_place};

/// As deep as parsed JSON can be.
const MAX_DEPTH: usize = 128;

pub(super) fn compile(value: &Value) -> Result<Template, TemplateFault> {
    let mut compiler = Compiler { texts: engine::environment(), tokens: Tokens::new(), warnings: Vec::new() };
    Budget::new(SIZE_LIMIT).spend_on(value).map_err(|message| fault("", message))?;
    let root = compiler.node(value, "", 0)?;
    Ok(Template { root, texts: compiler.texts, warnings: compiler.warnings })
}

struct Compiler {
    texts: Environment<'static>,
    tokens: Tokens,
    warnings: Vec<TemplateFault>,
}

impl Compiler {
    fn node(&mut self, value: &Value, at: &str, depth: usize) -> Result<Node, TemplateFault> {
        if depth > MAX_DEPTH {
            return Err(fault(at, format!("nested more than {MAX_DEPTH} deep")));
        }
        match value {
            Value::String(text) if is_template(text) => self.template(text, at),
            Value::Array(list) if list.iter().any(has_templates) => {
                let elements = list.iter().enumerate();
                let nodes =
                    elements.map(|(index, value)| self.node(value, &index_place(at, index), depth + 1));
                Ok(Node::List(nodes.collect::<Result<_, _>>()?))
            }
            Value::Object(map) if map.values().any(has_templates) => {
                let nodes = map
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), self.node(value, &key_place(at, key), depth + 1)?)));
                Ok(Node::Object(nodes.collect::<Result<_, _>>()?))
            }
            literal => Ok(Node::Literal(literal.clone())),
        }
    }

    fn template(&mut self, text: &str, at: &str) -> Result<Node, TemplateFault> {
        if let Some(inside) = sole_expression(text) {
            if let Some(path) = PlainPath::parse(inside) {
                return Ok(Node::Path(path));
            }
            let count = self.tokens.count(inside, true).map_err(|message| fault(at, message))?;
            if let Ok(guarded) = rewrite::expression(inside) {
                return self.expression(inside, guarded, at);
            }
            self.tokens.give_back(count);
        }
        self.text(text, at)
    }

    fn expression(&mut self, source: &str, guarded: String, at: &str) -> Result<Node, TemplateFault> {
        let expression = EXPRESSIONS.compile_expression_owned(guarded).map_err(|error| wrong(at, &error))?;
        self.warn_of_unknown(expression.undeclared_variables(false), at);
        let needs = Needs::found(source, || expression.undeclared_variables(true));
        Ok(Node::Expression { expression: Box::new(expression), needs })
    }

    fn text(&mut self, text: &str, at: &str) -> Result<Node, TemplateFault> {
        self.tokens.count(text, false).map_err(|message| fault(at, message))?;
        let guarded = rewrite::text(text).map_err(|error| wrong(at, &error))?;
        self.texts.add_template_owned(at.to_owned(), guarded).map_err(|error| wrong(at, &error))?;
        let template = self.texts.get_template(at).map_err(|error| wrong(at, &error))?;
        let needs = Needs::found(text, || template.undeclared_variables(true));
        let names = template.undeclared_variables(false);
        self.warn_of_unknown(names, at);
        Ok(Node::Text { name: at.to_owned(), needs })
    }

    fn warn_of_unknown(&mut self, names: std::collections::HashSet<String>, at: &str) {
        let unknown = needs::unknown(names, &EXPRESSIONS);
        self.warnings.extend(unknown.into_iter().map(|name| {
            fault(at, format!("there is no `{name}`; templates know event, rule and pack.config"))
        }));
    }
}

fn has_templates(value: &Value) -> bool {
    match value {
        Value::String(text) => is_template(text),
        Value::Array(list) => list.iter().any(has_templates),
        Value::Object(map) => map.values().any(has_templates),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|start| text.contains(start))
}

/// What stands between the braces, if the text begins and ends with them. Whether that is one expression is for the parser
/// to say: in `{{ a }} and {{ b }}` it is not.
fn sole_expression(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("{{")?.strip_suffix("}}")?;
    let inside = inside.strip_prefix(['-', '+']).unwrap_or(inside);
    Some(inside.strip_suffix(['-', '+']).unwrap_or(inside))
}

fn wrong(at: &str, error: &minijinja::Error) -> TemplateFault {
    fault(at, engine::message(error))
}

fn fault(at: &str, message: impl Into<String>) -> TemplateFault {
    TemplateFault { at: at.to_owned(), message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_single_expression_is_counted_once() {
        let compiled = |text: &str, left| {
            let tokens = Tokens::of(left);
            let mut compiler = Compiler { texts: engine::environment(), tokens, warnings: Vec::new() };
            compiler.template(text, "").map(drop)
        };
        for text in ["{{ 1 + 1 + 1 }} and {{ 2 + 2 + 2 }}", "{{ 1 + 1 + 1 }}"] {
            let needed = (1..100).find(|left| compiled(text, *left).is_ok()).unwrap();
            assert!(needed <= 15, "{text}: {needed}");
        }
    }
}
