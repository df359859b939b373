//! `GET /api/NOUNs` and `GET /api/NOUNs/{ref or id}`: rows as objects whose fields are named as the columns.

use std::sync::Arc;

use attune_common::repositories::listing::{self, Filter, Noun};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use super::view;
use crate::failure::Failure;
use crate::state::Api;

const DEFAULT_LIMIT: i64 = 100;
const MAX_LIMIT: i64 = 1000;

type Pairs = Result<Query<Vec<(String, String)>>, QueryRejection>;
/// A part of the path; unusable percent-encoding is the caller's fault.
pub(super) type Key = Result<Path<String>, PathRejection>;

/// Adds the two endpoints of a noun.
pub(super) fn add(router: Router<Arc<Api>>, noun: Noun) -> Router<Arc<Api>> {
    let all = move |State(api): State<Arc<Api>>, query: Pairs| async move { list(&api, noun, query).await };
    let one = move |State(api): State<Arc<Api>>, key: Key| async move { show(&api, noun, key).await };
    let path = format!("/api/{}s", noun.name());
    router.route(&path, get(all)).route(&format!("{path}/{{key}}"), get(one))
}

async fn list(api: &Api, noun: Noun, query: Pairs) -> Result<Json<Vec<Value>>, Failure> {
    let Query(pairs) = query.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    let rows = listing::list(&api.pool, noun, &filter(noun, pairs)?).await?;
    Ok(Json(view::of_rows(&api.pool, &api.ingest.rules().current(), noun, rows).await?))
}

async fn show(api: &Api, noun: Noun, key: Key) -> Result<Json<Value>, Failure> {
    Ok(Json(find(api, noun, &text(key)?).await?))
}

/// The row, or a 404 that says what was probably meant.
pub(super) async fn find(api: &Api, noun: Noun, key: &str) -> Result<Value, Failure> {
    let row = listing::find(&api.pool, noun, key).await?;
    match view::of_rows(&api.pool, &api.ingest.rules().current(), noun, Vec::from_iter(row)).await?.pop() {
        Some(row) => Ok(row),
        None => Err(missing(api, noun, key).await),
    }
}

/// Says that something does not exist, and what was probably meant.
pub(super) async fn missing(api: &Api, noun: Noun, key: &str) -> Failure {
    let hint = match listing::find_near(&api.pool, noun, key).await {
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
    for (name, value) in pairs {
        match name.as_str() {
            "limit" => filter.limit = number("limit", &value, 1..=MAX_LIMIT)?,
            "before" => filter.before = Some(number("before", &value, i64::MIN..=i64::MAX)?),
            column if noun.filters().contains(&column) => {
                filter.equals.push((checked(column, &value)?, value));
            }
            _ => return Err(unknown(noun, &name)),
        }
    }
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

fn unknown(noun: Noun, name: &str) -> Failure {
    let known = noun.filters().join(", ");
    Failure::bad_request(format!(
        "{name:?} is no parameter of a list of {}s; there are {known}, limit and before",
        noun.name()
    ))
}
