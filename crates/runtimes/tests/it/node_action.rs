//! The wrapper of the core pack for JavaScript, running actions.

use serde_json::{Value, json};

use crate::program::{Finished, Script};

fn act(source: &str, params: &Value) -> Finished {
    Script::named("code.js", source).action(params)
}

#[test]
fn run_gets_the_parameters_and_its_value_is_the_result() {
    for source in [
        "function run({a, b = 2, ...rest}) { console.log('log'); return [a, b, rest]; }",
        "const run = async ({a, b = 2, ...rest}) => { console.log('log'); return [a, b, rest]; };",
        "exports.run = async ({a, b = 2, ...rest}) => { console.log('log'); return [a, b, rest]; };",
        "export async function run({a, b = 2, ...rest}) { console.log('log'); return [a, b, rest]; }",
        "import 'os';\nconst run = ({a, b = 2, ...rest}) => { console.log('log'); return [a, b, rest]; };",
    ] {
        let done = act(source, &json!({"a": "\u{fc}", "c": 1}));
        assert_eq!((done.code, done.stdout.as_str()), (Some(0), "[\"\u{fc}\",2,{\"c\":1}]\n"), "{source}");
        assert_eq!(done.log, "log\n");
    }
}

#[test]
fn no_value_is_no_result_and_what_is_left_open_keeps_nobody_waiting() {
    for value in ["null", "undefined"] {
        let source = format!("async function run() {{ setInterval(() => {{}}, 1000); return {value}; }}");
        let done = act(&source, &json!({}));
        assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""));
    }
}

#[test]
fn a_script_reads_stdin_and_prints_its_result() {
    let source = "const params = JSON.parse(require('fs').readFileSync(0));\nfunction main() {\n  function run() {}\n  \
                  console.log(params.a, process.argv.length);\n  process.exitCode = 3;\n}\nif (require.main === module) main();\n";
    let done = act(source, &json!({"a": "x"}));
    assert_eq!((done.code, done.stdout.as_str(), done.log.as_str()), (Some(3), "x 2\n", ""));
    let source = "import { text } from 'node:stream/consumers';\nconsole.log(await text(process.stdin));\n";
    assert_eq!(act(source, &json!({"a": "x"})).stdout, "{\"a\":\"x\"}\n");
    let named = "// exports what it finds, and a run of it too\nconsole.log(typeof run);";
    assert_eq!(act(named, &json!({})).stdout, "undefined\n");
    assert_eq!(act("setTimeout(() => console.log('late'));", &json!({})).stdout, "late\n");
}

#[test]
fn the_authors_own_tries_do_not_run() {
    let source = "function run() { return 1; }\nif (require.main === module) throw new Error('tried');";
    assert_eq!(act(source, &json!({})).stdout, "1\n");
    let source = "import { pathToFileURL } from 'url';\nexport function run() { return 1; }\n\
                  if (import.meta.url === pathToFileURL(process.argv[1]).href) throw new Error('tried');";
    assert_eq!(act(source, &json!({})).stdout, "1\n");
}

#[test]
fn errors_show_the_authors_frames_only() {
    for name in ["code.cjs", "code.mjs"] {
        let source =
            "async function run() {\n  return inner();\n}\nfunction inner() {\n  throw new Error('no');\n}";
        let script = Script::named(name, source);
        let done = script.action(&json!({}));
        assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""));
        let path = script.path.display();
        let expected = format!("Error: no\n    at inner ({path}:5:9)\n    at run ({path}:2:10)\n");
        assert_eq!(done.log.replace("file://", ""), expected);
    }
    let done = act("function run( {", &json!({}));
    assert!(done.code == Some(1) && done.log.contains("code.js:1\n"), "{}", done.log);
    let done = act("throw new Error('script');", &json!({}));
    assert!(done.code == Some(1) && done.log.ends_with("code.js:1:7)\n"), "{}", done.log);
}

#[test]
fn what_is_no_json_is_an_error_that_names_it() {
    for (value, reason) in [
        ("{a: new Set()}", "it holds, as \"a\", a Set; Array.from makes an array of it"),
        ("NaN", "it is NaN"),
        ("(function* () {})()", "it is a generator; Array.from makes an array of it"),
    ] {
        let done = act(&format!("function run() {{ return {value}; }}"), &json!({}));
        assert_eq!(done.log, format!("the result can not be JSON: {reason}\n"));
        assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""));
    }
}

#[test]
fn its_exit_code_is_its_own_and_a_promise_without_end_is_an_error() {
    let done = act("function run() { process.exit(7); }", &json!({}));
    assert_eq!((done.code, done.stdout.as_str()), (Some(7), ""));
    let done = act("async function run() { await new Promise(() => {}); }", &json!({}));
    assert_eq!(done.code, Some(1));
    assert_eq!(done.log, "run waits for a promise that nothing can settle any more\n");
}
