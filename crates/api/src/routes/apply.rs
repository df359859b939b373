//! `PUT /api/NOUNs` with `{"file": "rules.yaml", "text": "..."}`: triggers, sensors, actions or rules as YAML documents, created
//! or changed all together or not at all. The text is sent as it was written, so that refusals name its lines.

use std::sync::Arc;

use attune_common::repositories::listing::Noun;
use attune_core::pack::Kind;
use attune_executor::apply::{Applied, ApplyError, apply};
use axum::extract::{Request, State};
use axum::routing::put;
use axum::{Json, Router};
use serde::Deserialize;

use crate::body;
use crate::failure::{Failure, Kind as Cause};
use crate::state::Api;

/// A text of a megabyte, with room for what JSON adds to it.
const LIMIT: usize = 2 * 1024 * 1024;
/// A name that is only shown.
const MAX_NAME: usize = 1000;

/// What the caller sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    file: String,
    text: String,
}

/// Adds the endpoint of a noun whose things may come from a file.
pub(super) fn add(router: Router<Arc<Api>>, noun: Noun) -> Router<Arc<Api>> {
    let Some(kind) = kind(noun) else { return router };
    let all =
        move |State(api): State<Arc<Api>>, request: Request| async move { take(&api, kind, request).await };
    router.route(&format!("/api/{}s", noun.name()), put(all))
}

/// Runtimes become processes; they are an administrator's, by SQL.
fn kind(noun: Noun) -> Option<Kind> {
    match noun {
        Noun::Trigger => Some(Kind::Trigger),
        Noun::Sensor => Some(Kind::Sensor),
        Noun::Action => Some(Kind::Action),
        Noun::Rule => Some(Kind::Rule),
        Noun::Pack
        | Noun::Runtime
        | Noun::Worker
        | Noun::Timer
        | Noun::Event
        | Noun::Enforcement
        | Noun::Execution => None,
    }
}

/// 200 and what became of each document.
async fn take(api: &Api, kind: Kind, request: Request) -> Result<Json<Vec<Applied>>, Failure> {
    let Given { file, text } = body::parse(&body::read(request, body::json(LIMIT)).await?)?;
    if file.is_empty() || file.len() > MAX_NAME {
        return Err(Failure::unprocessable(format!("file must be a name of at most {MAX_NAME} bytes")));
    }
    apply(&api.pool, kind, &file, &text).await.map(Json).map_err(refused)
}

fn refused(error: ApplyError) -> Failure {
    match error {
        ApplyError::Faults(faults) => {
            Failure::Faulty("nothing was applied; the file is not valid".to_owned(), faults)
        }
        ApplyError::Database(ref database) => Failure::database(Cause::of(database), error),
        ApplyError::Interrupted(_) => Failure::Bug(error.into()),
    }
}
