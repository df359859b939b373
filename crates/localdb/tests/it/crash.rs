//! What a killed owner leaves behind, and what the next one makes of it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use attune_localdb::{LocalDb, Options};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use sqlx::{Connection, PgConnection};

use crate::owner::{Owner, open_directory};

fn server_of(data_dir: &Path) -> Pid {
    let text = fs::read_to_string(data_dir.join("postgres/postmaster.pid")).unwrap();
    Pid::from_raw(text.lines().next().unwrap().parse().unwrap()).unwrap()
}

fn wait_for_end(pid: Pid) {
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    let limit = Timespec::try_from(Duration::from_secs(30)).unwrap();
    let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&limit)).unwrap();
    assert_eq!(ended, 1, "the server outlives its owner");
}

#[tokio::test]
async fn the_server_dies_with_its_owner() {
    let parent = open_directory();
    let data_dir = parent.path().join("data");
    let mut owner = Owner::start(&data_dir, None);
    let url = owner.url();
    let server = server_of(&data_dir);
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("CREATE TABLE kept AS SELECT 42 AS answer").execute(&mut connection).await.unwrap();
    owner.kill();
    wait_for_end(server);

    let database = LocalDb::start(&Options::throwaway(&data_dir)).await.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let answer: i32 = sqlx::query_scalar("SELECT answer FROM kept").fetch_one(&mut connection).await.unwrap();
    assert_eq!(answer, 42);
    database.stop().await;
}

#[tokio::test]
async fn an_orphan_is_stopped_by_the_next_owner() {
    let parent = open_directory();
    let data_dir = parent.path().join("data");
    let mut owner = Owner::start(&data_dir, None);
    let url = owner.url();
    let orphan = server_of(&data_dir);
    // Stopped, it cannot follow its owner before the next one comes.
    kill_process(orphan, Signal::STOP).unwrap();
    owner.kill();
    let next = tokio::spawn(async move { LocalDb::start(&Options::throwaway(&data_dir)).await });
    kill_process(orphan, Signal::CONT).unwrap();
    let database = next.await.unwrap().unwrap();
    wait_for_end(orphan);
    assert_ne!(database.pid().cast_signed(), orphan.as_raw_nonzero().get());
    PgConnection::connect(&url).await.unwrap();
    database.stop().await;
}

#[tokio::test]
async fn backends_without_a_postmaster_are_stopped() {
    let parent = open_directory();
    let data_dir = parent.path().join("data");
    let mut owner = Owner::start(&data_dir, None);
    let url = owner.url();
    let postmaster = server_of(&data_dir);
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let backend: i32 =
        sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection).await.unwrap();
    let backend = Pid::from_raw(backend).unwrap();
    kill_process(backend, Signal::STOP).unwrap();
    kill_process(postmaster, Signal::KILL).unwrap();
    owner.kill();
    wait_for_end(postmaster);

    // The stopped backend ignores everything but the last rung.
    let database = LocalDb::start(&Options::throwaway(&data_dir)).await.unwrap();
    wait_for_end(backend);
    PgConnection::connect(&url).await.unwrap();
    database.stop().await;
}

#[tokio::test]
async fn an_interrupted_initialisation_begins_anew() {
    let parent = open_directory();
    let data_dir = parent.path().join("data");
    let owner = Owner::start(&data_dir, None);
    // initdb writes this one early, long before the cluster is whole.
    while !data_dir.join("postgres.new/PG_VERSION").exists() {
        tokio::task::yield_now().await;
    }
    owner.kill();
    assert!(!data_dir.join("postgres").exists(), "killed halfway");

    let database = LocalDb::start(&Options::throwaway(&data_dir)).await.unwrap();
    PgConnection::connect(&database.url()).await.unwrap();
    assert!(!data_dir.join("postgres.new").exists());
    database.stop().await;
}
