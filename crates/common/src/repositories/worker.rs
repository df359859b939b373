//! Table `worker`: registrations, their leases, and what becomes of a lost worker's sensors and executions.
//!
//! Every write of a holder names its epoch. Losing a worker is one transaction: its epoch or status changes, its sensors
//! are fenced off and its executions go back to the queue together, so nobody can see it half lost.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::postgres::types::PgInterval;
use sqlx::{PgConnection, PgPool};

use super::execution::{self, Loss};
use super::sensor_state;
use crate::readable::Readable;
use crate::registration::{Held, WorkerRole};

/// A row that already has the name and role that somebody wants.
#[derive(Debug)]
pub struct Namesake {
    /// Names the registration that was seen.
    pub epoch: i64,
    /// Where its process runs.
    pub host: Option<String>,
    /// Its process identity.
    pub meta: Option<Value>,
    /// End of its lease by the database's clock.
    pub lease_until: Option<DateTime<Utc>>,
    /// What is left of the lease; `None` once it has ended.
    pub lease_left: Option<Duration>,
}

impl Namesake {
    /// What a take-over must find unchanged.
    pub fn seen(&self) -> Seen {
        Seen { epoch: self.epoch, lease_until: self.lease_until }
    }
}

/// A registration as somebody saw it. It changes with each renewal of its lease.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    epoch: i64,
    lease_until: Option<DateTime<Utc>>,
}

/// What a registration writes.
#[derive(Debug)]
pub struct Claim<'a> {
    /// Unique together with `role`.
    pub name: &'a str,
    /// What it runs.
    pub role: WorkerRole,
    /// Shown to operators.
    pub host: &'a str,
    /// `worker.capabilities`.
    pub capabilities: Value,
    /// `worker.meta`: the process identity.
    pub meta: Value,
    /// How long the first lease lasts.
    pub lease: Duration,
}

/// Looks for the holder of a name.
pub async fn find_namesake(pool: &PgPool, name: &str, role: WorkerRole) -> sqlx::Result<Option<Namesake>> {
    let row = sqlx::query!(
        r#"SELECT epoch, host, meta AS "meta!: Readable", lease_until,
                  EXTRACT(EPOCH FROM lease_until - clock_timestamp())::float8 AS seconds_left
           FROM worker WHERE name = $1 AND worker_role = $2"#,
        name,
        role as WorkerRole
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Namesake {
        epoch: row.epoch,
        host: row.host,
        meta: row.meta.into(),
        lease_until: row.lease_until,
        lease_left: row.seconds_left.filter(|left| *left > 0.0).map(Duration::from_secs_f64),
    }))
}

/// Inserts the row, or takes over the one that was `seen`. `None` when somebody else was faster, be it the holder who
/// renewed its lease.
pub async fn register(pool: &PgPool, claim: &Claim<'_>, seen: Option<Seen>) -> sqlx::Result<Option<Held>> {
    let mut tx = pool.begin().await?;
    let held = match seen {
        None => insert(&mut tx, claim).await?,
        Some(seen) => take_over(&mut tx, claim, seen).await?,
    };
    if let Some(held) = held {
        release_work(&mut tx, held.worker, Loss::Died).await?;
    }
    tx.commit().await?;
    Ok(held)
}

async fn insert(tx: &mut PgConnection, claim: &Claim<'_>) -> sqlx::Result<Option<Held>> {
    sqlx::query_as!(
        Held,
        r#"INSERT INTO worker (name, worker_type, worker_role, host, status, capabilities, meta, epoch, last_heartbeat, lease_until)
           VALUES ($1, 'local', $2, $3, 'active', $4, $5, 1, clock_timestamp(), clock_timestamp() + $6)
           ON CONFLICT (name, worker_role) DO NOTHING
           RETURNING id AS worker, epoch"#,
        claim.name,
        claim.role as WorkerRole,
        claim.host,
        claim.capabilities,
        claim.meta,
        interval(claim.lease)
    )
    .fetch_optional(tx)
    .await
}

async fn take_over(tx: &mut PgConnection, claim: &Claim<'_>, seen: Seen) -> sqlx::Result<Option<Held>> {
    sqlx::query_as!(
        Held,
        r#"UPDATE worker
           SET epoch = epoch + 1, host = $3, status = 'active', capabilities = $4, meta = $5,
               last_heartbeat = clock_timestamp(), lease_until = clock_timestamp() + $6, updated = NOW()
           WHERE name = $1 AND worker_role = $2 AND epoch = $7 AND lease_until IS NOT DISTINCT FROM $8
           RETURNING id AS worker, epoch"#,
        claim.name,
        claim.role as WorkerRole,
        claim.host,
        claim.capabilities,
        claim.meta,
        interval(claim.lease),
        seen.epoch,
        seen.lease_until
    )
    .fetch_optional(tx)
    .await
}

/// Fences off the worker's sensors and puts its running executions back into the queue.
async fn release_work(tx: &mut PgConnection, worker: i64, loss: Loss) -> sqlx::Result<()> {
    sensor_state::release_all(tx, worker).await?;
    execution::requeue_lost(tx, worker, &[], loss).await?;
    Ok(())
}

/// Renews `last_heartbeat`. `false`: the epoch is no longer the caller's.
pub async fn heartbeat(pool: &PgPool, held: Held) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE worker SET last_heartbeat = clock_timestamp(), status = 'active', updated = NOW() WHERE id = $1 AND epoch = $2",
        held.worker,
        held.epoch
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Renews the lease. `false`: the epoch is no longer the caller's.
pub async fn renew_lease(connection: &mut PgConnection, held: Held, lease: Duration) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE worker SET lease_until = clock_timestamp() + $3 WHERE id = $1 AND epoch = $2",
        held.worker,
        held.epoch,
        interval(lease)
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes the capabilities. `false`: the epoch is no longer the caller's.
pub async fn set_capabilities(pool: &PgPool, held: Held, capabilities: &Value) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE worker SET capabilities = $3, updated = NOW() WHERE id = $1 AND epoch = $2",
        held.worker,
        held.epoch,
        capabilities
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The graceful end: `inactive`, lease over, work given back. Nothing happens when the epoch is another's by now. The epoch
/// rises, so that a renewal or a heartbeat which is still on its way brings nothing back.
pub async fn deregister(pool: &PgPool, held: Held) -> sqlx::Result<bool> {
    let mut tx = pool.begin().await?;
    let done = sqlx::query!(
        r#"UPDATE worker SET status = 'inactive', epoch = epoch + 1, lease_until = NULL, updated = NOW()
           WHERE id = $1 AND epoch = $2"#,
        held.worker,
        held.epoch
    )
    .execute(&mut *tx)
    .await?;
    let own = done.rows_affected() == 1;
    if own {
        release_work(&mut tx, held.worker, Loss::Stopped).await?;
    }
    tx.commit().await?;
    Ok(own)
}

/// Workers whose lease has ended, although they still count as active or hold work.
pub async fn find_lost(pool: &PgPool) -> sqlx::Result<Vec<Held>> {
    sqlx::query_as!(
        Held,
        r#"SELECT id AS worker, epoch FROM worker w
           WHERE lease_until < clock_timestamp()
             AND (EXISTS (SELECT FROM execution e WHERE e.worker = w.id AND e.status = 'running')
                  OR EXISTS (SELECT FROM sensor_state s WHERE s.worker = w.id))"#
    )
    .fetch_all(pool)
    .await
}

/// Takes the work of a worker whose lease has ended. `false`: it renewed meanwhile, or somebody else was faster.
///
/// The epoch stays: a holder that comes back in contact goes on under it, without the work it lost.
pub async fn release_lost(pool: &PgPool, lost: Held) -> sqlx::Result<bool> {
    let mut tx = pool.begin().await?;
    let row = sqlx::query!(
        "SELECT id FROM worker WHERE id = $1 AND epoch = $2 AND lease_until < clock_timestamp() FOR UPDATE",
        lost.worker,
        lost.epoch
    )
    .fetch_optional(&mut *tx)
    .await?;
    if row.is_some() {
        release_work(&mut tx, lost.worker, Loss::Died).await?;
    }
    tx.commit().await?;
    Ok(row.is_some())
}

/// Takes the executions of workers whose rows were deleted. Their sensors are free already, by the foreign key. Returns how
/// many executions there were.
pub async fn release_deleted(pool: &PgPool) -> sqlx::Result<u64> {
    let workers = sqlx::query_scalar!(
        r#"SELECT DISTINCT worker AS "worker!" FROM execution e
           WHERE status = 'running' AND NOT EXISTS (SELECT FROM worker w WHERE w.id = e.worker)"#
    )
    .fetch_all(pool)
    .await?;
    let mut tx = pool.begin().await?;
    let mut executions = 0;
    for worker in workers {
        executions += execution::requeue_lost(&mut tx, worker, &[], Loss::Died).await?;
    }
    tx.commit().await?;
    Ok(executions)
}

/// Takes those executions of a live worker that it does not know of: a claim whose answer got lost left them running. Only
/// the worker itself can tell, and not while it is claiming. Returns how many there were.
pub async fn release_unknown(pool: &PgPool, held: Held, known: &[i64]) -> sqlx::Result<u64> {
    let mut tx = pool.begin().await?;
    let own =
        sqlx::query!("SELECT id FROM worker WHERE id = $1 AND epoch = $2 FOR SHARE", held.worker, held.epoch)
            .fetch_optional(&mut *tx)
            .await?;
    let executions = if own.is_some() {
        execution::requeue_lost(&mut tx, held.worker, known, Loss::Died).await?
    } else {
        0
    };
    tx.commit().await?;
    Ok(executions)
}

/// Sets `inactive` whoever missed three of the beats that it promised; `default` stands for rows that promise none. Returns
/// their names.
pub async fn mark_inactive(pool: &PgPool, default: Duration) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"UPDATE worker SET status = 'inactive', updated = NOW()
           WHERE status = 'active' AND (lease_until IS NULL OR lease_until < clock_timestamp())
             AND last_heartbeat < clock_timestamp() - 3 * CASE jsonb_typeof(meta -> 'heartbeat_interval')
                 WHEN 'number' THEN make_interval(secs => LEAST((meta ->> 'heartbeat_interval')::float8, 86400))
                 ELSE $1::interval END
           RETURNING name"#,
        interval(default)
    )
    .fetch_all(pool)
    .await
}

/// A live worker that may run sensors, and what it says it can do.
#[derive(Debug)]
pub struct LiveWorker {
    /// `worker.id`.
    pub id: i64,
    /// `worker.name`, for reasons.
    pub name: String,
    /// `worker.capabilities`.
    pub capabilities: Option<Value>,
}

/// Sensor workers whose lease is live.
pub async fn live_sensor_workers(pool: &PgPool) -> sqlx::Result<Vec<LiveWorker>> {
    sqlx::query_as!(
        LiveWorker,
        r#"SELECT id, name, capabilities AS "capabilities!: Readable" FROM worker
           WHERE worker_role IN ('sensor', 'hybrid') AND lease_until > clock_timestamp() AND status = 'active' ORDER BY id"#
    )
    .fetch_all(pool)
    .await
}

/// A registration as a diagnosis sees it.
#[derive(Debug)]
pub struct Registered {
    /// `worker.name`.
    pub name: String,
    /// What it runs.
    pub role: WorkerRole,
    /// Where it says that it runs.
    pub host: Option<String>,
    /// Whether it counts as active.
    pub active: bool,
    /// Its process identity.
    pub meta: Option<Value>,
    /// What it says it can do.
    pub capabilities: Option<Value>,
    /// Seconds until its lease ends, negative when that is over; `None`: it holds none.
    pub lease_left: Option<f64>,
}

/// Every registration, by name.
pub async fn list(pool: &PgPool) -> sqlx::Result<Vec<Registered>> {
    sqlx::query_as!(
        Registered,
        r#"SELECT name, worker_role AS "role: WorkerRole", host, status IS NOT DISTINCT FROM 'active' AS "active!",
                  meta AS "meta!: Readable", capabilities AS "capabilities!: Readable",
                  EXTRACT(EPOCH FROM lease_until - clock_timestamp())::float8 AS lease_left
           FROM worker ORDER BY name, worker_role"#
    )
    .fetch_all(pool)
    .await
}

fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
