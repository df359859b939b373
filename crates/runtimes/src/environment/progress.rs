//! What happens to an environment while somebody waits for it.

use std::fmt;
use std::time::Duration;

use tokio::sync::watch;

use super::error::EnvironmentError;
use super::order::{Order, Owner};

/// How far a build has come.
#[derive(Clone, Debug)]
pub enum Progress {
    /// It was asked for.
    Starting,
    /// Another process builds it.
    Waiting,
    /// It is being built in this way.
    Building(String),
    /// It is complete, and took so long.
    Built(Duration),
    /// Another process had it complete.
    Found,
    /// It failed.
    Failed(EnvironmentError),
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("starting"),
            Self::Waiting => f.write_str("waiting for another process that builds it"),
            Self::Building(way) => write!(f, "building with {way}"),
            Self::Built(time) => write!(f, "built in {:.1} s", time.as_secs_f64()),
            Self::Found => f.write_str("built by another process"),
            Self::Failed(error) => write!(f, "{error}"),
        }
    }
}

/// Sees what happens to environments, whoever asked for them.
pub trait Observer: fmt::Debug + Send + Sync {
    /// The environment of `owner` has come so far. Called on the task that builds: it should be quick.
    fn see(&self, owner: &Owner, progress: &Progress);
}

/// Writes it to the log.
#[derive(Clone, Copy, Debug)]
pub struct Logged;

impl Observer for Logged {
    fn see(&self, owner: &Owner, progress: &Progress) {
        let (pack, runtime, manifest) = (&owner.pack, &owner.runtime, &owner.manifest);
        if let Progress::Failed(error) = progress {
            tracing::warn!(pack.ref = %pack, runtime.ref = %runtime, manifest, error = %error, "An environment could not be built");
        } else {
            tracing::info!(pack.ref = %pack, runtime.ref = %runtime, manifest, "Environment: {progress}");
        }
    }
}

/// A build that is under way.
#[derive(Clone, Debug)]
pub struct Building {
    owner: Owner,
    progress: watch::Receiver<Progress>,
}

impl Building {
    pub(super) fn new(order: &Order, progress: watch::Receiver<Progress>) -> Self {
        Self { owner: order.owner().clone(), progress }
    }

    /// For whom it is.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// How far it is, as soon as that is known: in a moment.
    pub async fn progress(&mut self) -> Progress {
        let begun = self.progress.wait_for(|progress| !matches!(progress, Progress::Starting)).await;
        begun.map_or(Progress::Starting, |progress| progress.clone())
    }

    /// Waits for the end of the build, whatever that is, and tells `see` of each step that it notices.
    pub async fn follow(&mut self, see: &mut (impl FnMut(&Progress) + Send)) {
        self.progress.mark_changed();
        // An error means that the build has ended: the last step was seen before.
        while self.progress.changed().await.is_ok() {
            let progress = self.progress.borrow_and_update().clone();
            if !matches!(progress, Progress::Starting) {
                see(&progress);
            }
        }
    }
}
