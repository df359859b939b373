//! Events per second into the database.
//!
//! A child process feeds and works; it reports what was acknowledged as it goes. In the middle of the burst the child and
//! the database are killed with SIGKILL; the database starts again and everything is recounted: every acknowledged event is
//! there, and every event has exactly its enforcements and executions.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use attune_common::config::{Config, DatabaseUrl};
use attune_common::db;
use attune_common::registration::{Identity, LEASE, Registration, WorkerRole};
use attune_common::repositories::execution;
use attune_executor::finish::{Finish, Finisher, Outcome};
use attune_executor::ingest::{Ingest, NewEvent, Origin, Submission};
use attune_executor::rules::RuleCache;
use attune_hints::{Hints, Topic};
use clap::Args;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::world::{Scratch, database, insert_rules};

#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// Seconds under load before the kill
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Rules on the trigger
    #[arg(long, default_value_t = 100)]
    rules: i32,
    /// Rules that match each event
    #[arg(long, default_value_t = 2)]
    matching: i32,
    /// Events per submission
    #[arg(long, default_value_t = 100)]
    batch: usize,
    /// Submissions under way at once
    #[arg(long, default_value_t = 32)]
    feeders: usize,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct LoadArguments {
    #[arg(long)]
    url: String,
    #[arg(long)]
    batch: usize,
    #[arg(long)]
    feeders: usize,
}

/// What the child counted so far.
#[derive(Debug, Clone, Copy)]
struct Counts {
    at: Duration,
    acknowledged: u64,
    finished: u64,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    println!(
        "settings: payload 1 KB, {} rules of which {} match, {} events a submission, {} submitters, one worker, fsync on",
        arguments.rules, arguments.matching, arguments.batch, arguments.feeders
    );
    let scratch = Scratch::new("ingest")?;
    let database_before = database(scratch.path()).await?;
    let url = database_before.url();
    let pool = connect(&url).await?;
    db::migrate(&pool).await?;
    insert_rules(&pool, arguments.rules, arguments.matching).await?;
    pool.close().await;

    let mut child = start_load(&url, arguments)?;
    let counts = follow(&mut child, Duration::from_secs(arguments.seconds))?;
    kill(&mut child, scratch.path())?;
    database_before.exited().await?;
    drop(database_before);
    report(&counts)?;
    recount(scratch.path(), &counts, arguments.matching).await
}

async fn connect(url: &str) -> anyhow::Result<PgPool> {
    let mut config = Config::load()?.database;
    config.url = DatabaseUrl::parse(url);
    Ok(db::connect(&config, "attune-bench").await?)
}

fn start_load(url: &str, arguments: &Arguments) -> anyhow::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["ingest-load", "--url", url]);
    command.args(["--batch", &arguments.batch.to_string(), "--feeders", &arguments.feeders.to_string()]);
    Ok(command.stdout(Stdio::piped()).spawn()?)
}

/// Reads the child's counts until the time is over.
fn follow(child: &mut Child, limit: Duration) -> anyhow::Result<Vec<Counts>> {
    let stdout = child.stdout.take().ok_or_else(|| anyhow::anyhow!("the load has no stdout"))?;
    let mut counts = Vec::new();
    for line in std::io::BufReader::new(stdout).lines() {
        let line: Value = serde_json::from_str(&line?)?;
        let number = |name: &str| line[name].as_u64().unwrap_or_default();
        let at = Duration::from_millis(number("ms"));
        counts.push(Counts { at, acknowledged: number("acknowledged"), finished: number("finished") });
        if at >= limit {
            break;
        }
    }
    Ok(counts)
}

/// SIGKILL for the load and for the database's first process.
fn kill(child: &mut Child, data_dir: &Path) -> anyhow::Result<()> {
    child.kill()?;
    child.wait()?;
    let pid_file: PathBuf = data_dir.join("postgres/postmaster.pid");
    let pid = std::fs::read_to_string(pid_file)?.lines().next().unwrap_or_default().to_owned();
    anyhow::ensure!(
        Command::new("kill").args(["-9", &pid]).status()?.success(),
        "the database could not be killed"
    );
    Ok(())
}

fn report(counts: &[Counts]) -> anyhow::Result<()> {
    let last = counts.last().ok_or_else(|| anyhow::anyhow!("the load reported nothing"))?;
    // The first two seconds fill caches and connections.
    let warm = counts.iter().find(|count| count.at >= Duration::from_secs(2)).unwrap_or(last);
    let seconds = last.at.saturating_sub(warm.at).as_secs_f64();
    let per_second = |from: u64, to: u64| f64::from(u32::try_from(to - from).unwrap_or(u32::MAX)) / seconds;
    println!(
        "ingest: {:.0} events/s acknowledged, {:.0} executions/s claimed and finished meanwhile, over {seconds:.1} s",
        per_second(warm.acknowledged, last.acknowledged),
        per_second(warm.finished, last.finished)
    );
    Ok(())
}

async fn recount(data_dir: &Path, counts: &[Counts], matching: i32) -> anyhow::Result<()> {
    let acknowledged = counts.last().map_or(0, |count| i64::try_from(count.acknowledged).unwrap_or(i64::MAX));
    let database = database(data_dir).await?;
    let pool = connect(&database.url()).await?;
    let (events, wrong): (i64, i64) = sqlx::query_as(
        "SELECT count(*), count(*) FILTER (WHERE COALESCE(f.enforcements, 0) <> $1 OR COALESCE(f.executions, 0) <> $1)
         FROM event e LEFT JOIN (
             SELECT f.event, count(DISTINCT f.id) AS enforcements, count(x.id) AS executions
             FROM enforcement f LEFT JOIN execution x ON x.enforcement = f.id GROUP BY f.event) f ON f.event = e.id",
    )
    .bind(i64::from(matching))
    .fetch_one(&pool)
    .await?;
    println!(
        "after kill -9 of the load and of PostgreSQL: {acknowledged} acknowledged, {events} in the table, {wrong} without exactly {matching} enforcements and executions"
    );
    pool.close().await;
    database.stop().await;
    anyhow::ensure!(events >= acknowledged && wrong == 0, "events were lost or doubled");
    Ok(())
}

/// The child: feeders, one worker, and a count each 100 ms.
pub(crate) async fn load(arguments: LoadArguments) -> anyhow::Result<()> {
    let pool = connect(&arguments.url).await?;
    let hints = Hints::default();
    let rules = Arc::new(RuleCache::new(pool.clone()));
    let ingest = Ingest::start(pool.clone(), rules, hints.clone(), chrono_now);
    let (acknowledged, finished) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut tasks = JoinSet::new();
    for feeder in 0..arguments.feeders {
        tasks.spawn(feed(ingest.clone(), feeder, arguments.batch, Arc::clone(&acknowledged)));
    }
    tasks.spawn(work(pool, hints, Arc::clone(&finished)));
    let start = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            Some(ended) = tasks.join_next() => return ended?,
        }
        let ms = u64::try_from(start.elapsed().as_millis())?;
        println!(
            "{}",
            json!({"ms": ms, "acknowledged": acknowledged.load(Ordering::Acquire), "finished": finished.load(Ordering::Acquire)})
        );
    }
}

fn chrono_now() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}

async fn feed(
    ingest: Ingest,
    feeder: usize,
    batch: usize,
    acknowledged: Arc<AtomicU64>,
) -> anyhow::Result<()> {
    let filler = "x".repeat(900);
    for round in 0u64.. {
        let events = (0..batch)
            .map(|n| NewEvent {
                trigger: "bench.load".to_owned(),
                payload: json!({"kind": "load", "group": 0, "level": 50 + n % 50, "host": format!("host-{feeder}-{n}"), "round": round, "filler": filler}),
                trigger_params: None,
                key: None,
            })
            .collect();
        let submission = Submission { origin: Origin::Post { source: Some("bench".to_owned()) }, events };
        let receipt = ingest.submit(submission, Duration::from_mins(1)).await?;
        let taken = receipt.events.iter().flatten().count();
        acknowledged.fetch_add(u64::try_from(taken)?, Ordering::AcqRel);
    }
    Ok(())
}

/// Claims and finishes in batches; the actions are no-ops.
async fn work(pool: PgPool, hints: Hints, finished: Arc<AtomicU64>) -> anyhow::Result<()> {
    let identity = Identity {
        heartbeat_interval: Duration::from_secs(30),
        name: "bench".to_owned(),
        role: WorkerRole::Action,
        host: "bench".to_owned(),
        lease: LEASE,
        replace: true,
    };
    let mut registration = Registration::new(pool.clone(), identity);
    registration.register().await?;
    let held = registration.held()?;
    let (keeper, _lease) = registration.keeper()?;
    tokio::spawn(keeper.run(CancellationToken::new()));
    let runtimes: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM runtime WHERE ref = 'core.native'").fetch_all(&pool).await?;
    let ends = Finisher::start(pool.clone(), hints.clone(), held.worker);
    let mut waiter = hints.waiter(Topic::Execution);
    loop {
        waiter.arm();
        let claimed = execution::claim(&pool, held, &runtimes, 1000).await?;
        if claimed.is_empty() {
            waiter.wait(Duration::from_secs(1)).await;
        }
        let runs = claimed.into_iter().map(|claimed| {
            ends.finish(Finish {
                execution: claimed.id,
                attempt: claimed.attempt,
                outcome: Outcome::Succeeded(Value::Null),
                retry_in: None,
                log: Vec::new(),
            })
        });
        let recorded = futures_util::future::join_all(runs).await;
        finished.fetch_add(u64::try_from(recorded.len())?, Ordering::AcqRel);
    }
}
