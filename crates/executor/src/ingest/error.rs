//! Why a submission does not go in.

use std::sync::Arc;

/// Why one event can not be taken. The words are the reason in `event_rejected` too.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such trigger.
    #[error("there is no trigger {0}")]
    UnknownTrigger(String),
    /// The trigger takes no events now.
    #[error("trigger {0} is disabled, by itself or with its pack")]
    DisabledTrigger(String),
    /// The trigger's own schema is no schema.
    #[error("the payload_schema of trigger {trigger} is unusable: {fault}")]
    BrokenSchema {
        /// Its ref.
        trigger: String,
        /// What is wrong with it.
        fault: String,
    },
    /// The payload does not look as the trigger says.
    #[error("payload: {0}")]
    Payload(String),
    /// Its parameters do not look as the trigger says.
    #[error("trigger_params: {0}")]
    TriggerParams(String),
    /// PostgreSQL can not store it.
    #[error("payload: {0}")]
    NotStorable(String),
    /// Its key, or the source that it names, can not be one.
    #[error("{field} {reason}")]
    Key {
        /// `key` or `source`.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// Why a submission did not go in. Nothing of it is in the database, unless the variant says otherwise.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IngestError {
    /// A posted event can not be taken; the submission as a whole was not.
    #[error("event {index}: {refusal}")]
    Refused {
        /// Which one, from 0.
        index: usize,
        /// Why.
        refusal: Refusal,
    },
    /// The sensor is no longer the submitter's.
    #[error("sensor {sensor} was taken over by another worker")]
    Fenced {
        /// Its ref.
        sensor: String,
    },
    /// The database did not take it in time; it may or may not be in when the server went away in the middle.
    #[error("the database does not answer")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// The database refused it for good.
    #[error("the database refused the events")]
    Database(#[source] Arc<sqlx::Error>),
    /// Ingest has ended.
    #[error("ingest has stopped")]
    Stopped,
}
