//! Things from an operator's own file.

use attune_core::pack::Kind;
use attune_executor::apply::{Applied, ApplyError, Outcome, apply};
use serde_json::json;

use crate::pack::TestPack;
use crate::system::{System, high};

async fn try_apply(system: &System, kind: Kind, text: &str) -> Result<Vec<Applied>, ApplyError> {
    apply(system.pool(), kind, "mine.yaml", text).await
}

/// What became of each thing, and which fields of it changed.
async fn outcomes(system: &System, kind: Kind, text: &str) -> Vec<(String, Outcome, Vec<String>)> {
    let applied = try_apply(system, kind, text).await.unwrap();
    let fields = |it: &Applied| it.changes.iter().map(|change| change.field.clone()).collect();
    applied.iter().map(|it| (it.r#ref.clone(), it.outcome, fields(it))).collect()
}

async fn faults(system: &System, kind: Kind, text: &str) -> Vec<String> {
    match try_apply(system, kind, text).await {
        Err(ApplyError::Faults(faults)) => faults.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

const MINE: &str = "ref: my.rule\ntrigger: demo.high\naction: demo.tell\naction_params: {value: 1}\n";

#[tokio::test]
async fn a_rule_of_ones_own_needs_no_pack_and_is_in_force_at_once() {
    let system = System::with_demo().await;
    let none: Vec<String> = Vec::new();
    let all = [(MINE.to_owned(), Outcome::Created), (MINE.to_owned(), Outcome::Unchanged)];
    for (text, outcome) in all {
        assert_eq!(
            outcomes(&system, Kind::Rule, &text).await,
            [("my.rule".to_owned(), outcome, none.clone())]
        );
    }
    let row = "SELECT jsonb_build_array(pack, pack_ref, trigger_ref, action_ref, enabled, revision) FROM rule WHERE ref = 'my.rule'";
    assert_eq!(system.value(row).await, json!([null, null, "demo.high", "demo.tell", true, 1]));
    assert_eq!(system.post(vec![high(90)]).await.unwrap().enforcements, [2]);
}

#[tokio::test]
async fn a_change_names_its_fields_and_leaves_enabled_alone() {
    let system = System::with_demo().await;
    outcomes(&system, Kind::Rule, MINE).await;
    system.run("UPDATE rule SET enabled = FALSE").await;
    let changed = MINE.replace("value: 1", "value: 2");
    let applied = try_apply(&system, Kind::Rule, &changed).await.unwrap();
    let change = &applied[0].changes[0];
    assert_eq!(
        (applied[0].outcome, change.field.as_str(), &change.old, &change.new),
        (Outcome::Changed, "action_params", &json!({"value": 1}), &json!({"value": 2}))
    );
    assert_eq!(system.count("rule WHERE ref = 'my.rule' AND NOT enabled").await, 1);
    let said = outcomes(&system, Kind::Rule, &format!("{changed}enabled: true\n")).await;
    assert_eq!(said, [("my.rule".to_owned(), Outcome::Changed, vec!["enabled".to_owned()])]);
}

#[tokio::test]
async fn all_documents_go_in_or_none_and_every_fault_has_its_line() {
    let system = System::with_demo().await;
    let second = MINE.replace("my.rule", "my.second").replace("demo.tell", "demo.tel");
    let found = faults(&system, Kind::Rule, &format!("{MINE}---\n{second}")).await;
    assert_eq!(found, ["mine.yaml:8: action: there is no action \"demo.tel\" (did you mean demo.tell?)"]);
    let wrong = MINE.replace(
        "demo.high",
        "demo.high\ntrigger_params: {limit: x}\nconditions: [{field: a, operator: eqals}]",
    );
    let found = faults(&system, Kind::Rule, &wrong).await;
    assert!(found[0].starts_with("mine.yaml:4: conditions[0].operator: "), "{found:?}");
    let wrong = MINE.replace("demo.high", "demo.high\ntrigger_params: {limit: x}");
    let found = faults(&system, Kind::Rule, &wrong).await;
    assert!(found[0].starts_with("mine.yaml:3: trigger_params.limit: "), "{found:?}");
    assert_eq!(system.count("rule").await, 1);
}

#[tokio::test]
async fn a_sensors_code_is_a_file_of_its_pack_and_its_runtime_runs_sensors() {
    let system = System::with_demo().await;
    let sensor = "ref: demo.second\nruntime: core.shell\nentrypoint: sensors/cpu.sh\ntriggers: [demo.low, demo.high]\n";
    let created = outcomes(&system, Kind::Sensor, sensor).await;
    assert_eq!(created[0].1, Outcome::Created);
    let row = "SELECT jsonb_build_array(pack_ref, runtime_ref, (SELECT count(*) FROM sensor_trigger st WHERE st.sensor = s.id)) FROM sensor s WHERE ref = 'demo.second'";
    assert_eq!(system.value(row).await, json!(["demo", "core.shell", 2]));
    let lost = faults(&system, Kind::Sensor, &sensor.replace("cpu.sh", "cup.sh")).await;
    assert_eq!(
        lost,
        ["mine.yaml:3: entrypoint: the pack has no file \"sensors/cup.sh\" (did you mean sensors/cpu.sh?)"]
    );
    let homeless = faults(&system, Kind::Sensor, &sensor.replace("demo.second", "mine.second")).await;
    assert!(homeless[0].starts_with("mine.yaml:1: ref: there is no such pack"), "{homeless:?}");
    let action = "ref: demo.act\nruntime: core.sensor.builtin\nentrypoint: actions/tell.sh\n";
    assert_eq!(
        faults(&system, Kind::Action, action).await,
        ["mine.yaml:2: runtime: runtime core.sensor.builtin does not run actions"]
    );
}

#[tokio::test]
async fn an_applied_change_wins_over_the_packs_next_load() {
    let system = System::with_demo().await;
    let mine = "ref: demo.cpu\nruntime: core.shell\nentrypoint: sensors/cpu.sh\ntriggers: [demo.high, demo.low]\npoll_interval: 5\nconfig: {threshold: 95}\n";
    let changed = outcomes(&system, Kind::Sensor, mine).await;
    assert_eq!(changed, [("demo.cpu".to_owned(), Outcome::Changed, vec!["config".to_owned()])]);
    let own = "ref: demo.mine\ntrigger: demo.high\naction: demo.tell\n";
    outcomes(&system, Kind::Rule, own).await;
    let report = TestPack::demo()
        .replacing("sensors/cpu.yaml", "threshold: 80", "threshold: 70")
        .load(system.pool())
        .await;
    let kept = &report.kept[0];
    assert_eq!(
        (kept.r#ref.as_str(), &kept.here, &kept.pack),
        ("demo.cpu", &json!({"threshold": 95}), &json!({"threshold": 70}))
    );
    // A rule beside the pack's is none of its business.
    assert!(report.disabled.is_empty(), "{report:?}");
    assert_eq!(system.count("rule WHERE ref = 'demo.mine' AND enabled").await, 1);
}

#[tokio::test]
async fn secrets_are_masked_in_what_changed() {
    let system = System::with_demo().await;
    system
        .run("UPDATE action SET param_schema = '{\"properties\": {\"key\": {\"type\": \"string\", \"secret\": true}}}'")
        .await;
    outcomes(&system, Kind::Rule, &MINE.replace("value: 1", "key: old-key")).await;
    let applied = try_apply(&system, Kind::Rule, &MINE.replace("value: 1", "key: new-key")).await.unwrap();
    assert_eq!(applied[0].outcome, Outcome::Changed);
    assert_eq!(applied[0].changes[0].new, json!({"key": "***"}));
    assert!(!serde_json::to_string(&applied).unwrap().contains("-key"));
}
