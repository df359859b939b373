//! Memory: who may start another host, and who ends for it.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::seat::{Doing, Lane, Seat};
use super::{Books, Grant, Step, Why};

/// Who was used within this time is in use: it ends neither for the slow lane, if it is of the fast one, nor for a group that
/// has its share of hosts and will soon have one of those.
const RECENTLY: Duration = Duration::from_secs(1);

impl<H> Books<H> {
    /// Leave to start a host, if there is room for it or can be made.
    pub(super) fn open(&mut self, group: u64, lane: Lane, now: Instant) -> Step<H> {
        if self.make_room(group, lane, now) {
            Step::Granted(Grant::Seat(self.add_seat(group, lane, now)))
        } else {
            Step::Crowded
        }
    }

    /// Whether the machine is busy enough with starting hosts of this group. More at a time would all come up later, and by
    /// then those that are there may have served everybody.
    pub(super) fn is_starting_enough(&self, group: u64) -> bool {
        let is_starting =
            |seat: &&Seat<H>| (seat.group, seat.lane) == (group, Lane::Slow) && seat.is_starting();
        self.seats.values().filter(is_starting).count() >= self.settings.lanes
    }

    /// Each lane may have one host at any rate, so that a budget that is too small makes slow and not stuck.
    fn make_room(&mut self, group: u64, lane: Lane, now: Instant) -> bool {
        let wanted = self.group(group).typical;
        let is_slow = |seat: &Seat<H>| seat.lane == Lane::Slow;
        let working = self.working(now);
        // Two groups that took each other's hosts in turn would do nothing but start some. What has more than twice as many
        // can do without one.
        let has_more = |other: u64| count(&working, other) > 2 * count(&working, group);
        let may_end = |seat: &Seat<H>| {
            let is_spare = lane != Lane::Slow || is_stale(seat, now) || is_slow(seat) && has_more(seat.group);
            seat.is_parked() && is_spare
        };
        let is_same_lane = |seat: &Seat<H>| is_slow(seat) == (lane == Lane::Slow);
        // What hangs, hangs in the slow lane, and must leave room for the others.
        let budget = self.settings.budget;
        let share = if lane == Lane::Slow { budget / 4 * 3 } else { budget };
        let is_first = !self.seats.values().any(|seat| is_same_lane(seat) && !may_end(seat));
        let fits = self.sum(|seat| is_same_lane(seat) && !may_end(seat)) + wanted <= share
            && self.sum(|seat| !may_end(seat)) + wanted <= budget;
        if !is_first && !fits {
            return false;
        }
        while self.sum(is_same_lane) + wanted > share
            && self.end_oldest(|seat| is_same_lane(seat) && may_end(seat), Why::Room)
        {}
        while self.bytes() + wanted > budget && self.end_oldest(may_end, Why::Room) {}
        true
    }

    /// Whether one of the group's hosts of the slow lane will soon be free, as far as can be known.
    pub(super) fn soon_has_a_host(&self, group: u64, now: Instant) -> bool {
        self.seats.values().any(|seat| seat.group == group && is_working(seat, now))
    }

    /// The hosts of each group's slow lane that are not held up.
    fn working(&self, now: Instant) -> HashMap<u64, usize> {
        let mut working = HashMap::new();
        for seat in self.seats.values().filter(|seat| is_working(seat, now)) {
            *working.entry(seat.group).or_default() += 1;
        }
        working
    }

    fn sum(&self, which: impl Fn(&Seat<H>) -> bool) -> u64 {
        self.seats.values().filter(|seat| which(seat)).map(|seat| seat.bytes).sum()
    }

    /// What all hosts take.
    pub(in crate::host) fn bytes(&self) -> u64 {
        self.sum(|_| true)
    }

    /// How many hosts there are.
    pub(in crate::host) fn hosts(&self) -> usize {
        self.seats.len()
    }

    /// The hosts that should be measured, each with the process below which it runs.
    pub(in crate::host) fn due(&self, now: Instant) -> Vec<(u64, u32)> {
        let is_due = |looked: Instant| now.duration_since(looked) >= self.settings.look;
        let due = self.seats.iter().filter(|(_, seat)| seat.looked.is_none_or(is_due));
        due.filter_map(|(id, seat)| Some((*id, seat.launcher?))).collect()
    }

    /// Notes what a host takes after its first turn: what it took before anything was loaded says nothing.
    pub(in crate::host) fn measured_first(&mut self, id: u64, bytes: u64, now: Instant) {
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.first = Some(bytes);
        }
        self.measured(id, bytes, now);
    }

    /// Notes what a host took at this time, unless what it took later is known already.
    pub(in crate::host) fn measured(&mut self, id: u64, bytes: u64, at: Instant) {
        let fresh = self.seats.get_mut(&id).filter(|seat| seat.looked.is_none_or(|looked| looked <= at));
        let Some(seat) = fresh else { return };
        (seat.bytes, seat.looked) = (bytes, Some(at));
        let (growth, slack) = (self.settings.growth, self.settings.slack);
        let grown = |first: u64| bytes > first.saturating_mul(growth) && bytes > first.saturating_add(slack);
        seat.grown = seat.first.is_some_and(grown);
        let group = seat.group;
        self.group(group).typical = bytes;
    }

    /// What a host takes, if it was measured.
    pub(in crate::host) fn measure(&self, id: u64) -> Option<u64> {
        self.seats.get(&id).filter(|seat| seat.looked.is_some()).map(|seat| seat.bytes)
    }

    /// Whether a host has grown so much that it should be replaced.
    pub(in crate::host) fn has_grown(&self, id: u64) -> bool {
        self.seats.get(&id).is_some_and(|seat| seat.grown)
    }

    /// Ends who was idle for too long, and whoever nobody has while all together take too much; forgets groups that are
    /// empty. Who waits for room may have it now.
    pub(in crate::host) fn sweep(&mut self, now: Instant) {
        let idle = self.settings.idle;
        while self.end_oldest(|seat| seat.is_parked() && now.duration_since(seat.since) >= idle, Why::Idle) {}
        while self.end_oldest(|seat| seat.is_parked() && seat.grown, Why::Growth) {}
        while self.bytes() > self.settings.budget && self.end_oldest(Seat::is_parked, Why::Room) {}
        self.feed_the_starving(now);
        let starving: Vec<u64> = self.starving.iter().map(|(group, _)| *group).collect();
        self.groups.retain(|id, group| !group.is_empty() || starving.contains(id));
    }

    /// Ends all that nobody has.
    pub(in crate::host) fn close(&mut self) {
        while self.end_oldest(Seat::is_parked, Why::Closing) {}
    }

    /// Whether the group is in use.
    pub(in crate::host) fn has_group(&self, group: u64) -> bool {
        self.groups.contains_key(&group)
    }

    fn end_oldest(&mut self, may_end: impl Fn(&Seat<H>) -> bool, why: Why) -> bool {
        let candidates = self.seats.iter().filter(|(_, seat)| may_end(seat));
        let Some(id) = candidates.min_by_key(|(_, seat)| seat.since).map(|(id, _)| *id) else {
            return false;
        };
        if let Some(Seat { doing: Doing::Parked(host), .. }) = self.take_seat(id) {
            self.ended.push((host, why));
        }
        true
    }
}

fn count(working: &HashMap<u64, usize>, group: u64) -> usize {
    working.get(&group).copied().unwrap_or_default()
}

/// A host that comes up has its time for that.
fn is_working<H>(seat: &Seat<H>, now: Instant) -> bool {
    seat.lane == Lane::Slow && (seat.is_starting() || !is_stale(seat, now))
}

fn is_stale<H>(seat: &Seat<H>, now: Instant) -> bool {
    now.duration_since(seat.since) >= RECENTLY
}
