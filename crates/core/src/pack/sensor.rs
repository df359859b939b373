//! `sensors/*.yaml`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::definition::{define, enabled};
use super::fields::Fields;
use super::{Isolation, Kind, Permission, Sandbox};
use crate::schedule::Policy;

/// The shortest time between two polls of one sensor. Each costs a turn, however little the sensor does.
pub const MIN_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// How a sensor lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is called every interval.
    #[default]
    Poll,
    /// It runs for long and emits as it goes.
    Stream,
    /// Attune itself contains it.
    Builtin,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Poll, Self::Stream, Self::Builtin];

    /// As the column has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Stream => "stream",
            Self::Builtin => "builtin",
        }
    }
}

/// Code that produces events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sensor {
    /// Its unique name.
    #[serde(skip)]
    pub r#ref: String,
    /// A short title.
    pub label: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// The ref of the runtime that runs it.
    pub runtime: String,
    /// Path of its code from the pack's root.
    pub entrypoint: String,
    /// Refs of the triggers it may produce; the first is for events that name none.
    pub triggers: Vec<String>,
    /// Values for `param_schema`.
    pub config: Value,
    /// JSON Schema of `config`.
    pub param_schema: Value,
    /// How it lives.
    pub mode: Mode,
    /// Whether its code stays loaded between polls; none: when its runtime has a host for that.
    pub isolation: Option<Isolation>,
    /// How far it is confined; none: as sensors are.
    pub sandbox: Option<Sandbox>,
    /// Seconds between polls; none: the worker's default.
    pub poll_interval: Option<f64>,
    /// Seconds that a poll may take; none: the worker's default.
    pub timeout: Option<f64>,
    /// What becomes of ticks that passed while it could not be polled.
    #[serde(default)]
    pub missed: Policy,
    /// Seconds by which a tick may be moved, at random; none: none is.
    #[serde(default)]
    pub jitter: Option<f64>,
    /// Seconds between two canaries that go in with its events; none: it sends none.
    #[serde(default)]
    pub canary: Option<f64>,
    /// What has to come of it within which time, see [`crate::sensor_status::Expect`]; none: nothing.
    pub expect: Option<Value>,
    /// Failures in a row after which it is paused; none: it is tried for ever.
    pub pause_after: Option<i32>,
    /// What its program may take, see [`crate::limits::Limits`].
    pub limits: Value,
    /// What its runs may ask of the API, each with a token of its own.
    #[serde(default)]
    pub api: Vec<Permission>,
    /// What the worker that runs it must have.
    pub labels: Value,
    /// Events a minute that it brings; none: any number.
    #[serde(default)]
    pub max_per_minute: Option<i32>,
    /// Whether it runs at first.
    #[serde(skip, default = "enabled")]
    pub enabled: bool,
}
define!(Sensor, Sensor);

impl Sensor {
    pub(super) const KEYS: &[&str] = &[
        "ref",
        "label",
        "description",
        "runtime",
        "entrypoint",
        "triggers",
        "config",
        "param_schema",
        "mode",
        "isolation",
        "sandbox",
        "poll_interval",
        "timeout",
        "missed",
        "jitter",
        "canary",
        "expect",
        "pause_after",
        "limits",
        "labels",
        "api",
        "max_per_minute",
        "enabled",
    ];

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let mode = fields.choice("mode", &Mode::ALL, Mode::as_str);
        let sensor = Self {
            r#ref: fields.own_ref(),
            label: fields.text("label"),
            description: fields.text("description"),
            runtime: fields.reference("runtime", Kind::Runtime),
            // A built-in sensor's code is in no file.
            entrypoint: if mode == Mode::Builtin {
                fields.text("entrypoint").unwrap_or_default()
            } else {
                fields.entrypoint("entrypoint")
            },
            triggers: fields.references("triggers", Kind::Trigger),
            param_schema: fields.schema("param_schema"),
            config: fields.values_of("config", "param_schema"),
            mode,
            isolation: Isolation::read(fields),
            sandbox: Sandbox::read(fields),
            poll_interval: poll_interval(fields),
            timeout: fields.seconds("timeout"),
            missed: fields.choice("missed", &Policy::ALL, Policy::as_str),
            jitter: fields.span("jitter"),
            canary: fields.span("canary"),
            expect: fields.expect("expect"),
            pause_after: fields.positive("pause_after"),
            limits: fields.limits("limits"),
            labels: fields.object("labels"),
            api: Permission::read(fields),
            max_per_minute: fields.positive("max_per_minute"),
            enabled: fields.boolean("enabled", true),
        };
        sensor.check_ticks(fields);
        sensor
    }

    /// Only polled sensors have ticks to move or to miss, and none is moved beyond the next one. What is built in has no worker to
    /// send a canary.
    fn check_ticks(&self, fields: &mut Fields<'_>) {
        let mode = self.mode.as_str();
        for key in ["missed", "jitter"] {
            if self.mode != Mode::Poll && fields.has(key) {
                fields.fault(key, format!("is for sensors that are polled; one of mode {mode} has no ticks"));
            }
        }
        if self.mode == Mode::Builtin && fields.has("canary") {
            fields
                .fault("canary", format!("is for sensors that run a program; one of mode {mode} sends none"));
        }
        if let (Some(jitter), Some(interval)) = (self.jitter, self.poll_interval)
            && jitter > interval
        {
            fields.fault("jitter", format!("must be at most poll_interval, which is {interval} seconds"));
        }
    }
}

fn poll_interval(fields: &mut Fields<'_>) -> Option<f64> {
    let seconds = fields.seconds("poll_interval")?;
    if seconds < MIN_POLL_INTERVAL.as_secs_f64() {
        fields.fault("poll_interval", format!("must be at least 0.1 seconds, not {seconds}"));
    }
    Some(seconds)
}
