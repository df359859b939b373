//! What a monitoring system reads: Prometheus text, format 0.0.4, made of the database when it is asked for.
//!
//! Everything is from two statements, so it is the same whichever API answers, and no process has to be reached. Counters are
//! columns that are only ever added to, so they do not go down at a restart; the series of what is deleted ends. How many
//! series there are is bounded by [`MOST`].
//!
//! Each family is written before the next one is made, and the crate writes the text: values are other people's.

mod counts;
mod family;
mod names;
mod process;
mod things;

use attune_common::repositories::scrape::{Count, Thing};
use prometheus::{TEXT_FORMAT, TextEncoder};

use family::Family;

/// Sensors and actions of which each has series of its own, by name; of more there are only the numbers by status. A page of
/// so many sensors has some 9 MB.
pub(crate) const MOST: i64 = 10_000;

/// What a page is.
pub(crate) const CONTENT_TYPE: &str = TEXT_FORMAT;

/// The page.
pub(crate) fn page(things: &[Thing], counts: &[Count]) -> Result<String, prometheus::Error> {
    let mut page = Page::default();
    things::write(&mut page, things)?;
    counts::write(&mut page, counts)?;
    process::write(&mut page)?;
    Ok(page.0)
}

/// A page that is being written.
#[derive(Debug, Default)]
struct Page(String);

impl Page {
    /// Writes a family. One without samples is left out.
    fn add(&mut self, family: Family) -> Result<(), prometheus::Error> {
        match family.into_inner() {
            Some(family) => TextEncoder::new().encode_utf8(&[family], &mut self.0),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
