//! Where a `$ref` leads: into the schema itself, by a pointer or by an anchor. Anything else is refused when the schema is
//! compiled, so that masks and defaults follow every reference that the validator follows.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// The anchors of a schema, and the name that it gives itself.
#[derive(Debug, Default)]
pub(super) struct References {
    /// Pointers to the schemas that have an anchor.
    anchors: HashMap<String, String>,
    /// `$id` of the whole.
    own: Option<String>,
}

impl References {
    pub(super) fn read(document: &Value) -> Self {
        let own = ["$id", "id"].iter().find_map(|key| document.get(key)?.as_str());
        let mut references = Self {
            anchors: HashMap::new(),
            own: own.map(|own| own.trim_end_matches('#').to_owned()).filter(|own| !own.is_empty()),
        };
        references.collect(document, &mut String::new());
        references
    }

    fn collect(&mut self, value: &Value, pointer: &mut String) {
        let length = pointer.len();
        match value {
            Value::Object(map) => {
                for name in anchors(map) {
                    self.anchors.entry(name.to_owned()).or_insert_with(|| pointer.clone());
                }
                for (key, value) in map {
                    pointer.push('/');
                    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                    self.collect(value, pointer);
                    pointer.truncate(length);
                }
            }
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    pointer.push('/');
                    pointer.push_str(&index.to_string());
                    self.collect(value, pointer);
                    pointer.truncate(length);
                }
            }
            _ => {}
        }
    }

    /// The schema that a `$ref` leads to, if it is in the document.
    pub(super) fn resolve<'a>(&self, document: &'a Value, reference: &str) -> Option<&'a Value> {
        let own = self.own.as_deref().and_then(|own| reference.strip_prefix(own));
        let fragment = match own.unwrap_or(reference) {
            "" => "",
            text => text.strip_prefix('#')?,
        };
        let fragment = percent_decoded(fragment)?;
        if fragment.is_empty() || fragment.starts_with('/') {
            return document.pointer(&fragment);
        }
        document.pointer(self.anchors.get(&fragment)?)
    }

    /// The schema that the `$ref` of this one leads to.
    pub(super) fn of<'a>(&self, document: &'a Value, schema: &Map<String, Value>) -> Option<&'a Value> {
        self.resolve(document, schema.get("$ref")?.as_str()?)
    }
}

/// The names that others may refer to a schema by.
fn anchors(schema: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let named = ["$anchor", "$dynamicAnchor"].iter().filter_map(|key| schema.get(*key)?.as_str());
    let older = ["$id", "id"].iter().filter_map(|key| schema.get(*key)?.as_str()?.strip_prefix('#'));
    named.chain(older)
}

fn percent_decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}
