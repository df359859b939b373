//! All findings, for people and for programs.

use attune_core::printable::printable;
use serde::{Serialize, Serializer};

use crate::finding::{Finding, Verdict};

/// What was found.
#[derive(Debug)]
pub struct Report {
    pub(crate) sections: Vec<Section>,
}

/// What one check found.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) findings: Vec<Finding>,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// For a terminal.
    Coloured,
    /// For everything else.
    Plain,
}

/// A finding and the check that it is of.
#[derive(Serialize)]
struct Row<'a> {
    check: &'static str,
    #[serde(flatten)]
    finding: &'a Finding,
}

impl Report {
    /// Whether something does not work.
    pub fn has_problem(&self) -> bool {
        self.count(Verdict::Problem) > 0
    }

    /// The report as text: a line for each finding, what to do about it indented below.
    pub fn render(&self, style: Style) -> String {
        let width = self.sections.iter().map(|section| section.name.len()).max().unwrap_or_default();
        let mut text = String::new();
        for Row { check, finding } in self.rows() {
            let sign = sign(finding.verdict, style);
            let indent = " ".repeat(width + 4);
            let found = printable(&finding.found).replace('\n', &format!("\n{indent}"));
            text.extend([format!("{sign} {check:width$}  {found}\n")]);
            for line in finding.mend.as_deref().unwrap_or_default().lines() {
                text.extend([format!("{indent}→ {}\n", printable(line))]);
            }
        }
        text + &self.summary()
    }

    fn summary(&self) -> String {
        let (problems, warnings) = (self.count(Verdict::Problem), self.count(Verdict::Warning));
        match (problems, warnings) {
            (0, 0) => "\nnothing is wrong\n".to_owned(),
            _ => format!("\n{}, {}\n", counted(problems, "problem"), counted(warnings, "warning")),
        }
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.rows().filter(|row| row.finding.verdict == verdict).count()
    }

    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.sections
            .iter()
            .flat_map(|section| section.findings.iter().map(|finding| Row { check: section.name, finding }))
    }
}

/// `{"ok": true, "findings": [{"check", "verdict", "found", "mend"}]}`.
impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Document<'a> {
            ok: bool,
            findings: Vec<Row<'a>>,
        }
        Document { ok: !self.has_problem(), findings: self.rows().collect() }.serialize(serializer)
    }
}

fn sign(verdict: Verdict, style: Style) -> String {
    let (sign, colour) = match verdict {
        Verdict::Ok => ("✓", 32),
        Verdict::Skipped => ("·", 90),
        Verdict::Warning => ("!", 33),
        Verdict::Problem => ("✗", 31),
    };
    match style {
        Style::Coloured => format!("\x1b[{colour}m{sign}\x1b[0m"),
        Style::Plain => sign.to_owned(),
    }
}

fn counted(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let disk = vec![Finding::warning("900 MB are free", "remove something\nor move the directory")];
        let token = vec![Finding::ok("is its owner's alone")];
        let bad = vec![Finding::problem("\x1b[2Jgone", "bring it back"), Finding::skipped("not looked at")];
        Report {
            sections: vec![
                Section { name: "disk", findings: disk },
                Section { name: "token", findings: token },
                Section { name: "a thing", findings: bad },
            ],
        }
    }

    #[test]
    fn a_line_for_each_finding_and_what_to_do_below() {
        let expected = "\
! disk     900 MB are free
           → remove something
           → or move the directory
✓ token    is its owner's alone
✗ a thing  \u{fffd}[2Jgone
           → bring it back
· a thing  not looked at

1 problem, 1 warning
";
        assert_eq!(report().render(Style::Plain), expected);
        assert!(report().render(Style::Coloured).starts_with("\x1b[33m!\x1b[0m disk"));
    }

    #[test]
    fn programs_get_the_same() {
        let json = serde_json::to_value(report()).unwrap();
        assert_eq!(json["ok"], false);
        assert_eq!(json["findings"][1]["mend"], serde_json::Value::Null);
        assert_eq!(
            json["findings"][2],
            serde_json::json!({"check": "a thing", "verdict": "problem", "found": "\x1b[2Jgone", "mend": "bring it back"})
        );
    }
}
