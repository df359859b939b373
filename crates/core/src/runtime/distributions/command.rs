//! One verification command: what it takes to run it, and whether a run of it counts.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::pattern::one_line;
use crate::version::Version;

/// How large a compiled pattern may be, in bytes.
const PATTERN_SIZE: usize = 1 << 20;

/// A command that can be run. Binary and arguments are apart: there is no shell.
#[derive(Debug, Clone)]
pub struct Command {
    /// An absolute path, or a name to look for on PATH.
    pub binary: String,
    /// What it is given.
    pub args: Vec<String>,
    /// The exit code of success.
    pub exit_code: i32,
    /// What stdout or stderr must match.
    pub pattern: Option<Regex>,
}

/// Why an entry of `commands` can not be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandFault {
    /// It is text, a number, a list.
    #[error("the command is not an object")]
    NotAnObject,
    /// `binary` is absent or no text.
    #[error("`binary` is missing or not text")]
    NoBinary,
    /// `binary` is a path from nowhere.
    #[error("`binary` {0:?} is a relative path: give a name or an absolute path")]
    RelativePath(String),
    /// No program can be given a NUL byte.
    #[error("`{0}` holds a NUL byte")]
    Nul(&'static str),
    /// `args` is no list of text.
    #[error("`args` is not a list of text")]
    Args,
    /// `exit_code` is no number that a program can exit with.
    #[error("`exit_code` is not a whole number")]
    ExitCode,
    /// `priority` is no number.
    #[error("`priority` is not a number")]
    Priority,
    /// `pattern` is no text.
    #[error("`pattern` is not text")]
    PatternNotText,
    /// `pattern` is no regex, or one that grows too large.
    #[error("`pattern` is not a regular expression: {0}")]
    Pattern(String),
}

/// Why a command that ran does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// It exited otherwise than asked.
    #[error("it exited with code {found} instead of {expected}")]
    ExitCode {
        /// The code that it exited with.
        found: i32,
        /// The code of success.
        expected: i32,
    },
    /// It printed something else.
    #[error("its output does not match `{0}`")]
    Pattern(String),
}

impl Command {
    pub(super) fn parse(command: &Value) -> Result<Self, CommandFault> {
        let Value::Object(fields) = command else { return Err(CommandFault::NotAnObject) };
        // A key whose value is null is a key that is not there.
        let field = |key: &str| fields.get(key).filter(|value| !value.is_null());
        if field("priority").is_some_and(|priority| !priority.is_number()) {
            return Err(CommandFault::Priority);
        }
        Ok(Self {
            binary: parse_binary(field("binary"))?,
            args: field("args").map_or(Ok(Vec::new()), parse_args)?,
            exit_code: field("exit_code").map_or(Ok(0), parse_exit_code)?,
            pattern: field("pattern").map(parse_pattern).transpose()?,
        })
    }

    /// Whether a run of it succeeded, and with which version: the pattern's group `version`, else the first dotted number.
    pub fn judge(&self, exit_code: i32, stdout: &str, stderr: &str) -> Result<Option<Version>, Mismatch> {
        if exit_code != self.exit_code {
            return Err(Mismatch::ExitCode { found: exit_code, expected: self.exit_code });
        }
        let named = match &self.pattern {
            None => None,
            Some(pattern) => pattern
                .captures(stdout)
                .or_else(|| pattern.captures(stderr))
                .ok_or_else(|| Mismatch::Pattern(pattern.to_string()))?
                .name("version")
                .and_then(|version| Version::parse(version.as_str())),
        };
        Ok(named.or_else(|| Version::find_in(stdout)).or_else(|| Version::find_in(stderr)))
    }
}

fn parse_binary(binary: Option<&Value>) -> Result<String, CommandFault> {
    let binary = binary.and_then(Value::as_str).filter(|binary| !binary.is_empty());
    let binary = binary.ok_or(CommandFault::NoBinary)?;
    if binary.contains('\0') {
        return Err(CommandFault::Nul("binary"));
    }
    if binary.contains('/') && !binary.starts_with('/') {
        return Err(CommandFault::RelativePath(binary.to_owned()));
    }
    Ok(binary.to_owned())
}

fn parse_args(args: &Value) -> Result<Vec<String>, CommandFault> {
    let args = args.as_array().ok_or(CommandFault::Args)?;
    let args: Option<Vec<String>> = args.iter().map(|arg| Some(arg.as_str()?.to_owned())).collect();
    let args = args.ok_or(CommandFault::Args)?;
    if args.iter().any(|arg| arg.contains('\0')) { Err(CommandFault::Nul("args")) } else { Ok(args) }
}

fn parse_exit_code(code: &Value) -> Result<i32, CommandFault> {
    code.as_i64().and_then(|code| i32::try_from(code).ok()).ok_or(CommandFault::ExitCode)
}

fn parse_pattern(pattern: &Value) -> Result<Regex, CommandFault> {
    let pattern = pattern.as_str().ok_or(CommandFault::PatternNotText)?;
    RegexBuilder::new(pattern)
        .size_limit(PATTERN_SIZE)
        .build()
        .map_err(|error| CommandFault::Pattern(one_line(&error)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fault(fields: &Value) -> CommandFault {
        Command::parse(fields).unwrap_err()
    }

    fn command(fields: &Value) -> Command {
        Command::parse(fields).unwrap()
    }

    #[test]
    fn every_fault_has_a_name() {
        assert_eq!(fault(&json!("x --version")), CommandFault::NotAnObject);
        assert_eq!(fault(&json!({})), CommandFault::NoBinary);
        assert_eq!(fault(&json!({"binary": ""})), CommandFault::NoBinary);
        assert_eq!(fault(&json!({"binary": ["x"]})), CommandFault::NoBinary);
        assert_eq!(fault(&json!({"binary": "bin/x"})), CommandFault::RelativePath("bin/x".to_owned()));
        assert_eq!(fault(&json!({"binary": "../x"})), CommandFault::RelativePath("../x".to_owned()));
        assert_eq!(fault(&json!({"binary": "x\0y"})), CommandFault::Nul("binary"));
        assert_eq!(fault(&json!({"binary": "x", "args": ["a\0b"]})), CommandFault::Nul("args"));
        assert_eq!(fault(&json!({"binary": "x", "args": "--version"})), CommandFault::Args);
        assert_eq!(fault(&json!({"binary": "x", "args": [1]})), CommandFault::Args);
        assert_eq!(fault(&json!({"binary": "x", "exit_code": "0"})), CommandFault::ExitCode);
        assert_eq!(fault(&json!({"binary": "x", "exit_code": 1e20})), CommandFault::ExitCode);
        assert_eq!(fault(&json!({"binary": "x", "priority": "first"})), CommandFault::Priority);
        assert_eq!(fault(&json!({"binary": "x", "pattern": 3})), CommandFault::PatternNotText);
    }

    #[test]
    fn a_pattern_that_is_none_says_why_in_one_line() {
        let message = fault(&json!({"binary": "x", "pattern": "a("})).to_string();
        assert_eq!(message, "`pattern` is not a regular expression: unclosed group");
        let message = fault(&json!({"binary": "x", "pattern": "(a{1000}){1000}"})).to_string();
        assert!(message.contains("size limit"), "{message}");
    }

    #[test]
    fn exit_code_and_pattern_decide() {
        let command = command(&json!({"binary": "x", "pattern": "Tool 3\\.", "exit_code": 1}));
        assert_eq!(command.judge(1, "Tool 3.2.1\n", "").unwrap().unwrap().as_str(), "3.2.1");
        assert_eq!(command.judge(1, "", "Tool 3.2.1\n").unwrap().unwrap().as_str(), "3.2.1");
        assert_eq!(command.judge(0, "Tool 3.2.1\n", ""), Err(Mismatch::ExitCode { found: 0, expected: 1 }));
        assert_eq!(command.judge(1, "Tool 2.9\n", ""), Err(Mismatch::Pattern("Tool 3\\.".to_owned())));
    }

    #[test]
    fn the_group_version_comes_before_the_first_dotted_number() {
        let named = command(&json!({"binary": "x", "pattern": "release (?<version>\\d+)"}));
        assert_eq!(named.judge(0, "api 1.2, release 17", "").unwrap().unwrap().as_str(), "17");
        let plain = command(&json!({"binary": "x"}));
        assert_eq!(plain.judge(0, "api 1.2, release 17", "").unwrap().unwrap().as_str(), "1.2");
        assert_eq!(plain.judge(0, "no number", "").unwrap(), None);
    }
}
