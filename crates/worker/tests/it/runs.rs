//! What becomes of one execution.

use serde_json::{Value, json};

use crate::fixture::{Fixture, error, result, state};
use crate::pack;

const ECHO: &str = r#"#!/bin/sh
echo "to the log" >&2
printf '{"params": %s, "env": ["%s", "%s", "%s", "%s", "%s", "%s"], "secret": "%s", "alone": "%s"}' "$(cat)" \
    "$ATTUNE_EXECUTION_ID" "$ATTUNE_ACTION" "$ATTUNE_PACK" "$ATTUNE_RULE" "$ATTUNE_TRIGGER" "$ATTUNE_ATTEMPT" \
    "$DATABASE_URL" "$(ls -A)"
"#;

#[tokio::test]
async fn a_shell_action_gets_its_parameters_and_its_result_is_kept() {
    let fixture = Fixture::with_action("core.shell", ECHO).await;
    let service = fixture.start().await;
    let id = fixture.request(json!({"name": "a\"b", "n": 1})).await;
    let row = fixture.ended(id).await;
    assert_eq!(state(&row), "succeeded", "{}", error(&row));
    let expected = json!({
        "params": {"name": "a\"b", "n": 1},
        "env": [id.to_string(), "demo.act", "demo", "", "", "1"],
        "secret": "", "alone": "",
    });
    assert_eq!(result(&row), expected);
    assert_eq!(fixture.log(id).await, "to the log\n");
    service.stop().await;
    let left: Vec<_> = walk(fixture.cache.path()).into_iter().filter(|path| path.contains("/run-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn the_variables_of_the_runtimes_row_hold_whatever_the_worker_has() {
    let script = "#!/bin/sh\nprintf '[\"%s\", \"%s\"]' \"$COLOUR\" \"$HOME\"\n";
    let fixture = Fixture::with_action("core.shell", script).await;
    fixture
        .execute(
            r#"UPDATE runtime SET execution = execution || '{"variables": {"COLOUR": "deep {blue}", "HOME": "/mars"}}'
               WHERE ref = 'core.shell'"#,
        )
        .await;
    let service = fixture.start().await;
    let row = fixture.run(json!({})).await;
    assert_eq!((state(&row).as_str(), result(&row)), ("succeeded", json!(["deep {blue}", "/mars"])));
    service.stop().await;
}

fn walk(directory: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| [walk(&entry.path()), vec![entry.path().display().to_string()]].concat())
        .collect()
}

#[tokio::test]
async fn what_ends_badly_says_why() {
    let script = "#!/bin/sh\neval \"$(sed 's/^\\[\"//; s/\"\\]$//')\"\n";
    let fixture = Fixture::with_action("core.shell", script).await;
    fixture.execute("UPDATE action SET timeout = 1").await;
    let service = fixture.start().await;
    for (command, expected_state, expected_error) in [
        ("echo no disk >&2; exit 3", "failed", "it exited with code 3: no disk"),
        ("kill -9 $$", "failed", "it was ended by signal 9"),
        ("sleep 60", "timed_out", "it ran longer than its time limit of 1 s"),
        ("head -c 1100000 /dev/zero", "failed", "its result is larger than 1000000 bytes"),
    ] {
        let row = fixture.run(json!([command])).await;
        assert_eq!(
            (state(&row).as_str(), error(&row).as_str()),
            (expected_state, expected_error),
            "{command}"
        );
    }
    for (command, expected) in [
        ("echo text", json!("text")),
        ("printf 1; head -c 1 /dev/zero; printf 2", json!("1\\02")),
        ("true", Value::Null),
    ] {
        let row = fixture.run(json!([command])).await;
        assert_eq!((state(&row), result(&row)), ("succeeded".to_owned(), expected), "{command}");
    }
    service.stop().await;
}

#[tokio::test]
async fn an_action_keeps_within_its_limits_and_its_sandbox() {
    let script = "#!/bin/sh\neval \"$(sed 's/^\\[\"//; s/\"\\]$//')\"\n";
    let fixture = Fixture::with_action("core.shell", script).await;
    let service = fixture.start().await;
    for (columns, command, expected) in [
        ("sandbox = NULL", "grep NoNewPrivs /proc/self/status | tr -dc 01", Ok(json!(0))),
        ("sandbox = 'process'", "grep NoNewPrivs /proc/self/status | tr -dc 01", Ok(json!(1))),
        (
            r#"limits = '{"memory": "40M"}'"#,
            "exec tail /dev/zero",
            Err("it was killed: it used more memory than its limit of 40 MB"),
        ),
        (
            r#"limits = '{"output": "1K"}'"#,
            "head -c 2000 /dev/zero",
            Err("its result is larger than 1000 bytes"),
        ),
        (
            r#"limits = '{"processes": 3}'"#,
            "sleep 60 & sleep 60 & sleep 60 & wait",
            Err("it was killed: it ran more processes than its limit of 3"),
        ),
        (
            r#"limits = '{"cpus": 3}'"#,
            "true",
            Err(
                "limits: cpus: unknown key; there are memory, cpu_seconds, processes, open_files, file_size, output",
            ),
        ),
    ] {
        fixture.execute(&format!("UPDATE action SET {columns}")).await;
        let row = fixture.run(json!([command])).await;
        match expected {
            Ok(expected) => assert_eq!((state(&row), result(&row)), ("succeeded".to_owned(), expected)),
            Err(expected) => {
                assert_eq!((state(&row), error(&row)), ("failed".to_owned(), expected.to_owned()));
            }
        }
    }
    service.stop().await;
}

#[tokio::test]
async fn a_log_is_stored_while_the_action_runs() {
    let script = "#!/bin/sh
        place=$(tr -d '\"')
        echo first >&2
        while [ ! -e \"$place/go\" ]; do sleep 0.1; done
        echo last >&2";
    let fixture = Fixture::with_action("core.shell", script).await;
    let service = fixture.start().await;
    let place = tempfile::tempdir().unwrap();
    let id = fixture.request(json!(place.path().display().to_string())).await;
    fixture.eventually(&format!("SELECT FROM log WHERE execution = {id}")).await;
    std::fs::write(place.path().join("go"), "").unwrap();
    fixture.ended(id).await;
    assert_eq!(fixture.log(id).await, "first\nlast\n");
    service.stop().await;
}

#[tokio::test]
async fn what_can_not_start_says_why() {
    let fixture = Fixture::with_action("core.shell", "").await;
    let service = fixture.start().await;
    for (change, expected) in [
        ("UPDATE action SET entrypoint = 'actions/none'", "the pack has no file actions/none"),
        (
            "UPDATE action SET entrypoint = '../act'",
            "the entrypoint \"../act\" is no path inside of its pack",
        ),
        ("UPDATE pack SET digest = NULL WHERE ref = 'demo'", "its pack has no content"),
        (
            "UPDATE runtime SET execution = '{\"binary\": \"no-such\"}' WHERE ref = 'core.shell'",
            "pack has no content",
        ),
    ] {
        fixture.execute(change).await;
        let row = fixture.run(json!({})).await;
        assert_eq!(state(&row), "failed");
        assert!(error(&row).contains(expected), "{change}: {}", error(&row));
    }
    service.stop().await;
}

#[tokio::test]
async fn a_runtime_added_by_one_insert_is_used() {
    let ruby = "require 'json'\nputs JSON.generate({sum: JSON.parse(STDIN.read)['numbers'].sum})\n";
    let perl = "my $in = join '', <STDIN>; my $sum = 0; $sum += $_ for $in =~ /(\\d+)/g; print qq({\"sum\": $sum});\n";
    for (name, binary, script) in [("Ruby", "ruby", ruby), ("Perl", "perl", perl)] {
        let fixture = Fixture::new().await;
        let service = fixture.start().await;
        pack::add_runtime(fixture.pool(), name, binary).await;
        fixture.hints.wake(attune_hints::Topic::Config);
        fixture.add_action(&format!("core.{binary}"), script).await;
        let row = fixture.run(json!({"numbers": [1, 2, 39]})).await;
        assert_eq!(result(&row), json!({"sum": 42}), "{}", error(&row));
        service.stop().await;
    }
}

#[tokio::test]
async fn a_python_action_is_called_and_a_native_one_runs_by_itself() {
    let fixture = Fixture::new().await;
    pack::store_core(fixture.pool()).await;
    let script = "def run(a, b=2):\n    print('to the log')\n    return {'sum': a + b}\n";
    fixture.add_action("core.python", script).await;
    let service = fixture.start().await;
    let id = fixture.request(json!({"a": 40})).await;
    let row = fixture.ended(id).await;
    assert_eq!(result(&row), json!({"sum": 42}), "{}", error(&row));
    assert_eq!(fixture.log(id).await, "to the log\n");

    pack::store(fixture.pool(), "demo", &[("actions/act", "#!/bin/sh\necho '[1]'\n")]).await;
    fixture.execute("UPDATE action SET runtime = (SELECT id FROM runtime WHERE ref = 'core.native')").await;
    let row = fixture.run(json!({})).await;
    assert_eq!(result(&row), json!([1]), "{}", error(&row));
    service.stop().await;
}

/// As the programs themselves say: one that is over may still stand as running while its end is recorded.
#[tokio::test]
async fn free_slots_are_filled_and_no_more() {
    let told = tempfile::NamedTempFile::new().unwrap();
    let path = told.path().display();
    let script = format!("#!/bin/sh\necho 1 >> {path}\nsleep 0.2\necho -1 >> {path}\n");
    let fixture = Fixture::with_action("core.shell", &script).await;
    let mut config = fixture.config("w");
    config.worker.as_mut().unwrap().max_concurrent_executions = 3;
    for _ in 0..9 {
        fixture.request(json!({})).await;
    }
    let service = fixture.service(config);
    service.start().await.unwrap();
    fixture.eventually("SELECT FROM execution HAVING count(*) FILTER (WHERE status = 'succeeded') = 9").await;
    let told = std::fs::read_to_string(told.path()).unwrap();
    let at_once = told.lines().scan(0, |programs, change| {
        *programs += change.parse::<i32>().unwrap();
        Some(*programs)
    });
    assert!(matches!(at_once.max(), Some(1..=3)), "{told}");
    service.stop().await;
}
