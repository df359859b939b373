//! Completion in a real bash, driven as readline does it.

use crate::home::Home;
use crate::pack;

/// Prints the candidates for the last of the words.
const DRIVER: &str = r#"
attune() { command "$ATTUNE" "$@"; }
source <(attune completion bash) || exit 1
function_of() { local words; read -ra words <<< "$(complete -p attune)"; while [[ ${words[0]} != -F ]]; do words=("${words[@]:1}"); done; echo "${words[1]}"; }
COMP_WORDS=(attune "$@"); COMP_CWORD=$#; COMP_TYPE=9
"$(function_of)" attune "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

fn candidates(home: &Home, words: &[&str]) -> Vec<String> {
    let attune = home.command::<&str>(&[]);
    let mut bash = std::process::Command::new("bash");
    bash.args(["--norc", "-c", DRIVER, "bash"]).args(words).env_clear().current_dir(home.path());
    bash.envs(attune.get_envs().filter_map(|(name, value)| Some((name, value?))));
    bash.env("ATTUNE", attune.get_program()).env("ATTUNE__DATA_DIR", home.data_dir());
    let answer = home.answer(bash);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""), "{words:?}: {}", answer.stdout);
    answer.stdout.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[test]
fn commands_options_and_names_are_completed() {
    let (home, _database) = Home::with_database();
    pack::write(home.path(), "demo", &pack::DEMO);
    let up = home.up(&["--packs", "demo"]);
    assert_eq!(candidates(&home, &["exec"]), ["execution"]);
    assert_eq!(candidates(&home, &["rule", "en"]), ["enable"]);
    assert_eq!(candidates(&home, &["pack", "diff", "--exit"]), ["--exit-code"]);
    assert_eq!(candidates(&home, &["rule", "disable", "demo."]), ["demo.loud_note", "demo.repeat_note"]);
    assert_eq!(candidates(&home, &["rule", "enable", "demo.loud_note", "demo.r"]), ["demo.repeat_note"]);
    assert_eq!(candidates(&home, &["action", "run", "demo.f"]), ["demo.fail"]);
    assert_eq!(candidates(&home, &["event", "send", "demo.n"]), ["demo.note"]);
    assert_eq!(candidates(&home, &["pack", "show", ""])[..2], ["core", "demo"]);
    assert_eq!(candidates(&home, &["worker", "show", "s"]), ["sensor-test"]);
    assert_eq!(candidates(&home, &["rule", "list", "--where", "trig"]), ["trigger_ref="]);
    // By the API that the line names, wherever it is named.
    assert_eq!(candidates(&home, &["--api-url", &up.url, "sensor", "show", "d"]), ["demo.look"]);
    assert_eq!(candidates(&home, &["--api-url", "http://127.0.0.1:1", "sensor", "show", "d"]), [""; 0]);
}

#[test]
fn where_nothing_runs_commands_are_completed_all_the_same() {
    let home = Home::new();
    assert_eq!(candidates(&home, &["sensor", "sh"]), ["show"]);
    assert_eq!(candidates(&home, &["sensor", "show", "d"]), [""; 0]);
    for shell in ["zsh", "fish"] {
        let script = home.answer(home.command(&["completion", shell]));
        assert!(script.code == 0 && script.stdout.contains("ATTUNE_COMPLETE"), "{script}");
    }
}
