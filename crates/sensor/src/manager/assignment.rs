//! Which sensors this worker should run, worked out again and again.
//!
//! A reconciler: woken by a hint or each second, it compares what there is (enabled sensors, live workers, what this one
//! owns) with where each sensor belongs, claims what belongs here and is free, and tells the manager what to keep and what
//! to let go. Rounds are idempotent and retry nothing: the next one is the retry. When neither the configuration nor the
//! workers changed a round stops after three small reads; when only sensors changed it is about these ([`Scope`]); and only
//! what is new or changed is handed over. After a round the assigner rests as long as that took, so that a storm of changes
//! is answered in few rounds.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use attune_boot::Membership;
use attune_common::registration::{Held, Lease};
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
use super::scope::{Scope, Seen};
use super::ticks::Ticks;
use crate::definition::Sensor;

/// Between rounds when no hint comes.
const PERIOD: Duration = Duration::from_secs(1);
/// Hints are waited for longer, so that it is the period that ends when there is none.
const LONGER: Duration = Duration::from_mins(1);
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
    /// How long a lease lasts.
    pub(crate) lease: Duration,
    pub(crate) membership: Membership,
    pub(crate) equipment: Arc<Equipment>,
    pub(crate) ticks: Arc<Ticks>,
    /// Told when the manager lost a sensor, or a poll lacked its runtime.
    pub(crate) look_again: Arc<LookAgain>,
    pub(crate) assignments: mpsc::Sender<Assignment>,
}

/// Why there is another round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wake {
    /// Something changed, somebody is asked for, or nothing happened for a while: the round finds out what it is about.
    Look,
    /// Whoever runs sensors changed, or what is free.
    Workers,
    /// The machine lacks what it is said to have.
    Machine,
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
        let (mut seen, mut known, mut wake) = (Seen::new(self.lease), Known::default(), Wake::Workers);
        while !self.assignments.is_closed() {
            // What these two tell is looked at in each round; who runs sensors, only after such a wake.
            config.arm();
            pokes.arm();
            if wake == Wake::Workers {
                workers.arm();
            }
            let begun = Instant::now();
            if *lease.borrow_and_update() == Lease::Held
                && let Err(error) = self.round(&mut seen, &mut known, wake).await
            {
                tracing::warn!(error = &error as &dyn std::error::Error, "The sensors could not be assigned");
                seen.failed(Instant::now());
            }
            tokio::time::sleep(begun.elapsed().min(REST)).await;
            wake = tokio::select! {
                () = tokio::time::sleep(PERIOD) => Wake::Look,
                () = config.wait(LONGER) => Wake::Look,
                () = pokes.wait(LONGER) => Wake::Look,
                () = self.look_again.sensors.notified() => Wake::Look,
                () = workers.wait(LONGER) => Wake::Workers,
                Ok(()) = lease.changed() => Wake::Workers,
                () = self.look_again.machine.notified() => Wake::Machine,
            };
        }
        Ok(())
    }

    async fn round(&self, seen: &mut Seen, known: &mut Known, wake: Wake) -> Result<(), RoundError> {
        let (forgotten, now) = (self.look_again.take(), Instant::now());
        known.forget(&forgotten);
        let version = config_version::get(&self.pool).await?;
        // Sensors that were read while somebody looked at the machine were divided by what it was before.
        let is_late = known.version() == Some(version) && !seen.has_looked(version);
        let machine = self.look_at_the_machine(!seen.has_looked(version), wake).await?;
        seen.note_look(version);
        let workers = worker::live_sensor_workers(&self.pool).await?;
        self.tell_pokes().await?;
        let changed =
            if known.version() == Some(version) { BTreeSet::new() } else { known.renew(&self.pool).await? };
        let is_whole = machine || is_late || wake != Wake::Look || !seen.stands(&workers, now);
        let scope = if is_whole { Scope::All } else { forgotten.scope(changed) };
        if !scope.is_empty() {
            let settled = self.assign(known, &workers, &scope, seen.may_judge(now)).await?;
            seen.note(&scope, workers, settled, now);
        }
        Ok(())
    }

    /// `true`: what it can run has changed.
    async fn look_at_the_machine(&self, config_changed: bool, wake: Wake) -> Result<bool, RoundError> {
        let changed = match wake {
            Wake::Machine => self.equipment.verify_again().await?,
            Wake::Look | Wake::Workers if config_changed || self.equipment.is_due() => {
                self.equipment.refresh().await?
            }
            Wake::Look | Wake::Workers => false,
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
        Ok(changed)
    }

    /// Assigns those that a round is about. `false` when something that belongs here could not be had yet.
    async fn assign(
        &self,
        known: &mut Known,
        workers: &[LiveWorker],
        scope: &Scope,
        may_judge: bool,
    ) -> Result<bool, RoundError> {
        let Division { here, nowhere, reasons } = self.divide(known, workers, scope);
        let owned = self.owned(scope).await?;
        let missing: Vec<i64> = here.keys().filter(|sensor| !owned.contains_key(sensor)).copied().collect();
        let mut won = self.claim(&missing, may_judge).await?;
        let settled = won.len() == missing.len();
        won.extend(self.read_what_is_new(known, &here, &owned).await?);
        known.keep_only(|sensor| !scope.has(sensor) || here.contains_key(&sensor));
        let release = owned.into_iter().filter(|(sensor, _)| !here.contains_key(sensor)).collect();
        let keep = won.into_iter().filter_map(|owned| Some((here.get(&owned.sensor)?.clone(), owned)));
        self.hand_over(known, Assignment { keep: keep.collect(), release, ..Assignment::default() }).await;
        sensor_state::mark_unschedulable(&self.pool, &nowhere, &reasons).await?;
        sensor_state::mark_stopped(&self.pool).await?;
        Ok(settled)
    }

    /// What this worker owns, with the epochs.
    async fn owned(&self, scope: &Scope) -> Result<HashMap<i64, i64>, RoundError> {
        let owned = match scope {
            Scope::All => sensor_state::list_owned(&self.pool, self.held).await?,
            Scope::Only(sensors) => {
                let sensors: Vec<i64> = sensors.iter().copied().collect();
                let owned = sensor_state::find_owned(&self.pool, self.held, &sensors).await?;
                owned.into_iter().map(|owned| (owned.sensor, owned.epoch)).collect()
            }
        };
        Ok(owned.into_iter().collect())
    }

    /// What belongs here, and what nobody can run, with the reasons.
    fn divide(&self, known: &Known, workers: &[LiveWorker], scope: &Scope) -> Division {
        let inventory = self.equipment.inventory();
        let mut places = Places::new(&inventory.rows, workers, self.held.worker);
        let mut division = Division::default();
        for (id, sensor) in known.within(scope) {
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
