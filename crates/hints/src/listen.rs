//! Hears the hints of other processes and of the database itself (a change of configuration by plain SQL,
//! a new notice, a sensor that shall tick now).
//!
//! A connection that breaks may have lost hints, so every (re)connect wakes everybody once.

use std::time::Duration;

use attune_common::repositories::{config_version, notice, poke};
use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgNotification};

use crate::relay::{CHANNEL, RECONNECT, answer};
use crate::{Hints, Topic};

/// A silent connection is asked this often whether it still lives.
const PING: Duration = Duration::from_secs(10);

pub(crate) async fn listen(hints: &Hints, pool: &PgPool, signature: &str) {
    loop {
        if let Err(error) = listen_until_lost(hints, pool, signature).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "Hints are not being heard");
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

async fn listen_until_lost(hints: &Hints, pool: &PgPool, signature: &str) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen_all([CHANNEL, config_version::CHANNEL, notice::CHANNEL, poke::CHANNEL]).await?;
    hints.wake_all_here();
    loop {
        match tokio::time::timeout(PING, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => hear(hints, signature, &notification),
            Ok(Ok(None)) => hints.wake_all_here(),
            Ok(Err(error)) => return Err(error),
            Err(_) => {
                answer(sqlx::query("SELECT 1").execute(&mut listener)).await?;
            }
        }
    }
}

fn hear(hints: &Hints, signature: &str, notification: &PgNotification) {
    match notification.channel() {
        config_version::CHANNEL => return hints.wake_here(Topic::Config),
        notice::CHANNEL => return hints.wake_here(Topic::Notice),
        poke::CHANNEL => return hints.wake_here(Topic::Poke),
        _ => {}
    }
    let Some((topic, sender)) = notification.payload().split_once(' ') else { return };
    if let (Some(topic), true) = (Topic::from_name(topic), sender != signature) {
        hints.wake_here(topic);
    }
}
