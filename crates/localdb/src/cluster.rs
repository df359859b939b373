//! The cluster's directory: made once, whole or not at all.
//!
//! initdb takes a second in which anything may happen, and what it leaves halfway looks like a cluster. So it works
//! beside the cluster's place, and the rename is the moment at which the cluster exists.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use attune_process::Outcome;

use crate::account::{self, Account};
use crate::layout::{self, Layout};
use crate::server::{self, Server};
use crate::{Error, log, orphan, spawn};

/// Makes sure that there is a cluster, and says which server opens it.
///
/// The caller holds the lock.
pub(crate) async fn prepare(
    layout: &Layout,
    account: Option<&Account>,
    durable: bool,
) -> Result<Server, Error> {
    if let Some(major) = version_of(&layout.cluster())? {
        return server::find_server_for(&layout.cluster(), major);
    }
    let server = server::find_server()?;
    discard_unfinished(layout).await?;
    initialise(layout, account, &server, durable).await?;
    publish(layout)?;
    Ok(server)
}

/// The major version that made the cluster; `None` when its place is free.
fn version_of(cluster: &Path) -> Result<Option<u32>, Error> {
    let path = cluster.join("PG_VERSION");
    match fs::read_to_string(&path) {
        Ok(text) => server::major_in(&text).map(Some).ok_or_else(|| Error::NotACluster(cluster.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_free(cluster) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::NotACluster(cluster.to_owned())),
        Err(error) => Err(Error::file("read", &path)(error)),
    }
}

/// A rename replaces an empty directory, so that counts as free.
fn is_free(cluster: &Path) -> bool {
    fs::read_dir(cluster)
        .map_or_else(|error| error.kind() == io::ErrorKind::NotFound, |mut entries| entries.next().is_none())
}

/// initdb's own server may outlive it by a moment and would write into what is being removed.
async fn discard_unfinished(layout: &Layout) -> Result<(), Error> {
    let unfinished = layout.unfinished_cluster();
    if !unfinished.exists() {
        return Ok(());
    }
    tracing::warn!(directory = %unfinished.display(), "removing a cluster whose initialisation was interrupted");
    orphan::kill(&unfinished).await?;
    fs::remove_dir_all(&unfinished).map_err(Error::file("remove", &unfinished))
}

async fn initialise(
    layout: &Layout,
    account: Option<&Account>,
    server: &Server,
    durable: bool,
) -> Result<(), Error> {
    let directory = layout.unfinished_cluster();
    layout::create_directory(&directory, 0o700)?;
    account::give(&directory, account)?;
    tracing::info!(cluster = %layout.cluster().display(), version = server.major, "creating a private database cluster");
    let mut arguments: Vec<String> =
        ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust", "--username=attune", "--no-instructions"]
            .map(str::to_owned)
            .into();
    if !durable {
        arguments.push("--no-sync".to_owned());
    }
    arguments.push(format!("--pgdata={}", directory.display()));
    let initdb = spawn::start(layout, account, server.initdb(), arguments, &directory).await?;
    match spawn::ended(&initdb).await? {
        Outcome::Exited(0) => Ok(()),
        outcome => Err(Error::InitFailed { outcome, log: log::tail(layout) }),
    }
}

fn publish(layout: &Layout) -> Result<(), Error> {
    let unfinished = layout.unfinished_cluster();
    fs::rename(&unfinished, layout.cluster()).map_err(Error::file("rename", &unfinished))?;
    File::open(layout.data_dir())
        .and_then(|directory| directory.sync_all())
        .map_err(Error::file("write", layout.data_dir()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_place_is_free() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(version_of(&place.path().join("missing")).unwrap(), None);
        assert_eq!(version_of(place.path()).unwrap(), None);
        fs::write(place.path().join("PG_VERSION"), "15\n").unwrap();
        assert_eq!(version_of(place.path()).unwrap(), Some(15));
        fs::rename(place.path().join("PG_VERSION"), place.path().join("other")).unwrap();
        assert!(matches!(version_of(place.path()), Err(Error::NotACluster(_))));
    }

    #[tokio::test]
    async fn a_cluster_of_a_version_that_is_not_installed_is_refused() {
        let data_dir = tempfile::tempdir().unwrap();
        let layout = Layout::existing(data_dir.path()).unwrap();
        fs::create_dir(layout.cluster()).unwrap();
        fs::write(layout.cluster().join("PG_VERSION"), "9\n").unwrap();
        let error = prepare(&layout, None, false).await.unwrap_err();
        assert!(matches!(error, Error::OtherVersion { made_by: 9, .. }), "{error}");
    }
}
