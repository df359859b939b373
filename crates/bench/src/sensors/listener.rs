//! What waiting sensors wait for: a server on loopback that answers each connection after a while.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Answers until it is dropped.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) port: u16,
    task: JoinHandle<()>,
}

impl Listener {
    pub(super) async fn start(delay: Duration) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(answer(connection, delay));
            }
        });
        Ok(Self { port, task })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(connection: TcpStream, delay: Duration) {
    tokio::time::sleep(delay).await;
    // Who does not wait for the answer any more does not need it.
    if let Ok(mut connection) = connection.into_std() {
        let _ = connection.write_all(b"\n");
    }
}
