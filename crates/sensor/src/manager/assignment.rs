//! Which sensors this worker should run, worked out again and again.
//!
//! A reconciler: woken by a hint or each second, it compares what there is (enabled sensors, live workers, what this one
//! owns) with where each sensor belongs, claims what belongs here and is free, and tells the manager what to keep and what
//! to let go. Rounds are idempotent and retry nothing: the next one is the retry. When neither the configuration nor the
//! workers changed a round stops after two small reads.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use attune_boot::Membership;
use attune_common::registration::{Held, LEASE, Lease};
use attune_common::repositories::config_version;
use attune_common::repositories::sensor::{self, SensorRow};
use attune_common::repositories::sensor_state::{self, Owned};
use attune_common::repositories::worker::{self, LiveWorker};
use attune_hints::{Hints, Topic};
use attune_runtimes::equipment::{Equipment, EquipmentError};
use sqlx::PgPool;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::place::{self, Place};

/// Between rounds when no hint comes.
const PERIOD: Duration = Duration::from_secs(1);
/// However quiet it is, everything is compared this often.
const WHOLE_PERIOD: Duration = Duration::from_secs(10);

/// What the manager should run, as of one round.
#[derive(Debug, Default)]
pub(crate) struct Assignment {
    /// Sensors that this worker owns and should run.
    pub(crate) keep: Vec<(SensorRow, Owned)>,
    /// Sensors that it owns and should give back: id and epoch.
    pub(crate) release: Vec<(i64, i64)>,
}

/// Works out assignments for one worker.
#[derive(Debug)]
pub(crate) struct Assigner {
    pub(crate) pool: PgPool,
    pub(crate) hints: Hints,
    pub(crate) held: Held,
    pub(crate) membership: Membership,
    pub(crate) equipment: Arc<Equipment>,
    /// Told when the manager lost a sensor, or a poll lacked its runtime.
    pub(crate) look_again: Arc<LookAgain>,
    pub(crate) assignments: mpsc::Sender<Assignment>,
}

/// How the manager asks for a whole round.
#[derive(Debug, Default)]
pub(crate) struct LookAgain {
    /// A sensor was lost.
    pub(crate) sensors: Notify,
    /// The machine lacks a runtime that it is said to have.
    pub(crate) machine: Notify,
}

/// Why the next round is a whole one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wake {
    Period,
    Asked,
    Machine,
}

/// What the last whole round saw.
#[derive(Debug, Default)]
struct Seen {
    version: i64,
    workers: Vec<LiveWorker>,
    at: Option<Instant>,
    /// Something that belongs here was not free yet.
    unsettled: bool,
    /// When the database last failed to answer.
    lost_contact: Option<Instant>,
}

#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error("the database does not answer")]
    Database(#[from] sqlx::Error),
    #[error("the runtimes can not be looked at")]
    Equipment(#[from] EquipmentError),
}

impl Assigner {
    /// Works until the manager is gone.
    pub(crate) async fn run(self) -> Result<(), crate::Error> {
        let (mut config, mut workers) = (self.hints.waiter(Topic::Config), self.hints.waiter(Topic::Worker));
        let mut lease = self.membership.lease();
        let (mut seen, mut wake) = (Seen::default(), Wake::Asked);
        while !self.assignments.is_closed() {
            config.arm();
            workers.arm();
            if *lease.borrow_and_update() == Lease::Held
                && let Err(error) = self.round(&mut seen, wake).await
            {
                tracing::warn!(error = &error as &dyn std::error::Error, "The sensors could not be assigned");
                seen.unsettled = true;
                seen.lost_contact = Some(Instant::now());
            }
            wake = tokio::select! {
                () = tokio::time::sleep(PERIOD) => Wake::Period,
                () = config.wait(PERIOD) => Wake::Asked,
                () = workers.wait(PERIOD) => Wake::Asked,
                Ok(()) = lease.changed() => Wake::Asked,
                () = self.look_again.sensors.notified() => Wake::Asked,
                () = self.look_again.machine.notified() => Wake::Machine,
            };
        }
        Ok(())
    }

    async fn round(&self, seen: &mut Seen, wake: Wake) -> Result<(), RoundError> {
        let version = config_version::get(&self.pool).await?;
        self.look_at_the_machine(version != seen.version, wake).await?;
        let workers = worker::live_sensor_workers(&self.pool).await?;
        let is_quiet = wake == Wake::Period && !seen.unsettled && seen.is_as(version, &workers);
        if is_quiet {
            return Ok(());
        }
        let unsettled = self.assign(&workers, seen.may_judge()).await?;
        *seen =
            Seen { version, workers, at: Some(Instant::now()), unsettled, lost_contact: seen.lost_contact };
        Ok(())
    }

    async fn look_at_the_machine(&self, config_changed: bool, wake: Wake) -> Result<(), RoundError> {
        let changed = match wake {
            Wake::Machine => self.equipment.verify_again().await?,
            Wake::Period | Wake::Asked if config_changed || self.equipment.is_due() => {
                self.equipment.refresh().await?
            }
            Wake::Period | Wake::Asked => false,
        };
        if changed {
            let detected = &self.equipment.inventory().detected;
            tracing::info!(worker.runtimes = ?detected.names, "What this machine can run has changed");
            if let Err(error) = self.membership.report(&detected.capabilities).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "The capabilities could not be written"
                );
            }
            self.hints.wake(Topic::Worker);
        }
        Ok(())
    }

    /// One whole round. `true` when something that belongs here could not be had yet.
    async fn assign(&self, workers: &[LiveWorker], may_judge: bool) -> Result<bool, RoundError> {
        let sensors = sensor::list_enabled(&self.pool).await?;
        let inventory = self.equipment.inventory();
        let (mut here, mut nowhere) = (Vec::new(), (Vec::new(), Vec::new()));
        for sensor in sensors {
            match place::of(&sensor, &inventory.rows, workers, self.held.worker) {
                Place::Here => here.push(sensor),
                Place::Elsewhere => {}
                Place::Nowhere(reason) => {
                    nowhere.0.push(sensor.id);
                    nowhere.1.push(reason);
                }
            }
        }
        let owned = self.claim_missing(&here, may_judge).await?;
        let settled = here.iter().all(|sensor| owned.contains_key(&sensor.id));
        // The manager is gone only when the program ends.
        let _ = self.assignments.send(divide(here, owned)).await;
        sensor_state::mark_unschedulable(&self.pool, &nowhere.0, &nowhere.1).await?;
        sensor_state::mark_stopped(&self.pool).await?;
        Ok(!settled)
    }

    /// Claims what belongs here and is free, and returns all that this worker owns.
    async fn claim_missing(
        &self,
        here: &[SensorRow],
        may_judge: bool,
    ) -> Result<HashMap<i64, Owned>, RoundError> {
        let owned = sensor_state::owned_by(&self.pool, self.held).await?;
        let mut owned: HashMap<i64, Owned> = owned.into_iter().map(|owned| (owned.sensor, owned)).collect();
        let missing: Vec<i64> =
            here.iter().map(|sensor| sensor.id).filter(|sensor| !owned.contains_key(sensor)).collect();
        if !missing.is_empty() {
            for claimed in sensor_state::claim(&self.pool, self.held, &missing, may_judge).await? {
                owned.insert(claimed.sensor, claimed);
            }
        }
        Ok(owned)
    }
}

impl Seen {
    /// Nobody judges a lease before one lease has passed since its own reconnect.
    fn may_judge(&self) -> bool {
        self.lost_contact.is_none_or(|at| at.elapsed() >= LEASE)
    }

    fn is_as(&self, version: i64, workers: &[LiveWorker]) -> bool {
        let is_fresh = self.at.is_some_and(|at| at.elapsed() < WHOLE_PERIOD);
        let key = |worker: &LiveWorker| (worker.id, worker.capabilities.clone());
        is_fresh && self.version == version && self.workers.iter().map(key).eq(workers.iter().map(key))
    }
}

fn divide(here: Vec<SensorRow>, mut owned: HashMap<i64, Owned>) -> Assignment {
    let keep = here.into_iter().filter_map(|row| Some((owned.remove(&row.id)?, row)));
    let keep = keep.map(|(owned, row)| (row, owned)).collect();
    let release = owned.into_values().map(|owned| (owned.sensor, owned.epoch)).collect();
    Assignment { keep, release }
}
