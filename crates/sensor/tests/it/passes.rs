//! Sensors that may ask something of the API: what their runs are given, and for how long.

use std::fs;

use attune_common::config::Config;
use attune_common::repositories::run_token;
use serde_json::Value;
use sqlx::Row as _;

use crate::fixture::Fixture;

/// Brings what it was given as an event.
const POLL: &str = "printf '{\"events\": [%s], \"count\": 1}' \"$(cat \"$SENSOR_CONTEXT\")\"";
const STREAM: &str =
    "printf '{\"type\":\"event\",\"payload\":%s}\\n' \"$(cat \"$SENSOR_CONTEXT\")\"; cat >&2";

async fn tokens(fixture: &Fixture) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM run_token").fetch_one(fixture.pool()).await.unwrap()
}

/// Waits for an event of a sensor that may send some, and ends its worker.
async fn given(fixture: &Fixture, query: &str) -> Vec<Value> {
    fixture.execute(r#"UPDATE sensor SET api = '["event.send"]'"#).await;
    let data_dir = fixture.cache.path().join("data");
    fs::create_dir_all(&data_dir).unwrap();
    fs::write(data_dir.join("api.url"), "http://127.0.0.1:1\n").unwrap();
    let service = fixture.service(Config { data_dir, ..fixture.config("s") });
    service.start().await.unwrap();
    let row = fixture.eventually(query).await;
    service.stop().await;
    row.get::<Value, _>("payloads").as_array().unwrap().clone()
}

/// A sensor that asks for nothing, and its epoch.
async fn quiet(fixture: &Fixture) -> (i64, i64) {
    sqlx::query_as(
        "INSERT INTO sensor_state (sensor, epoch) SELECT id, 7 FROM sensor
         ON CONFLICT (sensor) DO UPDATE SET epoch = 7 RETURNING sensor, epoch",
    )
    .fetch_one(fixture.pool())
    .await
    .unwrap()
}

#[tokio::test]
async fn a_token_that_was_left_ends_with_the_next_run_or_when_its_time_is_over() {
    let fixture = Fixture::with_sensors(&[("look", "core.shell", POLL)]).await;
    let ((sensor, epoch), pool) = (quiet(&fixture).await, fixture.pool());
    let is_good = async |hash| run_token::find(pool, hash).await.unwrap().is_some();
    assert!(run_token::insert_of_sensor(pool, b"left", sensor, epoch, Some(60.0)).await.unwrap());
    assert!(is_good(b"left".as_slice()).await);
    // What the worker of another epoch begins ends nothing.
    assert!(!run_token::insert_of_sensor(pool, b"stale", sensor, epoch - 1, Some(60.0)).await.unwrap());
    assert!(is_good(b"left").await);
    assert!(run_token::insert_of_sensor(pool, b"next", sensor, epoch, Some(0.0)).await.unwrap());
    assert!(!is_good(b"left").await && !is_good(b"next").await);
    assert_eq!(tokens(&fixture).await, 1);
    let later = chrono::Utc::now() + chrono::TimeDelta::minutes(1);
    assert_eq!(run_token::delete_ended(pool, later, 10).await.unwrap(), 1);
    assert!(run_token::insert_of_sensor(pool, b"stream", sensor, epoch, None).await.unwrap());
    assert!(is_good(b"stream").await);
    assert_eq!(run_token::delete_ended(pool, later, 10).await.unwrap(), 0);
}

#[tokio::test]
async fn each_poll_is_given_a_token_of_its_own() {
    let fixture = Fixture::with_sensors(&[("look", "core.shell", POLL)]).await;
    fixture.execute("INSERT INTO run_token (hash, sensor, epoch) SELECT 'left', id, 1 FROM sensor").await;
    let payloads =
        given(&fixture, "SELECT jsonb_agg(payload) AS payloads FROM event HAVING count(*) >= 2").await;
    assert_eq!(payloads[0]["api"]["url"], "http://127.0.0.1:1");
    assert!(payloads[0]["api"]["token"].as_str().unwrap().starts_with("attune_run_"));
    assert_ne!(payloads[0]["api"]["token"], payloads[1]["api"]["token"]);
    assert_eq!(tokens(&fixture).await, 0);
}

#[tokio::test]
async fn a_stream_is_given_one_for_as_long_as_it_runs() {
    let fixture = Fixture::with_streams(&[("look", STREAM)]).await;
    let kept = "SELECT jsonb_agg(payload) AS payloads FROM event, run_token t
                WHERE t.hash = sha256((payload #>> '{api,token}')::bytea) AND t.sensor = event.sensor HAVING count(*) = 1";
    assert_eq!(given(&fixture, kept).await.len(), 1);
    assert_eq!(tokens(&fixture).await, 0);
}
