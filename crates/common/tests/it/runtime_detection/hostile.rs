//! Rows that somebody wrote by mistake or in anger. Each is unavailable for a reason, and none harms another.

use std::path::Path;
use std::time::Duration;

use attune_common::runtime_detection::{Trust, Verdict, Verifier};
use serde_json::{Value, json};

use super::programs::{Programs, by_commands, limits, row};

/// The verdict on a hostile command that comes before a sound one.
async fn before_a_sound_one(programs: Programs, command: Value) -> Verdict {
    let programs = programs.with("sound", "echo 1.0");
    let rows =
        [row(&by_commands(&json!([command, {"binary": "sound"}]))), row(&by_commands(&json!([command])))];
    let verifier = programs.search(Verifier::new(&limits(Duration::from_millis(300))));
    let [followed, alone] = verifier.verify_all(&rows, Trust::Nothing).await.try_into().unwrap();
    // A loaded machine may not manage the sound one in this time; but then it says that, and nothing else.
    assert!(
        followed.available || followed.reason.as_ref().unwrap().contains("`sound`: it ran longer"),
        "{followed:?}"
    );
    assert!(!alone.available);
    alone
}

async fn reason(command: Value) -> String {
    before_a_sound_one(Programs::new(), command).await.reason.unwrap()
}

#[tokio::test]
async fn a_pattern_that_is_no_regex() {
    let command = json!({"binary": "sound", "pattern": "a("});
    assert_eq!(reason(command).await, "command 0: `pattern` is not a regular expression: unclosed group");
}

#[tokio::test]
async fn a_relative_path() {
    let expected = "command 0: `binary` \"./sound\" is a relative path: give a name or an absolute path";
    assert_eq!(reason(json!({"binary": "./sound"})).await, expected);
}

#[tokio::test]
async fn a_binary_that_is_a_directory() {
    assert_eq!(reason(json!({"binary": "/usr"})).await, "`/usr`: there is no program at this path");
    let programs = Programs::new();
    std::fs::create_dir(programs.file("folder")).unwrap();
    let verdict = before_a_sound_one(programs, json!({"binary": "folder"})).await;
    assert_eq!(verdict.reason.unwrap(), "`folder`: it was not found on PATH");
}

#[tokio::test]
async fn a_nul_byte() {
    assert_eq!(
        reason(json!({"binary": "sound", "args": ["a\0b"]})).await,
        "command 0: `args` holds a NUL byte"
    );
    assert_eq!(reason(json!({"binary": "so\0und"})).await, "command 0: `binary` holds a NUL byte");
}

#[tokio::test]
async fn a_command_that_hangs() {
    let programs = Programs::new().with("hang", "sleep 600");
    let verdict = before_a_sound_one(programs, json!({"binary": "hang"})).await;
    assert_eq!(verdict.reason.unwrap(), "`hang`: it ran longer than its time limit");
}

#[tokio::test]
async fn a_command_that_ignores_the_end() {
    let programs = Programs::new().with("hang", "trap '' TERM; sleep 600; sleep 600");
    let verdict = before_a_sound_one(programs, json!({"binary": "hang"})).await;
    assert_eq!(verdict.reason.unwrap(), "`hang`: it ran longer than its time limit");
}

#[tokio::test]
async fn a_command_that_floods() {
    for stream in ["stdout", "stderr"] {
        let programs = Programs::new().with("flood", &format!("exec cat /dev/zero > /dev/{stream}"));
        let verifier = programs.search(Verifier::new(&limits(Duration::from_mins(1))));
        let verdict =
            verifier.verify(&row(&by_commands(&json!([{"binary": "flood"}]))), Trust::Nothing).await;
        assert_eq!(verdict.reason.unwrap(), format!("`flood`: it wrote more than its limit to {stream}"));
    }
}

#[tokio::test]
async fn a_file_that_is_no_program() {
    let programs = Programs::new().with("text", "");
    std::fs::write(programs.file("text"), [0, 1, 2, 3]).unwrap();
    let verdict = before_a_sound_one(programs, json!({"binary": "text"})).await;
    assert!(verdict.reason.unwrap().starts_with("`text`: it could not be started: "));
}

#[tokio::test]
async fn a_command_that_a_signal_ends() {
    let programs = Programs::new().with("crash", "kill -KILL $$");
    let verdict = programs.verify_command(json!({"binary": "crash"})).await;
    assert_eq!(verdict.reason.unwrap(), "`crash`: it was ended by signal 9");
}

#[tokio::test]
async fn commands_that_hang_do_not_keep_a_later_one_from_being_asked() {
    let programs = Programs::new().with("hang", "sleep 600").with("answer", "echo 1.2");
    let mut commands = vec![json!({"binary": "hang"}); 6];
    commands.push(json!({"binary": "answer"}));
    let verifier = programs.search(Verifier::new(&limits(Duration::from_millis(500))));
    let verdict = verifier.verify(&row(&by_commands(&json!(commands))), Trust::Nothing).await;
    assert!(verdict.available, "{verdict:?}");
}

#[tokio::test]
async fn a_thousand_commands_that_hang() {
    let programs = Programs::new().with("hang", "sleep 600");
    let commands = vec![json!({"binary": "hang"}); 1000];
    let verifier = programs.search(Verifier::new(&limits(Duration::from_millis(100))));
    let verdict = verifier.verify(&row(&by_commands(&json!(commands))), Trust::Nothing).await;
    assert!(verdict.reason.unwrap().ends_with("968 more were not tried: 32 are the most"));
}

#[tokio::test]
async fn a_thousand_commands_that_can_not_be_run() {
    let commands: Vec<_> = (0..1000).map(|n| json!({"binary": format!("./{n}"), "args": ["\0"]})).collect();
    let verdict = Programs::new().verify(&by_commands(&json!(commands))).await;
    assert_eq!(verdict.failures.len(), 32);
    assert!(verdict.reason.unwrap().ends_with("968 more were not tried: 32 are the most"));
}

#[tokio::test]
async fn a_command_that_forks_and_hangs_leaves_nobody_behind() {
    let lines = "echo $$ > \"$0.pids\"; (trap '' TERM HUP; exec sleep 601) & echo $! >> \"$0.pids\"; wait";
    let programs = Programs::new().with("fork", lines);
    let verifier = programs.search(Verifier::new(&limits(Duration::from_secs(1))));
    let verdict = verifier.verify(&row(&by_commands(&json!([{"binary": "fork"}]))), Trust::Nothing).await;
    assert_eq!(verdict.reason.unwrap(), "`fork`: it ran longer than its time limit");
    let pids = std::fs::read_to_string(programs.file("fork.pids")).unwrap();
    assert_eq!(pids.lines().count(), 2);
    let alive: Vec<_> = pids.lines().filter(|pid| Path::new("/proc").join(pid).exists()).collect();
    assert_eq!(alive, [""; 0]);
}

#[tokio::test]
async fn a_child_that_keeps_the_output_open_does_not_keep_the_answer() {
    let programs = Programs::new().with("daemon", "(sleep 601) & echo 1.2");
    let verdict = programs.verify_command(json!({"binary": "daemon"})).await;
    assert_eq!(verdict.version.as_deref(), Some("1.2"), "{verdict:?}");
}

#[tokio::test]
async fn patterns_that_ruin_other_engines() {
    let programs = Programs::new().with("alpha", "printf '%030000d!' 0 | tr 0 a");
    for pattern in ["(a+)+$", "(a|aa)+$", "(a*)*b", "(.*a){25}x", "^(([a-z])+.)+[A-Z]([a-z])+$"] {
        let verdict = programs.verify_command(json!({"binary": "alpha", "pattern": pattern})).await;
        assert_eq!(verdict.reason.unwrap(), format!("`alpha`: its output does not match `{pattern}`"));
    }
    for pattern in ["(a{1000}){1000}{1000}", "\\p{L}{5000}{5000}", "((((a{99}){99}){99}){99})"] {
        let reason =
            programs.verify_command(json!({"binary": "alpha", "pattern": pattern})).await.reason.unwrap();
        assert!(reason.starts_with("command 0: `pattern` is not a regular expression: "), "{reason}");
    }
}

#[tokio::test]
async fn output_that_is_no_text() {
    let programs = Programs::new().with("alpha", r"printf '\377\376 Alpha 1.2\n'");
    let verdict = programs.verify_command(json!({"binary": "alpha", "pattern": "Alpha"})).await;
    assert_eq!(verdict.version.as_deref(), Some("1.2"));
}

#[tokio::test]
async fn columns_of_every_other_shape() {
    let shapes = [
        json!(null),
        json!(7),
        json!("text"),
        json!([]),
        json!({"verification": null}),
        json!({"verification": []}),
        json!({"verification": {"commands": "alpha --version"}}),
        json!({"verification": {"commands": {"binary": "alpha"}}}),
        json!({"verification": {"commands": []}}),
        json!({"verification": {"commands": [null, 7, "alpha", []]}}),
        json!({"verification": {"always_available": "yes"}}),
        json!({"verification": {"commands": [{"binary": {"name": "alpha"}}]}}),
        json!({"verification": {"commands": [{"binary": "alpha", "args": {"0": "x"}}]}}),
        json!({"verification": {"commands": [[{"binary": "alpha"}]]}}),
        json!({"verification": {"verification": {"always_available": true}}}),
        json!([{"verification": {"always_available": true}}]),
        json!({"Verification": {"always_available": true}}),
        json!({"verification": {"check_required": null}, "min_version": {"at": "least"}}),
    ];
    for shape in shapes {
        let verdict = Programs::new().verify(&shape).await;
        assert!(!verdict.available && verdict.reason.is_some(), "{shape}");
    }
}
