//! The calls that arrange a file system: mounts, and what they are mounted on.

use core::ffi::{CStr, c_int};

use crate::sys::{AT_FDCWD, Descriptor, O_CLOEXEC, O_WRONLY, address, plain};
use crate::syscall::number;

const AT_RECURSIVE: usize = 0x8000;
const EEXIST: c_int = 17;
const MOUNT_ATTR_RDONLY: u64 = 1;
const MOVE_MOUNT_F_EMPTY_PATH: usize = 4;
const MS_NOSUID_NODEV: usize = 2 | 4;
const MS_REC_PRIVATE: usize = 0x4000 | 0x4_0000;
const OPEN_TREE_CLONE: usize = 1;
const O_CREAT: usize = 0o100;
const LONGEST_PATH: usize = 4096;

/// `struct mount_attr`.
#[derive(Default)]
#[repr(C)]
struct MountAttributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

fn text(path: &CStr) -> usize {
    path.as_ptr().expose_provenance()
}

/// A copy of a part of the file system that is mounted nowhere yet.
pub(crate) struct Detached(Descriptor);

impl Detached {
    pub(crate) fn copy_of(path: &CStr) -> Result<Self, c_int> {
        let flags = OPEN_TREE_CLONE | O_CLOEXEC | AT_RECURSIVE;
        plain(number::OPEN_TREE, [AT_FDCWD, text(path), flags]).map(|fd| Self(Descriptor::from_number(fd)))
    }

    pub(crate) fn put(&self, path: &CStr) -> Result<(), c_int> {
        let arguments = [self.0.number(), text(c""), AT_FDCWD, text(path), MOVE_MOUNT_F_EMPTY_PATH];
        plain(number::MOVE_MOUNT, arguments).map(drop)
    }
}

/// Sees to it that nothing that is mounted from now on is seen outside.
pub(crate) fn keep_mounts_private() -> Result<(), c_int> {
    plain(number::MOUNT, [0, text(c"/"), 0, MS_REC_PRIVATE, 0]).map(drop)
}

pub(crate) fn mount(kind: &CStr, path: &CStr, options: &CStr) -> Result<(), c_int> {
    let arguments = [text(kind), text(path), text(kind), MS_NOSUID_NODEV, text(options)];
    plain(number::MOUNT, arguments).map(drop)
}

/// Makes everything read-only that is mounted at this place or below.
pub(crate) fn make_read_only(path: &CStr) -> Result<(), c_int> {
    let attributes = MountAttributes { set: MOUNT_ATTR_RDONLY, ..MountAttributes::default() };
    change(path, AT_RECURSIVE, &attributes)
}

/// Makes what is mounted at this very place writable again.
pub(crate) fn make_writable(path: &CStr) -> Result<(), c_int> {
    let attributes = MountAttributes { clear: MOUNT_ATTR_RDONLY, ..MountAttributes::default() };
    change(path, 0, &attributes)
}

fn change(path: &CStr, flags: usize, attributes: &MountAttributes) -> Result<(), c_int> {
    let arguments = [AT_FDCWD, text(path), flags, address(attributes), size_of::<MountAttributes>()];
    plain(number::MOUNT_SETATTR, arguments).map(drop)
}

/// Makes a directory and those above it. What is there already, or can not be made, shows when it is used.
pub(crate) fn make_directories(path: &CStr) {
    let mut parent = [0; LONGEST_PATH];
    for (at, byte) in path.to_bytes().iter().enumerate().take(LONGEST_PATH - 1) {
        if *byte == b'/' && at > 0 {
            let _ = CStr::from_bytes_until_nul(&parent).map(make_directory);
        }
        parent[at] = *byte;
    }
    let _ = make_directory(path);
}

pub(crate) fn make_directory(path: &CStr) -> Result<(), c_int> {
    match plain(number::MKDIRAT, [AT_FDCWD, text(path), 0o755]) {
        Ok(_) | Err(EEXIST) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Makes an empty file.
pub(crate) fn make_file(path: &CStr) -> Result<(), c_int> {
    let flags = O_CREAT | O_WRONLY | O_CLOEXEC;
    plain(number::OPENAT, [AT_FDCWD, text(path), flags, 0o644]).map(|fd| drop(Descriptor::from_number(fd)))
}

pub(crate) fn make_link(target: &CStr, path: &CStr) -> Result<(), c_int> {
    plain(number::SYMLINKAT, [text(target), AT_FDCWD, text(path)]).map(drop)
}
