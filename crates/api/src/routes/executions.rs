//! `POST /api/executions/{id}/cancel` and `.../retry`: stop one, run one again; `POST /api/executions/cancel`: stop many.

use std::sync::Arc;

use attune_common::repositories::execution_order::{self, Wanted};
use attune_core::sensor_status::span;
use attune_executor::cancel::{self, Cancelled, cancel_execution};
use attune_executor::cancel_where::cancel_where;
use attune_executor::retry::{self, retry_execution};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::actions;
use super::rows::{self, Key};
use crate::body;
use crate::failure::Failure;
use crate::state::Api;

/// More than the one field takes.
const LIMIT: usize = 1024;

/// What the caller of a retry sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Again {
    #[serde(default)]
    force: bool,
}

/// 200 when it is cancelled, 202 when its worker has to end it first, 409 when it has ended.
pub(super) async fn cancel(
    State(api): State<Arc<Api>>,
    key: Key,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let id = id(key)?;
    let Nothing {} = body::parse(&body::read(request, body::json(LIMIT)).await?)?;
    match cancel_execution(&api.pool, &api.hints, id).await {
        Ok(Cancelled::AtOnce) => {
            Ok((StatusCode::OK, Json(json!({"id": id, "status": "cancelled", "changed": true}))))
        }
        Ok(asked) => {
            let changed = asked == Cancelled::Asked;
            Ok((StatusCode::ACCEPTED, Json(json!({"id": id, "status": "running", "changed": changed}))))
        }
        Err(error @ cancel::Error::Unknown(_)) => Err(Failure::not_found(error.to_string())),
        Err(error @ cancel::Error::Ended(..)) => Err(Failure::conflict(error.to_string())),
        Err(cancel::Error::Database(error)) => Err(error.into()),
    }
}

/// Which executions a caller wants cancelled, in the columns of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Many {
    #[serde(default)]
    r#where: Where,
    /// Only counts them.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Where {
    status: Option<String>,
    action_ref: Option<String>,
    rule_ref: Option<String>,
    trigger_ref: Option<String>,
    event: Option<i64>,
    /// A span such as `1h`.
    older_than: Option<Value>,
}

/// 200 and how many were cancelled at once, and how many their workers end. They are cancelled in batches.
pub(super) async fn cancel_many(
    State(api): State<Arc<Api>>,
    request: Request,
) -> Result<Json<Value>, Failure> {
    let Many { r#where, dry_run } = body::parse(&body::read(request, body::json(LIMIT)).await?)?;
    let wanted = wanted(r#where)?;
    let counted = if dry_run {
        execution_order::count_wanted(&api.pool, &wanted).await?
    } else {
        cancel_where(&api.pool, &api.hints, &wanted).await?
    };
    Ok(Json(json!({"requested": counted.requested, "running": counted.running, "dry_run": dry_run})))
}

fn wanted(given: Where) -> Result<Wanted, Failure> {
    let older_than = given.older_than.as_ref().map(span).transpose();
    let older_than =
        older_than.map_err(|fault| Failure::unprocessable(format!("where.older_than: {fault}")))?;
    if given.status.as_deref().is_some_and(|status| !matches!(status, "requested" | "running")) {
        return Err(Failure::unprocessable("where.status: what is cancelled is requested or running"));
    }
    let wanted = Wanted {
        status: given.status,
        action_ref: given.action_ref,
        rule_ref: given.rule_ref,
        trigger_ref: given.trigger_ref,
        event: given.event,
        older_than: older_than.map(|span| span.as_secs_f64()),
    };
    if wanted == Wanted::default() {
        let message =
            "where: name what to cancel: status, action_ref, rule_ref, trigger_ref, event or older_than";
        return Err(Failure::unprocessable(message));
    }
    Ok(wanted)
}

/// 201 and the id of the new execution.
pub(super) async fn retry(
    State(api): State<Arc<Api>>,
    key: Key,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let id = id(key)?;
    let asked: Again = body::parse(&body::read(request, body::json(LIMIT)).await?)?;
    match retry_execution(&api.pool, &api.hints, id, asked.force).await {
        Ok(again) => Ok((StatusCode::CREATED, Json(json!({"id": again, "again": id})))),
        Err(error @ retry::Error::Unknown(_)) => Err(Failure::not_found(error.to_string())),
        Err(error @ (retry::Error::NotEnded(..) | retry::Error::Succeeded(_))) => {
            Err(Failure::conflict(error.to_string()))
        }
        Err(retry::Error::Request(error)) => Err(actions::refused(&api, error).await),
        Err(retry::Error::Database(error)) => Err(error.into()),
    }
}

/// An object without fields.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// What cannot be an id names nothing.
pub(super) fn id(key: Key) -> Result<i64, Failure> {
    let key = rows::text(key)?;
    let id = key.parse().ok().filter(|id: &i64| *id > 0);
    id.ok_or_else(|| Failure::not_found(format!("there is no execution {key:?}")))
}
