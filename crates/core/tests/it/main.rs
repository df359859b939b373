//! What broken programs write, and what authors may write, against every reader of it; and when timers fire.

#![expect(clippy::unwrap_used, reason = "what a test can not set up should end it")]

mod corpus;
mod floods;
mod fuzz;
mod schedule;
