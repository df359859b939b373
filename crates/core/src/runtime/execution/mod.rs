//! How a runtime runs its code: the `execution` of its row, typed.
//!
//! The row is data that becomes a process, written by hand or with plain SQL. So everything is checked before anything
//! runs, nothing is guessed, and each fault says which key it means. The rule is: argv = binary, args, entrypoint;
//! without a binary, the entrypoint alone.

mod environment;
mod fault;
mod host;
mod placeholder;
mod reader;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::Path;

use serde_json::Value;
use thiserror::Error;

pub use environment::{Environment, Site, Way};
pub use fault::ExecutionFault;
use fault::wrong_type;
pub use host::Host;
use reader::Reader;

/// Stands in `args` for the directory of the runtime's own pack on this machine.
pub const PACK_PLACEHOLDER: &str = "{pack}";

const KEYS: &[&str] = &[
    "binary",
    "args",
    "roles",
    "protocol",
    "env_allow",
    "variables",
    "resolve",
    "environment",
    "host",
    "extensions",
    "template",
];
const RESOLVE_KEYS: &[&str] = &["args"];

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
    /// Variables that its programs get, and their values.
    pub variables: Vec<(String, String)>,
    /// Arguments with which the binary prints the path of the real interpreter, which a version manager's shim hides.
    pub resolve: Option<Vec<String>>,
    /// How to create and fill an environment for a pack's dependencies.
    pub environment: Option<Environment>,
    /// The program that runs its code warm.
    pub host: Option<Host>,
    /// How the names of its files end, without the dot; the first is the usual one.
    pub extensions: Vec<String>,
    /// Directories of its pack that, one over the other, are the template of a new pack.
    pub template: Vec<String>,
}

/// What a runtime may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// `args` name the runtime's pack, and there is none on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("args refer to {PACK_PLACEHOLDER}, but the runtime's pack has no content")]
pub struct NoPackContent;

impl Execution {
    /// Checks the column of a row.
    pub fn parse(column: &Value) -> Result<Self, ExecutionFault> {
        let row = Reader::open(String::new(), column, KEYS)?;
        Ok(Self {
            binary: binaries(&row)?,
            args: row.texts("args")?,
            roles: roles(&row)?,
            protocol: protocol(&row)?,
            env_allow: row.variables("env_allow")?,
            variables: row.settings("variables")?,
            resolve: row.get("resolve").map(resolve).transpose()?,
            environment: row
                .get("environment")
                .map(|value| Environment::parse("environment", value))
                .transpose()?,
            host: row.get("host").map(|value| Host::parse("host", value)).transpose()?,
            extensions: extensions(&row)?,
            template: row.one_or_more("template")?,
        })
    }

    /// Whether the runtime may be used so.
    pub fn allows(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether its arguments lie in its own pack, so that the pack's content must be there.
    pub fn needs_pack(&self) -> bool {
        let of_host = self.host.iter().flat_map(|host| &host.args);
        self.args.iter().chain(of_host).any(|arg| arg.contains(PACK_PLACEHOLDER))
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
                argv.push(in_pack(arg, pack_dir)?);
            }
        }
        argv.push(entrypoint.into());
        Ok(argv)
    }

    /// The command line of its host: binary, the host's args, and how many modules it keeps if that is said; none without
    /// a host.
    pub fn host_argv(
        &self,
        binary: Option<&Path>,
        pack_dir: Option<&Path>,
    ) -> Result<Option<Vec<OsString>>, NoPackContent> {
        let Some(host) = &self.host else { return Ok(None) };
        let args = host.args.iter().map(|arg| in_pack(arg, pack_dir)).collect::<Result<Vec<_>, _>>()?;
        let binary = binary.map(OsString::from).into_iter();
        Ok(Some(binary.chain(args).chain(host.modules.map(|count| count.to_string().into())).collect()))
    }
}

fn in_pack(arg: &str, pack_dir: Option<&Path>) -> Result<OsString, NoPackContent> {
    match pack_dir {
        Some(pack_dir) => Ok(placeholder::expand(arg, &[("pack", pack_dir)])),
        None if arg.contains(PACK_PLACEHOLDER) => Err(NoPackContent),
        None => Ok(arg.into()),
    }
}

fn binaries(row: &Reader<'_>) -> Result<Vec<String>, ExecutionFault> {
    let names = row.one_or_more("binary")?;
    match names.iter().find(|name| name.is_empty() || (name.contains('/') && !name.starts_with('/'))) {
        Some(bad) => Err(ExecutionFault::NotABinary { at: "binary".into(), binary: bad.clone() }),
        None => Ok(names),
    }
}

fn extensions(row: &Reader<'_>) -> Result<Vec<String>, ExecutionFault> {
    let names = row.texts("extensions")?;
    match names.iter().find(|name| name.is_empty() || name.contains(['.', '/'])) {
        Some(bad) => Err(ExecutionFault::NotAnExtension { extension: bad.clone() }),
        None => Ok(names),
    }
}

fn roles(row: &Reader<'_>) -> Result<Vec<Role>, ExecutionFault> {
    if row.get("roles").is_none() {
        return Ok(vec![Role::Action, Role::Sensor]);
    }
    row.texts("roles")?
        .into_iter()
        .map(|role| match role.as_str() {
            "action" => Ok(Role::Action),
            "sensor" => Ok(Role::Sensor),
            _ => Err(ExecutionFault::UnknownRole { at: "roles".into(), role }),
        })
        .collect()
}

fn protocol(row: &Reader<'_>) -> Result<Protocol, ExecutionFault> {
    match row.text("protocol")?.as_deref() {
        None => Ok(Protocol::Plain),
        Some("ndjson") => Ok(Protocol::Ndjson),
        Some(name) => Err(ExecutionFault::UnknownProtocol { protocol: name.to_owned() }),
    }
}

fn resolve(value: &Value) -> Result<Vec<String>, ExecutionFault> {
    let args = Reader::open("resolve".to_owned(), value, RESOLVE_KEYS)?.texts("args")?;
    if args.is_empty() {
        Err(wrong_type("resolve.args", "a list of texts that is not empty"))
    } else {
        Ok(args)
    }
}
