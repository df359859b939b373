//! Whether the database answers, found out once for all that ask in the same moment, over a connection of its own: so no crowd
//! delays the answer, and a crowd that asks for it delays nothing else.

use std::time::Duration;

use attune_common::repositories::config_version;
use sqlx::PgPool;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::failure::Failure;
use crate::limits::Limits;
use crate::readers;

/// The one look that goes on, and what the last one saw.
#[derive(Debug)]
pub(crate) struct Health {
    pool: PgPool,
    wait: Duration,
    last: Mutex<Option<Look>>,
}

#[derive(Debug)]
struct Look {
    began: Instant,
    /// `None`: the database did not answer.
    config_version: Option<i64>,
}

impl Health {
    pub(crate) fn new(pool: &PgPool, limits: &Limits) -> Self {
        Self { pool: readers::connect(pool, 1, limits), wait: limits.wait, last: Mutex::default() }
    }

    /// The number of the configuration, by a look that began no earlier than this question.
    pub(crate) async fn config_version(&self) -> Result<i64, Failure> {
        let asked = Instant::now();
        let mut last = tokio::time::timeout(self.wait, self.last.lock()).await.map_err(|_| away())?;
        if let Some(look) = last.as_ref().filter(|look| look.began >= asked) {
            return look.config_version.ok_or_else(away);
        }
        let began = Instant::now();
        let seen = config_version::get(&self.pool).await;
        *last = Some(Look { began, config_version: seen.as_ref().ok().copied() });
        seen.map_err(|error| Failure::Unavailable(error.into()))
    }
}

fn away() -> Failure {
    Failure::Busy("the database does not answer; try again".to_owned())
}
