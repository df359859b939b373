//! How long a start takes to find out what the machine can run: the runtimes of the core pack, Ruby and Perl, with the
//! programs that are really here.
//!
//! Nothing can be faster than the slowest single command, nor than all of them at once on every core; cold detection is
//! compared with the larger of the two, measured in the same run by running each command alone, through the same launcher.
//! A warm start is a process of its own, because what it saves is what an earlier process found out.

mod alone;
mod notice;
mod warm;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use attune_common::config::{Config, RuntimeConfig};
use attune_common::runtime_detection::{Detected, Round, RuntimeDetector};
use attune_executor::core_pack;
use clap::Args;
use sqlx::PgPool;

use crate::summary::Summary;
use crate::world::{Scratch, database};

pub(crate) use warm::{WarmArguments, warm};

/// A variable that nobody sets, so that the database decides.
const UNSET: &str = "ATTUNE_BENCH_RUNTIMES";
/// Ruby and Perl, as an operator adds them.
const ADDED: &str = r#"INSERT INTO runtime (ref, name, distributions) VALUES
    ('core.ruby', 'Ruby', '{"verification": {"commands": [{"binary": "ruby", "args": ["--version"], "pattern": "ruby \\d+\\.\\d+"}]}}'),
    ('core.perl', 'Perl', '{"verification": {"commands": [{"binary": "perl", "args": ["-v"], "pattern": "v(?<version>\\d+\\.\\d+\\.\\d+)"}]}}')"#;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Detections per figure
    #[arg(long, default_value_t = 20)]
    rounds: u32,
    /// Also measure how soon a running `attune up`, built there, notices a new row and another interpreter
    #[arg(long, value_name = "DIR")]
    programs: Option<PathBuf>,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    println!(
        "settings: five runtimes of the core pack, Ruby and Perl; {} rounds per figure",
        arguments.rounds
    );
    let scratch = Scratch::new("detect")?;
    let database = database(&scratch.path().join("data")).await?;
    let outcome = measure(arguments.rounds, &scratch, &database.url()).await;
    database.stop().await;
    outcome?;
    match &arguments.programs {
        Some(programs) => notice::run(programs, &scratch.path().join("up")).await,
        None => Ok(()),
    }
}

async fn measure(rounds: u32, scratch: &Scratch, url: &str) -> anyhow::Result<()> {
    let config = configuration(scratch.path().join("cache"), url);
    let pool = core_pack::prepare_database(&config, "attune-bench").await?;
    sqlx::query(ADDED).execute(&pool).await?;
    let detected = detect(&pool, &config).await?;
    println!("found: {:?}", detected.names);

    let bound = alone::run(&pool, rounds).await?;
    let cold = cold(&pool, &config, rounds).await?;
    println!("cold, nothing remembered: {}", cold.line());
    println!(
        "cold at the median is {:.2} times the bound",
        cold.median().as_secs_f64() / bound.as_secs_f64()
    );
    warm::run(url, &config.cache_dir, rounds)
}

/// What a configuration file would say.
fn configuration(cache_dir: PathBuf, url: &str) -> Config {
    let mut config = Config { cache_dir, ..Config::default() };
    config.database.url = attune_common::config::DatabaseUrl::parse(url);
    config
}

/// A detection as a service makes it at its start.
async fn detect(pool: &PgPool, config: &Config) -> anyhow::Result<Detected> {
    Ok(RuntimeDetector::new(pool.clone()).detect(config, UNSET, None, Round::Start).await?)
}

async fn cold(pool: &PgPool, config: &Config, rounds: u32) -> anyhow::Result<Summary> {
    let runtime = RuntimeConfig { cache_ttl: Duration::ZERO, ..config.runtime.clone() };
    let config = Config { runtime, ..config.clone() };
    let mut summary = Summary::new()?;
    for _ in 0..rounds {
        let start = Instant::now();
        detect(pool, &config).await?;
        summary.record(start.elapsed())?;
    }
    Ok(summary)
}
