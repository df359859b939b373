//! `GET /metrics`: how Attune fares, for Prometheus. Read like everything else here, without the token.

use std::sync::Arc;

use attune_common::repositories::scrape;
use axum::extract::State;
use axum::response::Response;

use crate::failure::Failure;
use crate::metrics::{self, CONTENT_TYPE, MOST};
use crate::readers::Reader;
use crate::state::Api;

/// The page. It may be large, so it is written beside the tasks of the API.
pub(super) async fn metrics(State(api): State<Arc<Api>>, reader: Reader) -> Result<Response, Failure> {
    let slow =
        || reader.failed("the figures", "there may be more sensors and actions than this database can count");
    let things = scrape::list_things(&reader, MOST).await.map_err(slow())?;
    let counts = scrape::list_counts(&reader).await.map_err(slow())?;
    let written = tokio::task::spawn_blocking(move || metrics::page(&things, &counts)).await;
    let page =
        written.map_err(|error| Failure::Bug(error.into()))?.map_err(|error| Failure::Bug(error.into()))?;
    Ok(api.answers.whole(reader.trust, page.as_bytes()).await?.send(CONTENT_TYPE))
}
