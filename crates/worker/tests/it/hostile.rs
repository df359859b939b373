//! The programs of `corpus/programs` as actions, all at once in one worker: each execution has its named outcome, and what
//! it does costs its neighbours nothing.

use std::time::Duration;

use attune_common::config::WorkerConfig;
use attune_common::repositories::execution_order;
use attune_hints::Topic;
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::corpus::{Case, cases, peak, seen_working_in, shown, working_in};
use crate::fixture::{Fixture, error, state};
use crate::pack;

/// What the worker may take of the memory, with the test around it.
const MOST: u64 = 400_000_000;
/// As late as this may one of a hundred neighbours start, in seconds: who had to wait for a hostile one would be later.
const LATE: f64 = 5.0;
/// Between two neighbours.
const PERIOD: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread")]
async fn as_actions() {
    let (fixture, cases) = (Fixture::new().await, cases());
    add_actions(&fixture, &cases).await;
    let mut config = fixture.config("w");
    config.worker = config.worker.map(|worker| WorkerConfig { max_concurrent_executions: 200, ..worker });
    let service = fixture.service(config);
    service.start().await.unwrap();
    let hostile = async {
        let mut ids = Vec::new();
        for case in &cases {
            ids.push(request(&fixture, &case.name).await);
        }
        seen_working_in(fixture.cache.path()).await;
        let mut lines = Vec::new();
        for (case, id) in cases.iter().zip(ids) {
            lines.push(case.name.replacen('.', "/", 1));
            lines.push(format!("  {}", outcome(&fixture, id).await));
        }
        lines.join("\n")
    };
    let outcomes = tokio::select! {
        outcomes = hostile => outcomes,
        () = run_neighbours(&fixture) => unreachable!("they go on"),
    };
    neighbours_are_unharmed(&fixture).await;
    service.stop().await;
    assert_eq!(working_in(fixture.cache.path()), Vec::<String>::new());
    assert!(peak() < MOST, "{} bytes", peak());
    insta::assert_snapshot!(outcomes);
}

async fn add_actions(fixture: &Fixture, cases: &[Case]) {
    let good = ("good", "echo 1");
    let all: Vec<_> =
        cases.iter().map(|case| (case.name.as_str(), case.code.as_str())).chain([good]).collect();
    let paths: Vec<_> = all.iter().map(|(name, code)| (format!("actions/{name}"), *code)).collect();
    let files: Vec<_> = paths.iter().map(|(path, code)| (path.as_str(), *code)).collect();
    pack::store(fixture.pool(), "demo", &files).await;
    for (name, _) in all {
        // The time of those that hang is short, that of the others beyond doubt.
        let timeout = if name.starts_with("stdout-closed") || name.ends_with("for-ever") { 2 } else { 30 };
        fixture
            .execute(&format!(
                "INSERT INTO action (ref, pack, pack_ref, runtime, runtime_ref, entrypoint, timeout)
                 SELECT 'demo.{name}', (SELECT id FROM pack WHERE ref = 'demo'), 'demo', id, ref, 'actions/{name}', {timeout}
                 FROM runtime WHERE ref = 'core.shell'"
            ))
            .await;
    }
}

async fn request(fixture: &Fixture, name: &str) -> i64 {
    let id = execution_order::request(fixture.pool(), &format!("demo.{name}"), &json!({})).await;
    fixture.hints.wake(Topic::Execution);
    id.unwrap().unwrap().id
}

async fn outcome(fixture: &Fixture, id: i64) -> String {
    let row = fixture.ended(id).await;
    let result = match row.get::<Option<Value>, _>("result") {
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(Value::String(text)) => format!("text {}", shown(&text)),
        Some(json) => format!("JSON {}", shown(&json.to_string())),
    };
    match error(&row) {
        error if error.is_empty() => format!("{}: {result}", state(&row)),
        error => format!("{}: {}", state(&row), shown(&error)),
    }
}

async fn run_neighbours(fixture: &Fixture) {
    let mut period = tokio::time::interval(PERIOD);
    loop {
        period.tick().await;
        request(fixture, "good").await;
    }
}

#[expect(clippy::print_stdout, reason = "the figures are part of what the test has to say")]
async fn neighbours_are_unharmed(fixture: &Fixture) {
    let good = "FROM execution WHERE action_ref = 'demo.good'";
    fixture
        .eventually(&format!("SELECT {good} HAVING count(*) > 10 AND bool_and(status = 'succeeded')"))
        .await;
    let late = "count(*), percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM started - created)) AS late";
    let row = fixture.eventually(&format!("SELECT {late} {good}")).await;
    let late: f64 = row.get("late");
    println!("{} neighbours, late: p99 {late:.3} s; peak {} bytes", row.get::<i64, _>("count"), peak());
    assert!(late < LATE, "{late} s");
}
