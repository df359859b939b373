//! Which sensors run here, when each is due, and what follows from how its turns end. No tasks and no database: the
//! manager does what this says.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use attune_common::repositories::poke::Poke;
use attune_common::repositories::sensor_state::Owned;
use tokio::time::Instant;

use super::agenda::{Agenda, spread, window};
use super::figures::Figures;
use super::lanes::Lanes;
use super::managed::{Kind, Managed};
use super::missed::MissedTicks;
use super::rhythm::Rhythm;
use super::turn::{Ending, Turn};
use crate::definition::Sensor;

/// A sensor that waits for its environment looks again after this time.
const LONG_WAIT: Duration = Duration::from_mins(1);

/// The sensors of one worker.
#[derive(Debug)]
pub(super) struct Roster {
    sensors: HashMap<i64, Managed>,
    agenda: Agenda,
    lanes: Lanes,
    poll_interval: Duration,
    figures: Figures,
    missed: Arc<MissedTicks>,
}

/// What is left to do about a sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing; it is due again, or was forgotten before.
    Nothing,
    /// Give it back.
    Release,
    /// It was forgotten: find out whether it is owned.
    LookAgain,
}

impl Roster {
    /// A roster with `slots` places in each lane, whose sensors are polled each `poll_interval` unless they say otherwise.
    pub(super) fn new(
        slots: usize,
        poll_interval: Duration,
        figures: Figures,
        missed: Arc<MissedTicks>,
    ) -> Self {
        let (agenda, lanes) = (Agenda::default(), Lanes::new(slots));
        Self { sensors: HashMap::new(), agenda, lanes, poll_interval, figures, missed }
    }

    /// Whether it has this sensor.
    pub(super) fn has(&self, id: i64) -> bool {
        self.sensors.contains_key(&id)
    }

    /// Takes over sensors that this worker owns, or what changed of them. Polls that are under way go on.
    pub(super) fn keep(&mut self, sensors: Vec<(Arc<Sensor>, Owned)>, now: Instant) {
        let window = window(sensors.len());
        for (sensor, owned) in sensors {
            self.keep_one(sensor, owned, window, now);
        }
    }

    fn keep_one(&mut self, sensor: Arc<Sensor>, owned: Owned, window: Duration, now: Instant) {
        let id = owned.sensor;
        match self.sensors.get_mut(&id) {
            Some(managed) if managed.epoch == owned.epoch => {
                managed.is_leaving = false;
                if !Arc::ptr_eq(&managed.sensor, &sensor) {
                    managed.sensor = sensor;
                    self.poll_soon(id, window, now);
                }
            }
            // Lost and won again meanwhile: what runs is fenced off, and once it has ended the next round begins anew.
            Some(Managed { poll: Some(poll), .. }) => poll.stop.cancel(),
            _ => {
                self.forget(id);
                let before = owned.idle.map(|idle| (seconds(idle), owned.owed));
                self.sensors.insert(id, Managed::new(sensor, owned, now));
                match before {
                    Some((idle, debt)) => self.resume(id, idle, debt, window, now),
                    None => self.poll_soon(id, window, now),
                }
            }
        }
    }

    /// A sensor that ticked before goes on in step. One that fails is tried soon, whatever it missed.
    fn resume(&mut self, id: i64, idle: Duration, debt: i32, window: Duration, now: Instant) {
        let Some(managed) = self.sensors.get_mut(&id).filter(|managed| managed.failures == 0) else {
            return self.poll_soon(id, window, now);
        };
        let (wish, debt) = (managed.wish(self.poll_interval), u32::try_from(debt).unwrap_or(0));
        let (rhythm, missed) = Rhythm::resume(idle, debt, wish, now);
        let owed = rhythm.owed();
        (managed.rhythm, managed.is_new) = (rhythm, false);
        self.missed.left_out(id, managed.epoch, missed, owed);
        let at = if owed > 0 {
            managed.kind = Kind::MakeUp;
            now + spread(id, window.min(wish.interval))
        } else {
            managed.step(self.poll_interval, now).0
        };
        self.agenda.set(id, at);
    }

    /// Somebody wants a sensor to tick now. `false`: it is not here under this epoch. Whatever begins from now on answers that.
    pub(super) fn poke(&mut self, poke: Poke, now: Instant) -> bool {
        let id = poke.sensor;
        let Some(managed) = self.sensors.get_mut(&id).filter(|managed| managed.epoch == poke.epoch) else {
            return false;
        };
        let known = managed.poke.map_or(managed.answered, |poke| poke.asked);
        if poke.asked > known {
            managed.poke = Some(poke);
            if managed.poll.is_none() && self.agenda.has(id) {
                self.poll_extra(id, now);
            }
        }
        true
    }

    /// Between two ticks, which stay where they are.
    fn poll_extra(&mut self, id: i64, now: Instant) {
        if let Some(managed) = self.sensors.get_mut(&id) {
            managed.kind = Kind::Extra;
            self.agenda.set(id, now);
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

    /// A sensor was taken away under this epoch: it is forgotten at once, or when its poll, which is fenced off, is over.
    pub(super) fn lose(&mut self, id: i64, epoch: i64) -> Next {
        match self.sensors.get(&id).filter(|managed| managed.epoch == epoch) {
            None => Next::Nothing,
            Some(Managed { poll: Some(poll), .. }) => {
                poll.stop.cancel();
                Next::Nothing
            }
            Some(_) => {
                self.forget(id);
                Next::LookAgain
            }
        }
    }

    /// The next turn for which it is time and for which there is room.
    pub(super) fn next_turn(&mut self, now: Instant) -> Option<Turn> {
        while let Some((id, due)) = self.agenda.pop_due(now) {
            if let Some(managed) = self.sensors.get_mut(&id) {
                managed.due = due;
                self.lanes.wait(id, managed.pace);
            }
        }
        let id = self.lanes.start(now)?;
        let managed = self.sensors.get_mut(&id)?;
        let lateness = now.saturating_duration_since(managed.due);
        if managed.is_healthy() {
            self.figures.tick(lateness, managed.missed(lateness, self.poll_interval));
        }
        let turn = managed.begin(lateness, self.poll_interval, now);
        if managed.kind == Kind::MakeUp {
            self.missed.made_up(id, managed.epoch, managed.rhythm.owed());
        }
        Some(turn)
    }

    /// When [`Self::next_turn`] may have one again, as far as that is a matter of time.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        [self.agenda.next(), self.lanes.next_hand_over()].into_iter().flatten().min()
    }

    /// A turn has ended.
    pub(super) fn ended(&mut self, id: i64, ending: Ending, now: Instant) -> Next {
        self.lanes.leave(id);
        let Some(managed) = self.sensors.get_mut(&id) else { return Next::Nothing };
        let poll = managed.poll.take();
        let took = poll.as_ref().map_or(Duration::ZERO, |poll| now - poll.started);
        let poke = poll.and_then(|poll| poll.poke);
        let next = match ending {
            Ending::Lost | Ending::Stopped => {
                self.forget(id);
                return Next::LookAgain;
            }
            _ if managed.is_leaving => {
                self.forget(id);
                return Next::Release;
            }
            Ending::Committed { state, answered } => {
                managed.took_up(poke, answered);
                managed.go_on(state, took, self.poll_interval);
                let (next, missed) = managed.step(self.poll_interval, now);
                self.missed.left_out(id, managed.epoch, missed, managed.rhythm.owed());
                next
            }
            // Whoever waits for the build says when it is over; this is for the case that nobody does.
            Ending::Waiting(_) => managed.restart(now + LONG_WAIT),
            Ending::Failed { retry_in, timed_out, answered } => {
                managed.took_up(poke, answered);
                managed.fail(took, timed_out);
                managed.restart(now + retry_in)
            }
        };
        let is_poked = managed.poke != poke && managed.poke.is_some();
        let is_edited = std::mem::take(&mut managed.is_edited);
        self.agenda.set(id, next);
        if is_edited {
            self.poll_soon(id, window(1), now);
        } else if is_poked {
            self.poll_extra(id, now);
        }
        Next::Nothing
    }

    /// What a sensor waited for is there, or will not be.
    pub(super) fn wake(&mut self, id: i64, now: Instant) {
        if let Some(managed) = self.sensors.get_mut(&id).filter(|managed| managed.poll.is_none()) {
            self.agenda.set(id, managed.restart(now));
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

    /// Within this window, but not all at once.
    fn poll_soon(&mut self, id: i64, window: Duration, now: Instant) {
        let Some(managed) = self.sensors.get_mut(&id) else { return };
        if managed.poll.is_some() {
            managed.is_edited = true;
            return;
        }
        managed.is_new = true;
        let interval = managed.interval(self.poll_interval);
        self.lanes.leave(id);
        self.agenda.set(id, managed.restart(now + spread(id, window.min(interval))));
    }

    fn forget(&mut self, id: i64) {
        self.agenda.remove(id);
        self.lanes.leave(id);
        self.sensors.remove(&id);
    }
}

/// What the database counts. In the future, by a clock that was wrong, is now.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use attune_common::repositories::sensor::SensorRow;
    use serde_json::{Value, json};

    use super::super::lanes::Pace;
    use super::*;
    use crate::runtime::tests::row;

    const SECOND: Duration = Duration::from_secs(1);

    /// By then a sensor that comes alone is due for the first time.
    const SOON: Duration = Duration::from_millis(100);

    fn owned(epoch: i64) -> Owned {
        Owned { sensor: 1, epoch, state: json!({}), failures: 0, polls: 0, idle: None, owed: 0 }
    }

    fn kept(roster: &mut Roster, row: SensorRow, epoch: i64, now: Instant) {
        roster.keep(vec![(Arc::new(Sensor::new(row)), owned(epoch))], now);
    }

    #[tokio::test]
    async fn what_was_well_when_it_was_taken_over_is_not_new() {
        let now = Instant::now();
        for (polls, failures, pace) in [(0, 0, Pace::New), (9, 0, Pace::Unsure), (9, 1, Pace::New)] {
            let managed =
                Managed::new(Arc::new(Sensor::new(row())), Owned { polls, failures, ..owned(1) }, now);
            assert_eq!(managed.pace, pace, "{polls} polls, {failures} failures");
        }
    }

    fn polling(now: Instant) -> (Roster, Turn) {
        let mut roster = Roster::new(1, 10 * SECOND, Figures::default(), Arc::default());
        kept(&mut roster, row(), 1, now);
        let turn = roster.next_turn(now + SOON).expect("the first tick comes at once");
        (roster, turn)
    }

    fn committed() -> Ending {
        Ending::Committed { state: Arc::new(json!({"n": 1})), answered: true }
    }

    fn failed() -> Ending {
        Ending::Failed { retry_in: 300 * SECOND, timed_out: false, answered: true }
    }

    fn wish(asked: i64) -> Poke {
        Poke { sensor: 1, epoch: 1, asked, canary: false }
    }

    #[tokio::test]
    async fn a_sensor_has_one_turn_at_a_time_and_remembers_its_state() {
        let now = Instant::now();
        let (mut roster, turn) = polling(now);
        assert!(*turn.state == json!({}) && roster.next_turn(now + 60 * SECOND).is_none());
        assert_eq!(roster.ended(1, committed(), now + 3 * SECOND), Next::Nothing);
        assert!(roster.next_turn(now + 4 * SECOND).is_none());
        let turn = roster.next_turn(now + 13 * SECOND).unwrap();
        assert_eq!((&*turn.state, turn.polls), (&json!({"n": 1}), 1));
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
        roster.ended(1, committed(), now + SOON);
        let changed = SensorRow { config: json!({"n": 2}), ..row() };
        kept(&mut roster, changed.clone(), 1, now + SOON);
        let again = roster.next_turn(now + 2 * SOON).unwrap();
        assert_eq!(again.sensor.config, json!({"n": 2}));
        kept(&mut roster, SensorRow { config: Value::Null, ..changed }, 1, now + 2 * SOON);
        assert!(!turn.stop.is_cancelled() && !again.stop.is_cancelled());
        roster.ended(1, committed(), now + 3 * SOON);
        assert_eq!(roster.next_turn(now + 4 * SOON).unwrap().sensor.config, json!({}));
    }

    #[tokio::test]
    async fn a_poll_under_another_epoch_is_stopped_and_forgotten() {
        let now = Instant::now();
        let (mut roster, turn) = polling(now);
        kept(&mut roster, row(), 2, now);
        assert!(turn.stop.is_cancelled());
        assert_eq!(roster.ended(1, Ending::Stopped, now), Next::LookAgain);
        kept(&mut roster, row(), 2, now);
        assert_eq!(roster.next_turn(now + SOON).unwrap().epoch, 2);
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

    #[tokio::test]
    async fn what_was_lost_is_forgotten_under_its_epoch_only() {
        let now = Instant::now();
        let (mut roster, turn) = polling(now);
        assert_eq!(roster.lose(1, 7), Next::Nothing);
        assert!(!turn.stop.is_cancelled());
        assert_eq!(roster.lose(1, 1), Next::Nothing);
        assert!(turn.stop.is_cancelled());
        assert_eq!(roster.ended(1, Ending::Stopped, now), Next::LookAgain);
        kept(&mut roster, row(), 2, now);
        assert_eq!(roster.lose(1, 2), Next::LookAgain);
        assert!(roster.next_wake().is_none());
    }

    #[tokio::test]
    async fn ticks_that_are_late_are_counted_and_never_piled_up() {
        let now = Instant::now();
        let (mut roster, _) = polling(now);
        roster.ended(1, committed(), now + SOON);
        assert!(roster.next_turn(now + 60 * SECOND).is_some());
        roster.ended(1, committed(), now + 60 * SECOND);
        assert!(roster.next_turn(now + 60 * SECOND).is_none());
        assert_eq!(roster.figures.snapshot().missed, 5);
    }

    #[tokio::test]
    async fn one_that_recovers_because_somebody_asked_ticks_again() {
        let now = Instant::now();
        let (mut roster, _) = polling(now);
        roster.ended(1, committed(), now + SECOND);
        assert!(roster.next_turn(now + 11 * SECOND).is_some());
        roster.ended(1, failed(), now + 12 * SECOND);
        assert!(roster.poke(wish(1), now + 20 * SECOND));
        assert!(roster.next_turn(now + 20 * SECOND).is_some());
        roster.ended(1, committed(), now + 21 * SECOND);
        assert!(roster.next_turn(now + 29 * SECOND).is_none());
        assert!(roster.next_turn(now + 30 * SECOND).is_some());
    }

    #[tokio::test]
    async fn a_wish_without_an_answer_is_taken_up_again() {
        let now = Instant::now();
        let (mut roster, _) = polling(now);
        roster.ended(1, committed(), now + SOON);
        let mut wanted = |answered| {
            roster.poke(wish(1), now + SOON);
            let turn = roster.next_turn(now + SOON)?;
            roster.ended(1, Ending::Committed { state: Arc::default(), answered }, now + SOON);
            turn.poke
        };
        assert_eq!([false, true, true].map(&mut wanted), [Some(wish(1)), Some(wish(1)), None]);
    }
}
