//! What the filters and tests cost, told before they work.
//!
//! Most cost what they are given. The others can make much of little: their costs are told from the numbers and texts that
//! they are given, which may come from an event.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::weigh::{deep, refusal, shallow};
use super::work::{COPIED, MADE, spend, spend_made};

/// What a call with these arguments costs; spent by the function itself.
pub(super) type Cost = fn(&[Value]) -> Result<(), Error>;

/// What a call costs by itself.
const CALL: usize = 64;

/// What a thousand digits cost.
const DIGITS: usize = 2_000;

/// The widest field that `format` may ask for.
const MAX_WIDTH: usize = 10_000;

/// Looks at nothing but the value's kind.
pub(super) fn nothing(_: &[Value]) -> Result<(), Error> {
    spend(CALL)
}

/// `round`: writes a number with up to a thousand digits and reads it again.
pub(super) fn rounded(_: &[Value]) -> Result<(), Error> {
    spend(DIGITS)
}

/// Looks at the outermost layer.
pub(super) fn outermost(args: &[Value]) -> Result<(), Error> {
    spend(args.iter().map(shallow).fold(CALL, usize::saturating_add))
}

/// Writes each character by itself, some of them as three.
pub(super) fn lettered(args: &[Value]) -> Result<(), Error> {
    outermost(args)
        .and_then(|()| spend(args.iter().filter_map(Value::as_str).map(str::len).sum::<usize>() * 8))
}

/// Looks at all of it, and writes about as much.
pub(super) fn whole(args: &[Value]) -> Result<(), Error> {
    weight(args).and_then(|weight| spend(weight.saturating_add(CALL)))
}

/// Makes an element for each character or element.
pub(super) fn split_up(args: &[Value]) -> Result<(), Error> {
    let texts = args.iter().filter_map(Value::as_str).map(str::len).fold(0, usize::saturating_add);
    outermost(args).and_then(|()| spend_made(texts))
}

/// Makes an element of each that it is given.
pub(super) fn combined(args: &[Value]) -> Result<(), Error> {
    whole(args)?;
    spend_made(args.iter().map(|value| length(Some(value))).fold(0, usize::saturating_add))
}

/// Compares each element with some others.
pub(super) fn sorted(args: &[Value]) -> Result<(), Error> {
    let comparisons = length(args.first()).checked_ilog2().unwrap_or(0) as usize + 1;
    weight(args).and_then(|weight| spend(weight.saturating_mul(comparisons)))
}

/// Does something with the other arguments for each element.
pub(super) fn each(args: &[Value]) -> Result<(), Error> {
    let (value, rest) = args.split_first().unwrap_or((&Value::UNDEFINED, &[]));
    let each = weight(rest)?;
    deep(value).and_then(|own| spend(own.saturating_add(length(Some(value)).saturating_mul(each))))
}

/// `indent(width)`: the width before each line.
pub(super) fn indented(args: &[Value]) -> Result<(), Error> {
    outermost(args)?;
    spend(lines(args.first()).saturating_mul(number(args, 1, "width").unwrap_or(0)))
}

/// `replace(old, new)`: the new text for each old one.
pub(super) fn replaced(args: &[Value]) -> Result<(), Error> {
    whole(args)?;
    let texts: Vec<String> = args.iter().take(3).map(ToString::to_string).collect();
    let [text, old, new] = texts.as_slice() else { return Ok(()) };
    spend(text.matches(old.as_str()).count().saturating_mul(new.len()))
}

/// `join(separator)`: the separator between each two.
pub(super) fn joined(args: &[Value]) -> Result<(), Error> {
    whole(args)?;
    let separator = args.iter().skip(1).map(separator).max().unwrap_or(0);
    spend(length(args.first()).saturating_mul(separator))
}

/// `batch(count, fill)` and `slice(count, fill)`: up to that many elements more.
pub(super) fn filled_up(args: &[Value]) -> Result<(), Error> {
    whole(args)?;
    spend_made(number(args, 1, "count").unwrap_or(0).saturating_mul(4))
}

/// `tojson(indent)`: the indentation before each element, as often as it is deep.
pub(super) fn as_json(args: &[Value]) -> Result<(), Error> {
    whole(args)?;
    let Some(indent) = number(args, 1, "indent") else { return Ok(()) };
    spend(indents(args.first(), 1)?.saturating_mul(indent))
}

/// `pprint`: two levels of four spaces for each element at most, as often as it is deep.
pub(super) fn pretty(args: &[Value]) -> Result<(), Error> {
    whole(args).and_then(|()| spend(indents(args.first(), 1)?.saturating_mul(8)))
}

/// `format(…)`: fields are at most as wide as they say, so they may not say too much.
pub(super) fn formatted(args: &[Value]) -> Result<(), Error> {
    whole(args)?;
    let text = args.first().and_then(Value::as_str).unwrap_or_default();
    let widths = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let is_narrow = |digits: &str| digits.parse().is_ok_and(|width: usize| width <= MAX_WIDTH);
    let given =
        |value: &Value| value.kind() != ValueKind::Number || value.as_i64().is_some_and(is_given_narrow);
    if !widths.clone().all(is_narrow) || (text.contains('*') && !args.iter().skip(1).all(given)) {
        return Err(refusal(format!("`format` writes fields of at most {MAX_WIDTH} characters")));
    }
    let fields = text.matches('%').count();
    let widest =
        if text.contains('*') { MAX_WIDTH } else { widths.filter_map(|w| w.parse().ok()).max().unwrap_or(0) };
    spend(fields.saturating_mul(widest))
}

fn is_given_narrow(width: i64) -> bool {
    usize::try_from(width.unsigned_abs()).is_ok_and(|width| width <= MAX_WIDTH)
}

/// `sum(start)`: adds each to what there is, which is as long as all before when it begins with a text or a list.
pub(super) fn summed(args: &[Value]) -> Result<(), Error> {
    let by_name = args.last().filter(|last| last.is_kwargs()).and_then(|named| named.get_attr("start").ok());
    let starts = args.get(2).into_iter().chain(by_name.as_ref());
    let grows = starts.filter(|start| !start.is_undefined()).any(|start| start.kind() != ValueKind::Number);
    let times = if grows { length(args.first()).max(1) } else { 1 };
    weight(args).and_then(|weight| spend(weight.saturating_mul(times)))
}

/// `value * count` of a text or a list.
pub(super) fn repeated(args: &[Value]) -> Result<(), Error> {
    let of = |value: &Value, count: &Value| match value.kind() {
        ValueKind::String => shallow(value).saturating_mul(whole_number(count).unwrap_or(0)),
        ValueKind::Seq | ValueKind::Iterable => {
            (shallow(value) / COPIED * MADE).saturating_mul(whole_number(count).unwrap_or(0))
        }
        _ => 0,
    };
    match args {
        [left, right] => spend(of(left, right).saturating_add(of(right, left)).saturating_add(CALL)),
        _ => Ok(()),
    }
}

fn weight(args: &[Value]) -> Result<usize, Error> {
    args.iter().try_fold(0_usize, |sum, value| Ok(sum.saturating_add(deep(value)?)))
}

fn length(value: Option<&Value>) -> usize {
    value.map_or(0, |value| match value.as_str() {
        Some(text) => text.len(),
        None => value.len().unwrap_or(0),
    })
}

fn lines(value: Option<&Value>) -> usize {
    value.and_then(Value::as_str).map_or(1, |text| text.split('\n').count())
}

/// A separator that is given by its place or its name.
fn separator(value: &Value) -> usize {
    if value.is_kwargs() {
        return value.get_attr("d").ok().map_or(0, |text| length(Some(&text)));
    }
    length(Some(value))
}

/// For each element how deep it is, added up.
fn indents(value: Option<&Value>, depth: usize) -> Result<usize, Error> {
    let Some(value) = value else { return Ok(0) };
    let inner = |sum: usize, inner: &Value| Ok(sum.saturating_add(indents(Some(inner), depth + 1)?));
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            value.try_iter()?.try_fold(depth, |sum, element| inner(sum, &element))
        }
        ValueKind::Map => value.try_iter()?.try_fold(depth, |sum, key| inner(sum, &value.get_item(&key)?)),
        _ => Ok(depth),
    }
}

/// The number that is given at this place or by this name.
fn number(args: &[Value], place: usize, name: &str) -> Option<usize> {
    let by_name = || args.last().filter(|last| last.is_kwargs())?.get_attr(name).ok();
    args.get(place)
        .filter(|value| !value.is_kwargs())
        .cloned()
        .or_else(by_name)
        .as_ref()
        .and_then(whole_number)
}

/// Beyond what fits, as much as there can be; the engine then refuses it.
fn whole_number(value: &Value) -> Option<usize> {
    match value.kind() {
        ValueKind::Number => {
            Some(value.as_usize().unwrap_or(if is_negative(value) { 0 } else { usize::MAX }))
        }
        ValueKind::Bool => Some(usize::from(value.is_true()) * 2),
        _ => None,
    }
}

fn is_negative(value: &Value) -> bool {
    *value < Value::from(0)
}
