//! `runtime.distributions`: by which commands a machine finds out whether it has a runtime.
//!
//! The column is whatever somebody wrote into it with plain SQL, so nothing in it may stop anything else: a command that
//! makes no sense is a [`CommandFault`] in its place, and the other commands are still tried.

mod bound;
mod command;

use serde_json::Value;

pub use bound::{Bound, Shortfall};
pub use command::{Command, CommandFault, Mismatch};

/// What the column says.
#[derive(Debug, Clone)]
pub struct Distributions {
    /// How the runtime is found.
    pub verification: Verification,
    /// Below this version a runtime is unavailable.
    pub min_version: Bound,
    /// Below this version it is available with a warning.
    pub recommended_version: Bound,
}

/// How a runtime is found.
#[derive(Debug, Clone)]
pub enum Verification {
    /// `always_available` or `check_required: false`: it is there, and nothing is run.
    NotNeeded,
    /// These are tried in turn; the first that succeeds wins.
    Commands(Vec<Candidate>),
    /// There is nothing to go by, for this reason.
    Missing(&'static str),
}

/// One of the commands, in the order in which they are tried.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its place in the column's list, from zero.
    pub index: usize,
    /// The command, or what is wrong with it.
    pub command: Result<Command, CommandFault>,
}

impl Distributions {
    /// Reads the column, whatever it holds.
    pub fn parse(distributions: &Value) -> Self {
        Self {
            verification: Verification::parse(distributions),
            min_version: Bound::parse(distributions.get("min_version")),
            recommended_version: Bound::parse(distributions.get("recommended_version")),
        }
    }
}

impl Verification {
    fn parse(distributions: &Value) -> Self {
        if !distributions.is_object() {
            return Self::Missing("`distributions` is not an object");
        }
        let Some(verification) = distributions.get("verification").and_then(Value::as_object) else {
            return Self::Missing("there is no verification metadata");
        };
        let says = |key: &str, flag: bool| verification.get(key).and_then(Value::as_bool) == Some(flag);
        if says("always_available", true) || says("check_required", false) {
            return Self::NotNeeded;
        }
        match verification.get("commands") {
            Some(Value::Array(commands)) if !commands.is_empty() => Self::Commands(candidates(commands)),
            Some(Value::Array(_)) | None => Self::Missing("the verification metadata has no commands"),
            Some(_) => Self::Missing("`verification.commands` is not a list"),
        }
    }
}

/// In ascending priority, those without one last, else in the order written.
fn candidates(commands: &[Value]) -> Vec<Candidate> {
    let mut candidates: Vec<(f64, Candidate)> = commands
        .iter()
        .enumerate()
        .map(|(index, command)| {
            let priority = command.get("priority").and_then(Value::as_f64).unwrap_or(f64::INFINITY);
            (priority, Candidate { index, command: Command::parse(command) })
        })
        .collect();
    candidates.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    candidates.into_iter().map(|(_, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn commands(list: &Value) -> Vec<Candidate> {
        let distributions = json!({"verification": {"commands": list}});
        match Distributions::parse(&distributions).verification {
            Verification::Commands(candidates) => candidates,
            other => panic!("expected commands, found {other:?}"),
        }
    }

    fn missing(distributions: &Value) -> &'static str {
        match Distributions::parse(distributions).verification {
            Verification::Missing(reason) => reason,
            other => panic!("expected nothing to go by, found {other:?}"),
        }
    }

    #[test]
    fn always_available_runs_nothing() {
        for verification in [
            json!({"always_available": true, "commands": [{"binary": "x"}]}),
            json!({"check_required": false, "commands": [{"binary": "x"}]}),
        ] {
            let parsed = Distributions::parse(&json!({"verification": verification}));
            assert!(matches!(parsed.verification, Verification::NotNeeded));
        }
    }

    #[test]
    fn nothing_to_go_by_is_said_in_words() {
        assert_eq!(missing(&json!({})), "there is no verification metadata");
        assert_eq!(missing(&json!({"verification": "yes"})), "there is no verification metadata");
        assert_eq!(missing(&json!({"verification": {}})), "the verification metadata has no commands");
        assert_eq!(
            missing(&json!({"verification": {"commands": []}})),
            "the verification metadata has no commands"
        );
        assert_eq!(
            missing(&json!({"verification": {"commands": "x"}})),
            "`verification.commands` is not a list"
        );
        for hostile in [json!(null), json!([1]), json!("text"), json!(7)] {
            assert_eq!(missing(&hostile), "`distributions` is not an object");
        }
    }

    #[test]
    fn a_flag_of_another_type_is_not_set() {
        let verification =
            json!({"always_available": "true", "check_required": 0, "commands": [{"binary": "x"}]});
        let parsed = Distributions::parse(&json!({"verification": verification}));
        assert!(matches!(parsed.verification, Verification::Commands(_)));
    }

    #[test]
    fn commands_are_tried_by_priority_and_those_without_one_last() {
        let candidates = commands(&json!([
            {"binary": "e"}, {"binary": "c", "priority": 2}, {"binary": "d", "priority": 2},
            {"binary": "f", "priority": null}, {"binary": "b", "priority": 1.5}, {"binary": "a", "priority": -1},
        ]));
        let order: Vec<_> = candidates.iter().map(|candidate| candidate.index).collect();
        assert_eq!(order, [5, 4, 1, 2, 0, 3]);
    }

    #[test]
    fn a_fault_stays_with_its_command() {
        let candidates = commands(&json!([{"binary": "a", "pattern": "("}, 7, {"binary": "b"}]));
        let sound: Vec<_> = candidates.iter().map(|candidate| candidate.command.is_ok()).collect();
        assert_eq!(sound, [false, false, true]);
    }

    /// JSON of the keys that are read here, and of every other shape.
    fn any_json() -> impl Strategy<Value = Value> {
        let keys = "verification|commands|binary|args|exit_code|pattern|priority|always_available|check_required|min_version";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 6, move |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(Value::from),
                btree_map(keys, inner, 0..6).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_column_can_be_read(column in any_json()) {
            let parsed = Distributions::parse(&column);
            let _ = parsed.min_version.check(None);
            if let Verification::Commands(candidates) = parsed.verification {
                let mut places: Vec<_> = candidates.iter().map(|candidate| candidate.index).collect();
                places.sort_unstable();
                prop_assert!(places.into_iter().eq(0..candidates.len()));
            }
        }
    }
}
