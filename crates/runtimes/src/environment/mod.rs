//! Environments: what a pack's manifest asks for, installed once on this machine.
//!
//! An environment belongs to everything that decides what is in it: runtime, ways to build, interpreter as it is on disk,
//! manifest and its companions. All of that makes one digest, so packs with the same needs share one, a changed manifest
//! is another one, and what is complete never changes. On disk:
//!
//! ```text
//! <root>/<digest>.lock            who holds it builds
//! <root>/<digest>/build-XXXXXX/   an attempt, in a directory of its own, because what is installed can not be moved
//! <root>/<digest>/ready           a link to the attempt that succeeded, made last
//! <root>/<digest>/log             what the last build said
//! ```
//!
//! # Failure
//! A build that was killed leaves a directory to which nothing points, and a lock that the system has opened; the next
//! one removes it. A build that failed is remembered with its last lines and tried again with growing back-off, each time
//! that somebody asks after that. Nobody waits for a build unless he asks to: [`Environments::look`] returns at once.

mod build;
mod disk;
mod error;
mod log;
mod order;
mod place;
mod progress;
mod sweep;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use attune_core::backoff;
use tokio::sync::watch;

pub use error::{BuildFault, EnvironmentError};
pub use order::{Order, Owner};
pub use progress::{Building, Logged, Observer, Progress};

use build::build;
use place::Place;

/// The first wait after a failed build, and the longest.
const BASE: Duration = Duration::from_secs(5);
const CAP: Duration = Duration::from_mins(10);

/// The environments of this machine, as one process sees them. Clones are the same store.
#[derive(Clone, Debug)]
pub struct Environments(Arc<Store>);

#[derive(Debug)]
struct Store {
    root: PathBuf,
    observer: Arc<dyn Observer>,
    /// What is under way or has failed, by digest.
    builds: Mutex<HashMap<String, Build>>,
}

/// A build of this process.
#[derive(Debug)]
enum Build {
    Running { failures: u32, progress: watch::Receiver<Progress> },
    Failed { failures: u32, error: EnvironmentError },
}

/// What there is of an environment.
#[derive(Debug)]
pub enum Look {
    /// It is complete, in this directory.
    Ready(PathBuf),
    /// It is being built.
    Building(Building),
}

impl Environments {
    /// The environments under `root`, which need not exist yet; their builds are written to the log.
    pub fn new(root: &Path) -> Self {
        Self::observed(root, Arc::new(Logged))
    }

    /// The environments under `root`, whose builds `observer` sees.
    pub fn observed(root: &Path, observer: Arc<dyn Observer>) -> Self {
        Self(Arc::new(Store { root: root.to_owned(), observer, builds: Mutex::default() }))
    }

    /// Removes in the background what nobody has used for a month.
    pub fn sweep(&self) {
        let root = self.0.root.clone();
        tokio::task::spawn_blocking(move || sweep::sweep(&root));
    }

    /// What there is of an environment now. Starts its build when it is missing, unless that failed just before.
    pub fn look(&self, order: &Order) -> Result<Look, EnvironmentError> {
        let place = Place::new(&self.0.root, order.digest());
        if let Some(directory) = place.ready() {
            return Ok(Look::Ready(directory));
        }
        let mut builds = self.builds();
        let failures = match builds.get(order.digest()) {
            // A closed channel is that of a build whose task was ended.
            Some(Build::Running { progress, .. }) if progress.has_changed().is_ok() => {
                return Ok(Look::Building(Building::new(order, progress.clone())));
            }
            Some(Build::Failed { error, .. }) if error.retry_in() > Duration::ZERO => {
                return Err(error.clone());
            }
            Some(Build::Failed { failures, .. } | Build::Running { failures, .. }) => *failures,
            None => 0,
        };
        let (sender, progress) = watch::channel(Progress::Starting);
        let building = Building::new(order, progress.clone());
        builds.insert(order.digest().to_owned(), Build::Running { failures, progress });
        drop(builds);
        tokio::spawn(self.clone().run(order.clone(), place, failures, sender));
        Ok(Look::Building(building))
    }

    async fn run(self, order: Order, place: Place, failures: u32, sender: watch::Sender<Progress>) {
        let tell = |progress: Progress| {
            self.0.observer.see(order.owner(), &progress);
            sender.send_replace(progress);
        };
        let started = Instant::now();
        match build(&order, &place, &tell).await {
            Ok(built) => {
                self.builds().remove(order.digest());
                tell(if built { Progress::Built(started.elapsed()) } else { Progress::Found });
            }
            Err(fault) => {
                let failures = failures + 1;
                let wait = backoff::delay(BASE, CAP, failures, 1.0);
                let error = EnvironmentError::new(order.owner().clone(), fault, wait);
                let failed = Build::Failed { failures, error: error.clone() };
                self.builds().insert(order.digest().to_owned(), failed);
                tell(Progress::Failed(error));
            }
        }
    }

    fn builds(&self) -> MutexGuard<'_, HashMap<String, Build>> {
        self.0.builds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
