//! From what a poll or a stream gave to rows: events with their triggers, keys and parameters, the state, and what was set aside, all
//! in one submission to ingest.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use attune_common::db::is_transient;
use attune_common::repositories::sensor;
use attune_executor::ingest::{
    Ingest, IngestError, NewEvent, Origin, Receipt, RejectedEvent, SensorCommit, Submission,
};
use attune_executor::rules::RuleBook;
use serde_json::Value;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::definition::Sensor;
use crate::runtime::{PollError, PollOutput};

/// How long a submission waits for a database that is away. The lease ends long before, and with it the sensor.
const PATIENCE: Duration = Duration::from_mins(10);

/// Between attempts while the database is away.
const RETRY: Duration = Duration::from_millis(200);

/// Why events did not go in.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// They have no trigger.
    #[error(transparent)]
    Poll(#[from] PollError),
    /// The snapshot of the configuration could not be stored.
    #[error("can not store the sensor's configuration")]
    Snapshot(#[source] sqlx::Error),
    /// Ingest did not take them.
    #[error(transparent)]
    Ingest(#[from] IngestError),
}

impl GenerateError {
    /// What the operator reads.
    pub(crate) fn for_the_record(&self) -> String {
        match self {
            Self::Poll(error) => error.for_the_record(),
            Self::Snapshot(source) => format!("{self}: {source}"),
            Self::Ingest(error) => match std::error::Error::source(error) {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            },
        }
    }
}

/// Which polls a commit stands for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Polls {
    /// As many they are.
    pub(crate) count: i64,
    /// How late the last of them had started.
    pub(crate) lateness: Option<Duration>,
    /// What the timeline shows of them, the newest first.
    pub(crate) ticks: Option<Value>,
    /// A canary that goes in with them.
    pub(crate) canary: Option<NewEvent>,
}

/// A duration as the columns have it.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Brings the output of polls and streams into ingest.
#[derive(Debug)]
pub struct EventGenerator {
    pool: PgPool,
    ingest: Ingest,
    /// The last snapshot of each sensor: its digest and its id.
    snapshots: Mutex<HashMap<i64, (String, i64)>>,
    asked: Mutex<Asked>,
}

/// What rules ask for, worked out once for each rule book and each list of triggers.
#[derive(Debug, Default)]
struct Asked {
    version: i64,
    params: HashMap<Vec<String>, Arc<Value>>,
}

impl Asked {
    fn of(&mut self, book: &RuleBook, sensor: &Sensor) -> Arc<Value> {
        if self.version != book.version {
            *self = Self { version: book.version, params: HashMap::new() };
        }
        if let Some(params) = self.params.get(&sensor.row.triggers) {
            return Arc::clone(params);
        }
        let params = Arc::new(asked_params(book, sensor));
        self.params.insert(sensor.row.triggers.clone(), Arc::clone(&params));
        params
    }
}

impl EventGenerator {
    /// A generator for this database's ingest.
    pub fn new(pool: PgPool, ingest: Ingest) -> Self {
        Self { pool, ingest, snapshots: Mutex::default(), asked: Mutex::default() }
    }

    /// Commits one poll under the sensor's epoch: events, state, and what was set aside, or nothing.
    pub async fn submit(
        &self,
        sensor: &Sensor,
        epoch: i64,
        output: PollOutput,
    ) -> Result<Receipt, GenerateError> {
        self.commit(sensor, epoch, output, Polls { count: 1, ..Polls::default() }).await
    }

    /// The same for what stands for these polls; of a stream it is none.
    pub(crate) async fn commit(
        &self,
        sensor: &Sensor,
        epoch: i64,
        output: PollOutput,
        polls: Polls,
    ) -> Result<Receipt, GenerateError> {
        let config = if output.events.is_empty() { None } else { Some(self.snapshot(sensor).await?) };
        let events: Option<Vec<_>> =
            output.events.into_iter().map(|payload| event_of(sensor, payload)).collect();
        let commit = SensorCommit {
            state: output.state,
            config,
            polls: polls.count,
            lateness_ms: polls.lateness.map(millis),
            contact: output.contact,
            heard: true,
            ticks: polls.ticks,
            rejected: output.rejected.into_iter().map(set_aside).collect(),
            ..silence(sensor, epoch)
        };
        let mut events = events.ok_or(PollError::NoTrigger)?;
        events.extend(polls.canary);
        self.ingest(commit, events).await
    }

    /// Commits a canary that goes in with nothing else: of the sensor nothing changes by it.
    pub(crate) async fn commit_canary(
        &self,
        sensor: &Sensor,
        epoch: i64,
        canary: NewEvent,
    ) -> Result<Receipt, GenerateError> {
        self.ingest(silence(sensor, epoch), vec![canary]).await
    }

    async fn ingest(&self, commit: SensorCommit, events: Vec<NewEvent>) -> Result<Receipt, GenerateError> {
        Ok(self.ingest.submit(Submission { origin: Origin::Sensor(commit), events }, PATIENCE).await?)
    }

    /// The parameters that live rules give to the triggers of a sensor: `[{trigger, params}]`, each once.
    pub fn trigger_params(&self, sensor: &Sensor) -> Arc<Value> {
        let book = self.ingest.rules().current();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.of(&book, sensor)
    }

    /// The rules that events are matched against, and how they change.
    pub(crate) fn rules(&self) -> watch::Receiver<Arc<RuleBook>> {
        self.ingest.rules().subscribe()
    }

    async fn snapshot(&self, sensor: &Sensor) -> Result<i64, GenerateError> {
        if let Some(id) = self.known_snapshot(sensor) {
            return Ok(id);
        }
        let (id, digest) = (sensor.row.id, &sensor.digest);
        let deadline = Instant::now() + PATIENCE;
        let snapshot = loop {
            match sensor::snapshot_config(&self.pool, id, digest, &sensor.masked).await {
                Ok(snapshot) => break snapshot,
                Err(error) if is_transient(&error) && Instant::now() < deadline => sleep(RETRY).await,
                Err(error) => return Err(GenerateError::Snapshot(error)),
            }
        };
        let mut snapshots = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        snapshots.insert(id, (digest.clone(), snapshot));
        Ok(snapshot)
    }

    fn known_snapshot(&self, sensor: &Sensor) -> Option<i64> {
        let snapshots = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        snapshots.get(&sensor.row.id).filter(|(digest, _)| *digest == sensor.digest).map(|(_, id)| *id)
    }
}

/// The parameters that the rules of a book give to the triggers of a sensor: `[{trigger, params}]`, each once.
pub(crate) fn asked_params(book: &RuleBook, sensor: &Sensor) -> Value {
    let triggers = sensor.row.triggers.iter().filter_map(|name| Some((name, book.trigger(name)?)));
    let mut asked: Vec<(&String, &String)> = triggers
        .flat_map(|(name, trigger)| trigger.rules.iter().map(move |rule| (name, &rule.trigger_params)))
        .collect();
    asked.sort_unstable();
    asked.dedup();
    let params = asked.into_iter().filter_map(|(trigger, params)| {
        let params: Value = serde_json::from_str(params).ok()?;
        Some(serde_json::json!({"trigger": trigger, "params": params}))
    });
    params.filter(|asked| asked["params"].as_object().is_some_and(|params| !params.is_empty())).collect()
}

/// The commit of a sensor of which nothing was heard.
fn silence(sensor: &Sensor, epoch: i64) -> SensorCommit {
    SensorCommit {
        sensor: sensor.row.id,
        sensor_ref: sensor.row.r#ref.clone(),
        epoch,
        pack_digest: sensor.row.pack_digest.clone(),
        max_per_minute: sensor.row.max_per_minute,
        ..SensorCommit::default()
    }
}

/// `None`: the sensor has no trigger at all.
pub(crate) fn event_of(sensor: &Sensor, payload: Value) -> Option<NewEvent> {
    let trigger = sensor.trigger_of(&payload)?.clone();
    let key = payload.get("event_key").and_then(Value::as_str).map(str::to_owned);
    let trigger_params = payload.get("trigger_params").filter(|params| params.is_object()).cloned();
    Some(NewEvent { trigger, payload, trigger_params, key })
}

fn set_aside(rejected: attune_core::output::Rejected) -> RejectedEvent {
    RejectedEvent { trigger: None, raw: rejected.raw, reason: rejected.reason.to_string() }
}
