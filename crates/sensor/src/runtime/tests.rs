//! What polls of real programs give.

use std::future::pending;
use std::os::unix::fs::PermissionsExt as _;

use attune_common::config::Config;
use attune_common::models::Runtime;
use attune_common::repositories::sensor::SensorRow;
use attune_runtimes::tool::Tool;
use serde_json::json;

use super::*;
use crate::definition::CONFINED;

/// A sensor that runs by itself.
pub(crate) fn row() -> SensorRow {
    SensorRow {
        id: 1,
        r#ref: "demo.sensor".to_owned(),
        runtime: Some(1),
        runtime_ref: Some("core.native".to_owned()),
        entrypoint: "sensor".to_owned(),
        config: json!({}),
        param_schema: json!({}),
        mode: "poll".to_owned(),
        isolation: None,
        api: Value::Null,
        max_per_minute: None,
        pause_after: None,
        sandbox: None,
        poll_interval: None,
        timeout: None,
        missed: "skip".to_owned(),
        jitter: None,
        canary: None,
        limits: json!({}),
        pack_digest: None,
        triggers: vec!["demo.trigger".to_owned()],
        version: 0,
        fault: None,
    }
}

fn native(execution: Value) -> Tool {
    let runtime = Runtime {
        id: 1,
        r#ref: "core.native".to_owned(),
        pack: None,
        pack_ref: None,
        description: None,
        name: "Native".to_owned(),
        distributions: json!({"verification": {"always_available": true}}),
        installation: None,
        execution,
        aliases: Vec::new(),
        created: None,
        updated: None,
    };
    Tool::new(&runtime, None, None)
}

async fn poll_as(script: &str, row: SensorRow, execution: Value) -> Result<PollOutput, PollError> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("sensor");
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = Config { cache_dir: directory.path().to_owned(), ..Config::default() };
    let runtime = SensorRuntime::new(Arc::new(Launcher::open(&config).unwrap()), 100_000, 1_000_000_000);
    let job = Job {
        sensor: &Sensor::new(row),
        code: &Code {
            pack: "demo".to_owned(),
            directory: directory.path().to_owned(),
            digest: None,
            tool: Arc::new(native(execution)),
            runtime_pack: None,
        },
        state: &json!({"seen": 7}),
        trigger_params: &json!([]),
        time: Duration::from_secs(1),
        pass: None,
    };
    runtime.poll(&job, pending()).await
}

async fn poll(script: &str) -> Result<PollOutput, PollError> {
    poll_as(script, row(), json!({})).await
}

async fn error(script: &str) -> String {
    poll(script).await.unwrap_err().for_the_record()
}

#[tokio::test]
async fn events_state_and_log_are_told_apart() {
    let output = poll(r#"echo note >&2; echo '{"events": [{"a": 1}, {"a": "\u0000"}], "state": {"n": 2}}'"#)
        .await
        .unwrap();
    assert_eq!(output.events, [json!({"a": 1})]);
    assert_eq!(output.state, Some(json!({"n": 2})));
    assert_eq!(output.rejected.len(), 1);
    assert_eq!(output.log, "note\n");
}

#[tokio::test]
async fn a_poll_knows_its_configuration_and_its_state() {
    let mut row = row();
    row.config = json!({"path": "/x y"});
    let script = r#"echo "{\"events\": [{\"stdin\": $(cat), \"env\": $SENSOR_CONFIG, \"context\": $(cat "$SENSOR_CONTEXT")}]}"
        [ "$(stat -c %a . "$SENSOR_CONTEXT" | tr "\n" " ")" = "700 600 " ]"#;
    let output = poll_as(script, row, json!({})).await.unwrap();
    let event = &output.events[0];
    assert_eq!(event["stdin"], json!({"path": "/x y"}));
    assert_eq!(event["env"], event["stdin"]);
    let context = json!({"ref": "demo.sensor", "sensor": "demo.sensor", "triggers": ["demo.trigger"], "config": {"path": "/x y"},
        "state": {"seen": 7}, "trigger_params": []});
    assert_eq!(event["context"], context);
}

#[tokio::test]
async fn what_is_wrong_with_the_output_is_named() {
    for (script, expected) in [
        ("echo garbage", "not JSON"),
        ("true", "printed nothing"),
        ("echo '{\"events\": [{\"a\":'", "not JSON"),
        ("echo '{\"count\": 1}'", "no `events`"),
        ("printf '\\377\\376'", "not UTF-8"),
        ("printf 'a\\0b'", "not JSON"),
        ("echo broken pump >&2; exit 3", "it exited with code 3: broken pump"),
        ("kill -9 $$", "it was ended by signal 9"),
        ("head -c 200000 /dev/zero | tr '\\0' x", "more than its limit of 100000 bytes"),
        ("echo waiting >&2; sleep 60", "time limit of 1 s: waiting"),
    ] {
        let error = error(script).await;
        assert!(error.contains(expected), "{script}: {error}");
    }
}

#[tokio::test]
async fn a_sensor_is_a_confined_process_and_may_demand_more_or_less() {
    let said = |sandbox: Option<&str>| {
        let row = SensorRow { sandbox: sandbox.map(str::to_owned), ..row() };
        let script = r#"set -- $(grep NoNewPrivs /proc/self/status) $(ls -d /proc/[0-9]* | wc -l)
            echo "{\"events\": [{\"no_new_privileges\": $2, \"sees\": $3}]}""#;
        async { poll_as(script, row, json!({})).await.unwrap().events.remove(0) }
    };
    assert_eq!(said(None).await["no_new_privileges"], 1);
    assert_eq!(said(Some("none")).await["no_new_privileges"], 0);
    for level in attune_process::Level::available().await.into_iter().filter(|level| *level > CONFINED) {
        let event = said(Some(level.as_str())).await;
        assert_eq!(event["no_new_privileges"], 1);
        assert!(event["sees"].as_u64().unwrap() < 8, "{level:?}: {event}");
    }
}

#[tokio::test]
async fn a_poll_keeps_within_its_limits() {
    let limited = |limits| SensorRow { limits, ..row() };
    let files = r#"ulimit -n >&2; echo '{"events": []}'"#;
    let output = poll_as(files, limited(json!({"open_files": 55})), json!({})).await.unwrap();
    assert_eq!(output.log, "55\n");
    for (script, limits, expected) in [
        (
            "echo growing >&2; exec tail /dev/zero",
            json!({"memory": "50M"}),
            "it was killed: it used more memory than its limit of 50 MB: growing",
        ),
        ("echo 0123456789", json!({"output": 5}), "it printed more than its limit of 5 bytes"),
        ("true", json!({"memory": "lots"}), "limits: memory: is a number of bytes"),
    ] {
        let error = poll_as(script, limited(limits), json!({})).await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn events_that_can_not_be_stored_do_not_spoil_their_neighbours() {
    let script = r#"echo '{"events": [{"n": 1}, {"n": NaN}, {"n": 2}]}' | sed 's/NaN/1e999/'
        "#;
    let output = poll(script).await.unwrap();
    assert_eq!(output.events, [json!({"n": 1}), json!({"n": 2})]);
    assert_eq!(output.rejected[0].raw, br#"{"n": 1e999}"#);
}

#[tokio::test]
async fn a_wrapper_reports_events_and_errors() {
    let execution = json!({"protocol": "ndjson"});
    let script = r#"echo '{"type": "event", "payload": {"n": 1}}'; echo '{"type": "state", "state": {"m": 1}}'; echo '{"type": "done"}'"#;
    let output = poll_as(script, row(), execution.clone()).await.unwrap();
    assert_eq!((output.events, output.state), (vec![json!({"n": 1})], Some(json!({"m": 1}))));

    let script = r#"echo '{"type": "error", "message": "no disk", "traceback": "line 3"}'; exit 1"#;
    let error = poll_as(script, row(), execution.clone()).await.unwrap_err();
    assert_eq!(error.for_the_record(), "no disk\nline 3");
    let error = poll_as("exit 1", row(), execution).await.unwrap_err();
    assert_eq!(error.for_the_record(), "it exited with code 1");
}

#[tokio::test]
async fn a_child_that_keeps_the_pipe_open_and_a_closed_stdin_hold_up_nothing() {
    let output = poll("sleep 60 & echo '{\"events\": []}'").await.unwrap();
    assert!(output.events.is_empty());
    let mut row = row();
    row.config = json!({"big": "x".repeat(200_000)});
    let output = poll_as("exec <&-; echo '{\"events\": [{}]}'", row, json!({})).await.unwrap();
    assert_eq!(output.events.len(), 1);
}

#[tokio::test]
async fn a_bad_configuration_runs_nothing() {
    let mut row = row();
    row.param_schema = json!({"required": ["url"]});
    let error = poll_as("exit 9", row, json!({})).await.unwrap_err();
    assert!(matches!(error, PollError::Config(_)), "{error}");
}
