//! How many events a minute a trigger takes, a sensor brings and a rule acts on, where that is limited.
//!
//! It is counted in the memory of the process that ingests, so what several processes take together may be as many times the
//! limit. Where nothing is limited nothing is counted. What a submission took it gives back unless it was committed. What is
//! held is told in table `held`, at most once a second for each, for who looks at it later.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use attune_common::repositories::held;
pub(super) use attune_common::repositories::held::Kind;
use attune_core::brakes::Minute;
use chrono::{DateTime, Utc};
use sqlx::PgPool;

/// Between two times that the table is told of the same thing, in milliseconds.
const TOLD_EACH: i64 = 1000;

/// What is counted.
type Key = (Kind, i64);

/// What this process has counted.
#[derive(Debug, Default)]
pub(super) struct Rates(Mutex<HashMap<Key, Rate>>);

#[derive(Debug, Default)]
struct Rate {
    minute: Minute,
    /// When the table was told, in milliseconds since 1970.
    told: i64,
}

/// It would be more than may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    kind: Kind,
    /// The ref of what is held.
    name: String,
    limit: i32,
    /// Seconds until it is held no longer.
    pub wait: i64,
}

/// What one attempt to commit a submission takes.
#[derive(Debug)]
pub(super) struct Taking<'a> {
    rates: &'a Rates,
    now: i64,
    taken: Vec<Key>,
    held: HashMap<Key, i64>,
}

impl Rates {
    /// For a submission of this time.
    pub(super) fn taking(&self, now: DateTime<Utc>) -> Taking<'_> {
        Taking { rates: self, now: now.timestamp_millis(), taken: Vec::new(), held: HashMap::new() }
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
    /// Takes one more of what may be so many; without a limit it costs nothing.
    pub(super) fn take(&mut self, kind: Kind, id: i64, name: &str, limit: Option<i32>) -> Result<(), Over> {
        let Some(limit) = limit else { return Ok(()) };
        let key = (kind, id);
        let minute = self.rates.lock().entry(key).or_default().minute.take(self.now, limit.unsigned_abs());
        match minute {
            Ok(()) => self.taken.push(key),
            Err(until) => {
                self.held.insert(key, until);
                let wait = (until - self.now).max(0) / 1000 + 1;
                return Err(Over { kind, name: name.to_owned(), limit, wait });
            }
        }
        Ok(())
    }

    /// It was committed. What is held.
    pub(super) fn keep(mut self) -> HashMap<Key, i64> {
        self.taken.clear();
        std::mem::take(&mut self.held)
    }

    /// It was refused. What is held.
    pub(super) fn give_back(mut self) -> HashMap<Key, i64> {
        std::mem::take(&mut self.held)
    }
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        if self.taken.is_empty() {
            return;
        }
        let mut rates = self.rates.lock();
        for key in &self.taken {
            rates.entry(*key).or_default().minute.give_back();
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
