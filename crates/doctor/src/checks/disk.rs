//! Room on the disks that Attune writes to.

use std::collections::BTreeMap;
use std::path::Path;

use rustix::fs::{StatVfs, statvfs};

use crate::finding::Finding;
use crate::installation::Installation;

/// Below this a database stops, and what is half written stays so.
const TOO_LITTLE: u64 = 200_000_000;
const LITTLE: u64 = 2_000_000_000;
/// Files that may still be made; an environment of a pack takes thousands.
const FEW_FILES: u64 = 10_000;

pub(super) fn check(installation: &Installation) -> Vec<Finding> {
    let config = &installation.config;
    let temporary = std::env::temp_dir();
    let mut disks: BTreeMap<u64, (StatVfs, Vec<String>)> = BTreeMap::new();
    let mut findings = Vec::new();
    for (what, directory) in [
        ("data", &config.data_dir),
        ("cache", &config.cache_dir),
        ("environments", &config.runtime.environments_dir),
        ("temporary files", &temporary),
    ] {
        let name = format!("{what} ({})", directory.display());
        match statvfs(existing(directory)) {
            Ok(disk) => disks.entry(disk.f_fsid).or_insert((disk, Vec::new())).1.push(name),
            Err(error) => findings.push(Finding::warning(
                format!("nothing is known of the disk for {name}: {error}"),
                "let this user get there",
            )),
        }
    }
    findings.extend(disks.values().map(|(disk, names)| {
        let files = if disk.f_files == 0 { u64::MAX } else { disk.f_favail };
        judge(disk.f_bavail.saturating_mul(disk.f_frsize), files, &names.join(", "))
    }));
    findings
}

/// A directory that will be made lies on the disk of the nearest one that exists.
fn existing(directory: &Path) -> &Path {
    directory.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"))
}

fn judge(bytes: u64, files: u64, names: &str) -> Finding {
    let mend = "make room, or move it: data_dir, cache_dir, runtime.environments_dir, TMPDIR";
    let found = format!("{} free for {names}", size(bytes));
    if bytes < TOO_LITTLE {
        Finding::problem(format!("only {found}"), mend)
    } else if files < FEW_FILES {
        Finding::problem(format!("only {files} more files fit on the disk for {names}"), mend)
    } else if bytes < LITTLE {
        Finding::warning(format!("only {found}"), mend)
    } else {
        Finding::ok(found)
    }
}

/// Bytes as people read them.
pub(super) fn size(bytes: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let unit = units.into_iter().find(|(unit, _)| bytes >= *unit);
    unit.map_or_else(
        || format!("{bytes} bytes"),
        |(unit, name)| format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Verdict;

    #[test]
    fn little_room_is_a_warning_and_none_a_problem() {
        let of = |bytes, files| judge(bytes, files, "data").verdict;
        assert_eq!(of(LITTLE, FEW_FILES), Verdict::Ok);
        assert_eq!(of(LITTLE - 1, FEW_FILES), Verdict::Warning);
        assert_eq!(of(TOO_LITTLE - 1, FEW_FILES), Verdict::Problem);
        assert_eq!(of(LITTLE, FEW_FILES - 1), Verdict::Problem);
        assert_eq!(judge(1_500_000_000, u64::MAX, "data").found, "only 1.5 GB free for data");
    }

    #[test]
    fn what_is_not_there_yet_is_judged_by_what_is() {
        assert_eq!(existing(Path::new("/proc/no/such/thing")), Path::new("/proc"));
        assert_eq!([size(999), size(2_560_000)], ["999 bytes", "2.5 MB"]);
    }
}
