//! `runtime.installation`: how to install a runtime, by system.
//!
//! The keys are names of systems as these call themselves (`ID` and `ID_LIKE` of os-release), so what is missing here is
//! explained with the command for here, and no code knows a package manager.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// Longer hints are cut: they stand in logs and in the reasons of sensors.
const LONGEST: usize = 200;
/// Further keys are left aside.
const MOST: usize = 10;

/// How to install it on one kind of system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hint {
    /// The key.
    pub system: String,
    /// What to do there.
    pub command: String,
}

/// How to install a runtime that is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advice {
    /// The one that fits, or all when none does.
    pub hints: Vec<Hint>,
    fits: bool,
}

impl Advice {
    /// What the column advises a system that goes by these names, the most telling first.
    pub fn choose(installation: Option<&Value>, systems: &[String]) -> Self {
        let all = read(installation);
        let named = |system: &String| all.iter().find(|hint| hint.system.eq_ignore_ascii_case(system));
        match systems.iter().find_map(named) {
            Some(hint) => Self { hints: vec![hint.clone()], fits: true },
            None => Self { hints: all, fits: false },
        }
    }

    /// `; install it: …`, to follow what is missing; nothing without a hint.
    pub fn clause(&self) -> String {
        if self.hints.is_empty() { String::new() } else { format!("; {self}") }
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hint = |Hint { system, command }: &Hint| {
            if self.fits { command.clone() } else { format!("{command} ({system})") }
        };
        write!(f, "install it: {}", self.hints.iter().map(hint).collect::<Vec<_>>().join(", "))
    }
}

/// Every key with a text. Whoever wrote anything else gave no hint.
fn read(installation: Option<&Value>) -> Vec<Hint> {
    let fields = installation.and_then(Value::as_object).into_iter().flatten();
    let hint = |(system, command): (&String, &Value)| {
        Some(Hint { system: plain(system)?, command: plain(command.as_str()?)? })
    };
    fields.filter_map(hint).take(MOST).collect()
}

/// One line without what a terminal would obey; none when nothing is left.
fn plain(text: &str) -> Option<String> {
    let text: String =
        text.trim().chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn advice(installation: &Value, systems: &[&str]) -> String {
        let systems: Vec<String> = systems.iter().map(|&system| system.to_owned()).collect();
        Advice::choose(Some(installation), &systems).clause()
    }

    #[test]
    fn the_key_that_fits_the_system_is_chosen() {
        let installation = json!({"debian": "apt-get install alpha", "Fedora": "dnf install alpha"});
        assert_eq!(advice(&installation, &["debian"]), "; install it: apt-get install alpha");
        assert_eq!(
            advice(&installation, &["mint", "ubuntu", "debian"]),
            "; install it: apt-get install alpha"
        );
        assert_eq!(advice(&installation, &["fedora", "debian"]), "; install it: dnf install alpha");
    }

    #[test]
    fn without_one_that_fits_all_are_told() {
        let installation = json!({"debian": "apt-get install alpha", "fedora": "dnf install alpha"});
        let all = "; install it: apt-get install alpha (debian), dnf install alpha (fedora)";
        assert_eq!(advice(&installation, &["plan9"]), all);
        assert_eq!(
            advice(&json!({"macos": "brew install alpha"}), &[]),
            "; install it: brew install alpha (macos)"
        );
    }

    #[test]
    fn what_is_no_hint_is_left_aside() {
        for nothing in
            [json!(null), json!("apt-get"), json!([1]), json!({"debian": 7}), json!({"": "x", "a": " "})]
        {
            assert_eq!(advice(&nothing, &["debian"]), "", "{nothing}");
        }
        assert_eq!(Advice::choose(None, &[]).clause(), "");
    }

    #[test]
    fn a_hostile_hint_stays_one_short_line() {
        let hostile = json!({"debian": format!("\u{1b}[2J\n{}", "x".repeat(10_000))});
        let told = advice(&hostile, &["debian"]);
        assert!(told.chars().count() < 250 && !told.contains(char::is_control), "{told}");
        let many: serde_json::Map<_, _> = (0..1000).map(|n| (format!("k{n}"), json!("x"))).collect();
        assert_eq!(Advice::choose(Some(&many.into()), &[]).hints.len(), MOST);
    }
}
