//! How much work a schema may make, counted when it is compiled.
//!
//! A `$ref` costs nothing to write and doubles what it stands for, so a schema of 2 KB can stand for 2^40. Counted is what
//! applies to one value, with every reference followed. References that lead in a circle are allowed where they enter the
//! value on the way, for a value ends; what they cost is counted while a value is checked (`meter`).

use regex::RegexBuilder;
use serde_json::Value;

use super::SchemaFault;
use super::graph::{Built, Graph, Step, fault};
use super::parts;

/// Schemas that apply to one value, references followed.
const MAX_EXPANDED: u64 = 10_000;
/// Schemas that stand one inside the other and apply to one value.
const MAX_CHAIN: u64 = 64;
/// Levels of checking, one inside the other: the stack of a thread is finite.
const MAX_LEVELS: u64 = 1_000;
/// What all patterns of a schema may take in memory, in bytes.
const MAX_PATTERNS: usize = 8 << 20;
/// What one pattern takes at most, and the steps that it costs for each 32 bytes of text that it is asked about.
const PATTERN_SIZES: [(usize, u64); 5] =
    [(2 << 10, 2), (16 << 10, 16), (64 << 10, 128), (256 << 10, 512), (1 << 20, 2048)];
/// Steps that a pattern which must backtrack costs whatever the text.
const BACKTRACKING: u64 = 250;

/// What the meter has to know of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    /// Steps for each part of a value that is entered.
    pub(super) part: u64,
    /// Steps for each text that is read, and for each 32 bytes of it.
    pub(super) text: u64,
    pub(super) text_block: u64,
    /// Steps for each name of a member.
    pub(super) name: u64,
    /// Steps for each error, for what it quotes of the schema.
    pub(super) error: u64,
    /// Levels for each level of the value; none when the schema itself is no deeper than allowed.
    chain: Option<u64>,
}

impl Cost {
    /// Of nothing.
    pub(super) const NONE: Self = Self { part: 1, text: 1, text_block: 1, name: 1, error: 0, chain: None };

    pub(super) fn of(document: &Value, built: &Built) -> Result<Self, SchemaFault> {
        let same = Order::of(&built.graph, |step| *step == Step::Same);
        if let Some(node) = same.circle {
            let message =
                "its references lead in a circle that never enters the value, so a check would not end";
            return Err(fault(&built.places[node], message));
        }
        let expanded = same.fold(&built.graph, |own, parts| parts.fold(own, u64::saturating_add));
        refuse_beyond(built, &expanded.values, MAX_EXPANDED, |count| {
            format!(
                "{count} schemas apply to one value here, with every `$ref` followed; at most {MAX_EXPANDED} may"
            )
        })?;
        let chains = same.fold(&built.graph, |_, parts| 1 + parts.max().unwrap_or(0));
        refuse_beyond(built, &chains.values, MAX_CHAIN, |count| {
            format!(
                "{count} schemas stand one inside the other here and apply to one value; at most {MAX_CHAIN} may"
            )
        })?;
        let silent = same.fold_from(
            &built.graph,
            |node| u64::from(node.is_silent),
            |own, parts| parts.fold(own, u64::saturating_add),
        );
        let mut cost = Self::of_patterns(built)?;
        cost.part = 1 + silent.max() / 16;
        cost.chain = levels(built, chains.max())?;
        cost.error = quoted(document);
        Ok(cost)
    }

    fn of_patterns(built: &Built) -> Result<Self, SchemaFault> {
        let mut cost = Self::NONE;
        let mut memory = 0;
        for (at, pattern) in &built.patterns {
            let (size, steps) = size(pattern);
            memory += size;
            if memory > MAX_PATTERNS {
                return Err(fault(at, "the patterns of this schema are too large together"));
            }
            cost.text_block = cost.text_block.max(steps);
            if must_backtrack(pattern) {
                cost.text = BACKTRACKING;
            }
        }
        cost.name = 1 + built.name_patterns as u64 * cost.text.max(4);
        Ok(cost)
    }

    /// Whether a value of this depth is checked within the levels that the stack has.
    pub(super) fn allows_depth(&self, depth: impl Fn() -> u64) -> bool {
        self.chain.is_none_or(|chain| chain.saturating_mul(depth() + 1) <= MAX_LEVELS)
    }
}

/// What an error may quote of the schema: its largest list of values, value or pattern.
fn quoted(document: &Value) -> u64 {
    match document {
        Value::Object(map) => {
            let quotes = |key: &str| matches!(key, "enum" | "const" | "pattern");
            map.iter()
                .map(|(key, it)| if quotes(key) { parts::count(it) } else { quoted(it) })
                .max()
                .unwrap_or(0)
        }
        Value::Array(list) => list.iter().map(quoted).max().unwrap_or(0),
        _ => 0,
    }
}

/// The levels that each level of a value takes, when the depth of the value decides.
fn levels(built: &Built, chain: u64) -> Result<Option<u64>, SchemaFault> {
    let all = Order::of(&built.graph, |_| true);
    if all.circle.is_some() {
        return Ok(Some(chain));
    }
    let depths = all.fold(&built.graph, |_, parts| 1 + parts.max().unwrap_or(0));
    refuse_beyond(built, &depths.values, MAX_LEVELS, |count| {
        format!(
            "{count} schemas stand one inside the other here, with every `$ref` followed; at most {MAX_LEVELS} may"
        )
    })?;
    Ok(None)
}

/// Names the innermost schema that is beyond a limit.
fn refuse_beyond(
    built: &Built,
    values: &[u64],
    limit: u64,
    message: impl Fn(u64) -> String,
) -> Result<(), SchemaFault> {
    let worst =
        values.iter().enumerate().filter(|(_, count)| **count > limit).min_by_key(|(_, count)| **count);
    worst.map_or(Ok(()), |(node, count)| Err(fault(&built.places[node], message(*count))))
}

/// The size of a pattern in memory, and its steps. What the linear engine does not take is treated as large.
fn size(pattern: &str) -> (usize, u64) {
    let fits = |size: usize| RegexBuilder::new(pattern).size_limit(size).build().is_ok();
    PATTERN_SIZES.into_iter().find(|(size, _)| fits(*size)).unwrap_or(PATTERN_SIZES[2])
}

fn must_backtrack(pattern: &str) -> bool {
    RegexBuilder::new(pattern).size_limit(PATTERN_SIZES[4].0).build().is_err()
}

/// Schemas in an order in which each comes after those that it leads to.
struct Order<F> {
    nodes: Vec<usize>,
    follows: F,
    /// A schema that leads back to itself.
    circle: Option<usize>,
}

/// A number for each schema.
struct Counts {
    values: Vec<u64>,
}

impl Counts {
    fn max(&self) -> u64 {
        self.values.iter().copied().max().unwrap_or(0)
    }
}

impl<F: Fn(&Step) -> bool> Order<F> {
    /// Without recursion, because a chain of references may be as long as the schema.
    fn of(graph: &Graph, follows: F) -> Self {
        let mut order = Self { nodes: Vec::with_capacity(graph.nodes.len()), follows, circle: None };
        let (mut is_entered, mut is_left) = (vec![false; graph.nodes.len()], vec![false; graph.nodes.len()]);
        let mut path = Vec::new();
        for start in 0..graph.nodes.len() {
            if is_entered[start] {
                continue;
            }
            is_entered[start] = true;
            path.push((start, 0));
            while let Some((node, next)) = path.last_mut() {
                let Some((step, target)) = graph.nodes[*node].edges.get(*next) else {
                    is_left[*node] = true;
                    order.nodes.push(*node);
                    path.pop();
                    continue;
                };
                *next += 1;
                if !(order.follows)(step) {
                    continue;
                }
                if !is_entered[*target] {
                    is_entered[*target] = true;
                    path.push((*target, 0));
                } else if !is_left[*target] {
                    order.circle.get_or_insert(*target);
                }
            }
        }
        order
    }

    fn fold(&self, graph: &Graph, of: impl Fn(u64, &mut dyn Iterator<Item = u64>) -> u64) -> Counts {
        self.fold_from(graph, |_| 1, of)
    }

    /// Works a number out for each schema from its own and those of what it leads to.
    fn fold_from(
        &self,
        graph: &Graph,
        own: impl Fn(&super::graph::Node) -> u64,
        of: impl Fn(u64, &mut dyn Iterator<Item = u64>) -> u64,
    ) -> Counts {
        let mut values = vec![0; graph.nodes.len()];
        for index in &self.nodes {
            let node = &graph.nodes[*index];
            let mut parts =
                node.edges.iter().filter(|(step, _)| (self.follows)(step)).map(|(_, target)| values[*target]);
            let value = of(own(node), &mut parts);
            values[*index] = value;
        }
        Counts { values }
    }
}
