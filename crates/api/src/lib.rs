//! The HTTP API: what the command line and other programs see of Attune.
//!
//! Rows come out as JSON objects whose fields are named as the columns; events, executions and packs go in. Handlers are
//! thin: each reads its request, calls one use case of `attune_executor` or one query of `attune_common`, and answers.
//!
//! Until there are users, everything rests on four walls, all in force by default: the listener is bound to loopback
//! ([`address`]); requests for another host, or from another origin, are refused (`guard`), so that no web page can
//! reach in; a write names the token ([`token`]); and a body is JSON or a gzip archive, never a form.

pub mod address;
mod answers;
mod body;
mod connection;
mod crowd;
mod door;
mod failure;
mod guard;
mod health;
mod limits;
mod metrics;
mod pace;
mod patience;
mod readers;
mod routes;
mod run;
mod serve;
mod service;
mod state;
mod timed;
pub mod token;
mod trust;

pub use limits::Limits;
pub use service::{ApiService, StartError, run};
