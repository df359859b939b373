//! What somebody holds of a pool, so that nothing is lost when the future that holds it is dropped.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::books::Grant;
use super::pool::Inner;
use super::warm::Warm;

/// A place in a queue.
pub(super) struct Waiting<'a> {
    pool: &'a Inner,
    receiver: oneshot::Receiver<Grant<Box<Warm>>>,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(pool: &'a Inner, receiver: oneshot::Receiver<Grant<Box<Warm>>>) -> Self {
        Self { pool, receiver }
    }

    /// What comes within this time. The place is given up afterwards.
    pub(super) async fn wait(mut self, time: Duration) -> Option<Lease<'a>> {
        match timeout(time, &mut self.receiver).await {
            Ok(Ok(grant)) => Some(Lease::new(self.pool, grant)),
            Ok(Err(_)) | Err(_) => None,
        }
    }
}

impl Drop for Waiting<'_> {
    /// It may have come in the meantime.
    fn drop(&mut self) {
        self.receiver.close();
        if let Ok(grant) = self.receiver.try_recv() {
            self.pool.with_books(|books| books.give_back(grant, Instant::now()));
        }
    }
}

/// A host for one turn, or the seat of one that is to be started. Dropped before it is given back, the host is gone: nobody
/// knows how far it is.
pub(super) struct Lease<'a> {
    pool: &'a Inner,
    id: u64,
    host: Option<Box<Warm>>,
    is_over: bool,
}

impl<'a> Lease<'a> {
    pub(super) fn new(pool: &'a Inner, grant: Grant<Box<Warm>>) -> Self {
        let (id, host) = match grant {
            Grant::Host(id, host) => (id, Some(host)),
            Grant::Seat(id) => (id, None),
        };
        Self { pool, id, host, is_over: false }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn host(&self) -> Option<&Warm> {
        self.host.as_deref()
    }

    /// A host was started for this seat, and begins its first turn.
    pub(super) fn started(&self, host: &Warm) {
        self.pool.with_books(|books| books.started(self.id, host.launcher, Instant::now()));
    }

    /// Puts back what was taken.
    pub(super) fn put(&mut self, host: Box<Warm>) {
        self.host = Some(host);
    }

    /// The host, whose seat stays until this value goes.
    pub(super) fn take(&mut self) -> Option<Box<Warm>> {
        self.host.take()
    }

    /// Gives the host back for the next turn.
    pub(super) fn park(mut self) {
        if let Some(host) = self.host.take() {
            self.is_over = true;
            self.pool.with_books(|books| books.park(self.id, host, Instant::now()));
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.pool.with_books(|books| books.leave(self.id, Instant::now()));
        }
    }
}
