//! How much of the API one caller can take from the others.
//!
//! Ingest is what must never wait: a poll that is not read is still there a second later, an event that was refused may be
//! gone. So everything that a reader can hold has a bound here: a connection, a place in the database, bytes in memory,
//! and the time for each.

use std::time::Duration;

/// How much of the API one caller can take from the others.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once. One more ends the one that has been idle for longest.
    pub connections: usize,
    /// Connections that requests without a token never use. Half of them are for requests with the token of a run, at most.
    pub reserved: usize,
    /// Until the first byte of the first request.
    pub first_byte: Duration,
    /// From the first byte of a request to the end of its head.
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// How long a sender or a receiver may do nothing.
    pub stall: Duration,
    /// Bytes per second below which the time of `stall` runs out.
    pub rate: u32,
    /// How long the rest of a request is read and thrown away, so that its sender comes to read the answer.
    pub linger: Duration,
    /// How much of it.
    pub linger_bytes: u64,
    /// Requests without the token that read the database at once.
    pub readers: u32,
    /// Requests with the token that read the database at once, beside those.
    pub reserved_readers: u32,
    /// Tokens of runs that are looked up at once, beside those.
    pub run_readers: u32,
    /// How long a request waits for one of these places, and for memory.
    pub wait: Duration,
    /// After this the database ends a statement of a reader.
    pub statement: Duration,
    /// Bytes of one page of a list. One row is never too much.
    pub page_bytes: usize,
    /// Bytes of all answers under way to requests without the token; as many again to those with it.
    pub answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            reserved: 128,
            first_byte: Duration::from_secs(10),
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            head_bytes: 64 * 1024,
            stall: Duration::from_secs(30),
            rate: 64 * 1024,
            linger: Duration::from_secs(5),
            linger_bytes: 128 * 1024 * 1024,
            readers: 4,
            reserved_readers: 2,
            run_readers: 2,
            wait: Duration::from_secs(5),
            statement: Duration::from_secs(5),
            page_bytes: 8 * 1024 * 1024,
            answer_bytes: 64 * 1024 * 1024,
        }
    }
}
