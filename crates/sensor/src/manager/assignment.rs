//! Which sensors this worker should run, worked out again and again.
//!
//! A reconciler: woken by a hint or each second, it compares what there is (enabled sensors, live workers, what this one
//! owns) with where each sensor belongs, claims what belongs here and is free, and tells the manager what to keep and what
//! to let go. Rounds are idempotent and retry nothing: the next one is the retry. When neither the configuration nor the
//! workers changed a round stops after three small reads; otherwise only what is new or changed is handed over. After a round
//! the assigner rests as long as that took, so that a storm of changes is answered in few rounds.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use attune_boot::Membership;
use attune_common::registration::{Held, LEASE, Lease};
use attune_common::repositories::config_version;
use attune_common::repositories::poke::{self, Poke};
use attune_common::repositories::sensor_state::{self, Owned};
use attune_common::repositories::worker::{self, LiveWorker};
use attune_hints::{Hints, Topic};
use attune_runtimes::equipment::{Equipment, EquipmentError};
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::known::Known;
use super::look_again::LookAgain;
use super::place::{Place, Places};
use super::ticks::Ticks;
use crate::definition::Sensor;

/// Between rounds when no hint comes.
const PERIOD: Duration = Duration::from_secs(1);
/// However quiet it is, everything is compared this often.
const WHOLE_PERIOD: Duration = Duration::from_secs(10);
/// The longest rest after a round: a change is in force within a second.
const REST: Duration = Duration::from_millis(300);

/// What changed of what the manager should run, as of one round.
#[derive(Debug, Default)]
pub(crate) struct Assignment {
    /// Sensors that this worker owns and should run, and that are new or changed.
    pub(crate) keep: Vec<(Arc<Sensor>, Owned)>,
    /// Sensors that it owns and should give back: id and epoch.
    pub(crate) release: Vec<(i64, i64)>,
    /// Sensors that somebody wants to tick now. They are told again until that was answered.
    pub(crate) pokes: Vec<Poke>,
}

/// Works out assignments for one worker.
#[derive(Debug)]
pub(crate) struct Assigner {
    pub(crate) pool: PgPool,
    pub(crate) hints: Hints,
    pub(crate) held: Held,
    pub(crate) membership: Membership,
    pub(crate) equipment: Arc<Equipment>,
    pub(crate) ticks: Arc<Ticks>,
    /// Told when the manager lost a sensor, or a poll lacked its runtime.
    pub(crate) look_again: Arc<LookAgain>,
    pub(crate) assignments: mpsc::Sender<Assignment>,
}

/// Why the next round is a whole one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wake {
    Period,
    Poked,
    Asked,
    Machine,
}

/// What the last whole round saw.
#[derive(Debug, Default)]
struct Seen {
    known: Known,
    version: i64,
    workers: Vec<LiveWorker>,
    at: Option<Instant>,
    /// Something that belongs here was not free yet.
    unsettled: bool,
    /// When the database last failed to answer.
    lost_contact: Option<Instant>,
}

/// Where sensors belong, but for those of other workers.
#[derive(Debug, Default)]
struct Division {
    here: BTreeMap<i64, Arc<Sensor>>,
    /// Nobody can run these,
    nowhere: Vec<i64>,
    /// for these reasons.
    reasons: Vec<String>,
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
        let mut pokes = self.hints.waiter(Topic::Poke);
        let mut lease = self.membership.lease();
        let (mut seen, mut wake) = (Seen::default(), Wake::Asked);
        while !self.assignments.is_closed() {
            config.arm();
            workers.arm();
            pokes.arm();
            let begun = Instant::now();
            if *lease.borrow_and_update() == Lease::Held
                && let Err(error) = self.round(&mut seen, wake).await
            {
                tracing::warn!(error = &error as &dyn std::error::Error, "The sensors could not be assigned");
                seen.unsettled = true;
                seen.lost_contact = Some(Instant::now());
            }
            tokio::time::sleep(begun.elapsed().min(REST)).await;
            wake = tokio::select! {
                () = tokio::time::sleep(PERIOD) => Wake::Period,
                () = config.wait(PERIOD) => Wake::Asked,
                () = workers.wait(PERIOD) => Wake::Asked,
                () = pokes.wait(PERIOD) => Wake::Poked,
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
        self.tell_pokes().await?;
        let is_quiet =
            matches!(wake, Wake::Period | Wake::Poked) && !seen.unsettled && seen.is_as(version, &workers);
        if is_quiet {
            return Ok(());
        }
        if seen.known.version() != Some(version) {
            seen.known.renew(&self.pool).await?;
        }
        let may_judge = seen.may_judge();
        seen.unsettled = self.assign(&mut seen.known, &workers, may_judge).await?;
        (seen.version, seen.workers, seen.at) = (version, workers, Some(Instant::now()));
        Ok(())
    }

    async fn look_at_the_machine(&self, config_changed: bool, wake: Wake) -> Result<(), RoundError> {
        let changed = match wake {
            Wake::Machine => self.equipment.verify_again().await?,
            Wake::Period | Wake::Poked | Wake::Asked if config_changed || self.equipment.is_due() => {
                self.equipment.refresh().await?
            }
            Wake::Period | Wake::Poked | Wake::Asked => false,
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
    async fn assign(
        &self,
        known: &mut Known,
        workers: &[LiveWorker],
        may_judge: bool,
    ) -> Result<bool, RoundError> {
        known.forget(&self.look_again.take());
        let Division { here, nowhere, reasons } = self.divide(known, workers);
        let owned: HashMap<i64, i64> =
            sensor_state::list_owned(&self.pool, self.held).await?.into_iter().collect();
        let missing: Vec<i64> = here.keys().filter(|sensor| !owned.contains_key(sensor)).copied().collect();
        let mut won = self.claim(&missing, may_judge).await?;
        let settled = won.len() == missing.len();
        won.extend(self.read_what_is_new(known, &here, &owned).await?);
        known.keep_only(|sensor| here.contains_key(&sensor));
        let release = owned.into_iter().filter(|(sensor, _)| !here.contains_key(sensor)).collect();
        let keep = won.into_iter().filter_map(|owned| Some((here.get(&owned.sensor)?.clone(), owned)));
        self.hand_over(known, Assignment { keep: keep.collect(), release, ..Assignment::default() }).await;
        sensor_state::mark_unschedulable(&self.pool, &nowhere, &reasons).await?;
        sensor_state::mark_stopped(&self.pool).await?;
        Ok(!settled)
    }

    /// What belongs here, and what nobody can run, with the reasons.
    fn divide(&self, known: &Known, workers: &[LiveWorker]) -> Division {
        let inventory = self.equipment.inventory();
        let mut places = Places::new(&inventory.rows, workers, self.held.worker);
        let mut division = Division::default();
        for (id, sensor) in &known.sensors {
            match places.of(&sensor.row) {
                Place::Here => {
                    division.here.insert(*id, Arc::clone(sensor));
                }
                Place::Elsewhere => {}
                Place::Nowhere(reason) => {
                    division.nowhere.push(*id);
                    division.reasons.push(reason);
                }
            }
        }
        division
    }

    /// Claims those that are free.
    async fn claim(&self, missing: &[i64], may_judge: bool) -> Result<Vec<Owned>, RoundError> {
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        Ok(sensor_state::claim(&self.pool, self.held, missing, may_judge).await?)
    }

    /// What is owned and belongs here, but is not what the manager was given, as the database has it.
    async fn read_what_is_new(
        &self,
        known: &Known,
        here: &BTreeMap<i64, Arc<Sensor>>,
        owned: &HashMap<i64, i64>,
    ) -> Result<Vec<Owned>, RoundError> {
        let is_new = |id: &i64, epoch: &i64| here.get(id).is_some_and(|s| !known.has_given(s, *epoch));
        let new: Vec<i64> = owned.iter().filter(|(id, epoch)| is_new(id, epoch)).map(|(id, _)| *id).collect();
        if new.is_empty() {
            return Ok(Vec::new());
        }
        // Of one that was forgotten something may not be written yet.
        self.ticks.flush_all().await?;
        Ok(sensor_state::find_owned(&self.pool, self.held, &new).await?)
    }

    /// Passes on who shall tick now. What is not handed over yet is told in a later round.
    async fn tell_pokes(&self) -> sqlx::Result<()> {
        let pokes = poke::list_asked(&self.pool, self.held).await?;
        if !pokes.is_empty() {
            // The manager is gone only when the program ends.
            let _ = self.assignments.send(Assignment { pokes, ..Assignment::default() }).await;
        }
        Ok(())
    }

    async fn hand_over(&self, known: &mut Known, assignment: Assignment) {
        if assignment.keep.is_empty() && assignment.release.is_empty() {
            return;
        }
        for (sensor, owned) in &assignment.keep {
            known.give(sensor, owned.epoch);
        }
        // The manager is gone only when the program ends.
        let _ = self.assignments.send(assignment).await;
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
