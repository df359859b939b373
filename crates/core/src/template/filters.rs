//! Everything that a template may call. Each call spends what it costs before it works.
//!
//! The list is complete: the engine begins empty, so a filter that a later version of it brings is not there until its cost
//! is told here.

use std::collections::BTreeMap;

use minijinja::functions::{self, Function};
use minijinja::value::{FunctionArgs, FunctionResult, Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, State, filters, tests};

use super::cost::{self, Cost};
use super::weigh;
use super::work::spend_made;

type Kind = fn(&Value) -> bool;
type Comparison = fn(&Value, &Value) -> bool;

/// Enters what the module has under these names, each with its cost.
macro_rules! enter {
    ($environment:ident, $add:ident, $module:ident, $($cost:ident: $($name:ident)+;)+) => {
        $($($environment.$add(stringify!($name), spending(cost::$cost, $module::$name));)+)+
    };
}

/// All filters, tests and functions.
pub(super) fn enter(environment: &mut Environment<'static>) {
    enter!(environment, add_filter, filters,
        nothing: default abs; rounded: round;
        lettered: title capitalize;
        outermost: safe lower upper length items reverse trim int float attr first last bool;
        split_up: split lines list;
        whole: escape string;
        sorted: dictsort min max sort groupby unique;
        each: map select reject selectattr rejectattr;
        indented: indent; replaced: replace; joined: join; filled_up: batch slice; as_json: tojson;
        pretty: pprint; formatted: format; summed: sum; combined: zip;);
    environment.add_filter("chain", spending(cost::combined, chain));
    environment.add_filter("d", spending(cost::nothing, filters::default));
    environment.add_filter("e", spending(cost::whole, filters::escape));
    environment.add_filter("count", spending(cost::outermost, filters::length));
    enter_tests(environment);
    environment.add_function("range", spending(cost::nothing, functions::range));
    environment.add_function("dict", spending(cost::whole, functions::dict));
    environment.add_function("namespace", spending(cost::whole, functions::namespace));
}

/// One list or one object out of all, made at once. The engine's own only refers to them, so one that is chained to itself
/// again and again would be walked 2^n times by whatever looks at it.
fn chain(first: Value, others: Rest<Value>) -> Result<Value, Error> {
    let all: Vec<Value> = std::iter::once(first).chain(others.0).collect();
    if all.iter().all(|value| value.kind() == ValueKind::Map) {
        return all.iter().try_fold(BTreeMap::new(), merged).map(Value::from);
    }
    let mut elements = Vec::new();
    for value in &all {
        elements.extend(value.try_iter()?);
    }
    Ok(Value::from(elements))
}

fn merged(mut into: BTreeMap<Value, Value>, from: &Value) -> Result<BTreeMap<Value, Value>, Error> {
    for key in from.try_iter()? {
        let value = from.get_item(&key)?;
        into.insert(key, value);
    }
    Ok(into)
}

fn enter_tests(environment: &mut Environment<'static>) {
    let kinds: [(&str, Kind); 18] = [
        ("undefined", tests::is_undefined),
        ("defined", tests::is_defined),
        ("none", tests::is_none),
        ("safe", tests::is_safe),
        ("escaped", tests::is_safe),
        ("boolean", tests::is_boolean),
        ("number", tests::is_number),
        ("integer", tests::is_integer),
        ("int", tests::is_integer),
        ("float", tests::is_float),
        ("string", tests::is_string),
        ("sequence", tests::is_sequence),
        ("iterable", tests::is_iterable),
        ("mapping", tests::is_mapping),
        ("true", tests::is_true),
        ("false", tests::is_false),
        ("lower", tests::is_lower),
        ("upper", tests::is_upper),
    ];
    for (name, test) in kinds {
        environment.add_test(name, spending(cost::outermost, test));
    }
    let comparisons: [(&[&str], Comparison); 8] = [
        (&["eq", "equalto", "=="], tests::is_eq),
        (&["ne", "!="], tests::is_ne),
        (&["lt", "lessthan", "<"], tests::is_lt),
        (&["le", "<="], tests::is_le),
        (&["gt", "greaterthan", ">"], tests::is_gt),
        (&["ge", ">="], tests::is_ge),
        (&["sameas"], tests::is_sameas),
        (&["divisibleby"], tests::is_divisibleby),
    ];
    for (names, test) in comparisons {
        for name in names {
            environment.add_test(*name, spending(cost::whole, test));
        }
    }
    environment.add_test("in", spending(cost::whole, tests::is_in));
    environment.add_test("odd", spending(cost::nothing, tests::is_odd));
    environment.add_test("even", spending(cost::nothing, tests::is_even));
    environment.add_test("startingwith", spending(cost::outermost, tests::is_startingwith));
    environment.add_test("endingwith", spending(cost::outermost, tests::is_endingwith));
    environment.add_test("filter", spending(cost::nothing, tests::is_filter));
    environment.add_test("test", spending(cost::nothing, tests::is_test));
}

/// `function`, after its cost is spent.
fn spending<F, Rv, Args>(
    cost: Cost,
    function: F,
) -> impl Fn(&mut State, Rest<ValueOrKwargs>) -> Result<Value, Error> + Send + Sync + 'static
where
    F: Function<Rv, Args>,
    Rv: FunctionResult,
    Args: for<'a> FunctionArgs<'a>,
{
    let function = Value::from_function(function);
    move |state, args| {
        let args = args.into_values();
        cost(&args)?;
        function.call(state, &args).and_then(settled)
    }
}

/// A result that is made while it is read, such as `range(9)`, as the list that it makes. So its length is known, and its
/// making is paid for once.
pub(super) fn settled(value: Value) -> Result<Value, Error> {
    if value.kind() != ValueKind::Iterable {
        return Ok(value);
    }
    let mut elements = Vec::new();
    for element in value.try_iter()? {
        spend_made(1)?;
        weigh::refuse_changeable(&element)?;
        elements.push(element);
    }
    Ok(Value::from(elements))
}
