//! How much of the system a program gets to see and to change.

use tokio::sync::OnceCell;

use crate::error::LaunchError;
use crate::trial;

/// A level of confinement. Each includes those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing but what every run has: the environment, directory and streams that it was given.
    #[default]
    None,
    /// No new privileges, and limits that no honest program meets: see [`Limits::confine`](crate::Limits::confine).
    Process,
    /// Its own processes, mounts and shared memory, an empty temporary directory, and no privilege outside even as root.
    Namespace,
    /// Nothing can be changed outside of its working directory, of the devices only those that hold nothing, and no
    /// network.
    Strict,
}

impl Level {
    /// All of them, the weakest first.
    pub const ALL: [Self; 4] = [Self::None, Self::Process, Self::Namespace, Self::Strict];

    /// The name by which it is demanded and reported.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Process => "process",
            Self::Namespace => "namespace",
            Self::Strict => "strict",
        }
    }

    /// The level of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == name)
    }

    /// Those that this host can keep, each tried once.
    pub async fn available() -> Vec<Self> {
        let mut available = Vec::new();
        for level in Self::ALL {
            if level.check().await.is_ok() {
                available.push(level);
            }
        }
        available
    }

    /// An error when this host cannot keep it.
    pub(crate) async fn check(self) -> Result<(), LaunchError> {
        static NAMESPACE: OnceCell<Result<(), String>> = OnceCell::const_new();
        static STRICT: OnceCell<Result<(), String>> = OnceCell::const_new();
        let trial = match self {
            Self::None | Self::Process => return Ok(()),
            Self::Namespace => &NAMESPACE,
            Self::Strict => &STRICT,
        };
        // Boxed, or every run would carry the room that the first one needs.
        let tried = trial.get_or_init(|| Box::pin(trial::run(self, None))).await;
        tried.clone().map_err(|reason| LaunchError::Sandbox { level: self, reason })
    }
}
