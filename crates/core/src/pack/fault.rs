//! What is wrong with a pack, and where: the one shape in which every check reports.

use std::fmt;

/// One thing that is wrong with a pack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Path from the pack's root.
    pub file: String,
    /// Line in that file, counted from one, when there is one to point at.
    pub line: Option<u32>,
    /// Dotted path of the field, `conditions[0].operator`; empty when the whole file is meant.
    pub field: String,
    /// What is wrong, in words that help to put it right.
    pub message: String,
}

impl Fault {
    /// A fault of the whole file.
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, field: String::new(), message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_an_editor_can_jump_to() {
        let fault = Fault {
            file: "sensors/cpu.yaml".into(),
            line: Some(7),
            field: "poll_interval".into(),
            message: "must be greater than zero".into(),
        };
        assert_eq!(fault.to_string(), "sensors/cpu.yaml:7: poll_interval: must be greater than zero");
        assert_eq!(Fault::of_file("pack.yaml", "is missing").to_string(), "pack.yaml: is missing");
    }
}
