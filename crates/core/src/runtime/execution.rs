//! How a runtime runs its code: the `execution` of its row, typed.
//!
//! The row is data that becomes a process, written by hand or with plain SQL. So everything is checked before anything
//! runs, nothing is guessed, and each fault says which key it means. The rule is: argv = binary, args, entrypoint;
//! without a binary, the entrypoint alone.

use std::ffi::OsString;
use std::path::Path;

use serde_json::{Map, Value};
use thiserror::Error;

/// Stands in `args` for the directory of the runtime's own pack on this machine.
pub const PACK_PLACEHOLDER: &str = "{pack}";

const KEYS: &[&str] = &["binary", "args", "roles", "protocol", "env_allow", "resolve", "environment", "host"];
const MAX_ITEMS: usize = 64;
const MAX_LENGTH: usize = 4096;

/// How a runtime runs its code.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// Names or absolute paths, the first found counts; empty: what verification found.
    pub binary: Vec<String>,
    /// Arguments before the entrypoint.
    pub args: Vec<String>,
    /// What it may be used for.
    pub roles: Vec<Role>,
    /// What its programs speak.
    pub protocol: Protocol,
    /// Variables of the worker's environment that reach its programs.
    pub env_allow: Vec<String>,
    /// The command that finds the real interpreter behind a shim.
    pub resolve: Option<Value>,
    /// How to create and fill an environment for a pack's dependencies.
    pub environment: Option<Value>,
    /// The warm host program.
    pub host: Option<Value>,
}

/// What a runtime may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To run actions.
    Action,
    /// To run sensors.
    Sensor,
}

/// What programs of a runtime speak on stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// A sensor prints one JSON object.
    #[default]
    Plain,
    /// A sensor's wrapper prints one message a line.
    Ndjson,
}

/// What is wrong with an `execution`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExecutionFault {
    /// It is no object, or a key's value has the wrong type.
    #[error("{at} must be {expected}")]
    WrongType {
        /// The key, or `execution`.
        at: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// A key that means nothing.
    #[error("{key:?} is no key of execution; there are {}", KEYS.join(", "))]
    UnknownKey {
        /// The key as it stands.
        key: String,
    },
    /// A list beyond its limit.
    #[error("{at} has more than {MAX_ITEMS} items")]
    TooMany {
        /// The key.
        at: String,
    },
    /// A text beyond its limit.
    #[error("{at} is longer than {MAX_LENGTH} bytes")]
    TooLong {
        /// The key.
        at: String,
    },
    /// No program can be given this.
    #[error("{at} contains the character NUL")]
    Nul {
        /// The key.
        at: String,
    },
    /// A path that would depend on a working directory, or nothing.
    #[error("{at}: {binary:?} is neither a bare name nor an absolute path")]
    NotABinary {
        /// The key.
        at: String,
        /// The text as it stands.
        binary: String,
    },
    /// A role that does not exist.
    #[error("{at}: {role:?} is no role; there are action and sensor")]
    UnknownRole {
        /// The key.
        at: String,
        /// The text as it stands.
        role: String,
    },
    /// A protocol that does not exist.
    #[error("protocol: {protocol:?} is unknown; there is ndjson, and without it one JSON object")]
    UnknownProtocol {
        /// The text as it stands.
        protocol: String,
    },
    /// A name that no environment has.
    #[error("{at}: {variable:?} is no name of an environment variable")]
    NotAVariable {
        /// The key.
        at: String,
        /// The text as it stands.
        variable: String,
    },
}

impl ExecutionFault {
    /// The path of the value that is meant, `args[2]`; empty for the whole.
    pub fn at(&self) -> &str {
        match self {
            Self::WrongType { at, .. } if at == "execution" => "",
            Self::WrongType { at, .. }
            | Self::TooMany { at }
            | Self::TooLong { at }
            | Self::Nul { at }
            | Self::NotABinary { at, .. }
            | Self::UnknownRole { at, .. }
            | Self::NotAVariable { at, .. } => at,
            Self::UnknownKey { key } => key,
            Self::UnknownProtocol { .. } => "protocol",
        }
    }
}

/// `args` name the runtime's pack, and there is none on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("args refer to {PACK_PLACEHOLDER}, but the runtime's pack has no content")]
pub struct NoPackContent;

impl Execution {
    /// Checks the column of a row.
    pub fn parse(column: &Value) -> Result<Self, ExecutionFault> {
        let row = column.as_object().ok_or_else(|| wrong_type("execution", "an object"))?;
        if let Some(key) = row.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(ExecutionFault::UnknownKey { key: key.clone() });
        }
        Ok(Self {
            binary: binaries(row)?,
            args: texts(row, "args")?,
            roles: roles(row)?,
            protocol: protocol(row)?,
            env_allow: variables(row)?,
            resolve: reserved(row, "resolve"),
            environment: reserved(row, "environment"),
            host: reserved(row, "host"),
        })
    }

    /// Whether the runtime may be used so.
    pub fn allows(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether its arguments lie in its own pack, so that the pack's content must be there.
    pub fn needs_pack(&self) -> bool {
        self.args.iter().any(|arg| arg.contains(PACK_PLACEHOLDER))
    }

    /// The command line: binary, args, entrypoint; without a binary the entrypoint alone.
    pub fn argv(
        &self,
        binary: Option<&Path>,
        pack_dir: Option<&Path>,
        entrypoint: &Path,
    ) -> Result<Vec<OsString>, NoPackContent> {
        let mut argv = Vec::with_capacity(self.args.len() + 2);
        if let Some(binary) = binary {
            argv.push(binary.into());
            for arg in &self.args {
                argv.push(expand(arg, pack_dir)?);
            }
        }
        argv.push(entrypoint.into());
        Ok(argv)
    }
}

fn expand(arg: &str, pack_dir: Option<&Path>) -> Result<OsString, NoPackContent> {
    let mut parts = arg.split(PACK_PLACEHOLDER);
    let mut expanded = OsString::from(parts.next().unwrap_or_default());
    for part in parts {
        expanded.push(pack_dir.ok_or(NoPackContent)?);
        expanded.push(part);
    }
    Ok(expanded)
}

fn binaries(row: &Map<String, Value>) -> Result<Vec<String>, ExecutionFault> {
    let names = match row.get("binary") {
        Some(Value::String(name)) => vec![checked("binary", name)?],
        _ => texts(row, "binary")?,
    };
    match names.iter().find(|name| name.is_empty() || (name.contains('/') && !name.starts_with('/'))) {
        Some(bad) => Err(ExecutionFault::NotABinary { at: "binary".into(), binary: bad.clone() }),
        None => Ok(names),
    }
}

fn roles(row: &Map<String, Value>) -> Result<Vec<Role>, ExecutionFault> {
    if row.get("roles").is_none_or(Value::is_null) {
        return Ok(vec![Role::Action, Role::Sensor]);
    }
    texts(row, "roles")?
        .into_iter()
        .map(|role| match role.as_str() {
            "action" => Ok(Role::Action),
            "sensor" => Ok(Role::Sensor),
            _ => Err(ExecutionFault::UnknownRole { at: "roles".into(), role }),
        })
        .collect()
}

fn protocol(row: &Map<String, Value>) -> Result<Protocol, ExecutionFault> {
    match row.get("protocol") {
        None | Some(Value::Null) => Ok(Protocol::Plain),
        Some(Value::String(name)) if name == "ndjson" => Ok(Protocol::Ndjson),
        Some(Value::String(name)) => Err(ExecutionFault::UnknownProtocol { protocol: name.clone() }),
        Some(_) => Err(wrong_type("protocol", "a text")),
    }
}

fn variables(row: &Map<String, Value>) -> Result<Vec<String>, ExecutionFault> {
    let names = texts(row, "env_allow")?;
    match names.iter().find(|name| !is_variable(name)) {
        Some(bad) => Err(ExecutionFault::NotAVariable { at: "env_allow".into(), variable: bad.clone() }),
        None => Ok(names),
    }
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn reserved(row: &Map<String, Value>, key: &str) -> Option<Value> {
    row.get(key).filter(|value| !value.is_null()).cloned()
}

fn texts(row: &Map<String, Value>, key: &str) -> Result<Vec<String>, ExecutionFault> {
    let items = match row.get(key) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(wrong_type(key, "a list of texts")),
    };
    if items.len() > MAX_ITEMS {
        return Err(ExecutionFault::TooMany { at: key.into() });
    }
    items.iter().enumerate().map(|(i, item)| text(&format!("{key}[{i}]"), item)).collect()
}

fn text(at: &str, value: &Value) -> Result<String, ExecutionFault> {
    checked(at, value.as_str().ok_or_else(|| wrong_type(at, "a text"))?)
}

fn checked(at: &str, text: &str) -> Result<String, ExecutionFault> {
    if text.contains('\0') {
        Err(ExecutionFault::Nul { at: at.into() })
    } else if text.len() > MAX_LENGTH {
        Err(ExecutionFault::TooLong { at: at.into() })
    } else {
        Ok(text.to_owned())
    }
}

fn wrong_type(at: &str, expected: &'static str) -> ExecutionFault {
    ExecutionFault::WrongType { at: at.into(), expected }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn argv(column: &Value, binary: Option<&str>, pack: Option<&str>) -> Vec<OsString> {
        Execution::parse(column)
            .unwrap()
            .argv(binary.map(Path::new), pack.map(Path::new), Path::new("/p/x"))
            .unwrap()
    }

    #[test]
    fn an_empty_row_runs_for_both_roles() {
        let execution = Execution::parse(&json!({})).unwrap();
        assert!(execution.allows(Role::Action) && execution.allows(Role::Sensor));
        assert_eq!(execution.protocol, Protocol::Plain);
        assert_eq!(argv(&json!({}), None, None), ["/p/x"]);
        assert_eq!(argv(&json!({}), Some("/bin/ruby"), None), ["/bin/ruby", "/p/x"]);
    }

    #[test]
    fn arguments_stand_before_the_entrypoint_and_find_their_pack() {
        let column = json!({"args": ["-u", "{pack}/run:{pack}"], "protocol": "ndjson"});
        assert_eq!(argv(&column, Some("/bin/a"), Some("/c")), ["/bin/a", "-u", "/c/run:/c", "/p/x"]);
        let execution = Execution::parse(&column).unwrap();
        assert!(execution.needs_pack());
        assert_eq!(execution.argv(Some(Path::new("/bin/a")), None, Path::new("x")), Err(NoPackContent));
    }

    #[test]
    fn a_binary_is_a_text_or_a_list() {
        for (column, names) in [(json!("a"), vec!["a"]), (json!(["b", "/c/d"]), vec!["b", "/c/d"])] {
            assert_eq!(Execution::parse(&json!({"binary": column})).unwrap().binary, names);
        }
    }

    #[test]
    fn every_fault_says_where() {
        let many = vec!["x"; MAX_ITEMS + 1];
        for (column, at) in [
            (json!([]), ""),
            (json!(null), ""),
            (json!({"arg": []}), "arg"),
            (json!({"binary": 1}), "binary"),
            (json!({"binary": ""}), "binary"),
            (json!({"binary": "./x"}), "binary"),
            (json!({"binary": ["a", "b/c"]}), "binary"),
            (json!({"binary": "a\0b"}), "binary"),
            (json!({"args": "-u"}), "args"),
            (json!({"args": ["a", 1]}), "args[1]"),
            (json!({"args": ["\0"]}), "args[0]"),
            (json!({"args": many}), "args"),
            (json!({"args": ["x".repeat(MAX_LENGTH + 1)]}), "args[0]"),
            (json!({"roles": ["cook"]}), "roles"),
            (json!({"protocol": "xml"}), "protocol"),
            (json!({"protocol": 1}), "protocol"),
            (json!({"env_allow": ["A=B"]}), "env_allow"),
            (json!({"env_allow": [""]}), "env_allow"),
        ] {
            let fault = Execution::parse(&column).unwrap_err();
            assert_eq!(fault.at(), at, "{column}: {fault}");
        }
    }

    #[test]
    fn the_row_of_the_migrations_and_reserved_keys_are_accepted() {
        let sensor_only = Execution::parse(&json!({"roles": ["sensor"]})).unwrap();
        assert!(!sensor_only.allows(Role::Action));
        let reserved =
            Execution::parse(&json!({"resolve": {"x": 1}, "environment": {}, "host": {}})).unwrap();
        assert_eq!(reserved.resolve, Some(json!({"x": 1})));
    }
}
