//! A turn from its start to its end, and what becomes of its host.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use attune_core::usage::Spent;
use attune_process::memory;
use tokio::time::Instant;

use super::books::Why;
use super::error::TurnError;
use super::lease::Lease;
use super::pool::Inner;
use super::recipe::Recipe;
use super::request::{Answer, Listener, Request};
use super::spent::within;
use super::turn::Interrupted;
use super::warm::Warm;

/// One turn, and where it belongs.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) request: &'a Request<'a>,
    pub(super) file: &'a str,
}

impl Inner {
    /// Takes one turn, to its end or until `stop`.
    pub(super) async fn take_turn(
        self: &Arc<Self>,
        job: Job<'_>,
        listener: &mut impl Listener,
        mut stop: Pin<&mut (impl Future<Output = ()> + Send)>,
    ) -> Result<Answer, TurnError> {
        let (mut lease, mut host) = tokio::select! {
            biased;
            () = &mut stop => return Err(TurnError::Stopped),
            found = self.host(job) => found?,
        };
        let began = Instant::now();
        let answered = host.turn(job.request, job.file, listener, stop).await;
        let took = began.elapsed();
        self.note(job, answered.is_ok() && took <= self.settings.moment);
        match answered {
            Ok(answer) => {
                let spent = host.account(took);
                lease.put(host);
                self.measure_first(&lease);
                listener.spent(Spent { peak_memory: self.memory(&lease), ..spent });
                self.give_back(job, lease);
                Ok(answer)
            }
            Err(why) => {
                let memory = self.memory(&lease);
                Err(Box::pin(interrupted(host, why, (took, memory), listener)).await)
            }
        }
    }

    /// A host that is ready for the turn.
    async fn host(self: &Arc<Self>, job: Job<'_>) -> Result<(Lease<'_>, Box<Warm>), TurnError> {
        loop {
            let mut lease = self.lease(job).await?;
            let Some(mut host) = lease.take() else {
                self.keeper.watch(self);
                // In a box: it takes a lot of room, and every turn would carry it along.
                let start = Warm::start(job.recipe, &self.launcher, self.settings.start);
                let host = Box::pin(start).await?;
                tracing::debug!(runtime.ref = host.runtime, host.launcher = host.launcher, directory = %job.recipe.code.directory.display(),
                    "A warm host has started");
                lease.started(&host);
                return Ok((lease, host));
            };
            if host.is_ready() {
                return Ok((lease, host));
            }
            // Whatever ended it, it was not this turn.
            self.keeper.dismiss(host, Why::Broken);
        }
    }

    /// Remembers who was quick.
    fn note(&self, job: Job<'_>, quick: bool) {
        if let Some(key) = job.request.task.key() {
            self.with_books(|books| books.note(job.recipe.group, key, quick));
        }
    }

    /// Measures a host after its first turn.
    fn measure_first(&self, lease: &Lease<'_>) {
        if let Some(host) = lease.host().filter(|host| host.turns == 1)
            && let (now, Some(bytes)) = (Instant::now(), memory(host.launcher))
        {
            self.with_books(|books| books.measured_first(lease.id(), bytes, now));
        }
    }

    /// What a host takes, as last measured.
    fn memory(&self, lease: &Lease<'_>) -> u64 {
        self.with_books(|books| books.measure(lease.id())).unwrap_or(0)
    }

    /// Gives a host back after a turn that was answered, unless it is to be replaced.
    fn give_back(&self, job: Job<'_>, mut lease: Lease<'_>) {
        let Some(turns) = lease.host().map(|host| host.turns) else { return };
        let why = if turns >= job.recipe.host.polls {
            Some(Why::Turns)
        } else {
            self.with_books(|books| books.has_grown(lease.id())).then_some(Why::Growth)
        };
        match why.and_then(|why| Some((lease.take()?, why))) {
            Some((host, why)) => self.keeper.dismiss(host, why),
            None => lease.park(),
        }
    }
}

/// Ends a host in the middle of its turn. Its seat is taken until it is gone. The turn took what is not accounted for.
async fn interrupted(
    host: Box<Warm>,
    why: Interrupted,
    (took, peak_memory): (Duration, u64),
    listener: &mut impl Listener,
) -> TurnError {
    tracing::debug!(runtime.ref = host.runtime, host.launcher = host.launcher, host.turns = host.turns, reason = ?why,
        "A warm host ends in the middle of a turn");
    let (accounted, output) = (host.accounted, host.spent.output);
    let ended = match why {
        Interrupted::Ended => {
            let ended = host.ended(&mut |chunk| listener.log(chunk)).await;
            ended.map(|(gone, cpu)| (TurnError::Ended(gone), cpu))
        }
        Interrupted::Because(error) => host.stop().await.map(|cpu| (error, cpu)),
    };
    let (error, cpu) = match ended {
        Ok((error, all)) => (error, accounted.map(|before| within(all.saturating_sub(before), took))),
        Err(error) => (error.into(), None),
    };
    listener.spent(Spent { cpu, peak_memory, output });
    error
}
