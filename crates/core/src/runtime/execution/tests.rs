//! What a row may say, and where it is wrong.

use serde_json::json;

use super::reader::{MAX_ITEMS, MAX_LENGTH};
use super::*;

fn argv(column: &Value, binary: Option<&str>, pack: Option<&str>) -> Vec<OsString> {
    Execution::parse(column)
        .unwrap()
        .argv(binary.map(Path::new), pack.map(Path::new), Path::new("/p/x"))
        .unwrap()
}

#[test]
fn an_empty_row_runs_for_both_roles() {
    let execution = Execution::parse(&json!({})).unwrap();
    assert!(execution.allows(Role::Action) && execution.allows(Role::Sensor));
    assert_eq!(execution.protocol, Protocol::Plain);
    assert_eq!(argv(&json!({}), None, None), ["/p/x"]);
    assert_eq!(argv(&json!({}), Some("/bin/ruby"), None), ["/bin/ruby", "/p/x"]);
}

#[test]
fn arguments_stand_before_the_entrypoint_and_find_their_pack() {
    let column = json!({"args": ["-u", "{pack}/run:{pack}"], "protocol": "ndjson"});
    assert_eq!(argv(&column, Some("/bin/a"), Some("/c")), ["/bin/a", "-u", "/c/run:/c", "/p/x"]);
    let execution = Execution::parse(&column).unwrap();
    assert!(execution.needs_pack());
    assert_eq!(execution.argv(Some(Path::new("/bin/a")), None, Path::new("x")), Err(NoPackContent));
}

#[test]
fn a_binary_is_a_text_or_a_list() {
    for (column, names) in [(json!("a"), vec!["a"]), (json!(["b", "/c/d"]), vec!["b", "/c/d"])] {
        assert_eq!(Execution::parse(&json!({"binary": column})).unwrap().binary, names);
    }
}

#[test]
fn every_fault_says_where() {
    let many = vec!["x"; MAX_ITEMS + 1];
    for (column, at) in [
        (json!([]), ""),
        (json!(null), ""),
        (json!({"arg": []}), "arg"),
        (json!({"binary": 1}), "binary"),
        (json!({"binary": ""}), "binary"),
        (json!({"binary": "./x"}), "binary"),
        (json!({"binary": ["a", "b/c"]}), "binary"),
        (json!({"binary": "a\0b"}), "binary"),
        (json!({"args": "-u"}), "args"),
        (json!({"args": ["a", 1]}), "args[1]"),
        (json!({"args": ["\0"]}), "args[0]"),
        (json!({"args": many}), "args"),
        (json!({"args": ["x".repeat(MAX_LENGTH + 1)]}), "args[0]"),
        (json!({"roles": ["cook"]}), "roles"),
        (json!({"protocol": "xml"}), "protocol"),
        (json!({"protocol": 1}), "protocol"),
        (json!({"env_allow": ["A=B"]}), "env_allow"),
        (json!({"variables": ["A=B"]}), "variables"),
        (json!({"variables": {"A=B": "1"}}), "variables.A=B"),
        (json!({"variables": {"A": 1}}), "variables.A"),
        (json!({"variables": {"A": "\0"}}), "variables.A"),
        (json!({"variables": {"A": "x".repeat(MAX_LENGTH + 1)}}), "variables.A"),
        (json!({"env_allow": ["A".repeat(MAX_LENGTH + 1)]}), "env_allow[0]"),
        (json!({"env_allow": [""]}), "env_allow"),
        (json!({"extensions": [".rb"]}), "extensions"),
        (json!({"template": 1}), "template"),
        (json!({"resolve": ["-c"]}), "resolve"),
        (json!({"resolve": {}}), "resolve.args"),
        (json!({"resolve": {"arg": []}}), "resolve.arg"),
        (json!({"host": []}), "host"),
        (json!({"host": {"polls": 1}}), "host.args"),
        (json!({"host": {"args": []}}), "host.args"),
        (json!({"host": {"args": ["a", 1]}}), "host.args[1]"),
        (json!({"host": {"args": ["a"], "polls": 0}}), "host.polls"),
        (json!({"host": {"args": ["a"], "modules": "many"}}), "host.modules"),
        (json!({"host": {"args": ["a"], "poll": 1}}), "host.poll"),
        (
            json!({"environment": {"manifest": "a/b", "build": [{"commands": [["x"]]}]}}),
            "environment.manifest",
        ),
    ] {
        let fault = Execution::parse(&column).unwrap_err();
        assert_eq!(fault.at(), at, "{column}: {fault}");
    }
}

#[test]
fn the_row_of_the_migrations_is_accepted_and_null_counts_as_left_out() {
    let sensor_only = Execution::parse(&json!({"roles": ["sensor"]})).unwrap();
    assert!(!sensor_only.allows(Role::Action));
    let null = Execution::parse(&json!({"host": null, "resolve": null})).unwrap();
    assert_eq!((null.host, null.resolve), (None, None));
}

#[test]
fn a_host_finds_its_pack_and_has_numbers_of_its_own() {
    let column = json!({"host": {"args": ["-u", "{pack}/host"], "modules": 7}});
    let execution = Execution::parse(&column).unwrap();
    assert!(execution.needs_pack());
    let argv = |pack: Option<&str>| execution.host_argv(Some(Path::new("/bin/a")), pack.map(Path::new));
    let expected = ["/bin/a", "-u", "/c/host", "7"].map(OsString::from).to_vec();
    assert_eq!((argv(Some("/c")), argv(None)), (Ok(Some(expected)), Err(NoPackContent)));
    assert_eq!(execution.host.unwrap().polls, 100_000);
    assert_eq!(Execution::parse(&json!({})).unwrap().host_argv(None, None), Ok(None));
}

#[test]
fn the_real_interpreter_is_asked_for_with_arguments() {
    let execution = Execution::parse(&json!({"resolve": {"args": ["-c", "print(1)"]}})).unwrap();
    assert_eq!(execution.resolve, Some(vec!["-c".to_owned(), "print(1)".to_owned()]));
}
