//! Whether the account that runs the server can get to the data directory at all.
//!
//! Without this check the server's own message names the cluster only, while the cause is three directories further up
//! (a home or a temporary directory of mode 0700).

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::Error;
use crate::account::Account;
use crate::layout::Layout;

/// Whether the account that a private server would run as can get to a data directory that exists.
pub fn check_reach(data_dir: &Path) -> Result<(), Error> {
    let layout = Layout::existing(data_dir)?;
    check(layout.data_dir(), Account::choose(&layout.cluster())?.as_ref())
}

/// Checks each directory from the root down to `data_dir`.
pub(crate) fn check(data_dir: &Path, account: Option<&Account>) -> Result<(), Error> {
    let Some(account) = account else { return Ok(()) };
    let mut way = data_dir.ancestors().collect::<Vec<_>>();
    way.reverse();
    for directory in way {
        let metadata = fs::metadata(directory).map_err(Error::file("inspect", directory))?;
        if !may_pass(&metadata, account) {
            return Err(Error::Unreachable {
                data_dir: data_dir.to_owned(),
                blocked_by: directory.to_owned(),
                account: account.name.clone(),
            });
        }
    }
    Ok(())
}

/// The kernel's rule: the first class that applies decides alone.
fn may_pass(metadata: &fs::Metadata, account: &Account) -> bool {
    let bit = if metadata.uid() == account.uid {
        0o100
    } else if metadata.gid() == account.gid {
        0o010
    } else {
        0o001
    };
    metadata.mode() & bit != 0
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn stranger() -> Account {
        Account { name: "stranger".to_owned(), uid: 54_321, gid: 54_321 }
    }

    #[test]
    fn names_the_directory_that_blocks() {
        let directory = tempfile::Builder::new().prefix("attune-reach-").tempdir_in("/tmp").unwrap();
        let inner = directory.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let error = check(&inner, Some(&stranger())).unwrap_err();
        assert!(
            matches!(&error, Error::Unreachable { blocked_by, .. } if blocked_by == directory.path()),
            "{error}"
        );

        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o711)).unwrap();
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o701)).unwrap();
        check(&inner, Some(&stranger())).unwrap();
    }

    #[test]
    fn the_own_account_needs_no_check() {
        check(Path::new("/nowhere/at/all"), None).unwrap();
    }
}
