//! The filters that operands pass through. Each gives its value on as it is.

use std::sync::LazyLock;

use minijinja::{Environment, Error, Expression, Value};

use crate::template::{cost, filters, weigh, work};

/// Spends for the outermost layer, as many times as said: what `+` copies, and an index or a slice walks through.
pub(super) const LAYER: &str = "spend_layer";
/// Spends for all of it, as many times as said: what `~` writes and a comparison looks at.
pub(super) const ALL: &str = "spend_all";
/// Multiplies, which repeats texts and lists.
pub(super) const TIMES: &str = "spend_times";
/// Makes a list of what is still to be made.
pub(super) const MADE: &str = "spend_made";
/// Refuses what would let a value hold itself.
pub(super) const KEPT: &str = "spend_kept";

pub(super) fn enter(environment: &mut Environment<'static>) {
    environment.add_filter(LAYER, |value: &Value, times: usize| {
        work::spend(weigh::shallow(value).saturating_add(work::ELEMENT).saturating_mul(times))?;
        Ok::<Value, Error>(value.clone())
    });
    environment.add_filter(ALL, |value: &Value, times: usize| {
        let weight = weigh::deep(value)?;
        work::spend(weight.saturating_mul(times))?;
        Ok::<Value, Error>(value.clone())
    });
    environment.add_filter(TIMES, times);
    environment.add_filter(MADE, |value: Value| filters::settled(value));
    environment.add_filter(KEPT, |value: &Value| {
        weigh::refuse_changeable(value)?;
        Ok::<Value, Error>(value.clone())
    });
}

fn times(left: Value, right: Value) -> Result<Value, Error> {
    static PRODUCT: LazyLock<Environment<'static>> = LazyLock::new(Environment::empty);
    static TIMES: LazyLock<Expression<'static, 'static>> =
        LazyLock::new(|| PRODUCT.compile_expression("left * right").expect("the expression is a constant"));
    let operands = [left, right];
    cost::repeated(&operands)?;
    let [left, right] = operands;
    TIMES.eval(Value::from_pairs([("left", left), ("right", right)])).and_then(filters::settled)
}
