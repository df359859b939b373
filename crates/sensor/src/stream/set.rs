//! The streams of one worker. It only says what is wanted; what becomes of a stream is up to its own task.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use attune_common::repositories::poke::Poke;
use attune_common::repositories::sensor_state::{self, Owned};
use attune_hints::{Hints, Topic};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use super::Wanted;
use super::canary::Wishes;
use super::restart::Restarts;
use super::supervise::{Left, Stream};
use crate::definition::Sensor;
use crate::manager::Tools;

/// Between attempts to give a stream back.
const RETRY: Duration = Duration::from_secs(1);

/// The streams of one worker.
#[derive(Debug)]
pub(crate) struct Streams {
    tools: Arc<Tools>,
    hints: Hints,
    places: Arc<Semaphore>,
    limit: u32,
    running: HashMap<i64, Running>,
}

#[derive(Debug)]
struct Running {
    epoch: i64,
    wanted: watch::Sender<Wanted>,
    poked: Arc<Notify>,
    wishes: Arc<Wishes>,
    task: AbortOnDropHandle<()>,
}

impl Streams {
    /// None yet, and up to `limit` at once.
    pub(crate) fn new(tools: Arc<Tools>, hints: Hints, limit: u32) -> Self {
        let places = Arc::new(Semaphore::new(usize::try_from(limit).unwrap_or(Semaphore::MAX_PERMITS)));
        Self { tools, hints, places, limit, running: HashMap::new() }
    }

    /// Whether a sensor is one of them.
    pub(crate) fn has(&self, sensor: i64) -> bool {
        self.running.get(&sensor).is_some_and(|running| !running.wanted.is_closed())
    }

    /// Takes over a stream that this worker owns, or what changed of it.
    pub(crate) fn keep(&mut self, sensor: Arc<Sensor>, owned: &Owned) {
        let Some(running) = self.running.get(&owned.sensor).filter(|running| !running.wanted.is_closed())
        else {
            return self.start(sensor, owned);
        };
        if running.epoch != owned.epoch {
            // Lost and won again meanwhile: once this one has ended, the next round begins anew.
            running.wanted.send_replace(Wanted::Stop);
            return;
        }
        running.wanted.send_if_modified(|wanted| match wanted {
            Wanted::Run(as_it_is) if Arc::ptr_eq(as_it_is, &sensor) => false,
            _ => {
                *wanted = Wanted::Run(sensor);
                true
            }
        });
    }

    /// Starts a stream at once that waits for its restart. One that runs is left alone; should it fail, it does not wait the next
    /// time. `true`: that answers the wish. One for a canary is answered when that is sent; what is not here under this epoch,
    /// elsewhere.
    pub(crate) fn poke(&self, poke: Poke) -> bool {
        let here = self.running.get(&poke.sensor).filter(|running| running.epoch == poke.epoch);
        let Some(running) = here else { return false };
        running.poked.notify_one();
        if poke.canary {
            running.wishes.add(poke);
        }
        !poke.canary
    }

    /// A stream belongs elsewhere: it is given back as soon as it has ended.
    pub(crate) fn let_go(&self, sensor: i64) {
        if let Some(running) = self.running.get(&sensor) {
            running.wanted.send_replace(Wanted::GiveBack);
        }
    }

    /// Stops every stream.
    pub(crate) fn stop(&self) {
        for running in self.running.values() {
            running.wanted.send_replace(Wanted::Stop);
        }
    }

    /// Stops every stream and waits for that, but not for longer than this.
    pub(crate) async fn end(&mut self, time: Duration) {
        self.stop();
        let all = async {
            for running in self.running.values_mut() {
                // A task that panicked has ended as well.
                let _ = (&mut running.task).await;
            }
        };
        if tokio::time::timeout(time, all).await.is_err() {
            self.running.values().for_each(|running| running.task.abort());
        }
    }

    fn start(&mut self, sensor: Arc<Sensor>, owned: &Owned) {
        self.running.retain(|_, running| !running.wanted.is_closed());
        let (wanted, receiver) = watch::channel(Wanted::Run(sensor));
        let (poked, wishes) = (Arc::new(Notify::new()), Arc::<Wishes>::default());
        let stream = Stream {
            tools: Arc::clone(&self.tools),
            sensor: owned.sensor,
            epoch: owned.epoch,
            restarts: Restarts::after(owned.failures),
            wanted: receiver,
            poked: Arc::clone(&poked),
            wishes: Arc::clone(&wishes),
            places: Arc::clone(&self.places),
            limit: self.limit,
        };
        let task = tokio::spawn(run(stream, Arc::clone(&self.tools), self.hints.clone()));
        let task = AbortOnDropHandle::new(task);
        self.running.insert(owned.sensor, Running { epoch: owned.epoch, wanted, poked, wishes, task });
    }
}

/// A stream from its first start until it is no longer this worker's, or should not be.
async fn run(stream: Stream, tools: Arc<Tools>, hints: Hints) {
    let (sensor, epoch) = (stream.sensor, stream.epoch);
    let _forgotten = Forgotten { tools: Arc::clone(&tools), sensor };
    // For as long as this is there, the set has the stream.
    let _there = stream.wanted.clone();
    // On the heap: it is large, and moved.
    if matches!(Box::pin(stream.live()).await, Left::GivenBack | Left::InDoubt) {
        // Until that is certain: under the same epoch it must not start again while a commit is in doubt.
        while sensor_state::release(&tools.pool, &[sensor], &[epoch]).await.is_err() {
            sleep(RETRY).await;
        }
        hints.wake(Topic::Worker);
    }
}

/// Has the assigner look again, however the task of a stream ends.
struct Forgotten {
    tools: Arc<Tools>,
    sensor: i64,
}

impl Drop for Forgotten {
    fn drop(&mut self) {
        self.tools.look_again.forgot(self.sensor);
    }
}
