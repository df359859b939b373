//! What `attune up --safe` does not do: it evaluates nothing that an author or operator wrote and that is stored, so that such
//! a thing can be found and mended although it kills whatever evaluates it. What is loaded or applied meanwhile is checked as
//! ever.

use std::sync::Arc;

use attune_common::repositories::listing::Noun;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::view;
use crate::failure::Failure;
use crate::readers::Reader;
use crate::state::Api;

/// The rows as they may be shown.
pub(super) async fn shown(
    api: &Api,
    reader: &Reader,
    noun: Noun,
    rows: Vec<Value>,
) -> sqlx::Result<Vec<Value>> {
    let rules = api.ingest.rules().current();
    if api.safe {
        return Ok(view::of_rows_unread(&rules, noun, rows));
    }
    view::of_rows(reader, rules, noun, rows).await
}

/// Keeps from its endpoint what would have to be evaluated.
pub(super) async fn refuse_evaluation(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    if !api.safe {
        return next.run(request).await;
    }
    let message = "Attune runs in safe mode, which takes no events and runs nothing; mend what is wrong, then start it without --safe";
    Failure::Refused(StatusCode::SERVICE_UNAVAILABLE, message.to_owned()).into_response()
}
