//! Which sensors run here, when each is due, and what follows from how its turns end. No tasks and no database: the
//! manager does what this says.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use attune_common::repositories::sensor::SensorRow;
use attune_common::repositories::sensor_state::Owned;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::agenda::{Agenda, next_tick, spread};
use super::lanes::{Lane, Lanes, SOON};
use super::turn::{Ending, Turn};
use crate::definition::Sensor;

/// First ticks, and those after a change, are spread over this time at most.
const WINDOW: Duration = Duration::from_secs(2);
/// A sensor that waits for its environment looks again after this time.
const LONG_WAIT: Duration = Duration::from_mins(1);

/// A sensor that runs here.
#[derive(Debug)]
struct Managed {
    sensor: Arc<Sensor>,
    owned: Owned,
    /// It timed out, and has not been quick since.
    is_slow: bool,
    /// When its current or last tick was due.
    due: Instant,
    /// Its poll, while there is one.
    poll: Option<Poll>,
    /// It was edited during its poll, so that it is due again right after it.
    is_edited: bool,
    /// It is given back as soon as its poll is over.
    is_leaving: bool,
}

#[derive(Debug)]
struct Poll {
    stop: CancellationToken,
    started: Instant,
}

/// The sensors of one worker.
#[derive(Debug)]
pub(super) struct Roster {
    sensors: HashMap<i64, Managed>,
    agenda: Agenda,
    lanes: Lanes,
    poll_interval: Duration,
}

/// What is left to do about a sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing; it is due again, or was forgotten before.
    Nothing,
    /// Give it back.
    Release,
    /// It was lost: find out what is owned.
    LookAgain,
}

impl Roster {
    /// A roster with `slots` places in each lane, whose sensors are polled each `poll_interval` unless they say otherwise.
    pub(super) fn new(slots: usize, poll_interval: Duration) -> Self {
        Self { sensors: HashMap::new(), agenda: Agenda::default(), lanes: Lanes::new(slots), poll_interval }
    }

    /// Takes over a sensor that this worker owns, or what changed of it. A poll that is under way goes on.
    pub(super) fn keep(&mut self, row: SensorRow, owned: Owned, now: Instant) {
        let id = owned.sensor;
        match self.sensors.get_mut(&id) {
            Some(managed) if managed.owned.epoch == owned.epoch => {
                managed.is_leaving = false;
                if managed.sensor.row != row {
                    managed.sensor = Arc::new(Sensor::new(row));
                    self.poll_soon(id, now);
                }
            }
            // Lost and won again meanwhile: what runs is fenced off, and once it has ended the next round begins anew.
            Some(Managed { poll: Some(poll), .. }) => poll.stop.cancel(),
            _ => {
                self.forget(id);
                let sensor = Arc::new(Sensor::new(row));
                let managed = Managed {
                    sensor,
                    owned,
                    due: now,
                    poll: None,
                    is_slow: false,
                    is_edited: false,
                    is_leaving: false,
                };
                self.sensors.insert(id, managed);
                self.poll_soon(id, now);
            }
        }
    }

    /// A sensor belongs elsewhere: it goes at once, or when its poll is over.
    pub(super) fn let_go(&mut self, id: i64) -> Next {
        if let Some(managed) = self.sensors.get_mut(&id).filter(|managed| managed.poll.is_some()) {
            managed.is_leaving = true;
            return Next::Nothing;
        }
        self.forget(id);
        Next::Release
    }

    /// The next turn for which it is time and for which there is room.
    pub(super) fn next_turn(&mut self, now: Instant) -> Option<Turn> {
        while let Some((id, due)) = self.agenda.pop_due(now) {
            if let Some(managed) = self.sensors.get_mut(&id) {
                managed.due = due;
                self.lanes.wait(id, if managed.is_slow { Lane::Slow } else { Lane::Fast });
            }
        }
        let id = self.lanes.start(now)?;
        let managed = self.sensors.get_mut(&id)?;
        let stop = CancellationToken::new();
        managed.poll = Some(Poll { stop: stop.clone(), started: now });
        Some(Turn { sensor: Arc::clone(&managed.sensor), owned: managed.owned.clone(), stop })
    }

    /// When [`Self::next_turn`] may have one again, as far as that is a matter of time.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        [self.agenda.next(), self.lanes.next_hand_over()].into_iter().flatten().min()
    }

    /// A turn has ended.
    pub(super) fn ended(&mut self, id: i64, ending: Ending, now: Instant) -> Next {
        self.lanes.leave(id);
        let Some(managed) = self.sensors.get_mut(&id) else { return Next::Nothing };
        let took = managed.poll.take().map_or(Duration::ZERO, |poll| now - poll.started);
        match ending {
            Ending::Lost | Ending::Stopped => {
                self.forget(id);
                return Next::LookAgain;
            }
            _ if managed.is_leaving => {
                self.forget(id);
                return Next::Release;
            }
            Ending::Committed(state) => {
                (managed.owned.state, managed.owned.failures) = (state, 0);
                managed.is_slow &= took > SOON;
                let interval = managed.sensor.interval().unwrap_or(self.poll_interval);
                self.agenda.set(id, next_tick(managed.due, interval, now));
            }
            // Whoever waits for the build says when it is over; this is for the case that nobody does.
            Ending::Waiting(_) => self.agenda.set(id, now + LONG_WAIT),
            Ending::Failed { retry_in, timed_out } => {
                managed.owned.failures += 1;
                managed.is_slow |= timed_out;
                self.agenda.set(id, now + retry_in);
            }
        }
        if std::mem::take(&mut managed.is_edited) {
            self.poll_soon(id, now);
        }
        Next::Nothing
    }

    /// What a sensor waited for is there, or will not be.
    pub(super) fn wake(&mut self, id: i64, now: Instant) {
        if self.sensors.get(&id).is_some_and(|managed| managed.poll.is_none()) {
            self.agenda.set(id, now);
        }
    }

    /// Stops every poll.
    pub(super) fn stop_polls(&self) {
        let polls = self.sensors.values().filter_map(|managed| managed.poll.as_ref());
        polls.for_each(|poll| poll.stop.cancel());
    }

    /// Forgets every sensor; of those that are being polled, once that has ended.
    pub(super) fn clear(&mut self) {
        self.stop_polls();
        let idle = self.sensors.iter().filter(|(_, managed)| managed.poll.is_none());
        let idle: Vec<i64> = idle.map(|(id, _)| *id).collect();
        for id in idle {
            self.forget(id);
        }
    }

    /// Soon, but not all at once.
    fn poll_soon(&mut self, id: i64, now: Instant) {
        let Some(managed) = self.sensors.get_mut(&id) else { return };
        if managed.poll.is_some() {
            managed.is_edited = true;
            return;
        }
        let window = WINDOW.min(managed.sensor.interval().unwrap_or(self.poll_interval));
        self.lanes.leave(id);
        self.agenda.set(id, now + spread(id, window));
    }

    fn forget(&mut self, id: i64) {
        self.agenda.remove(id);
        self.lanes.leave(id);
        self.sensors.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::runtime::tests::row;

    const SECOND: Duration = Duration::from_secs(1);

    fn owned(epoch: i64) -> Owned {
        Owned { sensor: 1, epoch, state: json!({}), failures: 0 }
    }

    fn polling(now: Instant) -> (Roster, Turn) {
        let mut roster = Roster::new(1, 10 * SECOND);
        roster.keep(row(), owned(1), now);
        let turn = roster.next_turn(now + WINDOW).expect("the first tick is within the window");
        (roster, turn)
    }

    fn committed() -> Ending {
        Ending::Committed(json!({"n": 1}))
    }

    #[tokio::test]
    async fn a_sensor_has_one_turn_at_a_time_and_remembers_its_state() {
        let now = Instant::now();
        let (mut roster, turn) = polling(now);
        assert!(turn.owned.state == json!({}) && roster.next_turn(now + 60 * SECOND).is_none());
        assert_eq!(roster.ended(1, committed(), now + 3 * SECOND), Next::Nothing);
        assert!(roster.next_turn(now + 4 * SECOND).is_none());
        let turn = roster.next_turn(now + 13 * SECOND).unwrap();
        assert_eq!(turn.owned.state, json!({"n": 1}));
    }

    #[tokio::test]
    async fn what_belongs_elsewhere_goes_after_its_poll() {
        let now = Instant::now();
        let (mut roster, _) = polling(now);
        assert_eq!(roster.let_go(1), Next::Nothing);
        assert_eq!(roster.ended(1, committed(), now), Next::Release);
        assert_eq!(roster.let_go(1), Next::Release);
        assert!(roster.next_wake().is_none());
    }

    #[tokio::test]
    async fn a_change_is_polled_soon_and_stops_no_poll() {
        let now = Instant::now();
        let (mut roster, turn) = polling(now);
        roster.ended(1, committed(), now + WINDOW);
        let changed = SensorRow { config: json!({"n": 2}), ..row() };
        roster.keep(changed.clone(), owned(1), now + WINDOW);
        let again = roster.next_turn(now + 2 * WINDOW).unwrap();
        assert_eq!(again.sensor.config, json!({"n": 2}));
        roster.keep(SensorRow { config: Value::Null, ..changed }, owned(1), now + 2 * WINDOW);
        assert!(!turn.stop.is_cancelled() && !again.stop.is_cancelled());
        roster.ended(1, committed(), now + 3 * WINDOW);
        assert_eq!(roster.next_turn(now + 4 * WINDOW).unwrap().sensor.config, json!({}));
    }

    #[tokio::test]
    async fn a_poll_under_another_epoch_is_stopped_and_forgotten() {
        let now = Instant::now();
        let (mut roster, turn) = polling(now);
        roster.keep(row(), owned(2), now);
        assert!(turn.stop.is_cancelled());
        assert_eq!(roster.ended(1, Ending::Stopped, now), Next::LookAgain);
        roster.keep(row(), owned(2), now);
        assert_eq!(roster.next_turn(now + WINDOW).unwrap().owned.epoch, 2);
    }

    #[tokio::test]
    async fn nothing_is_left_when_the_lease_is_lost() {
        let now = Instant::now();
        let (mut roster, turn) = polling(now);
        roster.clear();
        assert!(turn.stop.is_cancelled());
        roster.ended(1, Ending::Stopped, now);
        assert!(roster.next_wake().is_none() && roster.next_turn(now + 60 * SECOND).is_none());
    }
}
