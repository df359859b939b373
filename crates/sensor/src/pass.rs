//! The pass of a sensor's run, for one that asks for it: kept in the database under the epoch of the run, until that is over.

use std::time::Duration;

use attune_common::repositories::run_token;
use attune_runtimes::pass::Pass;
use sqlx::PgPool;

use crate::definition::Sensor;
use crate::manager::Tools;
use crate::runtime::PollError;

/// How much longer than a poll may take its pass is good: to start its program and to end it take time too.
const GRACE: Duration = Duration::from_mins(1);

/// The pass of a run that begins; `time`: what it may take, when that has an end. Where none is asked for this costs nothing.
pub(crate) async fn issue(
    tools: &Tools,
    sensor: &Sensor,
    epoch: i64,
    time: Option<Duration>,
) -> Result<Option<Pass>, PollError> {
    let pass = Pass::new(&sensor.row.api, &tools.data_dir, rand::random()).map_err(PollError::Config)?;
    if let Some(pass) = &pass {
        let (hash, seconds) = (pass.hash(), time.map(|time| (time + GRACE).as_secs_f64()));
        let kept = run_token::insert_of_sensor(&tools.pool, &hash, sensor.row.id, epoch, seconds).await;
        // Where another worker has it already, the commit of the poll will be told so.
        kept.map_err(PollError::Token)?;
    }
    Ok(pass)
}

/// The run is over.
pub(crate) async fn end(pool: &PgPool, pass: Option<Pass>) {
    let Some(pass) = pass else { return };
    if let Err(error) = run_token::delete(pool, &pass.hash()).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "The token of a sensor's run could not be removed"
        );
    }
}
