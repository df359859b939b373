//! Which of the installed servers to use.
//!
//! A cluster can only be opened by the major version that made it, so a machine's newest server is the answer for a new
//! cluster only; for one that exists it is whichever installed server has that version.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;

const MINIMUM: u32 = 15;
/// Where one directory per version lies, and how its name begins before the version; each has a `bin`.
const USUAL_PLACES: [(&str, &str); 6] = [
    ("/usr/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/usr/local", "pgsql"),
    ("/opt/homebrew/opt", "postgresql@"),
    ("/usr/local/opt", "postgresql@"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql@"),
];

/// An installed server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The directory that holds `initdb` and `postgres`.
    pub bin: PathBuf,
    /// The major version.
    pub major: u32,
}

impl Server {
    fn in_directory(bin: &Path) -> Option<Self> {
        if !bin.join("initdb").exists() {
            return None;
        }
        // The programs look for their data beside the place that they really lie in.
        let program = bin.join("postgres").canonicalize().ok()?;
        let major = major_in(&output_of(Command::new(&program).arg("--version"))?)?;
        Some(Self { bin: program.parent()?.to_owned(), major })
    }

    pub(crate) fn initdb(&self) -> PathBuf {
        self.bin.join("initdb")
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.bin.join("postgres")
    }
}

/// The server for a new cluster: the one that `pg_config` names, else the first on `PATH`, else the newest in the usual
/// places; version 15 or later.
pub fn find_server() -> Result<Server, Error> {
    let mut too_old = Vec::new();
    for server in installed() {
        if server.major >= MINIMUM {
            return Ok(server);
        }
        too_old.push(server.major);
    }
    Err(Error::NoServer { minimum: MINIMUM, too_old })
}

/// The server for a cluster that the major version `made_by` made.
pub(crate) fn find_server_for(cluster: &Path, made_by: u32) -> Result<Server, Error> {
    let mut others = BTreeSet::new();
    for server in installed() {
        if server.major == made_by {
            return Ok(server);
        }
        others.insert(server.major);
    }
    Err(Error::OtherVersion { cluster: cluster.to_owned(), made_by, installed: others.into_iter().collect() })
}

fn installed() -> impl Iterator<Item = Server> {
    let by_pg_config =
        output_of(Command::new("pg_config").arg("--bindir")).map(|text| PathBuf::from(text.trim()));
    let on_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>());
    let mut seen = BTreeSet::new();
    by_pg_config
        .into_iter()
        .chain(on_path.unwrap_or_default())
        .chain(USUAL_PLACES.iter().flat_map(|(parent, prefix)| versions_in(Path::new(parent), prefix)))
        .filter_map(|bin| Server::in_directory(&bin))
        .filter(move |server| seen.insert(server.bin.clone()))
}

/// `parent/PREFIX*/bin`, newest first.
fn versions_in(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if let Some(version) = name.to_str().and_then(|name| name.strip_prefix(prefix)) {
            found.push((version.parse::<u32>().unwrap_or_default(), entry.path().join("bin")));
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, bin)| bin).collect()
}

fn output_of(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `postgres (PostgreSQL) 15.8 (Debian 15.8-1)` is 15; so are `15beta1` and the `15` of a cluster's `PG_VERSION`.
pub(crate) fn major_in(text: &str) -> Option<u32> {
    let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions_as_the_server_writes_them() {
        assert_eq!(major_in("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_in("postgres (PostgreSQL) 19devel"), Some(19));
        assert_eq!(major_in("16\n"), Some(16));
        assert_eq!(major_in("no version"), None);
    }

    #[test]
    fn the_newest_version_comes_first() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["pgsql-9", "pgsql-16", "pgsql-15", "other-17"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        let found = versions_in(parent.path(), "pgsql-");
        let expected = ["pgsql-16", "pgsql-15", "pgsql-9"].map(|name| parent.path().join(name).join("bin"));
        assert_eq!(found, expected);
    }

    #[test]
    fn finds_the_installed_server() {
        let server = find_server().unwrap();
        assert!(server.major >= MINIMUM);
        assert!(server.initdb().exists() && server.postgres().exists());
    }

    #[test]
    fn a_missing_version_names_its_package() {
        let error = find_server_for(Path::new("/data/postgres"), 9).unwrap_err().to_string();
        assert!(error.contains("install the Debian package `postgresql-9`"), "{error}");
    }
}
