//! The commits of one run of a stream: one at a time, each of all that is complete by then.

use std::future::pending;
use std::pin::Pin;
use std::time::SystemTime;

use attune_core::protocol::CheckpointId;
use attune_core::usage::Figures;
use attune_executor::ingest::IngestError;
use attune_executor::usage::Meter;

use super::StreamError;
use super::intake::{Batch, Intake};
use super::outbox::Outbox;
use crate::definition::Sensor;
use crate::generator::{EventGenerator, GenerateError, Polls};
use crate::timeline::Timeline;

/// Why a batch was not committed.
#[derive(Debug)]
pub(crate) enum NotCommitted {
    /// The sensor is no longer this worker's.
    Lost,
    /// It may be in, or may be later.
    InDoubt,
    /// It is not in, and will not be.
    Refused(StreamError),
}

/// A commit that is under way. It ends only when its outcome is certain, or can not be.
pub(crate) type Committing<'a, T = ()> = Pin<Box<dyn Future<Output = Result<T, NotCommitted>> + Send + 'a>>;
/// Commits a batch.
pub(crate) type Commit<'a> = &'a (dyn Fn(Batch) -> Committing<'a> + Sync);

/// Commits what an intake has, in order. After an error nothing may follow.
pub(super) struct Commits<'a> {
    commit: Commit<'a>,
    under_way: Option<Committing<'a, Vec<CheckpointId>>>,
}

impl<'a> Commits<'a> {
    pub(super) fn new(commit: Commit<'a>) -> Self {
        Self { commit, under_way: None }
    }

    /// Begins the next commit, if none is under way and there is something for it.
    pub(super) fn begin(&mut self, intake: &mut Intake) {
        if self.under_way.is_none()
            && let Some(mut batch) = intake.take()
        {
            let acks = std::mem::take(&mut batch.acks);
            let commit = (self.commit)(batch);
            self.under_way = Some(Box::pin(async move { commit.await.map(|()| acks) }));
        }
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Waits for the end of the commit that is under way, and has it acknowledged. May be dropped while it waits.
    pub(super) async fn ended(&mut self, outbox: &Outbox) -> Result<(), NotCommitted> {
        let acks = match &mut self.under_way {
            Some(commit) => commit.as_mut().await,
            None => pending().await,
        };
        self.under_way = None;
        outbox.ack(acks?);
        Ok(())
    }

    /// Commits all that is complete.
    pub(super) async fn settle(&mut self, intake: &mut Intake, outbox: &Outbox) -> Result<(), NotCommitted> {
        loop {
            self.begin(intake);
            if !self.is_under_way() {
                return Ok(());
            }
            self.ended(outbox).await?;
        }
    }
}

/// Commits a batch as the owner of its sensor under this epoch.
pub(super) async fn submit(
    (generator, meter): (&EventGenerator, &Meter),
    sensor: &Sensor,
    epoch: i64,
    batch: Batch,
) -> Result<(), NotCommitted> {
    let events = batch.events.len();
    let ticks = Timeline::committed(SystemTime::now(), events);
    let polls = Polls { count: 0, lateness: None, ticks: ticks.to_column(), canary: None };
    match generator.commit(sensor, epoch, batch.into(), polls).await {
        Ok(receipt) => {
            meter.note(sensor.row.id, &Figures::default().with_events(events));
            if receipt.rejected > 0 {
                tracing::warn!(sensor.ref = %sensor.row.r#ref, events.rejected = receipt.rejected,
                    "Events were set aside; table event_rejected says why");
            }
            Ok(())
        }
        Err(GenerateError::Ingest(IngestError::Fenced { .. })) => Err(NotCommitted::Lost),
        Err(GenerateError::Ingest(IngestError::Unavailable(_) | IngestError::Stopped)) => {
            Err(NotCommitted::InDoubt)
        }
        Err(error) => Err(NotCommitted::Refused(StreamError::Commit(error))),
    }
}
