//! What a load would do, without doing it.

use attune_common::config::Config;
use attune_executor::load_pack::{FileFate, LoadReport, diff_pack};
use serde_json::json;

use crate::pack::TestPack;
use crate::system::System;

async fn diff(system: &System, pack: &TestPack) -> LoadReport {
    diff_pack(system.pool(), pack.archive(), &Config::default().limits).await.unwrap()
}

/// Everything that a load writes.
const EVERYTHING: &str = "SELECT jsonb_build_object('version', (SELECT version FROM config_version), 'packs', (SELECT jsonb_agg(to_jsonb(p) ORDER BY id) FROM pack p),
    'contents', (SELECT jsonb_agg(digest ORDER BY digest) FROM pack_content), 'items', (SELECT jsonb_agg(to_jsonb(i) ORDER BY kind, ref) FROM pack_item i),
    'sensors', (SELECT jsonb_agg(to_jsonb(s)) FROM sensor s), 'rules', (SELECT jsonb_agg(to_jsonb(r)) FROM rule r))";

#[tokio::test]
async fn a_difference_is_what_the_load_then_does() {
    let system = System::with_demo().await;
    system.run("UPDATE pack SET config = '{\"team\": \"blue\"}' WHERE ref = 'demo'").await;
    let next = TestPack::demo()
        .replacing("pack.yaml", "1.0.0", "1.1.0")
        .replacing("pack.yaml", "red", "green")
        .replacing("rules/tell.yaml", "value: 10", "value: 20")
        .replacing("actions/tell.sh", "cat", "cat -")
        .without("triggers/low.yaml")
        .replacing("sensors/cpu.yaml", ", demo.low", "")
        .with("triggers/new.yaml", "ref: demo.new\n");
    let before = system.value(EVERYTHING).await;
    let report = diff(&system, &next).await;
    assert_eq!(system.value(EVERYTHING).await, before);
    assert_eq!(report, next.load(system.pool()).await);

    assert_eq!(
        (report.created.as_slice(), report.disabled.as_slice()),
        (["demo.new".to_owned()].as_slice(), ["demo.low".to_owned()].as_slice())
    );
    let changes: Vec<_> = report.changes.iter().map(|it| (it.r#ref.as_str(), it.field.as_str())).collect();
    assert_eq!(changes, [("demo", "version"), ("demo.cpu", "triggers"), ("demo.tell_high", "conditions")]);
    assert_eq!((&report.changes[0].old, &report.changes[0].new), (&json!("1.0.0"), &json!("1.1.0")));
    assert_eq!(
        (&report.kept[0].here, &report.kept[0].pack),
        (&json!({"team": "blue"}), &json!({"team": "green"}))
    );
    let files: Vec<_> = report.files.iter().map(|file| (file.path.as_str(), file.change)).collect();
    assert_eq!(
        files,
        [
            ("actions/tell.sh", FileFate::Changed),
            ("pack.yaml", FileFate::Changed),
            ("rules/tell.yaml", FileFate::Changed),
            ("sensors/cpu.yaml", FileFate::Changed),
            ("triggers/low.yaml", FileFate::Removed),
            ("triggers/new.yaml", FileFate::Added),
        ]
    );
    assert!(diff(&system, &next).await.changed_nothing());
}

#[tokio::test]
async fn secrets_of_sensors_and_packs_are_masked() {
    let schema = "{properties: {key: {type: string, secret: true}}}";
    let with = |value: &str| {
        let pack = format!(
            "ref: demo\nname: Demo\nversion: 1.0.0\nconfig: {{key: {value}}}\nconfig_schema: {schema}\n"
        );
        let sensor = format!(
            "ref: demo.cpu\nruntime: core.shell\nentrypoint: sensors/cpu.sh\ntriggers: [demo.high]\nconfig: {{key: {value}}}\nparam_schema: {schema}\n"
        );
        TestPack::demo().with("pack.yaml", &pack).with("sensors/cpu.yaml", &sensor)
    };
    let system = System::with(&with("old-secret")).await;
    let report = diff(&system, &with("new-secret")).await;
    let changes: Vec<_> = report.changes.iter().map(|it| (it.r#ref.as_str(), it.field.as_str())).collect();
    assert_eq!(changes, [("demo", "config"), ("demo.cpu", "config")]);
    let text = serde_json::to_string(&report).unwrap();
    assert!(text.contains("***") && !text.contains("-secret"), "{text}");
}
