//! `POST /api/actions/{ref}/executions`: one execution by hand.

use std::sync::Arc;

use attune_common::repositories::listing::Noun;
use attune_executor::request::{self, request_execution};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::rows::{self, Key};
use crate::body;
use crate::failure::Failure;
use crate::state::Api;
use crate::trust::Trust;

/// Parameters, with room for what JSON adds to them.
const LIMIT: usize = 2 * 1024 * 1024;

/// What the caller sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    params: Map<String, Value>,
}

/// 201 and the id of an execution in the queue.
pub(super) async fn execute(
    State(api): State<Arc<Api>>,
    key: Key,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let action = rows::text(key)?;
    let asked: Asked = body::parse(&body::read(request, body::json(LIMIT)).await?)?;
    match request_execution(&api.pool, &api.hints, &action, Value::Object(asked.params)).await {
        Ok(id) => Ok((StatusCode::CREATED, Json(json!({"id": id})))),
        Err(error) => Err(refused(&api, error).await),
    }
}

/// Why an action took no work.
pub(super) async fn refused(api: &Api, error: request::Error) -> Failure {
    match error {
        request::Error::UnknownAction(name) => rows::missing(api, Trust::Token, Noun::Action, &name).await,
        request::Error::Disabled(_) | request::Error::PackDisabled(_) | request::Error::PutAside(..) => {
            Failure::conflict(error.to_string())
        }
        request::Error::Params(_) => Failure::unprocessable(error.to_string()),
        request::Error::Database(error) => error.into(),
    }
}
