//! The launcher as something that can be executed.
//!
//! It is embedded in this library, so every `cargo run` and `cargo test` has it. It is put into a sealed memory file
//! once; where the system refuses to execute those, into a private file whose name is removed at once, which leaves
//! nothing to clean up and nothing for others to replace.

use std::env;
use std::ffi::{CStr, CString};
use std::fs::{self, File, OpenOptions, remove_file};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;

static LAUNCHER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/attune-launcher"));

/// An open launcher.
pub(crate) struct Image {
    path: CString,
    _file: OwnedFd,
}

impl Image {
    /// In a memory file that nobody can change any more.
    pub(crate) fn in_memory() -> io::Result<Self> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        // Newer kernels want to be told that it will be executed; older ones refuse to be told.
        let memory = match memfd_create(c"attune-launcher", flags | MemfdFlags::EXEC) {
            Err(Errno::INVAL) => memfd_create(c"attune-launcher", flags)?,
            other => other?,
        };
        let mut file = File::from(memory);
        file.write_all(LAUNCHER)?;
        fcntl_add_seals(&file, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
        Ok(Self::of(file.into()))
    }

    /// In an unnamed file of `directory`.
    pub(crate) fn in_directory(directory: &Path) -> io::Result<Self> {
        let name = directory.join(format!(".attune-launcher-{}", std::process::id()));
        let mut writer = OpenOptions::new().write(true).create_new(true).mode(0o700).open(&name)?;
        let reader = writer.write_all(LAUNCHER).and_then(|()| File::open(&name));
        remove_file(&name)?;
        // A file that is open for writing cannot be executed.
        drop(writer);
        Ok(Self::of(reader?.into()))
    }

    /// In the first temporary directory that takes it.
    pub(crate) fn in_any_directory() -> io::Result<Self> {
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(Into::into);
        let places = [Some(env::temp_dir()), runtime, Some("/var/tmp".into()), Some("/dev/shm".into())];
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for place in places.into_iter().flatten() {
            match Self::in_directory(&place) {
                Ok(image) => return Ok(image),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn of(file: OwnedFd) -> Self {
        let path = format!("/proc/{}/fd/{}", this_process(), file.as_raw_fd());
        Self { path: CString::new(path).expect("a path of digits and letters holds no NUL"), _file: file }
    }

    /// Where the new process finds it.
    pub(crate) fn path(&self) -> &CStr {
        &self.path
    }
}

/// This process's name in `/proc`. By its number the kernel finds what it has found before; `self` would be a new directory
/// for each new process. But where another namespace's `/proc` is mounted the number is somebody else's.
fn this_process() -> String {
    let number = std::process::id().to_string();
    match fs::read_link("/proc/self") {
        Ok(link) if link == Path::new(&number) => number,
        _ => "self".to_owned(),
    }
}
