//! Sensors in warm hosts, through the whole service.

use serde_json::{Value, json};
use sqlx::Row as _;

use crate::fixture::Fixture;
use crate::pack;

/// A language with a host in the core pack, and the sensors of these tests in it.
struct Language {
    runtime: &'static str,
    /// Tells its process, and how often its module was polled.
    counts: &'static str,
    /// Tells what its environment says.
    asks: &'static str,
    dies: &'static str,
    raises: &'static str,
    hangs: &'static str,
    plain: &'static str,
    /// Writes `done` to whatever may be the conversation of its host with the service.
    strays: &'static str,
    /// What is said of the one that raises.
    raised: &'static str,
}

const PYTHON: Language = Language {
    runtime: "core.python",
    counts: "
import os
polls = 0
def poll_sensor(config):
    global polls
    polls += 1
    yield {'pid': os.getpid(), 'polls': polls}
",
    asks: "
import json, os
def poll_sensor(config, state):
    state['n'] = state.get('n', 0) + 1
    with open(os.environ['SENSOR_CONTEXT']) as file:
        context = json.load(file)
    mode = os.stat(file.name).st_mode & 0o777
    yield {'config': json.loads(os.environ['SENSOR_CONFIG']), 'context': context, 'mode': mode}
",
    dies: "
import os, signal, sys
def poll_sensor(config):
    sys.stderr.write('farewell\\n')
    os.kill(os.getpid(), signal.SIGKILL)
    yield
",
    raises: "
def poll_sensor(config):
    raise KeyError('pump')
    yield
",
    hangs: "
import time
def poll_sensor(config):
    print('waiting', flush=True)
    time.sleep(600)
    yield
",
    plain: "
import json
print(json.dumps({'events': [{'plain': True}]}))
",
    strays: "
import os
def poll_sensor(config):
    for number in range(3, 2000):
        try: os.write(number, b'{\"type\":\"done\"}\\n')
        except OSError: pass
    yield {}
",
    raised: "KeyError: 'pump'%in poll_sensor%",
};

const NODEJS: Language = Language {
    runtime: "core.nodejs",
    counts: "
let polls = 0;
const poll_sensor = () => ({ pid: process.pid, polls: (polls += 1) });
",
    asks: "
const { readFileSync, statSync } = require('fs');
function poll_sensor(config, state) {
  state.n = (state.n || 0) + 1;
  const path = process.env.SENSOR_CONTEXT;
  const context = JSON.parse(readFileSync(path, 'utf8'));
  return { config: JSON.parse(process.env.SENSOR_CONFIG), context, mode: statSync(path).mode & 0o777 };
}
",
    dies: "
function poll_sensor() {
  console.error('farewell');
  process.kill(process.pid, 'SIGKILL');
  return {};
}
",
    raises: "
function poll_sensor() {
  throw new RangeError('pump');
}
",
    hangs: "
function poll_sensor() {
  console.log('waiting');
  for (;;);
  return {};
}
",
    plain: "
console.log(JSON.stringify({ events: [{ plain: true }] }));
",
    strays: "
const fs = require('fs');
function poll_sensor() {
  for (let number = 256; number < 300; number++) {
    try { fs.writeSync(number, '{\"type\":\"done\"}\\n'); } catch {}
  }
  return {};
}
",
    raised: "RangeError: pump%at poll_sensor%",
};

/// Makes a test of each function for each language.
macro_rules! in_each_language {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            #[tokio::test]
            async fn python() {
                super::$name(&super::PYTHON).await;
            }
            #[tokio::test]
            async fn nodejs() {
                super::$name(&super::NODEJS).await;
            }
        }
    )*};
}

in_each_language!(
    a_module_lives_on_unless_the_sensor_asks_for_a_process,
    a_warm_sensor_is_told_all_that_a_process_is_told,
    what_fails_in_a_host_is_told_and_the_others_go_on,
    who_is_killed_by_others_does_not_wait_for_minutes,
);

async fn with_sensors(language: &Language, drafts: &[(&str, &str)]) -> Fixture {
    let fixture = Fixture::new().await;
    pack::store_core(fixture.pool()).await;
    let drafts: Vec<_> = drafts.iter().map(|(name, code)| (*name, language.runtime, *code)).collect();
    fixture.add_sensors(&drafts).await;
    fixture
}

/// Waits until a sensor has as many events, and says of how many processes they came.
async fn processes_of(fixture: &Fixture, sensor: &str, events: i64) -> i64 {
    let counts = "SELECT count(DISTINCT payload->'pid') AS processes FROM event";
    let query = format!("{counts} WHERE sensor_ref = 'demo.{sensor}' HAVING count(*) >= {events}");
    fixture.eventually(&query).await.get("processes")
}

async fn a_module_lives_on_unless_the_sensor_asks_for_a_process(language: &Language) {
    let fixture = with_sensors(language, &[("warm", language.counts), ("apart", language.counts)]).await;
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

async fn a_warm_sensor_is_told_all_that_a_process_is_told(language: &Language) {
    let fixture = with_sensors(language, &[("asks", language.asks)]).await;
    fixture.execute(r#"UPDATE sensor SET config = '{"path": "/x y"}'"#).await;
    let service = fixture.start().await;
    let event = fixture.eventually("SELECT payload FROM event ORDER BY id LIMIT 1 OFFSET 1").await;
    let context = json!({"ref": "demo.asks", "sensor": "demo.asks", "triggers": ["demo.seen"],
        "config": {"path": "/x y"}, "state": {"n": 1}, "trigger_params": []});
    let expected = json!({"config": {"path": "/x y"}, "context": context, "mode": 0o600});
    assert_eq!(event.get::<Value, _>("payload"), expected);
    service.stop().await;
}

async fn what_fails_in_a_host_is_told_and_the_others_go_on(language: &Language) {
    let drafts = [
        ("dies", language.dies),
        ("raises", language.raises),
        ("hangs", language.hangs),
        ("plain", language.plain),
        ("strays", language.strays),
        ("well", language.counts),
    ];
    let fixture = with_sensors(language, &drafts).await;
    fixture.execute("UPDATE sensor SET timeout = 1 WHERE ref = 'demo.hangs'").await;
    let service = fixture.start().await;
    fixture.failing("dies", "its warm host was ended by signal 9: farewell").await;
    fixture.failing("raises", language.raised).await;
    fixture.failing("strays", "its warm host said what is no answer: the request was number %done%").await;
    fixture.failing("hangs", "it ran longer than its time limit of 1 s: waiting").await;
    // What only runs by itself does so.
    fixture.event_of("plain").await;
    let seen = fixture.eventually("SELECT max(id) AS id FROM event").await.get::<i64, _>("id");
    fixture.eventually(&format!("SELECT FROM event WHERE sensor_ref = 'demo.well' AND id > {seen}")).await;
    service.stop().await;
}

async fn who_is_killed_by_others_does_not_wait_for_minutes(language: &Language) {
    let fixture = with_sensors(language, &[("warm", language.dies), ("apart", language.dies)]).await;
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
