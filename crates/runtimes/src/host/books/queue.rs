//! Who is next. A place whose receiver is gone is skipped.

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::group::Queue;
use super::seat::Lane;
use super::{Books, Grant, Step};

impl<H> Books<H> {
    /// Gives the grant to the first that waits for it; returns it when nobody does.
    pub(super) fn offer(&mut self, group: u64, lane: Lane, grant: Grant<H>) -> Option<Grant<H>> {
        let grant = match lane {
            Lane::Fast(slot) => return serve(&mut self.group(group).fast[slot].waiting, grant),
            Lane::Slow => self.offer_to_the_starving(group, grant)?,
        };
        serve(&mut self.group(group).waiting, grant)
    }

    fn offer_to_the_starving(&mut self, group: u64, mut grant: Grant<H>) -> Option<Grant<H>> {
        while let Some(at) = self.starving.iter().position(|(of, _)| *of == group) {
            let (_, sender) = self.starving.remove(at)?;
            match sender.send(grant) {
                Ok(()) => return None,
                Err(back) => grant = back,
            }
        }
        Some(grant)
    }

    /// Starts hosts for those who wait for room, the longest waiting first, as far as there is some. Groups that will soon have
    /// hosts of their own hold up nobody.
    pub(super) fn feed_the_starving(&mut self, now: Instant) {
        self.starving.retain(|(_, sender)| !sender.is_closed());
        let mut passed = Vec::new();
        let next = |books: &Self, passed: &[u64]| {
            books.starving.iter().map(|(group, _)| *group).find(|group| !passed.contains(group))
        };
        while let Some(group) = next(self, &passed) {
            if self.is_starting_enough(group) {
                passed.push(group);
            } else if let Step::Granted(grant) = self.open(group, Lane::Slow, now) {
                if let Some(Grant::Seat(unused)) = self.offer_to_the_starving(group, grant) {
                    self.take_seat(unused);
                }
            } else if self.soon_has_a_host(group, now) {
                passed.push(group);
            } else {
                return;
            }
        }
    }
}

/// Takes a place in a queue.
pub(super) fn enqueue<H>(queue: &mut Queue<H>) -> oneshot::Receiver<Grant<H>> {
    let (sender, receiver) = oneshot::channel();
    queue.push_back(sender);
    receiver
}

fn serve<H>(queue: &mut Queue<H>, mut grant: Grant<H>) -> Option<Grant<H>> {
    while let Some(sender) = queue.pop_front() {
        match sender.send(grant) {
            Ok(()) => return None,
            Err(back) => grant = back,
        }
    }
    Some(grant)
}
