//! Crowds without the token: one that does nothing, one that does not read its answers, one that reads all it can, and one that
//! posts with made-up tokens of runs.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// Until a crowd is there.
const GATHERING: Duration = Duration::from_secs(2);
/// Between two posts of one that is refused: what is measured is not how many the processors can refuse.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two looks of one that hardly reads.
const LOOK: Duration = Duration::from_secs(1);

/// A crowd.
#[derive(Debug, Clone, Copy)]
pub(super) enum Crowd {
    Idle,
    Slow,
    Lists,
    MadeUp,
}

/// A crowd that is there.
#[derive(Debug)]
pub(super) struct Gathered {
    members: JoinSet<()>,
    got: Arc<Got>,
}

#[derive(Debug, Default)]
struct Got {
    answers: AtomicU64,
    refusals: AtomicU64,
    bytes: AtomicU64,
    connections: AtomicU64,
}

impl Crowd {
    pub(super) const ALL: [Self; 4] = [Self::Idle, Self::Slow, Self::Lists, Self::MadeUp];

    fn size(self) -> usize {
        match self {
            Self::Idle => 512,
            Self::Slow => 60,
            Self::Lists => 120,
            Self::MadeUp => 384,
        }
    }

    pub(super) async fn gather(self, address: SocketAddr) -> Gathered {
        let got = Arc::<Got>::default();
        let mut members = JoinSet::new();
        for _ in 0..self.size() {
            let got = Arc::clone(&got);
            members.spawn(async move {
                loop {
                    got.connections.fetch_add(1, Ordering::Relaxed);
                    // It was ended, and comes again.
                    if self.come(address, &got).await.is_err() {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                }
            });
        }
        tokio::time::sleep(GATHERING).await;
        Gathered { members, got }
    }

    async fn come(self, address: SocketAddr, got: &Got) -> std::io::Result<()> {
        match self {
            Self::Idle => TcpStream::connect(address).await?.read(&mut [0]).await.map(drop),
            Self::Slow => hardly_read(address, got).await,
            Self::Lists => read_all(address, &list(address), got).await,
            Self::MadeUp => {
                tokio::time::sleep(PAUSE).await;
                read_all(address, &made_up(address), got).await
            }
        }
    }
}

impl fmt::Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Idle => "idle connections",
            Self::Slow => "slow readers",
            Self::Lists => "clients on long lists",
            Self::MadeUp => "clients with made-up tokens of runs",
        };
        write!(f, "{} {what}", self.size())
    }
}

impl Gathered {
    /// Sends it away, and says what it got.
    pub(super) fn disperse(mut self) -> String {
        self.members.abort_all();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Got { answers, refusals, bytes, connections } = &*self.got;
        format!(
            "{} answers ({} MB), {} refusals, {} connections",
            count(answers),
            count(bytes) / 1_000_000,
            count(refusals),
            count(connections)
        )
    }
}

fn list(address: SocketAddr) -> String {
    format!("GET /api/events?limit=1000 HTTP/1.1\r\nhost: {address}\r\n\r\n")
}

fn made_up(address: SocketAddr) -> String {
    format!(
        "POST /api/events HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer attune_run_x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
    )
}

async fn hardly_read(address: SocketAddr, got: &Got) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4096)?;
    let mut stream = socket.connect(address).await?;
    stream.write_all(list(address).as_bytes()).await?;
    let mut piece = [0; 1024];
    loop {
        match stream.read(&mut piece).await? {
            0 => return Ok(()),
            read => got.bytes.fetch_add(read as u64, Ordering::Relaxed),
        };
        tokio::time::sleep(LOOK).await;
    }
}

/// One request after the other, on one connection as long as it lasts.
async fn read_all(address: SocketAddr, request: &str, got: &Got) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let mut answer = vec![0; 256 * 1024];
    loop {
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        let mut left = loop {
            let read = stream.read(&mut answer).await?;
            if read == 0 {
                return Ok(());
            }
            head.extend_from_slice(&answer[..read]);
            if let Some(at) = head.windows(4).position(|four| four == b"\r\n\r\n") {
                let text = String::from_utf8_lossy(&head[..at]).to_lowercase();
                let of = if text.starts_with("http/1.1 200") { &got.answers } else { &got.refusals };
                of.fetch_add(1, Ordering::Relaxed);
                let length =
                    text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                break length.unwrap_or(0_usize).saturating_sub(head.len() - at - 4);
            }
        };
        while left > 0 {
            let read = stream.read(&mut answer).await?;
            if read == 0 {
                return Ok(());
            }
            got.bytes.fetch_add(read as u64, Ordering::Relaxed);
            left = left.saturating_sub(read);
        }
    }
}
