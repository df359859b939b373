//! `GET /api/workers/{id or name}/capabilities`: what a worker says it can do.

use std::sync::Arc;

use attune_common::repositories::listing::Noun;
use axum::Json;
use axum::extract::State;
use serde_json::Value;

use super::rows::{self, Key};
use crate::failure::Failure;
use crate::readers::Reader;
use crate::state::Api;

/// The column `capabilities` alone; `null` before the worker has said anything.
pub(super) async fn capabilities(
    State(api): State<Arc<Api>>,
    reader: Reader,
    key: Key,
) -> Result<Json<Value>, Failure> {
    let mut worker = rows::find(&api, &reader, Noun::Worker, &rows::text(key)?).await?;
    Ok(Json(worker["capabilities"].take()))
}
