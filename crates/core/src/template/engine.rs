//! minijinja, set up so that a template is a function of its context and ends soon: what it is given was rewritten so that
//! each operator spends, and it knows no filter that does not.

use std::io;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value as Given;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Expression, Output, State, UndefinedBehavior};
use serde_json::Value;

use super::budget::Budget;
use super::needs::Needs;
use super::result::to_json;
use super::work::{self, ENTRY, INSTRUCTION};
use super::{Context, SIZE_LIMIT, filters, rewrite};

/// Instructions per string.
const FUEL: u64 = 20_000;

/// Expressions borrow their environment; one that lives for ever serves all of them.
pub(super) static EXPRESSIONS: LazyLock<Environment<'static>> = LazyLock::new(environment);

pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment.set_formatter(format);
    environment.set_syntax(syntax());
    filters::enter(&mut environment);
    rewrite::enter(&mut environment);
    environment
}

/// How templates are written.
pub(super) fn syntax() -> SyntaxConfig {
    let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
    syntax.expect("the delimiters are minijinja's own")
}

/// The value of an expression.
pub(super) fn evaluate(
    expression: &Expression,
    needs: &Needs,
    context: &Context,
    budget: &mut Budget,
) -> Result<Value, String> {
    let entered = work::spend(ENTRY).and_then(|()| needs.enter(context));
    let given = entered.and_then(|entered| expression.eval(entered));
    to_json(&given.map_err(|error| describe(&error, needs, context))?, budget)
}

/// The text of a template.
pub(super) fn write(
    texts: &Environment,
    name: &str,
    needs: &Needs,
    context: &Context,
    budget: &mut Budget,
) -> Result<Value, String> {
    let mut sink = Sink { text: Vec::new(), limit: budget.left(), overflowed: false };
    let written = work::spend(ENTRY)
        .and_then(|()| texts.get_template(name))
        .and_then(|template| template.render_captured_to(needs.enter(context)?, &mut sink))
        .and_then(|rendered| work::spend(instructions(rendered.state()).saturating_mul(INSTRUCTION)));
    match written {
        Err(_) if sink.overflowed => return Err(budget.exceeded()),
        Err(error) => return Err(describe(&error, needs, context)),
        Ok(()) => budget.spend(sink.text.len())?,
    }
    String::from_utf8(sink.text).map(Value::String).map_err(|error| error.to_string())
}

/// Strings as they are, everything else as JSON. Undefined only arrives here from an `if` without `else`, which is nothing.
fn format(out: &mut Output, _state: &mut State, value: &Given) -> Result<(), Error> {
    if value.is_undefined() {
        return Ok(());
    }
    if let Some(text) = value.as_str() {
        work::spend(text.len())?;
        return Ok(out.write_str(text)?);
    }
    let json = to_json(value, &mut Budget::new(SIZE_LIMIT))
        .map_err(|why| Error::new(ErrorKind::BadSerialization, why))?
        .to_string();
    work::spend(json.len().saturating_mul(2))?;
    Ok(out.write_str(&json)?)
}

fn instructions(state: &State) -> usize {
    state.fuel_levels().map_or(0, |(consumed, _)| usize::try_from(consumed).unwrap_or(usize::MAX))
}

/// What went wrong, in one line and without minijinja's own name for the place.
pub(super) fn message(error: &Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

fn describe(error: &Error, needs: &Needs, context: &Context) -> String {
    let message = message(error);
    let missing = if error.kind() == ErrorKind::UndefinedError { needs.missing(context) } else { Vec::new() };
    if missing.is_empty() { message } else { format!("{message}: there is no {}", missing.join(", no ")) }
}

/// Refuses to grow beyond its limit.
struct Sink {
    text: Vec<u8>,
    limit: usize,
    overflowed: bool,
}

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.text.len() + bytes.len() > self.limit {
            self.overflowed = true;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
