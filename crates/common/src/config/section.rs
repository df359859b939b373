//! The walk over the merged tree.
//!
//! Each section asks for its keys, one by one, and says what they mean; what nobody asked for is unknown, and what can not
//! be read as asked is a fault and counts as not given. So the walk always ends, with a whole configuration and a
//! [`Survey`] of every key and every fault there is.

use std::time::Duration;

use figment::Figment;
use figment::value::{Dict, Value};

use super::error::{Fault, Origin};
use super::setting::{Setting, Shown, Survey};
use super::sources::origin_of;
use super::value::Given;

/// The longest duration that a setting may have: ten years, well within what timers and `PostgreSQL` can count.
const LONGEST: f64 = 10.0 * 366.0 * 24.0 * 3600.0;

/// One section while it is read.
pub(super) struct Section<'a> {
    figment: &'a Figment,
    survey: &'a mut Survey,
    /// The dotted key of this section; empty for the whole.
    path: String,
    values: Dict,
    known: Vec<&'static str>,
    /// Whether messages may show values.
    shown: bool,
}

impl<'a> Section<'a> {
    /// Reads the whole tree with `read`.
    pub(super) fn root<T>(
        figment: &'a Figment,
        survey: &'a mut Survey,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        let values = figment::Provider::data(figment)
            .ok()
            .and_then(|mut profiles| profiles.remove(figment.profile()))
            .unwrap_or_default();
        let mut root =
            Section { figment, survey, path: String::new(), values, known: Vec::new(), shown: true };
        let result = read(&mut root);
        root.report_unknown();
        result
    }

    /// Reads a section below this one; absent, it is an empty one.
    pub(super) fn section<T>(
        &mut self,
        key: &'static str,
        about: &'static str,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        self.open(key, about, true, read)
    }

    /// Reads a section whose values no message shows.
    pub(super) fn secret_section<T>(
        &mut self,
        key: &'static str,
        about: &'static str,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        self.open(key, about, false, read)
    }

    fn open<T>(
        &mut self,
        key: &'static str,
        about: &'static str,
        shown: bool,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        let values = match self.take(key) {
            None => Dict::new(),
            Some(Value::Dict(_, dict)) => dict,
            Some(other) => {
                self.wrong(key, "a section", &other, false);
                Dict::new()
            }
        };
        self.survey.sections.push((key, about));
        let mut section = Section {
            figment: self.figment,
            survey: self.survey,
            path: join(&self.path, key),
            values,
            known: Vec::new(),
            shown,
        };
        let result = read(&mut section);
        section.report_unknown();
        result
    }

    pub(super) fn text(
        &mut self,
        key: &'static str,
        default: impl Into<String>,
        about: &'static str,
    ) -> String {
        self.read_or(key, "text that is not empty", default.into(), about, Given::text)
    }

    pub(super) fn flag(&mut self, key: &'static str, default: bool, about: &'static str) -> bool {
        self.read_or(key, "true or false", default, about, Given::flag)
    }

    /// A duration that is not zero, in seconds.
    pub(super) fn seconds(&mut self, key: &'static str, default: u64, about: &'static str) -> Duration {
        let expected = "a number of seconds greater than 0";
        self.read_or(key, expected, Duration::from_secs(default), about, |given| {
            duration(given).filter(|duration| !duration.is_zero())
        })
    }

    /// A duration in seconds, where zero means "not at all".
    pub(super) fn seconds_or_zero(
        &mut self,
        key: &'static str,
        default: u64,
        about: &'static str,
    ) -> Duration {
        let expected = "a number of seconds that is not negative";
        self.read_or(key, expected, Duration::from_secs(default), about, duration)
    }

    /// How many there may be: at least one.
    pub(super) fn count(&mut self, key: &'static str, default: u32, about: &'static str) -> u32 {
        self.read_or(key, "a whole number of at least 1", default, about, |given| {
            u32::try_from(given.whole()?).ok().filter(|&count| count > 0)
        })
    }

    /// A size in bytes: at least one, and no more than fits a signed 64-bit number, as `PostgreSQL` has.
    pub(super) fn bytes(&mut self, key: &'static str, default: u64, about: &'static str) -> u64 {
        self.read_or(key, "a whole number of bytes of at least 1", default, about, |given| {
            given.whole().filter(|&bytes| bytes > 0 && i64::try_from(bytes).is_ok())
        })
    }

    /// A TCP port; zero takes a free one.
    pub(super) fn port(&mut self, key: &'static str, default: u16, about: &'static str) -> u16 {
        self.read_or(key, "a port from 0 to 65535", default, about, |given| {
            u16::try_from(given.whole()?).ok()
        })
    }

    /// Any value at all, with the place it came from for faults found later.
    pub(super) fn value(&mut self, key: &'static str, expected: &str, about: &'static str) -> Option<Value> {
        let value = self.take(key);
        let shown = value.as_ref().map(|value| self.given(value).json());
        let origin = value.as_ref().map(|value| origin_of(self.figment, value));
        self.note(key, expected, about, serde_json::Value::Null, shown.zip(origin));
        value
    }

    /// Reads one key with `parse`; what it refuses is a fault, and the default counts.
    pub(super) fn read_or<T: Shown>(
        &mut self,
        key: &'static str,
        expected: &str,
        default: T,
        about: &'static str,
        parse: impl FnOnce(&Given) -> Option<T>,
    ) -> T {
        let shown = default.shown();
        self.ask(key, expected, shown, about, parse).unwrap_or(default)
    }

    /// Reads one key that need not hold anything.
    pub(super) fn read<T: Shown>(
        &mut self,
        key: &'static str,
        expected: &str,
        about: &'static str,
        parse: impl FnOnce(&Given) -> Option<T>,
    ) -> Option<T> {
        self.ask(key, expected, serde_json::Value::Null, about, parse)
    }

    fn ask<T: Shown>(
        &mut self,
        key: &'static str,
        expected: &str,
        default: serde_json::Value,
        about: &'static str,
        parse: impl FnOnce(&Given) -> Option<T>,
    ) -> Option<T> {
        let value = self.take(key);
        let parsed = value.as_ref().and_then(|value| parse(&self.given(value)));
        if let (Some(value), None) = (&value, &parsed) {
            self.wrong(key, expected, value, self.shown);
        }
        let origin = value.as_ref().map(|value| origin_of(self.figment, value));
        self.note(key, expected, about, default, parsed.as_ref().map(Shown::shown).zip(origin));
        parsed
    }

    fn note(
        &mut self,
        key: &str,
        expected: &str,
        about: &'static str,
        default: serde_json::Value,
        given: Option<(serde_json::Value, Origin)>,
    ) {
        let key = join(&self.path, key);
        let (value, origin) = match given {
            Some((value, origin)) => (value, Some(origin)),
            None => (default.clone(), None),
        };
        let variable = Setting::variable_of(&key);
        let expected = expected.to_owned();
        self.survey.settings.push(Setting { key, value, origin, default, variable, expected, about });
    }

    /// The value with its type still open when it came from the environment.
    pub(super) fn given(&self, value: &Value) -> Given {
        Given {
            value: serde_json::to_value(value).unwrap_or_default(),
            from_environment: matches!(origin_of(self.figment, value), Origin::Environment(_)),
        }
    }

    /// Reports that the value of `key` is something else than `expected`.
    pub(super) fn wrong(&mut self, key: &str, expected: &str, value: &Value, shown: bool) {
        let found = self.given(value).describe(shown);
        self.fault(key, value, format!("expected {expected}, found {found}"));
    }

    fn fault(&mut self, key: &str, value: &Value, message: String) {
        let origin = origin_of(self.figment, value);
        self.survey.faults.push(Fault { origin, key: join(&self.path, key), message });
    }

    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.values.remove(key).filter(|value| !matches!(value, Value::Empty(..)))
    }

    fn report_unknown(&mut self) {
        for (key, value) in std::mem::take(&mut self.values) {
            if let Value::Dict(_, dict) = &value
                && !dict.is_empty()
            {
                self.report_unknown_section(&key, dict);
            } else {
                self.fault(&key, &value, self.unknown(&key));
            }
        }
    }

    /// An unknown section may come from several sources; each of them hears about it.
    fn report_unknown_section(&mut self, key: &str, dict: &Dict) {
        let mut origins: Vec<Origin> = dict.values().map(|value| origin_of(self.figment, value)).collect();
        origins.sort();
        origins.dedup();
        let message = self.unknown(key);
        let key = join(&self.path, key);
        let faults =
            origins.into_iter().map(|origin| Fault { origin, key: key.clone(), message: message.clone() });
        self.survey.faults.extend(faults);
    }

    fn unknown(&self, key: &str) -> String {
        let near = |known: &&&str| strsim::damerau_levenshtein(known, key) <= 1 + known.len() / 4;
        let nearest =
            self.known.iter().filter(near).min_by_key(|known| strsim::damerau_levenshtein(known, key));
        match nearest {
            Some(known) => format!("unknown key; did you mean `{known}`?"),
            None => "unknown key".to_owned(),
        }
    }
}

pub(super) fn duration(given: &Given) -> Option<Duration> {
    given.number().filter(|&seconds| (0.0..=LONGEST).contains(&seconds)).map(Duration::from_secs_f64)
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
