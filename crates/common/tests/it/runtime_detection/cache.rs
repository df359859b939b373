//! What is remembered across processes; a verifier of its own stands for each of them.

use std::fs;
use std::time::Duration;

use attune_common::config::Config;
use attune_common::runtime_detection::{Trust, Verdict, Verifier};
use serde_json::{Value, json};

use super::programs::{Programs, by_commands, row};

/// Leaves a line behind for every run.
const COUNTED: &str = "echo ran >> \"$0.runs\"; echo 'Alpha 3.9'";

struct Machine {
    programs: Programs,
    config: Config,
}

impl Machine {
    fn with(lines: &str) -> Self {
        let programs = Programs::new().with("alpha", lines);
        let config = Config { cache_dir: programs.file("some/cache"), ..Config::default() };
        Self { programs, config }
    }

    /// What a process that starts now finds.
    async fn look(&self, command: Value, trust: Trust) -> Verdict {
        let verifier = self.programs.search(Verifier::configured(&self.config).await);
        verifier.verify_all(&[row(&by_commands(&json!([command])))], trust).await.remove(0)
    }

    async fn look_for_alpha(&self, trust: Trust) -> Verdict {
        self.look(json!({"binary": "alpha"}), trust).await
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.programs.file("alpha.runs")).map_or(0, |runs| runs.lines().count())
    }
}

#[tokio::test]
async fn an_answer_holds_for_other_processes() {
    let machine = Machine::with(COUNTED);
    let first = machine.look_for_alpha(Trust::Everything).await;
    assert_eq!(machine.look_for_alpha(Trust::Everything).await, first);
    assert_eq!(machine.look_for_alpha(Trust::Presence).await, first);
    assert_eq!((machine.runs(), first.version.as_deref()), (1, Some("3.9")));
    machine.look_for_alpha(Trust::Nothing).await;
    assert_eq!(machine.runs(), 2);
}

#[tokio::test]
async fn an_absence_is_not_trusted_by_a_periodic_round() {
    let machine = Machine::with(&format!("{COUNTED}; exit 1"));
    let first = machine.look_for_alpha(Trust::Everything).await;
    assert!(!first.available);
    assert_eq!(machine.look_for_alpha(Trust::Everything).await.reason, first.reason);
    assert_eq!(machine.runs(), 1);
    machine.look_for_alpha(Trust::Presence).await;
    assert_eq!(machine.runs(), 2);
}

#[tokio::test]
async fn a_replaced_binary_is_asked_again() {
    let machine = Machine::with(COUNTED);
    machine.look_for_alpha(Trust::Everything).await;
    machine.programs.write("alpha", &COUNTED.replace("3.9", "4.0"));
    assert_eq!(machine.look_for_alpha(Trust::Everything).await.version.as_deref(), Some("4.0"));
}

#[tokio::test]
async fn a_removed_binary_is_gone_at_once() {
    let machine = Machine::with(COUNTED);
    machine.look_for_alpha(Trust::Everything).await;
    fs::remove_file(machine.programs.file("alpha")).unwrap();
    assert!(!machine.look_for_alpha(Trust::Everything).await.available);
}

#[tokio::test]
async fn an_edited_row_is_asked_again() {
    let machine = Machine::with(COUNTED);
    machine.look_for_alpha(Trust::Everything).await;
    let edits = [
        json!({"binary": "alpha", "pattern": "Alpha 4"}),
        json!({"binary": "alpha", "exit_code": 1}),
        json!({"binary": "alpha", "args": ["--other"]}),
    ];
    let mut available = Vec::new();
    for edit in edits {
        available.push(machine.look(edit, Trust::Everything).await.available);
    }
    assert_eq!((available.as_slice(), machine.runs()), ([false, false, true].as_slice(), 4));
}

#[tokio::test]
async fn a_hang_is_not_remembered() {
    let mut machine = Machine::with("echo ran >> \"$0.runs\"; sleep 600");
    machine.config.limits.verification_timeout = Duration::from_millis(500);
    machine.look_for_alpha(Trust::Everything).await;
    machine.look_for_alpha(Trust::Everything).await;
    assert_eq!(machine.runs(), 2);
}

#[tokio::test]
async fn a_kill_is_neither_remembered_nor_believed() {
    let in_a_shell = "echo ran >> \"$0.runs\"; bash -c 'kill -9 $$'; exit $?";
    for killed in ["echo ran >> \"$0.runs\"; kill -9 $$", in_a_shell] {
        let machine = Machine::with(killed);
        let verdict = machine.look_for_alpha(Trust::Everything).await;
        assert!(!verdict.available && verdict.is_in_doubt(), "{verdict:?}");
        machine.look_for_alpha(Trust::Everything).await;
        assert_eq!(machine.runs(), 2);
    }
}

#[tokio::test]
async fn without_a_time_to_live_nothing_is_kept() {
    let mut machine = Machine::with(COUNTED);
    machine.config.runtime.cache_ttl = Duration::ZERO;
    machine.look_for_alpha(Trust::Everything).await;
    machine.look_for_alpha(Trust::Everything).await;
    assert_eq!((machine.runs(), machine.config.cache_dir.exists()), (2, false));
}

#[tokio::test]
async fn a_damaged_file_is_an_empty_cache() {
    let machine = Machine::with(COUNTED);
    fs::create_dir_all(&machine.config.cache_dir).unwrap();
    fs::write(machine.config.cache_dir.join("verification.json"), "{\"half").unwrap();
    assert!(machine.look_for_alpha(Trust::Everything).await.available);
    machine.look_for_alpha(Trust::Everything).await;
    assert_eq!(machine.runs(), 1);
}

#[tokio::test]
async fn a_directory_that_can_not_be_written_costs_only_time() {
    let mut machine = Machine::with(COUNTED);
    machine.config.cache_dir = machine.programs.file("alpha").join("no-directory");
    assert!(machine.look_for_alpha(Trust::Everything).await.available);
}

#[tokio::test]
async fn processes_add_to_what_others_wrote() {
    let machine = Machine::with(COUNTED);
    let one = machine.programs.search(Verifier::configured(&machine.config).await);
    let other = machine.programs.search(Verifier::configured(&machine.config).await);
    for (verifier, argument) in [(&one, "a"), (&other, "b")] {
        let command = json!([{"binary": "alpha", "args": [argument]}]);
        verifier.verify_all(&[row(&by_commands(&command))], Trust::Everything).await;
    }
    machine.look(json!({"binary": "alpha", "args": ["a"]}), Trust::Everything).await;
    machine.look(json!({"binary": "alpha", "args": ["b"]}), Trust::Everything).await;
    assert_eq!(machine.runs(), 2);
}
