//! The embedded core pack: loaded when it is newer, over what operators changed.

use attune_executor::core_pack::ensure_core_pack;
use attune_testkit::TestDb;
use serde_json::json;

use crate::system::value;

#[tokio::test]
async fn is_loaded_once() {
    let db = TestDb::migrated().await;
    let report =
        ensure_core_pack(&db.pool).await.unwrap().expect("it is newer than what the migrations wrote");
    assert!(report.kept.is_empty() && report.left_runtimes.is_empty(), "{report:?}");
    let runtimes = "SELECT to_jsonb(array_agg(ref ORDER BY ref)) FROM runtime";
    let expected = json!(["core.native", "core.nodejs", "core.python", "core.sensor.builtin", "core.shell"]);
    assert_eq!(value(&db.pool, runtimes).await, expected);
    assert_eq!(ensure_core_pack(&db.pool).await.unwrap(), None);
}

#[tokio::test]
async fn leaves_what_an_operator_changed_after_the_migrations() {
    let db = TestDb::migrated().await;
    let update = "UPDATE runtime SET distributions = jsonb_set(distributions, '{verification,commands,0,binary}', '\"mine\"')
                  WHERE ref = 'core.nodejs'";
    sqlx::raw_sql(update).execute(&db.pool).await.unwrap();
    let report = ensure_core_pack(&db.pool).await.unwrap().expect("it is newer");
    let kept: Vec<_> = report.kept.iter().map(|kept| (kept.r#ref.as_str(), kept.field.as_str())).collect();
    assert_eq!(kept, [("core.nodejs", "distributions")]);
    let binary =
        "SELECT distributions #> '{verification,commands,0,binary}' FROM runtime WHERE ref = 'core.nodejs'";
    assert_eq!(value(&db.pool, binary).await, "mine");
}

#[tokio::test]
async fn several_programs_at_once_load_it_once() {
    let db = TestDb::migrated().await;
    let loads = (0..4).map(|_| ensure_core_pack(&db.pool));
    let reports = futures_util::future::join_all(loads).await;
    assert_eq!(reports.into_iter().filter_map(Result::unwrap).count(), 1);
}
