//! Many timers in one process: what they cost while none of them is due, and how late they are when they are.
//!
//! Each timer has a rule of its own. At rest all first instants lie in the future; then one change of all rules brings them
//! to now, spread over the interval. How late an instant is, is told by the event itself: from when it was scheduled to when
//! ingest stamped it.

mod change;

use std::time::{Duration, Instant};

use chrono::Utc;
use clap::Args;

use crate::sensors::{System, Usage};

/// Longer than any machine needs to make timers of rules.
const PATIENCE: Duration = Duration::from_mins(5);

#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// Timers, each with a rule
    #[arg(long, default_value_t = 50_000)]
    timers: i32,
    /// Seconds between two instants of a timer
    #[arg(long, default_value_t = 600)]
    interval: i32,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    println!(
        "settings: {} timers with a rule each, every {} s, {} s of each measurement, fsync on",
        arguments.timers, arguments.interval, arguments.seconds
    );
    let system = System::start(1).await?;
    let outcome = measure(&system, arguments).await;
    system.stop().await?;
    outcome
}

async fn measure(system: &System, arguments: &Arguments) -> anyhow::Result<()> {
    let bare = system.usage()?;
    insert(system, arguments).await?;
    let book = system.ingest().rules();
    book.renew(book.current().version).await?;
    let rules = system.usage()?;
    report_busy("without timers", system, arguments.seconds).await?;
    let start = Instant::now();
    system.start_timers();
    until(system, "SELECT count(*) FROM timer WHERE live", arguments.timers.into()).await?;
    println!("all timers were live {:.1} s after the start", start.elapsed().as_secs_f64());
    let timers = system.usage()?;
    println!(
        "memory: {} MB before, {} MB with the rules compiled, {} MB with the timers",
        megabytes(&bare),
        megabytes(&rules),
        megabytes(&timers)
    );
    report_busy("at rest", system, arguments.seconds).await?;
    work(system, arguments).await
}

/// Rules whose timers begin tomorrow.
async fn insert(system: &System, arguments: &Arguments) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO action (ref, runtime, runtime_ref, entrypoint)
         SELECT 'bench.noop', id, ref, 'noop' FROM runtime WHERE ref = 'core.native'",
    )
    .execute(&system.pool)
    .await?;
    sqlx::query(
        "INSERT INTO rule (ref, trigger_ref, action_ref, trigger_params)
         SELECT 'bench.timer_' || n, 'core.interval_timer', 'bench.noop',
                jsonb_build_object('seconds', $2, 'start', to_char(
                    (now() + interval '1 day' + $2 * interval '1 second' * n / $1) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'))
         FROM generate_series(1, $1) n",
    )
    .bind(arguments.timers)
    .bind(arguments.interval)
    .execute(&system.pool)
    .await?;
    Ok(())
}

/// One change of all rules brings their first instants to the next interval.
async fn work(system: &System, arguments: &Arguments) -> anyhow::Result<()> {
    let start = Instant::now();
    sqlx::query(
        "UPDATE rule SET trigger_params = trigger_params || jsonb_build_object('start', to_char(
             ((trigger_params ->> 'start')::timestamptz - interval '1 day') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'))",
    )
    .execute(&system.pool)
    .await?;
    until(system, "SELECT count(*) FROM timer WHERE live AND (params ->> 'start')::timestamptz < now() + interval '12 hours'", arguments.timers.into()).await?;
    println!("a change of all rules was in force after {:.1} s", start.elapsed().as_secs_f64());
    // Those that were there before are retired.
    until(system, "SELECT count(*) FROM timer WHERE NOT live", arguments.timers.into()).await?;
    println!("and the timers of before were retired after {:.1} s", start.elapsed().as_secs_f64());
    change::run(system).await?;
    sqlx::query("TRUNCATE event, enforcement, execution").execute(&system.pool).await?;
    let from = Utc::now();
    report_busy("at work", system, arguments.seconds).await?;
    let (events, p50, p99, max): (i64, Option<f64>, Option<f64>, Option<f64>) = sqlx::query_as(
        "SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY late), percentile_cont(0.99) WITHIN GROUP (ORDER BY late), max(late)
         FROM (SELECT extract(epoch FROM created - (payload ->> 'scheduled')::timestamptz)::float8 * 1000 AS late
               FROM event WHERE (payload ->> 'scheduled')::timestamptz >= $1) AS e",
    )
    .bind(from)
    .fetch_one(&system.pool)
    .await?;
    let millis = Option::unwrap_or_default;
    println!(
        "{events} instants fired; lateness: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        millis(p50),
        millis(p99),
        millis(max)
    );
    anyhow::ensure!(events > 0, "no timer fired");
    Ok(())
}

async fn report_busy(when: &str, system: &System, seconds: u64) -> anyhow::Result<()> {
    let (before, start) = (system.usage()?, Instant::now());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let busy =
        system.usage()?.since(&before).map(|time| 100.0 * time.as_secs_f64() / start.elapsed().as_secs_f64());
    println!("{when}: {:.2} % of a processor for this process, {:.2} % for the database", busy[0], busy[2]);
    Ok(())
}

async fn until(system: &System, query: &'static str, wanted: i64) -> anyhow::Result<()> {
    let start = Instant::now();
    while system.number(query).await? < wanted {
        anyhow::ensure!(start.elapsed() < PATIENCE, "not all rules had timers in time");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

fn megabytes(usage: &Usage) -> u64 {
    usage.memory / 1_000_000
}
