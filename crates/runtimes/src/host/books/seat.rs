//! One host in the books, from the leave to start it to its end.

use std::time::Duration;

use tokio::time::Instant;

use super::{Books, Grant};

/// Where a host belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// To this place of its group's fast lane.
    Fast(usize),
    Slow,
}

#[derive(Debug)]
pub(super) enum Doing<H> {
    Starting,
    Busy,
    /// Nobody has it.
    Parked(H),
}

#[derive(Debug)]
pub(super) struct Seat<H> {
    pub(super) group: u64,
    pub(super) lane: Lane,
    pub(super) doing: Doing<H>,
    /// When it began to do so.
    pub(super) since: Instant,
    /// What it takes of the memory; a guess until it is measured.
    pub(super) bytes: u64,
    /// What it took when it was first measured.
    pub(super) first: Option<u64>,
    /// When it was last measured.
    pub(super) looked: Option<Instant>,
    /// It should be replaced, because it takes much more than at first.
    pub(super) grown: bool,
    /// The process below which it runs, once it does.
    pub(super) launcher: Option<u32>,
}

impl<H> Seat<H> {
    pub(super) fn is_parked(&self) -> bool {
        matches!(self.doing, Doing::Parked(_))
    }

    pub(super) fn is_starting(&self) -> bool {
        matches!(self.doing, Doing::Starting)
    }

    /// Whether one turn has had it for too long.
    pub(super) fn is_held_up(&self, now: Instant, moment: Duration) -> bool {
        matches!(self.doing, Doing::Busy) && now.duration_since(self.since) >= moment
    }
}

impl<H> Books<H> {
    /// Takes a host that nobody has.
    pub(super) fn unpark(&mut self, id: u64, now: Instant) -> Option<Grant<H>> {
        let seat = self.seats.get_mut(&id).filter(|seat| seat.is_parked())?;
        seat.since = now;
        match std::mem::replace(&mut seat.doing, Doing::Busy) {
            Doing::Parked(host) => Some(Grant::Host(id, host)),
            Doing::Starting | Doing::Busy => None,
        }
    }

    /// Adds a host that somebody will start.
    pub(super) fn add_seat(&mut self, group: u64, lane: Lane, now: Instant) -> u64 {
        self.count += 1;
        let id = self.count;
        let bytes = self.group(group).typical;
        let seat = Seat {
            group,
            lane,
            doing: Doing::Starting,
            since: now,
            bytes,
            first: None,
            looked: None,
            grown: false,
            launcher: None,
        };
        self.seats.insert(id, seat);
        self.enter(group, lane, id);
        id
    }

    /// Removes a host.
    pub(super) fn take_seat(&mut self, id: u64) -> Option<Seat<H>> {
        let seat = self.seats.remove(&id)?;
        self.exit(seat.group, seat.lane, id);
        Some(seat)
    }

    /// Moves a host to another lane of its group; one that nobody has is not in the list of such then.
    pub(super) fn move_to(&mut self, id: u64, lane: Lane) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        let (group, before) = (seat.group, std::mem::replace(&mut seat.lane, lane));
        self.exit(group, before, id);
        self.enter(group, lane, id);
    }

    fn enter(&mut self, group: u64, lane: Lane, id: u64) {
        match lane {
            Lane::Fast(slot) => self.group(group).fast[slot].host = Some(id),
            Lane::Slow => self.group(group).slow += 1,
        }
    }

    fn exit(&mut self, group: u64, lane: Lane, id: u64) {
        let group = self.group(group);
        match lane {
            Lane::Fast(slot) => group.fast[slot].host = None,
            Lane::Slow => {
                group.slow -= 1;
                group.idle.retain(|idle| *idle != id);
            }
        }
    }
}
