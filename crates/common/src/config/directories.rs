//! `data_dir`, `cache_dir` and `runtime.environments_dir`: what Attune keeps on this machine.

use std::path::PathBuf;

use super::env;
use super::section::Section;
use super::sources::Sources;

/// The data directory: `/var/lib/attune` for root, else under the user's data home.
pub(super) fn data_dir(section: &mut Section<'_>, sources: &Sources) -> PathBuf {
    directory(section, "data_dir", sources).unwrap_or_else(|| default_data_dir(sources))
}

/// The directory of what can be made again; `cache` in the data directory.
pub(super) fn cache_dir(section: &mut Section<'_>, sources: &Sources, data_dir: &std::path::Path) -> PathBuf {
    directory(section, "cache_dir", sources).unwrap_or_else(|| data_dir.join("cache"))
}

/// The directory of environments: not in the data directory, since what takes minutes to install should outlive that,
/// and be shared by all that is started on this machine.
pub(super) fn environments_dir(section: &mut Section<'_>, sources: &Sources) -> PathBuf {
    directory(section, "environments_dir", sources)
        .unwrap_or_else(|| default_cache(sources).join("attune/environments"))
}

fn directory(section: &mut Section<'_>, key: &'static str, sources: &Sources) -> Option<PathBuf> {
    section.text(key).map(|path| sources.cwd.join(path))
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
