//! A kill between a commit and its acknowledgement, not by luck but by construction.
//!
//! A constraint trigger takes a lock at the end of each transaction that inserts events: one for those of polls, one for
//! those of streams. While this process holds that lock, the service's commit waits; the service is stopped with SIGSTOP;
//! the lock is let go, and PostgreSQL commits what it has; then the service, which can not have learned of it, is killed.

use std::time::Duration;

use rustix::process::Signal;
use sqlx::{Connection as _, PgConnection};

use super::service::Service;
use super::world::World;

pub(super) const NAME: &str = "the service between commit and ack of ";

/// The numbers of the locks mean nothing.
pub(super) const TRIGGER: &str = "
    CREATE FUNCTION bench_hold() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(CASE mode WHEN 'stream' THEN 4712 ELSE 4711 END) FROM sensor WHERE id = NEW.sensor;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER bench_hold AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION bench_hold()";

/// Whose commit is held.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whose {
    Poll,
    Stream,
}

impl Whose {
    /// One after the other.
    pub(super) fn in_turn(number: u32) -> Self {
        if number.is_multiple_of(2) { Self::Poll } else { Self::Stream }
    }

    /// The lock, the mode of its sensors, and what they are called.
    fn words(self) -> (i64, &'static str, &'static str) {
        match self {
            Self::Poll => (4711, "poll", "a poll"),
            Self::Stream => (4712, "stream", "a stream"),
        }
    }
}

/// Kills the service after a commit that it never heard of.
pub(super) async fn kill(world: &World, service: Service, whose: Whose) -> anyhow::Result<String> {
    let (lock, mode, name) = whose.words();
    let mut holder = PgConnection::connect(&world.url()).await?;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(lock).execute(&mut holder).await?;
    let before = events(&mut holder, mode).await?;
    until(&mut holder, lock, |waiting| waiting > 0).await?;
    service.signal(Signal::STOP)?;
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(lock).execute(&mut holder).await?;
    until(&mut holder, lock, |waiting| waiting == 0).await?;
    let committed = events(&mut holder, mode).await? - before;
    service.kill()?;
    holder.close().await?;
    anyhow::ensure!(committed > 0, "the commit that was held has not happened");
    Ok(format!("{NAME}{name}"))
}

/// How many events there are of sensors of this mode, none of which is committed while their lock is held.
async fn events(holder: &mut PgConnection, mode: &str) -> anyhow::Result<i64> {
    let count = "SELECT count(*) FROM event e JOIN sensor s ON s.id = e.sensor WHERE s.mode = $1";
    Ok(sqlx::query_scalar(count).bind(mode).fetch_one(holder).await?)
}

/// Waits until as many backends have asked for the lock, or hold it, as should be.
async fn until(holder: &mut PgConnection, lock: i64, is_so: impl Fn(i64) -> bool) -> anyhow::Result<()> {
    let at_the_lock = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid::bigint = $1 AND mode = 'ShareLock'";
    for _ in 0..60_000 {
        if is_so(sqlx::query_scalar(at_the_lock).bind(lock).fetch_one(&mut *holder).await?) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    anyhow::bail!("no commit of events came to its end")
}
