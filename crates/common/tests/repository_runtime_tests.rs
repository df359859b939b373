//! Table `runtime` through its repository, and through the statements that operators type.

#![expect(clippy::unwrap_used, reason = "a test that can not go on says so by panicking")]

use attune_common::models::Runtime;
use attune_common::repositories::runtime::{self, NewRuntime};
use attune_testkit::TestDb;
use serde_json::{Value, json};

async fn core_shell(database: &TestDb) -> Runtime {
    runtime::find(&database.pool, "core.shell").await.unwrap().unwrap()
}

fn alpha<'a>(distributions: &'a Value, execution: &'a Value, aliases: &'a [String]) -> NewRuntime<'a> {
    NewRuntime {
        r#ref: "core.alpha",
        pack_ref: Some("core"),
        name: "Alpha",
        description: Some("For tests"),
        distributions,
        installation: None,
        execution,
        aliases,
    }
}

#[tokio::test]
async fn a_migrated_database_has_the_runtimes_of_core() {
    let database = TestDb::migrated().await;
    let runtimes = runtime::list(&database.pool).await.unwrap();
    let rows: Vec<_> = runtimes.iter().map(|row| (row.r#ref.as_str(), row.name.as_str())).collect();
    assert_eq!(
        rows,
        [
            ("core.native", "Native"),
            ("core.nodejs", "Node.js"),
            ("core.python", "Python"),
            ("core.sensor.builtin", "Built-in Sensor"),
            ("core.shell", "Shell"),
        ]
    );
    assert!(runtimes.iter().all(|row| row.pack.is_some() && row.pack_ref.as_deref() == Some("core")));
}

#[tokio::test]
async fn the_runtimes_of_core_have_aliases_and_roles() {
    let database = TestDb::migrated().await;
    let shell = core_shell(&database).await;
    assert_eq!(shell.aliases, ["bash", "sh"]);
    assert_eq!(shell.execution, json!({"binary": ["bash", "sh"]}));
    let builtin = runtime::find(&database.pool, "core.sensor.builtin").await.unwrap().unwrap();
    assert_eq!(builtin.execution["roles"], json!(["sensor"]));
}

#[tokio::test]
async fn a_runtime_is_found_by_ref_and_by_id() {
    let database = TestDb::migrated().await;
    let shell = core_shell(&database).await;
    assert_eq!(runtime::get(&database.pool, shell.id).await.unwrap(), shell);
    assert_eq!(runtime::find(&database.pool, "core.cobol").await.unwrap(), None);
    assert!(matches!(runtime::get(&database.pool, -1).await, Err(sqlx::Error::RowNotFound)));
}

#[tokio::test]
async fn what_is_inserted_comes_back() {
    let database = TestDb::migrated().await;
    let (distributions, execution) =
        (json!({"verification": {"always_available": true}}), json!({"args": ["-x"]}));
    let aliases = ["a".to_owned()];
    let id = runtime::insert(&database.pool, &alpha(&distributions, &execution, &aliases)).await.unwrap();
    let row = runtime::get(&database.pool, id).await.unwrap();
    assert_eq!(
        (row.r#ref.as_str(), row.name.as_str(), row.pack_ref.as_deref()),
        ("core.alpha", "Alpha", Some("core"))
    );
    assert_eq!((row.distributions, row.execution, row.installation), (distributions, execution, None));
    assert_eq!((row.aliases.as_slice(), row.description.as_deref()), (aliases.as_slice(), Some("For tests")));
    assert!(row.pack.is_some() && row.created.is_some());
}

#[tokio::test]
async fn a_ref_is_unique() {
    let database = TestDb::migrated().await;
    let empty = json!({});
    let twin = NewRuntime { r#ref: "core.shell", ..alpha(&empty, &empty, &[]) };
    let error = runtime::insert(&database.pool, &twin).await.unwrap_err();
    assert!(error.as_database_error().unwrap().is_unique_violation());
}

#[tokio::test]
async fn an_update_replaces_everything_but_ref_and_pack() {
    let database = TestDb::migrated().await;
    let before = core_shell(&database).await;
    let (distributions, execution) = (json!({"min_version": "1"}), json!({}));
    let changes = alpha(&distributions, &execution, &[]);
    assert!(runtime::update(&database.pool, before.id, &changes).await.unwrap());
    let after = core_shell(&database).await;
    assert_eq!(
        (after.pack, after.name.as_str(), &after.distributions),
        (before.pack, "Alpha", &distributions)
    );
    assert!(after.aliases.is_empty() && after.updated >= before.updated);
    assert!(!runtime::update(&database.pool, -1, &changes).await.unwrap());
}

#[tokio::test]
async fn an_operator_adds_a_language_with_one_statement() {
    let database = TestDb::migrated().await;
    sqlx::query(
        r"INSERT INTO runtime (ref, pack, pack_ref, name, distributions) VALUES ('core.ruby', (SELECT id FROM pack WHERE ref = 'core'), 'core', 'Ruby',
  jsonb_build_object('verification', jsonb_build_object('commands', jsonb_build_array(jsonb_build_object(
    'binary', 'ruby', 'args', jsonb_build_array('--version'), 'exit_code', 0, 'pattern', 'ruby \d+\.\d+', 'priority', 1)))));",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    let ruby = runtime::find(&database.pool, "core.ruby").await.unwrap().unwrap();
    assert_eq!(ruby.distributions["verification"]["commands"][0]["pattern"], json!(r"ruby \d+\.\d+"));
    assert_eq!((ruby.execution, ruby.aliases), (json!({}), Vec::<String>::new()));
}

#[tokio::test]
async fn an_operator_names_another_binary_with_one_statement() {
    let database = TestDb::migrated().await;
    sqlx::query(
        r#"UPDATE runtime SET distributions = jsonb_set(distributions, '{verification,commands,0,binary}', '"python3.11"') WHERE ref = 'core.python'"#,
    )
    .execute(&database.pool)
    .await
    .unwrap();
    let python = runtime::find(&database.pool, "core.python").await.unwrap().unwrap();
    assert_eq!(python.distributions["verification"]["commands"][0]["binary"], json!("python3.11"));
}
