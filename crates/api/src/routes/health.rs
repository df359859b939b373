//! `GET /api/health`: whether the API and its database answer, and whether this is safe mode.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::state::Api;

/// 200 when both answer, 503 when the database does not.
pub(super) async fn health(State(api): State<Arc<Api>>) -> Result<Json<Value>, Failure> {
    let config_version = api.health.config_version().await?;
    let mode = if api.safe { "safe" } else { "normal" };
    let version = env!("CARGO_PKG_VERSION");
    Ok(Json(json!({"status": "ok", "mode": mode, "version": version, "config_version": config_version})))
}
