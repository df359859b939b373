//! Which account runs the server.
//!
//! `PostgreSQL` refuses root. Attune's own service runs as root on most machines, so then the server runs as an account
//! without privileges. A cluster that exists keeps the account that owns it, whatever has been installed since.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::Error;

const PASSWD: &str = "/etc/passwd";
/// In order of preference; `nobody` because it exists everywhere.
const CANDIDATES: [&str; 3] = ["postgres", "attune", "nobody"];

/// An account other than the one that this process has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Account {
    /// The account to run the server as; `None` is this process's own.
    pub(crate) fn choose(cluster: &Path) -> Result<Option<Self>, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        match Self::owning(cluster)? {
            Some(owner) => Ok(Some(owner)),
            None => Self::preferred().map(Some),
        }
    }

    fn owning(cluster: &Path) -> Result<Option<Self>, Error> {
        let metadata = match fs::metadata(cluster) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            result => result.map_err(Error::file("inspect", cluster))?,
        };
        let (uid, gid) = (metadata.uid(), metadata.gid());
        Ok((uid != 0).then(|| Self { name: format!("uid {uid}"), uid, gid }))
    }

    fn preferred() -> Result<Self, Error> {
        let passwd = fs::read_to_string(PASSWD).map_err(Error::file("read", Path::new(PASSWD)))?;
        CANDIDATES
            .iter()
            .find_map(|name| Self::in_passwd(&passwd, name))
            .ok_or_else(|| Error::NoAccount(CANDIDATES.to_vec()))
    }

    fn in_passwd(passwd: &str, name: &str) -> Option<Self> {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let found = fields.next()?;
            let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            (found == name && uid != 0).then(|| Self { name: name.to_owned(), uid, gid })
        })
    }
}

/// Gives `path` to `account`; nothing to do when that is this process's own.
pub(crate) fn give(path: &Path, account: Option<&Account>) -> Result<(), Error> {
    let Some(account) = account else { return Ok(()) };
    std::os::unix::fs::lchown(path, Some(account.uid), Some(account.gid))
        .map_err(Error::file("change the owner of", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
                          # a comment\n\
                          toor:x:0:0::/root:/bin/sh\n\
                          nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin\n";

    #[test]
    fn finds_an_account_by_its_whole_name() {
        let nobody = Account { name: "nobody".to_owned(), uid: 65534, gid: 65533 };
        assert_eq!(Account::in_passwd(PASSWD, "nobody"), Some(nobody));
        assert_eq!(Account::in_passwd(PASSWD, "no"), None);
    }

    #[test]
    fn never_chooses_another_name_of_root() {
        assert_eq!(Account::in_passwd(PASSWD, "toor"), None);
    }
}
