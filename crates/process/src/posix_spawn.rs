//! `posix_spawn`, which starts a process without copying the service's memory.
//!
//! glibc runs it as a process that borrows the memory until it executes, so the price does not grow with the service.

#![expect(unsafe_code, reason = "the C library's spawn attributes and file actions have no safe wrapper")]

use std::ffi::{CStr, CString, c_char, c_int};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;

use rustix::process::Pid;

/// Starts `file` with exactly `argv`, `env` and, from 0 upwards, `descriptors`; with every signal blocked and none
/// ignored. Other descriptors that are not close-on-exec are inherited.
pub(crate) fn posix_spawn(
    file: &CStr,
    argv: &[CString],
    env: &[CString],
    descriptors: &[OwnedFd],
) -> io::Result<Pid> {
    let mut actions = FileActions::new()?;
    for (number, descriptor) in (0..).zip(descriptors) {
        actions.duplicate(descriptor, number)?;
    }
    let attributes = Attributes::with_signals_blocked()?;
    let (argv, env) = (pointers(argv), pointers(env));
    let mut pid = 0;
    // SAFETY: all pointers are to live values; both arrays end in null and their strings outlive the call.
    check(unsafe {
        libc::posix_spawn(
            &raw mut pid,
            file.as_ptr(),
            &raw const actions.0,
            &raw const attributes.0,
            argv.as_ptr(),
            env.as_ptr(),
        )
    })?;
    Pid::from_raw(pid).ok_or_else(|| io::Error::other("posix_spawn gave no process id"))
}

fn pointers(strings: &[CString]) -> Vec<*mut c_char> {
    strings.iter().map(|string| string.as_ptr().cast_mut()).chain([ptr::null_mut()]).collect()
}

/// These functions return the error number instead of setting it.
fn check(error: c_int) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

struct FileActions(libc::posix_spawn_file_actions_t);

impl FileActions {
    fn new() -> io::Result<Self> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: the call initialises the value that it is given, or fails.
        unsafe {
            check(libc::posix_spawn_file_actions_init(actions.as_mut_ptr()))?;
            Ok(Self(actions.assume_init()))
        }
    }

    fn duplicate(&mut self, descriptor: &OwnedFd, number: c_int) -> io::Result<()> {
        // SAFETY: the actions are initialised, and the descriptor is open.
        check(unsafe {
            libc::posix_spawn_file_actions_adddup2(&raw mut self.0, descriptor.as_raw_fd(), number)
        })
    }
}

impl Drop for FileActions {
    fn drop(&mut self) {
        // SAFETY: the actions are initialised and not used again.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.0) };
    }
}

struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    fn with_signals_blocked() -> io::Result<Self> {
        let mut attributes = MaybeUninit::uninit();
        let mut every = MaybeUninit::uninit();
        let flags = libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF;
        let flags = libc::c_short::try_from(flags).map_err(io::Error::other)?;
        // SAFETY: each value is initialised by its first call and used only after that succeeded.
        unsafe {
            check(libc::sigfillset(every.as_mut_ptr()))?;
            check(libc::posix_spawnattr_init(attributes.as_mut_ptr()))?;
            let mut attributes = Self(attributes.assume_init());
            check(libc::posix_spawnattr_setsigmask(&raw mut attributes.0, every.as_ptr()))?;
            check(libc::posix_spawnattr_setsigdefault(&raw mut attributes.0, every.as_ptr()))?;
            check(libc::posix_spawnattr_setflags(&raw mut attributes.0, flags))?;
            Ok(attributes)
        }
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: the attributes are initialised and not used again.
        unsafe { libc::posix_spawnattr_destroy(&raw mut self.0) };
    }
}
