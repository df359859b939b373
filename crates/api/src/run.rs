//! Requests with the token of a run: an action or a sensor that says `api: [event.send]` may send events while it runs, and
//! nothing else.
//!
//! A token is looked up in the share of runs, before anything else is done for it: a made-up one costs other runs a moment,
//! and neither ingest nor the holder of the API's token anything.
//!
//! What an action sends carries the execution as its cause, what a sensor sends comes from outside. A chain of causes that
//! is too long, or has too many events, goes no further. Then the poster is told, and so is the log of its execution, since
//! a program may ignore the answer.

use attune_common::repositories::run_token::{self, Bearer, Run, SensorRun};
use attune_core::brakes::ChainFault;
use attune_core::run_token::RunToken;
use attune_executor::ingest::{Cause, Origin, Receipt, SensorRate};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};

use crate::failure::{Failure, Kind};
use crate::guard::bearer;
use crate::state::Api;
use crate::trust::Trust;

/// All that a run may ask.
const ALLOWED: (&Method, &str) = (&Method::POST, "/api/events");

/// The token of a run, when a request names one.
pub(crate) fn named(headers: &HeaderMap) -> Option<RunToken> {
    headers.get(header::AUTHORIZATION).and_then(bearer).and_then(RunToken::named)
}

/// Whether a run may ask this.
pub(crate) fn check(method: &Method, uri: &Uri) -> Result<(), Failure> {
    if (method, uri.path()) == ALLOWED {
        return Ok(());
    }
    let message = "the token of a run may only send events: POST /api/events";
    Err(Failure::Refused(StatusCode::FORBIDDEN, message.to_owned()))
}

/// The run whose token this is.
pub(crate) async fn find(api: &Api, token: &RunToken) -> Result<Bearer, Failure> {
    let message = "the token is of no run that goes on: it ends with the attempt that it was made for";
    let refused = || Failure::Refused(StatusCode::UNAUTHORIZED, message.to_owned());
    let reader = api.readers.place(Trust::Run).await?;
    let found = run_token::find(&reader, &token.hash()).await.map_err(|error| match Kind::of(&error) {
        // To look it up is short. When it is not, the database is at fault and not the question.
        Kind::TooSlow => Failure::Unavailable(error.into()),
        kind => Failure::database(kind, error),
    })?;
    found.ok_or_else(refused)
}

/// Where events come from that a run sends.
pub(crate) async fn origin(
    api: &Api,
    bearer: Bearer,
    source: Option<String>,
    events: usize,
) -> Result<Origin, Failure> {
    match bearer {
        Bearer::Action(run) => of_action(api, run, source, events).await,
        Bearer::Sensor(run) => {
            let SensorRun { sensor, sensor_ref, max_per_minute } = run;
            let source = source.unwrap_or_else(|| sensor_ref.clone());
            Ok(Origin::SensorRun { source, rate: SensorRate { sensor, sensor_ref, max_per_minute } })
        }
    }
}

/// Counts them in their chain first.
async fn of_action(api: &Api, run: Run, source: Option<String>, events: usize) -> Result<Origin, Failure> {
    let fault = match api.limits.chain.next(run.depth) {
        Ok(depth) if is_counted(api, &run, events).await? => {
            let source = source.unwrap_or_else(|| run.action_ref.clone());
            let Run { execution, action_ref, root, .. } = run;
            return Ok(Origin::Run { source, cause: Cause { execution, action_ref, depth, root } });
        }
        Ok(_) => ChainFault::TooMany(api.limits.chain.events),
        Err(fault) => fault,
    };
    run_token::say(&api.pool, &run, format!("Events were refused: {fault}\n").as_bytes()).await?;
    Err(Failure::unprocessable(fault.to_string()))
}

/// Events of a run that were counted in its chain, and are not in, are counted no more: they were refused, or had a key that
/// was there already. Where that fails the chain ends sooner.
pub(crate) async fn count_out(api: &Api, root: i64, events: usize, receipt: Option<&Receipt>) {
    let taken = receipt.map_or(0, |receipt| receipt.events.iter().flatten().count());
    let left = i64::try_from(events.saturating_sub(taken)).unwrap_or(i64::MAX);
    if left == 0 {
        return;
    }
    if let Err(error) = run_token::count_out(&api.pool, root, left).await {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "Events that are not in still count in their chain"
        );
    }
}

/// What began with no event is no chain yet.
async fn is_counted(api: &Api, run: &Run, events: usize) -> sqlx::Result<bool> {
    let Some(root) = run.root else { return Ok(true) };
    let (events, limit) = (i64::try_from(events).unwrap_or(i64::MAX), i64::from(api.limits.chain.events));
    run_token::count(&api.pool, root, events, limit).await
}
