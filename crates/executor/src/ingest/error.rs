//! Why a submission does not go in.

use std::sync::Arc;

use attune_core::brakes::{PARAMETERS_OF_A_SUBMISSION, RULES_OF_AN_EVENT, Readable};

use super::fan_out::Bound;
use super::rates::Over;
use super::work_limits::OutOfWork;

/// Why one event cannot be taken. The words are the reason in `event_rejected` too.
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
    /// PostgreSQL cannot store it.
    #[error("payload: {0}")]
    NotStorable(String),
    /// To check it took more than was left.
    #[error("payload: {0}; send fewer events at once, or make the trigger's schema simpler")]
    OutOfWork(OutOfWork),
    /// Its key, or the source that it names, cannot be one.
    #[error("{field} {reason}")]
    Key {
        /// `key` or `source`.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Its trigger or its sensor had as many as it may have within a minute.
    #[error("{0}")]
    Held(Over),
    /// So many rules match it that they are surely not meant to.
    #[error(
        "more than {most} rules match it, and one event may start at most as many executions: `attune rule list --where trigger_ref={0}` lists them",
        most = Readable(RULES_OF_AN_EVENT)
    )]
    TooManyRules(String),
    /// Its rules copy too much of it.
    #[error(
        "the parameters of the executions that it would start take more than {most} MB: `attune rule list --where trigger_ref={0}` lists the rules, which can pass on less of the event",
        most = PARAMETERS_OF_A_SUBMISSION / (1024 * 1024)
    )]
    TooManyBytes(String),
}

/// Why a submission did not go in. Nothing of it is in the database, unless the variant says otherwise.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IngestError {
    /// A posted event cannot be taken; the submission as a whole was not.
    #[error("event {index}: {refusal}")]
    Refused {
        /// Which one, from 0.
        index: usize,
        /// Why.
        refusal: Refusal,
    },
    /// Each event may go in, and all together lead to too much.
    #[error(
        "these {events} events would start {bound}, which is more than one request may: send at most {fits} of them at once; `attune rule list --where trigger_ref={trigger}` shows which rules there are"
    )]
    FanOut {
        /// How many there are.
        events: usize,
        /// So many of them, from the first on, may go in at once.
        fits: usize,
        /// What they would exceed.
        bound: Bound,
        /// The trigger of the first one beyond that.
        trigger: String,
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
