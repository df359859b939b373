//! From what an author wrote to what the engine runs: the same template, in which the operators spend too.
//!
//! minijinja counts instructions, and an operator is one of them whatever it makes: `a ~ b` of two megabytes costs as much
//! as `1 + 1`. It has no hook at its operators, but it can call filters. So the template is parsed by minijinja's own
//! parser and written out again, with each operand passed through a filter that spends what the operator is about to cost
//! and gives the operand on. What `a ~ b` becomes is `a|spend_text(1) ~ b|spend_text(1)`.
//!
//! - The meaning stays: an operand is evaluated once, in its place, and comes out of its filter as it went in.
//! - Text that a loop or a `set` may take many times becomes a constant that is written like any other value.
//! - How deep the engine recurses follows from the number of tokens, which is limited before anything is parsed.

mod expression;
mod guard;
mod statement;
mod tokens;

use minijinja::machinery::{ast, parse, parse_expr};
use minijinja::{Environment, Error};

pub(super) use tokens::Tokens;

use super::engine::syntax;
use expression::Expressions;

/// One expression, as it stands between its braces.
pub(super) fn expression(source: &str) -> Result<String, Error> {
    let parsed = parse_expr(source)?;
    let mut written = Expressions::default();
    written.whole(&parsed);
    Ok(written.text)
}

/// A text with expressions and statements.
pub(super) fn text(source: &str) -> Result<String, Error> {
    let mut written = Expressions::default();
    if let ast::Stmt::Template(template) = parse(source, "", syntax())? {
        written.statements(&template.children);
    }
    Ok(written.text)
}

/// The filters that operands pass through.
pub(super) fn enter(environment: &mut Environment<'static>) {
    guard::enter(environment);
}
