//! The last ticks of a sensor, as `sensor_state.ticks` has them: the newest first, each
//! `[milliseconds since 1970, milliseconds it took, milliseconds it was late, events, error]`. Arrays, because there are many
//! and the names of their parts are the same in all; a part that makes no sense is null, and what follows the last is left out.
//!
//! Their times are for people to read, by the clock of this machine; whatever is decided goes by the clock of the database.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::generator::millis;

/// As many are kept.
const LENGTH: usize = 20;
/// As much is quoted of an error, in characters.
const EXCERPT: usize = 120;

/// Ticks that are not written yet, the newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Timeline(Vec<Value>);

impl Timeline {
    /// A poll that ended now.
    pub(crate) fn polled(at: SystemTime, took: Duration, late: Duration, events: usize) -> Self {
        Self(vec![json!([since_1970(at), millis(took), millis(late), events])])
    }

    /// A poll that failed.
    pub(crate) fn failed(at: SystemTime, took: Duration, late: Duration, error: &str) -> Self {
        Self(vec![json!([since_1970(at), millis(took), millis(late), 0, excerpt(error)])])
    }

    /// A stream that committed so many events. A checkpoint by itself is not shown.
    pub(crate) fn committed(at: SystemTime, events: usize) -> Self {
        let tick = (events > 0).then(|| json!([since_1970(at), null, null, events]));
        Self(tick.into_iter().collect())
    }

    /// A stream that failed after it ran for so long.
    pub(crate) fn broke(at: SystemTime, lived: Duration, error: &str) -> Self {
        Self(vec![json!([since_1970(at), millis(lived), null, 0, excerpt(error)])])
    }

    /// With older ones.
    pub(crate) fn after(mut self, older: Self) -> Self {
        self.0.extend(older.0);
        self.0.truncate(LENGTH);
        self
    }

    /// The same as JSON text.
    pub(crate) fn to_text(&self) -> String {
        let ticks: Vec<String> = self.0.iter().map(Value::to_string).collect();
        format!("[{}]", ticks.join(","))
    }

    /// As the column has it; none when there is nothing to write.
    pub(crate) fn to_column(&self) -> Option<Value> {
        (!self.0.is_empty()).then(|| Value::Array(self.0.clone()))
    }
}

/// The first line of an error that has something on it.
fn excerpt(error: &str) -> String {
    let line = error.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.chars().take(EXCERPT).filter(|c| *c != '\0').collect()
}

fn since_1970(at: SystemTime) -> i64 {
    millis(at.duration_since(UNIX_EPOCH).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: SystemTime = UNIX_EPOCH;
    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_newest_come_first_and_the_oldest_go() {
        let mut timeline = Timeline::polled(AT, 5 * MS, MS, 0);
        for n in 1..=u32::try_from(LENGTH).unwrap() {
            timeline = Timeline::polled(AT + n * MS, 5 * MS, MS, 2).after(timeline);
        }
        let column = timeline.to_column().unwrap();
        assert_eq!(timeline.to_text(), column.to_string());
        assert_eq!((column.as_array().unwrap().len(), &column[0]), (LENGTH, &json!([20, 5, 1, 2])));
        assert_eq!(column[LENGTH - 1], json!([1, 5, 1, 2]));
    }

    #[test]
    fn of_an_error_stands_there_what_fits() {
        let error = format!("\n  \nit broke: {}\nand more", "x".repeat(500));
        let column = Timeline::failed(AT, MS, MS, &error).to_column().unwrap();
        let said = column[0][4].as_str().unwrap();
        assert!(said.starts_with("it broke: x") && said.len() == EXCERPT, "{said}");
    }

    #[test]
    fn a_checkpoint_without_events_is_no_tick() {
        assert_eq!(Timeline::committed(AT, 0).to_column(), None);
        assert_eq!(Timeline::committed(AT, 3).to_column(), Some(json!([[0, null, null, 3]])));
    }
}
