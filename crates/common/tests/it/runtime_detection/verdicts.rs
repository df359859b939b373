//! What a sound row leads to.

use std::time::Duration;

use attune_common::runtime_detection::{RuntimeDetector, Trust, Verdict, Verifier};
use serde_json::json;

use super::programs::{Programs, by_commands, limits, row};

const TOOL: &str = "echo 'Alpha 3.9.2 (test)'";

fn reason(verdict: &Verdict) -> &str {
    verdict.reason.as_deref().unwrap()
}

#[tokio::test]
async fn the_first_command_that_succeeds_decides() {
    let programs = Programs::new().with("alpha", TOOL).with("alpha3", "echo 'Alpha 3.11.2'");
    let verdict = programs
        .verify(&by_commands(&json!([
            {"binary": "alpha", "pattern": "Alpha 3\\.", "priority": 2},
            {"binary": "alpha3", "pattern": "Alpha 3\\.", "priority": 1},
        ])))
        .await;
    assert!(verdict.available);
    assert_eq!((verdict.command, verdict.version.as_deref()), (Some(1), Some("3.11.2")));
    assert_eq!(verdict.binary, Some(programs.file("alpha3")));
    assert_eq!((verdict.reason, verdict.warning), (None, None));
}

#[tokio::test]
async fn a_command_that_fails_leaves_it_to_the_next() {
    let programs =
        Programs::new().with("old", "echo 'Alpha 2.0'").with("broken", "exit 3").with("alpha", TOOL);
    let commands = ["missing", "old", "broken", "alpha"]
        .map(|binary| json!({"binary": binary, "pattern": "Alpha 3\\."}));
    let verdict = programs.verify(&by_commands(&json!(commands))).await;
    assert_eq!((verdict.available, verdict.command), (true, Some(3)));
}

#[tokio::test]
async fn when_all_fail_each_says_why() {
    let programs = Programs::new().with("old", "echo 'Alpha 2.0'").with("broken", "exit 3");
    let commands = ["missing", "old", "broken"].map(|binary| json!({"binary": binary, "pattern": "Alpha 3"}));
    let verdict = programs.verify(&by_commands(&json!(commands))).await;
    assert!(!verdict.available);
    assert_eq!(
        reason(&verdict),
        "`missing`: it was not found on PATH; `old`: its output does not match `Alpha 3`; \
         `broken`: it exited with code 3 instead of 0"
    );
}

#[tokio::test]
async fn the_exit_code_of_success_may_be_another() {
    let programs = Programs::new().with("alpha", "echo 1.0; exit 2");
    assert!(programs.verify_command(json!({"binary": "alpha", "exit_code": 2})).await.available);
    assert!(!programs.verify_command(json!({"binary": "alpha"})).await.available);
}

#[tokio::test]
async fn stderr_counts_like_stdout() {
    let programs = Programs::new().with("alpha", "echo 'alpha version \"17.0.1\"' >&2");
    let verdict = programs.verify_command(json!({"binary": "alpha", "pattern": "^alpha version"})).await;
    assert_eq!(verdict.version.as_deref(), Some("17.0.1"));
}

#[tokio::test]
async fn the_group_version_names_the_version() {
    let programs = Programs::new().with("alpha", "echo 'api 1.2 release 17'");
    let command = json!({"binary": "alpha", "pattern": "release (?<version>\\d+)"});
    assert_eq!(programs.verify_command(command).await.version.as_deref(), Some("17"));
}

#[tokio::test]
async fn a_version_below_the_minimum_is_unavailable() {
    let programs = Programs::new().with("alpha", TOOL);
    let mut distributions = by_commands(&json!([{"binary": "alpha"}]));
    distributions["min_version"] = json!("3.11");
    let verdict = programs.verify(&distributions).await;
    assert!(!verdict.available);
    assert_eq!(reason(&verdict), "min_version: version 3.9.2 is below 3.11");
    assert_eq!((verdict.command, verdict.version.as_deref()), (Some(0), Some("3.9.2")));
}

#[tokio::test]
async fn a_version_below_the_recommended_one_is_available_with_a_warning() {
    let programs = Programs::new().with("alpha", TOOL);
    let mut distributions = by_commands(&json!([{"binary": "alpha"}]));
    distributions["min_version"] = json!("3.8");
    distributions["recommended_version"] = json!("3.11");
    let verdict = programs.verify(&distributions).await;
    assert!(verdict.available);
    assert_eq!(verdict.warning.as_deref(), Some("recommended_version: version 3.9.2 is below 3.11"));
}

#[tokio::test]
async fn what_needs_no_check_runs_nothing() {
    let programs = Programs::new().with("alpha", "touch \"$0.ran\"; exit 1");
    for verification in ["always_available", "check_required"] {
        let mut distributions = by_commands(&json!([{"binary": "alpha"}]));
        distributions["verification"][verification] = json!(verification == "always_available");
        let verdict = programs.verify(&distributions).await;
        assert_eq!((verdict.available, verdict.binary, verdict.command), (true, None, None));
    }
    assert!(!programs.file("alpha.ran").exists());
}

#[tokio::test]
async fn without_metadata_a_runtime_is_unavailable() {
    let verdict = Programs::new().verify(&json!({})).await;
    assert!(!verdict.available);
    assert_eq!(reason(&verdict), "there is no verification metadata");
}

#[tokio::test]
async fn arguments_are_no_shell() {
    let programs = Programs::new().with("alpha", "printf '%s|' \"$@\"");
    let command = json!({
        "binary": "alpha", "args": ["; touch injected", "$(id)", "a b"],
        "pattern": r"^; touch injected\|\$\(id\)\|a b\|$",
    });
    let verdict = programs.verify_command(command).await;
    assert!(verdict.available, "{verdict:?}");
}

#[tokio::test]
async fn a_command_sees_a_clean_environment_and_no_stdin() {
    let lines = "cat; [ -n \"$PATH\" ] && ! env | grep -q '^CARGO' && echo 1.0";
    let verdict = Programs::new().with("alpha", lines).verify_command(json!({"binary": "alpha"})).await;
    assert!(verdict.available, "{verdict:?}");
}

#[tokio::test]
async fn an_absolute_path_needs_no_search() {
    let programs = Programs::new().with("alpha", TOOL);
    let runtime = row(&by_commands(&json!([{"binary": programs.file("alpha")}])));
    let verifier = Verifier::new(&limits(Duration::from_secs(20))).with_path("");
    assert!(verifier.verify(&runtime, Trust::Nothing).await.available);
}

#[tokio::test]
async fn rows_are_verified_side_by_side() {
    // Each of the two waits for the other.
    let programs = Programs::new().with("reader", "read line < \"$(dirname \"$0\")/pipe\"; echo \"$line\"");
    programs.write("writer", "echo 1.0 > \"$(dirname \"$0\")/pipe\"");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        programs.file("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    let rows = ["reader", "writer"].map(|binary| row(&by_commands(&json!([{"binary": binary}]))));
    let verifier = programs.search(Verifier::new(&limits(Duration::from_secs(20))));
    let verdicts = verifier.verify_all(&rows, Trust::Nothing).await;
    assert_eq!(verdicts.iter().map(|verdict| verdict.available).collect::<Vec<_>>(), [true, true]);
}

#[tokio::test]
async fn a_single_runtime_can_be_verified() {
    let programs = Programs::new().with("alpha", TOOL);
    let available = by_commands(&json!([{"binary": programs.file("alpha"), "pattern": "Alpha"}]));
    let missing = by_commands(&json!([{"binary": programs.file("beta")}]));
    assert!(RuntimeDetector::verify_runtime_available(&row(&available)).await);
    assert!(!RuntimeDetector::verify_runtime_available(&row(&missing)).await);
}

fn versions(verdict: &Verdict) -> Vec<(Option<&str>, &str)> {
    let versions = verdict.versions.iter();
    versions.map(|found| (found.version.as_deref(), found.binary.rsplit('/').next().unwrap())).collect()
}

#[tokio::test]
async fn versions_side_by_side_are_all_found_and_the_first_decides() {
    let programs = Programs::new()
        .with("alpha", "echo 'Alpha 3.9'")
        .with("alpha3.11", "sleep 0.3; echo 'Alpha 3.11.2'")
        .with("alpha4", "echo 'Alpha 4.0'");
    let commands = ["alpha3.11", "alpha3.12", "alpha4", "alpha"]
        .map(|binary| json!({"binary": binary, "pattern": "Alpha 3"}));
    let verdict = programs.verify(&by_commands(&json!(commands))).await;
    assert_eq!((verdict.command, verdict.version.as_deref()), (Some(0), Some("3.11.2")));
    assert_eq!(versions(&verdict), [(Some("3.11.2"), "alpha3.11"), (Some("3.9"), "alpha")]);
    let failures: Vec<_> =
        verdict.failures.iter().map(|failed| (failed.command, failed.reason.as_str())).collect();
    assert_eq!(
        failures,
        [(1, "`alpha3.12`: it was not found on PATH"), (2, "`alpha4`: its output does not match `Alpha 3`")]
    );
}

#[tokio::test]
async fn one_file_under_two_names_is_one_version_unless_it_says_otherwise() {
    let programs = Programs::new().with("alpha3", TOOL).with("shim", "echo \"Alpha ${0##*/alpha}\"");
    for (name, file) in [("alpha", "alpha3"), ("alpha5.1", "shim"), ("alpha5.2", "shim")] {
        std::os::unix::fs::symlink(programs.file(file), programs.file(name)).unwrap();
    }
    let commands = ["alpha3", "alpha", "alpha5.1", "alpha5.2"].map(|binary| json!({"binary": binary}));
    let verdict = programs.verify(&by_commands(&json!(commands))).await;
    let expected = [(Some("3.9.2"), "alpha3"), (Some("5.1"), "alpha5.1"), (Some("5.2"), "alpha5.2")];
    assert_eq!(versions(&verdict), expected);
}

#[tokio::test]
async fn a_decision_does_not_wait_for_a_command_that_hangs_after_it() {
    let programs = Programs::new().with("alpha", TOOL).with("hang", "sleep 600").with("beta", "echo 4.2");
    let runtime = row(&by_commands(&json!([{"binary": "alpha"}, {"binary": "hang"}, {"binary": "beta"}])));
    let verifier = programs.search(Verifier::new(&limits(Duration::from_mins(10))));
    let verdict = verifier.verify(&runtime, Trust::Nothing).await;
    assert_eq!((verdict.available, verdict.command), (true, Some(0)));
    assert_eq!(versions(&verdict).len(), 2, "{verdict:?}");
    assert_eq!(verdict.failures, []);
}
