//! A schema as a graph: which schemas apply to a value, and which to the parts of it.
//!
//! It says more than the validator does: whatever any draft gives a meaning to counts, every branch of a choice, and every
//! pattern for every name. What is worked out from it (sizes, masks) is therefore never too small.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::SchemaFault;
use super::references::References;
use crate::path::{index_place, key_place};

/// Subschemas that a schema may be written with.
const MAX_WRITTEN: usize = 20_000;

/// Keywords that hold a schema for the value itself, a list of them, and an object of them.
const SAME: [&str; 4] = ["if", "then", "else", "not"];
const SAME_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const SAME_MAPS: [&str; 2] = ["dependentSchemas", "dependencies"];
/// Keywords of a schema for members that `properties` does not name, and for every element.
const OTHERS: [&str; 2] = ["additionalProperties", "unevaluatedProperties"];
const ELEMENTS: [&str; 4] = ["items", "additionalItems", "unevaluatedItems", "contains"];
/// Keywords of a list of schemas, one for each position.
const POSITIONS: [&str; 2] = ["prefixItems", "items"];

/// Keywords that look at the value by themselves.
const ASSERTIONS: [&str; 21] = [
    "const",
    "contentEncoding",
    "contentMediaType",
    "dependentRequired",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "required",
    "type",
    "uniqueItems",
];

/// What a schema is about, seen from the one that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The same value.
    Same,
    /// The member of this name.
    Member(Box<str>),
    /// A member whose name fits a pattern.
    Pattern,
    /// Every member that `properties` does not name.
    Other,
    /// The element at this index.
    Position(usize),
    /// Every element.
    Element,
    /// The names of the members.
    Name,
}

/// One schema.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) is_secret: bool,
    /// It neither looks at the value nor leads to a schema that does.
    pub(super) is_silent: bool,
    pub(super) edges: Vec<(Step, usize)>,
}

/// All schemas that the first one leads to.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
}

/// A graph, with what messages need of it.
pub(super) struct Built {
    pub(super) graph: Graph,
    /// Where each schema stands.
    pub(super) places: Vec<String>,
    /// Regular expressions, with the place of each.
    pub(super) patterns: Vec<(String, String)>,
    /// The most patterns that one schema has for names.
    pub(super) name_patterns: usize,
}

impl Graph {
    pub(super) fn build(document: &Value, references: &References) -> Result<Built, SchemaFault> {
        let mut builder = Builder::new(document, references);
        builder.visit(document, String::new())?;
        while let Some((node, value)) = builder.waiting.pop() {
            match value {
                Value::Object(schema) => builder.read(node, schema)?,
                _ => builder.built.graph.nodes[node].is_silent = true,
            }
        }
        Ok(builder.built)
    }
}

struct Builder<'a> {
    document: &'a Value,
    references: &'a References,
    /// By the address of the schema, which does not move while it is read.
    known: HashMap<*const Value, usize>,
    waiting: Vec<(usize, &'a Value)>,
    built: Built,
}

impl<'a> Builder<'a> {
    fn new(document: &'a Value, references: &'a References) -> Self {
        let built =
            Built { graph: Graph::default(), places: Vec::new(), patterns: Vec::new(), name_patterns: 0 };
        Self { document, references, known: HashMap::new(), waiting: Vec::new(), built }
    }

    fn visit(&mut self, schema: &'a Value, at: String) -> Result<usize, SchemaFault> {
        if let Some(node) = self.known.get(&std::ptr::from_ref(schema)) {
            return Ok(*node);
        }
        let node = self.built.places.len();
        if node >= MAX_WRITTEN {
            return Err(fault(&at, format!("a schema has at most {MAX_WRITTEN} subschemas")));
        }
        self.known.insert(schema, node);
        self.built.graph.nodes.push(Node::default());
        self.built.places.push(at);
        self.waiting.push((node, schema));
        Ok(node)
    }

    fn read(&mut self, node: usize, schema: &'a Map<String, Value>) -> Result<(), SchemaFault> {
        let at = self.built.places[node].clone();
        self.check_names(node, &at, schema)?;
        self.built.graph.nodes[node].is_secret = schema.get("secret") == Some(&Value::Bool(true));
        self.refer(node, &at, schema)?;
        self.read_same(node, &at, schema)?;
        self.read_members(node, &at, schema)?;
        self.read_elements(node, &at, schema)?;
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
            self.built.patterns.push((key_place(&at, "pattern"), pattern.to_owned()));
        }
        let is_leaf = self.built.graph.nodes[node].edges.is_empty();
        self.built.graph.nodes[node].is_silent =
            is_leaf && !schema.keys().any(|key| ASSERTIONS.contains(&key.as_str()));
        Ok(())
    }

    /// What would lead to another place than it seems to.
    fn check_names(&self, node: usize, at: &str, schema: &Map<String, Value>) -> Result<(), SchemaFault> {
        for key in ["$dynamicRef", "$recursiveRef"] {
            if schema.contains_key(key) {
                return Err(fault(&key_place(at, key), "is not supported; use `$ref`"));
            }
        }
        let is_draft_4 =
            || self.document.get("$schema").and_then(Value::as_str).is_some_and(|it| it.contains("draft-04"));
        for key in ["$id", "id", "$schema"] {
            let named = schema.get(key).and_then(Value::as_str).is_some_and(|name| !name.starts_with('#'));
            if named && node > 0 && (key != "id" || is_draft_4()) {
                let message =
                    "is allowed at the top only; name the part under $defs, and refer to it as #/$defs/NAME";
                return Err(fault(&key_place(at, key), message));
            }
        }
        Ok(())
    }

    fn refer(&mut self, node: usize, at: &str, schema: &'a Map<String, Value>) -> Result<(), SchemaFault> {
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else { return Ok(()) };
        let Some(target) = self.references.resolve(self.document, reference) else {
            let message = format!(
                "{reference:?} leads to no place in this schema; write it as #/$defs/NAME. Nothing is fetched"
            );
            return Err(fault(&key_place(at, "$ref"), message));
        };
        let place = match reference.split_once("#/") {
            Some((_, pointer)) => pointer.split('/').fold(String::new(), |at, name| key_place(&at, name)),
            None => reference.to_owned(),
        };
        self.edge(node, Step::Same, target, place)
    }

    fn read_same(
        &mut self,
        node: usize,
        at: &str,
        schema: &'a Map<String, Value>,
    ) -> Result<(), SchemaFault> {
        for key in SAME {
            if let Some(value) = schema.get(key) {
                self.edge(node, Step::Same, value, key_place(at, key))?;
            }
        }
        for key in SAME_LISTS {
            for (index, value) in schema.get(key).and_then(Value::as_array).into_iter().flatten().enumerate()
            {
                self.edge(node, Step::Same, value, index_place(&key_place(at, key), index))?;
            }
        }
        for key in SAME_MAPS {
            for (name, value) in members(schema, key).filter(|(_, value)| !value.is_array()) {
                self.edge(node, Step::Same, value, key_place(&key_place(at, key), name))?;
            }
        }
        Ok(())
    }

    fn read_members(
        &mut self,
        node: usize,
        at: &str,
        schema: &'a Map<String, Value>,
    ) -> Result<(), SchemaFault> {
        for (name, value) in members(schema, "properties") {
            let place = key_place(&key_place(at, "properties"), name);
            self.edge(node, Step::Member(name.as_str().into()), value, place)?;
        }
        let mut count = 0;
        for (pattern, value) in members(schema, "patternProperties") {
            let place = key_place(&key_place(at, "patternProperties"), pattern);
            self.built.patterns.push((place.clone(), pattern.clone()));
            self.edge(node, Step::Pattern, value, place)?;
            count += 1;
        }
        self.built.name_patterns = self.built.name_patterns.max(count);
        for key in OTHERS {
            if let Some(value) = schema.get(key) {
                self.edge(node, Step::Other, value, key_place(at, key))?;
            }
        }
        if let Some(value) = schema.get("propertyNames") {
            self.edge(node, Step::Name, value, key_place(at, "propertyNames"))?;
        }
        Ok(())
    }

    fn read_elements(
        &mut self,
        node: usize,
        at: &str,
        schema: &'a Map<String, Value>,
    ) -> Result<(), SchemaFault> {
        for key in POSITIONS {
            for (index, value) in schema.get(key).and_then(Value::as_array).into_iter().flatten().enumerate()
            {
                self.edge(node, Step::Position(index), value, index_place(&key_place(at, key), index))?;
            }
        }
        for key in ELEMENTS {
            if let Some(value) = schema.get(key).filter(|value| !value.is_array()) {
                self.edge(node, Step::Element, value, key_place(at, key))?;
            }
        }
        Ok(())
    }

    fn edge(&mut self, node: usize, step: Step, to: &'a Value, place: String) -> Result<(), SchemaFault> {
        let target = self.visit(to, place)?;
        self.built.graph.nodes[node].edges.push((step, target));
        Ok(())
    }
}

fn members<'a>(schema: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    schema.get(key).and_then(Value::as_object).into_iter().flatten()
}

pub(super) fn fault(at: &str, message: impl Into<String>) -> SchemaFault {
    SchemaFault { at: at.to_owned(), message: message.into() }
}
