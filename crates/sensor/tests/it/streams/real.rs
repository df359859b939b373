//! The sensors of the pack `streams` with real files and a real broker. They are killed at any moment, and what the source
//! gave is held against what was stored.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use attune_common::config::Config;
use attune_executor::core_pack::ensure_core_pack;
use attune_executor::load_pack::load_pack;
use attune_runtimes::{archive, directory};
use attune_sensor::SensorService;
use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use sqlx::Row as _;
use tempfile::TempDir;

use crate::fixture::Fixture;

/// A worker that runs one sensor of the pack, which a rule asks for something.
struct Streaming {
    fixture: Fixture,
    service: SensorService,
    sensor: &'static str,
    kills: u32,
}

impl Streaming {
    async fn start(sensor: &'static str, trigger: &str, params: &Value) -> Self {
        let fixture = Fixture::new().await;
        ensure_core_pack(fixture.pool()).await.unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/streams");
        let content = archive::write(&directory::read(&root).unwrap()).unwrap();
        load_pack(fixture.pool(), content, &Config::default().limits).await.unwrap();
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

    async fn running(&self) {
        let status =
            "SELECT FROM sensor_state JOIN sensor ON id = sensor WHERE ref = $ AND status = 'running'";
        self.fixture.eventually(&status.replace('$', &format!("'streams.{}'", self.sensor))).await;
    }

    /// Kills the sensor's program, and has it start again without waiting.
    async fn kill(&mut self) {
        let file = format!("sensors/{}.py", self.sensor);
        for pid in processes(&[self.fixture.cache.path().to_str().unwrap(), &file]) {
            // It may have ended in this moment.
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
        self.kills += 1;
        self.fixture.execute(&format!("UPDATE sensor SET timeout = {}", 20 + self.kills)).await;
    }

    /// Waits for so many events that have a key, stops, and returns how often each value of it came.
    async fn tally(self, events: usize, key: &str) -> BTreeMap<String, usize> {
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

/// Appends numbered lines, and rotates the file in between: by renaming, or by copying and emptying.
struct Log {
    path: PathBuf,
    file: File,
    lines: usize,
    rotations: usize,
}

impl Log {
    fn new(directory: &TempDir) -> Self {
        let path = directory.path().join("app.log");
        Self { file: Self::open(&path), path, lines: 0, rotations: 0 }
    }

    fn open(path: &Path) -> File {
        OpenOptions::new().append(true).create(true).open(path).unwrap()
    }

    /// A part of them in two pieces.
    fn append(&mut self, lines: usize) {
        for _ in 0..lines {
            let line = format!("line {}\n", self.lines);
            let (head, rest) = line.split_at(if self.lines.is_multiple_of(7) { 4 } else { 0 });
            self.file.write_all(head.as_bytes()).unwrap();
            self.file.write_all(rest.as_bytes()).unwrap();
            self.lines += 1;
        }
    }

    fn rotated(&self, number: usize) -> PathBuf {
        self.path.with_extension(format!("log.{number}"))
    }

    fn rotate(&mut self) {
        for number in (1..=self.rotations).rev() {
            fs::rename(self.rotated(number), self.rotated(number + 1)).unwrap();
        }
        if self.rotations.is_multiple_of(2) {
            fs::rename(&self.path, self.rotated(1)).unwrap();
            // Who has it open writes on for a moment.
            self.append(3);
            self.file = Self::open(&self.path);
        } else {
            fs::copy(&self.path, self.rotated(1)).unwrap();
            self.file.set_len(0).unwrap();
        }
        self.rotations += 1;
    }
}

#[tokio::test]
async fn rotation_and_kills_lose_and_double_no_line() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = Log::new(&directory);
    let params = json!({"path": log.path, "from": "start"});
    let mut streaming = Streaming::start("lines", "line_appended", &params).await;
    streaming.running().await;
    for round in 0..60 {
        log.append(20 + round % 13);
        tokio::time::sleep(Duration::from_millis(37)).await;
        if round % 4 == 3 {
            log.rotate();
        }
        if round % 7 == 6 {
            streaming.kill().await;
        }
    }
    let tally = streaming.tally(log.lines, "line").await;
    assert_each_once(&tally, (0..log.lines).map(|line| format!("line {line}")));
}

#[tokio::test]
async fn each_file_that_appears_is_told_once_whatever_is_killed() {
    let (directory, aside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(directory.path().join("before.job"), "was there").unwrap();
    let params = json!({"directory": directory.path(), "pattern": "*.job"});
    let mut streaming = Streaming::start("directory", "file_appeared", &params).await;
    streaming.running().await;
    for number in 0..120 {
        let (path, other) = (directory.path().join(format!("{number}.job")), aside.path().join("other"));
        match number % 3 {
            0 => fs::write(&path, "written in place").unwrap(),
            1 => {
                fs::write(directory.path().join("hidden"), "renamed into place").unwrap();
                fs::rename(directory.path().join("hidden"), &path).unwrap();
            }
            _ => {
                fs::write(&other, "linked into place").unwrap();
                fs::hard_link(&other, &path).unwrap();
                fs::remove_file(&other).unwrap();
            }
        }
        tokio::time::sleep(Duration::from_millis(13)).await;
        if number % 20 == 19 {
            streaming.kill().await;
        }
    }
    let tally = streaming.tally(120, "name").await;
    assert_each_once(&tally, (0..120).map(|number| format!("{number}.job")));
}

/// A broker on a free port, which ends with this value.
struct Broker {
    child: Child,
    port: u16,
    _directory: TempDir,
}

impl Broker {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let file = directory.path().join("broker.conf");
        let config = format!("listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n");
        fs::write(&file, config).unwrap();
        // Debian keeps it where only root looks for programs.
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap());
        let program =
            attune_process::find_on_path("mosquitto", path.as_ref()).expect("scripts/setup test installs it");
        let mut broker = Command::new(program);
        broker.arg("-c").arg(file).stdout(Stdio::null()).stderr(Stdio::null());
        Self { child: broker.spawn().unwrap(), port, _directory: directory }
    }

    /// Has each line published as a message, and waits until the broker has them all.
    fn publish(&self, topic: &str, options: &[&str], messages: &str) {
        let mut client = Command::new("mosquitto_pub")
            .args(["-p", &self.port.to_string(), "-q", "1", "-t", topic, "-l"])
            .args(options)
            .stdin(Stdio::piped())
            .spawn()
            .expect("scripts/setup test installs it");
        client.stdin.take().unwrap().write_all(messages.as_bytes()).unwrap();
        assert!(client.wait().unwrap().success());
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn each_message_of_a_broker_is_stored_once_whatever_is_killed() {
    let broker = Broker::start();
    let mut streaming = Streaming::start("mqtt", "message", &json!({"topic": "pumps/+"})).await;
    streaming
        .fixture
        .execute(&format!(r#"UPDATE sensor SET config = '{{"host": "127.0.0.1", "port": {}}}'"#, broker.port))
        .await;
    broker.publish("pumps/first", &["-r"], "ready\n");
    streaming.fixture.eventually("SELECT FROM event WHERE payload->>'text' = 'ready'").await;
    broker.publish("other", &[], "not asked for\n");
    for round in 0..6 {
        let messages: String = (0..50).map(|n| format!("{{\"n\": {}}}\n", 50 * round + n)).collect();
        broker.publish("pumps/7", &[], &messages);
        streaming.kill().await;
    }
    // What is retained comes anew with each subscription, and is no JSON.
    let tally = streaming.tally(300, "json").await;
    assert_each_once(&tally, (0..300).map(|n| format!("{{\"n\": {n}}}")));
}
