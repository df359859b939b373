//! Actions in warm hosts, through the whole service.

use attune_executor::cancel::{Cancelled, cancel_execution};
use serde_json::{Value, json};

use crate::fixture::{Fixture, error, result, state};
use crate::pack;

/// Tells its process, how often its module ran, and its environment.
const COUNTS: &str = "
import os, sys
runs = 0
def run(name):
    global runs
    runs += 1
    print('hello', name)
    sys.stderr.write('done\\n')
    env = {name: value for name, value in os.environ.items() if name.startswith('ATTUNE_')}
    return {'pid': os.getpid(), 'runs': runs, 'env': env}
";
const DOES: &str = "
import os, time
def run(do):
    print('doing', flush=True)
    return eval(do)
";
const AT_LAST: &str = "
import os
def run():
    assert os.environ['ATTUNE_ATTEMPT'] == '2'
    return 'well'
";
const WAITS: &str = "
import time
def run():
    print('waiting', flush=True)
    time.sleep(600)
";

async fn with_action(code: &str) -> Fixture {
    let fixture = Fixture::new().await;
    pack::store_core(fixture.pool()).await;
    fixture.add_action("core.python", code).await;
    fixture.execute("UPDATE action SET isolation = 'warm'").await;
    fixture
}

#[tokio::test]
async fn a_module_lives_on_between_runs_of_a_warm_action() {
    let fixture = with_action(COUNTS).await;
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

#[tokio::test]
async fn what_ends_badly_in_a_host_says_why() {
    let fixture = with_action(DOES).await;
    fixture.execute("UPDATE action SET timeout = 2").await;
    let service = fixture.start().await;
    for (params, expected_state, expected_error) in [
        (json!({"do": "1 // 0"}), "failed", "ZeroDivisionError"),
        (json!({"undo": 1}), "failed", "TypeError"),
        (json!({"do": "os._exit(3)"}), "failed", "its warm host exited with code 3: doing"),
        (json!({"do": "os.kill(os.getpid(), 9)"}), "failed", "its warm host was ended by signal 9: doing"),
        (json!({"do": "time.sleep(60)"}), "timed_out", "it ran longer than its time limit of 2 s"),
        (json!({"do": "'x' * 1_000_001"}), "failed", "its result is larger than 1000000 bytes"),
        (json!({"do": "'x' * 3_000_000"}), "failed", "its result is larger than 1000000 bytes"),
    ] {
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

#[tokio::test]
async fn a_run_that_failed_in_a_host_is_tried_again_by_its_policy() {
    let fixture = with_action(AT_LAST).await;
    fixture.execute(r#"UPDATE action SET retry = '{"max_attempts": 2, "delay": 0.1}'"#).await;
    let service = fixture.start().await;
    let row = fixture.run(json!({})).await;
    assert_eq!((state(&row), result(&row)), ("succeeded".to_owned(), json!("well")));
    service.stop().await;
}

#[tokio::test]
async fn a_run_in_a_host_is_logged_meanwhile_and_can_be_cancelled() {
    let fixture = with_action(WAITS).await;
    let service = fixture.start().await;
    let id = fixture.request(json!({})).await;
    fixture.eventually(&format!("SELECT FROM log WHERE execution = {id} AND data = 'waiting\n'")).await;
    assert_eq!(cancel_execution(fixture.pool(), &fixture.hints, id).await.unwrap(), Cancelled::Asked);
    let row = fixture.ended(id).await;
    assert_eq!(state(&row), "cancelled", "{}", error(&row));
    service.stop().await;
}

#[tokio::test]
async fn an_action_that_demands_a_sandbox_or_limits_shares_no_host() {
    let fixture = with_action(COUNTS).await;
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

#[tokio::test]
async fn an_action_that_is_a_script_runs_by_itself() {
    let fixture = with_action("import sys\nprint(sys.stdin.read())\n").await;
    let service = fixture.start().await;
    let row = fixture.run(json!({"a": 1})).await;
    assert_eq!((state(&row), result(&row)), ("succeeded".to_owned(), json!({"a": 1})));
    service.stop().await;
}
