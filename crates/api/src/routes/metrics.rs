//! `GET /metrics`: how Attune fares, for Prometheus. Read like everything else here, without the token.

use std::sync::Arc;

use attune_common::repositories::scrape;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::failure::Failure;
use crate::metrics::{self, CONTENT_TYPE, MOST};
use crate::state::Api;

/// The page. It may be large, so it is written beside the tasks of the API.
pub(super) async fn metrics(State(api): State<Arc<Api>>) -> Result<impl IntoResponse, Failure> {
    let things = scrape::list_things(&api.pool, MOST).await?;
    let counts = scrape::list_counts(&api.pool).await?;
    let written = tokio::task::spawn_blocking(move || metrics::page(&things, &counts)).await;
    let page =
        written.map_err(|error| Failure::Bug(error.into()))?.map_err(|error| Failure::Bug(error.into()))?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], page))
}
