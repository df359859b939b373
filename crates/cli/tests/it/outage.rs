//! The database goes away in the middle of everything. What was acknowledged before, meanwhile and afterwards is there
//! exactly once, and nobody had to be started again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use attune_localdb::{LocalDb, Options};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::database::Database;
use crate::eventually::eventually;
use crate::home::Home;
use crate::up::Up;
use crate::{pack, servers};

/// A sensor that counts, in its state, what it has sent; a rule for one in ten of the posted events.
const PACK: [(&str, &str); 8] = [
    ("pack.yaml", "ref: demo\nname: Demo\nversion: 1.0.0\n"),
    ("triggers/tick.yaml", "ref: demo.tick\n"),
    ("triggers/post.yaml", "ref: demo.post\n"),
    (
        "sensors/count.yaml",
        "ref: demo.count\nruntime: core.python\nentrypoint: sensors/count.py\ntriggers: [demo.tick]\npoll_interval: 0.3\n",
    ),
    (
        "sensors/count.py",
        "def poll_sensor(config, state):\n    state['n'] = state.get('n', 0) + 1\n    yield {'n': state['n']}\n",
    ),
    (
        "rules/tenth.yaml",
        "ref: demo.tenth\ntrigger: demo.post\nconditions:\n  - {field: payload.n, operator: ends_with, value: \"0\"}\naction: demo.nothing\n",
    ),
    ("actions/nothing.yaml", "ref: demo.nothing\nruntime: core.shell\nentrypoint: actions/nothing.sh\n"),
    ("actions/nothing.sh", "exit 0\n"),
];

/// Posts numbered events, each until it is acknowledged.
struct Load {
    acknowledged: Arc<AtomicUsize>,
    end: Arc<AtomicBool>,
    posters: Vec<JoinHandle<()>>,
}

impl Load {
    fn start(home: &Home, up: &Up) -> Self {
        let (next, acknowledged, end) =
            (Arc::new(AtomicUsize::new(1)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (address, token) = (format!("{}/api/events", up.url), home.read("api.token").unwrap());
        let posters = (0..3).map(|_| {
            let (next, acknowledged, end) = (Arc::clone(&next), Arc::clone(&acknowledged), Arc::clone(&end));
            let (address, token) = (address.clone(), token.clone());
            thread::spawn(move || {
                while !end.load(Ordering::SeqCst) {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    eventually("an event is acknowledged", || post(&address, &token, n));
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                }
            })
        });
        let posters = posters.collect();
        Self { acknowledged, end, posters }
    }

    /// Waits until so many more have been acknowledged.
    fn goes_on(&self, more: usize) {
        let goal = self.acknowledged.load(Ordering::SeqCst) + more;
        eventually("events are acknowledged", || {
            (self.acknowledged.load(Ordering::SeqCst) >= goal).then_some(())
        });
    }

    /// Ends it and gives the number of events, from 1 on, that were acknowledged.
    fn end(self) -> usize {
        self.end.store(true, Ordering::SeqCst);
        self.posters.into_iter().for_each(|poster| poster.join().unwrap());
        self.acknowledged.load(Ordering::SeqCst)
    }
}

fn post(address: &str, token: &str, n: usize) -> Option<()> {
    let event = json!({"trigger": "demo.post", "payload": {"n": n.to_string()}, "key": n.to_string(), "source": "load"});
    let answer = ureq::post(address).header("authorization", format!("Bearer {token}")).send_json(event);
    answer.is_ok().then_some(())
}

/// Counts again, from what is stored: the posted events with their keys, the executions with their events, and whether
/// the sensor's events are as many as its state says.
fn recount(database: &Database) -> Value {
    database.eventually("SELECT 1 FROM execution HAVING bool_and(status = 'succeeded')");
    let rows = database.rows(
        "SELECT (SELECT jsonb_build_array(count(*), count(DISTINCT key), max(key::int)) FROM event WHERE trigger_ref = 'demo.post') AS events,
                (SELECT jsonb_build_array(count(*), count(DISTINCT f.event))
                 FROM execution x JOIN enforcement f ON f.id = x.enforcement) AS executions,
                (SELECT jsonb_build_array(max((payload->>'n')::int) - count(*), count(*) - count(DISTINCT payload)) FROM event
                 WHERE sensor_ref = 'demo.count') AS sensor_differs",
    );
    rows.into_iter().next().unwrap()
}

/// What must be counted when the first so many events were acknowledged.
fn whole(acknowledged: usize) -> Value {
    let (events, executions) = (acknowledged, acknowledged / 10);
    json!({"events": [events, events, events], "executions": [executions, executions], "sensor_differs": [0, 0]})
}

/// Waits for an event that the sensor sends from now on.
fn sensor_goes_on(database: &Database) {
    let count = database.number("SELECT count(*) FROM event WHERE sensor_ref = 'demo.count'");
    database.eventually(&format!(
        "SELECT 1 FROM event WHERE sensor_ref = 'demo.count' HAVING count(*) > {count}"
    ));
}

#[test]
fn a_private_server_that_hangs_and_dies_is_started_again() {
    let home = Home::new();
    pack::write(home.path(), "demo", &PACK);
    let up = home.up(&["--packs", "demo"]);
    let database = Up::private_database(&home);
    let load = Load::start(&home, &up);
    load.goes_on(100);
    sensor_goes_on(&database);

    servers::signal(&home.data_dir(), Signal::STOP);
    thread::sleep(Duration::from_secs(6));
    servers::signal(&home.data_dir(), Signal::CONT);
    load.goes_on(100);

    let server = servers::postmaster(&home.data_dir());
    servers::signal(&home.data_dir(), Signal::KILL);
    load.goes_on(100);
    servers::gone(server);
    sensor_goes_on(&database);
    let acknowledged = load.end();
    assert_eq!(recount(&database), whole(acknowledged));
    assert!(up.stop().success());
}

/// Long enough that everything that waits for the database has failed and tried again more than once.
const AWAY: Duration = Duration::from_secs(15);

#[test]
fn a_database_that_is_away_is_waited_for() {
    let data_dir = Home::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut server = runtime.block_on(LocalDb::start(&Options::new(data_dir.data_dir()))).unwrap();
    let home = Home::on(&server.url());
    pack::write(home.path(), "demo", &PACK);
    let mut up = home.up(&["--packs", "demo"]);
    let database = Database::at(&server.url());
    let load = Load::start(&home, &up);
    load.goes_on(100);
    sensor_goes_on(&database);

    kill_and_return(&runtime, &mut server, &data_dir.data_dir());
    load.goes_on(100);
    sensor_goes_on(&database);
    let acknowledged = load.end();
    assert_eq!(recount(&database), whole(acknowledged));
    notices_what_is_planted(&database, acknowledged);
    assert!(up.is_running());
    assert!(up.stop().success());
    runtime.block_on(server.stop());
}

/// The count is worth something only if it sees a loss and a double.
fn notices_what_is_planted(database: &Database, acknowledged: usize) {
    for (plant, uproot) in [
        (
            "UPDATE event SET trigger_ref = 'lost' WHERE key = '1'",
            "UPDATE event SET trigger_ref = 'demo.post' WHERE key = '1'",
        ),
        (
            "INSERT INTO event (trigger, trigger_ref, payload) SELECT trigger, trigger_ref, payload FROM event WHERE key = '1'",
            "DELETE FROM event WHERE trigger_ref = 'demo.post' AND key IS NULL",
        ),
    ] {
        database.execute(plant);
        assert_ne!(recount(database), whole(acknowledged), "{plant}");
        database.execute(uproot);
    }
    assert_eq!(recount(database), whole(acknowledged));
}

fn kill_and_return(runtime: &tokio::runtime::Runtime, server: &mut LocalDb, data_dir: &Path) {
    servers::signal(data_dir, Signal::KILL);
    thread::sleep(AWAY);
    runtime.block_on(server.restart()).unwrap();
}
