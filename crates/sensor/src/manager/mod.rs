//! When sensors are polled: the one task that knows which of them run here.
//!
//! It takes [`Assignment`]s, starts turns as the agenda and the lanes say, one per sensor at a time, and lets go of what
//! belongs elsewhere once its poll is over. Streams have tasks of their own, which it only tells what is wanted. While the
//! lease is not held nothing runs: polls and streams are ended before anybody else
//! may take the sensors, and what was owned is read again afterwards. What polls without events leave behind is written by
//! and by ([`Ticks`]), and before a sensor is given back.

mod agenda;
mod assignment;
mod figures;
mod known;
mod lanes;
mod look_again;
mod managed;
mod missed;
mod place;
mod poked;
mod rhythm;
mod roster;
mod route;
mod scope;
mod ticks;
mod turn;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use attune_boot::Membership;
use attune_common::db::is_transient;
use attune_common::registration::Lease;
use attune_common::repositories::poke::Poke;
use attune_common::repositories::sensor_state;
use attune_hints::{Hints, Topic};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, interval_at};
use tokio_util::sync::CancellationToken;

pub(crate) use assignment::{Assigner, Assignment};
pub use figures::{Figures, Snapshot};
pub(crate) use look_again::LookAgain;
pub(crate) use ticks::Ticks;
pub(crate) use turn::Tools;

use roster::{Next, Roster};
use turn::Ending;

use crate::stream::Streams;

/// How long polls may go on once the worker should end.
const FINISH: Duration = Duration::from_secs(5);
/// A loop that has nothing to wait for looks up this often.
const IDLE: Duration = Duration::from_mins(1);
/// Between two flushes of ticks. With the time that the second one takes, what a sensor remembers is durable in a second.
const FLUSH: Duration = Duration::from_millis(500);
/// Between two times that what became of missed ticks is written, unless a sensor is given back before.
const TELL_MISSED: Duration = Duration::from_secs(5);
/// How often lateness is looked at for the log.
const MINUTE: Duration = Duration::from_mins(1);
/// A minute in which one tick of a hundred was later is worth a line.
const LATE: Duration = Duration::from_secs(1);

/// Runs the sensors of one worker.
#[derive(Debug)]
pub(crate) struct SensorManager {
    tools: Arc<Tools>,
    hints: Hints,
    membership: Membership,
    lease: watch::Receiver<Lease>,
    assignments: mpsc::Receiver<Assignment>,
    roster: Roster,
    streams: Streams,
    figures: Figures,
    /// The figures of a minute ago.
    told: Snapshot,
    turns: JoinSet<Ending>,
    /// The flush that is under way.
    flushes: JoinSet<()>,
    /// Not before this time is the next one.
    flush_at: Instant,
    /// Not before this time are missed ticks written.
    tell_missed_at: Instant,
    /// Sensors that wait for their environments. They hold no place in a lane.
    waits: JoinSet<i64>,
    /// Whose turn each task is: sensor and epoch.
    tasks: HashMap<Id, (i64, i64)>,
}

/// What the manager woke for.
#[derive(Debug)]
enum Wake {
    Lease,
    Assigned(Assignment),
    Ended(Result<(Id, Ending), JoinError>),
    /// What a sensor waited for is there.
    Built(i64),
    Flushed,
    Minute,
    /// Something is due.
    Time,
}

impl SensorManager {
    /// A manager that runs up to `slots` quick polls, as many slow ones, and up to `streams` streams at once.
    pub(crate) fn new(
        tools: Arc<Tools>,
        hints: Hints,
        membership: Membership,
        assignments: mpsc::Receiver<Assignment>,
        slots: u32,
        streams: u32,
        figures: Figures,
    ) -> Self {
        let slots = usize::try_from(slots).unwrap_or(usize::MAX);
        let missed = Arc::clone(tools.ticks.missed());
        Self {
            streams: Streams::new(Arc::clone(&tools), hints.clone(), streams),
            hints,
            lease: membership.lease(),
            membership,
            assignments,
            roster: Roster::new(slots, tools.poll_interval, figures.clone(), missed),
            told: figures.snapshot(),
            figures,
            tools,
            turns: JoinSet::new(),
            flushes: JoinSet::new(),
            flush_at: Instant::now(),
            tell_missed_at: Instant::now(),
            waits: JoinSet::new(),
            tasks: HashMap::new(),
        }
    }

    /// Runs until `stop`, then ends what runs and leaves.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<(), crate::Error> {
        let mut minute = interval_at(Instant::now() + MINUTE, MINUTE);
        let mut woken = processor_time();
        while !stop.is_cancelled() {
            self.flush();
            let started = self.start_turns();
            let wake = self.next_wake();
            self.figures.work(processor_time().saturating_sub(woken), started);
            let wake = tokio::select! {
                () = stop.cancelled() => Wake::Time,
                Ok(()) = self.lease.changed() => Wake::Lease,
                Some(assignment) = self.assignments.recv() => Wake::Assigned(assignment),
                Some(ended) = self.turns.join_next_with_id() => Wake::Ended(ended),
                Some(Ok(sensor)) = self.waits.join_next() => Wake::Built(sensor),
                Some(_) = self.flushes.join_next() => Wake::Flushed,
                _ = minute.tick() => Wake::Minute,
                () = tokio::time::sleep_until(wake) => Wake::Time,
            };
            woken = processor_time();
            self.answer(wake);
        }
        self.end().await;
        Ok(())
    }

    fn answer(&mut self, wake: Wake) {
        match wake {
            Wake::Lease => self.follow_lease(),
            Wake::Assigned(assignment) => self.adopt(assignment),
            Wake::Ended(ended) => {
                self.ended(ended);
                while let Some(ended) = self.turns.try_join_next_with_id() {
                    self.ended(ended);
                }
            }
            Wake::Built(sensor) => self.roster.wake(sensor, Instant::now()),
            Wake::Flushed => self.flushed(),
            Wake::Minute => self.tell_lateness(),
            Wake::Time => {}
        }
    }

    fn next_wake(&self) -> Instant {
        let may_flush = self.flushes.is_empty();
        let flush = (may_flush && !self.tools.ticks.is_empty()).then_some(self.flush_at);
        let missed = self.tell_missed_at.max(self.flush_at);
        let missed = (may_flush && !self.tools.ticks.missed().is_empty()).then_some(missed);
        let wake = [self.roster.next_wake(), flush, missed].into_iter().flatten().min();
        wake.unwrap_or_else(|| Instant::now() + IDLE)
    }

    fn start_turns(&mut self) -> u64 {
        let mut started = 0;
        if !self.may_act() {
            return started;
        }
        while let Some(turn) = self.roster.next_turn(Instant::now()) {
            let whose = (turn.sensor.row.id, turn.epoch);
            let tools = Arc::clone(&self.tools);
            let task = self.turns.spawn(async move { tools.take(turn).await });
            self.tasks.insert(task.id(), whose);
            started += 1;
        }
        started
    }

    /// Writes the ticks of the last half second, when it is time.
    fn flush(&mut self) {
        let now = Instant::now();
        if now < self.flush_at || !self.flushes.is_empty() {
            return;
        }
        let tell_missed = now >= self.tell_missed_at && !self.tools.ticks.missed().is_empty();
        if tell_missed {
            self.tell_missed_at = now + TELL_MISSED;
        } else if self.tools.ticks.is_empty() {
            return;
        }
        self.flush_at = now + FLUSH;
        self.flushes.spawn(flush(Arc::clone(&self.tools), tell_missed));
    }

    fn flushed(&mut self) {
        for (sensor, epoch) in self.tools.ticks.take_lost() {
            let next = self.roster.lose(sensor, epoch);
            self.go_on([(next, sensor, epoch)]);
        }
    }

    fn tell_lateness(&mut self) {
        let now = self.figures.snapshot();
        let minute = now.since(&self.told);
        let late = minute.late(0.99);
        if late > LATE {
            let millis = |late: Duration| u64::try_from(late.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(
                ticks = minute.lateness.len(),
                lateness.p50_ms = millis(minute.late(0.5)),
                lateness.p99_ms = millis(late),
                lateness.max_ms = millis(minute.late(1.0)),
                ticks.missed = minute.missed,
                "Sensors are polled late; raise sensor.max_concurrent_sensors, or run another sensor worker"
            );
        }
        self.told = now;
    }

    fn adopt(&mut self, assignment: Assignment) {
        // What was assigned before the lease ended may be another's by now.
        if !self.may_act() {
            return self.tools.look_again.forgot_all();
        }
        self.keep(assignment.keep);
        assignment.pokes.into_iter().for_each(|poke| self.poke(poke));
        let nexts: Vec<_> =
            assignment.release.into_iter().map(|(id, epoch)| (self.let_go(id), id, epoch)).collect();
        self.go_on(nexts);
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
            self.go_on([(next, sensor, epoch)]);
        }
    }

    /// Does what is left to do about sensors.
    fn go_on(&self, nexts: impl IntoIterator<Item = (Next, i64, i64)>) {
        let (mut sensors, mut epochs) = (Vec::new(), Vec::new());
        for (next, sensor, epoch) in nexts {
            match next {
                Next::Nothing => {}
                Next::LookAgain => self.tools.look_again.forgot(sensor),
                Next::Release => {
                    sensors.push(sensor);
                    epochs.push(epoch);
                }
            }
        }
        if !sensors.is_empty() {
            tokio::spawn(release(Arc::clone(&self.tools), self.hints.clone(), sensors, epochs));
        }
    }

    fn follow_lease(&mut self) {
        self.lease.mark_unchanged();
        if !self.may_act() {
            self.roster.clear();
            self.tools.look_again.forgot_all();
            self.streams.stop();
        }
    }

    fn may_act(&self) -> bool {
        *self.lease.borrow() == Lease::Held
    }

    /// Somebody wants a sensor to tick now. What is not here comes again, here or to another worker.
    fn poke(&mut self, poke: Poke) {
        if !self.roster.poke(poke, Instant::now()) && self.streams.poke(poke) {
            let tools = Arc::clone(&self.tools);
            tokio::spawn(async move { tools.answer_stream(poke, Ok(Duration::ZERO)).await });
        }
    }

    async fn end(&mut self) {
        let may_finish = self.may_act();
        let polls = async {
            if !may_finish || tokio::time::timeout(FINISH, all_ended(&mut self.turns)).await.is_err() {
                self.roster.stop_polls();
                all_ended(&mut self.turns).await;
            }
        };
        tokio::join!(polls, self.streams.end(FINISH));
        // Waits for one that is under way.
        flush(Arc::clone(&self.tools), true).await;
        self.membership.leave().await;
        self.hints.wake(Topic::Worker);
        self.tools.runtime.end().await;
    }
}

async fn all_ended(turns: &mut JoinSet<Ending>) {
    while turns.join_next().await.is_some() {}
}

/// Of this thread. Between two waits the manager stays on one.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// What could not be written is kept for the next time.
async fn flush(tools: Arc<Tools>, tell_missed: bool) {
    let ticks = &tools.ticks;
    let flushed = if tell_missed { ticks.flush_all().await } else { ticks.flush().await };
    match flushed {
        // The lease tells of a database that is away.
        Err(error) if !is_transient(&error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "Polls could not be recorded");
        }
        _ => {}
    }
}

/// Gives sensors back, with all that they did. What could not be released is in the next assignment again.
async fn release(tools: Arc<Tools>, hints: Hints, sensors: Vec<i64>, epochs: Vec<i64>) {
    let released = async {
        tools.ticks.flush_all().await?;
        sensor_state::release(&tools.pool, &sensors, &epochs).await
    };
    if released.await.is_ok() {
        hints.wake(Topic::Worker);
    }
}
