//! Connections: accepted, bounded in number, ended in order.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection;
use crate::crowd::{Crowd, Place};
use crate::door::Door;
use crate::state::Api;

/// After a failure to accept: usually no descriptor is free, and only time helps.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop`, then lets the requests that are under way finish.
pub(crate) async fn serve(listener: TcpListener, api: Arc<Api>, stop: CancellationToken) {
    let (crowd, connections) = (Crowd::new(&api.bounds), TaskTracker::new());
    let door = Arc::new(Door::new(api));
    for id in 0.. {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &crowd, id) => accepted,
        };
        if let Some((stream, place)) = accepted {
            connections.spawn(connection::serve(stream, place, Arc::clone(&door), stop.clone()));
        }
    }
    connections.close();
    connections.wait().await;
}

/// The next connection, with its place. Until it has one, more wait in the kernel's queue.
async fn accept(listener: &TcpListener, crowd: &Arc<Crowd>, id: u64) -> Option<(TcpStream, Place)> {
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, crowd.admit(id).await)),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "A connection could not be accepted");
            tokio::time::sleep(PAUSE).await;
            None
        }
    }
}
