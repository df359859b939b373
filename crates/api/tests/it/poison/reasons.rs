//! What cannot be read says so where people look for it.

use serde_json::{Value, json};

use super::world::World;
use crate::client::Request;

const DEEP: &str = "cannot be read: it is nested deeper than 127 levels";

async fn poisoned(table: &str, column: &str, victim: &str) -> World {
    let mut world = World::new().await;
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    world.try_run(&format!("UPDATE {table} SET {column} = '{deep}' WHERE ref = '{victim}'")).await.unwrap();
    world.round().await;
    world
}

async fn row(world: &World, path: &str) -> Value {
    // The API's own rules are those of its last event.
    let event = json!({"trigger": "demo.high", "payload": {"value": 1}});
    world.server.write(&Request::json("/api/events", &event)).await.ok(201);
    world.server.get(path).await.ok(200)
}

#[tokio::test]
async fn a_rule_says_which_column_of_what() {
    for (table, column, victim, says) in [
        ("rule", "conditions", "bad0.near", "conditions: "),
        ("rule", "action_params", "bad0.near", "action_params: "),
        ("rule", "trigger_params", "bad0.near", "trigger_params: "),
        ("action", "param_schema", "bad0.tell", "param_schema of its action: "),
        ("pack", "config", "bad0", "config of its pack: "),
    ] {
        let world = poisoned(table, column, victim).await;
        let rule = row(&world, "/api/rules/bad0.near").await;
        assert_eq!(rule["fault"], format!("{says}{DEEP}"));
        let named = row(&world, &format!("/api/{table}s/{victim}")).await;
        assert_eq!(
            (&named[column], &named["unreadable"]),
            (&named["none"], &json!({ column: DEEP })),
            "{named}"
        );
    }
}

#[tokio::test]
async fn secrets_of_an_unreadable_schema_stay_hidden() {
    let world = poisoned("pack", "config_schema", "bad0").await;
    assert_eq!(row(&world, "/api/packs/bad0").await["config"], "***");
}

#[tokio::test]
async fn a_trigger_takes_no_event_and_says_why() {
    let world = poisoned("trigger", "payload_schema", "bad0.high").await;
    let event = json!({"trigger": "bad0.high", "payload": {}});
    let reason = world.server.write(&Request::json("/api/events", &event)).await.error(422);
    assert!(reason.ends_with(&format!("payload_schema: {DEEP}")), "{reason}");
}
