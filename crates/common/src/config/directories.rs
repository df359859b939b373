//! `data_dir`, `cache_dir` and `runtime.environments_dir`: what Attune keeps on this machine.

use std::path::{Path, PathBuf};

use super::env;
use super::section::Section;
use super::sources::Sources;

/// The data directory: `/var/lib/attune` for root, else under the user's data home.
pub(super) fn data_dir(section: &mut Section<'_>, sources: &Sources) -> PathBuf {
    let about = "What this machine must not lose: the private PostgreSQL, the API's address and token. \
                 For root it is `/var/lib/attune`, for others it lies under `XDG_DATA_HOME`.";
    directory(section, "data_dir", default_data_dir(sources), about, sources)
}

/// The directory of what can be made again; `cache` in the data directory.
pub(super) fn cache_dir(section: &mut Section<'_>, sources: &Sources, data_dir: &Path) -> PathBuf {
    let about = "What this machine can make again: unpacked packs, their environments, results of verification. \
                 Unless it is set it lies in the data directory.";
    directory(section, "cache_dir", data_dir.join("cache"), about, sources)
}

/// The directory of environments: not in the data directory, since what takes minutes to install should outlive that,
/// and be shared by all that is started on this machine.
pub(super) fn environments_dir(section: &mut Section<'_>, sources: &Sources) -> PathBuf {
    let about = "The environments of packs, shared by all that is started on this machine. For root they lie in \
                 `/var/cache`, for others under `XDG_CACHE_HOME`.";
    let default = default_cache(sources).join("attune/environments");
    directory(section, "environments_dir", default, about, sources)
}

fn directory(
    section: &mut Section<'_>,
    key: &'static str,
    default: PathBuf,
    about: &'static str,
    sources: &Sources,
) -> PathBuf {
    section.read_or(key, "text that is not empty", default, about, |given| {
        given.text().map(|path| sources.cwd.join(path))
    })
}

fn default_data_dir(sources: &Sources) -> PathBuf {
    if sources.root {
        return PathBuf::from("/var/lib/attune");
    }
    absolute(sources, env::XDG_DATA_HOME)
        .or_else(|| absolute(sources, env::HOME).map(|home| home.join(".local/share")))
        .unwrap_or_else(|| sources.cwd.clone())
        .join("attune")
}

fn default_cache(sources: &Sources) -> PathBuf {
    absolute(sources, env::XDG_CACHE_HOME)
        .or_else(|| sources.root.then(|| PathBuf::from("/var/cache")))
        .or_else(|| absolute(sources, env::HOME).map(|home| home.join(".cache")))
        .unwrap_or_else(|| sources.cwd.clone())
}

fn absolute(sources: &Sources, name: &str) -> Option<PathBuf> {
    sources.variable(name).map(PathBuf::from).filter(|path| path.is_absolute())
}
