//! `GET /api/NOUNs` and `GET /api/NOUNs/{ref or id}`: rows as objects whose fields are named as the columns.

use std::sync::Arc;

use attune_common::repositories::listing::{self, Filter, Noun};
use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use serde_json::Value;
use sqlx::PgPool;

use super::{page, safe};
use crate::failure::Failure;
use crate::readers::Reader;
use crate::state::Api;
use crate::trust::Trust;

const DEFAULT_LIMIT: i64 = 100;
const MAX_LIMIT: i64 = 1000;
/// What rows are sent as.
pub(super) const JSON: &str = "application/json";

type Pairs = Result<Query<Vec<(String, String)>>, QueryRejection>;
/// A part of the path; unusable percent-encoding is the caller's fault.
pub(super) type Key = Result<Path<String>, PathRejection>;

/// Adds the two endpoints of a noun.
pub(super) fn add(router: Router<Arc<Api>>, noun: Noun) -> Router<Arc<Api>> {
    let all = move |State(api): State<Arc<Api>>, trust: Trust, query: Pairs| async move {
        list(&api, trust, noun, query).await
    };
    let one = move |State(api): State<Arc<Api>>, reader: Reader, key: Key| async move {
        show(&api, &reader, noun, key).await
    };
    let path = format!("/api/{}s", noun.name());
    router.route(&path, get(all)).route(&format!("{path}/{{key}}"), get(one))
}

async fn list(api: &Api, trust: Trust, noun: Noun, query: Pairs) -> Result<Response, Failure> {
    let Query(pairs) = query.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    let filter = filter(noun, pairs)?;
    page::of(api, &api.readers.place_for_list(trust).await?, noun, filter).await
}

async fn show(api: &Api, reader: &Reader, noun: Noun, key: Key) -> Result<Response, Failure> {
    let row = find(api, reader, noun, &text(key)?).await?;
    Ok(api.answers.whole(reader.trust, row.to_string().as_bytes()).await?.send(JSON))
}

/// The row, or a 404 that says what was probably meant.
pub(super) async fn find(api: &Api, reader: &Reader, noun: Noun, key: &str) -> Result<Value, Failure> {
    let row = listing::find(reader, noun, key).await?;
    match safe::shown(api, reader, noun, Vec::from_iter(row)).await?.pop() {
        Some(row) => Ok(row),
        None => Err(unknown(reader, noun, key).await),
    }
}

/// Says to a writer that something does not exist, and what was probably meant.
pub(super) async fn missing(api: &Api, trust: Trust, noun: Noun, key: &str) -> Failure {
    match api.readers.place(trust).await {
        Ok(reader) => unknown(&reader, noun, key).await,
        Err(failure) => failure,
    }
}

/// Says that something does not exist, and what was probably meant.
pub(super) async fn unknown(pool: &PgPool, noun: Noun, key: &str) -> Failure {
    let hint = match listing::find_near(pool, noun, key).await {
        Ok(near) => near.map_or_else(String::new, |name| format!("; did you mean {name}?")),
        Err(error) => return error.into(),
    };
    Failure::not_found(format!("there is no {} {key:?}{hint}", noun.name()))
}

/// A part of the path, which can name something.
pub(super) fn text(key: Key) -> Result<String, Failure> {
    let Path(key) = key.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    if key.contains('\0') { Err(Failure::bad_request("the path holds a NUL")) } else { Ok(key) }
}

fn filter(noun: Noun, pairs: Vec<(String, String)>) -> Result<Filter, Failure> {
    let mut filter = Filter { limit: DEFAULT_LIMIT, ..Filter::default() };
    // Where a page of things begins: a name and, since a worker's is not its own, an id.
    let (mut after, mut after_id) = (None, i64::MAX);
    for (name, value) in pairs {
        match name.as_str() {
            "limit" => filter.limit = number("limit", &value, 1..=MAX_LIMIT)?,
            "before" => filter.before = Some(number("before", &value, i64::MIN..=i64::MAX)?),
            "after" if !noun.is_happening() => after = Some(checked("after", &value).map(|_| value)?),
            "after_id" if !noun.is_happening() => {
                after_id = number("after_id", &value, i64::MIN..=i64::MAX)?;
            }
            column if noun.filters().contains(&column) => {
                filter.equals.push((checked(column, &value)?, value));
            }
            _ => return Err(unknown_parameter(noun, &name)),
        }
    }
    filter.after = after.map(|name| (name, after_id));
    Ok(filter)
}

fn checked(column: &str, value: &str) -> Result<String, Failure> {
    if value.contains('\0') {
        return Err(Failure::bad_request(format!("{column} holds a NUL")));
    }
    if listing::is_id(column) {
        number(column, value, i64::MIN..=i64::MAX)?;
    }
    Ok(column.to_owned())
}

fn number(name: &str, value: &str, range: std::ops::RangeInclusive<i64>) -> Result<i64, Failure> {
    let number = value.parse().ok().filter(|number| range.contains(number));
    let wanted = if range.end() == &i64::MAX {
        "a number".to_owned()
    } else {
        format!("a number from {} to {}", range.start(), range.end())
    };
    number.ok_or_else(|| Failure::bad_request(format!("{name} must be {wanted}, not {value:?}")))
}

fn unknown_parameter(noun: Noun, name: &str) -> Failure {
    let (known, next) = (noun.filters().join(", "), if noun.is_happening() { "before" } else { "after" });
    Failure::bad_request(format!(
        "{name:?} is no parameter of a list of {}s; there are {known}, limit and {next}",
        noun.name()
    ))
}
