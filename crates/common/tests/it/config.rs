//! The configuration, from files and variables that each test states.

#![expect(clippy::unwrap_used, reason = "a test that can not go on says so by panicking")]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use attune_common::config::{Config, ConfigError, Sources};
use serde_json::json;
use tempfile::TempDir;

/// A directory to start in, with or without a `config.yaml`, and an environment.
struct Place {
    directory: TempDir,
    sources: Sources,
}

impl Place {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let sources =
            Sources { cwd: directory.path().to_owned(), hostname: "box".to_owned(), ..Sources::default() };
        Self { directory, sources }
    }

    fn file(self, name: &str, content: &str) -> Self {
        std::fs::write(self.path(name), content).unwrap();
        self
    }

    fn yaml(self, content: &str) -> Self {
        self.file("config.yaml", content)
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.sources.env.push((name.into(), value.into()));
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn build(&self) -> Result<Config, ConfigError> {
        Config::build(&self.sources)
    }

    fn config(&self) -> Config {
        self.build().unwrap()
    }

    /// The message, with this place's directory taken out.
    fn message(&self) -> String {
        let directory = format!("{}/", self.directory.path().display());
        self.build().unwrap_err().to_string().replace(&directory, "")
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn without_a_file_everything_has_its_default() {
    let config = Place::new().config();
    let sensor = config.sensor.unwrap();
    assert_eq!((sensor.worker_name.as_str(), sensor.host.as_str()), ("sensor-box", "box"));
    assert_eq!([sensor.heartbeat_interval, sensor.poll_interval, sensor.sensor_timeout], [seconds(30); 3]);
    assert_eq!((sensor.max_concurrent_sensors, sensor.capabilities), (10, None));
    let worker = config.worker.unwrap();
    assert_eq!(
        (worker.worker_name.as_str(), worker.host.as_str(), worker.hybrid),
        ("worker-box", "box", false)
    );
    assert_eq!((worker.max_concurrent_executions, worker.execution_timeout), (10, seconds(300)));
    assert_eq!((config.runtime.cache_ttl, config.runtime.verify_interval), (seconds(600), seconds(60)));
    assert_eq!((config.server.host.as_str(), config.server.port), ("127.0.0.1", 8080));
    assert_eq!(config.database.url, None);
}

#[test]
fn every_limit_is_on_by_default() {
    let config = Place::new().config();
    let host_memory = (config.sensor.unwrap().host_memory_bytes, config.worker.unwrap().host_memory_bytes);
    assert_eq!(host_memory, (512_000_000, 512_000_000));
    let limits = config.limits;
    assert_eq!(limits.result_bytes, 1_000_000);
    assert_eq!(limits.execution_log_bytes, 10_000_000);
    assert_eq!(limits.event_payload_bytes, 1_000_000);
    assert_eq!(limits.poll_output_bytes, 10_000_000);
    assert_eq!((limits.verification_timeout, limits.verification_output_bytes), (seconds(5), 65_536));
    assert_eq!(
        (limits.pack_bytes, limits.pack_files, limits.pack_file_bytes),
        (64_000_000, 10_000, 16_000_000)
    );
}

#[test]
fn the_documented_file_means_what_it_says() {
    let place = Place::new().yaml(
        "
sensor:
  worker_name: sensor-production-01
  host: 10.0.1.42
  heartbeat_interval: 15
  poll_interval: 0.5
  sensor_timeout: 20
  max_concurrent_sensors: 7
  capabilities:
    runtimes: [python, shell, node]
    custom_feature: true
worker:
  max_concurrent_executions: 3
  execution_timeout: 60
runtime: {cache_ttl: 0, verify_interval: 5}
server: {host: 0.0.0.0, port: 0}
",
    );
    let config = place.config();
    let sensor = config.sensor.unwrap();
    assert_eq!((sensor.worker_name.as_str(), sensor.host.as_str()), ("sensor-production-01", "10.0.1.42"));
    assert_eq!((sensor.heartbeat_interval, sensor.poll_interval), (seconds(15), Duration::from_millis(500)));
    assert_eq!((sensor.sensor_timeout, sensor.max_concurrent_sensors), (seconds(20), 7));
    let capabilities = sensor.capabilities.unwrap();
    assert_eq!(capabilities["runtimes"], json!(["python", "shell", "node"]));
    assert_eq!(capabilities["custom_feature"], json!(true));
    let worker = config.worker.unwrap();
    assert_eq!((worker.max_concurrent_executions, worker.execution_timeout), (3, seconds(60)));
    assert_eq!((config.runtime.cache_ttl, config.runtime.verify_interval), (seconds(0), seconds(5)));
    assert_eq!((config.server.host.as_str(), config.server.port), ("0.0.0.0", 0));
}

#[test]
fn the_environment_wins_over_the_file() {
    let config = Place::new()
        .yaml("sensor: {worker_name: from-file, poll_interval: 10}")
        .env("ATTUNE__SENSOR__WORKER_NAME", "from-env")
        .env("ATTUNE__SENSOR__HEARTBEAT_INTERVAL", "12")
        .config();
    let sensor = config.sensor.unwrap();
    assert_eq!((sensor.worker_name.as_str(), sensor.heartbeat_interval), ("from-env", seconds(12)));
    assert_eq!(sensor.poll_interval, seconds(10));
}

#[test]
fn text_of_the_environment_takes_the_type_of_its_key() {
    let config = Place::new()
        .env("ATTUNE__SENSOR__WORKER_NAME", "42")
        .env("ATTUNE__SERVER__PORT", " 9000 ")
        .env("ATTUNE__WORKER__HYBRID", "true")
        .env("ATTUNE__SENSOR__CAPABILITIES__RUNTIMES", "Python, shell,")
        .env("ATTUNE__SENSOR__CAPABILITIES__GPUS", "2")
        .env("ATTUNE__SENSOR__CAPABILITIES__ZONE", "north")
        .env("ATTUNE__WORKER__CAPABILITIES", r#"{"runtimes": ["node"], "fast": true}"#)
        .config();
    let (sensor, worker) = (config.sensor.unwrap(), config.worker.unwrap());
    assert_eq!((sensor.worker_name.as_str(), config.server.port, worker.hybrid), ("42", 9000, true));
    let capabilities = sensor.capabilities.unwrap();
    assert_eq!(capabilities["runtimes"], json!(["Python", "shell"]));
    assert_eq!((&capabilities["gpus"], &capabilities["zone"]), (&json!(2), &json!("north")));
    assert_eq!(json!(worker.capabilities.unwrap()), json!({"runtimes": ["node"], "fast": true}));
}

#[test]
fn a_json_list_of_runtimes_is_a_list_too() {
    let place = Place::new().env("ATTUNE__SENSOR__CAPABILITIES__RUNTIMES", r#"["a", "b"]"#);
    assert_eq!(place.config().sensor.unwrap().capabilities.unwrap()["runtimes"], json!(["a", "b"]));
}

#[test]
fn the_database_is_named_by_whoever_is_most_specific() {
    let url = |place: &Place| place.config().database.url.unwrap().reveal().to_owned();
    let place = Place::new().yaml("database: {url: postgresql://file/a}");
    assert_eq!(url(&place), "postgresql://file/a");
    let place = place.env("DATABASE_URL", "postgres://everyone/a");
    assert_eq!(url(&place), "postgres://everyone/a");
    let place = place.env("ATTUNE__DATABASE__URL", "postgresql:///attune?host=/run/x&user=attune");
    assert_eq!(url(&place), "postgresql:///attune?host=/run/x&user=attune");
}

#[test]
fn an_empty_database_url_is_none() {
    assert_eq!(Place::new().env("DATABASE_URL", "").config().database.url, None);
}

#[test]
fn every_fault_is_listed_with_its_source_and_its_key() {
    let place = Place::new()
        .yaml(
            "
sensor: {poll_intervall: 5, heartbeat_interval: 0, sensor_timeout: soon, max_concurrent_sensors: -1}
worker: [1]
server: {port: 70000}
frobnicate: {a: 1}
",
        )
        .env("ATTUNE__WORKER__EXECUTION_TIMEOUT", "never")
        .env("ATTUNE__SENSR__HOST", "x");
    assert_eq!(
        place.message(),
        "the configuration can not be used:
  config.yaml: frobnicate: unknown key
  config.yaml: sensor.heartbeat_interval: expected a number of seconds greater than 0, found 0
  config.yaml: sensor.max_concurrent_sensors: expected a whole number of at least 1, found -1
  config.yaml: sensor.poll_intervall: unknown key; did you mean `poll_interval`?
  config.yaml: sensor.sensor_timeout: expected a number of seconds greater than 0, found \"soon\"
  config.yaml: server.port: expected a port from 0 to 65535, found 70000
  ATTUNE__SENSR__HOST: sensr: unknown key; did you mean `sensor`?
  ATTUNE__WORKER__EXECUTION_TIMEOUT: worker.execution_timeout: expected a number of seconds greater than 0, found \"never\""
    );
}

#[test]
fn a_section_of_another_type_is_a_fault() {
    let place = Place::new().yaml("worker: [1]\nsensor: 3");
    assert_eq!(
        place.message(),
        "the configuration can not be used:
  config.yaml: sensor: expected a section, found a number
  config.yaml: worker: expected a section, found a list"
    );
}

#[test]
fn text_in_a_file_is_no_number() {
    let place = Place::new().yaml("sensor: {poll_interval: '5', worker_name: 7, host: ''}");
    let message = place.message();
    assert!(
        message.contains("sensor.poll_interval: expected a number of seconds greater than 0, found \"5\"")
    );
    assert!(message.contains("sensor.worker_name: expected text that is not empty, found 7"));
    assert!(message.contains("sensor.host: expected text that is not empty, found \"\""));
}

#[test]
fn impossible_durations_are_faults() {
    for impossible in ["0", "-1", "1e300", "[1]", "yes"] {
        let place = Place::new().yaml(&format!("sensor: {{poll_interval: {impossible}}}"));
        assert!(place.message().contains("sensor.poll_interval: expected a number"), "{impossible}");
    }
    for impossible in ["0", "-1", "nan", "inf", "1e300", "", "5s"] {
        let place = Place::new().env("ATTUNE__SENSOR__POLL_INTERVAL", impossible);
        assert!(place.message().contains("sensor.poll_interval: expected a number"), "{impossible}");
    }
    for no_number in [".nan", ".inf"] {
        let place = Place::new().yaml(&format!("sensor: {{poll_interval: {no_number}}}"));
        assert!(place.message().contains("config.yaml: is no YAML"), "{no_number}");
    }
}

#[test]
fn runtimes_must_be_a_list_of_names() {
    for wrong in ["python", "[python, 3]", "{python: true}"] {
        let place = Place::new().yaml(&format!("sensor: {{capabilities: {{runtimes: {wrong}}}}}"));
        assert!(
            place.message().contains("sensor.capabilities.runtimes: expected a list of names"),
            "{wrong}"
        );
    }
}

#[test]
fn runtimes_of_the_environment_must_be_names_too() {
    for (name, value) in [("", r#"{"runtimes": [1]}"#), ("", r#"{"runtimes": "a"}"#), ("__RUNTIMES", "[1]")] {
        let place = Place::new().env(&format!("ATTUNE__SENSOR__CAPABILITIES{name}"), value);
        assert!(
            place.message().contains("sensor.capabilities.runtimes: expected a list of names"),
            "{value}"
        );
    }
}

#[test]
fn an_empty_section_or_key_is_as_good_as_none() {
    let place = Place::new().yaml("sensor:\nworker:\n  host:\n").env("ATTUNE__SENSOR__HOST", "here");
    let config = place.config();
    assert_eq!(config.sensor.unwrap().host, "here");
    assert_eq!(config.worker.unwrap().host, "box");
    assert_eq!(Place::new().yaml("").config().database.url, None);
}

#[test]
fn no_message_shows_a_password() {
    let secret = "hunter2";
    for yaml in [
        format!("database: {{url: 'mysql://me:{secret}@host/db'}}"),
        format!("database: {{url: ['postgres://me:{secret}@host/db']}}"),
        format!("database: 'postgres://me:{secret}@host/db'"),
        format!("database: {{max_connections: '{secret}'}}"),
        format!("database:\n  url: postgres://me:{secret}@host/db\n bad: [indent"),
        format!("'postgres://me:{secret}@host/db'"),
        format!("- database: 'postgres://me:{secret}@host/db'"),
        format!("database: {{url: 'postgres://me:{secret}@host:port/db'}}"),
        format!("database_url: 'postgres://me:{secret}@host/db'"),
        format!("database: {{password: '{secret}'}}"),
    ] {
        let message = Place::new().yaml(&yaml).message();
        assert!(!message.contains(secret), "{message}");
    }
    let config = Place::new().env("DATABASE_URL", &format!("postgres://me:{secret}@host/db")).config();
    assert!(!format!("{config:?}").contains(secret));
}

#[test]
fn a_file_that_is_asked_for_must_be_there() {
    let mut place = Place::new().yaml("server: {port: 1}").file("other.yaml", "server: {port: 2}");
    place = place.env("ATTUNE_CONFIG", "other.yaml");
    assert_eq!(place.config().server.port, 2);
    place.sources.file = Some(place.path("config.yaml"));
    assert_eq!(place.config().server.port, 1);
    place.sources.file = Some("missing.yaml".into());
    assert!(place.message().contains("missing.yaml: can not be read"), "{}", place.message());
}

#[test]
fn a_file_that_is_no_yaml_does_not_hide_the_other_faults() {
    let message = Place::new().yaml("sensor: [").env("ATTUNE__SERVER__PORT", "x").message();
    assert!(message.contains("config.yaml: is no YAML"), "{message}");
    assert!(message.contains("ATTUNE__SERVER__PORT: server.port: expected a port"), "{message}");
}

#[test]
fn a_key_that_is_there_twice_is_a_fault() {
    let message = Place::new().yaml("server: {port: 1}\nserver: {port: 2}").message();
    assert!(message.contains("config.yaml: is no YAML"), "{message}");
}

#[test]
fn a_variable_that_is_no_text_is_a_fault() {
    let mut place = Place::new();
    place.sources.env.push(("ATTUNE__SENSOR__HOST".into(), OsString::from_vec(vec![b'a', 0xff])));
    assert!(place.message().contains("ATTUNE__SENSOR__HOST: sensor.host: is not UTF-8"));
}

#[test]
fn variables_with_one_underscore_are_no_keys() {
    let place = ["ATTUNE_API_URL", "ATTUNE_API_TOKEN", "ATTUNE_SENSOR_RUNTIMES", "ATTUNE_WORKER_RUNTIMES"]
        .into_iter()
        .fold(Place::new(), |place, name| place.env(name, "anything"));
    place.config();
}

#[test]
fn directories_follow_the_user_unless_they_are_set() {
    let place = Place::new().env("HOME", "/home/me");
    assert_eq!(place.config().data_dir, PathBuf::from("/home/me/.local/share/attune"));
    let place = place.env("XDG_DATA_HOME", "/data");
    assert_eq!(place.config().cache_dir, PathBuf::from("/data/attune/cache"));
    let mut place = place.env("ATTUNE__CACHE_DIR", "here");
    place.sources.root = true;
    let config = place.config();
    assert_eq!(config.data_dir, PathBuf::from("/var/lib/attune"));
    assert_eq!(config.cache_dir, place.path("here"));
}

#[test]
fn environments_are_kept_apart_from_the_data() {
    let environments = |place: &Place| place.config().runtime.environments_dir;
    let mut place = Place::new().env("HOME", "/home/me");
    assert_eq!(environments(&place), PathBuf::from("/home/me/.cache/attune/environments"));
    place.sources.root = true;
    assert_eq!(environments(&place), PathBuf::from("/var/cache/attune/environments"));
    let place = place.env("XDG_CACHE_HOME", "/cache");
    assert_eq!(environments(&place), PathBuf::from("/cache/attune/environments"));
    let place = place.env("ATTUNE__RUNTIME__ENVIRONMENTS_DIR", "here");
    assert_eq!(environments(&place), place.path("here"));
}

#[test]
fn the_default_configuration_reads_no_file() {
    let config = Config::default();
    assert!(config.sensor.unwrap().worker_name.starts_with("sensor-"));
    assert_eq!((config.database.url, config.server.port), (None, 8080));
}
