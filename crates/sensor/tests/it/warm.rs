//! Sensors in warm hosts, through the whole service.

use serde_json::{Value, json};
use sqlx::Row as _;

use crate::fixture::Fixture;
use crate::pack;

/// Tells its process, and how often its module was polled.
const COUNTS: &str = "
import os
polls = 0
def poll_sensor(config):
    global polls
    polls += 1
    yield {'pid': os.getpid(), 'polls': polls}
";
/// Tells what its environment says.
const ASKS: &str = "
import json, os
def poll_sensor(config, state):
    state['n'] = state.get('n', 0) + 1
    with open(os.environ['SENSOR_CONTEXT']) as file:
        context = json.load(file)
    mode = os.stat(file.name).st_mode & 0o777
    yield {'config': json.loads(os.environ['SENSOR_CONFIG']), 'context': context, 'mode': mode}
";
const DIES: &str = "
import os, signal, sys
def poll_sensor(config):
    sys.stderr.write('farewell\\n')
    os.kill(os.getpid(), signal.SIGKILL)
    yield
";
const RAISES: &str = "
def poll_sensor(config):
    raise KeyError('pump')
    yield
";
const HANGS: &str = "
import time
def poll_sensor(config):
    print('waiting', flush=True)
    time.sleep(600)
    yield
";
const PLAIN: &str = "
import json
print(json.dumps({'events': [{'plain': True}]}))
";

async fn with_python(drafts: &[(&str, &str)]) -> Fixture {
    let fixture = Fixture::new().await;
    pack::store_core(fixture.pool()).await;
    let drafts: Vec<_> = drafts.iter().map(|(name, code)| (*name, "core.python", *code)).collect();
    fixture.add_sensors(&drafts).await;
    fixture
}

/// Waits until a sensor has as many events, and says of how many processes they came.
async fn processes_of(fixture: &Fixture, sensor: &str, events: i64) -> i64 {
    let counts = "SELECT count(DISTINCT payload->'pid') AS processes FROM event";
    let query = format!("{counts} WHERE sensor_ref = 'demo.{sensor}' HAVING count(*) >= {events}");
    fixture.eventually(&query).await.get("processes")
}

#[tokio::test]
async fn a_module_lives_on_unless_the_sensor_asks_for_a_process() {
    let fixture = with_python(&[("warm", COUNTS), ("apart", COUNTS)]).await;
    fixture.execute("UPDATE sensor SET isolation = 'process' WHERE ref = 'demo.apart'").await;
    let service = fixture.start().await;
    assert_eq!(processes_of(&fixture, "warm", 3).await, 1);
    assert!(processes_of(&fixture, "apart", 3).await >= 3);
    fixture
        .eventually("SELECT FROM event WHERE sensor_ref = 'demo.warm' AND (payload->>'polls')::int = 3")
        .await;
    // In force with one of the next polls, as every change.
    fixture.execute("UPDATE sensor SET isolation = 'process' WHERE ref = 'demo.warm'").await;
    fixture
        .eventually(
            "SELECT FROM event WHERE sensor_ref = 'demo.warm' HAVING count(DISTINCT payload->'pid') >= 3",
        )
        .await;
    service.stop().await;
}

#[tokio::test]
async fn a_warm_sensor_is_told_all_that_a_process_is_told() {
    let fixture = with_python(&[("asks", ASKS)]).await;
    fixture.execute(r#"UPDATE sensor SET config = '{"path": "/x y"}'"#).await;
    let service = fixture.start().await;
    let event = fixture.eventually("SELECT payload FROM event ORDER BY id LIMIT 1 OFFSET 1").await;
    let context = json!({"ref": "demo.asks", "sensor": "demo.asks", "triggers": ["demo.seen"],
        "config": {"path": "/x y"}, "state": {"n": 1}, "trigger_params": []});
    let expected = json!({"config": {"path": "/x y"}, "context": context, "mode": 0o600});
    assert_eq!(event.get::<Value, _>("payload"), expected);
    service.stop().await;
}

#[tokio::test]
async fn what_fails_in_a_host_is_told_and_the_others_go_on() {
    let drafts = [("dies", DIES), ("raises", RAISES), ("hangs", HANGS), ("plain", PLAIN), ("well", COUNTS)];
    let fixture = with_python(&drafts).await;
    fixture.execute("UPDATE sensor SET timeout = 1 WHERE ref = 'demo.hangs'").await;
    let service = fixture.start().await;
    fixture.failing("dies", "its warm host was ended by signal 9: farewell").await;
    fixture.failing("raises", "KeyError: 'pump'%in poll_sensor%").await;
    fixture.failing("hangs", "it ran longer than its time limit of 1 s: waiting").await;
    // What only runs by itself does so.
    fixture.event_of("plain").await;
    let seen = fixture.eventually("SELECT max(id) AS id FROM event").await.get::<i64, _>("id");
    fixture.eventually(&format!("SELECT FROM event WHERE sensor_ref = 'demo.well' AND id > {seen}")).await;
    service.stop().await;
}

#[tokio::test]
async fn who_is_killed_by_others_does_not_wait_for_minutes() {
    let fixture = with_python(&[("warm", DIES), ("apart", DIES)]).await;
    fixture.execute("UPDATE sensor SET isolation = 'process' WHERE ref = 'demo.apart'").await;
    fixture.execute("UPDATE sensor_state SET failures = 20").await;
    let service = fixture.start().await;
    fixture
        .eventually(
            "SELECT FROM sensor_state WHERE status = 'failing' AND failures = 21 AND last_error LIKE '%signal 9%'
             AND next_try - updated BETWEEN '5 s' AND '10 s' HAVING count(*) = 2",
        )
        .await;
    service.stop().await;
}
