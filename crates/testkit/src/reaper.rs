//! Drops databases behind the tests' backs.
//!
//! Dropping forces a checkpoint, and a test has nothing to gain from waiting for it. One thread per process drops what is
//! handed to it and, to begin with, what processes that are gone left behind. What it does not get round to, the next
//! process finds.

use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use sqlx::{AssertSqlSafe, Executor, PgConnection};

use crate::test_db::PREFIX;
use crate::{owner, template};

/// Any number that nobody else uses; one process at a time looks for what others left.
const SWEEP_LOCK: i64 = 0x6174_7475_6e66;

/// Starts the thread, once per process.
pub(crate) fn start() {
    let _ = sender();
}

/// Has `name` dropped, whoever is still connected to it.
pub(crate) fn drop_database(name: &str) {
    // The thread ends with the process only, and then nobody needs it.
    let _ = sender().send(name.to_owned());
}

fn sender() -> &'static Sender<String> {
    static SENDER: OnceLock<Sender<String>> = OnceLock::new();
    SENDER.get_or_init(|| {
        let (sender, receiver) = mpsc::channel();
        thread::Builder::new()
            .name("test-reaper".to_owned())
            .spawn(move || reap(&receiver))
            .expect("a thread for dropping databases");
        sender
    })
}

fn reap(names: &Receiver<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut admin = runtime.block_on(template::admin());
    runtime.block_on(sweep_unless_busy(&mut admin));
    for name in names {
        runtime.block_on(remove(&mut admin, &name));
    }
}

/// Drops what processes that are gone left behind.
pub async fn sweep() {
    let mut admin = template::admin().await;
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(SWEEP_LOCK)
        .execute(&mut admin)
        .await
        .expect("the sweep's lock");
    drop_abandoned(&mut admin).await;
    // The lock goes with the connection.
}

/// The same, but what another process is sweeping already needs no second broom.
async fn sweep_unless_busy(admin: &mut PgConnection) {
    let free =
        sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(SWEEP_LOCK).fetch_one(&mut *admin).await;
    if let Ok(true) = free {
        drop_abandoned(admin).await;
        let _ = sqlx::query("SELECT pg_advisory_unlock($1)").bind(SWEEP_LOCK).execute(admin).await;
    }
}

async fn drop_abandoned(admin: &mut PgConnection) {
    let names: Vec<String> = sqlx::query_scalar("SELECT datname::text FROM pg_database")
        .fetch_all(&mut *admin)
        .await
        .unwrap_or_default();
    for name in names.iter().filter(|name| owner::is_gone(PREFIX, name)) {
        remove(admin, name).await;
    }
}

/// Best effort: a cluster that is going down at the same time takes the database with it.
async fn remove(admin: &mut PgConnection, name: &str) {
    let _ = admin.execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))).await;
}
