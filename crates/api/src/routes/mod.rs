//! What can be asked, one file per group of endpoints.

mod actions;
mod apply;
mod events;
mod executions;
mod health;
mod logs;
mod masks;
mod metrics;
mod packs;
mod page;
mod rows;
mod safe;
mod sensors;
mod switch;
mod timeline;
mod timers;
mod trials;
mod usage;
mod view;
mod workers;

use std::sync::Arc;

use attune_common::repositories::listing::Noun;
use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::failure::Failure;
use crate::state::Api;

/// Every endpoint. The door stands before it, and checks what comes in.
pub(crate) fn router(api: Arc<Api>) -> Router {
    let nouns = Noun::ALL
        .into_iter()
        .fold(Router::new(), |router, noun| apply::add(switch::add(rows::add(router, noun), noun), noun));
    usage::add(nouns)
        .merge(evaluating(&api))
        .route("/metrics", get(metrics::metrics))
        .route("/api/health", get(health::health))
        .route("/api/workers/{id}/capabilities", get(workers::capabilities))
        .route("/api/executions/{id}/logs", get(logs::logs))
        .route("/api/executions/cancel", post(executions::cancel_many))
        .route("/api/executions/{id}/cancel", post(executions::cancel))
        .route("/api/packs", post(packs::load))
        .route("/api/packs/diff", post(packs::diff))
        .route("/api/packs/{ref}/content", get(packs::content))
        .route("/api/sensors/{ref}/pause", post(sensors::pause))
        .route("/api/sensors/{ref}/resume", post(sensors::resume))
        .route("/api/sensors/{ref}/poke", post(sensors::poke))
        .route("/api/sensors/{ref}/canary", get(sensors::canary))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .with_state(api)
}

/// What has rules, templates or schemas evaluated.
fn evaluating(api: &Arc<Api>) -> Router<Arc<Api>> {
    Router::new()
        .route("/api/events", post(events::post))
        .route("/api/actions/{ref}/executions", post(actions::execute))
        .route("/api/executions/{id}/retry", post(executions::retry))
        .route("/api/rules/{ref}/test", post(trials::test))
        .route_layer(from_fn_with_state(Arc::clone(api), safe::refuse_evaluation))
}

async fn unknown_path(uri: Uri) -> Failure {
    Failure::not_found(format!("there is nothing at {}", uri.path()))
}

async fn wrong_method() -> Failure {
    Failure::Refused(StatusCode::METHOD_NOT_ALLOWED, "this cannot be done here".to_owned())
}
