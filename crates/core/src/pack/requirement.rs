//! `requires`: commands of the system that a pack's code calls.
//!
//! The manifest and the column of table `pack` are read by the same rules, because whoever wrote the column with plain
//! SQL was checked by nobody.

use serde::Serialize;
use serde_json::{Map, Value};

use super::suggest::hint;

/// More is no list that somebody wrote by hand, and each costs a look at every directory of PATH.
const MOST: usize = 64;
/// No file has a longer name.
const LONGEST_NAME: usize = 255;
/// The hint stands in logs and in errors.
const LONGEST_HINT: usize = 200;

const KEYS: [&str; 2] = ["command", "install"];

/// A command that has to be on PATH.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Requirement {
    /// Its name.
    pub command: String,
    /// How to install it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub install: Option<String>,
}

/// What is wrong, and where in the list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("requires{at}: {message}")]
pub struct RequirementFault {
    /// Empty for the list itself, else such as `[1].install`.
    pub at: String,
    /// What is wrong.
    pub message: String,
}

impl Requirement {
    /// Reads a list of names, or of objects with `command` and `install`.
    pub fn parse_all(list: &Value) -> Result<Vec<Self>, Vec<RequirementFault>> {
        let mut reader = Reader::default();
        match list {
            Value::Array(items) if items.len() <= MOST => reader.items(items),
            Value::Array(_) => reader.fault("", format!("lists more than {MOST} commands")),
            _ => reader.fault("", "must be a list of commands"),
        }
        if reader.faults.is_empty() { Ok(reader.read) } else { Err(reader.faults) }
    }

    /// `; install it: …`, to follow what is missing; nothing without a hint.
    pub fn advice(&self) -> String {
        self.install.as_ref().map_or_else(String::new, |install| format!("; install it: {install}"))
    }
}

#[derive(Default)]
struct Reader {
    read: Vec<Requirement>,
    faults: Vec<RequirementFault>,
}

impl Reader {
    fn fault(&mut self, at: &str, message: impl Into<String>) {
        self.faults.push(RequirementFault { at: at.to_owned(), message: message.into() });
    }

    fn items(&mut self, items: &[Value]) {
        for (i, item) in items.iter().enumerate() {
            let at = format!("[{i}]");
            match item {
                Value::String(command) => self.add(&at, command, None),
                Value::Object(fields) => self.object(&at, fields),
                _ => self.fault(&at, "must be the name of a command, or a mapping with command and install"),
            }
        }
    }

    fn object(&mut self, at: &str, fields: &Map<String, Value>) {
        for key in fields.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            self.fault(&format!("{at}.{key}"), format!("is no known key{}", hint(key, KEYS)));
        }
        let install = fields.get("install").filter(|install| !install.is_null());
        let install = install.and_then(|install| self.install(&format!("{at}.install"), install));
        match fields.get("command") {
            None => self.fault(&format!("{at}.command"), "is missing"),
            Some(Value::String(command)) => self.add(&format!("{at}.command"), command, install),
            Some(_) => self.fault(&format!("{at}.command"), "must be text"),
        }
    }

    fn install(&mut self, at: &str, install: &Value) -> Option<String> {
        let Value::String(install) = install else {
            self.fault(at, "must be text");
            return None;
        };
        if let Err(message) = check_hint(install) {
            self.fault(at, message);
        }
        Some(install.clone())
    }

    fn add(&mut self, at: &str, command: &str, install: Option<String>) {
        if let Err(message) = check_name(command) {
            self.fault(at, message);
        } else if self.read.iter().any(|other| other.command == command) {
            self.fault(at, format!("{command:?} is there twice"));
        } else {
            self.read.push(Requirement { command: command.to_owned(), install });
        }
    }
}

fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("is empty".into());
    }
    if name.len() > LONGEST_NAME {
        return Err(format!("is longer than {LONGEST_NAME} bytes"));
    }
    let is_odd = |c: char| c == '/' || c.is_whitespace() || c.is_control();
    if matches!(name, "." | "..") || name.contains(is_odd) {
        return Err(format!("{name:?} must be the plain name of a command, such as jq"));
    }
    Ok(())
}

fn check_hint(hint: &str) -> Result<(), String> {
    if hint.trim().is_empty() {
        return Err("is empty".into());
    }
    if hint.len() > LONGEST_HINT || hint.contains(char::is_control) {
        return Err(format!("must be one line of at most {LONGEST_HINT} bytes"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(list: &Value) -> Vec<String> {
        Requirement::parse_all(list).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_and_objects_become_the_same() {
        let read = Requirement::parse_all(&json!(["jq", {"command": "7z", "install": "get it"}])).unwrap();
        assert_eq!(json!(read), json!([{"command": "jq"}, {"command": "7z", "install": "get it"}]));
        assert_eq!((read[0].advice().as_str(), read[1].advice().as_str()), ("", "; install it: get it"));
        assert_eq!(Requirement::parse_all(&json!(read)).unwrap(), read);
    }

    #[test]
    fn what_plain_sql_may_leave_in_the_column_is_named() {
        for (list, expected) in [
            (json!(null), "requires: must be a list of commands"),
            (json!({"command": "jq"}), "requires: must be a list of commands"),
            (json!(vec!["jq"; 65]), "requires: lists more than 64 commands"),
            (
                json!([["jq"]]),
                "requires[0]: must be the name of a command, or a mapping with command and install",
            ),
            (json!([{"install": "x"}]), "requires[0].command: is missing"),
            (json!([{"command": 7}]), "requires[0].command: must be text"),
            (
                json!(["jq\u{1b}[2J"]),
                r#"requires[0]: "jq\u{1b}[2J" must be the plain name of a command, such as jq"#,
            ),
            (json!(["j\0q"]), r#"requires[0]: "j\0q" must be the plain name of a command, such as jq"#),
            (json!(["j".repeat(256)]), "requires[0]: is longer than 255 bytes"),
            (json!([{"command": "jq", "install": " "}]), "requires[0].install: is empty"),
            (
                json!([{"command": "jq", "install": "a\nb"}]),
                "requires[0].install: must be one line of at most 200 bytes",
            ),
        ] {
            assert_eq!(faults(&list), [expected]);
        }
    }
}
