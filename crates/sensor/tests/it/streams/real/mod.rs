//! The sensors of the pack `streams` with real files, a real broker and a real connection. They are killed at any moment, and what the source
//! gave is held against what was stored.

mod broker;
mod files;
mod rotation;
mod server_events;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use attune_common::config::Config;
use attune_executor::core_pack::ensure_core_pack;
use attune_executor::load_pack::load_pack;
use attune_runtimes::files::Files;
use attune_runtimes::{archive, directory};
use attune_sensor::SensorService;
use rustix::process::{Pid, Signal};
use serde_json::Value;
use sqlx::Row as _;

use crate::fixture::Fixture;

/// A worker that runs one sensor of the pack, which a rule asks for something.
struct Streaming {
    pub(super) fixture: Fixture,
    service: SensorService,
    sensor: &'static str,
    kills: u32,
}

impl Streaming {
    pub(super) async fn start(sensor: &'static str, trigger: &str, params: &Value) -> Self {
        let fixture = Fixture::new().await;
        ensure_core_pack(fixture.pool()).await.unwrap();
        load_pack(fixture.pool(), pack(sensor), &Config::default().limits).await.unwrap();
        fixture.execute(&format!("UPDATE sensor SET enabled = ref = 'streams.{sensor}'")).await;
        fixture.execute("INSERT INTO action (ref) VALUES ('demo.act')").await;
        fixture
            .execute(&format!(
                "INSERT INTO rule (ref, trigger, action, trigger_params)
                 SELECT 'demo.rule', trigger.id, action.id, '{params}' FROM trigger, action
                 WHERE trigger.ref = 'streams.{trigger}' AND action.ref = 'demo.act'"
            ))
            .await;
        let service = fixture.start().await;
        Self { fixture, service, sensor, kills: 0 }
    }

    pub(super) async fn running(&self) {
        let status =
            "SELECT FROM sensor_state JOIN sensor ON id = sensor WHERE ref = $ AND status = 'running'";
        self.fixture.eventually(&status.replace('$', &format!("'streams.{}'", self.sensor))).await;
    }

    /// Kills the sensor's program, and has it start again without waiting.
    pub(super) async fn kill(&mut self) {
        let file = format!("sensors/{}.", self.sensor);
        for pid in processes(&[self.fixture.cache.path().to_str().unwrap(), &file]) {
            // It may have ended in this moment.
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
        self.kills += 1;
        self.fixture.execute(&format!("UPDATE sensor SET timeout = {}", 20 + self.kills)).await;
    }

    /// Waits for so many events that have a key, stops, and returns how often each value of it came.
    pub(super) async fn tally(self, events: usize, key: &str) -> BTreeMap<String, usize> {
        let enough = format!("SELECT FROM event WHERE payload ? '{key}' HAVING count(*) >= {events}");
        self.fixture.eventually(&enough).await;
        self.service.stop().await;
        let values = sqlx::query("SELECT payload ->> $1 FROM event WHERE payload ? $1").bind(key);
        let mut tally = BTreeMap::new();
        for row in values.fetch_all(self.fixture.pool()).await.unwrap() {
            *tally.entry(row.get(0)).or_default() += 1;
        }
        tally
    }
}

/// The pack `streams`. Only the sensor of a broker imports what has to be installed, which is the one install of the gate from
/// `PyPI`.
fn pack(sensor: &str) -> Vec<u8> {
    let files = directory::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/streams")).unwrap();
    let needed = files.contents().iter().filter(|(path, _)| sensor == "mqtt" || *path != "requirements.txt");
    let needed = needed.map(|(path, content)| (path.clone(), content.clone()));
    archive::write(&Files::without_modes(needed).unwrap()).unwrap()
}

/// Processes whose command line has all of these in it.
fn processes(parts: &[&str]) -> Vec<Pid> {
    let pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let command = fs::read(entry.path().join("cmdline")).ok()?;
        let command = String::from_utf8_lossy(&command).into_owned();
        parts.iter().all(|part| command.contains(part)).then(|| Pid::from_raw(pid))?
    });
    pids.collect()
}

fn assert_each_once(tally: &BTreeMap<String, usize>, expected: impl Iterator<Item = String>) {
    let expected: BTreeMap<String, usize> = expected.map(|value| (value, 1)).collect();
    let lost: Vec<_> = expected.keys().filter(|value| !tally.contains_key(*value)).collect();
    let doubled: Vec<_> =
        tally.iter().filter(|(value, count)| **count > 1 || !expected.contains_key(*value)).collect();
    assert!(lost.is_empty() && doubled.is_empty(), "lost {lost:?}, doubled or never sent {doubled:?}");
}
