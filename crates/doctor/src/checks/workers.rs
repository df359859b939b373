//! Registered workers: those that say they are there and are not, and those that stand in this machine's way.

use attune_common::config::Config;
use attune_common::registration::WorkerRole;
use attune_common::repositories::worker::{self, Registered};
use attune_process::{Liveness, ProcessIdentity};

use crate::finding::{Finding, first_few};
use crate::installation::Installation;

pub(super) async fn check(installation: &Installation) -> Vec<Finding> {
    let pool = match installation.database_or_skip().await {
        Ok(pool) => pool,
        Err(skipped) => return skipped,
    };
    match worker::list(pool).await {
        Ok(workers) => judge(&installation.config, &workers),
        Err(error) => vec![Finding::unread("the workers", &error)],
    }
}

fn judge(config: &Config, workers: &[Registered]) -> Vec<Finding> {
    let lost: Vec<_> = workers.iter().filter(|worker| worker.active && !is_live(worker)).map(lost).collect();
    let away = workers.iter().filter(|worker| !worker.active);
    let away: Vec<_> = away.map(|worker| format!("{} ({})", worker.name, role(worker.role))).collect();
    let live = workers.iter().filter(|worker| is_live(worker)).count();
    let mut findings = Vec::from_iter(summary(live, &away, workers.is_empty()));
    findings.extend(lost);
    findings.extend(workers.iter().filter_map(|worker| namesake(config, worker)));
    findings
}

/// `None` when there is nothing to say but who was lost.
fn summary(live: usize, away: &[String], none: bool) -> Option<Finding> {
    let stopped = if away.is_empty() { String::new() } else { format!("; stopped: {}", first_few(away)) };
    match live {
        0 if none => Some(Finding::skipped("none is registered")),
        0 if away.is_empty() => None,
        0 => Some(Finding::skipped(format!("none is live{stopped}"))),
        _ => Some(Finding::ok(format!("{live} live{stopped}"))),
    }
}

fn is_live(worker: &Registered) -> bool {
    worker.active && worker.lease_left.is_some_and(|left| left > 0.0)
}

fn lost(worker: &Registered) -> Finding {
    let host = worker.host.as_deref().unwrap_or("an unknown host");
    let since = worker.lease_left.map_or_else(
        || "holds no lease".to_owned(),
        |left| format!("its lease ended {} ago", duration(-left)),
    );
    Finding::warning(
        format!("{} ({}) on {host} counts as active, but {since}", worker.name, role(worker.role)),
        "start it again, or leave it: its work goes to others, and a running executor marks it inactive",
    )
}

/// A live worker of another machine under the name that a start here would take.
fn namesake(config: &Config, worker: &Registered) -> Option<Finding> {
    let sensor = config.sensor.as_ref().map(|sensor| (&sensor.worker_name, WorkerRole::Sensor));
    let action = config.worker.as_ref().map(|worker| {
        (&worker.worker_name, if worker.hybrid { WorkerRole::Hybrid } else { WorkerRole::Action })
    });
    let is_ours = |(name, role): (&String, WorkerRole)| *name == worker.name && role == worker.role;
    let is_wanted = sensor.into_iter().chain(action).any(is_ours);
    let identity: ProcessIdentity = serde_json::from_value(worker.meta.clone()?).ok()?;
    let elsewhere = identity.is_alive() == Liveness::Elsewhere;
    (is_wanted && is_live(worker) && elsewhere).then(|| {
        let host = worker.host.as_deref().unwrap_or("another host");
        Finding::warning(
            format!("{} is this machine's name for a worker, and one lives under it on {host}", worker.name),
            format!(
                "give this machine another: {}.worker_name",
                if worker.role == WorkerRole::Sensor { "sensor" } else { "worker" }
            ),
        )
    })
}

fn duration(seconds: f64) -> String {
    if seconds < 120.0 { format!("{seconds:.0} s") } else { format!("{:.0} min", (seconds / 60.0).floor()) }
}

fn role(role: WorkerRole) -> &'static str {
    match role {
        WorkerRole::Action => "action",
        WorkerRole::Sensor => "sensor",
        WorkerRole::Hybrid => "hybrid",
    }
}
