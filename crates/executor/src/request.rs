//! One execution outside any rule: what `attune action run` asks for.

use attune_common::fuse::{self, Part, Thing};
use attune_common::repositories::execution_order::{self, Requested};
use attune_common::repositories::listing;
use attune_core::schema::Schema;
use attune_hints::{Hints, Topic};
use serde_json::Value;
use sqlx::PgPool;

use crate::apart::apart;

/// Why the execution was not requested.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such action.
    #[error("there is no action {0}")]
    UnknownAction(String),
    /// It takes no work now.
    #[error("action {0} is disabled")]
    Disabled(String),
    /// Nor does anything of its pack.
    #[error("action {0} takes no work: its pack is disabled")]
    PackDisabled(String),
    /// Nor does what killed the service.
    #[error("action {0} takes no work: {1}")]
    PutAside(String, String),
    /// The parameters do not look as the action says.
    #[error("params: {0}")]
    Params(String),
    /// The database refused or did not answer.
    #[error("can not request the execution")]
    Database(#[from] sqlx::Error),
}

/// Checks the parameters, fills in defaults, and puts one execution of `action` into the queue. Returns its id.
pub async fn request_execution(
    pool: &PgPool,
    hints: &Hints,
    action: &str,
    params: Value,
) -> Result<i64, Error> {
    let work = Work::check(pool, action, params).await?;
    let requested =
        execution_order::request(pool, action, &work.params).await?.ok_or_else(|| work.refused(action))?;
    Ok(announce(hints, requested))
}

/// Says that there is one more execution. Returns its id.
pub(crate) fn announce(hints: &Hints, requested: Requested) -> i64 {
    hints.wake(if requested.waits { Topic::Turn } else { Topic::Execution });
    requested.id
}

/// Work that an action may be given.
#[derive(Debug)]
pub(crate) struct Work {
    /// With defaults filled in.
    pub(crate) params: Value,
    is_enabled: bool,
}

impl Work {
    /// Checks parameters against the action as it is now.
    pub(crate) async fn check(pool: &PgPool, action: &str, params: Value) -> Result<Self, Error> {
        let row = listing::find(pool, listing::Noun::Action, action).await?;
        let row =
            row.filter(|row| row["ref"] == action).ok_or_else(|| Error::UnknownAction(action.to_owned()))?;
        if let Some(reason) = row["put_aside"].as_str() {
            return Err(Error::PutAside(action.to_owned(), reason.to_owned()));
        }
        let is_enabled = row["enabled"] == true;
        let params = apart(move || checked(&row, params)).await.map_err(Error::Params)?;
        Ok(Self { params, is_enabled })
    }

    /// Why the action took no work.
    pub(crate) fn refused(&self, action: &str) -> Error {
        if self.is_enabled {
            Error::PackDisabled(action.to_owned())
        } else {
            Error::Disabled(action.to_owned())
        }
    }
}

/// Parameters that the action's schema allows, with its defaults.
fn checked(action: &Value, mut params: Value) -> Result<Value, String> {
    let number = |column: &str| action[column].as_i64().unwrap_or(0);
    let _note = fuse::note(Thing::Action, Part::Check, number("id"), number("config_version"));
    let schema = Schema::compile(&action["param_schema"]).map_err(|fault| fault.to_string())?;
    let filled = schema.fill_defaults(&mut params).and_then(|()| schema.validate(&params));
    filled.map_err(|violation| violation.to_string())?;
    attune_core::output::storable(&params).map_err(|reason| reason.to_string())?;
    Ok(params)
}
