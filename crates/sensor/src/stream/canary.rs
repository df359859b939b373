//! The canaries of a stream, which go in beside what it says for as long as it runs.
//!
//! Each is a commit of its own, under the fence of the run, and nothing of the sensor changes by it: no clock, no state. So a
//! stream that is silent stays silent, and it is all the same in which order a canary and the stream's events go in, and
//! whether one is in whose commit was cut off by the end of the run.

use std::future::pending;
use std::time::Duration;

use attune_common::repositories::poke::Poke;
use attune_executor::ingest::{IngestError, NewEvent};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::health::STARTED;
use crate::definition::Sensor;
use crate::generator::GenerateError;
use crate::manager::Tools;

/// Between attempts.
const RETRY: Duration = Duration::from_secs(1);

/// One run of a stream that sends canaries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender<'a> {
    pub(super) tools: &'a Tools,
    pub(super) sensor: &'a Sensor,
    pub(super) epoch: i64,
    pub(super) wishes: &'a Wishes,
}

/// The last wish for a canary of a stream that is not answered yet.
#[derive(Debug)]
pub(super) struct Wishes(watch::Sender<Option<Poke>>);

impl Default for Wishes {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Wishes {
    /// Somebody wishes for one. Said again and again until it is answered.
    pub(super) fn add(&self, wish: Poke) {
        self.0.send_replace(Some(wish));
    }

    pub(super) fn open(&self) -> Option<Poke> {
        *self.0.borrow()
    }

    /// It is answered.
    pub(super) fn close(&self, wish: Poke) {
        self.0.send_if_modified(|open| open.take_if(|open| open.asked <= wish.asked).is_some());
    }
}

impl Sender<'_> {
    /// Sends each that is due or that somebody wishes for, and tells who did. Never ends.
    pub(super) async fn send_all(self) {
        let mut changes = self.wishes.0.subscribe();
        // One that fails at once sends none.
        sleep(STARTED).await;
        loop {
            let wish = *changes.borrow_and_update();
            let Some(canary) = self.tools.canaries.due(self.sensor, wish.is_some()) else {
                self.rest(&mut changes).await;
                continue;
            };
            let began = Instant::now();
            if !self.send(canary).await {
                sleep(RETRY).await;
            } else if let Some(wish) = wish
                && self.tools.answer_stream(wish, Ok(began.elapsed())).await
            {
                self.wishes.close(wish);
            }
        }
    }

    /// Until there may be one to send.
    async fn rest(self, changes: &mut watch::Receiver<Option<Poke>>) {
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
    async fn send(self, canary: NewEvent) -> bool {
        match self.tools.generator.commit_canary(self.sensor, self.epoch, canary).await {
            Ok(_) => {
                self.tools.canaries.sent(self.sensor);
                true
            }
            // The run ends by itself.
            Err(GenerateError::Ingest(IngestError::Fenced { .. })) => pending().await,
            Err(error) => {
                tracing::warn!(sensor.ref = %self.sensor.row.r#ref, error = error.for_the_record(), "A canary could not be sent");
                false
            }
        }
    }
}
