//! What an operator changed by hand wins, and `enabled` is the operator's.

use attune_testkit::TestDb;
use serde_json::json;
use sqlx::PgPool;

use crate::pack::TestPack;
use crate::system::value;

async fn run(pool: &PgPool, sql: &'static str) {
    sqlx::raw_sql(sql).execute(pool).await.unwrap();
}

fn kept(report: &attune_executor::load_pack::LoadReport) -> Vec<(&str, &str)> {
    report.kept.iter().map(|kept| (kept.r#ref.as_str(), kept.field.as_str())).collect()
}

#[tokio::test]
async fn a_change_by_hand_wins_field_by_field() {
    let db = TestDb::migrated().await;
    TestPack::demo().load(&db.pool).await;
    run(&db.pool, "UPDATE sensor SET config = '{\"threshold\": 95}'; UPDATE pack SET config = '{\"team\": \"blue\"}' WHERE ref = 'demo'").await;
    let next = TestPack::demo().replacing("sensors/cpu.yaml", "threshold: 80", "threshold: 70").replacing(
        "sensors/cpu.yaml",
        "poll_interval: 5",
        "poll_interval: 6",
    );
    let report = next.load(&db.pool).await;
    assert_eq!(kept(&report), [("demo", "config"), ("demo.cpu", "config")]);
    assert_eq!(report.updated, ["demo", "demo.cpu"]);
    let state = "SELECT jsonb_build_array(s.config, s.poll_interval, p.config) FROM sensor s JOIN pack p ON p.id = s.pack";
    assert_eq!(value(&db.pool, state).await, json!([{"threshold": 95}, 6, {"team": "blue"}]));
    // It goes on winning, also when the pack comes back to what it said, until the operator agrees with the pack.
    assert_eq!(kept(&TestPack::demo().load(&db.pool).await), [("demo", "config"), ("demo.cpu", "config")]);
    run(&db.pool, "UPDATE sensor SET config = '{\"threshold\": 80.0}'; UPDATE pack SET config = '{\"team\": \"red\"}' WHERE ref = 'demo'").await;
    assert!(TestPack::demo().load(&db.pool).await.kept.is_empty());
    assert_eq!(next.load(&db.pool).await.updated, ["demo", "demo.cpu"]);
}

#[tokio::test]
async fn a_row_that_was_never_loaded_is_the_operators() {
    let db = TestDb::migrated().await;
    run(&db.pool, "INSERT INTO trigger (ref, label, enabled) VALUES ('demo.high', 'Mine', FALSE)").await;
    let report = TestPack::demo().load(&db.pool).await;
    assert!(kept(&report).contains(&("demo.high", "label")));
    let state = "SELECT jsonb_build_array(label, enabled) FROM trigger WHERE ref = 'demo.high'";
    assert_eq!(value(&db.pool, state).await, json!(["Mine", false]));
}

#[tokio::test]
async fn a_row_that_an_operator_deleted_comes_back_with_the_next_load() {
    let db = TestDb::migrated().await;
    TestPack::demo().load(&db.pool).await;
    run(&db.pool, "DELETE FROM rule").await;
    assert_eq!(TestPack::demo().load(&db.pool).await.created, ["demo.tell_high"]);
}

#[tokio::test]
async fn enabled_is_the_operators_after_the_first_load() {
    let db = TestDb::migrated().await;
    TestPack::demo().load(&db.pool).await;
    run(&db.pool, "UPDATE rule SET enabled = FALSE").await;
    let next = TestPack::demo().replacing(
        "rules/tell.yaml",
        "action: demo.tell\n",
        "action: demo.tell\nenabled: true\nlabel: Tell\n",
    );
    next.load(&db.pool).await;
    assert_eq!(value(&db.pool, "SELECT to_jsonb(enabled) FROM rule").await, false);
}

#[tokio::test]
async fn what_left_the_pack_is_disabled_and_comes_back_enabled() {
    let db = TestDb::migrated().await;
    TestPack::demo().load(&db.pool).await;
    let enabled = "SELECT to_jsonb(enabled) FROM rule";
    let without = TestPack::demo().without("rules/tell.yaml");
    assert_eq!(without.load(&db.pool).await.disabled, ["demo.tell_high"]);
    assert_eq!(value(&db.pool, enabled).await, false);
    assert!(without.load(&db.pool).await.changed_nothing());
    assert!(TestPack::demo().load(&db.pool).await.updated.contains(&"demo.tell_high".to_owned()));
    assert_eq!(value(&db.pool, enabled).await, true);
}

#[tokio::test]
async fn what_an_operator_disabled_before_it_left_stays_disabled() {
    let db = TestDb::migrated().await;
    TestPack::demo().load(&db.pool).await;
    run(&db.pool, "UPDATE rule SET enabled = FALSE").await;
    assert!(TestPack::demo().without("rules/tell.yaml").load(&db.pool).await.disabled.is_empty());
    TestPack::demo().load(&db.pool).await;
    assert_eq!(value(&db.pool, "SELECT to_jsonb(enabled) FROM rule").await, false);
}

#[tokio::test]
async fn what_an_operator_enabled_after_it_left_stays_enabled() {
    let db = TestDb::migrated().await;
    TestPack::demo().load(&db.pool).await;
    let without = TestPack::demo().without("rules/tell.yaml");
    without.load(&db.pool).await;
    run(&db.pool, "UPDATE rule SET enabled = TRUE").await;
    assert!(without.load(&db.pool).await.changed_nothing());
    assert_eq!(value(&db.pool, "SELECT to_jsonb(enabled) FROM rule").await, true);
}

#[tokio::test]
async fn a_runtime_that_left_stays_and_is_listed() {
    let db = TestDb::migrated().await;
    let runtime = "ref: demo.own\nname: Own\ndistributions: {verification: {always_available: true}}\n";
    TestPack::demo().with("runtimes/own.yaml", runtime).load(&db.pool).await;
    let report = TestPack::demo().load(&db.pool).await;
    assert_eq!(report.left_runtimes, ["demo.own"]);
    assert!(report.disabled.is_empty());
    assert_eq!(value(&db.pool, "SELECT to_jsonb(count(*)) FROM runtime WHERE ref = 'demo.own'").await, 1);
}
