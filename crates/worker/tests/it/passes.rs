//! Actions that may ask something of the API: what their runs are given, and for how long.

use std::fs;

use attune_common::config::Config;
use attune_core::run_token::RunToken;
use attune_executor::reconcile::Reconciler;
use serde_json::{Value, json};

use crate::fixture::{Fixture, error, result, state};

/// Gives back what it was given, and what else could tell the token.
const SHOW: &str = r#"#!/bin/sh
printf '{"context": %s, "mode": "%s", "env": "%s", "args": "%s"}' "$(cat "$ATTUNE_CONTEXT")" \
    "$(stat -c %a "$ATTUNE_CONTEXT")" "$(env | grep -c attune_run_)" "$*"
"#;
const NONE: &str = "#!/bin/sh\nprintf '{\"context\": \"%s\"}' \"$ATTUNE_CONTEXT\"\n";

/// Where an API wrote down where it is.
fn config(fixture: &Fixture) -> Config {
    let config = fixture.config("w");
    let data_dir = fixture.cache.path().join("data");
    fs::create_dir_all(&data_dir).unwrap();
    fs::write(data_dir.join("api.url"), "http://127.0.0.1:1/\n").unwrap();
    Config { data_dir, ..config }
}

async fn tokens(fixture: &Fixture) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM run_token").fetch_one(fixture.pool()).await.unwrap()
}

#[tokio::test]
async fn a_run_is_given_a_token_in_a_private_file_and_loses_it_at_its_end() {
    let fixture = Fixture::with_action("core.shell", SHOW).await;
    fixture.execute(r#"UPDATE action SET api = '["event.send"]'"#).await;
    let service = fixture.service(config(&fixture));
    service.start().await.unwrap();
    let row = fixture.run(json!({})).await;
    assert_eq!(state(&row), "succeeded", "{}", error(&row));
    let shown = result(&row);
    assert_eq!(shown["context"]["api"]["url"], "http://127.0.0.1:1");
    assert!(RunToken::named(shown["context"]["api"]["token"].as_str().unwrap()).is_some());
    assert_eq!([&shown["mode"], &shown["env"], &shown["args"]], [&json!("600"), &json!("0"), &json!("")]);
    let again = result(&fixture.run(json!({})).await);
    assert_ne!(again["context"]["api"]["token"], shown["context"]["api"]["token"]);
    service.stop().await;
    assert_eq!(tokens(&fixture).await, 0);
}

#[tokio::test]
async fn a_run_that_may_ask_nothing_is_given_nothing() {
    let fixture = Fixture::with_action("core.shell", NONE).await;
    let service = fixture.service(config(&fixture));
    service.start().await.unwrap();
    assert_eq!(result(&fixture.run(json!({})).await), json!({"context": ""}));
    service.stop().await;
}

#[tokio::test]
async fn what_can_not_be_given_is_why_it_fails() {
    let fixture = Fixture::with_action("core.shell", NONE).await;
    let data_dir = fixture.cache.path().join("no-api");
    let service = fixture.service(Config { data_dir, ..fixture.config("w") });
    service.start().await.unwrap();
    for (api, words) in [
        (r#"["event.send"]"#, "it may send events, and this worker knows no API"),
        (r#"["rule.write"]"#, "its api is unusable: unknown variant `rule.write`"),
        ("{}", "its api is unusable: invalid type: map"),
    ] {
        fixture.execute(&format!("UPDATE action SET api = '{api}'")).await;
        let row = fixture.run(json!({})).await;
        assert_eq!(state(&row), "failed");
        assert!(error(&row).contains(words), "{}", error(&row));
    }
    service.stop().await;
}

#[tokio::test]
async fn tokens_that_a_dead_worker_left_go() {
    let fixture = Fixture::new().await;
    fixture
        .execute(
            "INSERT INTO run_token (hash, execution, attempt, depth, created)
             SELECT sha256(n::text::bytea), n, 1, 0, NOW() - n * INTERVAL '40 seconds' FROM generate_series(1, 3) AS n",
        )
        .await;
    fixture
        .execute("INSERT INTO chain (root, events, updated) SELECT n, 1, NOW() - n * INTERVAL '5 days' FROM generate_series(1, 3) AS n")
        .await;
    let heartbeat_interval = std::time::Duration::from_secs(30);
    let reconciler = Reconciler { pool: fixture.pool().clone(), heartbeat_interval, lease: fixture.lease };
    reconciler.tidy().await.unwrap();
    let left: Value = sqlx::query_scalar(
        "SELECT jsonb_build_array((SELECT jsonb_agg(execution) FROM run_token), (SELECT jsonb_agg(root) FROM chain))",
    )
    .fetch_one(fixture.pool())
    .await
    .unwrap();
    assert_eq!(left, json!([[1], [1]]));
}
