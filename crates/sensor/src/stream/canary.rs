//! The canaries of a stream, which go in beside what it says for as long as it runs.
//!
//! Each is a commit of its own, under the fence of the run, and nothing of the sensor changes by it: no clock, no state. So a
//! stream that is silent stays silent, and it is all the same in which order a canary and the stream's events go in, and
//! whether one is in whose commit was cut off by the end of the run.

use std::future::pending;
use std::time::Duration;

use attune_common::repositories::poke::Poke;
use attune_executor::ingest::{IngestError, NewEvent};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::health::STARTED;
use crate::definition::Sensor;
use crate::generator::GenerateError;
use crate::manager::Tools;

/// Between attempts.
const RETRY: Duration = Duration::from_secs(1);
/// However often it should send one.
const PAUSE: Duration = Duration::from_millis(100);

/// One run of a stream that sends canaries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender<'a> {
    pub(super) tools: &'a Tools,
    pub(super) sensor: &'a Sensor,
    pub(super) epoch: i64,
    pub(super) wishes: &'a Wishes,
    /// Told when the sensor is another's.
    pub(super) fenced: &'a Notify,
}

/// Who wishes for a canary of a stream.
#[derive(Debug, Default)]
pub(super) struct Wishes(watch::Sender<Wished>);

#[derive(Debug, Default)]
struct Wished {
    open: Option<Poke>,
    /// The last wish that was answered.
    answered: i64,
}

impl Wishes {
    /// Somebody wishes for one. Said again and again until it is answered, and once more by who has not heard of that.
    pub(super) fn add(&self, wish: Poke) {
        self.0.send_if_modified(|wished| {
            let is_new = wish.asked > wished.answered;
            wished.open = if is_new { Some(wish) } else { wished.open };
            is_new
        });
    }

    pub(super) fn open(&self) -> Option<Poke> {
        self.0.borrow().open
    }

    /// It is answered.
    pub(super) fn close(&self, wish: Poke) {
        self.0.send_if_modified(|wished| {
            wished.answered = wished.answered.max(wish.asked);
            wished.open.take_if(|open| open.asked <= wish.asked).is_some()
        });
    }
}

impl Sender<'_> {
    /// Sends each that is due or that somebody wishes for, and tells who did. Never ends.
    pub(super) async fn send_all(self) {
        let mut changes = self.wishes.0.subscribe();
        // One that fails at once sends none.
        sleep(STARTED).await;
        loop {
            let wish = changes.borrow_and_update().open;
            let Some(canary) = self.tools.canaries.due(self.sensor, wish.is_some()) else {
                self.rest(&mut changes).await;
                continue;
            };
            let is_done = self.send(canary, wish).await;
            sleep(if is_done { PAUSE } else { RETRY }).await;
        }
    }

    /// Sends one and says so to who wishes for it. `false`: one of the two failed.
    async fn send(self, canary: NewEvent, wish: Option<Poke>) -> bool {
        let began = Instant::now();
        if !self.commit(canary).await {
            return false;
        }
        let Some(wish) = wish else { return true };
        let is_answered = self.tools.answer_stream(wish, Ok(began.elapsed())).await;
        if is_answered {
            self.wishes.close(wish);
        }
        is_answered
    }

    /// Until there may be one to send.
    async fn rest(self, changes: &mut watch::Receiver<Wished>) {
        let due = async {
            match self.tools.canaries.next(self.sensor) {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        };
        tokio::select! {
            Ok(()) = changes.changed() => {}
            () = due => {}
        }
    }

    /// Whether it is in.
    async fn commit(self, canary: NewEvent) -> bool {
        match self.tools.generator.commit_canary(self.sensor, self.epoch, canary).await {
            Ok(_) => {
                self.tools.canaries.sent(self.sensor);
                true
            }
            Err(GenerateError::Ingest(IngestError::Fenced { .. })) => {
                self.fenced.notify_one();
                pending().await
            }
            Err(error) => {
                tracing::warn!(sensor.ref = %self.sensor.row.r#ref, error = error.for_the_record(), "A canary could not be sent");
                false
            }
        }
    }
}
