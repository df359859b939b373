//! From files to a [`Pack`]: the manifest first, because every ref begins with its ref, then every definition, then what
//! they say of each other.

use std::collections::BTreeMap;
use std::path::Path;

use super::fields::Fields;
use super::findings::{Findings, Reference, Source};
use super::pack_test::{PackTest, TESTS};
use super::refs::{check_pack_ref, pack_of};
use super::suggest::hint;
use super::yaml::{self, Node};
use super::{
    Action, Definition, Definitions, Fault, Kind, MANIFEST, Manifest, Pack, Rule, Runtime, Sensor, Trigger,
};

/// Values in all definitions together. Each file has a budget of its own, and a pack may have many files.
const MAX_VALUES: usize = 200_000;
/// Faults that are listed. Nobody reads more, and each is larger than what causes it.
const MAX_FAULTS: usize = 500;

pub(super) fn parse(files: &BTreeMap<String, Vec<u8>>) -> Result<Pack, Vec<Fault>> {
    let mut findings = Findings { paths: files.keys().cloned().collect(), ..Findings::default() };
    let manifest = manifest(files, &mut findings);
    let mut reader = Reader { files, findings: &mut findings, values: 0 };
    let runtimes = reader.read_all(Runtime::KEYS, Runtime::read);
    let triggers = reader.read_all(Trigger::KEYS, Trigger::read);
    let sensors = reader.read_all(Sensor::KEYS, Sensor::read);
    let actions = reader.read_all(Action::KEYS, Action::read);
    let rules = reader.read_all(Rule::KEYS, Rule::read);
    let tests = reader.read_tests();
    let is_full = reader.is_full();
    refuse_misnamed(&mut findings);
    // What was not read would seem to be missing.
    let external = if is_full { Vec::new() } else { resolve(&mut findings) };
    let Findings { mut faults, sources, .. } = findings;
    faults.sort();
    cut(&mut faults);
    match manifest {
        Some(manifest) if faults.is_empty() => {
            let definitions = Definitions { runtimes, triggers, sensors, actions, rules, external, sources };
            Ok(Pack { manifest, tests, definitions })
        }
        _ => Err(faults),
    }
}

/// Leaves the first faults, and says that there are more.
fn cut(faults: &mut Vec<Fault>) {
    if faults.len() > MAX_FAULTS {
        faults.truncate(MAX_FAULTS);
        faults.push(Fault::of_file("and more", format!("only {MAX_FAULTS} faults are listed")));
    }
}

fn manifest(files: &BTreeMap<String, Vec<u8>>, findings: &mut Findings) -> Option<Manifest> {
    let Some(content) = files.get(MANIFEST) else {
        findings.faults.push(Fault::of_file(MANIFEST, missing_manifest(files)));
        return None;
    };
    let source = Source { file: MANIFEST.into(), node: read(MANIFEST, content, findings)? };
    let manifest = Manifest::read(&mut Fields::open(&source, None, Manifest::KEYS, findings)?);
    findings.pack = Some(manifest.r#ref.clone()).filter(|pack| check_pack_ref(pack).is_ok());
    Some(manifest)
}

fn missing_manifest(files: &BTreeMap<String, Vec<u8>>) -> String {
    match files.keys().find(|path| path.ends_with("/pack.yaml")) {
        Some(path) => format!("is missing: it must lie at the root of the pack, but is at {path}"),
        None => "is missing".into(),
    }
}

fn read(file: &str, content: &[u8], findings: &mut Findings) -> Option<Node> {
    match yaml::parse(content) {
        Ok(node) => Some(node),
        Err(error) => {
            let (file, field) = (file.to_owned(), String::new());
            findings.faults.push(Fault { file, line: error.line, field, message: error.message });
            None
        }
    }
}

struct Reader<'a> {
    files: &'a BTreeMap<String, Vec<u8>>,
    findings: &'a mut Findings,
    /// How many values were read so far.
    values: usize,
}

impl Reader<'_> {
    /// Whether enough was seen to refuse the pack, and more would only cost.
    fn is_full(&self) -> bool {
        self.values > MAX_VALUES || self.findings.faults.len() > MAX_FAULTS
    }

    fn read_all<T: Definition>(&mut self, keys: &[&'static str], one: fn(&mut Fields<'_>) -> T) -> Vec<T> {
        let files = self.files.iter().filter(|(path, _)| defines(path, T::KIND));
        files.filter_map(|(path, content)| self.read_one(path, content, keys, one)).collect()
    }

    fn read_one<T: Definition>(
        &mut self,
        path: &str,
        content: &[u8],
        keys: &[&'static str],
        one: fn(&mut Fields<'_>) -> T,
    ) -> Option<T> {
        let source = self.source(path, content)?;
        let definition = one(&mut Fields::open(&source, Some(T::KIND), keys, self.findings)?);
        self.findings.remember(T::KIND, definition.item_ref(), source);
        Some(definition)
    }

    /// A file as a tree, as long as more of them make sense.
    fn source(&mut self, path: &str, content: &[u8]) -> Option<Source> {
        if self.is_full() {
            return None;
        }
        let source = Source { file: path.to_owned(), node: read(path, content, self.findings)? };
        self.values += source.node.values();
        if self.values > MAX_VALUES {
            let message =
                format!("with this file the definitions have more than {MAX_VALUES} values together");
            self.findings.faults.push(Fault::of_file(path, message));
            return None;
        }
        Some(source)
    }

    /// Read last, because they refer to the rest.
    fn read_tests(&mut self) -> Vec<PackTest> {
        let is_test = |path: &str| is_in(path, TESTS) && extension(path) == Some("yaml");
        let files = self.files.iter().filter(|(path, _)| is_test(path));
        files.filter_map(|(path, content)| self.read_test(path, content)).collect()
    }

    fn read_test(&mut self, path: &str, content: &[u8]) -> Option<PackTest> {
        let source = self.source(path, content)?;
        let fields = &mut Fields::open(&source, None, PackTest::keys(&source.node), self.findings)?;
        Some(PackTest::read(path, fields))
    }
}

/// Whether a file defines a thing of this kind: one directory deep, code lies beside it.
fn defines(path: &str, kind: Kind) -> bool {
    is_in(path, kind.directory()) && extension(path) == Some("yaml")
}

fn is_in(path: &str, directory: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(parent, _)| parent == directory)
}

fn extension(path: &str) -> Option<&str> {
    Path::new(path).extension()?.to_str()
}

/// A definition that would be passed over silently is worse than a refusal.
fn refuse_misnamed(findings: &mut Findings) {
    let directories: Vec<_> = Kind::ALL.map(Kind::directory).into_iter().chain([TESTS]).collect();
    for path in &findings.paths {
        let misnamed = extension(path) == Some("yml")
            && (path == "pack.yml" || directories.iter().any(|directory| is_in(path, directory)));
        if misnamed {
            findings.faults.push(Fault::of_file(path, "definitions end in .yaml"));
        }
    }
}

/// Faults for refs within the pack that lead nowhere; the refs into other packs.
fn resolve(findings: &mut Findings) -> Vec<Reference> {
    let (own, external): (Vec<_>, Vec<_>) = std::mem::take(&mut findings.references)
        .into_iter()
        .partition(|reference| findings.pack.as_deref() == Some(pack_of(&reference.r#ref)));
    let lost =
        own.iter().filter(|reference| !findings.known(reference.kind).any(|name| name == reference.r#ref));
    let faults: Vec<Fault> = lost
        .map(|reference| {
            let hint = hint(&reference.r#ref, findings.known(reference.kind));
            reference.fault(format!("the pack has no {} {:?}{hint}", reference.kind, reference.r#ref))
        })
        .collect();
    findings.faults.extend(faults);
    external
}
