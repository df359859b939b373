//! What `attune up --safe` does not do: it evaluates nothing that an author or operator wrote, so that such a thing can be found and
//! mended although it kills whatever evaluates it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::failure::Failure;
use crate::state::Api;

/// Keeps from its endpoint what would have to be evaluated.
pub(super) async fn refuse_evaluation(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    if !api.safe {
        return next.run(request).await;
    }
    let message = "Attune runs in safe mode, which takes no events and runs nothing; mend what is wrong, then start it without --safe";
    Failure::Refused(StatusCode::SERVICE_UNAVAILABLE, message.to_owned()).into_response()
}
