//! How many events a minute a trigger takes, a sensor brings and a rule acts on, where that is limited.
//!
//! It is counted in the memory of the process that ingests, so what several processes take together may be as many times the
//! limit. Where nothing is limited nothing is counted. What was taken goes the way of the submission, event by event, and is
//! kept for the events that are committed: what was refused or set aside, was a duplicate or never got so far, gives it back,
//! and so it does not matter whether the submitter is still there. What is held is told in table `held`, at most once a
//! second for each, for who looks at it later.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use attune_common::repositories::held;
pub(super) use attune_common::repositories::held::Kind;
use attune_core::brakes::Minute;
use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::submission::NewEvent;

/// Between two times that the table is told of the same thing, in milliseconds.
const TOLD_EACH: i64 = 1000;
/// Events of a minute that are stored, of those that are held. The rest is counted: a brake must cost less than what it holds.
const STORED: u32 = 10;

/// What is counted.
type Key = (Kind, i64);

/// What this process has counted.
#[derive(Debug, Default)]
pub(super) struct Rates(Mutex<HashMap<Key, Rate>>);

#[derive(Debug, Default)]
struct Rate {
    minute: Minute,
    /// Of the events that are held, those that were stored.
    stored: Minute,
    /// When the table was told, in milliseconds since 1970.
    told: i64,
}

/// It would be more than may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    kind: Kind,
    thing: i64,
    /// The ref of what is held.
    name: String,
    limit: i32,
    /// Seconds until it is held no longer.
    pub wait: i64,
}

/// What one attempt to commit a submission takes.
#[derive(Debug)]
pub(super) struct Taking<'a> {
    rates: &'a Arc<Rates>,
    now: i64,
    /// Keys of events that are in already.
    known: &'a HashSet<String>,
    /// The event that takes: its place in the submission, and whether it is in already.
    event: (usize, bool),
    /// What was taken so far.
    pub(super) taken: Taken,
    held: HashMap<Key, i64>,
}

/// What the events of a submission have taken. Dropped, it gives all of it back.
#[derive(Debug, Default)]
pub(super) struct Taken {
    rates: Option<Arc<Rates>>,
    took: Vec<Took>,
}

#[derive(Debug)]
struct Took {
    /// The place of the event.
    event: usize,
    key: Key,
    /// When the minute began in which it was counted.
    began: i64,
}

impl Rates {
    /// For a submission of this time, some of whose events are known to be in already.
    pub(super) fn taking<'a>(
        self: &'a Arc<Self>,
        now: DateTime<Utc>,
        known: &'a HashSet<String>,
    ) -> Taking<'a> {
        let now = now.timestamp_millis();
        Taking { rates: self, now, known, event: (0, false), taken: Taken::default(), held: HashMap::new() }
    }

    /// Whether an event that is held should be stored.
    pub(super) fn stores(&self, over: &Over, now: DateTime<Utc>) -> bool {
        let mut rates = self.lock();
        rates.entry((over.kind, over.thing)).or_default().stored.take(now.timestamp_millis(), STORED).is_ok()
    }

    /// Tells the table what is held, and until when. It says no more than that, so a failure costs little.
    pub(super) async fn tell(&self, pool: &PgPool, now: DateTime<Utc>, held: HashMap<Key, i64>) {
        let untold = self.untold(now.timestamp_millis(), held);
        if untold.is_empty() {
            return;
        }
        if let Err(error) = held::put(pool, now, &untold).await {
            tracing::debug!(error = &error as &dyn Error, "What is held could not be told yet");
        }
    }

    fn untold(&self, now: i64, held: HashMap<Key, i64>) -> Vec<(Key, DateTime<Utc>)> {
        if held.is_empty() {
            return Vec::new();
        }
        let mut rates = self.lock();
        let due = held.into_iter().filter(|(key, _)| {
            let told = &mut rates.entry(*key).or_default().told;
            let is_due = !(*told..*told + TOLD_EACH).contains(&now);
            *told = if is_due { now } else { *told };
            is_due
        });
        due.filter_map(|(key, until)| Some((key, DateTime::from_timestamp_millis(until)?))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Rate>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taking<'_> {
    /// From now on it is this event that takes. One that is in already takes nothing.
    pub(super) fn begin(&mut self, index: usize, event: &NewEvent) {
        let is_known =
            !self.known.is_empty() && event.key.as_ref().is_some_and(|key| self.known.contains(key));
        self.event = (index, is_known);
    }

    /// Takes one more of what may be so many; without a limit it costs nothing.
    pub(super) fn take(&mut self, kind: Kind, id: i64, name: &str, limit: Option<i32>) -> Result<(), Over> {
        let (Some(limit), (event, false)) = (limit, self.event) else { return Ok(()) };
        let key = (kind, id);
        let minute = self.rates.lock().entry(key).or_default().minute.take(self.now, limit.unsigned_abs());
        match minute {
            Ok(began) => self.taken.add(self.rates, Took { event, key, began }),
            Err(until) => {
                self.held.insert(key, until);
                let wait = (until - self.now).max(0) / 1000 + 1;
                return Err(Over { kind, thing: id, name: name.to_owned(), limit, wait });
            }
        }
        Ok(())
    }

    /// What is held, and until when.
    pub(super) fn held(self) -> HashMap<Key, i64> {
        self.held
    }
}

impl Taken {
    fn add(&mut self, rates: &Arc<Rates>, took: Took) {
        self.rates.get_or_insert_with(|| Arc::clone(rates));
        self.took.push(took);
    }

    /// The submission was committed, with these of its events. The others give back what they took.
    pub(super) fn keep(mut self, committed: &[Option<i64>]) {
        self.took.retain(|took| committed.get(took.event).is_none_or(Option::is_none));
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Some(rates) = self.rates.take().filter(|_| !self.took.is_empty()) else { return };
        let mut rates = rates.lock();
        for took in &self.took {
            rates.entry(took.key).or_default().minute.give_back(took.began);
        }
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let does = match self.kind {
            Kind::Trigger => "takes",
            Kind::Sensor => "may bring",
            Kind::Rule => "acts on",
        };
        let Self { kind, name, limit, .. } = self;
        write!(f, "held: {} {name} {does} at most {limit} events a minute (max_per_minute)", kind.as_str())
    }
}
