//! A kill between a commit and its acknowledgement, not by luck but by construction.
//!
//! A constraint trigger takes a lock at the end of each transaction that inserts events. While this process holds that
//! lock, the service's commit waits; the service is stopped with SIGSTOP; the lock is let go, and PostgreSQL commits what
//! it has; then the service, which can not have learned of it, is killed.

use std::time::Duration;

use rustix::process::Signal;
use sqlx::{Connection as _, PgConnection};

use super::service::Service;
use super::world::World;

pub(super) const NAME: &str = "the service between commit and ack of ";

/// The lock's number means nothing.
pub(super) const TRIGGER: &str = "
    CREATE FUNCTION bench_hold() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER bench_hold AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION bench_hold()";

/// How many backends have asked for the lock, or hold it.
const AT_THE_LOCK: &str =
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND mode = 'ShareLock'";

/// Kills the service after a commit that it never heard of; says whose events that was.
pub(super) async fn kill(world: &World, service: Service) -> anyhow::Result<String> {
    let mut holder = PgConnection::connect(&world.url()).await?;
    sqlx::query("SELECT pg_advisory_lock(4711)").execute(&mut holder).await?;
    let last: i64 =
        sqlx::query_scalar("SELECT COALESCE(max(id), 0) FROM event").fetch_one(&mut holder).await?;
    until(&mut holder, |waiting| waiting > 0).await?;
    service.signal(Signal::STOP)?;
    sqlx::query("SELECT pg_advisory_unlock(4711)").execute(&mut holder).await?;
    until(&mut holder, |waiting| waiting == 0).await?;
    let whose: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT CASE WHEN s.mode = 'stream' THEN 'a stream' ELSE 'a poll' END
         FROM event e JOIN sensor s ON s.id = e.sensor WHERE e.id > $1 ORDER BY 1",
    )
    .bind(last)
    .fetch_all(&mut holder)
    .await?;
    service.kill()?;
    holder.close().await?;
    anyhow::ensure!(!whose.is_empty(), "the commit that was held has not happened");
    Ok(format!("{NAME}{}", whose.join(" and ")))
}

async fn until(holder: &mut PgConnection, is_so: impl Fn(i64) -> bool) -> anyhow::Result<()> {
    for _ in 0..60_000 {
        if is_so(sqlx::query_scalar(AT_THE_LOCK).fetch_one(&mut *holder).await?) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    anyhow::bail!("no commit of events came to its end")
}
