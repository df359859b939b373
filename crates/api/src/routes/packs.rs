//! `POST /api/packs`: a pack as tar.gz, loaded as a whole or refused with the author's lines. `POST /api/packs/diff`: what that
//! would do, and nothing done. `GET /api/packs/{ref}/content`: the archive back.

use std::sync::Arc;
use std::time::Duration;

use attune_common::repositories::listing::Noun;
use attune_common::repositories::pack;
use attune_executor::load_pack::{LoadError, LoadReport, diff_pack, load_pack};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::rows::{self, Key};
use crate::body::{self, Expected};
use crate::failure::{Failure, Kind};
use crate::guard::check_token;
use crate::readers::Reader;
use crate::state::Api;

/// An archive, which may take its time.
const ARCHIVE: Expected =
    Expected { content_type: "application/gzip", limit: 64 * 1024 * 1024, patience: Duration::from_mins(5) };

/// 200 and the report.
pub(super) async fn load(State(api): State<Arc<Api>>, request: Request) -> Result<Json<LoadReport>, Failure> {
    // Held from before the upload, which is what takes the memory.
    let _slot = api.pack_slots.acquire().await.map_err(|closed| Failure::Bug(closed.into()))?;
    let archive = body::read(request, ARCHIVE).await?;
    load_pack(&api.pool, archive.into(), &api.limits).await.map(Json).map_err(refused)
}

/// 200 and the report of a load that was taken back.
pub(super) async fn diff(State(api): State<Arc<Api>>, request: Request) -> Result<Json<LoadReport>, Failure> {
    let _slot = api.pack_slots.acquire().await.map_err(|closed| Failure::Bug(closed.into()))?;
    let archive = body::read(request, ARCHIVE).await?;
    diff_pack(&api.pool, archive.into(), &api.limits).await.map(Json).map_err(refused)
}

/// 200 and the archive. Files are as their author wrote them, secrets too, and cannot be masked as rows are; so reading
/// them asks for the token.
pub(super) async fn content(
    State(api): State<Arc<Api>>,
    key: Key,
    headers: HeaderMap,
    reader: Reader,
) -> Result<Response, Failure> {
    check_token(&api, &headers)?;
    let name = rows::text(key)?;
    let Some(row) = pack::find(&*reader, &name).await? else {
        return Err(rows::unknown(&reader, Noun::Pack, &name).await);
    };
    let archive = match row.digest {
        Some(digest) => pack::find_content(&reader, &digest).await?,
        None => None,
    };
    let archive = archive.ok_or_else(|| Failure::not_found(format!("pack {name} has no content")))?;
    Ok(api.answers.whole(reader.trust, &archive).await?.send(ARCHIVE.content_type))
}

fn refused(error: LoadError) -> Failure {
    match error {
        LoadError::Faults(faults) => {
            Failure::Faulty("nothing was loaded; the pack is not valid".to_owned(), faults)
        }
        LoadError::Archive(error) => Failure::Faulty(error.to_string(), Vec::new()),
        LoadError::NotNewer(_) => Failure::conflict(error.to_string()),
        LoadError::Database(ref database) => Failure::database(Kind::of(database), error),
        LoadError::Interrupted(_) | LoadError::Write(_) => Failure::Bug(error.into()),
    }
}
