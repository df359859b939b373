//! `secret: true`: which fields must never be shown.
//!
//! When in doubt a value is secret: one that any branch of a choice calls secret is masked whichever branch it follows, and
//! so is everything that is left when the work of a mask is used up. What applies to a value is a set of schemas; equal sets
//! are one state, so the many elements of a list are looked up and not worked out.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::graph::{Graph, Step};

/// What stands in place of a secret.
const MASK: &str = "***";
/// Schemas that one mask may look at, over the whole value.
const STEPS: u64 = 5_000_000;
/// The state of a value that is secret, and that of one which holds no secret.
const SECRET: usize = 0;
const OPEN: usize = 1;

/// Whether anything in the schema is secret.
pub(super) fn any(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => map.get("secret") == Some(&Value::Bool(true)) || map.values().any(any),
        Value::Array(list) => list.iter().any(any),
        _ => false,
    }
}

/// The part of a schema that leads to secrets.
#[derive(Debug)]
pub(super) struct Mask {
    nodes: Vec<Node>,
}

/// Where one schema leads, by what stands there in a value.
#[derive(Debug, Default)]
struct Node {
    is_secret: bool,
    leads_to_secret: bool,
    same: Vec<usize>,
    members: HashMap<Box<str>, usize>,
    patterns: Vec<usize>,
    others: Vec<usize>,
    positions: Vec<(usize, usize)>,
    elements: Vec<usize>,
}

impl Mask {
    pub(super) fn new(graph: &Graph) -> Self {
        let leads = leads_to_secret(graph);
        let node = |(index, from): (usize, &super::graph::Node)| {
            let mut node =
                Node { is_secret: from.is_secret, leads_to_secret: leads[index], ..Node::default() };
            from.edges.iter().for_each(|(step, target)| node.take(step, *target));
            node
        };
        Self { nodes: graph.nodes.iter().enumerate().map(node).collect() }
    }

    /// The value with `"***"` in place of every secret.
    pub(super) fn apply(&self, value: &Value) -> Value {
        let mut masked = value.clone();
        let mut states = States::new(&self.nodes);
        let start = states.enter(vec![0]);
        states.mask(start, &mut masked);
        masked
    }
}

impl Node {
    fn take(&mut self, step: &Step, target: usize) {
        match step {
            Step::Same => self.same.push(target),
            Step::Member(name) => drop(self.members.insert(name.clone(), target)),
            Step::Pattern => self.patterns.push(target),
            Step::Other => self.others.push(target),
            Step::Position(index) => self.positions.push((*index, target)),
            Step::Element => self.elements.push(target),
            // The names of members are shown.
            Step::Name => {}
        }
    }
}

/// Which schemas are secret, or hold one that is: found from the secret ones, against the edges.
fn leads_to_secret(graph: &Graph) -> Vec<bool> {
    let mut sources = vec![Vec::new(); graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        node.edges.iter().for_each(|(_, target)| sources[*target].push(index));
    }
    let mut leads: Vec<bool> = graph.nodes.iter().map(|node| node.is_secret).collect();
    let mut waiting: Vec<usize> = (0..leads.len()).filter(|index| leads[*index]).collect();
    while let Some(index) = waiting.pop() {
        for source in &sources[index] {
            if !std::mem::replace(&mut leads[*source], true) {
                waiting.push(*source);
            }
        }
    }
    leads
}

/// The sets of schemas that were met while one value is masked.
struct States<'a> {
    nodes: &'a [Node],
    all: Vec<State>,
    known: HashMap<Vec<usize>, usize>,
    left: u64,
}

/// Schemas that apply to a value together, and the states of its parts as far as they were asked for.
#[derive(Default)]
struct State {
    set: Vec<usize>,
    members: HashMap<Box<str>, usize>,
    other: Option<usize>,
    element: Option<usize>,
    /// How many elements have a schema of their own position.
    positions: usize,
}

impl<'a> States<'a> {
    fn new(nodes: &'a [Node]) -> Self {
        let all = vec![State::default(), State::default()];
        Self { nodes, all, known: HashMap::from([(Vec::new(), OPEN)]), left: STEPS }
    }

    /// The state in which these schemas apply, and what they lead to without entering the value.
    fn enter(&mut self, mut waiting: Vec<usize>) -> usize {
        let mut set = Vec::new();
        let mut is_met = HashSet::new();
        while let Some(index) = waiting.pop() {
            let node = &self.nodes[index];
            if !node.leads_to_secret || !is_met.insert(index) {
                continue;
            }
            if node.is_secret || !self.spend(1 + node.same.len()) {
                return SECRET;
            }
            set.push(index);
            waiting.extend(&node.same);
        }
        set.sort_unstable();
        if let Some(state) = self.known.get(&set) {
            return *state;
        }
        let ends = set.iter().flat_map(|node| self.nodes[*node].positions.iter().map(|(at, _)| at + 1));
        let positions = ends.max().unwrap_or(0);
        self.known.insert(set.clone(), self.all.len());
        self.all.push(State { set, positions, ..State::default() });
        self.all.len() - 1
    }

    fn spend(&mut self, steps: usize) -> bool {
        self.left = self.left.saturating_sub(steps as u64);
        self.left > 0
    }

    fn mask(&mut self, state: usize, value: &mut Value) {
        if state == SECRET || !self.spend(1) {
            *value = Value::from(MASK);
            return;
        }
        match value {
            _ if state == OPEN => {}
            Value::Object(map) => {
                for (name, value) in map {
                    let state = self.member(state, name);
                    self.mask(state, value);
                }
            }
            Value::Array(list) => {
                for (index, element) in list.iter_mut().enumerate() {
                    let state = self.element(state, index);
                    self.mask(state, element);
                }
            }
            _ => {}
        }
    }

    fn member(&mut self, state: usize, name: &str) -> usize {
        let nodes = self.nodes;
        if let Some(known) = self.all[state].members.get(name) {
            return *known;
        }
        if !self.spend(self.all[state].set.len()) {
            return SECRET;
        }
        let is_named = self.all[state].set.iter().any(|node| nodes[*node].members.contains_key(name));
        if let Some(other) = self.all[state].other.filter(|_| !is_named) {
            return other;
        }
        let mut targets = Vec::new();
        for node in &self.all[state].set {
            let node = &nodes[*node];
            // Which pattern a name fits is the validator's business; here all of them count.
            targets.extend(&node.patterns);
            match node.members.get(name) {
                Some(member) => targets.push(*member),
                None => targets.extend(&node.others),
            }
        }
        let next = if self.spend(targets.len()) { self.enter(targets) } else { SECRET };
        if is_named {
            self.all[state].members.insert(name.into(), next);
        } else {
            self.all[state].other = Some(next);
        }
        next
    }

    fn element(&mut self, state: usize, index: usize) -> usize {
        let nodes = self.nodes;
        let is_positioned = index < self.all[state].positions;
        if let Some(element) = self.all[state].element.filter(|_| !is_positioned) {
            return element;
        }
        let mut targets = Vec::new();
        let mut steps = 0;
        for node in &self.all[state].set {
            let node = &nodes[*node];
            steps += 1 + node.positions.len();
            targets.extend(&node.elements);
            targets.extend(node.positions.iter().filter(|(at, _)| *at == index).map(|(_, target)| target));
        }
        let next = if self.spend(steps + targets.len()) { self.enter(targets) } else { SECRET };
        if !is_positioned {
            self.all[state].element = Some(next);
        }
        next
    }
}
