//! `PATCH /api/NOUNs/{ref}` with `{"enabled": true}`: a pack, trigger, sensor, action or rule on or off.

use std::sync::Arc;

use attune_common::repositories::listing::Noun;
use attune_executor::switch::{Switched, can_be_switched, switch};
use axum::extract::{Request, State};
use axum::routing::patch;
use axum::{Json, Router};
use serde::Deserialize;

use super::rows::{self, Key};
use crate::body;
use crate::failure::Failure;
use crate::state::Api;
use crate::trust::Trust;

/// More than the one field takes.
const LIMIT: usize = 1024;

/// What the caller sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    enabled: bool,
}

/// Adds the endpoint of a noun that can be switched.
pub(super) fn add(router: Router<Arc<Api>>, noun: Noun) -> Router<Arc<Api>> {
    if !can_be_switched(noun) {
        return router;
    }
    let one = move |State(api): State<Arc<Api>>, key: Key, request: Request| async move {
        set(&api, noun, key, request).await
    };
    router.route(&format!("/api/{}s/{{key}}", noun.name()), patch(one))
}

/// 200 with what it is now, and whether that is new.
async fn set(api: &Api, noun: Noun, key: Key, request: Request) -> Result<Json<Switched>, Failure> {
    let name = rows::text(key)?;
    let asked: Asked = body::parse(&body::read(request, body::json(LIMIT)).await?)?;
    match switch(&api.pool, noun, &name, asked.enabled).await? {
        Some(switched) => Ok(Json(switched)),
        None => Err(rows::missing(api, Trust::Token, noun, &name).await),
    }
}
