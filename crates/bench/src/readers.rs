//! What crowds of readers cost writers: `POST /api/events`, one at a time, alone and beside each crowd.
//!
//! Each crowd is compared with a time without one just before it, since a machine is not the same for minutes. It fails
//! when a post was refused, or when one of a hundred took more than twice as long.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use rand::RngExt as _;

use crate::chain::Mode;
use crate::chain::connection::Connection;
use crate::chain::programs::Programs;
use crate::summary::Summary;
use crate::world::Scratch;

mod crowd;
mod run;

use crowd::Crowd;

/// What a crowd may cost.
const MOST: f64 = 2.0;
/// Each so manieth event comes on a new connection.
const FRESH: u32 = 10;
/// Rows that are there before; a list takes the newest thousand.
const ROWS: usize = 2000;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Seconds for each figure
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Bytes of a payload
    #[arg(long, default_value_t = 6000)]
    payload: usize,
    /// Post as an action does, with the token of its run
    #[arg(long)]
    as_run: bool,
    /// Where the programs were built
    #[arg(long, default_value = "target/release")]
    programs: PathBuf,
}

/// What came of the posts of one time.
struct Posted {
    taken: Summary,
    refused: u64,
    reason: Option<String>,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    println!(
        "settings: payload {} bytes, one post at a time with the token of {}, each tenth on a new connection, fsync on",
        arguments.payload,
        if arguments.as_run { "a run" } else { "the API" }
    );
    let scratch = Scratch::new("readers")?;
    write_pack(&scratch.path().join("pack"))?;
    let programs = Programs::start(Mode::Up, &arguments.programs, scratch.path()).await?;
    let outcome = measure(arguments, scratch.path(), &programs).await;
    programs.stop().await?;
    outcome
}

async fn measure(arguments: &Arguments, data_dir: &Path, programs: &Programs) -> anyhow::Result<()> {
    let url = std::fs::read_to_string(data_dir.join("api.url"))?;
    let address: SocketAddr = url.trim().trim_start_matches("http://").parse()?;
    let event = event(arguments.payload);
    fill(data_dir, &event)?;
    let poster = Poster::new(arguments, data_dir, event).await?;
    let mut is_good = true;
    for kind in Crowd::ALL {
        let alone = poster.post_for(arguments.seconds).await?;
        let crowd = kind.gather(address).await;
        let beside = poster.post_for(arguments.seconds).await?;
        let got = crowd.disperse();
        let ratio = beside.taken.p99().as_secs_f64() / alone.taken.p99().as_secs_f64();
        println!("alone: {} refused={}", alone.taken.line(), alone.refused);
        println!("beside {kind}: {} refused={}", beside.taken.line(), beside.refused);
        println!(
            "  p99 ratio {ratio:.2}; the crowd got {got}; memory at most {} MB",
            programs.peak_memory()?
        );
        for reason in beside.reason.iter().chain(&alone.reason) {
            println!("  refused: {reason}");
        }
        is_good &= ratio <= MOST && alone.refused + beside.refused == 0;
    }
    anyhow::ensure!(is_good, "a crowd cost more than {MOST} times the p99, or a post");
    Ok(())
}

fn write_pack(directory: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(directory.join("triggers"))?;
    std::fs::write(directory.join("pack.yaml"), "ref: bench\nname: Bench\nversion: 0.1.0\n")?;
    let trigger = "ref: bench.tick\npayload_schema: {type: object}\n";
    Ok(std::fs::write(directory.join("triggers/tick.yaml"), trigger)?)
}

/// Of letters that do not compress.
fn event(bytes: usize) -> String {
    let mut random = rand::rng();
    let text: String = (0..bytes).map(|_| char::from(random.random_range(b'a'..=b'z'))).collect();
    format!(r#"{{"trigger":"bench.tick","payload":{{"text":"{text}"}}}}"#)
}

fn fill(data_dir: &Path, event: &str) -> anyhow::Result<()> {
    let mut connection = Connection::open(data_dir)?;
    let hundred = format!("[{}]", vec![event; 100].join(","));
    (0..ROWS / 100).try_for_each(|_| connection.post_event(&hundred))
}

/// What posts, with its token and its event.
#[derive(Clone)]
struct Poster {
    data_dir: PathBuf,
    token: String,
    event: String,
}

impl Poster {
    async fn new(arguments: &Arguments, data_dir: &Path, event: String) -> anyhow::Result<Self> {
        let token = if arguments.as_run {
            run::begin(data_dir).await?.reveal().to_owned()
        } else {
            std::fs::read_to_string(data_dir.join("api.token"))?.trim().to_owned()
        };
        Ok(Self { data_dir: data_dir.to_owned(), token, event })
    }

    /// Posts on a thread of its own, so that it waits for nothing but the API.
    async fn post_for(&self, seconds: u64) -> anyhow::Result<Posted> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.post(Duration::from_secs(seconds))).await?
    }

    fn post(&self, time: Duration) -> anyhow::Result<Posted> {
        let mut posted = Posted { taken: Summary::new()?, refused: 0, reason: None };
        let (begin, mut connection) = (Instant::now(), None);
        for round in 0.. {
            if begin.elapsed() > time {
                break;
            }
            let start = Instant::now();
            if round % FRESH == 0 {
                connection = None;
            }
            match self.send(&mut connection) {
                Ok(()) => posted.taken.record(start.elapsed())?,
                Err(error) => {
                    (posted.refused, connection) = (posted.refused + 1, None);
                    posted.reason.get_or_insert(error.to_string());
                }
            }
        }
        Ok(posted)
    }

    fn send(&self, connection: &mut Option<Connection>) -> anyhow::Result<()> {
        let connection = match connection {
            Some(connection) => connection,
            none => none.insert(Connection::with_token(&self.data_dir, &self.token)?),
        };
        connection.post_event(&self.event)
    }
}
