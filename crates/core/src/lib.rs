//! Pure decisions of Attune: what matches, what a template gives, which state follows which, what a pack says.
//!
//! Nothing here reads a clock, a socket, a file or a database; everything is a function of its arguments, so that ingest,
//! the command line and the tests decide alike.

pub mod backoff;
pub mod brakes;
pub mod conditions;
pub mod event;
pub mod execution_state;
pub mod limits;
pub mod names;
pub mod output;
pub mod pack;
pub mod path;
mod pattern;
pub mod placement;
pub mod printable;
pub mod protocol;
pub mod retry;
pub mod run_token;
pub mod runtime;
pub mod schedule;
pub mod schema;
pub mod sensor_status;
pub mod template;
pub mod usage;
pub mod version;
pub mod work;
