//! A pack that can not be loaded: every fault with its place, and nothing in the database.

use attune_core::pack::Fault;
use attune_executor::load_pack::LoadError;
use attune_testkit::TestDb;

use crate::pack::TestPack;
use crate::system::value;

async fn faults_of(db: &TestDb, pack: &TestPack) -> Vec<Fault> {
    let faults = match pack.try_load(&db.pool).await {
        Err(LoadError::Faults(faults)) => faults,
        other => panic!("there should be faults: {other:?}"),
    };
    let rows =
        "SELECT to_jsonb((SELECT count(*) FROM trigger) + (SELECT count(*) FROM pack WHERE ref = 'demo'))";
    assert_eq!(value(&db.pool, rows).await, 0, "a refused pack leaves no row");
    faults
}

/// File, line and field of each fault, with a part of its message.
fn assert_at(faults: &[Fault], expected: &[(&str, u32, &str, &str)]) {
    let found: Vec<_> = faults
        .iter()
        .map(|fault| (fault.file.as_str(), fault.line.unwrap_or(0), fault.field.as_str()))
        .collect();
    let places: Vec<_> = expected.iter().map(|(file, line, field, _)| (*file, *line, *field)).collect();
    assert_eq!(found, places, "{faults:?}");
    for (fault, (.., message)) in faults.iter().zip(expected) {
        assert!(fault.message.contains(message), "{:?} lacks {message:?}", fault.message);
    }
}

#[tokio::test]
async fn what_the_files_say_wrong() {
    let db = TestDb::migrated().await;
    let pack = TestPack::demo().replacing("sensors/cpu.yaml", "sensors/cpu.sh", "sensors/gone.sh").replacing(
        "rules/tell.yaml",
        "demo.tell\n",
        "demo.tel\n",
    );
    let expected = [
        ("rules/tell.yaml", 5, "action", "did you mean demo.tell?"),
        ("sensors/cpu.yaml", 3, "entrypoint", "has no file"),
    ];
    assert_at(&faults_of(&db, &pack).await, &expected);
}

#[tokio::test]
async fn refs_into_other_packs_that_lead_nowhere() {
    let db = TestDb::migrated().await;
    let pack = TestPack::demo()
        .replacing("actions/tell.yaml", "core.shell", "core.shel")
        .replacing("rules/tell.yaml", "trigger: demo.high", "trigger: web.request")
        .replacing("sensors/cpu.yaml", "demo.low", "web.hook");
    let expected = [
        ("actions/tell.yaml", 2, "runtime", "there is no runtime \"core.shel\" (did you mean core.shell?)"),
        ("rules/tell.yaml", 2, "trigger", "there is no trigger \"web.request\""),
        ("sensors/cpu.yaml", 4, "triggers[1]", "there is no trigger \"web.hook\""),
    ];
    assert_at(&faults_of(&db, &pack).await, &expected);
}

#[tokio::test]
async fn a_runtime_that_is_not_for_this_kind_of_code() {
    let db = TestDb::migrated().await;
    let runtime = |name: &str, role: &str| {
        format!(
            "ref: demo.{name}\nname: {name}\ndistributions: {{verification: {{always_available: true}}}}\nexecution: {{roles: [{role}]}}\n"
        )
    };
    let pack = TestPack::demo()
        .with("runtimes/acts.yaml", &runtime("acts", "action"))
        .replacing("sensors/cpu.yaml", "core.shell", "demo.acts")
        .replacing("actions/tell.yaml", "core.shell", "core.sensor.builtin");
    let expected = [
        ("actions/tell.yaml", 2, "runtime", "core.sensor.builtin does not run actions"),
        ("sensors/cpu.yaml", 2, "runtime", "demo.acts does not run sensors"),
    ];
    assert_at(&faults_of(&db, &pack).await, &expected);
}

#[tokio::test]
async fn parameters_that_the_trigger_does_not_take() {
    let db = TestDb::migrated().await;
    let pack =
        TestPack::demo().replacing("rules/tell.yaml", "action: ", "trigger_params:\n  limit: much\naction: ");
    assert_at(&faults_of(&db, &pack).await, &[("rules/tell.yaml", 6, "trigger_params.limit", "")]);
}

#[tokio::test]
async fn an_upload_that_is_no_pack() {
    let db = TestDb::migrated().await;
    let limits = attune_common::config::Config::default().limits;
    let refused = attune_executor::load_pack::load_pack(&db.pool, b"not a tar.gz".to_vec(), &limits).await;
    assert!(matches!(refused, Err(LoadError::Archive(_))), "{refused:?}");
    let narrow = attune_common::config::LimitsConfig { pack_files: 2, ..limits };
    let refused = attune_executor::load_pack::load_pack(&db.pool, TestPack::demo().archive(), &narrow).await;
    assert!(matches!(refused, Err(LoadError::Faults(_))), "{refused:?}");
}
