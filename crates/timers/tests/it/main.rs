//! Timers on a real database, at times that the tests choose: nothing here waits for a clock.

#![expect(clippy::unwrap_used, reason = "a helper that fails ends its test")]

mod changes;
mod clocks;
mod outages;
mod together;
mod world;
