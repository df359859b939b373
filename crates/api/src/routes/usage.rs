//! `GET /api/sensors/{ref or id}/usage` and the same of actions: what it took in the last hour and the last day.

use std::sync::Arc;

use attune_common::repositories::listing::Noun;
use attune_common::repositories::usage::{self, Kind, Used};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::rows::{self, Key};
use crate::failure::Failure;
use crate::readers::Reader;
use crate::state::Api;

/// Adds the two endpoints.
pub(super) fn add(router: Router<Arc<Api>>) -> Router<Arc<Api>> {
    [(Noun::Sensor, Kind::Sensor), (Noun::Action, Kind::Action)].into_iter().fold(router, |router, of| {
        let show = move |State(api): State<Arc<Api>>, reader: Reader, key: Key| async move {
            show(&api, &reader, of, key).await
        };
        router.route(&format!("/api/{}s/{{key}}/usage", of.0.name()), get(show))
    })
}

async fn show(
    api: &Api,
    reader: &Reader,
    (noun, kind): (Noun, Kind),
    key: Key,
) -> Result<Json<Value>, Failure> {
    let row = rows::find(api, reader, noun, &rows::text(key)?).await?;
    let id = row["id"].as_i64().unwrap_or_default();
    let is_stream = row["mode"] == "stream";
    let last_hour = usage::last_hour(reader, kind, id).await?;
    let last_day = usage::last_day(reader, kind, id).await?;
    Ok(Json(json!({"last_hour": figures(&last_hour, is_stream), "last_day": figures(&last_day, is_stream)})))
}

/// What is not known is null: the processor time of hosts that do not tell it, and what the runs of a stream are like, which
/// goes on as a rule.
fn figures(used: &Used, is_stream: bool) -> Value {
    let per = |us: i64, runs: i64| (runs > 0 && !is_stream).then(|| millis(us / runs));
    let is_metered = used.runs == 0 || used.metered > 0 || used.cpu_us > 0;
    json!({
        "runs": used.runs,
        "failed": used.failed,
        "timed_out": used.timed_out,
        "stopped": used.stopped,
        "cpu_ms": is_metered.then(|| millis(used.cpu_us)),
        "cpu_ms_per_run": per(used.cpu_us, used.metered),
        "wall_ms": millis(used.wall_us),
        "wall_ms_per_run": per(used.wall_us, used.runs),
        "longest_ms": millis(used.longest_us),
        "output_bytes": used.output_bytes,
        "events": used.events,
        "peak_memory_bytes": Some(used.peak_memory_bytes).filter(|bytes| *bytes > 0),
    })
}

#[expect(clippy::cast_precision_loss, reason = "beyond a hundred years a microsecond does not matter")]
fn millis(us: i64) -> f64 {
    us as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used() -> Used {
        Used { runs: 4, metered: 2, cpu_us: 3_000, wall_us: 8_500, ..Used::default() }
    }

    #[test]
    fn what_a_run_takes_is_that_of_the_runs_it_is_known_of() {
        let shown = figures(&used(), false);
        assert_eq!((&shown["cpu_ms_per_run"], &shown["wall_ms_per_run"]), (&json!(1.5), &json!(2.125)));
        assert_eq!(shown["peak_memory_bytes"], Value::Null);
        let shown = figures(&used(), true);
        assert_eq!((&shown["cpu_ms"], &shown["wall_ms_per_run"]), (&json!(3.0), &Value::Null));
    }

    #[test]
    fn a_host_that_does_not_tell_has_no_processor_time_rather_than_none() {
        let shown = figures(&Used { metered: 0, cpu_us: 0, ..used() }, false);
        assert_eq!((&shown["cpu_ms"], &shown["cpu_ms_per_run"]), (&Value::Null, &Value::Null));
        assert_eq!(figures(&Used::default(), false)["cpu_ms"], json!(0.0));
    }
}
