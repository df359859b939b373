//! How a pack's dependencies get an environment of their own: `execution.environment`, typed.
//!
//! A pack that has the manifest at its root gets one, built by the first way for which this machine has the programs and
//! the pack has the files. Each way is a list of commands, and no shell is in between.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::fault::{ExecutionFault, wrong_type};
use super::placeholder::{check, expand};
use super::reader::{self, Reader};

const KEYS: &[&str] =
    &["manifest", "also", "build", "binary", "variables", "env_allow", "timeout", "max_bytes"];
const WAY_KEYS: &[&str] = &["needs", "files", "commands"];
/// What a command may refer to.
const IN_COMMANDS: &[&str] = &["binary", "environment", "manifest"];
/// What a run may refer to.
const IN_RUNS: &[&str] = &["environment"];
const TIMEOUT: Duration = Duration::from_mins(10);
const MAX_BYTES: u64 = 2_000_000_000;

/// How to create and fill an environment for a pack's dependencies.
#[derive(Clone, Debug, PartialEq)]
pub struct Environment {
    /// The file at a pack's root that names its dependencies.
    pub manifest: String,
    /// Further files there that count.
    pub also: Vec<String>,
    /// Ways to build it, the best first.
    pub build: Vec<Way>,
    /// Variables of the worker's environment that only the build gets.
    pub env_allow: Vec<String>,
    /// How long a build may take.
    pub timeout: Duration,
    /// What it may take of the disk.
    pub max_bytes: u64,
    binary: Option<String>,
    variables: Vec<(String, String)>,
}

/// One way to build an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Way {
    /// Programs that must be on PATH.
    pub needs: Vec<String>,
    /// Files that the pack must have.
    pub files: Vec<String>,
    commands: Vec<Vec<String>>,
}

/// Where a build takes place.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The interpreter that the environment is for.
    pub binary: &'a Path,
    /// The environment's directory, which exists and holds copies of the manifest and its companions.
    pub environment: &'a Path,
    /// The copy of the manifest.
    pub manifest: &'a Path,
}

impl Environment {
    pub(super) fn parse(at: &str, value: &Value) -> Result<Self, ExecutionFault> {
        let reader = Reader::open(at.to_owned(), value, KEYS)?;
        let ways = reader.items("build")?;
        if ways.is_empty() {
            return Err(ExecutionFault::Missing { at: reader.at("build") });
        }
        Ok(Self {
            manifest: manifest(&reader)?,
            also: file_names(&reader, "also")?,
            build: ways.into_iter().map(|(at, way)| Way::parse(at, way)).collect::<Result<_, _>>()?,
            env_allow: reader.variables("env_allow")?,
            timeout: reader.seconds("timeout", TIMEOUT)?,
            max_bytes: reader.bytes("max_bytes", MAX_BYTES)?,
            binary: binary(&reader)?,
            variables: variables(&reader)?,
        })
    }

    /// The manifest and its companions.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.manifest).chain(&self.also).map(String::as_str)
    }

    /// The first way that can be gone.
    pub fn way(&self, has: impl Fn(&Way) -> bool) -> Option<&Way> {
        self.build.iter().find(|way| has(way))
    }

    /// What runs instead of the runtime's own binary in an environment, if that says so.
    pub fn binary(&self, environment: &Path) -> Option<PathBuf> {
        let binary = self.binary.as_ref()?;
        Some(expand(binary, &[("environment", environment)]).into())
    }

    /// What programs that run in an environment get beside their own variables.
    pub fn variables(&self, environment: &Path) -> Vec<(OsString, OsString)> {
        let expanded = |text: &str| expand(text, &[("environment", environment)]);
        self.variables.iter().map(|(name, value)| (name.into(), expanded(value))).collect()
    }
}

impl Way {
    fn parse(at: String, value: &Value) -> Result<Self, ExecutionFault> {
        let reader = Reader::open(at, value, WAY_KEYS)?;
        let commands = reader.items("commands")?;
        if commands.is_empty() {
            return Err(ExecutionFault::Missing { at: reader.at("commands") });
        }
        Ok(Self {
            needs: programs(&reader)?,
            files: file_names(&reader, "files")?,
            commands: commands
                .into_iter()
                .map(|(at, value)| command(&at, value))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Its commands, one after the other: a program, by name or path, and its arguments.
    pub fn commands(&self, site: &Site<'_>) -> Vec<Vec<OsString>> {
        let values =
            [("binary", site.binary), ("environment", site.environment), ("manifest", site.manifest)];
        self.commands
            .iter()
            .map(|command| command.iter().map(|part| expand(part, &values)).collect())
            .collect()
    }
}

fn manifest(reader: &Reader<'_>) -> Result<String, ExecutionFault> {
    let name = reader.text("manifest")?;
    file_name(
        reader.at("manifest"),
        name.ok_or_else(|| ExecutionFault::Missing { at: reader.at("manifest") })?,
    )
}

fn file_names(reader: &Reader<'_>, key: &str) -> Result<Vec<String>, ExecutionFault> {
    let names = reader.texts(key)?.into_iter().enumerate();
    names.map(|(i, name)| file_name(format!("{}[{i}]", reader.at(key)), name)).collect()
}

fn file_name(at: String, name: String) -> Result<String, ExecutionFault> {
    let is_plain = !matches!(name.as_str(), "" | "." | "..") && !name.contains('/');
    if is_plain { Ok(name) } else { Err(ExecutionFault::NotAFileName { at, name }) }
}

fn programs(reader: &Reader<'_>) -> Result<Vec<String>, ExecutionFault> {
    let names = reader.texts("needs")?;
    match names.iter().position(|name| name.is_empty() || (name.contains('/') && !name.starts_with('/'))) {
        Some(i) => Err(ExecutionFault::NotABinary {
            at: format!("{}[{i}]", reader.at("needs")),
            binary: names[i].clone(),
        }),
        None => Ok(names),
    }
}

fn command(at: &str, value: &Value) -> Result<Vec<String>, ExecutionFault> {
    let parts = reader::texts(at, value)?;
    for (i, part) in parts.iter().enumerate() {
        check(&format!("{at}[{i}]"), part, IN_COMMANDS)?;
    }
    match parts.first() {
        None => Err(wrong_type(at, "a program and its arguments")),
        Some(program) if is_program(program) => Ok(parts),
        Some(program) => Err(ExecutionFault::NotABinary { at: format!("{at}[0]"), binary: program.clone() }),
    }
}

/// A name, an absolute path, or one that begins where a placeholder says.
fn is_program(text: &str) -> bool {
    !text.is_empty() && (!text.contains('/') || text.starts_with(['/', '{']))
}

fn binary(reader: &Reader<'_>) -> Result<Option<String>, ExecutionFault> {
    let (at, binary) = (reader.at("binary"), reader.text("binary")?);
    let Some(binary) = binary else { return Ok(None) };
    check(&at, &binary, IN_RUNS)?;
    if binary.starts_with("{environment}/") || binary.starts_with('/') {
        Ok(Some(binary))
    } else {
        Err(ExecutionFault::NotABinary { at, binary })
    }
}

fn variables(reader: &Reader<'_>) -> Result<Vec<(String, String)>, ExecutionFault> {
    let variables = reader.settings("variables")?;
    for (name, value) in &variables {
        check(&format!("{}.{name}", reader.at("variables")), value, IN_RUNS)?;
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(value: &Value) -> Result<Environment, ExecutionFault> {
        Environment::parse("environment", value)
    }

    fn ways() -> Value {
        json!([{"needs": ["fast"], "files": ["lock"], "commands": [["fast", "{manifest}"]]},
               {"commands": [["{binary}", "-m", "slow", "{environment}"], ["{environment}/bin/x", "{}"]]}])
    }

    #[test]
    fn the_first_way_that_can_be_gone_is_taken() {
        let environment = parse(&json!({"manifest": "m", "also": ["lock"], "build": ways()})).unwrap();
        assert_eq!(environment.files().collect::<Vec<_>>(), ["m", "lock"]);
        let taken = |fast: bool| environment.way(|way| fast || way.needs.is_empty()).unwrap();
        let site =
            Site { binary: Path::new("/b"), environment: Path::new("/e"), manifest: Path::new("/e/m") };
        assert_eq!(taken(true).commands(&site), [["fast", "/e/m"]]);
        let slow: [&[&str]; 2] = [&["/b", "-m", "slow", "/e"], &["/e/bin/x", "{}"]];
        assert_eq!(taken(false).commands(&site), slow);
    }

    #[test]
    fn a_run_in_it_has_its_binary_and_variables() {
        let row = json!({"manifest": "m", "build": ways(), "binary": "{environment}/bin/x",
            "variables": {"LIB_PATH": "{environment}/lib"}});
        let environment = parse(&row).unwrap();
        assert_eq!(environment.binary(Path::new("/e")), Some("/e/bin/x".into()));
        assert_eq!(environment.variables(Path::new("/e")), [("LIB_PATH".into(), "/e/lib".into())]);
        let plain = parse(&json!({"manifest": "m", "build": ways()})).unwrap();
        assert_eq!(plain.binary(Path::new("/e")), None);
        assert_eq!((plain.timeout, plain.max_bytes), (TIMEOUT, MAX_BYTES));
    }

    #[test]
    fn every_fault_says_where() {
        let with = |key: &str, value: Value| {
            let mut row = json!({"manifest": "m", "build": ways()});
            row[key] = value;
            row
        };
        for (row, at) in [
            (json!([]), "environment"),
            (json!({"build": ways()}), "environment.manifest"),
            (json!({"manifest": "m"}), "environment.build"),
            (with("manifst", json!("m")), "environment.manifst"),
            (with("manifest", json!("a/b")), "environment.manifest"),
            (with("manifest", json!("..")), "environment.manifest"),
            (with("also", json!(["ok", ""])), "environment.also[1]"),
            (with("build", json!({})), "environment.build"),
            (with("build", json!([[]])), "environment.build[0]"),
            (with("build", json!([{"commands": []}])), "environment.build[0].commands"),
            (with("build", json!([{"commands": [[]]}])), "environment.build[0].commands[0]"),
            (with("build", json!([{"commands": ["a b"]}])), "environment.build[0].commands[0]"),
            (with("build", json!([{"commands": [["bin/x"]]}])), "environment.build[0].commands[0][0]"),
            (
                with("build", json!([{"commands": [["x", "{enviroment}"]]}])),
                "environment.build[0].commands[0][1]",
            ),
            (
                with("build", json!([{"needs": ["./x"], "commands": [["x"]]}])),
                "environment.build[0].needs[0]",
            ),
            (with("build", json!([{"need": [], "commands": [["x"]]}])), "environment.build[0].need"),
            (with("binary", json!("python")), "environment.binary"),
            (with("binary", json!("{binary}")), "environment.binary"),
            (with("variables", json!({"A-B": "x"})), "environment.variables.A-B"),
            (with("variables", json!({"A": 1})), "environment.variables.A"),
            (with("variables", json!({"A": "{manifest}"})), "environment.variables.A"),
            (with("env_allow", json!(["A=B"])), "environment.env_allow"),
            (with("timeout", json!(0)), "environment.timeout"),
            (with("timeout", json!(1e9)), "environment.timeout"),
            (with("max_bytes", json!(-1)), "environment.max_bytes"),
        ] {
            let fault = parse(&row).unwrap_err();
            assert_eq!(fault.at(), at, "{row}: {fault}");
        }
    }
}
