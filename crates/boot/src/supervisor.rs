//! One supervisor for all tasks of a process.
//!
//! Each task declares what happens to it when the program stops and what its own failure means. A task that ends although
//! nobody asked it to is a failure: a program is whole or gone, never half alive.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What happens to a task when the program stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnStop {
    /// It watches the token itself and is waited for, within the drain time.
    Wait,
    /// It holds nothing worth finishing.
    Abort,
}

/// What the failure of a task means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// The program goes on without it.
    Log,
    /// The program stops with a non-zero code.
    Shutdown,
}

/// Starts, watches and ends the tasks of one process; clones are the same supervisor.
#[derive(Debug, Clone, Default)]
pub struct Supervisor(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    soft: CancellationToken,
    hard: CancellationToken,
    tasks: TaskTracker,
    failure: Mutex<Option<anyhow::Error>>,
}

impl Supervisor {
    /// The token that tasks watch: cancelled when the program should take no more work.
    pub fn stopping(&self) -> CancellationToken {
        self.0.soft.clone()
    }

    /// Runs a task under this supervisor.
    pub fn spawn<F, E>(&self, name: &'static str, on_stop: OnStop, on_error: OnError, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<anyhow::Error> + Send + 'static,
    {
        let this = self.clone();
        self.0.tasks.spawn(async move {
            let cut = match on_stop {
                OnStop::Wait => &this.0.hard,
                OnStop::Abort => &this.0.soft,
            };
            // The task gets its own handle, so that a panic in it is a failure like any other.
            let mut running = tokio::spawn(task);
            let ended = tokio::select! {
                ended = &mut running => ended,
                () = cut.cancelled() => { running.abort(); return; }
            };
            match ended {
                Ok(Ok(())) if this.0.soft.is_cancelled() => {}
                Ok(Ok(())) => {
                    this.failed(name, on_error, anyhow::anyhow!("ended although nobody asked it to"));
                }
                Ok(Err(error)) => this.failed(name, on_error, error.into()),
                Err(panic) => this.failed(name, on_error, panic.into()),
            }
        });
    }

    /// Asks every task to end; returns at once.
    pub fn stop(&self) {
        self.0.soft.cancel();
    }

    /// Ends every task now.
    pub fn abort(&self) {
        self.0.soft.cancel();
        self.0.hard.cancel();
    }

    /// Waits until the tasks are being ended by force.
    pub async fn aborted(&self) {
        self.0.hard.cancelled().await;
    }

    /// Stops because of a failure; the first one is what the program reports.
    pub fn fail(&self, error: anyhow::Error) {
        tracing::error!(error = format!("{error:#}"), "Stopping because of a failure");
        self.0.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.stop();
    }

    /// Waits until somebody asks for the end, gives the tasks `drain` to finish, and reports the first failure.
    pub async fn run(self, drain: Duration) -> anyhow::Result<()> {
        self.0.soft.cancelled().await;
        self.0.tasks.close();
        if tokio::time::timeout(drain, self.0.tasks.wait()).await.is_err() {
            tracing::warn!(drain_ms = drain.as_millis(), "Not everything finished in time; ending it");
        }
        self.0.hard.cancel();
        self.0.tasks.wait().await;
        let failure = self.0.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure.map_or(Ok(()), Err)
    }

    fn failed(&self, name: &'static str, on_error: OnError, error: anyhow::Error) {
        match on_error {
            OnError::Log => tracing::error!(task = name, error = format!("{error:#}"), "A task failed"),
            OnError::Shutdown => self.fail(error.context(format!("{name} failed"))),
        }
    }
}
