//! Definitions of one kind without a pack around them: YAML documents, separated by `---`, as an operator writes them into
//! one file. They are read by what reads a pack's files, so that nothing is allowed here that is refused there.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::Fields;
use super::findings::{Findings, Source};
use super::refs::pack_of;
use super::yaml::{self, Node, Tree};
use super::{Action, Definition, Definitions, Fault, Kind, Rule, Runtime, Sensor, Trigger};

/// Written by hand; more is something else.
const MAX_DOCUMENTS: usize = 1000;

/// The paths of each pack's files, by the pack's ref.
pub type Contents = BTreeMap<String, BTreeSet<String>>;

/// YAML documents that were read, and not looked at yet.
#[derive(Clone, Debug)]
pub struct Documents(Vec<Source>);

impl Documents {
    /// Reads the documents in a text. `file` is what faults call it.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let pieces = split(text);
        if pieces.is_empty() {
            return Err(vec![Fault::of_file(file, "defines nothing")]);
        }
        if pieces.len() > MAX_DOCUMENTS {
            return Err(vec![Fault::of_file(file, format!("has more than {MAX_DOCUMENTS} documents"))]);
        }
        let (mut sources, mut faults) = (Vec::new(), Vec::new());
        for (above, piece) in pieces {
            match yaml::parse(piece.as_bytes()) {
                Ok(node) => sources.push(Source { file: file.to_owned(), node: node.moved_down(above) }),
                Err(error) => faults.push(Fault {
                    file: file.to_owned(),
                    line: error.line.map(|line| line.saturating_add(above)),
                    field: String::new(),
                    message: error.message,
                }),
            }
        }
        if faults.is_empty() { Ok(Self(sources)) } else { Err(faults) }
    }

    /// The packs that these belong to by their refs.
    pub fn packs(&self) -> BTreeSet<String> {
        self.0.iter().filter_map(|source| pack_of_node(&source.node)).map(str::to_owned).collect()
    }

    /// Reads them all as things of one kind, whose code must be among the files of their packs.
    pub fn define(self, kind: Kind, contents: &Contents) -> Result<Definitions, Vec<Fault>> {
        let mut reader = Reader { sources: self.0, contents, findings: Findings::default() };
        let mut all = Definitions::default();
        match kind {
            Kind::Runtime => all.runtimes = reader.read_all(Runtime::KEYS, Runtime::read),
            Kind::Trigger => all.triggers = reader.read_all(Trigger::KEYS, Trigger::read),
            Kind::Sensor => all.sensors = reader.read_all(Sensor::KEYS, Sensor::read),
            Kind::Action => all.actions = reader.read_all(Action::KEYS, Action::read),
            Kind::Rule => all.rules = reader.read_all(Rule::KEYS, Rule::read),
        }
        let Findings { mut faults, sources, references, .. } = reader.findings;
        faults.sort();
        if faults.is_empty() { Ok(Definitions { external: references, sources, ..all }) } else { Err(faults) }
    }
}

struct Reader<'a> {
    sources: Vec<Source>,
    contents: &'a Contents,
    findings: Findings,
}

impl Reader<'_> {
    fn read_all<T: Definition>(&mut self, keys: &[&'static str], one: fn(&mut Fields<'_>) -> T) -> Vec<T> {
        let sources = std::mem::take(&mut self.sources);
        sources.into_iter().filter_map(|source| self.read_one(source, keys, one)).collect()
    }

    fn read_one<T: Definition>(
        &mut self,
        source: Source,
        keys: &[&'static str],
        one: fn(&mut Fields<'_>) -> T,
    ) -> Option<T> {
        let content = pack_of_node(&source.node).and_then(|pack| self.contents.get(pack));
        if content.is_none() && matches!(T::KIND, Kind::Sensor | Kind::Action) {
            let message =
                format!("there is no such pack with content, and a {}'s code lies in its pack", T::KIND);
            self.findings.faults.push(source.fault("ref", message));
        }
        self.findings.paths = content.cloned().unwrap_or_default();
        let definition = one(&mut Fields::open(&source, Some(T::KIND), keys, &mut self.findings)?);
        self.findings.remember(T::KIND, definition.item_ref(), source);
        Some(definition)
    }
}

fn pack_of_node(node: &Node) -> Option<&str> {
    match &node.entry("ref")?.value.tree {
        Tree::Text(name) => Some(pack_of(name)),
        _ => None,
    }
}

/// The documents that say something, each with the number of lines above it. A line that begins with `---` begins a
/// document wherever it stands, also inside of a block of text.
fn split(text: &str) -> Vec<(u32, &str)> {
    let (mut pieces, mut start, mut first_line, mut at) = (Vec::new(), 0, 0, 0);
    for (line, content) in (0..).zip(text.split_inclusive('\n')) {
        if begins_document(content) {
            pieces.push((first_line, &text[start..at]));
            (start, first_line) = (at, line);
        }
        at += content.len();
    }
    pieces.push((first_line, &text[start..]));
    pieces.retain(|(_, piece)| says_something(piece));
    pieces
}

fn begins_document(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

fn says_something(piece: &str) -> bool {
    let body = if begins_document(piece) { &piece[3..] } else { piece };
    body.lines().map(str::trim_start).any(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Result<Definitions, Vec<String>> {
        let read = Documents::read("my.yaml", text);
        read.and_then(|documents| documents.define(Kind::Rule, &Contents::new()))
            .map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    const ONE: &str = "ref: a.one\ntrigger: t.x\naction: t.y\n";

    #[test]
    fn several_documents_are_read_each_with_its_lines() {
        let text =
            format!("# mine\n---\n{ONE}---\r\n# nothing\n--- # two\nref: b.two\ntrigger: t.x\nacton: t.y\n");
        assert_eq!(
            rules(&text).unwrap_err(),
            ["my.yaml:9: action: is missing", "my.yaml:11: acton: is no known key (did you mean action?)"]
        );
        let both = rules(&text.replace("acton", "action")).unwrap();
        assert_eq!(both.rules.iter().map(|rule| rule.r#ref.as_str()).collect::<Vec<_>>(), ["a.one", "b.two"]);
        assert_eq!(both.external_refs().len(), 4);
        assert_eq!(both.fault(Kind::Rule, "b.two", "action", "no").to_string(), "my.yaml:11: action: no");
        assert!(both.names(Kind::Rule, "b.two", "action") && !both.names(Kind::Rule, "b.two", "enabled"));
    }

    #[test]
    fn what_is_no_yaml_is_refused_at_its_line() {
        assert_eq!(rules("").unwrap_err(), ["my.yaml: defines nothing"]);
        assert_eq!(rules("---\n# only\n---\n").unwrap_err(), ["my.yaml: defines nothing"]);
        let twice = rules(&format!("{ONE}---\n{ONE}")).unwrap_err();
        assert_eq!(twice, ["my.yaml:5: ref: \"a.one\" is defined in my.yaml as well"]);
        let broken = rules(&format!("{ONE}---\nref: a.two\n\ttrigger: x\n")).unwrap_err();
        assert!(broken[0].starts_with("my.yaml:6:") || broken[0].starts_with("my.yaml:5:"), "{broken:?}");
        assert!(rules(&"--- 1\n".repeat(1001)).unwrap_err()[0].contains("more than 1000 documents"));
    }

    #[test]
    fn code_must_be_in_the_pack_that_the_ref_begins_with() {
        let sensor = "ref: demo.look\nruntime: core.shell\nentrypoint: look.sh\ntriggers: [demo.seen]\n";
        let documents = Documents::read("-", sensor).unwrap();
        assert_eq!(documents.packs(), BTreeSet::from(["demo".to_owned()]));
        let contents = |path: &str| Contents::from([("demo".to_owned(), BTreeSet::from([path.to_owned()]))]);
        assert_eq!(documents.clone().define(Kind::Sensor, &contents("look.sh")).unwrap().sensors.len(), 1);
        let faults = documents.define(Kind::Sensor, &contents("lok.sh")).unwrap_err();
        assert_eq!(
            faults[0].to_string(),
            "-:3: entrypoint: the pack has no file \"look.sh\" (did you mean lok.sh?)"
        );
        let faults =
            Documents::read("-", sensor).unwrap().define(Kind::Sensor, &Contents::new()).unwrap_err();
        assert_eq!(
            faults[0].to_string(),
            "-:1: ref: there is no such pack with content, and a sensor's code lies in its pack"
        );
    }
}
