//! A tick that somebody wants now.
//!
//! The wish is a row, which the owner of the sensor hears of at once and looks for each second; when the owner dies, the next
//! one finds it. What nobody would poll is refused here, in words that say what to do.

use attune_common::repositories::poke;
use attune_common::repositories::sensor_order::{self, Ordered};
use attune_core::pack::Mode;
use attune_core::sensor_status::Status;
use attune_hints::{Hints, Topic};
use serde::Serialize;
use sqlx::PgPool;

/// A wish that is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Poked {
    /// The ref of the sensor.
    pub r#ref: String,
    /// The number of the wish: it is answered when `pokes` of the sensor is as high.
    pub poke: i64,
    /// `poll`: it is polled; `stream`: it is started again.
    pub mode: String,
}

/// Why nobody will poll it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such sensor.
    #[error("there is no sensor {0:?}")]
    Unknown(String),
    /// Not now.
    #[error("{0}")]
    Refused(String),
    /// The database refused or did not answer.
    #[error("can not ask for a tick")]
    Database(#[from] sqlx::Error),
}

/// Has a sensor polled now, perhaps with a canary, or a stream started that waits for its restart, or send a canary.
pub async fn poke_sensor(pool: &PgPool, hints: &Hints, name: &str, canary: bool) -> Result<Poked, Error> {
    let found = sensor_order::find(pool, name).await?;
    let sensor = found.ok_or_else(|| Error::Unknown(name.to_owned()))?;
    if let Some(reason) = refusal(name, &sensor, canary) {
        return Err(Error::Refused(format!("sensor {name} {reason}")));
    }
    let poke = poke::ask(pool, sensor.id, canary).await?;
    hints.wake(Topic::Poke);
    Ok(Poked { r#ref: name.to_owned(), poke, mode: sensor.mode })
}

/// Why nobody will poll a sensor, and what to do about that.
fn refusal(name: &str, sensor: &Ordered, canary: bool) -> Option<String> {
    let reason = sensor.reason.as_deref().unwrap_or("nobody says why");
    if !sensor.enabled {
        return Some(format!("is disabled; `attune sensor enable {name}` lets it run"));
    }
    if let Some(pack) = &sensor.disabled_pack {
        return Some(format!(
            "does not run, since its pack {pack} is disabled; `attune pack enable {pack}` lets it run"
        ));
    }
    if sensor.paused {
        return Some(format!("is paused: {reason}; `attune sensor resume {name}` has it polled again"));
    }
    match Status::of_column(&sensor.status) {
        Some(Status::Unschedulable) => Some(format!("can not be polled: {reason}")),
        Some(Status::Failing) => None,
        status if sensor.mode == Mode::Stream.as_str() && !canary => Some(format!(
            "is a stream, which is not polled but says itself what happens; it is {}",
            status.map_or("unknown", Status::as_str)
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_would_poll_is_refused_with_what_to_do() {
        let sound = Ordered {
            id: 1,
            mode: "poll".to_owned(),
            enabled: true,
            disabled_pack: None,
            paused: false,
            status: "failing".to_owned(),
            reason: None,
        };
        let stream = Ordered { mode: "stream".to_owned(), ..sound.clone() };
        for sensor in [&sound, &stream, &Ordered { status: "starting".to_owned(), ..sound.clone() }] {
            assert_eq!(refusal("demo.s", sensor, false), None);
        }
        let reason = Some("it leaks".to_owned());
        let status = |status: &str| status.to_owned();
        let running = Ordered { status: status("running"), ..stream };
        assert_eq!(refusal("demo.s", &running, true), None);
        for (sensor, said) in [
            (Ordered { enabled: false, ..sound.clone() }, "`attune sensor enable demo.s`"),
            (
                Ordered { disabled_pack: Some("demo".to_owned()), ..sound.clone() },
                "`attune pack enable demo`",
            ),
            (
                Ordered { paused: true, reason: reason.clone(), ..sound.clone() },
                "it leaks; `attune sensor resume demo.s`",
            ),
            (Ordered { status: status("unschedulable"), reason, ..sound }, "can not be polled: it leaks"),
            (running, "it is running"),
        ] {
            let refusal = refusal("demo.s", &sensor, false).unwrap();
            assert!(refusal.contains(said), "{refusal}");
        }
    }
}
