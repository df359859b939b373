//! The watch over sensors: what does not happen is said by somebody else than who should have done it.
//!
//! Every process can keep it. Each second, over all of them, one makes a round: it frees what lost workers hold, reads the
//! sensors whose clocks are due, judges them by [`judge()`], and writes what changed. A row says who made the last
//! round and when, so that whoever is alive makes the next one; nobody has to notice that another is gone. Who has not been in
//! contact for one lease can not judge leases, and lets the others go first for that long.
//!
//! A round is bounded: it looks at [`BATCH`] sensors, and what is left is due in the next one. When every sensor of a
//! large installation dies at once, each of them is told within some seconds, and nothing else has to wait for that.

use std::time::Duration;

use attune_common::repositories::canary::{self, Canary};
use attune_common::repositories::config_version;
use attune_common::repositories::sensor_watch::{self, Due, LastWorker, Round, Verdicts};
use attune_core::pack::Mode;
use attune_core::sensor_status::{
    self, Clocks, Event, Service, State, Status, Verdict, Watched, in_words, judge, next,
};
use attune_hints::Hints;
use serde_json::Value;
use sqlx::PgPool;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{PERIOD, lost_workers};

/// Sensors of one round.
const BATCH: i64 = 2000;
/// Who may not judge leases yet takes a round only when nobody else made one for so long.
const MODESTY: Duration = Duration::from_secs(5);
/// A service that was stopped may be about to be started again.
const RESTART: Duration = Duration::from_secs(5);
/// What a sensor's worker does not say, as SPEC section 2 has it.
const SECONDS: f64 = 30.0;

/// Keeps the watch together with every other process that does.
#[derive(Debug)]
pub struct Watch {
    pool: PgPool,
    hints: Hints,
    /// Named in the row.
    keeper: String,
    /// How long a lease lasts.
    lease: Duration,
    in_contact_since: Instant,
    /// The configuration whose changes were seen.
    version: Option<i64>,
}

impl Watch {
    /// A process of this name that begins to watch now.
    pub fn new(pool: PgPool, hints: Hints, keeper: &str, lease: Duration) -> Self {
        let keeper = format!("{keeper}, process {}", std::process::id());
        Self { pool, hints, keeper, lease, in_contact_since: Instant::now(), version: None }
    }

    /// Makes rounds until `stop`, whenever it is time and nobody else does.
    pub async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.turn().await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "A round of the watch over sensors failed");
                self.in_contact_since = Instant::now();
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    }

    async fn turn(&mut self) -> sqlx::Result<()> {
        let may_judge = self.in_contact_since.elapsed() >= self.lease;
        let after = if may_judge { PERIOD.mul_f64(0.9) } else { MODESTY };
        match sensor_watch::take_round(&self.pool, &self.keeper, after).await? {
            Some(round) => self.round(round, may_judge).await,
            None => Ok(()),
        }
    }

    /// One round. `may_judge`: whether leases may be judged already.
    pub async fn round(&mut self, round: Round, may_judge: bool) -> sqlx::Result<()> {
        if round.clock_jumped {
            tracing::warn!("The clock of the database was set back; what was recorded later counts as now");
            sensor_watch::follow_clock(&self.pool, self.lease).await?;
        }
        if may_judge {
            lost_workers::round(&self.pool, &self.hints).await?;
        }
        let version = config_version::get(&self.pool).await?;
        if self.version != Some(version) {
            sensor_watch::look_at_changed(&self.pool).await?;
            self.version = Some(version);
        }
        self.look(may_judge).await
    }

    async fn look(&self, may_judge: bool) -> sqlx::Result<()> {
        let due = sensor_watch::list_due(&self.pool, BATCH).await?;
        if due.is_empty() {
            return Ok(());
        }
        let gone = self.nobody().await?;
        let service = match gone.as_deref() {
            _ if !may_judge => Service::Unknown,
            None => Service::Alive,
            Some(reason) => Service::Gone(reason),
        };
        let canaries = self.canaries(&due).await?;
        let mut verdicts = Verdicts::default();
        for due in due {
            let canary = canaries.iter().find(|canary| canary.sensor == due.sensor);
            add(&mut verdicts, due, service, canary);
        }
        sensor_watch::write(&self.pool, &verdicts).await
    }

    /// The last canaries of those that send some. Who sends none costs nothing.
    async fn canaries(&self, due: &[Due]) -> sqlx::Result<Vec<Canary>> {
        let sending: Vec<i64> = due.iter().filter(|due| due.canary.is_some()).map(|due| due.sensor).collect();
        if sending.is_empty() { Ok(Vec::new()) } else { canary::list_last(&self.pool, &sending).await }
    }

    /// Why nobody runs sensors, if nobody does.
    async fn nobody(&self) -> sqlx::Result<Option<String>> {
        let last = sensor_watch::find_last_worker(&self.pool, self.lease).await?;
        Ok(gone(last.as_ref()))
    }
}

fn gone(last: Option<&LastWorker>) -> Option<String> {
    let Some(last) = last else {
        return Some(
            "no sensor worker is alive, and there never was one: start `attune up` or attune-sensor"
                .to_owned(),
        );
    };
    let ago = seconds(last.ago);
    if last.live || ago < RESTART {
        return None;
    }
    let how = if last.left { "was stopped" } else { "was heard" };
    Some(format!("no sensor worker is alive: the last one, {}, {how} {} ago", last.name, in_words(ago)))
}

fn add(verdicts: &mut Verdicts, due: Due, service: Service<'_>, canary: Option<&Canary>) {
    // Nobody writes another word there: the column has a constraint.
    let Some(status) = Status::of_column(&due.status) else { return };
    let stuck = canary.and_then(|canary| canary.trail().stuck());
    let canary = due.canary.zip(canary).map(|(every, canary)| sensor_status::Canary {
        every: seconds(every),
        arrived: canary.arrived_ago.map(seconds),
        stuck: stuck.as_deref(),
    });
    let sensor = Watched { canary, ..watched(status, &due) };
    let Verdict { event, look_again } = judge(&sensor, service);
    let following = event.and_then(|event| follow(status, &due, event));
    verdicts.sensor.push(due.sensor);
    verdicts.from.push(due.status);
    verdicts.epoch.push(due.epoch);
    verdicts.last_tick.push(due.last_tick);
    verdicts.to.push(following.as_ref().map(|state| state.status().as_str().to_owned()));
    verdicts.reason.push(following.as_ref().and_then(|state| state.reason().map(str::to_owned)));
    verdicts.look_again.push(look_again.as_secs_f64());
}

/// The state after a verdict. One that the table does not know would be a bug of [`judge`], and changes nothing.
fn follow(status: Status, due: &Due, event: Event) -> Option<State> {
    let state = next(State::of_columns(status, due.reason.clone()), event);
    state.inspect_err(|error| tracing::error!(sensor.id = due.sensor, %error, "A verdict has no place")).ok()
}

fn watched(status: Status, due: &Due) -> Watched<'_> {
    let default =
        |name: &str| due.capabilities.as_ref().and_then(|able| able.get(name)?.as_f64()).unwrap_or(SECONDS);
    Watched {
        status,
        reason: due.reason.as_deref(),
        since: seconds(due.since),
        run_for: seconds(due.run_since),
        owner_for: seconds(due.owner_since),
        is_enabled: due.enabled,
        is_paused: due.paused,
        is_owned: due.owned,
        is_stream: due.mode == Mode::Stream.as_str(),
        beats: due.beats,
        interval: seconds(due.poll_interval.unwrap_or_else(|| default("poll_interval"))),
        timeout: seconds(due.timeout.unwrap_or_else(|| default("sensor_timeout"))),
        expect: due.expect.as_ref().unwrap_or(&Value::Null),
        canary: None,
        clocks: Clocks {
            tick: due.tick.map(seconds),
            contact: due.contact.map(seconds),
            event: due.event.map(seconds),
        },
        overdue: due.overdue.filter(|overdue| *overdue > 0.0).map(seconds),
    }
}

/// What the database counts. In the future, by a clock that was wrong, is now.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_is_gone_is_named() {
        let worker = |live, left, ago| LastWorker { name: "sensor-a".to_owned(), live, left, ago };
        assert_eq!(gone(Some(&worker(true, false, 1.0))), None);
        assert_eq!(gone(Some(&worker(false, true, 3.0))), None, "it may be about to come back");
        assert_eq!(
            gone(Some(&worker(false, false, 42.0))).unwrap(),
            "no sensor worker is alive: the last one, sensor-a, was heard 42s ago"
        );
        assert!(gone(Some(&worker(false, true, 7.5))).unwrap().ends_with("was stopped 7s 500ms ago"));
        assert!(gone(None).unwrap().contains("never was one"));
    }
}
