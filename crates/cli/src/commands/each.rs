//! One order for each of several things: every one is tried, whatever becomes of the others.

use serde_json::Value;

use crate::arguments::{Format, Global};
use crate::output;

/// Gives the orders, in turn, and says what came of each. Failed ones are told where they stand; the last of them is the
/// command's.
pub(crate) fn each<T>(
    global: &Global,
    things: &[T],
    order: impl Fn(&T) -> anyhow::Result<Value>,
    line: impl Fn(&Value) -> String,
) -> anyhow::Result<()> {
    let (mut answers, mut failure) = (Vec::new(), None::<anyhow::Error>);
    for thing in things {
        match order(thing) {
            Ok(answer) if global.output == Format::Table => output::text(&line(&answer))?,
            Ok(answer) => answers.push(answer),
            Err(error) => {
                if let Some(before) = failure.replace(error) {
                    output::note(&format!("error: {before:#}"));
                }
            }
        }
    }
    if global.output == Format::Json {
        output::json(&Value::Array(answers))?;
    }
    failure.map_or(Ok(()), Err)
}
