//! An expression that is only a path, `event.payload.items[0].name`: the most frequent one by far, and a walk through JSON
//! instead of a program.

use serde_json::{Value, json};

use super::Context;
use super::budget::Budget;
use crate::event::Field;
use crate::path::Path;

#[derive(Debug)]
pub(super) enum PlainPath {
    Event,
    EventField(Field),
    Rule(Path),
    PackConfig(Path),
}

impl PlainPath {
    /// The path that an expression is; `None` for anything more than a path, and for what a path can not say.
    pub(super) fn parse(expression: &str) -> Option<Self> {
        let text = expression.trim();
        let (root, rest) = text.split_at(text.find(['.', '[']).unwrap_or(text.len()));
        if !rest.split(['.', '[', ']']).all(is_plain) || rest.contains("..") || rest.ends_with('.') {
            return None;
        }
        match root {
            "event" if rest.is_empty() => Some(Self::Event),
            "event" => Field::parse(rest.strip_prefix('.')?).ok().map(Self::EventField),
            "rule" => below(rest).map(Self::Rule),
            "pack" => below(rest.strip_prefix(".config")?).map(Self::PackConfig),
            _ => None,
        }
    }

    pub(super) fn get(&self, context: &Context, budget: &mut Budget) -> Result<Value, String> {
        let value = match self {
            Self::Event => return charge(json!(context.event), budget),
            Self::EventField(field) => match field.of(context.event) {
                found if found.is_null() => {
                    return charge(field.letter(context.event).map(String::from).into(), budget);
                }
                found => return charge(found.to_json(), budget),
            },
            Self::Rule(path) => path.get(context.rule).ok_or_else(|| path.letter(context.rule)),
            Self::PackConfig(path) => {
                path.get(context.pack_config).ok_or_else(|| path.letter(context.pack_config))
            }
        };
        match value {
            Ok(value) => budget.spend_on(value).map(|()| value.clone()),
            Err(letter) => charge(letter.map(String::from).into(), budget),
        }
    }
}

fn charge(value: Value, budget: &mut Budget) -> Result<Value, String> {
    budget.spend_on(&value).map(|()| value)
}

fn below(rest: &str) -> Option<Path> {
    match rest.as_bytes().first() {
        None => Some(Path::default()),
        Some(b'[') => Path::parse(rest).ok(),
        Some(_) => Path::parse(rest.strip_prefix('.')?).ok(),
    }
}

/// An identifier or an index; also the nothing between `]` and `.`. minijinja reads `a.0` and `a.b-c` differently.
fn is_plain(step: &str) -> bool {
    step.bytes().all(|byte| byte.is_ascii_digit())
        || (step.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
            && !step.as_bytes()[0].is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_path_from_more() {
        for path in [
            "event",
            " event.payload ",
            "event.payload.items[0].name",
            "rule",
            "rule.ref",
            "pack.config.a[1][2].b",
        ] {
            assert!(PlainPath::parse(path).is_some(), "{path}");
        }
        for more in [
            "",
            "x",
            "events.a",
            "event.payload.a | upper",
            "event.payload['a']",
            "event.payload[-1]",
            "event..a",
            "event.",
            "event.payload.a-b",
            "event.payload[a",
            "pack",
            "pack.configuration",
            "1 + 2",
            "event.payload.größe",
            "rule.",
            "event[0]",
            "event.payload.a()",
            "pack.config.",
            "event.payload.a b",
        ] {
            assert!(PlainPath::parse(more).is_none(), "{more}");
        }
    }
}
