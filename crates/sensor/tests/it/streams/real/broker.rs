//! Messages of a broker.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use attune_testkit::trial::rounds;
use serde_json::json;
use tempfile::TempDir;

use super::{Streaming, assert_each_once};

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
    let rounds = rounds(6);
    for round in 0..rounds {
        let messages: Vec<String> = (0..50).map(|n| format!("{{\"n\": {}}}\n", 50 * round + n)).collect();
        broker.publish("pumps/7", &[], &messages.concat());
        streaming.kill().await;
    }
    // What is retained comes anew with each subscription, and is no JSON.
    let tally = streaming.tally(50 * rounds, "json").await;
    assert_each_once(&tally, (0..50 * rounds).map(|n| format!("{{\"n\": {n}}}")));
}
