//! What goes into ingest and what comes back.

use attune_core::sensor_status::CANARY;
use serde_json::Value;

/// One occurrence, before it has an id.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Ref of its trigger.
    pub trigger: String,
    /// What happened.
    pub payload: Value,
    /// The parameters it was made for, for a trigger that has some.
    pub trigger_params: Option<Value>,
    /// A second event of this key from the same source is dropped and counted.
    pub key: Option<String>,
}

/// Bytes that cannot be an event, and why.
#[derive(Debug, Clone)]
pub struct RejectedEvent {
    /// The trigger it was meant for, when that is known.
    pub trigger: Option<String>,
    /// As they came.
    pub raw: Vec<u8>,
    /// In words.
    pub reason: String,
}

/// What a sensor commits together with its events.
#[derive(Debug, Clone, Default)]
pub struct SensorCommit {
    /// `sensor.id`.
    pub sensor: i64,
    /// `sensor.ref`.
    pub sensor_ref: String,
    /// The fence.
    pub epoch: i64,
    /// The new state; `None` leaves it.
    pub state: Option<Value>,
    /// `sensor_config.id` of the configuration that produced the events.
    pub config: Option<i64>,
    /// The pack content that produced the events.
    pub pack_digest: Option<String>,
    /// Polls that this commit stands for.
    pub polls: i64,
    /// How late the last of them had started; `None`: it was no poll.
    pub lateness_ms: Option<i64>,
    /// Whether it said that it reached its source.
    pub contact: bool,
    /// Events that it may bring in a minute; `None`: any number.
    pub max_per_minute: Option<i32>,
    /// Whether its program said something. If not, nothing is known of the sensor, and its row stays as it is.
    pub heard: bool,
    /// What the timeline shows of it, the newest first; `None`: nothing.
    pub ticks: Option<Value>,
    /// What its program sent beside the events.
    pub rejected: Vec<RejectedEvent>,
}

/// What an event was caused by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// `event.caused_by`.
    pub execution: i64,
    /// Its action's ref.
    pub action_ref: String,
    /// `event.depth`: one more than that of the event that led to the execution.
    pub depth: i16,
    /// `event.root`: the event that the chain began with; `None`: these begin one.
    pub root: Option<i64>,
}

/// A sensor, and how many events it may bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SensorRate {
    /// `sensor.id`.
    pub sensor: i64,
    /// `sensor.ref`.
    pub sensor_ref: String,
    /// In a minute; `None`: any number.
    pub max_per_minute: Option<i32>,
}

/// Who submits.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A sensor: unsuitable events are set aside, its state goes in with the rest.
    Sensor(SensorCommit),
    /// It was posted: unsuitable events are refused to the poster. `source` names the poster.
    Post {
        /// `event.source`.
        source: Option<String>,
    },
    /// The program of an execution, by the token of its run: unsuitable events are refused to it.
    Run {
        /// `event.source`.
        source: String,
        /// What its events were caused by.
        cause: Cause,
    },
    /// The program of a sensor, by the token of its run: as if it was posted, but it counts as what the sensor brings.
    SensorRun {
        /// `event.source`.
        source: String,
        /// Whose run it is.
        rate: SensorRate,
    },
    /// Attune itself, such as a timer: unsuitable events are left out and counted. Its keys are a name space of their own.
    Own {
        /// `event.source`.
        source: &'static str,
    },
}

/// What goes in together or not at all. Only where more follows from the events of a sensor or a timer than one submission
/// may lead to, they go in in parts, in order.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Who submits.
    pub origin: Origin,
    /// In order.
    pub events: Vec<NewEvent>,
}

/// What became of a submission.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The id of each event, in order; `None` for one that was a duplicate or was set aside.
    pub events: Vec<Option<i64>>,
    /// Events that were dropped for their key.
    pub duplicates: usize,
    /// Events that were set aside, those of the program included.
    pub rejected: usize,
    /// Enforcements that each event led to, in order.
    pub enforcements: Vec<usize>,
    /// How many of those failed, in the same order.
    pub failed: Vec<usize>,
}

impl Origin {
    /// `event.source`.
    pub(super) fn source(&self) -> Option<&str> {
        match self {
            Self::Sensor(_) => None,
            Self::Post { source } => source.as_deref(),
            Self::Run { source, .. } | Self::SensorRun { source, .. } => Some(source),
            Self::Own { source } => Some(source),
        }
    }

    /// The commit of a sensor's own events.
    pub(super) fn commit(&self) -> Option<&SensorCommit> {
        match self {
            Self::Sensor(commit) => Some(commit),
            Self::Post { .. } | Self::Run { .. } | Self::SensorRun { .. } | Self::Own { .. } => None,
        }
    }

    /// The sensor that an event of this trigger counts for: id, ref and how many it may bring. A canary is no event of its
    /// sensor; who sends one itself says so of whatever it likes.
    pub(super) fn rate(&self, trigger: &str) -> Option<(i64, &str, Option<i32>)> {
        match self {
            Self::Sensor(commit) if trigger != CANARY => {
                Some((commit.sensor, &commit.sensor_ref, commit.max_per_minute))
            }
            Self::SensorRun { rate, .. } => Some((rate.sensor, &rate.sensor_ref, rate.max_per_minute)),
            Self::Sensor(_) | Self::Post { .. } | Self::Run { .. } | Self::Own { .. } => None,
        }
    }
}

impl Submission {
    /// Whether its sender learns what is wrong with it.
    pub(super) fn is_posted(&self) -> bool {
        matches!(self.origin, Origin::Post { .. } | Origin::Run { .. } | Origin::SensorRun { .. })
    }

    /// In two: the rest with all that is committed beside events, and what goes in before it. A sensor's state never goes
    /// ahead of the events that led to it.
    pub(super) fn split(self, fits: usize) -> [Self; 2] {
        let early = match &self.origin {
            Origin::Sensor(commit) => Origin::Sensor(commit.without_end()),
            other => other.clone(),
        };
        let Self { origin, events: mut now } = self;
        let later = now.split_off(fits);
        [Self { origin, events: later }, Self { origin: early, events: now }]
    }
}

impl SensorCommit {
    fn without_end(&self) -> Self {
        Self {
            state: None,
            polls: 0,
            lateness_ms: None,
            ticks: None,
            rejected: Vec::new(),
            sensor_ref: self.sensor_ref.clone(),
            pack_digest: self.pack_digest.clone(),
            ..*self
        }
    }
}

impl Receipt {
    /// What became of the next part of the same submission.
    pub(super) fn extend(&mut self, next: Self) {
        self.events.extend(next.events);
        self.duplicates += next.duplicates;
        self.rejected += next.rejected;
        self.enforcements.extend(next.enforcements);
        self.failed.extend(next.failed);
    }
}
