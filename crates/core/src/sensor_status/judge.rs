//! Whether a sensor's clocks stand as they should, and when to look at them again.

use std::time::Duration;

use serde_json::Value;

use super::expect::Expect;
use super::span::in_words;
use super::{Event, Status};

/// What a tick may be late by: it is written a moment later, and a busy machine is no dead one.
const SLACK: Duration = Duration::from_secs(5);
/// A sensor without an event for so long is quiet,
const QUIET: Duration = Duration::from_mins(15);
/// but not before so many intervals are over.
const QUIET_INTERVALS: u32 = 10;
/// Between two looks at what may be over any moment.
const SOON: Duration = Duration::from_secs(2);
/// The least between two looks.
const LEAST: Duration = Duration::from_secs(1);

/// How long ago it was; none: never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clocks {
    /// It last ticked: a poll ended, a stream said something.
    pub tick: Option<Duration>,
    /// It last reached its source.
    pub contact: Option<Duration>,
    /// It last had an event.
    pub event: Option<Duration>,
}

/// How the canaries of a sensor fare.
#[derive(Debug, Clone, Copy)]
pub struct Canary<'a> {
    /// One is sent this often, at the end of a poll or while a stream runs.
    pub every: Duration,
    /// How long ago one arrived; none: none did lately.
    pub arrived: Option<Duration>,
    /// Where the last one is stuck, in words; none: nowhere.
    pub stuck: Option<&'a str>,
}

/// Who could run sensors at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service<'a> {
    /// Nobody knows yet, because leases can not be judged yet.
    Unknown,
    /// Somebody.
    Alive,
    /// Nobody, for this reason.
    Gone(&'a str),
}

/// A sensor as the watch sees it.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of a row, and none follows from the others"
)]
pub struct Watched<'a> {
    /// Its status,
    pub status: Status,
    /// with its reason,
    pub reason: Option<&'a str>,
    /// for so long.
    pub since: Duration,
    /// For how long it could have had events: since it was last disabled, paused or without anybody to run it.
    pub run_for: Duration,
    /// For how long its worker, or that it has none, is the same: no worker is blamed for what was before it.
    pub owner_for: Duration,
    /// Whether it and its pack are enabled.
    pub is_enabled: bool,
    /// Whether somebody wants it paused.
    pub is_paused: bool,
    /// Whether a worker has it whose lease is live.
    pub is_owned: bool,
    /// It is no poll, but a program that runs on.
    pub is_stream: bool,
    /// The stream has promised to be heard within each time limit.
    pub beats: bool,
    /// Between two polls.
    pub interval: Duration,
    /// How long a poll may take, or a stream that beats may be silent.
    pub timeout: Duration,
    /// What its author expects, as the column has it.
    pub expect: &'a Value,
    /// The canaries that it sends, if it does.
    pub canary: Option<Canary<'a>>,
    /// The clocks.
    pub clocks: Clocks,
    /// For how long the next try after a failure has been due; none: it is not yet.
    pub overdue: Option<Duration>,
}

/// What follows from a look at a sensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What happened to it; none: it is as its status says.
    pub event: Option<Event>,
    /// Nothing new can be seen before.
    pub look_again: Duration,
}

/// Judges a sensor by its clocks.
pub fn judge(sensor: &Watched<'_>, service: Service<'_>) -> Verdict {
    let event = sensor.event(service);
    let look_again = if event.is_some() { SOON } else { sensor.look_again() };
    Verdict { event, look_again }
}

impl Watched<'_> {
    #[expect(clippy::match_same_arms, reason = "what comes first decides")]
    fn event(&self, service: Service<'_>) -> Option<Event> {
        if !self.is_enabled {
            return None;
        }
        if self.is_paused {
            let reason = "somebody wants it paused".to_owned();
            return (self.status != Status::Paused).then_some(Event::Pause { reason });
        }
        match (self.status, service) {
            (Status::Paused, _) => None,
            (Status::Unschedulable, _) if !self.is_owned => None,
            (_, Service::Unknown) if !self.is_owned => None,
            (_, Service::Gone(reason)) if !self.is_owned => Some(Event::Strand { reason: reason.to_owned() }),
            (Status::Unschedulable | Status::Stopped, _) => None,
            (Status::Stuck, _) => self.is_heard_again().then_some(Event::Recover),
            _ => self.stuck().map(|reason| Event::Stick { reason }).or_else(|| self.by_its_events()),
        }
    }

    /// Why it is stuck, if it is.
    fn stuck(&self) -> Option<String> {
        let stands = |clock: Option<Duration>, limit| {
            clock.map(|clock| clock.min(self.owner_for)).filter(|clock| *clock > limit)
        };
        let stood = match self.status {
            Status::Starting => stands(Some(self.since), self.limit()).map(|since| self.not_started(since)),
            Status::Failing => stands(self.overdue, self.timeout.saturating_add(SLACK))
                .map(|overdue| format!("its next try has been due for {}", in_words(overdue))),
            _ if self.is_stream && !self.beats => None,
            _ => stands(self.tick(), self.limit()).map(|tick| self.no_tick(tick)),
        }?;
        Some(if self.is_owned { stood } else { format!("{stood}; no worker runs it") })
    }

    /// A stream that says something is known by its clock; a poll that ends writes its status itself.
    fn is_heard_again(&self) -> bool {
        self.is_stream && self.tick().is_some_and(|tick| tick < self.since) && self.stuck().is_none()
    }

    fn not_started(&self, since: Duration) -> String {
        let waits = self.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("it has not started for {}{waits}", in_words(since))
    }

    fn no_tick(&self, tick: Duration) -> String {
        if self.is_stream {
            let timeout = in_words(self.timeout);
            return format!(
                "not heard for {}, although it said to be alive within each {timeout}",
                in_words(tick)
            );
        }
        format!("no tick for {}, due each {}", in_words(tick), in_words(self.interval))
    }

    /// What its events say of a sensor that ticks.
    fn by_its_events(&self) -> Option<Event> {
        if matches!(self.status, Status::Starting | Status::Failing) {
            return None;
        }
        let broken = match Expect::read(self.expect) {
            Ok(expect) => expect.broken(self.no_event_for(), self.no_contact_for()),
            Err((key, fault)) => Some(format!("what is expected of it can not be read: {key} {fault}")),
        };
        let broken = [broken, self.canary_missing()]
            .into_iter()
            .flatten()
            .reduce(|first, second| format!("{first}; {second}"));
        let is_quiet = self.no_event_for() > self.quiet_after();
        let words = || format!("no event for {}", in_words(self.no_event_for()));
        match (self.status, broken) {
            (Status::Silent, Some(_)) => None,
            (_, Some(reason)) => Some(Event::Silence { reason }),
            (Status::Running | Status::Silent, None) if is_quiet => Some(Event::Quieten { reason: words() }),
            (Status::Silent, None) => Some(Event::Recover),
            _ => None,
        }
    }

    /// What is wrong with its canaries, if anything is.
    fn canary_missing(&self) -> Option<String> {
        let canary = self.canary.filter(|canary| self.no_canary_for(canary) > self.canary_limit(canary))?;
        let (missing, every) = (in_words(self.no_canary_for(&canary)), in_words(canary.every));
        let stuck = canary.stuck.unwrap_or("none was sent since");
        Some(format!("no canary arrived for {missing}, one is sent each {every}: {stuck}"))
    }

    fn no_canary_for(&self, canary: &Canary<'_>) -> Duration {
        canary.arrived.map_or(self.run_for, |arrived| arrived.min(self.run_for))
    }

    /// One that is due waits for the next poll, if there are any.
    fn canary_limit(&self, canary: &Canary<'_>) -> Duration {
        let poll = if self.is_stream { Duration::ZERO } else { self.interval };
        canary.every.max(poll).saturating_mul(2).saturating_add(self.timeout).saturating_add(SLACK)
    }

    /// When one of the clocks may have gone too far, if nothing moves it.
    fn look_again(&self) -> Duration {
        let rest = |limit: Duration, clock: Duration| limit.saturating_sub(clock);
        let expect = Expect::read(self.expect).unwrap_or_default();
        let soon = match self.status {
            Status::Paused | Status::Stopped | Status::Unschedulable => return self.longest(),
            _ if !self.is_owned => return SOON,
            Status::Silent | Status::Stuck => SOON,
            Status::Starting => rest(self.limit(), self.since),
            Status::Running => rest(self.quiet_after(), self.no_event_for()),
            Status::Quiet | Status::Failing => self.longest(),
        };
        let tick = self.tick().map(|tick| rest(self.limit(), tick.min(self.owner_for)));
        let event = expect.event.map(|event| rest(event, self.no_event_for()));
        let contact = expect.contact.map(|contact| rest(contact, self.no_contact_for()));
        let canary = self.canary.map(|canary| rest(self.canary_limit(&canary), self.no_canary_for(&canary)));
        let first = [tick, event, contact, canary].into_iter().flatten().fold(soon, Duration::min);
        first.clamp(LEAST, self.longest())
    }

    /// Whatever the clocks say, it is looked at this often: its status may have changed in between.
    fn longest(&self) -> Duration {
        if self.is_stream { 2 * SLACK } else { self.interval.saturating_mul(2).saturating_add(2 * SLACK) }
    }

    /// A tick clock that stands for longer has stopped.
    fn limit(&self) -> Duration {
        let due = if self.is_stream { Duration::ZERO } else { self.interval.saturating_mul(2) };
        due.saturating_add(self.timeout).saturating_add(SLACK)
    }

    fn quiet_after(&self) -> Duration {
        if self.is_stream { QUIET } else { QUIET.max(self.interval.saturating_mul(QUIET_INTERVALS)) }
    }

    fn tick(&self) -> Option<Duration> {
        self.clocks.tick
    }

    fn no_event_for(&self) -> Duration {
        self.clocks.event.map_or(self.run_for, |event| event.min(self.run_for))
    }

    fn no_contact_for(&self) -> Duration {
        self.clocks.contact.map_or(self.run_for, |contact| contact.min(self.run_for))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::sensor_status::{State, next};

    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_mins(1);
    const DAY: Duration = Duration::from_hours(24);

    /// A sensor that is polled each 30 s, ticked 10 s ago and had an event 20 s ago.
    fn sound(expect: &Value) -> Watched<'_> {
        Watched {
            status: Status::Running,
            reason: None,
            since: DAY,
            run_for: DAY,
            owner_for: DAY,
            is_enabled: true,
            is_paused: false,
            is_owned: true,
            is_stream: false,
            beats: false,
            interval: 30 * SECOND,
            timeout: 30 * SECOND,
            expect,
            canary: None,
            clocks: Clocks { tick: Some(10 * SECOND), contact: Some(10 * SECOND), event: Some(20 * SECOND) },
            overdue: None,
        }
    }

    fn after(sensor: &Watched<'_>, service: Service<'_>) -> Option<(Status, String)> {
        let event = judge(sensor, service).event?;
        let state = next(State::of_columns(sensor.status, sensor.reason.map(str::to_owned)), event).unwrap();
        Some((state.status(), state.reason().unwrap_or_default().to_owned()))
    }

    fn said(sensor: &Watched<'_>) -> Option<(Status, String)> {
        after(sensor, Service::Alive)
    }

    fn event(ago: Duration) -> Clocks {
        Clocks { event: Some(ago), ..sound(&Value::Null).clocks }
    }

    fn tick(ago: Duration) -> Clocks {
        Clocks { tick: Some(ago), ..sound(&Value::Null).clocks }
    }

    #[test]
    fn a_sound_sensor_is_left_alone() {
        assert_eq!(said(&sound(&Value::Null)), None);
        assert_eq!(said(&sound(&json!({"event": "1m", "contact": "1m"}))), None);
    }

    #[test]
    fn no_event_is_quiet_and_a_missing_one_is_silence() {
        let nothing = Value::Null;
        let quiet = Watched { clocks: event(16 * MINUTE), ..sound(&nothing) };
        assert_eq!(said(&quiet), Some((Status::Quiet, "no event for 16m".to_owned())));
        assert_eq!(said(&Watched { interval: 2 * MINUTE, ..quiet }), None, "ten intervals are not over");
        let ten = json!({"event": "10m"});
        let silent = Watched { expect: &ten, clocks: event(12 * MINUTE), ..quiet };
        let reason = "no event for 12m, expected one each 10m".to_owned();
        assert_eq!(said(&silent), Some((Status::Silent, reason.clone())));
        assert_eq!(said(&Watched { status: Status::Quiet, ..silent }), Some((Status::Silent, reason)));
        assert_eq!(said(&Watched { status: Status::Silent, ..silent }), None, "it is said once");
    }

    #[test]
    fn silence_ends_when_what_was_missing_is_there() {
        let contact = json!({"contact": "1m"});
        let silent = Watched { status: Status::Silent, ..sound(&contact) };
        assert_eq!(said(&silent).unwrap().0, Status::Running);
        assert_eq!(said(&Watched { clocks: event(DAY), ..silent }).unwrap().0, Status::Quiet);
    }

    #[test]
    fn who_could_not_run_is_given_time() {
        let ten = json!({"event": "10m"});
        let fresh = Watched { clocks: event(DAY), run_for: 9 * MINUTE, ..sound(&ten) };
        assert_eq!(said(&fresh), None);
        let never = Watched { clocks: Clocks { event: None, ..fresh.clocks }, run_for: 11 * MINUTE, ..fresh };
        assert_eq!(said(&never).unwrap().0, Status::Silent);
    }

    #[test]
    fn a_tick_clock_that_stands_is_stuck() {
        let nothing = Value::Null;
        let stuck = Watched { clocks: tick(97 * SECOND), ..sound(&nothing) };
        let reason = "no tick for 1m 37s, due each 30s".to_owned();
        for status in [Status::Running, Status::Quiet, Status::Silent] {
            assert_eq!(said(&Watched { status, ..stuck }), Some((Status::Stuck, reason.clone())));
        }
        assert_eq!(said(&Watched { clocks: tick(95 * SECOND), ..stuck }), None);
        assert_eq!(said(&Watched { owner_for: MINUTE, ..stuck }), None, "its worker has just taken it");
        assert_eq!(after(&Watched { is_owned: false, ..stuck }, Service::Unknown), None);
        let failing = Watched { status: Status::Failing, overdue: Some(40 * SECOND), ..stuck };
        assert_eq!(said(&failing).unwrap().1, "its next try has been due for 40s");
        let starting =
            Watched { status: Status::Starting, reason: Some("no room"), since: 2 * MINUTE, ..stuck };
        assert_eq!(said(&starting).unwrap().1, "it has not started for 2m: no room");
        assert!(said(&Watched { is_owned: false, ..starting }).unwrap().1.ends_with("; no worker runs it"));
    }

    #[test]
    fn a_stream_is_due_when_it_promised_to_be_heard() {
        let nothing = Value::Null;
        let stream = Watched { is_stream: true, clocks: tick(MINUTE), ..sound(&nothing) };
        assert_eq!(said(&stream), None);
        let reason = "not heard for 1m, although it said to be alive within each 30s".to_owned();
        assert_eq!(said(&Watched { beats: true, ..stream }), Some((Status::Stuck, reason)));
        let heard = Watched { status: Status::Stuck, beats: true, clocks: tick(SECOND), ..stream };
        assert_eq!(said(&heard).unwrap().0, Status::Running);
        assert_eq!(said(&Watched { since: Duration::ZERO, ..heard }), None, "that was before");
    }

    #[test]
    fn without_a_service_nobody_runs_it() {
        let nothing = Value::Null;
        let free = Watched { is_owned: false, ..sound(&nothing) };
        for status in [Status::Starting, Status::Quiet, Status::Stuck, Status::Failing, Status::Stopped] {
            let gone = after(&Watched { status, ..free }, Service::Gone("nobody is there"));
            assert_eq!(gone, Some((Status::Unschedulable, "nobody is there".to_owned())));
        }
        for status in [Status::Unschedulable, Status::Paused] {
            assert_eq!(after(&Watched { status, ..free }, Service::Gone("nobody is there")), None);
        }
        assert_eq!(after(&Watched { is_owned: true, ..free }, Service::Gone("nobody is there")), None);
        assert_eq!(after(&Watched { is_enabled: false, ..free }, Service::Gone("nobody is there")), None);
    }

    #[test]
    fn an_expectation_that_can_not_be_read_is_said() {
        let wrong = json!({"event": "often"});
        let (status, reason) = said(&sound(&wrong)).unwrap();
        assert_eq!(status, Status::Silent);
        assert!(
            reason.starts_with("what is expected of it can not be read: event must be a time"),
            "{reason}"
        );
    }

    #[test]
    fn a_wish_that_came_while_it_was_disabled_is_kept() {
        let nothing = Value::Null;
        let stopped = Watched { status: Status::Stopped, is_paused: true, ..sound(&nothing) };
        assert_eq!(said(&stopped).unwrap().0, Status::Paused);
    }

    #[test]
    fn a_canary_that_does_not_arrive_is_said_with_where_it_is_stuck() {
        let nothing = Value::Null;
        let sending = |arrived, stuck| Watched {
            canary: Some(Canary { every: MINUTE, arrived, stuck }),
            ..sound(&nothing)
        };
        assert_eq!(said(&sending(Some(2 * MINUTE), Some("it waits"))), None);
        let late = sending(Some(3 * MINUTE), Some("it waits"));
        let reason = "no canary arrived for 3m, one is sent each 1m: it waits".to_owned();
        assert_eq!(said(&late), Some((Status::Silent, reason)));
        assert_eq!(said(&Watched { run_for: 2 * MINUTE, ..sending(None, None) }), None);
        let never = said(&sending(None, None)).unwrap().1;
        assert!(never.ends_with("none was sent since"), "{never}");
        let stream =
            Watched { is_stream: true, interval: DAY, ..sending(Some(3 * MINUTE), Some("it waits")) };
        assert_eq!(said(&stream).unwrap().0, Status::Silent);
        let back = Watched { status: Status::Silent, ..sending(Some(MINUTE), None) };
        assert_eq!(said(&back).unwrap().0, Status::Running);
    }

    fn any_status() -> impl Strategy<Value = Status> {
        (0..Status::ALL.len()).prop_map(|at| Status::ALL[at])
    }

    proptest! {
        /// Whatever the clocks say, the verdict is one that the table knows, and a dead sensor is looked at again in time: within
        /// two intervals, the time that a poll may take, and what is granted.
        #[test]
        fn a_verdict_has_its_place_and_the_next_look_comes_in_time(
            status in any_status(), seconds in prop::array::uniform8(0..100_000_u64), flags in prop::array::uniform5(any::<bool>()),
            interval in 1..1000_u64, expected in prop::option::of(1..100_000_u64),
        ) {
            let [since, run_for, owner_for, tick, contact, event, overdue, timeout] = seconds.map(Duration::from_secs);
            let [is_enabled, is_paused, is_owned, is_stream, beats] = flags;
            let expect = json!({"event": expected.unwrap_or(7)});
            let sensor = Watched {
                status, reason: Some("before"), since, run_for, owner_for, is_enabled, is_paused, is_owned, is_stream, beats,
                interval: Duration::from_secs(interval), timeout, expect: &expect,
                canary: expected.map(|every| Canary { every: Duration::from_secs(every), arrived: Some(event), stuck: None }),
                clocks: Clocks { tick: Some(tick), contact: Some(contact), event: Some(event) }, overdue: Some(overdue),
            };
            for service in [Service::Unknown, Service::Alive, Service::Gone("gone")] {
                let verdict = judge(&sensor, service);
                prop_assert!(verdict.look_again >= LEAST);
                prop_assert!(verdict.look_again <= 2 * sensor.interval + 2 * SLACK);
                if let Some(event) = verdict.event {
                    let before = State::of_columns(status, Some("before".to_owned()));
                    prop_assert!(next(before, event).is_ok());
                }
            }
        }
    }
}
