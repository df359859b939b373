//! From events to finished, recorded executions, as many a second as one worker gets through.
//!
//! Events go into ingest whenever few executions wait, so that the worker is never short of work and never far behind.

use std::time::{Duration, Instant};

use attune_executor::ingest::{NewEvent, Origin, Submission};
use serde_json::json;

use super::language::Language;
use super::pack;
use super::system::System;

/// As many wait at least.
const BACKLOG: i64 = 1000;
/// What fills caches and starts hosts is not measured.
const WARM_UP: Duration = Duration::from_secs(5);

/// With each of these numbers of executions at once.
pub(super) async fn run(language: Language, slots: &[u32], seconds: u64) -> anyhow::Result<()> {
    for slots in slots {
        run_with(language, *slots, seconds).await?;
    }
    Ok(())
}

async fn run_with(language: Language, slots: u32, seconds: u64) -> anyhow::Result<()> {
    let way = match language {
        Language::Python => "warm",
        Language::Shell => "fresh",
    };
    println!(
        "settings: {way} executions of an action of {}, one rule, at least {BACKLOG} waiting, max_concurrent_executions {slots}, fsync on, {seconds} s",
        language.runtime()
    );
    let system = System::start(slots).await?;
    let rate = measure(&system, language, Duration::from_secs(seconds)).await;
    system.stop().await?;
    println!("{way} executions: {:.0}/s finished and recorded", rate?);
    Ok(())
}

async fn measure(system: &System, language: Language, time: Duration) -> anyhow::Result<f64> {
    let extension = language.extension();
    let isolation = if language == Language::Python { "isolation: warm\n" } else { "" };
    let files = [
        ("rules/act.yaml", "ref: bench.act\ntrigger: bench.seen\naction: bench.act\naction_params: {n: \"{{ event.payload.n }}\"}\n".to_owned()),
        ("actions/act.yaml", format!("ref: bench.act\nruntime: {}\nentrypoint: actions/act.{extension}\n{isolation}", language.runtime())),
    ];
    let code = format!("actions/act.{extension}");
    let files: Vec<_> = files.into_iter().chain([(code.as_str(), language.action().to_owned())]).collect();
    pack::load(&system.pool, "bench", language, 0, &files).await?;
    system.start_actions().await?;
    feed(system, Instant::now() + WARM_UP).await?;
    let (start, before) = (Instant::now(), finished(system).await?);
    feed(system, start + time).await?;
    let finished = finished(system).await? - before;
    Ok(f64::from(u32::try_from(finished)?) / start.elapsed().as_secs_f64())
}

/// Executions that went well; any other ends the benchmark.
async fn finished(system: &System) -> anyhow::Result<i64> {
    let failed = system
        .number("SELECT count(*) FROM execution WHERE status NOT IN ('requested', 'running', 'succeeded')")
        .await?;
    anyhow::ensure!(failed == 0, "{failed} executions did not succeed");
    system.number("SELECT count(*) FROM execution WHERE status = 'succeeded'").await
}

async fn feed(system: &System, until: Instant) -> anyhow::Result<()> {
    while Instant::now() < until {
        let waiting = system
            .number("SELECT count(*) FROM execution WHERE status = 'requested' AND turn IS NOT FALSE")
            .await?;
        if waiting < 2 * BACKLOG {
            submit(system, BACKLOG).await?;
        } else {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}

async fn submit(system: &System, events: i64) -> anyhow::Result<()> {
    let event = |n: i64| NewEvent {
        trigger: "bench.seen".to_owned(),
        payload: json!({"n": n}),
        trigger_params: None,
        key: None,
    };
    let submission =
        Submission { origin: Origin::Post { source: None }, events: (0..events).map(event).collect() };
    system.ingest().submit(submission, Duration::from_mins(1)).await?;
    Ok(())
}
