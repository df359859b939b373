//! Waiting until the server accepts work, and the one database that it must have.
//!
//! After a crash the server replays its log first, for as long as that takes; while its process lives there is hope.

use std::path::Path;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::Error;
use crate::connection::{Connection, Failure};
use crate::layout::Layout;
use crate::{log, socket};

/// As long as a service waits for its database before it gives up.
const LIMIT: Duration = Duration::from_mins(5);
const PERIOD: Duration = Duration::from_millis(10);

const CANNOT_CONNECT_NOW: &str = "57P03";
const NO_SUCH_DATABASE: &str = "3D000";
const DATABASE_EXISTS: &str = "42P04";

/// Returns when the database `attune` accepts connections.
pub(crate) async fn wait(layout: &Layout) -> Result<(), Error> {
    let socket = socket::socket(layout);
    timeout(LIMIT, until_ready(&socket))
        .await
        .unwrap_or_else(|_| Err(Error::NotReady { limit: LIMIT, log: log::tail(layout) }))
}

async fn until_ready(socket: &Path) -> Result<(), Error> {
    loop {
        match Connection::open(socket, "attune").await {
            Ok(_) => return Ok(()),
            Err(Failure::Server { code, .. }) if code == NO_SUCH_DATABASE => create_database(socket).await?,
            Err(failure) => bear(failure)?,
        }
        sleep(PERIOD).await;
    }
}

async fn create_database(socket: &Path) -> Result<(), Error> {
    let created = match Connection::open(socket, "postgres").await {
        Ok(mut connection) => connection.execute("CREATE DATABASE attune").await,
        Err(failure) => Err(failure),
    };
    match created {
        Err(Failure::Server { code, .. }) if code == DATABASE_EXISTS => Ok(()),
        Err(failure) => bear(failure),
        Ok(()) => Ok(()),
    }
}

/// A socket that is not there yet and a server that is still recovering pass by themselves; a refusal does not.
fn bear(failure: Failure) -> Result<(), Error> {
    match failure {
        Failure::Io(error) => {
            tracing::trace!(%error, "the database server does not answer yet");
            Ok(())
        }
        Failure::Server { code, .. } if code == CANNOT_CONNECT_NOW => Ok(()),
        Failure::Server { code, message } => Err(Error::Refused { code, message }),
    }
}
