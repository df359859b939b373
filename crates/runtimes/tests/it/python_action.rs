//! The wrapper of the core pack, running actions.

use serde_json::{Value, json};

use crate::program::Script;

fn result(stdout: &str) -> Value {
    serde_json::from_str(stdout).unwrap()
}

#[test]
fn run_gets_the_parameters_and_its_value_is_the_result() {
    let script = Script::new("def run(a, b=2, **rest):\n    print('log')\n    return [a, b, rest]\n");
    let done = script.action(&json!({"a": "\u{fc}", "c": 1}));
    assert_eq!((done.code, result(&done.stdout)), (Some(0), json!(["\u{fc}", 2, {"c": 1}])));
    assert_eq!(done.log, "log\n");
}

#[test]
fn prints_of_children_and_of_the_module_are_log_too() {
    let source = "import os, subprocess\nprint('module')\ndef run():\n    os.system('echo one')\n    \
                  subprocess.run(['echo', 'two'])\n    os.write(1, b'three\\n')\n    return 1\n";
    let done = Script::new(source).action(&json!({}));
    assert_eq!((done.stdout.as_str(), done.log.as_str()), ("1\n", "module\none\ntwo\nthree\n"));
}

#[test]
fn async_and_no_value_and_times_work() {
    let source = "import asyncio, datetime\nasync def run(n):\n    await asyncio.sleep(0)\n    \
                  return datetime.datetime(2026, 1, n) if n else None\n";
    let script = Script::new(source);
    assert_eq!(script.action(&json!({"n": 2})).stdout, "\"2026-01-02T00:00:00\"\n");
    assert_eq!(script.action(&json!({"n": 0})).stdout, "");
}

#[test]
fn a_script_reads_stdin_and_prints_its_result() {
    let source = "import json, sys\ndef main():\n    print(json.load(sys.stdin)['a'], __name__, len(sys.argv))\n    \
                  sys.exit(3)\nif __name__ == '__main__':\n    main()\n";
    let done = Script::new(source).action(&json!({"a": "x"}));
    assert_eq!((done.code, done.stdout.as_str()), (Some(3), "x __main__ 1\n"));
}

#[test]
fn the_authors_own_tries_do_not_run() {
    let source =
        "def run():\n    return __name__\nif __name__ == '__main__':\n    raise SystemExit('tried')\n";
    assert_eq!(Script::new(source).action(&json!({})).stdout, "\"attune_code\"\n");
}

#[test]
fn modules_beside_it_are_found() {
    let script = Script::new(
        "import beside, sys, dataclasses\n@dataclasses.dataclass\nclass D:\n    a: int\n\
                              def run():\n    return [beside.X, sys.argv == [__file__]]\n",
    );
    std::fs::write(script.directory.path().join("beside.py"), "X = 5\n").unwrap();
    assert_eq!(result(&script.action(&json!({})).stdout), json!([5, true]));
}

#[test]
fn errors_show_the_authors_frames_only() {
    let script = Script::new("def run():\n    return inner()\ndef inner():\n    raise ValueError('no')\n");
    let done = script.action(&json!({}));
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""));
    let path = script.path.display();
    assert!(done.log.contains(&format!("File \"{path}\", line 4, in inner\n")), "{}", done.log);
    assert!(done.log.ends_with("ValueError: no\n") && !done.log.contains("run.py"), "{}", done.log);
}

#[test]
fn what_is_no_json_is_an_error_that_names_the_type() {
    let done = Script::new("def run():\n    return {'a': {1}}\n").action(&json!({}));
    assert_eq!(done.log, "the result can not be JSON: it holds a value of the type builtins.set\n");
    let done = Script::new("def run():\n    return float('nan')\n").action(&json!({}));
    assert!(done.code == Some(1) && done.log.starts_with("the result can not be JSON"), "{}", done.log);
}
