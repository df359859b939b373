//! Reads the keys of one definition. A key that is wrong leaves a fault and a harmless value, so that reading goes on and
//! the author sees everything at once.

use serde_json::{Value, json};

use super::findings::{Findings, Reference, Source};
use super::refs::{check_ref, pack_of};
use super::suggest::hint;
use super::yaml::{Node, Tree};
use super::{Fault, Kind};
use crate::sensor_status::{self, Expect};

/// The top-level keys of one file.
pub(super) struct Fields<'a> {
    source: &'a Source,
    /// What the file defines; none for the manifest.
    kind: Option<Kind>,
    findings: &'a mut Findings,
}

impl<'a> Fields<'a> {
    /// Opens a file's mapping; a fault for each key that is not in `known`.
    pub(super) fn open(
        source: &'a Source,
        kind: Option<Kind>,
        known: &[&'static str],
        findings: &'a mut Findings,
    ) -> Option<Self> {
        let mut fields = Self { source, kind, findings };
        let Tree::Map(entries) = &source.node.tree else {
            fields.fault("", format!("must be a mapping, not {}", source.node.describe()));
            return None;
        };
        for unknown in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let message = format!("is no known key{}", hint(&unknown.key, known.iter().copied()));
            let line = Some(unknown.line);
            let (file, field) = (source.file.clone(), unknown.key.clone());
            fields.findings.faults.push(Fault { file, line, field, message });
        }
        Some(fields)
    }

    /// Notes a fault at the line of `path`.
    pub(super) fn fault(&mut self, path: &str, message: impl Into<String>) {
        self.findings.faults.push(self.source.fault(path, message));
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.findings.paths.iter().map(String::as_str)
    }

    /// The value of a key; a key without a value counts as left out.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.source.node.entry(key).map(|entry| &entry.value).filter(|node| node.tree != Tree::Null)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn wrong(&mut self, path: &str, expected: &str, found: &Node) {
        let quote = match found.tree {
            Tree::Number(_) | Tree::Bool(_) if expected == "text" => "; put it in quotes",
            _ => "",
        };
        self.fault(path, format!("must be {expected}, not {}{quote}", found.describe()));
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let node = self.get(key)?;
        if let Tree::Text(text) = &node.tree {
            return Some(text.clone());
        }
        self.wrong(key, "text", node);
        None
    }

    pub(super) fn required_text(&mut self, key: &str) -> String {
        self.checked_text(key, |text| if text.trim().is_empty() { Err("is empty".into()) } else { Ok(()) })
    }

    pub(super) fn checked_text(&mut self, key: &str, check: impl Fn(&str) -> Result<(), String>) -> String {
        if self.get(key).is_none() {
            self.fault(key, "is missing");
            return String::new();
        }
        let text = self.text(key);
        if let Some(Err(message)) = text.as_deref().map(check) {
            self.fault(key, message);
        }
        text.unwrap_or_default()
    }

    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let Tree::List(items) = &node.tree else {
            self.wrong(key, "a list", node);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for (i, item) in items.iter().enumerate() {
            match &item.tree {
                Tree::Text(text) if !texts.contains(text) => texts.push(text.clone()),
                Tree::Text(text) => self.fault(&format!("{key}[{i}]"), format!("{text:?} is there twice")),
                _ => self.wrong(&format!("{key}[{i}]"), "text", item),
            }
        }
        texts
    }

    pub(super) fn boolean(&mut self, key: &str, default: bool) -> bool {
        match self.get(key) {
            None => default,
            Some(Node { tree: Tree::Bool(value), .. }) => *value,
            Some(node) => {
                self.wrong(key, "true or false", node);
                default
            }
        }
    }

    pub(super) fn seconds(&mut self, key: &str) -> Option<f64> {
        let node = self.get(key)?;
        let Tree::Number(number) = &node.tree else {
            self.wrong(key, "a number of seconds", node);
            return None;
        };
        let seconds = number.as_f64().filter(|seconds| *seconds > 0.0);
        if seconds.is_none() {
            self.fault(key, format!("must be greater than zero, not {number}"));
        }
        seconds
    }

    /// A span of time such as `5s`, in seconds.
    pub(super) fn span(&mut self, key: &str) -> Option<f64> {
        match sensor_status::span(&self.get(key)?.to_json()) {
            Ok(span) => Some(span.as_secs_f64()),
            Err(fault) => {
                self.fault(key, fault);
                None
            }
        }
    }

    pub(super) fn count(&mut self, key: &str) -> Option<usize> {
        let node = self.get(key)?;
        let count = match &node.tree {
            Tree::Number(number) => number.as_u64().and_then(|number| usize::try_from(number).ok()),
            _ => None,
        };
        if count.is_none() {
            self.wrong(key, "a whole number", node);
        }
        count
    }

    /// A whole number greater than zero that a column can hold.
    pub(super) fn positive(&mut self, key: &str) -> Option<i32> {
        let count = self.count(key)?;
        let number = i32::try_from(count).ok().filter(|number| *number > 0);
        if number.is_none() {
            self.fault(key, format!("must be from 1 to {}, not {count}", i32::MAX));
        }
        number
    }

    /// What is expected of a sensor.
    pub(super) fn expect(&mut self, key: &str) -> Option<Value> {
        let expect = self.optional_object(key)?;
        match Expect::read(&expect) {
            Ok(_) => Some(expect),
            Err((field, fault)) => {
                self.fault(&format!("{key}.{field}"), fault);
                None
            }
        }
    }

    /// A list of mappings.
    pub(super) fn objects(&mut self, key: &str) -> Option<Vec<Value>> {
        let node = self.get(key)?;
        let Tree::List(items) = &node.tree else {
            self.wrong(key, "a list", node);
            return None;
        };
        for (i, item) in items.iter().enumerate().filter(|(_, item)| !matches!(item.tree, Tree::Map(_))) {
            self.wrong(&format!("{key}[{i}]"), "a mapping", item);
        }
        Some(items.iter().map(Node::to_json).collect())
    }

    pub(super) fn optional_object(&mut self, key: &str) -> Option<Value> {
        let node = self.get(key)?;
        if matches!(node.tree, Tree::Map(_)) {
            return Some(node.to_json());
        }
        self.wrong(key, "a mapping", node);
        None
    }

    pub(super) fn object(&mut self, key: &str) -> Value {
        self.optional_object(key).unwrap_or_else(|| json!({}))
    }

    /// One of a few words; the first when the key is left out.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, all: &[T], name: impl Fn(T) -> &'static str) -> T {
        self.optional_choice(key, all, name).unwrap_or(all[0])
    }

    /// One of a few words, or none of them.
    pub(super) fn optional_choice<T: Copy>(
        &mut self,
        key: &str,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let text = self.text(key)?;
        let names = || all.iter().map(|item| name(*item));
        let found = all.iter().copied().find(|item| name(*item) == text);
        if found.is_none() {
            let known = names().collect::<Vec<_>>().join(", ");
            self.fault(key, format!("{text:?} is none of {known}{}", hint(&text, names())));
        }
        found
    }

    /// Some of a few words.
    pub(super) fn choices<T: Copy>(
        &mut self,
        key: &str,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Vec<T> {
        let names = || all.iter().map(|item| name(*item));
        let mut chosen = Vec::new();
        for (i, text) in self.texts(key).iter().enumerate() {
            if let Some(item) = all.iter().find(|item| name(**item) == text) {
                chosen.push(*item);
            } else {
                let known = names().collect::<Vec<_>>().join(", ");
                let hint = hint(text, names());
                self.fault(&format!("{key}[{i}]"), format!("{text:?} is none of {known}{hint}"));
            }
        }
        chosen
    }

    /// The ref of the thing that this file defines.
    pub(super) fn own_ref(&mut self) -> String {
        let name = self.checked_text("ref", check_ref);
        let expected = self.findings.pack.clone();
        if let Some(pack) = expected.filter(|pack| check_ref(&name).is_ok() && pack_of(&name) != *pack) {
            self.fault("ref", format!("{name:?} must begin with its pack: {pack}."));
        }
        name
    }

    /// The ref of another thing.
    pub(super) fn reference(&mut self, key: &str, kind: Kind) -> String {
        let name = self.checked_text(key, check_ref);
        self.refer(key, kind, &name);
        name
    }

    /// Refs of other things, at least one.
    pub(super) fn references(&mut self, key: &str, kind: Kind) -> Vec<String> {
        if self.get(key).is_none_or(|node| node.tree == Tree::List(Vec::new())) {
            self.fault(key, format!("must list at least one {kind}"));
        }
        let names = self.texts(key);
        for (i, name) in names.iter().enumerate() {
            let path = format!("{key}[{i}]");
            match check_ref(name) {
                Ok(()) => self.refer(&path, kind, name),
                Err(message) => self.fault(&path, message),
            }
        }
        names
    }

    /// The ref of another thing of this pack, which was read before.
    pub(super) fn own_reference(&mut self, key: &str, kind: Kind) -> String {
        let name = self.checked_text(key, check_ref);
        if check_ref(&name).is_ok() && !self.findings.known(kind).any(|known| known == name) {
            let hint = hint(&name, self.findings.known(kind));
            self.fault(key, format!("the pack has no {kind} {name:?}{hint}"));
        }
        name
    }

    /// Reads the mapping under a key, whose own keys are checked like those of the file.
    pub(super) fn nested<T>(
        &mut self,
        key: &str,
        known: &[&'static str],
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Option<T> {
        let Some(node) = self.get(key) else {
            self.fault(key, "is missing");
            return None;
        };
        let source = Source { file: self.source.file.clone(), node: node.clone() };
        let before = self.findings.faults.len();
        let value = Fields::open(&source, None, known, self.findings).map(|mut fields| read(&mut fields));
        for fault in &mut self.findings.faults[before..] {
            fault.field = if fault.field.is_empty() { key.into() } else { format!("{key}.{}", fault.field) };
        }
        value
    }

    fn refer(&mut self, path: &str, kind: Kind, name: &str) {
        let Some(from) = self.kind.filter(|_| check_ref(name).is_ok()) else { return };
        self.findings.references.push(Reference {
            from,
            kind,
            r#ref: name.to_owned(),
            file: self.source.file.clone(),
            line: self.source.node.line_at(path),
            field: path.to_owned(),
        });
    }
}
