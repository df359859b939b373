//! Finding a program by its name, but only where the caller says.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};

/// Finds the executable file that `binary` means: an absolute path is taken as it is, a bare name is looked for in
/// the directories of `path` in order.
///
/// A relative path, and relative or empty entries of `path`, would depend on the working directory and are refused:
/// what runs must not change with where the service was started.
pub fn find_on_path(binary: &str, path: &OsStr) -> Option<PathBuf> {
    if binary.is_empty() || binary.contains('\0') {
        return None;
    }
    if binary.contains('/') {
        let file = PathBuf::from(binary);
        return (file.is_absolute() && is_executable(&file)).then_some(file);
    }
    let directories =
        path.as_bytes().split(|byte| *byte == b':').map(|entry| Path::new(OsStr::from_bytes(entry)));
    directories
        .filter(|entry| entry.is_absolute())
        .map(|entry| entry.join(binary))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.is_file() && accessat(CWD, file, Access::EXEC_OK, AtFlags::EACCESS).is_ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn place(directory: &Path, name: &str, mode: u32) {
        fs::create_dir_all(directory).unwrap();
        fs::write(directory.join(name), "").unwrap();
        fs::set_permissions(directory.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_first_executable_file_wins() {
        let root = tempfile::tempdir().unwrap();
        let [one, two, three] = ["one", "two", "three"].map(|name| root.path().join(name));
        fs::create_dir_all(one.join("tool")).unwrap();
        place(&two, "tool", 0o644);
        place(&three, "tool", 0o755);
        let path = format!(":relative:{}:{}:{}", one.display(), two.display(), three.display());
        assert_eq!(find_on_path("tool", OsStr::new(&path)), Some(three.join("tool")));
        assert_eq!(find_on_path("other", OsStr::new(&path)), None);
    }

    #[test]
    fn absolute_paths_need_no_search_and_relative_ones_are_refused() {
        assert_eq!(find_on_path("/bin/sh", OsStr::new("")), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find_on_path("bin/sh", OsStr::new("/")), None);
        assert_eq!(find_on_path("./sh", OsStr::new("/bin")), None);
    }

    #[test]
    fn nonsense_is_refused() {
        for binary in ["", "/", "/bin", "s\0h", "/bin/s\0h", ".", ".."] {
            assert_eq!(find_on_path(binary, OsStr::new("/bin")), None, "{binary:?}");
        }
    }
}
