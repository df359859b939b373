//! Who has which host, who waits for one, and what they all take.
//!
//! Pure bookkeeping: a host is any value, and time is told. Who asks gets a host, leave to start one, or a place in a queue;
//! who has one gives it back ([`Books::park`]) or says that it is gone ([`Books::leave`]), and then the next in line is
//! served. Hosts that have to end are handed out by [`Books::take_ended`].
//!
//! Queues are of senders whose receivers may be gone; such a place is skipped.

mod group;
mod queue;
mod room;
mod seat;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::settings::Settings;
use group::Group;
use queue::enqueue;
use seat::{Doing, Lane, Seat};

/// What somebody gets who asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Grant<H> {
    /// A host that is ready.
    Host(u64, H),
    /// A seat for a host that it has to start.
    Seat(u64),
}

/// The answer to whoever asks.
#[derive(Debug)]
pub(super) enum Step<H> {
    Granted(Grant<H>),
    /// It comes when somebody is done.
    Wait(oneshot::Receiver<Grant<H>>),
    /// There is no room for a host in this lane.
    Crowded,
}

/// Why a host ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Nobody took it for long.
    Idle,
    /// Somebody else needs the room.
    Room,
    /// It took as many turns as a host of its runtime may.
    Turns,
    /// It takes much more memory than at first.
    Growth,
    /// It ended by itself, or said something that nobody had asked for.
    Broken,
    /// The pool ends.
    Closing,
}

/// The books of one pool.
#[derive(Debug)]
pub(super) struct Books<H> {
    settings: Settings,
    groups: HashMap<u64, Group<H>>,
    seats: HashMap<u64, Seat<H>>,
    /// Who waits for room or for a host of its group's slow lane, whichever comes first; the oldest in front.
    starving: VecDeque<(u64, oneshot::Sender<Grant<H>>)>,
    ended: Vec<(H, Why)>,
    count: u64,
}

impl<H> Books<H> {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            groups: HashMap::new(),
            seats: HashMap::new(),
            starving: VecDeque::new(),
            ended: Vec::new(),
            count: 0,
        }
    }

    /// Whether this one may use the fast lane of the group.
    pub(super) fn is_quick(&self, group: u64, key: i64) -> bool {
        self.groups.get(&group).is_some_and(|group| group.quick.contains(&key))
    }

    /// Notes how quick this one was.
    pub(super) fn note(&mut self, group: u64, key: i64, quick: bool) {
        let group = self.group(group);
        if quick {
            group.quick.insert(key)
        } else {
            group.quick.remove(&key)
        };
    }

    /// Asks for the host in the fast lane that `key` sticks to.
    pub(super) fn ask_fast(&mut self, group: u64, key: i64, now: Instant) -> Step<H> {
        let slot = self.slot(key);
        if let Some(id) = self.group(group).fast[slot].host {
            return match self.unpark(id, now) {
                Some(grant) => Step::Granted(grant),
                None => Step::Wait(enqueue(&mut self.group(group).fast[slot].waiting)),
            };
        }
        // A second host is started only when the first is busy.
        let others: Vec<u64> = self.group(group).fast.iter().filter_map(|place| place.host).collect();
        if let Some(grant) = others.into_iter().find_map(|id| self.unpark(id, now)) {
            return Step::Granted(grant);
        }
        if let Some(id) = self.group(group).idle.pop() {
            self.move_to(id, Lane::Fast(slot));
            return self.unpark(id, now).map_or(Step::Crowded, Step::Granted);
        }
        self.open(group, Lane::Fast(slot), now)
    }

    /// Asks for any host of the slow lane. Who is not `pressing` has one started only while there are few.
    pub(super) fn ask_slow(&mut self, group: u64, pressing: bool, now: Instant) -> Step<H> {
        if let Some(grant) = self.group(group).idle.pop().and_then(|id| self.unpark(id, now)) {
            return Step::Granted(grant);
        }
        if (pressing || self.group(group).slow < self.settings.lanes)
            && !self.is_starting_enough(group)
            && let Step::Granted(grant) = self.open(group, Lane::Slow, now)
        {
            return Step::Granted(grant);
        }
        if !pressing {
            return Step::Wait(enqueue(&mut self.group(group).waiting));
        }
        let (sender, receiver) = oneshot::channel();
        self.starving.push_back((group, sender));
        Step::Wait(receiver)
    }

    /// Lets the others of a place in the fast lane go on without its host when that has been busy for long.
    pub(super) fn pass_over(&mut self, group: u64, key: i64, now: Instant) {
        let slot = self.slot(key);
        let Some(id) = self.group(group).fast[slot].host else { return };
        let moment = self.settings.moment;
        if self.seats.get(&id).is_some_and(|seat| seat.is_held_up(now, moment)) {
            self.move_to(id, Lane::Slow);
        }
    }

    /// A host was started, below this process, and begins its first turn.
    pub(super) fn started(&mut self, id: u64, launcher: u32, now: Instant) {
        if let Some(seat) = self.seats.get_mut(&id) {
            (seat.doing, seat.since, seat.launcher) = (Doing::Busy, now, Some(launcher));
        }
        self.feed_the_starving(now);
    }

    /// Takes a host back, for the next in line.
    pub(super) fn park(&mut self, id: u64, host: H, now: Instant) {
        let Some(seat) = self.seats.get_mut(&id) else { return self.ended.push((host, Why::Closing)) };
        (seat.doing, seat.since) = (Doing::Busy, now);
        let (group, lane) = (seat.group, seat.lane);
        let Some(host) = self.offer(group, lane, Grant::Host(id, host)) else { return };
        if let (Grant::Host(_, host), Some(seat)) = (host, self.seats.get_mut(&id)) {
            seat.doing = Doing::Parked(host);
            if lane == Lane::Slow {
                self.group(group).idle.push(id);
            }
        }
        self.feed_the_starving(now);
    }

    /// A host is gone, or did not come up.
    pub(super) fn leave(&mut self, id: u64, now: Instant) {
        let Some(seat) = self.take_seat(id) else { return };
        if let Lane::Fast(slot) = seat.lane
            && self.group(seat.group).fast[slot].has_waiters()
            && let Step::Granted(grant) = self.open(seat.group, seat.lane, now)
            && let Some(Grant::Seat(unused)) = self.offer(seat.group, seat.lane, grant)
        {
            self.take_seat(unused);
        }
        self.feed_the_starving(now);
    }

    /// Takes back what was granted to somebody who is gone.
    pub(super) fn give_back(&mut self, grant: Grant<H>, now: Instant) {
        match grant {
            Grant::Host(id, host) => self.park(id, host, now),
            Grant::Seat(id) => self.leave(id, now),
        }
    }

    /// The hosts that have to end.
    pub(super) fn take_ended(&mut self) -> Vec<(H, Why)> {
        std::mem::take(&mut self.ended)
    }

    fn group(&mut self, group: u64) -> &mut Group<H> {
        let lanes = self.settings.lanes;
        self.groups.entry(group).or_insert_with(|| Group::new(lanes))
    }

    /// The place in the fast lane that a key sticks to.
    fn slot(&self, key: i64) -> usize {
        // Fibonacci hashing: neighbouring ids fall far apart.
        let hash = key.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        usize::try_from(hash).unwrap_or(0) % self.settings.lanes
    }
}
