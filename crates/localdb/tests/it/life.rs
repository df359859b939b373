//! Start, stop, restart, and two at a time.

use std::fs;
use std::path::Path;

use attune_localdb::{Error, LocalDb, Options, url_of};
use sqlx::{Connection, PgConnection};

use crate::owner::{Owner, open_directory};

async fn setting(url: &str, name: &str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar("SELECT current_setting($1)").bind(name).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn keeps_what_it_was_given() {
    let parent = open_directory();
    let data_dir = parent.path().join("deep/er");
    let options = Options::new(&data_dir);

    let database = LocalDb::start(&options).await.unwrap();
    let url = database.url();
    assert_eq!(url, url_of(&data_dir).unwrap());
    assert_eq!(setting(&url, "fsync").await, "on");
    assert_eq!(setting(&url, "synchronous_commit").await, "on");
    assert_eq!(setting(&url, "listen_addresses").await, "");
    assert_eq!(setting(&url, "max_connections").await, "200");
    assert_eq!(setting(&url, "TimeZone").await, "UTC");
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("CREATE TABLE kept AS SELECT 42 AS answer").execute(&mut connection).await.unwrap();
    database.stop().await;
    assert!(PgConnection::connect(&url).await.is_err(), "nothing listens after a stop");

    let database = LocalDb::start(&options).await.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let answer: i32 = sqlx::query_scalar("SELECT answer FROM kept").fetch_one(&mut connection).await.unwrap();
    assert_eq!(answer, 42);
    database.stop().await;
}

#[tokio::test]
async fn comes_back_after_its_server_was_killed() {
    let parent = open_directory();
    let mut database = LocalDb::start(&Options::throwaway(parent.path().join("data"))).await.unwrap();
    let killed = rustix::process::Pid::from_raw(database.pid().cast_signed()).unwrap();
    rustix::process::kill_process(killed, rustix::process::Signal::KILL).unwrap();
    database.exited().await.unwrap();
    database.restart().await.unwrap();
    assert_ne!(database.pid().cast_signed(), killed.as_raw_nonzero().get());
    assert_eq!(setting(&database.url(), "server_encoding").await, "UTF8");
    database.stop().await;
}

#[tokio::test]
async fn recreates_a_database_that_was_dropped() {
    let parent = open_directory();
    let mut database = LocalDb::start(&Options::throwaway(parent.path().join("data"))).await.unwrap();
    let elsewhere = database.url().replace("/attune?", "/postgres?");
    let mut connection = PgConnection::connect(&elsewhere).await.unwrap();
    sqlx::raw_sql("DROP DATABASE attune").execute(&mut connection).await.unwrap();
    database.restart().await.unwrap();
    assert_eq!(setting(&database.url(), "server_encoding").await, "UTF8");
    database.stop().await;
}

#[tokio::test]
async fn two_data_directories_stand_side_by_side() {
    let parent = open_directory();
    let (left, right) =
        (Options::throwaway(parent.path().join("l")), Options::throwaway(parent.path().join("r")));
    let (left, right) = tokio::join!(LocalDb::start(&left), LocalDb::start(&right));
    let (left, right) = (left.unwrap(), right.unwrap());
    let directories =
        (setting(&left.url(), "data_directory").await, setting(&right.url(), "data_directory").await);
    assert!(
        directories.0.ends_with("/l/postgres") && directories.1.ends_with("/r/postgres"),
        "{directories:?}"
    );
    tokio::join!(left.stop(), right.stop());
}

#[tokio::test]
async fn a_data_directory_has_one_owner() {
    let parent = open_directory();
    let data_dir = parent.path().join("data");
    let mut owner = Owner::start(&data_dir, None);
    let url = owner.url();
    let error = LocalDb::start(&Options::throwaway(&data_dir)).await.unwrap_err();
    assert!(matches!(error, Error::InUse { pid: Some(pid), .. } if pid == owner.pid()), "{error}");
    assert!(error.to_string().contains(&format!("in use by process {}", owner.pid())), "{error}");
    setting(&url, "server_version").await;
    owner.kill();
    LocalDb::destroy(&data_dir).await.unwrap();
}

#[tokio::test]
async fn the_length_of_the_path_does_not_matter() {
    let parent = open_directory();
    let data_dir = parent.path().join("x".repeat(120)).join("y".repeat(120));
    let database = LocalDb::start(&Options::throwaway(&data_dir)).await.unwrap();
    setting(&database.url(), "server_version").await;
    database.stop().await;
    LocalDb::destroy(&data_dir).await.unwrap();
    assert!(!data_dir.exists());
}

#[tokio::test]
async fn what_the_operator_sets_wins() {
    let parent = open_directory();
    let data_dir = parent.path().join("data");
    fs::create_dir(&data_dir).unwrap();
    open(&data_dir);
    fs::write(data_dir.join("postgres.local.conf"), "max_connections = 37\n").unwrap();
    open(&data_dir.join("postgres.local.conf"));
    let database = LocalDb::start(&Options::throwaway(&data_dir)).await.unwrap();
    assert_eq!(setting(&database.url(), "max_connections").await, "37");
    database.stop().await;
}

#[tokio::test]
async fn says_what_the_server_said_when_it_does_not_start() {
    let parent = open_directory();
    let data_dir = parent.path().join("data");
    fs::create_dir(&data_dir).unwrap();
    open(&data_dir);
    fs::write(data_dir.join("postgres.local.conf"), "max_connections = many\n").unwrap();
    open(&data_dir.join("postgres.local.conf"));
    let error = LocalDb::start(&Options::throwaway(&data_dir)).await.unwrap_err();
    assert!(matches!(error, Error::Ended { .. }), "{error}");
    assert!(error.to_string().contains("max_connections"), "{error}");
}

fn open(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
