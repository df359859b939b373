//! When sensors are polled: the one task that knows which of them run here.
//!
//! It takes [`Assignment`]s, starts turns as the agenda and the lanes say, one per sensor at a time, and lets go of what
//! belongs elsewhere once its poll is over. While the lease is not held nothing runs: polls are ended before anybody else
//! may take the sensors, and what was owned is read again afterwards.

mod agenda;
mod assignment;
mod lanes;
mod place;
mod roster;
mod turn;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use attune_boot::Membership;
use attune_common::registration::Lease;
use attune_common::repositories::sensor_state;
use attune_hints::{Hints, Topic};
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) use assignment::{Assigner, Assignment, LookAgain};
pub(crate) use turn::Tools;

use roster::{Next, Roster};
use turn::Ending;

/// How long polls may go on once the worker should end.
const FINISH: Duration = Duration::from_secs(5);
/// A loop that has nothing to wait for looks up this often.
const IDLE: Duration = Duration::from_mins(1);

/// Runs the sensors of one worker.
#[derive(Debug)]
pub(crate) struct SensorManager {
    tools: Arc<Tools>,
    hints: Hints,
    membership: Membership,
    lease: watch::Receiver<Lease>,
    assignments: mpsc::Receiver<Assignment>,
    roster: Roster,
    turns: JoinSet<Ending>,
    /// Sensors that wait for their environments. They hold no place in a lane.
    waits: JoinSet<i64>,
    /// Whose turn each task is: sensor and epoch.
    tasks: HashMap<Id, (i64, i64)>,
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
        let slots = usize::try_from(slots).unwrap_or(usize::MAX);
        Self {
            hints,
            lease: membership.lease(),
            membership,
            assignments,
            roster: Roster::new(slots, tools.poll_interval),
            tools,
            turns: JoinSet::new(),
            waits: JoinSet::new(),
            tasks: HashMap::new(),
        }
    }

    /// Runs until `stop`, then ends what runs and leaves.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<(), crate::Error> {
        while !stop.is_cancelled() {
            self.start_turns();
            let wake = self.roster.next_wake().unwrap_or_else(|| Instant::now() + IDLE);
            tokio::select! {
                () = stop.cancelled() => {}
                Ok(()) = self.lease.changed() => self.follow_lease(),
                Some(assignment) = self.assignments.recv() => self.adopt(assignment),
                Some(ended) = self.turns.join_next_with_id() => self.ended(ended),
                Some(Ok(sensor)) = self.waits.join_next() => self.roster.wake(sensor, Instant::now()),
                () = tokio::time::sleep_until(wake) => {}
            }
        }
        self.end().await;
        Ok(())
    }

    fn start_turns(&mut self) {
        if !self.may_act() {
            return;
        }
        while let Some(turn) = self.roster.next_turn(Instant::now()) {
            let whose = (turn.owned.sensor, turn.owned.epoch);
            let tools = Arc::clone(&self.tools);
            let task = self.turns.spawn(async move { tools.take(turn).await });
            self.tasks.insert(task.id(), whose);
        }
    }

    fn adopt(&mut self, assignment: Assignment) {
        // What was assigned before the lease ended may be another's by now.
        if !self.may_act() {
            return;
        }
        for (row, owned) in assignment.keep {
            self.roster.keep(row, owned, Instant::now());
        }
        for (sensor, epoch) in assignment.release {
            let next = self.roster.let_go(sensor);
            self.go_on(next, sensor, epoch);
        }
    }

    fn ended(&mut self, ended: Result<(Id, Ending), JoinError>) {
        let (task, ending) = ended.unwrap_or_else(|panic| {
            tracing::error!(
                error = &panic as &dyn std::error::Error,
                "A poll's task ended by a bug of Attune"
            );
            (panic.id(), Ending::Stopped)
        });
        if let Some((sensor, epoch)) = self.tasks.remove(&task) {
            if let Ending::Waiting(building) = &ending {
                let mut building = building.clone();
                self.waits.spawn(async move {
                    building.follow(&mut |_| ()).await;
                    sensor
                });
            }
            let next = self.roster.ended(sensor, ending, Instant::now());
            self.go_on(next, sensor, epoch);
        }
    }

    fn go_on(&self, next: Next, sensor: i64, epoch: i64) {
        match next {
            Next::Nothing => {}
            Next::LookAgain => self.tools.look_again.sensors.notify_one(),
            Next::Release => {
                let (pool, hints) = (self.tools.pool.clone(), self.hints.clone());
                tokio::spawn(async move {
                    // What could not be released is in the next assignment again.
                    if sensor_state::release(&pool, sensor, epoch).await.is_ok() {
                        hints.wake(Topic::Worker);
                    }
                });
            }
        }
    }

    fn follow_lease(&mut self) {
        self.lease.mark_unchanged();
        if !self.may_act() {
            self.roster.clear();
        }
    }

    fn may_act(&self) -> bool {
        *self.lease.borrow() == Lease::Held
    }

    async fn end(&mut self) {
        if !self.may_act() || tokio::time::timeout(FINISH, all_ended(&mut self.turns)).await.is_err() {
            self.roster.stop_polls();
            all_ended(&mut self.turns).await;
        }
        self.membership.leave().await;
        self.hints.wake(Topic::Worker);
    }
}

async fn all_ended(turns: &mut JoinSet<Ending>) {
    while turns.join_next().await.is_some() {}
}
