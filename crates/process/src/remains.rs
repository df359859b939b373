//! What a process leaves behind, however it dies: words in a file that is mapped into memory.
//!
//! A store into such a word costs what any other store costs, and the kernel keeps it when the process is killed. Only atomics
//! touch the mapping, and it stays until the process ends.

#![expect(unsafe_code, reason = "a mapping and a signal handler have no safe wrapper")]

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;

use rustix::mm::{MapFlags, ProtFlags, mmap};

/// What is called when this process aborts.
static AT_ABORT: OnceLock<fn()> = OnceLock::new();

/// Maps `count` words of a new file that nothing but this process writes, and that never becomes shorter. They are written once,
/// so that a full disk is found now: a store that finds no room kills the process.
pub fn map(file: &File, count: usize) -> io::Result<&'static [AtomicU64]> {
    let bytes = count * size_of::<AtomicU64>();
    file.write_all_at(&vec![0; bytes], 0)?;
    let (protection, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
    // SAFETY: a new mapping at an address of the kernel's choice aliases nothing.
    let start = unsafe { mmap(std::ptr::null_mut(), bytes, protection, flags, file, 0) }?;
    // SAFETY: the mapping is `bytes` long, aligned to a page, zero where it was not written, and never unmapped.
    Ok(unsafe { std::slice::from_raw_parts(start.cast(), count) })
}

/// Has `call` run when this process aborts, before it dies; once in a process. Rust aborts when memory cannot be had and when a
/// stack overflows. `call` may do nothing but read and write atomics and thread-locals that have no destructor.
pub fn at_abort(call: fn()) -> io::Result<()> {
    if AT_ABORT.set(call).is_err() {
        return Ok(());
    }
    // SAFETY: all zeroes is a valid value of this struct.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = aborting as extern "C" fn(libc::c_int) as usize;
    // The second time the default is in force, which ends the process; on the stack for signals, since the other may be full.
    action.sa_flags = libc::SA_RESETHAND | libc::SA_NODEFER | libc::SA_ONSTACK;
    // SAFETY: `action` is initialised, and the handler only calls what a handler may call.
    match unsafe { libc::sigaction(libc::SIGABRT, &raw const action, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

extern "C" fn aborting(signal: libc::c_int) {
    if let Some(call) = AT_ABORT.get() {
        call();
    }
    // SAFETY: raise may be called by a handler.
    unsafe { libc::raise(signal) };
}
