//! Whether a stream still lives: it has to say something within its time, once it has sent a heartbeat.
//!
//! Only its own silence counts. While this side does not read, or has not answered, because the database is slow, the
//! program may be waiting for us, so the clock stands still.

use std::time::Duration;

use tokio::time::Instant;

/// Counts the silence of one program.
#[derive(Debug)]
pub(super) struct Watchdog {
    limit: Duration,
    is_armed: bool,
    /// The silence began here.
    since: Instant,
    /// The clock stands still from here on.
    held: Option<Instant>,
}

impl Watchdog {
    /// One that a first heartbeat arms.
    pub(super) fn new(limit: Duration, now: Instant) -> Self {
        Self { limit, is_armed: false, since: now, held: None }
    }

    /// The program said something.
    pub(super) fn heard(&mut self, now: Instant) {
        self.since = now;
        self.held = self.held.map(|_| now);
    }

    /// The program promised to be heard.
    pub(super) fn arm(&mut self) {
        self.is_armed = true;
    }

    /// Stops the clock, or lets it go on: whether the program may be waiting for this side.
    pub(super) fn hold(&mut self, is_held: bool, now: Instant) {
        match self.held {
            None if is_held => self.held = Some(now),
            Some(from) if !is_held => {
                self.since += now.saturating_duration_since(from);
                self.held = None;
            }
            None | Some(_) => {}
        }
    }

    /// When the program will have been silent for too long.
    pub(super) fn deadline(&self) -> Option<Instant> {
        (self.is_armed && self.held.is_none()).then(|| self.since + self.limit)
    }

    /// How long it may be silent.
    pub(super) fn limit(&self) -> Duration {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn only_a_heartbeat_arms_it_and_every_message_counts() {
        let start = Instant::now();
        let mut watchdog = Watchdog::new(10 * SECOND, start);
        watchdog.heard(start + SECOND);
        assert_eq!(watchdog.deadline(), None);
        watchdog.arm();
        assert_eq!(watchdog.deadline(), Some(start + 11 * SECOND));
        watchdog.heard(start + 5 * SECOND);
        assert_eq!(watchdog.deadline(), Some(start + 15 * SECOND));
    }

    #[tokio::test]
    async fn the_time_in_which_this_side_is_slow_does_not_count() {
        let start = Instant::now();
        let mut watchdog = Watchdog::new(10 * SECOND, start);
        watchdog.arm();
        watchdog.hold(true, start + 4 * SECOND);
        watchdog.hold(true, start + 50 * SECOND);
        assert_eq!(watchdog.deadline(), None);
        watchdog.hold(false, start + 60 * SECOND);
        assert_eq!(watchdog.deadline(), Some(start + 66 * SECOND));
    }

    #[tokio::test]
    async fn what_is_heard_while_it_stands_still_is_not_counted_twice() {
        let start = Instant::now();
        let mut watchdog = Watchdog::new(10 * SECOND, start);
        watchdog.arm();
        watchdog.hold(true, start + SECOND);
        watchdog.heard(start + 30 * SECOND);
        watchdog.hold(false, start + 40 * SECOND);
        assert_eq!(watchdog.deadline(), Some(start + 50 * SECOND));
    }
}
