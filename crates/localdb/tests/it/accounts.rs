//! Environments and accounts.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use attune_localdb::{Error, LocalDb, Options};
use sqlx::{Connection, PgConnection};

use crate::owner::{Owner, open_directory};

const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[tokio::test]
async fn an_empty_environment_gives_utf_8() {
    let parent = open_directory();
    let data_dir = parent.path().join("data");
    let mut owner = Owner::start(&data_dir, None);
    let mut connection = PgConnection::connect(&owner.url()).await.unwrap();
    // A cluster of encoding SQL_ASCII refuses this one.
    let text: String = sqlx::query_scalar(r#"SELECT '{"name": "\u00e9"}'::jsonb ->> 'name'"#)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(text, "é");
    owner.kill();
    LocalDb::destroy(&data_dir).await.unwrap();
}

#[tokio::test]
async fn under_root_the_server_is_not_root() {
    let parent = open_directory();
    let data_dir = parent.path().join("data");
    let database = LocalDb::start(&Options::throwaway(&data_dir)).await.unwrap();
    let server = fs::metadata(format!("/proc/{}", database.pid())).unwrap().uid();
    assert_ne!(server, 0);
    assert_eq!(fs::metadata(data_dir.join("postgres")).unwrap().uid(), server);
    assert_eq!(server == rustix::process::geteuid().as_raw(), !is_root());
    database.stop().await;
}

#[tokio::test]
async fn an_account_without_privileges_runs_its_own() {
    let parent = open_directory();
    let home = parent.path().join("home");
    fs::create_dir(&home).unwrap();
    let uid = if is_root() { NOBODY } else { rustix::process::geteuid().as_raw() };
    if is_root() {
        std::os::unix::fs::chown(&home, Some(uid), Some(uid)).unwrap();
    }
    fs::copy(std::env::current_exe().unwrap(), home.join("data.owner")).unwrap();
    fs::set_permissions(home.join("data.owner"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut owner = Owner::start(&home.join("data"), is_root().then_some(uid));
    let url = owner.url();
    let socket = url.split_once("host=").unwrap().1.split('&').next().unwrap().to_owned();
    assert!(socket.starts_with("/tmp/attune-"), "{url}");
    assert_eq!(fs::metadata(home.join("data/postgres")).unwrap().uid(), uid);
    PgConnection::connect(&url).await.unwrap();
    owner.kill();
    LocalDb::destroy(&home.join("data")).await.unwrap();
    if is_root() {
        fs::remove_dir_all(socket).unwrap();
    }
}

#[tokio::test]
async fn a_private_parent_is_named() {
    let parent = open_directory();
    let blocked = parent.path().join("private");
    fs::create_dir(&blocked).unwrap();
    fs::set_permissions(&blocked, fs::Permissions::from_mode(0o700)).unwrap();
    let started = LocalDb::start(&Options::throwaway(blocked.join("data"))).await;
    if is_root() {
        let error = started.unwrap_err();
        assert!(matches!(&error, Error::Unreachable { blocked_by, .. } if *blocked_by == blocked), "{error}");
    } else {
        started.unwrap().stop().await;
    }
}
