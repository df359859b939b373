//! Nothing lost and nothing doubled, whatever is killed.
//!
//! Sensors read tapes: files to which this process appends numbers, one a line, as they are being read. Meanwhile hosts,
//! polls, streams, launchers and the whole service get SIGKILL at moments spread over their lives; and in between the
//! service alone, stopped in the very moment in which a commit of its events is under way, and killed when that is done: so
//! it never learned of the commit, and acknowledged nothing. In the end the tapes are compared with table `event`.

mod check;
mod held;
mod service;
mod tape;
mod victims;
mod world;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::Args;
use rand::RngExt as _;

use self::service::Service;
use self::world::World;

pub(crate) use service::ServiceArguments;
pub(crate) use service::serve;

#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// Processes that are killed in all
    #[arg(long, default_value_t = 1000)]
    kills: u32,
    /// Of these, kills of the service between a commit and its acknowledgement
    #[arg(long, default_value_t = 100)]
    held: u32,
    /// The longest time between two kills, in milliseconds
    #[arg(long, default_value_t = 60)]
    pause: u64,
}

/// What was killed, and how often.
type Kills = BTreeMap<String, u32>;

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    println!(
        "settings: polls each 0.1 s and streams, one of each language; {} kills up to {} ms apart",
        arguments.kills, arguments.pause
    );
    let started = Instant::now();
    let world = World::create().await?;
    let tapes = tape::Writer::start(&world.tapes())?;
    let mut kills = Kills::new();
    while kills.values().sum::<u32>() < arguments.kills {
        life_of_a_service(&world, arguments, &mut kills).await?;
    }
    let lines = tapes.stop()?;
    report(&kills, started);
    let (service, recount) = (Service::start(&world)?, Instant::now());
    world.wait_for_all(&lines).await?;
    service.kill()?;
    println!("all lines were waited for {:.0} s after the last kill", recount.elapsed().as_secs_f64());
    let checked = check(&world, &lines).await;
    world.end().await;
    checked
}

fn report(kills: &Kills, started: Instant) {
    println!("{} kills in {:.0} s:", kills.values().sum::<u32>(), started.elapsed().as_secs_f64());
    for (name, count) in kills {
        println!("{count:>6} {name}");
    }
}

/// What the tapes say, and whether a loss and a double would have been seen.
async fn check(world: &World, lines: &BTreeMap<String, u64>) -> anyhow::Result<()> {
    let verdict = check::all(&world.pool, lines).await?;
    println!("{verdict}");
    check::explain(&world.pool, lines).await?;
    check::plants(&world.pool, lines).await?;
    verdict.judge()
}

/// A service is started, loses some of its programs, and is killed itself.
async fn life_of_a_service(world: &World, arguments: &Arguments, kills: &mut Kills) -> anyhow::Result<()> {
    world.forgive().await?;
    let service = Service::start(world)?;
    let held =
        kills.iter().filter(|(name, _)| name.starts_with(held::NAME)).map(|(_, count)| count).sum::<u32>();
    let programs = rand::rng().random_range(0..20);
    for _ in 0..programs {
        pause(arguments.pause).await;
        if let Some(name) = victims::kill_one(service.pid()) {
            *kills.entry(name).or_default() += 1;
        }
    }
    let name = if held < arguments.held {
        held::kill(world, service, held::Whose::in_turn(held)).await?
    } else {
        pause(arguments.pause * 10).await;
        service.kill()?;
        "the service".to_owned()
    };
    *kills.entry(name).or_default() += 1;
    Ok(())
}

/// Any time up to `longest` milliseconds: every moment of a cycle has its turn.
async fn pause(longest: u64) {
    let micros = rand::rng().random_range(0..=longest * 1000);
    tokio::time::sleep(Duration::from_micros(micros)).await;
}
