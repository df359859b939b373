//! Loading: first, again, changed, and what left.

use attune_testkit::TestDb;
use serde_json::json;

use crate::pack::TestPack;
use crate::system::value;

#[tokio::test]
async fn a_first_load_writes_every_row() {
    let db = TestDb::migrated().await;
    let report = TestPack::demo().load(&db.pool).await;
    assert_eq!(report.created, ["demo", "demo.high", "demo.low", "demo.cpu", "demo.tell", "demo.tell_high"]);
    assert!(report.updated.is_empty() && report.kept.is_empty() && report.disabled.is_empty());
    let sensor = value(
        &db.pool,
        "SELECT to_jsonb(s) || jsonb_build_object('pack', p.ref, 'runtime', r.ref,
             'triggers', (SELECT array_agg(t.ref ORDER BY st.position) FROM sensor_trigger st JOIN trigger t ON t.id = st.trigger))
         FROM sensor s JOIN pack p ON p.id = s.pack JOIN runtime r ON r.id = s.runtime",
    )
    .await;
    for (column, expected) in [
        ("ref", json!("demo.cpu")),
        ("pack", json!("demo")),
        ("pack_ref", json!("demo")),
        ("runtime", json!("core.shell")),
        ("runtime_ref", json!("core.shell")),
        ("triggers", json!(["demo.high", "demo.low"])),
        ("config", json!({"threshold": 80})),
        ("poll_interval", json!(5)),
        ("timeout", json!(null)),
        ("mode", json!("poll")),
        ("isolation", json!(null)),
        ("sandbox", json!(null)),
        ("enabled", json!(true)),
    ] {
        assert_eq!(sensor[column], expected, "{column}");
    }
    let rule = value(&db.pool, "SELECT to_jsonb(u) || jsonb_build_object('t', t.ref, 'a', a.ref) FROM rule u JOIN trigger t ON t.id = u.trigger JOIN action a ON a.id = u.action").await;
    assert_eq!(
        (&rule["t"], &rule["a"], &rule["revision"]),
        (&json!("demo.high"), &json!("demo.tell"), &json!(1))
    );
    let content = "SELECT to_jsonb(c.digest = p.digest AND c.size > 100) FROM pack p JOIN pack_content c USING (digest) WHERE p.ref = 'demo'";
    assert_eq!(value(&db.pool, content).await, true);
}

#[tokio::test]
async fn loading_the_same_again_changes_nothing_and_says_so() {
    let db = TestDb::migrated().await;
    let first = TestPack::demo().load(&db.pool).await;
    let all = "SELECT jsonb_build_object('version', (SELECT version FROM config_version), 'rule', (SELECT to_jsonb(r) FROM rule r),
        'sensor', (SELECT to_jsonb(s) FROM sensor s), 'pack', (SELECT to_jsonb(p) FROM pack p WHERE ref = 'demo'))";
    let before = value(&db.pool, all).await;
    let again = TestPack::demo().load(&db.pool).await;
    assert!(again.changed_nothing());
    assert_eq!((&again.unchanged, &again.digest), (&first.created, &first.digest));
    assert_eq!(value(&db.pool, all).await, before);
}

#[tokio::test]
async fn a_new_version_changes_what_differs_and_nothing_else() {
    let db = TestDb::migrated().await;
    TestPack::demo().load(&db.pool).await;
    let next = TestPack::demo()
        .replacing("pack.yaml", "1.0.0", "1.1.0")
        .replacing("rules/tell.yaml", "value: 10", "value: 20")
        .replacing("sensors/cpu.yaml", "[demo.high, demo.low]", "[demo.low]")
        .with("triggers/new.yaml", "ref: demo.new\nenabled: false\n");
    let report = next.load(&db.pool).await;
    assert_eq!(report.created, ["demo.new"]);
    assert_eq!(report.updated, ["demo", "demo.cpu", "demo.tell_high"]);
    assert_eq!(report.unchanged, ["demo.high", "demo.low", "demo.tell"]);
    assert!(report.kept.is_empty());
    let state = "SELECT jsonb_build_array((SELECT version FROM pack WHERE ref = 'demo'), (SELECT revision FROM rule),
        (SELECT conditions -> 0 -> 'value' FROM rule), (SELECT count(*) FROM sensor_trigger), (SELECT enabled FROM trigger WHERE ref = 'demo.new'))";
    assert_eq!(value(&db.pool, state).await, json!(["1.1.0", 2, 20, 1, false]));
}

#[tokio::test]
async fn code_alone_is_a_new_content_of_the_same_rows() {
    let db = TestDb::migrated().await;
    let first = TestPack::demo().load(&db.pool).await;
    let report = TestPack::demo().replacing("actions/tell.sh", "cat", "cat -").load(&db.pool).await;
    assert_eq!(report.updated, ["demo"]);
    assert_ne!(report.digest, first.digest);
    assert_eq!(
        value(&db.pool, "SELECT to_jsonb(digest) FROM pack WHERE ref = 'demo'").await,
        json!(report.digest)
    );
}

#[tokio::test]
async fn required_commands_are_a_column_like_the_others() {
    let db = TestDb::migrated().await;
    TestPack::demo().load(&db.pool).await;
    let requiring = TestPack::demo().replacing("pack.yaml", "config:", "requires: [jq]\nconfig:");
    assert!(requiring.load(&db.pool).await.kept.is_empty());
    let column = "SELECT requires FROM pack WHERE ref = 'demo'";
    assert_eq!(value(&db.pool, column).await, json!([{"command": "jq"}]));

    sqlx::query("UPDATE pack SET requires = '[]' WHERE ref = 'demo'").execute(&db.pool).await.unwrap();
    let kept = requiring.load(&db.pool).await.kept;
    assert_eq!(kept.iter().map(|kept| kept.field.as_str()).collect::<Vec<_>>(), ["requires"]);
    assert_eq!(value(&db.pool, column).await, json!([]));
}

#[tokio::test]
async fn sandboxes_and_limits_are_columns_like_the_others() {
    let db = TestDb::migrated().await;
    TestPack::demo().load(&db.pool).await;
    let own = "sandbox: strict\nlimits: {memory: 256M}\n";
    let pack = TestPack::demo()
        .replacing("sensors/cpu.yaml", "poll_interval:", &format!("{own}poll_interval:"))
        .replacing("actions/tell.yaml", "entrypoint:", &format!("{own}entrypoint:"));
    pack.load(&db.pool).await;
    for table in ["sensor", "action"] {
        let columns =
            format!("SELECT jsonb_build_array(sandbox, limits) FROM {table} WHERE sandbox IS NOT NULL");
        assert_eq!(value(&db.pool, &columns).await, json!(["strict", {"memory": "256M"}]), "{table}");
    }
}

#[tokio::test]
async fn what_is_expected_of_a_sensor_is_a_column_like_the_others() {
    let db = TestDb::migrated().await;
    let pack = TestPack::demo().replacing(
        "sensors/cpu.yaml",
        "poll_interval:",
        "expect: {event: 10m}\npause_after: 7\npoll_interval:",
    );
    pack.load(&db.pool).await;
    let columns = "SELECT jsonb_build_array(expect, pause_after) FROM sensor";
    assert_eq!(value(&db.pool, columns).await, json!([{"event": "10m"}, 7]));
    sqlx::query("UPDATE sensor SET expect = NULL").execute(&db.pool).await.unwrap();
    let kept = pack.load(&db.pool).await.kept;
    assert_eq!(kept.iter().map(|kept| kept.field.as_str()).collect::<Vec<_>>(), ["expect"]);
    assert_eq!(value(&db.pool, columns).await, json!([null, 7]));
}

#[tokio::test]
async fn isolation_is_a_column_like_the_others() {
    let db = TestDb::migrated().await;
    TestPack::demo().load(&db.pool).await;
    let pack = TestPack::demo()
        .replacing("sensors/cpu.yaml", "poll_interval:", "isolation: process\npoll_interval:")
        .replacing("actions/tell.yaml", "entrypoint:", "isolation: warm\nentrypoint:");
    pack.load(&db.pool).await;
    let columns = "SELECT jsonb_build_array((SELECT isolation FROM sensor), (SELECT isolation FROM action WHERE ref = 'demo.tell'))";
    assert_eq!(value(&db.pool, columns).await, json!(["process", "warm"]));

    sqlx::query("UPDATE sensor SET isolation = NULL").execute(&db.pool).await.unwrap();
    let kept = pack.load(&db.pool).await.kept;
    assert_eq!(kept.iter().map(|kept| kept.field.as_str()).collect::<Vec<_>>(), ["isolation"]);
    assert_eq!(value(&db.pool, columns).await, json!([null, "warm"]));
}

#[tokio::test]
async fn loads_of_one_pack_at_once_take_turns() {
    let db = TestDb::migrated().await;
    let packs: Vec<_> =
        (1..=4).map(|n| TestPack::demo().replacing("pack.yaml", "1.0.0", &format!("1.{n}.0"))).collect();
    let loads = packs.iter().map(|pack| pack.load(&db.pool));
    let reports = futures_util::future::join_all(loads).await;
    assert_eq!(reports.iter().filter(|report| report.created.len() == 6).count(), 1);
    let last = value(&db.pool, "SELECT to_jsonb(digest) FROM pack WHERE ref = 'demo'").await;
    assert!(reports.iter().any(|report| json!(report.digest) == last));
}
