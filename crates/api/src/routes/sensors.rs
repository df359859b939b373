//! `POST /api/sensors/{ref}/pause`, `.../resume` and `.../poke`: not polled for now, polled again, polled now.
//! `GET /api/sensors/{ref}/canary`: how far the last canary came.

use std::sync::Arc;

use attune_common::repositories::canary::{self, Canary};
use attune_common::repositories::listing::Noun;
use attune_common::repositories::sensor_order;
use attune_executor::pause::{self, Paused};
use attune_executor::poke::{self, Poked, poke_sensor};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::executions::Nothing;
use super::rows::{self, Key};
use crate::body;
use crate::failure::Failure;
use crate::readers::Reader;
use crate::state::Api;
use crate::trust::Trust;

/// More than a reason takes.
const LIMIT: usize = 8 * 1024;
/// Characters of a reason: it stands in a line of a list.
const REASON: usize = 1000;

/// What the caller of a pause sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    reason: Option<String>,
}

/// What the caller of a poke sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ticked {
    #[serde(default)]
    canary: bool,
}

/// 200 with how it is now, and whether that is new.
pub(super) async fn pause(
    State(api): State<Arc<Api>>,
    key: Key,
    request: Request,
) -> Result<Json<Paused>, Failure> {
    let name = rows::text(key)?;
    let Asked { reason } = body::parse(&body::read(request, body::json(LIMIT)).await?)?;
    let reason = reason.map(checked).transpose()?;
    found(&api, &name, pause::pause(&api.pool, &name, reason.as_deref()).await?).await
}

/// 200 with how it is now, and whether that is new.
pub(super) async fn resume(
    State(api): State<Arc<Api>>,
    key: Key,
    request: Request,
) -> Result<Json<Paused>, Failure> {
    let name = rows::text(key)?;
    let Nothing {} = body::parse(&body::read(request, body::json(LIMIT)).await?)?;
    found(&api, &name, pause::resume(&api.pool, &name).await?).await
}

/// 202 and the number of the wish; 409 when no worker would poll it.
pub(super) async fn poke(
    State(api): State<Arc<Api>>,
    key: Key,
    request: Request,
) -> Result<(StatusCode, Json<Poked>), Failure> {
    let name = rows::text(key)?;
    let Ticked { canary } = body::parse(&body::read(request, body::json(LIMIT)).await?)?;
    match poke_sensor(&api.pool, &api.hints, &name, canary).await {
        Ok(poked) => Ok((StatusCode::ACCEPTED, Json(poked))),
        Err(poke::Error::Unknown(name)) => Err(rows::missing(&api, Trust::Token, Noun::Sensor, &name).await),
        Err(error @ poke::Error::Refused(_)) => Err(Failure::conflict(error.to_string())),
        Err(poke::Error::Database(error)) => Err(error.into()),
    }
}

/// How far the last canary of a sensor came.
pub(super) async fn canary(reader: Reader, key: Key) -> Result<Json<Value>, Failure> {
    let name = rows::text(key)?;
    let Some(sensor) = sensor_order::find(&reader, &name).await? else {
        return Err(rows::unknown(&reader, Noun::Sensor, &name).await);
    };
    let last = canary::list_last(&reader, &[sensor.id]).await?;
    Ok(Json(last.first().map(Canary::to_json).unwrap_or_default()))
}

async fn found(api: &Api, name: &str, paused: Option<Paused>) -> Result<Json<Paused>, Failure> {
    match paused {
        Some(paused) => Ok(Json(paused)),
        None => Err(rows::missing(api, Trust::Token, Noun::Sensor, name).await),
    }
}

fn checked(reason: String) -> Result<String, Failure> {
    let fault = match reason.trim() {
        "" => "reason is empty",
        text if text.contains('\0') => "reason holds a NUL",
        text if text.chars().count() > REASON => "reason is longer than 1000 characters",
        _ => return Ok(reason),
    };
    Err(Failure::bad_request(fault))
}
