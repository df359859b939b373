//! Running the checks: all side by side, each within its time.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, timeout_at};

use crate::checks::{ALL, Check, Way};
use crate::finding::Finding;
use crate::installation::Installation;
use crate::report::{Report, Section};

/// Longer than a database that does not answer, or a verification command, may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Examines an installation. Needs a runtime of several threads, and leaves a check that hangs behind in it.
pub async fn examine(installation: Installation) -> Report {
    run(Arc::new(installation), ALL, PATIENCE).await
}

async fn run(installation: Arc<Installation>, checks: &[Check], patience: Duration) -> Report {
    let deadline = Instant::now() + patience;
    let running: Vec<_> =
        checks.iter().map(|check| (check.name, start(check, Arc::clone(&installation)))).collect();
    let mut sections = Vec::with_capacity(running.len());
    for (name, task) in running {
        let findings = match timeout_at(deadline, task).await {
            Ok(outcome) => outcome.unwrap_or_else(|error| failed(&error)),
            Err(_) => vec![hung(patience)],
        };
        sections.push(Section { name, findings });
    }
    Report { sections }
}

fn start(check: &Check, installation: Arc<Installation>) -> JoinHandle<Vec<Finding>> {
    match check.way {
        Way::Looks(look) => tokio::task::spawn_blocking(move || look(&installation)),
        Way::Asks(ask) => tokio::spawn(ask(installation)),
    }
}

fn failed(error: &JoinError) -> Vec<Finding> {
    vec![Finding::problem(
        format!("the check failed: {error}"),
        "this is a fault of `attune doctor`; report it",
    )]
}

fn hung(patience: Duration) -> Finding {
    Finding::problem(
        format!("no answer within {} s", patience.as_secs()),
        "something under this hangs: a disk, a network mount, a program or the database",
    )
}

#[cfg(test)]
mod tests {
    use attune_common::config::Sources;

    use super::*;
    use crate::finding::Verdict::{Ok, Problem};

    const CHECKS: &[Check] = &[
        Check { name: "good", way: Way::Looks(|_| vec![Finding::ok("well")]) },
        Check { name: "panics", way: Way::Looks(|_| panic!("oh")) },
        Check { name: "hangs", way: Way::Asks(|_| Box::pin(std::future::pending())) },
        Check { name: "last", way: Way::Asks(|_| Box::pin(async { vec![Finding::ok("well")] })) },
    ];

    #[tokio::test(flavor = "multi_thread")]
    async fn a_check_that_fails_or_hangs_stops_no_other() {
        let installation = Arc::new(Installation::new(&Sources::default(), None, None));
        let report = run(installation, CHECKS, Duration::from_millis(200)).await;
        let verdicts: Vec<_> =
            report.sections.iter().map(|section| (section.name, section.findings[0].verdict)).collect();
        assert_eq!(verdicts, [("good", Ok), ("panics", Problem), ("hangs", Problem), ("last", Ok)]);
        assert!(report.has_problem());
    }
}
