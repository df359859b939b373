//! What an expression reads of its context, so that only that is converted for minijinja: copying a megabyte of payload
//! to print one name of it would cost more than all the rest of a rule.

use std::collections::{BTreeMap, HashSet};

use minijinja::Error;
use minijinja::value::{Serde, Value as Entered};
use serde_json::Value;

use super::{Context, work};
use crate::event::EventView;
use crate::path::Path;

/// The names that a context has.
const ROOTS: [&str; 3] = ["event", "rule", "pack"];

#[derive(Debug)]
pub(super) struct Needs {
    roots: Fields,
    paths: Vec<String>,
}

type Fields = BTreeMap<Box<str>, Need>;

#[derive(Debug)]
enum Need {
    Whole,
    Fields(Fields),
}

impl Needs {
    /// What `text` reads: the paths that minijinja finds in it, or whole roots where it does not find all of them.
    pub(super) fn found(text: &str, paths: impl FnOnce() -> HashSet<String>) -> Self {
        // Statements may assign a root to another name, and minijinja does not look into what is sliced.
        let is_hidden = text.contains("{%") || (text.contains('[') && text.contains(':'));
        if is_hidden { Self::of_text(text) } else { Self::of_paths(paths()) }
    }

    /// From the dotted paths that minijinja found in an expression.
    fn of_paths(paths: HashSet<String>) -> Self {
        let mut paths: Vec<String> = paths.into_iter().collect();
        paths.sort();
        let mut roots = Fields::new();
        for path in &paths {
            add(&mut roots, path);
        }
        Self { roots, paths }
    }

    /// Everything below the roots that `text` mentions.
    fn of_text(text: &str) -> Self {
        let mentioned = ROOTS.iter().filter(|root| text.contains(**root));
        Self::of_paths(mentioned.map(|&root| root.to_owned()).collect())
    }

    /// The context, with as much in it as is needed. Spends for what it copies.
    pub(super) fn enter(&self, context: &Context) -> Result<Entered, Error> {
        pick(&self.roots, |name, need| match name {
            "event" => enter_event(context.event, need).map(Some),
            "rule" => enter(Some(context.rule), need),
            "pack" => enter_pack(context.pack_config, need).map(Some),
            _ => Ok(None),
        })
    }

    /// The paths that lead to nothing, for the message of an error about something undefined.
    pub(super) fn missing(&self, context: &Context) -> Vec<&str> {
        let document = serde_json::json!({
            "event": context.event, "rule": context.rule, "pack": {"config": context.pack_config}});
        let is_missing = |path: &&String| Path::parse(path).is_ok_and(|path| path.get(&document).is_none());
        self.paths.iter().filter(is_missing).map(String::as_str).collect()
    }
}

/// A whole wins over its fields, whichever comes first.
fn add(fields: &mut Fields, path: &str) {
    let Some((name, rest)) = path.split_once('.') else {
        fields.insert(path.into(), Need::Whole);
        return;
    };
    if let Need::Fields(fields) = fields.entry(name.into()).or_insert_with(|| Need::Fields(Fields::new())) {
        add(fields, rest);
    }
}

/// A missing parent enters as an empty object, so that `a.b` is undefined, not an error, when `a` is missing.
fn enter(value: Option<&Value>, need: &Need) -> Result<Option<Entered>, Error> {
    match (need, value) {
        (Need::Fields(fields), Some(Value::Object(map))) => {
            pick(fields, |name, need| enter(map.get(name), need)).map(Some)
        }
        (Need::Fields(fields), None) => pick(fields, |_, need| enter(None, need)).map(Some),
        (_, value) => value.map(copy).transpose(),
    }
}

/// The engine's own copy of a value.
fn copy(value: &Value) -> Result<Entered, Error> {
    spend_on(value)?;
    Ok(Entered::from(Serde(value)))
}

fn spend_on(value: &Value) -> Result<(), Error> {
    work::spend(work::ELEMENT)?;
    match value {
        Value::String(text) => work::spend(text.len()),
        Value::Array(list) => list.iter().try_for_each(spend_on),
        Value::Object(map) => map.iter().try_for_each(|(key, value)| {
            work::spend(key.len())?;
            spend_on(value)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn pick(
    fields: &Fields,
    field: impl Fn(&str, &Need) -> Result<Option<Entered>, Error>,
) -> Result<Entered, Error> {
    let entered = fields.iter().filter_map(|(name, need)| {
        field(name, need).map(|value| Some((name.to_string(), value?))).transpose()
    });
    entered.collect::<Result<Vec<_>, _>>().map(Entered::from_pairs)
}

fn enter_pack(config: &Value, need: &Need) -> Result<Entered, Error> {
    match need {
        Need::Whole => Ok(Entered::from_pairs([("config", copy(config)?)])),
        Need::Fields(fields) => pick(fields, |name, need| enter((name == "config").then_some(config), need)),
    }
}

fn enter_event(event: &EventView, need: &Need) -> Result<Entered, Error> {
    let Need::Fields(fields) = need else {
        spend_on(&event.payload)?;
        return Ok(Entered::from(Serde(event)));
    };
    pick(fields, |name, need| match name {
        "id" => Ok(Some(event.id.into())),
        "trigger" => Ok(Some(event.trigger.as_str().into())),
        "sensor" => Ok(Some(event.sensor.as_deref().into())),
        "source" => Ok(Some(event.source.as_deref().into())),
        "key" => Ok(Some(event.key.as_deref().into())),
        "created" => Ok(Some(event.created_text().into())),
        "payload" => enter(Some(&event.payload), need),
        "trigger_params" => enter(Some(event.trigger_params.as_ref().unwrap_or(&Value::Null)), need),
        _ => enter(None, need),
    })
}

/// The names among `names` that neither the context nor minijinja knows.
pub(super) fn unknown(names: HashSet<String>, environment: &minijinja::Environment) -> Vec<String> {
    let is_global = |name: &str| environment.globals().any(|(global, _)| global == name);
    let mut unknown: Vec<_> =
        names.into_iter().filter(|name| !ROOTS.contains(&name.as_str()) && !is_global(name)).collect();
    unknown.sort();
    unknown
}
