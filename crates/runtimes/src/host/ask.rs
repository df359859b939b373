//! How a turn gets a host: from its place in the fast lane, or from the slow lane, or leave to start one.

use tokio::time::Instant;

use super::books::{Books, Step};
use super::error::TurnError;
use super::lease::{Lease, Waiting};
use super::pool::Inner;
use super::serve::Job;
use super::warm::Warm;

/// The answer to whoever asks for a host.
enum Asked<'a> {
    Granted(Lease<'a>),
    Wait(Waiting<'a>),
    Crowded,
}

impl Inner {
    /// A host, or the seat of one, within the time that the turn may take.
    pub(super) async fn lease(&self, job: Job<'_>) -> Result<Lease<'_>, TurnError> {
        let (group, time) = (job.recipe.group, job.request.time);
        if let Some(key) = job.request.task.key()
            && let Some(lease) = self.fast(group, key).await
        {
            return Ok(lease);
        }
        for (pressing, time) in [(false, self.settings.moment), (true, time)] {
            match self.ask(|books, now| books.ask_slow(group, pressing, now)) {
                Asked::Granted(lease) => return Ok(lease),
                Asked::Wait(waiting) => {
                    if let Some(lease) = waiting.wait(time).await {
                        return Ok(lease);
                    }
                }
                Asked::Crowded => {}
            }
        }
        let (role, budget) = (job.recipe.role, self.settings.budget);
        Err(TurnError::NoHost { waited: time, budget, role })
    }

    /// A place in the fast lane, for who may use it and does not have to wait long.
    async fn fast(&self, group: u64, key: i64) -> Option<Lease<'_>> {
        let ask = |books: &mut Books<Box<Warm>>, now| {
            if books.is_quick(group, key) { books.ask_fast(group, key, now) } else { Step::Crowded }
        };
        let waiting = match self.ask(ask) {
            Asked::Granted(lease) => return Some(lease),
            Asked::Wait(waiting) => waiting,
            Asked::Crowded => return None,
        };
        if let Some(lease) = waiting.wait(self.settings.moment).await {
            return Some(lease);
        }
        self.with_books(|books| books.pass_over(group, key, Instant::now()));
        match self.ask(ask) {
            Asked::Granted(lease) => Some(lease),
            Asked::Wait(_) | Asked::Crowded => None,
        }
    }

    fn ask(&self, ask: impl FnOnce(&mut Books<Box<Warm>>, Instant) -> Step<Box<Warm>>) -> Asked<'_> {
        match self.with_books(|books| ask(books, Instant::now())) {
            Step::Granted(grant) => Asked::Granted(Lease::new(self, grant)),
            Step::Wait(receiver) => Asked::Wait(Waiting::new(self, receiver)),
            Step::Crowded => Asked::Crowded,
        }
    }
}
