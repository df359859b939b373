//! `POST /api/events`: one event, or several that go in together or not at all.
//!
//! This is the hot path: one parse, one submission to ingest, which shares its commit with whatever else waits.

use std::sync::Arc;
use std::time::Duration;

use attune_common::repositories::listing::Noun;
use attune_common::repositories::run_token::Bearer;
use attune_executor::ingest::{IngestError, NewEvent, Origin, Receipt, Refusal, Submission};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::rows;
use crate::body;
use crate::failure::{Failure, Kind};
use crate::run;
use crate::state::Api;
use crate::trust::Trust;

/// A request's body.
const LIMIT: usize = 8 * 1024 * 1024;
/// Events of one request.
const MAX_EVENTS: usize = 1000;
/// How long a request waits for a database that is away.
const PATIENCE: Duration = Duration::from_secs(5);

/// One event as it is posted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    trigger: String,
    #[serde(default)]
    payload: Map<String, Value>,
    key: Option<String>,
    trigger_params: Option<Map<String, Value>>,
    source: Option<String>,
}

/// 201 and the id, or 200 when the key was there already; for a list a list.
pub(super) async fn post(
    State(api): State<Arc<Api>>,
    trust: Trust,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let run = request.extensions().get::<Bearer>().cloned();
    let bytes = body::read(request, body::json(LIMIT)).await?;
    let is_list = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let posted: Vec<Posted> = if is_list { body::parse(&bytes)? } else { vec![body::parse(&bytes)?] };
    check(&posted, bytes.len(), api.limits.event_payload_bytes)?;
    if posted.is_empty() {
        return Ok((StatusCode::OK, Json(json!([]))));
    }
    let mut submission = submission(posted)?;
    if let (Some(run), Origin::Post { source }) = (run, &mut submission.origin) {
        submission.origin = run::origin(&api, run, source.take(), submission.events.len()).await?;
    }
    let chain = match &submission.origin {
        Origin::Run { cause, .. } => cause.root.map(|root| (root, submission.events.len())),
        _ => None,
    };
    let outcome = api.ingest.submit(submission, PATIENCE).await;
    if let Some((root, events)) = chain {
        run::count_out(&api, root, events, outcome.as_ref().ok()).await;
    }
    match outcome {
        Ok(receipt) => Ok(answer(&receipt, is_list)),
        Err(error) => Err(failure(&api, trust, error, is_list).await),
    }
}

fn check(posted: &[Posted], size: usize, limit: u64) -> Result<(), Failure> {
    if posted.len() > MAX_EVENTS {
        return Err(Failure::unprocessable(format!("a request takes at most {MAX_EVENTS} events")));
    }
    // A payload is no larger than the body around it.
    if size as u64 <= limit {
        return Ok(());
    }
    let is_large = |event: &&Posted| json!(event.payload).to_string().len() as u64 > limit;
    match posted.iter().find(is_large) {
        Some(_) => Err(Failure::Refused(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("a payload is larger than {limit} bytes"),
        )),
        None => Ok(()),
    }
}

fn submission(mut posted: Vec<Posted>) -> Result<Submission, Failure> {
    let source = posted.first_mut().and_then(|event| event.source.take());
    if posted.iter().skip(1).any(|event| event.source != source) {
        return Err(Failure::unprocessable("the events of one request must have the same source"));
    }
    let events = posted.into_iter().map(|event| NewEvent {
        trigger: event.trigger,
        payload: Value::Object(event.payload),
        trigger_params: event.trigger_params.map(Value::Object),
        key: event.key,
    });
    Ok(Submission { origin: Origin::Post { source }, events: events.collect() })
}

fn answer(receipt: &Receipt, is_list: bool) -> (StatusCode, Json<Value>) {
    let one = |((id, enforcements), failed): ((&Option<i64>, &usize), &usize)| match id {
        Some(id) => json!({"id": id, "enforcements": enforcements, "failed": failed}),
        None => json!({"duplicate": true}),
    };
    let status =
        if receipt.events.iter().any(Option::is_some) { StatusCode::CREATED } else { StatusCode::OK };
    let mut results: Vec<Value> =
        receipt.events.iter().zip(&receipt.enforcements).zip(&receipt.failed).map(one).collect();
    let body = if is_list { Value::Array(results) } else { results.pop().unwrap_or_default() };
    (status, Json(body))
}

async fn failure(api: &Api, trust: Trust, error: IngestError, is_list: bool) -> Failure {
    match error {
        IngestError::Refused { index, refusal } => {
            let place = if is_list { format!("event {index}: ") } else { String::new() };
            refused(api, trust, &place, refusal).await
        }
        IngestError::FanOut { .. } => Failure::unprocessable(error.to_string()),
        IngestError::Database(ref database) => match Kind::of(database) {
            // What takes time is the company it goes in with, or a lock: the next attempt may be quick.
            Kind::TooSlow => Failure::Unavailable(error.into()),
            kind => Failure::database(kind, error),
        },
        IngestError::Unavailable(_) | IngestError::Stopped => Failure::Unavailable(error.into()),
        IngestError::Fenced { .. } => Failure::Bug(error.into()),
    }
}

async fn refused(api: &Api, trust: Trust, place: &str, refusal: Refusal) -> Failure {
    let message = format!("{place}{refusal}");
    match refusal {
        Refusal::UnknownTrigger(name) => match rows::missing(api, trust, Noun::Trigger, &name).await {
            Failure::Refused(status, message) => Failure::Refused(status, format!("{place}{message}")),
            other => other,
        },
        Refusal::DisabledTrigger(_) => Failure::conflict(message),
        Refusal::Held(over) => Failure::Later(over.wait, format!("{message}; try again in {} s", over.wait)),
        Refusal::BrokenSchema { .. }
        | Refusal::Payload(_)
        | Refusal::TriggerParams(_)
        | Refusal::NotStorable(_)
        | Refusal::Key { .. }
        | Refusal::OutOfWork(_)
        | Refusal::TooManyRules(_)
        | Refusal::TooManyBytes(_) => Failure::unprocessable(message),
    }
}
