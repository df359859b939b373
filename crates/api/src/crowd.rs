//! The connections that there are, and which of them goes when there is no room for another.
//!
//! A connection on which no request is under way is worth least: it can be opened again. So the one that has been like that
//! for longest goes, those that never named a token first. A peer's address says nothing here, since on loopback all
//! callers share one; what tells them apart is the token.
//!
//! Requests without the API's token are bounded in number below the number of connections. So there are always connections
//! that may go, or that belong to holders of the token: no crowd shuts these out. Such a request has a place, which its
//! connection gives back once the answer has gone to the socket, for until then the connection cannot go either.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::{Instant, sleep_until};

use crate::limits::Limits;

/// All connections.
#[derive(Debug)]
pub(crate) struct Crowd {
    most: usize,
    members: Mutex<HashMap<u64, Arc<Member>>>,
    /// There may be room again.
    room: Notify,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Member {
    state: Mutex<State>,
    crowd: Arc<Crowd>,
    evicted: Notify,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    /// It has named a token that is right.
    is_known: bool,
    /// That of its request, until the answer is sent.
    place: Option<OwnedSemaphorePermit>,
}

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing has come yet.
    Fresh,
    /// A head is coming in.
    Head,
    /// A request is under way: it is read, worked on or answered.
    Busy,
    /// The last of an answer is on its way to the socket.
    Sending,
    /// A request was answered.
    Idle,
}

/// A member's place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    id: u64,
    pub(crate) member: Arc<Member>,
}

/// A request under way; when it is dropped nothing more comes of its answer.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Member>);

impl Crowd {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self { most: limits.connections, members: Mutex::default(), room: Notify::new() })
    }

    /// Takes in a connection, when there is room, or when another one can go.
    pub(crate) async fn admit(self: &Arc<Self>, id: u64) -> Place {
        loop {
            if let Some(member) = self.try_admit(id) {
                return Place { id, member };
            }
            self.room.notified().await;
        }
    }

    fn try_admit(self: &Arc<Self>, id: u64) -> Option<Arc<Member>> {
        let mut members = lock(&self.members);
        if members.len() >= self.most {
            let oldest = members.iter().filter_map(|(id, member)| Some((member.idle_since()?, *id))).min()?.1;
            members.remove(&oldest)?.evicted.notify_one();
        }
        let state = State { phase: Phase::Fresh, since: Instant::now(), is_known: false, place: None };
        let member = Member { state: Mutex::new(state), crowd: Arc::clone(self), evicted: Notify::new() };
        let member = Arc::new(member);
        members.insert(id, Arc::clone(&member));
        Some(member)
    }
}

impl Member {
    /// Since when it might go; one that never named a token goes first.
    fn idle_since(&self) -> Option<(bool, Instant)> {
        let state = lock(&self.state);
        (!state.phase.is_busy()).then_some((state.is_known, state.since))
    }

    /// Waits until it has to go.
    pub(crate) async fn evicted(&self) {
        self.evicted.notified().await;
    }

    pub(crate) fn is_busy(&self) -> bool {
        lock(&self.state).phase.is_busy()
    }

    /// Bytes have come.
    pub(crate) fn hear(&self) {
        let mut state = lock(&self.state);
        if matches!(state.phase, Phase::Fresh | Phase::Idle) {
            (state.phase, state.since) = (Phase::Head, Instant::now());
        }
    }

    /// A whole head has come.
    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        lock(&self.state).phase = Phase::Busy;
        Busy(Arc::clone(self))
    }

    /// Its request has this place, until the answer is sent.
    pub(crate) fn keep(&self, place: OwnedSemaphorePermit) {
        lock(&self.state).place = Some(place);
    }

    /// All that was written went to the socket.
    pub(crate) fn sent(&self) {
        let mut state = lock(&self.state);
        if state.phase == Phase::Sending {
            (state.phase, state.since, state.place) = (Phase::Idle, Instant::now(), None);
            drop(state);
            self.crowd.room.notify_one();
        }
    }

    /// It has named a token that is right.
    pub(crate) fn know(&self) {
        lock(&self.state).is_known = true;
    }

    /// Waits until what should come next is overdue. It looks now and then, so that a request wakes nothing.
    pub(crate) async fn overdue(&self, limits: &Limits) {
        let look = limits.first_byte.min(limits.head).min(limits.idle);
        loop {
            let next = Instant::now() + look;
            match self.deadline(limits) {
                Some(deadline) if deadline <= Instant::now() => return,
                Some(deadline) => sleep_until(deadline.min(next)).await,
                None => sleep_until(next).await,
            }
        }
    }

    fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let state = lock(&self.state);
        let wait: Duration = match state.phase {
            Phase::Fresh => limits.first_byte,
            Phase::Head => limits.head,
            Phase::Idle => limits.idle,
            Phase::Busy | Phase::Sending => return None,
        };
        Some(state.since + wait)
    }
}

impl Phase {
    /// To end the connection would break off an answer.
    fn is_busy(self) -> bool {
        matches!(self, Self::Busy | Self::Sending)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        lock(&self.0.state).phase = Phase::Sending;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let crowd = &self.member.crowd;
        lock(&crowd.members).remove(&self.id);
        crowd.room.notify_one();
    }
}

/// Nothing that is locked here can be left half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::sync::Semaphore;

    use super::*;

    async fn crowd_of(connections: usize) -> (Arc<Crowd>, Vec<Place>) {
        let crowd = Crowd::new(&Limits { connections, ..Limits::default() });
        let mut places = Vec::new();
        for id in 0..connections {
            places.push(crowd.admit(id as u64).await);
        }
        (crowd, places)
    }

    fn went(places: &[Place]) -> Vec<u64> {
        let is_gone = |place: &&Place| place.member.evicted().now_or_never().is_some();
        places.iter().filter(is_gone).map(|place| place.id).collect()
    }

    #[tokio::test]
    async fn the_longest_idle_goes_and_one_that_named_a_token_goes_last() {
        let (crowd, mut places) = crowd_of(4).await;
        let busy = places[0].member.begin();
        places[1].member.know();
        places.push(crowd.admit(4).await);
        assert_eq!(went(&places), [2]);
        places.push(crowd.admit(5).await);
        assert_eq!(went(&places), [3]);
        drop(busy);
        places[0].member.sent();
        // By now it is the youngest of those that never named a token.
        places.push(crowd.admit(6).await);
        assert_eq!(went(&places), [4]);
    }

    #[tokio::test]
    async fn while_all_are_busy_the_next_waits_for_the_first_that_is_not() {
        let (crowd, places) = crowd_of(2).await;
        let busy: Vec<_> = places.iter().map(|place| place.member.begin()).collect();
        let mut next = Box::pin(crowd.admit(9));
        assert!(next.as_mut().now_or_never().is_none());
        drop(busy);
        assert!(next.as_mut().now_or_never().is_none(), "the answers are not sent yet");
        places[0].member.sent();
        next.await;
        assert_eq!(went(&places), [0]);
    }

    #[tokio::test]
    async fn bytes_do_not_prolong_a_head_and_a_request_under_way_has_no_end() {
        let (_crowd, places) = crowd_of(1).await;
        let (member, limits) = (&places[0].member, Limits { head: Duration::ZERO, ..Limits::default() });
        let fresh = member.deadline(&limits);
        member.hear();
        let head = member.deadline(&limits);
        assert!(head < fresh, "it has begun to count anew, and shorter");
        member.hear();
        assert_eq!(member.deadline(&limits), head);
        let busy = member.begin();
        assert_eq!(member.deadline(&limits), None);
        drop(busy);
        assert_eq!(member.deadline(&limits), None);
        member.sent();
        assert!(member.deadline(&limits) > fresh);
    }

    #[tokio::test]
    async fn a_place_is_kept_until_the_answer_is_sent() {
        let (_crowd, places) = crowd_of(1).await;
        let (member, all) = (&places[0].member, Arc::new(Semaphore::new(1)));
        let busy = member.begin();
        member.keep(Arc::clone(&all).try_acquire_owned().unwrap());
        member.sent();
        drop(busy);
        assert_eq!(all.available_permits(), 0);
        member.sent();
        assert_eq!(all.available_permits(), 1);
    }
}
