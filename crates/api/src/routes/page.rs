//! One page of a list: read piece by piece, kept as the text that is sent, and never larger than its bounds.
//!
//! A page ends at its limit of rows, at its limit of bytes, or when answers take all the memory that they may have. When
//! there is more, the header `Link` names the next page, whose limit is the number of rows that this one still owes.
//! Each piece begins where the one before ended, so a statement is short however long the list is, and rows that come in
//! meanwhile move nothing. The database ends a piece at its bytes, so one is small whatever the rows after it have.

use attune_common::repositories::listing::{self, Filter, Noun};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::Value;
use tokio::time::Instant;

use super::rows::JSON;
use super::safe;
use crate::answers::Answer;
use crate::failure::Failure;
use crate::readers::Reader;
use crate::state::Api;

/// Rows of the first piece, when nothing is known of their size.
const FIRST: i64 = 4;
/// Bytes of each further one, more or less; so a piece takes moments of one thread.
const PIECE: usize = 64 * 1024;
/// Bytes after which it ends, when its rows are larger than those before. One row is never too much.
const LARGEST: usize = 256 * 1024;
/// Rows of one piece.
const MOST: i64 = 256;

/// A page in the making.
struct Page {
    answer: Answer,
    /// Where the rows after those of the page begin.
    rest: Filter,
    /// Rows that it may still take.
    left: i64,
    most_bytes: usize,
}

/// The rows that pass the filter, as far as they fit.
pub(super) async fn of(api: &Api, reader: &Reader, noun: Noun, filter: Filter) -> Result<Response, Failure> {
    let asked = filter.limit;
    let mut page = Page {
        answer: api.answers.begin(reader.trust),
        left: asked,
        rest: filter,
        most_bytes: api.bounds.page_bytes,
    };
    let has_more = fill(api, reader, noun, &mut page).await?;
    page.answer.end(if page.taken() == 0 { b"[]" } else { b"]" });
    let mut response = page.answer.send(JSON);
    if has_more {
        let limit = if page.left == 0 { asked } else { page.left };
        let link = link(noun, &page.rest, limit);
        let link = HeaderValue::from_str(&link).map_err(|error| Failure::Bug(error.into()))?;
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// Takes in rows until the page or the list ends. Whether there are more.
async fn fill(api: &Api, reader: &Reader, noun: Noun, page: &mut Page) -> Result<bool, Failure> {
    loop {
        let start = Instant::now();
        // One row more than is wanted says whether there are more.
        let asked = page.piece();
        let filter = Filter { limit: asked, ..page.rest.clone() };
        let piece = listing::list(reader, noun, &filter, LARGEST).await;
        let piece = piece.map_err(reader.failed(&format!("the list of {}s", noun.name()), NARROWER))?;
        let got = i64::try_from(piece.rows.len()).unwrap_or(i64::MAX);
        for row in safe::shown(api, reader, noun, piece.rows).await? {
            if !page.take(noun, &row).await? {
                return Ok(true);
            }
        }
        if got < asked && !piece.is_cut {
            return Ok(false);
        }
        api.pace.rest(reader.trust, start.elapsed()).await;
    }
}

/// How to ask for less.
const NARROWER: &str = "ask for fewer rows with `limit`, begin elsewhere with `before` or `after`, or narrow it by other columns";

impl Page {
    /// How many rows to read next.
    fn piece(&self) -> i64 {
        let taken = self.taken();
        let fitting = match usize::try_from(taken) {
            Ok(taken @ 1..) => PIECE / (self.answer.len() / taken).max(1),
            _ => return FIRST.min(self.left + 1),
        };
        i64::try_from(fitting).unwrap_or(MOST).clamp(1, MOST).min(self.left + 1)
    }

    fn taken(&self) -> i64 {
        self.rest.limit - self.left
    }

    /// Takes a row in, unless the page is full.
    async fn take(&mut self, noun: Noun, row: &Value) -> Result<bool, Failure> {
        let is_first = self.taken() == 0;
        let text = format!("{}{row}", if is_first { '[' } else { ',' });
        let fits = is_first || self.answer.len() + text.len() < self.most_bytes;
        if self.left == 0 || !fits || !self.answer.push(text.as_bytes()).await? {
            return Ok(false);
        }
        self.left -= 1;
        if self.rest.move_past(noun, row) {
            return Ok(true);
        }
        // Without its place the rows after it would never be found.
        Err(Failure::Bug(format!("a {} has no id or no name", noun.name()).into()))
    }
}

fn link(noun: Noun, rest: &Filter, limit: i64) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (column, value) in &rest.equals {
        query.append_pair(column, value);
    }
    if let Some(id) = rest.before {
        query.append_pair("before", &id.to_string());
    }
    if let Some((name, id)) = &rest.after {
        query.append_pair("after", name).append_pair("after_id", &id.to_string());
    }
    let query = query.append_pair("limit", &limit.to_string()).finish();
    format!("</api/{}s?{query}>; rel=\"next\"", noun.name())
}
