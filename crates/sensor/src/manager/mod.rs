//! When sensors are polled: the one task that knows which of them run here.
//!
//! It takes [`Assignment`]s, keeps the agenda, starts turns as the lanes have room, one per sensor at a time, and lets go
//! of what belongs elsewhere once its poll is over. While the lease is not held nothing runs: polls are ended before
//! anybody else may take the sensors, and what was owned is read again afterwards.

mod agenda;
mod assignment;
mod lanes;
mod place;
mod turn;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use attune_boot::Membership;
use attune_common::registration::Lease;
use attune_common::repositories::sensor::SensorRow;
use attune_common::repositories::sensor_state::{self, Owned};
use attune_hints::{Hints, Topic};
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) use assignment::{Assigner, Assignment, LookAgain};
pub(crate) use turn::Tools;

use crate::definition::Sensor;
use agenda::{Agenda, next_tick, spread};
use lanes::{Lane, Lanes, SOON};
use turn::{Ending, Turn};

/// First ticks, and those after a change, are spread over this time at most.
const WINDOW: Duration = Duration::from_secs(2);
/// How long polls may go on once the worker should end.
const FINISH: Duration = Duration::from_secs(5);
/// A loop that has nothing to wait for looks up this often.
const IDLE: Duration = Duration::from_mins(1);

/// A sensor that runs here.
#[derive(Debug)]
struct Managed {
    sensor: Arc<Sensor>,
    epoch: i64,
    state: Value,
    failures: u32,
    /// It timed out, and has not been quick since.
    is_slow: bool,
    /// When its current or last tick was due.
    due: Instant,
    /// Its poll, while there is one.
    poll: Option<(CancellationToken, Instant)>,
    /// It is given back as soon as its poll is over.
    leaving: bool,
}

/// Runs the sensors of one worker.
#[derive(Debug)]
pub(crate) struct SensorManager {
    tools: Arc<Tools>,
    hints: Hints,
    membership: Membership,
    lease: watch::Receiver<Lease>,
    assignments: mpsc::Receiver<Assignment>,
    sensors: HashMap<i64, Managed>,
    agenda: Agenda,
    lanes: Lanes,
    turns: JoinSet<Ending>,
    /// Whose turn each task is.
    tasks: HashMap<tokio::task::Id, (i64, i64)>,
}

impl SensorManager {
    /// A manager that runs up to `slots` quick polls, and as many slow ones, at once.
    pub(crate) fn new(
        tools: Arc<Tools>,
        hints: Hints,
        membership: Membership,
        assignments: mpsc::Receiver<Assignment>,
        slots: u32,
    ) -> Self {
        Self {
            tools,
            hints,
            lease: membership.lease(),
            membership,
            assignments,
            sensors: HashMap::new(),
            agenda: Agenda::default(),
            lanes: Lanes::new(usize::try_from(slots).unwrap_or(usize::MAX)),
            turns: JoinSet::new(),
            tasks: HashMap::new(),
        }
    }

    /// Runs until `stop`, then ends what runs and leaves.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<(), crate::Error> {
        while !stop.is_cancelled() {
            self.advance(Instant::now());
            let wake = self.next_wake();
            tokio::select! {
                () = stop.cancelled() => {}
                Ok(()) = self.lease.changed() => self.follow_lease(),
                Some(assignment) = self.assignments.recv() => self.adopt(assignment),
                Some(ended) = self.turns.join_next_with_id() => self.ended(ended),
                () = tokio::time::sleep_until(wake) => {}
            }
        }
        self.end().await;
        Ok(())
    }

    /// Starts what is due, as far as there is room.
    fn advance(&mut self, now: Instant) {
        if *self.lease.borrow() != Lease::Held {
            return;
        }
        while let Some((id, due)) = self.agenda.pop_due(now) {
            if let Some(managed) = self.sensors.get_mut(&id) {
                managed.due = due;
                self.lanes.wait(id, if managed.is_slow { Lane::Slow } else { Lane::Fast });
            }
        }
        while let Some(id) = self.lanes.start(now) {
            self.start(id, now);
        }
    }

    fn start(&mut self, id: i64, now: Instant) {
        let Some(managed) = self.sensors.get_mut(&id) else { return self.lanes.leave(id) };
        let stop = CancellationToken::new();
        managed.poll = Some((stop.clone(), now));
        let turn = Turn {
            sensor: Arc::clone(&managed.sensor),
            epoch: managed.epoch,
            state: managed.state.clone(),
            failures: managed.failures,
            stop,
        };
        let (tools, epoch) = (Arc::clone(&self.tools), managed.epoch);
        let task = self.turns.spawn(async move { tools.take(turn).await });
        self.tasks.insert(task.id(), (id, epoch));
    }

    fn next_wake(&self) -> Instant {
        let wakes = [self.agenda.next(), self.lanes.next_hand_over()];
        wakes.into_iter().flatten().min().unwrap_or_else(|| Instant::now() + IDLE)
    }

    /// Takes over what changed; polls of sensors that did not change go on undisturbed.
    fn adopt(&mut self, assignment: Assignment) {
        // What was assigned before the lease ended may be another's by now.
        if *self.lease.borrow() != Lease::Held {
            return;
        }
        for (row, owned) in assignment.keep {
            self.keep(row, owned);
        }
        for (sensor, epoch) in assignment.release {
            self.let_go(sensor, epoch);
        }
    }

    fn keep(&mut self, row: SensorRow, owned: Owned) {
        match self.sensors.get_mut(&owned.sensor) {
            None => self.add(row, owned),
            Some(managed) if managed.epoch != owned.epoch => {
                // Lost and won again meanwhile: what runs is fenced off, the next round begins anew.
                managed.poll.as_ref().inspect(|(stop, _)| stop.cancel());
                if managed.poll.is_none() {
                    self.forget(owned.sensor);
                    self.add(row, owned);
                }
            }
            Some(managed) => {
                managed.leaving = false;
                if managed.sensor.row != row {
                    managed.sensor = Arc::new(Sensor::new(row));
                    if managed.poll.is_none() {
                        self.lanes.leave(owned.sensor);
                        self.schedule_soon(owned.sensor);
                    }
                }
            }
        }
    }

    fn add(&mut self, row: SensorRow, owned: Owned) {
        let id = owned.sensor;
        tracing::info!(sensor.ref = %row.r#ref, sensor.epoch = owned.epoch, "Running sensor");
        let managed = Managed {
            sensor: Arc::new(Sensor::new(row)),
            epoch: owned.epoch,
            state: owned.state,
            failures: owned.failures.try_into().unwrap_or(0),
            is_slow: false,
            due: Instant::now(),
            poll: None,
            leaving: false,
        };
        self.sensors.insert(id, managed);
        self.schedule_soon(id);
    }

    /// Soon, but not all at once.
    fn schedule_soon(&mut self, id: i64) {
        let Some(managed) = self.sensors.get(&id) else { return };
        let window = WINDOW.min(self.tools.interval(&managed.sensor));
        self.agenda.set(id, Instant::now() + spread(id, window));
    }

    /// Gives a sensor back: at once, or when its poll is over.
    fn let_go(&mut self, id: i64, epoch: i64) {
        match self.sensors.get_mut(&id) {
            Some(managed) if managed.poll.is_some() => managed.leaving = true,
            _ => {
                self.forget(id);
                self.release(id, epoch);
            }
        }
    }

    fn release(&self, id: i64, epoch: i64) {
        let (tools, hints) = (Arc::clone(&self.tools), self.hints.clone());
        tokio::spawn(async move {
            // What could not be released is in the next assignment again.
            if sensor_state::release(&tools.pool, id, epoch).await.is_ok() {
                hints.wake(Topic::Worker);
            }
        });
    }

    fn forget(&mut self, id: i64) {
        self.agenda.remove(id);
        self.lanes.leave(id);
        self.sensors.remove(&id);
    }

    fn ended(&mut self, ended: Result<(tokio::task::Id, Ending), JoinError>) {
        let (task, ending) = match ended {
            Ok((task, ending)) => (task, ending),
            Err(panic) => {
                tracing::error!(
                    error = &panic as &dyn std::error::Error,
                    "A poll's task ended by a bug of Attune"
                );
                (panic.id(), Ending::Stopped)
            }
        };
        let Some((id, epoch)) = self.tasks.remove(&task) else { return };
        self.lanes.leave(id);
        let Some(managed) = self.sensors.get_mut(&id) else { return };
        let took = managed.poll.take().map_or(Duration::ZERO, |(_, started)| started.elapsed());
        match ending {
            Ending::Lost | Ending::Stopped => {
                self.forget(id);
                self.tools.look_again.sensors.notify_one();
            }
            _ if managed.leaving => {
                self.forget(id);
                self.release(id, epoch);
            }
            Ending::Committed(state) => {
                (managed.state, managed.failures) = (state, 0);
                managed.is_slow &= took > SOON;
                let interval = self.tools.interval(&managed.sensor);
                self.agenda.set(id, next_tick(managed.due, interval, Instant::now()));
            }
            Ending::Failed { retry_in, timed_out } => {
                managed.failures += 1;
                managed.is_slow |= timed_out;
                self.agenda.set(id, Instant::now() + retry_in);
            }
        }
    }

    /// The lease is no longer held: everything stops. Held again: what is owned is read anew.
    fn follow_lease(&mut self) {
        if *self.lease.borrow_and_update() == Lease::Held {
            return;
        }
        let idle: Vec<i64> =
            self.sensors.iter().filter(|(_, m)| m.poll.is_none()).map(|(id, _)| *id).collect();
        for id in idle {
            self.forget(id);
        }
        self.stop_polls();
    }

    fn stop_polls(&self) {
        self.sensors.values().filter_map(|managed| managed.poll.as_ref()).for_each(|(stop, _)| stop.cancel());
    }

    async fn end(&mut self) {
        let is_held = *self.lease.borrow() == Lease::Held;
        if !is_held || tokio::time::timeout(FINISH, all_ended(&mut self.turns)).await.is_err() {
            self.stop_polls();
            all_ended(&mut self.turns).await;
        }
        self.membership.leave().await;
        self.hints.wake(Topic::Worker);
    }
}

async fn all_ended(turns: &mut JoinSet<Ending>) {
    while turns.join_next().await.is_some() {}
}
