//! The service that runs sensors.
//!
//! Three parts, in the order in which an event passes them: the manager decides *when* a sensor is polled and on which
//! worker, [`SensorRuntime`] *runs* one poll, and [`EventGenerator`] brings what it printed *into* ingest. A sensor is
//! owned by one worker at a time under an epoch that every ingest checks, so whatever this process believes, an event of
//! a sensor that it lost goes nowhere. One sensor's failure is its own: it is shown with its last error and tried again
//! later, and the others go on. The [`workbench`] runs one poll by hand, without a database.

mod canary;
mod definition;
mod error;
mod generator;
mod manager;
mod missing;
mod pass;
mod pause;
mod registration;
mod runtime;
mod service;
mod stream;
mod timeline;
pub mod workbench;

pub use definition::Sensor;
pub use error::Error;
pub use generator::{EventGenerator, GenerateError};
pub use manager::{Figures, Snapshot};
pub use registration::SensorWorkerRegistration;
pub use runtime::{Job, PollError, PollOutput, SensorRuntime};
pub use service::{DRAIN, SensorService, Surroundings};
