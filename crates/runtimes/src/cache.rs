//! Where a machine keeps what it can make again.

use std::ffi::OsString;
use std::path::PathBuf;

/// Neither a cache directory nor a home is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no directory for caches: neither XDG_CACHE_HOME nor HOME is an absolute path")]
pub struct NoCacheDirectory;

/// The cache directory of this process: `$XDG_CACHE_HOME/attune`, else `/var/cache/attune` as root and
/// `~/.cache/attune` for everybody else.
pub fn directory() -> Result<PathBuf, NoCacheDirectory> {
    directory_for(rustix::process::geteuid().is_root(), |name| std::env::var_os(name))
}

fn directory_for(
    root: bool,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<PathBuf, NoCacheDirectory> {
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CACHE_HOME")
        .or_else(|| root.then(|| "/var/cache".into()))
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .ok_or(NoCacheDirectory)?;
    Ok(base.join("attune"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(root: bool, variables: &[(&str, &str)]) -> Result<PathBuf, NoCacheDirectory> {
        directory_for(root, |name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn what_is_asked_for_wins() {
        let home = ("HOME", "/home/a");
        assert_eq!(of(false, &[home, ("XDG_CACHE_HOME", "/x")]), Ok("/x/attune".into()));
        assert_eq!(of(true, &[home]), Ok("/var/cache/attune".into()));
        assert_eq!(of(false, &[home, ("XDG_CACHE_HOME", "relative")]), Ok("/home/a/.cache/attune".into()));
        assert_eq!(of(false, &[("HOME", "")]), Err(NoCacheDirectory));
    }
}
