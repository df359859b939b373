//! YAML as a tree that remembers its lines.
//!
//! Definitions are read from this tree rather than through derived types, because a derived type stops at the first
//! fault, and a pack's author wants all of them. Anchors work, within a budget that an exploding file can not pass.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;
use serde_saphyr::budget::BudgetBreach;

/// A definition is written by hand; a larger one is something else.
const MAX_BYTES: usize = 1024 * 1024;
/// Values of one definition; as many again may come out of its anchors.
const MAX_NODES: usize = 20_000;
const MAX_DEPTH: usize = 48;

/// A value and the line it stands on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) line: u32,
    pub(super) tree: Tree,
}

/// A value whose parts know their lines.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a mapping with its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: u32,
    pub(super) value: Node,
}

/// Why a file is no YAML document that a pack may hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: Option<u32>,
    pub(super) message: String,
}

/// Reads one document.
pub(super) fn parse(bytes: &[u8]) -> Result<Node, Unreadable> {
    if bytes.len() > MAX_BYTES {
        return Err(Unreadable { line: None, message: format!("is larger than {MAX_BYTES} bytes") });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    let node: Node =
        serde_saphyr::from_str_with_options(text, options()).map_err(|error| unreadable(&error))?;
    match node.line_of_nul() {
        Some(line) => Err(Unreadable {
            line: Some(line),
            message: "the database can not store the character NUL".into(),
        }),
        None => Ok(node),
    }
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_documents: 1,
            max_nodes: MAX_NODES,
            max_depth: MAX_DEPTH,
            max_aliases: 1_000,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_NODES },
    }
}

fn not_utf8(bytes: &[u8], valid_up_to: usize) -> Unreadable {
    let line = bytes[..valid_up_to].split(|byte| *byte == b'\n').count();
    Unreadable { line: u32::try_from(line).ok(), message: "is not UTF-8".into() }
}

fn unreadable(error: &serde_saphyr::Error) -> Unreadable {
    let line = error.location().map(|at| narrow(at.line())).filter(|line| *line > 0);
    // What goes wrong in the use of an anchor comes with the place of the anchor around it.
    let mut cause = error.without_snippet();
    while let serde_saphyr::Error::AliasError { error, .. } = cause {
        cause = error.without_snippet();
    }
    let message = match cause {
        serde_saphyr::Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key {key} is there twice")
        }
        serde_saphyr::Error::Budget { breach: BudgetBreach::Documents { .. }, .. } => {
            "is more than one document".to_owned()
        }
        serde_saphyr::Error::Budget { .. } | serde_saphyr::Error::AliasReplayLimitExceeded { .. } => {
            format!(
                "holds more than {MAX_NODES} values, or nests deeper than {MAX_DEPTH}, with its anchors written out"
            )
        }
        other => in_words(without_position(&other.to_string())),
    };
    Unreadable { line, message }
}

/// What the parser says, with the cause that it mostly has in a definition.
fn in_words(message: &str) -> String {
    match message {
        "expected string scalar" => {
            "a key must be text; a text that begins with {{ needs quotes around it".to_owned()
        }
        "mapping values are not allowed in this context" => {
            format!("{message}; is a line indented wrongly, or does a text with a colon lack its quotes?")
        }
        _ => message.to_owned(),
    }
}

/// The library ends its messages with the position, which a fault says in its own way.
fn without_position(message: &str) -> &str {
    message.split_once(" at line ").map_or(message, |(before, _)| before)
}

fn narrow(line: u64) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

impl Node {
    /// The same value without its lines.
    pub(super) fn to_json(&self) -> Value {
        match &self.tree {
            Tree::Null => Value::Null,
            Tree::Bool(value) => Value::Bool(*value),
            Tree::Number(value) => Value::Number(value.clone()),
            Tree::Text(value) => Value::String(value.clone()),
            Tree::List(items) => items.iter().map(Self::to_json).collect(),
            Tree::Map(entries) => Value::Object(
                entries.iter().map(|e| (e.key.clone(), e.value.to_json())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// The same, so many lines further down.
    pub(super) fn moved_down(mut self, lines: u32) -> Self {
        self.line = self.line.saturating_add(lines);
        match &mut self.tree {
            Tree::List(items) => {
                *items = std::mem::take(items).into_iter().map(|item| item.moved_down(lines)).collect();
            }
            Tree::Map(entries) => {
                for entry in std::mem::take(entries) {
                    let (key, line) = (entry.key, entry.line.saturating_add(lines));
                    entries.push(Entry { key, line, value: entry.value.moved_down(lines) });
                }
            }
            Tree::Null | Tree::Bool(_) | Tree::Number(_) | Tree::Text(_) => {}
        }
        self
    }

    /// What the value is, in words for a message.
    pub(super) fn describe(&self) -> String {
        match &self.tree {
            Tree::Null => "nothing".into(),
            Tree::Bool(value) => value.to_string(),
            Tree::Number(value) => format!("the number {value}"),
            Tree::Text(value) => format!("the text {value:?}"),
            Tree::List(_) => "a list".into(),
            Tree::Map(_) => "a mapping".into(),
        }
    }

    /// The value of a key, with the key's own line.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.tree {
            Tree::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The line of what `path` (`all[1].operator`) leads to, or of the last step that exists.
    pub(super) fn line_at(&self, path: &str) -> u32 {
        let mut line = self.line;
        let mut node = self;
        for step in path.split(['.', '[', ']']).filter(|step| !step.is_empty()) {
            let next = match &node.tree {
                Tree::Map(entries) => entries.iter().find(|e| e.key == step).map(|e| (e.line, &e.value)),
                Tree::List(items) => step.parse().ok().and_then(|i: usize| items.get(i)).map(|n| (n.line, n)),
                _ => None,
            };
            let Some((next_line, next)) = next else { break };
            (line, node) = (next_line, next);
        }
        line
    }

    /// How many values it holds, itself among them.
    pub(super) fn values(&self) -> usize {
        1 + match &self.tree {
            Tree::List(items) => items.iter().map(Self::values).sum(),
            Tree::Map(entries) => entries.iter().map(|entry| entry.value.values()).sum(),
            _ => 0,
        }
    }

    fn line_of_nul(&self) -> Option<u32> {
        match &self.tree {
            Tree::Text(text) => text.contains('\0').then_some(self.line),
            Tree::List(items) => items.iter().find_map(Self::line_of_nul),
            Tree::Map(entries) => entries
                .iter()
                .find_map(|e| if e.key.contains('\0') { Some(e.line) } else { e.value.line_of_nul() }),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Tree>::deserialize(deserializer)?;
        Ok(Self { line: line_of(&spanned), tree: spanned.value })
    }
}

fn line_of<T>(spanned: &Spanned<T>) -> u32 {
    narrow(spanned.referenced.line())
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON can express")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Tree, E> {
        Number::from_f64(value).map(Tree::Number).ok_or_else(|| E::custom("JSON has no such number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Tree, E> {
        Ok(Tree::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let line = line_of(&key);
            entries.push(Entry { key: key.value, line, value: map.next_value()? });
        }
        Ok(Tree::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Node {
        parse(text.as_bytes()).unwrap()
    }

    fn refuse(text: &str) -> (Option<u32>, String) {
        let error = parse(text.as_bytes()).unwrap_err();
        (error.line, error.message)
    }

    #[test]
    fn keeps_values_and_lines() {
        let node =
            read("# a comment\nname: x\nlist:\n  - 1\n  - {a: 2.5, b: true}\ntext: |\n  one\n  two\nno: ~\n");
        assert_eq!(
            node.to_json(),
            json!({"name": "x", "list": [1, {"a": 2.5, "b": true}], "text": "one\ntwo\n", "no": null})
        );
        let lines: Vec<u32> =
            ["name", "list[0]", "list[1].b", "text", "no", "list[7]"].map(|p| node.line_at(p)).to_vec();
        assert_eq!(lines, [2, 4, 5, 6, 9, 3]);
        assert_eq!(node.line_at(""), 2);
    }

    #[test]
    fn words_are_text_and_only_true_and_false_are_booleans() {
        let node = read("country: no\nanswer: yes\nversion: 0.1.0\nday: 2026-01-01\nquoted: \"1\"");
        assert_eq!(
            node.to_json(),
            json!({"country": "no", "answer": "yes", "version": "0.1.0", "day": "2026-01-01", "quoted": "1"})
        );
    }

    #[test]
    fn anchors_point_at_the_place_of_use() {
        let node = read("a: &x {k: 1}\nb: *x\n");
        assert_eq!(node.to_json(), json!({"a": {"k": 1}, "b": {"k": 1}}));
        assert_eq!(node.line_at("b"), 2);
    }

    #[test]
    fn refuses_with_the_line() {
        assert_eq!(refuse("a: 1\nb: 2\na: 3\n"), (Some(3), "the key a is there twice".into()));
        assert_eq!(refuse("a: 1\n b: [\n").0, Some(2));
        assert_eq!(refuse("a: 1\nb: \"x\\0y\"\n").0, Some(2));
        assert_eq!(refuse("a: 1\nb: .nan\n").0, Some(2));
        assert_eq!(refuse("a: 1\n---\nb: 2\n").0, Some(2));
        assert_eq!(parse(b"a: 1\nb: \xff\n").unwrap_err().line, Some(2));
    }

    #[test]
    fn explosions_end_early() {
        let level = |n: u32| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "));
        let bomb = String::from("a0: &a0 [x, x, x]\n") + &(1..12).map(level).collect::<String>();
        assert!(refuse(&bomb).1.len() < 500);
        assert!(refuse(&"[".repeat(100_000)).1.len() < 500);
        assert!(refuse(&"- ".repeat(10_000)).1.len() < 500);
        assert!(parse(&vec![b'a'; MAX_BYTES + 1]).is_err());
    }
}
