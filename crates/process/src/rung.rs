//! How a tree is killed on this host: by the strongest way that was seen to work.
//!
//! Which one that is, is tried once, by running the launcher itself in a group.

use tokio::sync::OnceCell;

use crate::group::{Group, Groups};
use crate::program::Limits;
use crate::sandbox::Level;
use crate::trial;

/// A way to kill a tree, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// The program has a cgroup of its own. The kernel kills all of it at once, whoever they have become, and this side
    /// does it when the launcher cannot.
    Cgroup,
    /// The program has a PID namespace of its own, as it has from [`Level::Namespace`] on. The kernel kills all of it
    /// when the launcher ends, however that happens.
    PidNamespace,
    /// The launcher inherits every orphan, so it finds all descendants. When it is killed itself, only the program dies
    /// with it.
    Subreaper,
}

impl Rung {
    /// The one for programs with these limits.
    pub async fn of(limits: &Limits) -> Self {
        match limits.sandbox {
            Level::Namespace | Level::Strict => Self::PidNamespace,
            Level::None | Level::Process if limits.grouped && groups().await.is_some() => Self::Cgroup,
            Level::None | Level::Process => Self::Subreaper,
        }
    }

    /// The name by which a worker reports it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cgroup => "cgroup",
            Self::PidNamespace => "pid_namespace",
            Self::Subreaper => "subreaper",
        }
    }
}

static GROUPS: OnceCell<Option<Groups>> = OnceCell::const_new();

/// This process's cgroups, when this host lets it have any.
pub(crate) async fn groups() -> Option<&'static Groups> {
    // Boxed, or every run would carry the room that the first one needs.
    GROUPS.get_or_init(|| Box::pin(find())).await.as_ref()
}

/// A group for a program with these limits. A host whose groups are used up does without: the subreaper is there anyway.
pub(crate) async fn lease(limits: &Limits) -> Option<Group> {
    let groups = if limits.grouped { groups().await? } else { return None };
    groups.lease().inspect_err(|error| tracing::debug!(%error, "No cgroup for a program")).ok()
}

/// Where a group goes that nothing happened to.
pub(crate) fn give_back(group: Group) {
    match GROUPS.get() {
        Some(Some(groups)) => groups.give_back(group),
        _ => group.bury(),
    }
}

async fn find() -> Option<Groups> {
    let found = async {
        let groups = Groups::open().map_err(|error| error.to_string())?;
        let group = groups.lease().map_err(|error| error.to_string())?;
        trial::run(Level::None, Some(group)).await.map(|()| groups)
    };
    found.await.inspect_err(|reason| tracing::debug!(reason, "No cgroups for programs")).ok()
}
