//! Actions in warm hosts, through the whole service.

use attune_executor::cancel::{Cancelled, cancel_execution};
use serde_json::{Value, json};

use crate::fixture::{Fixture, error, result, state};
use crate::pack;

/// A language with a host in the core pack, and the actions of these tests in it.
struct Language {
    runtime: &'static str,
    /// Tells its process, how often its module ran, and its environment.
    counts: &'static str,
    does: &'static str,
    /// What it is told to do, and how that ends.
    ends: &'static [(&'static str, &'static str, &'static str)],
    at_last: &'static str,
    waits: &'static str,
    script: &'static str,
}

const PYTHON: Language = Language {
    runtime: "core.python",
    counts: "
import os, sys
runs = 0
def run(name):
    global runs
    runs += 1
    print('hello', name)
    sys.stderr.write('done\\n')
    env = {name: value for name, value in os.environ.items() if name.startswith('ATTUNE_')}
    return {'pid': os.getpid(), 'runs': runs, 'env': env}
",
    does: "
import os, time
def run(do):
    print('doing', flush=True)
    return eval(do)
",
    ends: &[
        ("1 // 0", "failed", "ZeroDivisionError"),
        ("os._exit(3)", "failed", "its warm host exited with code 3: doing"),
        ("os.kill(os.getpid(), 9)", "failed", "its warm host was ended by signal 9: doing"),
        ("os.closerange(3, 2000)", "failed", "the code closed descriptors that are not its own"),
        ("os.write(1001, b'oops\\n')", "failed", "its warm host said what is no answer"),
        ("time.sleep(60)", "timed_out", "it ran longer than its time limit of 2 s"),
        ("'x' * 1_000_001", "failed", "its result is larger than 1000000 bytes"),
        ("'x' * 3_000_000", "failed", "its result is larger than 1000000 bytes"),
    ],
    at_last: "
import os
def run():
    assert os.environ['ATTUNE_ATTEMPT'] == '2'
    return 'well'
",
    waits: "
import time
def run():
    print('waiting', flush=True)
    time.sleep(600)
",
    script: "import sys\nprint(sys.stdin.read())\n",
};

const NODEJS: Language = Language {
    runtime: "core.nodejs",
    counts: "
let runs = 0;
function run({ name }) {
  runs += 1;
  console.log('hello', name);
  console.error('done');
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('ATTUNE_')));
  return { pid: process.pid, runs, env };
}
",
    does: "
const fs = require('fs');
function run({ do: what }) {
  console.log('doing');
  if (what === undefined) throw new TypeError('nothing to do');
  return eval(what.replace('None', 'null'));
}
",
    ends: &[
        ("nothing.at.all", "failed", "ReferenceError"),
        ("process.reallyExit(3)", "failed", "its warm host exited with code 3: doing"),
        ("process.kill(process.pid, 9)", "failed", "its warm host was ended by signal 9: doing"),
        (
            "for (let n = 256; n < 300; n++) try { fs.closeSync(n) } catch {}",
            "failed",
            "the code closed descriptors that are not its own",
        ),
        (
            "for (let n = 256; n < 300; n++) try { fs.writeSync(n, 'oops\\n') } catch {}",
            "failed",
            "its warm host said what is no answer",
        ),
        ("for (;;);", "timed_out", "it ran longer than its time limit of 2 s"),
        ("'x'.repeat(1_000_001)", "failed", "its result is larger than 1000000 bytes"),
        ("'x'.repeat(3_000_000)", "failed", "its result is larger than 1000000 bytes"),
    ],
    at_last: "
function run() {
  if (process.env.ATTUNE_ATTEMPT !== '2') throw new Error('not yet');
  return 'well';
}
",
    waits: "
function run() {
  console.log('waiting');
  return new Promise((resolve) => setTimeout(resolve, 600_000));
}
",
    script: "console.log(require('fs').readFileSync(0, 'utf8'));\n",
};

/// Makes a test of each function for each language.
macro_rules! in_each_language {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            #[tokio::test]
            async fn python() {
                super::$name(&super::PYTHON).await;
            }
            #[tokio::test]
            async fn nodejs() {
                super::$name(&super::NODEJS).await;
            }
        }
    )*};
}

in_each_language!(
    a_module_lives_on_between_runs_of_a_warm_action,
    what_ends_badly_in_a_host_says_why,
    a_run_that_failed_in_a_host_is_tried_again_by_its_policy,
    a_run_in_a_host_is_logged_meanwhile_and_can_be_cancelled,
    an_action_that_demands_a_sandbox_or_limits_shares_no_host,
    an_action_that_is_a_script_runs_by_itself,
);

async fn with_action(language: &Language, code: &str) -> Fixture {
    let fixture = Fixture::new().await;
    pack::store_core(fixture.pool()).await;
    fixture.add_action(language.runtime, code).await;
    fixture.execute("UPDATE action SET isolation = 'warm'").await;
    fixture
}

async fn a_module_lives_on_between_runs_of_a_warm_action(language: &Language) {
    let fixture = with_action(language, language.counts).await;
    let service = fixture.start().await;
    let mut processes = Vec::new();
    for runs in 1..=3 {
        let id = fixture.request(json!({"name": "you"})).await;
        let row = fixture.ended(id).await;
        assert_eq!(state(&row), "succeeded", "{}", error(&row));
        let result = result(&row);
        let env = json!({"ATTUNE_EXECUTION_ID": id.to_string(), "ATTUNE_ACTION": "demo.act",
            "ATTUNE_PACK": "demo", "ATTUNE_RULE": "", "ATTUNE_TRIGGER": "", "ATTUNE_ATTEMPT": "1"});
        assert_eq!((&result["runs"], &result["env"]), (&json!(runs), &env));
        assert_eq!(fixture.log(id).await, "hello you\ndone\n");
        processes.push(result["pid"].clone());
    }
    assert_eq!(processes[1..], [processes[0].clone(), processes[0].clone()]);
    fixture.execute("UPDATE action SET isolation = NULL").await;
    assert_eq!(result(&fixture.run(json!({"name": "you"})).await)["runs"], 1);
    service.stop().await;
}

async fn what_ends_badly_in_a_host_says_why(language: &Language) {
    let fixture = with_action(language, language.does).await;
    fixture.execute("UPDATE action SET timeout = 2").await;
    let service = fixture.start().await;
    let told = language.ends.iter().map(|(what, state, error)| (json!({"do": what}), *state, *error));
    for (params, expected_state, expected_error) in told.chain([(json!({"undo": 1}), "failed", "TypeError")])
    {
        let row = fixture.run(params.clone()).await;
        let error = error(&row);
        assert!(state(&row) == expected_state && error.contains(expected_error), "{params}: {error}");
    }
    for (code, expected) in [("None", Value::Null), ("'text'", json!("text")), ("[1, 2.5]", json!([1, 2.5]))]
    {
        let row = fixture.run(json!({"do": code})).await;
        assert_eq!((state(&row), result(&row)), ("succeeded".to_owned(), expected), "{code}");
    }
    service.stop().await;
}

async fn a_run_that_failed_in_a_host_is_tried_again_by_its_policy(language: &Language) {
    let fixture = with_action(language, language.at_last).await;
    fixture.execute(r#"UPDATE action SET retry = '{"max_attempts": 2, "delay": 0.1}'"#).await;
    let service = fixture.start().await;
    let row = fixture.run(json!({})).await;
    assert_eq!((state(&row), result(&row)), ("succeeded".to_owned(), json!("well")));
    service.stop().await;
}

async fn a_run_in_a_host_is_logged_meanwhile_and_can_be_cancelled(language: &Language) {
    let fixture = with_action(language, language.waits).await;
    let service = fixture.start().await;
    let id = fixture.request(json!({})).await;
    fixture.eventually(&format!("SELECT FROM log WHERE execution = {id} AND data = 'waiting\n'")).await;
    assert_eq!(cancel_execution(fixture.pool(), &fixture.hints, id).await.unwrap(), Cancelled::Asked);
    let row = fixture.ended(id).await;
    assert_eq!(state(&row), "cancelled", "{}", error(&row));
    service.stop().await;
}

async fn an_action_that_demands_a_sandbox_or_limits_shares_no_host(language: &Language) {
    let fixture = with_action(language, language.counts).await;
    let service = fixture.start().await;
    let first = result(&fixture.run(json!({"name": "you"})).await)["pid"].clone();
    for columns in ["sandbox = 'process'", r#"sandbox = NULL, limits = '{"open_files": 77}'"#] {
        fixture.execute(&format!("UPDATE action SET {columns}")).await;
        let result = result(&fixture.run(json!({"name": "you"})).await);
        assert_eq!(result["runs"], 1, "{columns}");
        assert_ne!(result["pid"], first, "{columns}");
    }
    service.stop().await;
}

async fn an_action_that_is_a_script_runs_by_itself(language: &Language) {
    let fixture = with_action(language, language.script).await;
    let service = fixture.start().await;
    let row = fixture.run(json!({"a": 1})).await;
    assert_eq!((state(&row), result(&row)), ("succeeded".to_owned(), json!({"a": 1})));
    service.stop().await;
}
