//! Where this process stands in the tree of cgroups: on some systems it is mounted alone, on others below the older
//! kind, and containers see a part of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The directory of this process's own group.
pub(crate) fn own_directory() -> io::Result<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let membership = fs::read_to_string("/proc/self/cgroup")?;
    directory(&mounts, &membership).ok_or_else(|| io::Error::other("no cgroup of version 2 is mounted here"))
}

/// Each mount is `id parent device root place …`, with its kind after a dash; the version 2 membership is `0::path`.
fn directory(mounts: &str, membership: &str) -> Option<PathBuf> {
    let (root, place) = mounts.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let mut fields = left.split(' ').skip(3);
        (right.split(' ').next()? == "cgroup2").then_some((fields.next()?, fields.next()?))
    })?;
    let own = membership.lines().find_map(|line| line.strip_prefix("0::"))?;
    let below = Path::new(own).strip_prefix(root).ok()?;
    Some(Path::new(place).join(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONE: &str = "30 23 0:26 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn it_is_found_wherever_it_is_mounted() {
        let hybrid = "36 31 0:33 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
        let found = directory(hybrid, "4:memory:/a\n0::/\n").unwrap();
        assert_eq!(found, Path::new("/sys/fs/cgroup/unified"));
        let found = directory(ALONE, "0::/system.slice/attune.service\n").unwrap();
        assert_eq!(found, Path::new("/sys/fs/cgroup/system.slice/attune.service"));
    }

    #[test]
    fn a_container_sees_its_own_part() {
        let mounts = "30 23 0:26 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
        assert_eq!(directory(mounts, "0::/docker/1/x\n").unwrap(), Path::new("/sys/fs/cgroup/x"));
        assert_eq!(directory(mounts, "0::/../other\n"), None);
    }

    #[test]
    fn without_a_mount_there_is_none() {
        assert_eq!(directory("", "0::/\n"), None);
        assert_eq!(directory(ALONE, "4:memory:/a\n"), None);
    }
}
