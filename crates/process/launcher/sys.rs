//! The few functions of the C library that the launcher needs, declared by hand: it is compiled alone, without crates.
//!
//! Numbers and layouts are those of 64-bit Linux, where the supported machines agree on all of them.

#![expect(
    unsafe_code,
    reason = "each function is one call into the C library, with its arguments checked by type"
)]

use std::ffi::{CStr, c_char, c_int, c_long, c_uint, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

#[cfg(not(all(target_os = "linux", target_pointer_width = "64", target_endian = "little")))]
compile_error!("the launcher is written for 64-bit Linux");

/// A null-terminated array of C strings, as `execve` takes it.
pub(crate) type CStrings = *const *const c_char;

pub(crate) const SIGINT: c_int = 2;
pub(crate) const SIGKILL: c_int = 9;
pub(crate) const SIGTERM: c_int = 15;
pub(crate) const SIGCHLD: c_int = 17;
pub(crate) const SIGCONT: c_int = 18;

pub(crate) const EINVAL: c_int = 22;
pub(crate) const ESRCH: c_int = 3;
pub(crate) const ETXTBSY: c_int = 26;

const EINTR: c_int = 4;
const ECHILD: c_int = 10;
const CLONE_VM: c_int = 0x100;
const CLONE_VFORK: c_int = 0x4000;
const FD_CLOEXEC: c_int = 1;
const F_SETFD: c_int = 2;
const PR_SET_PDEATHSIG: c_int = 1;
const PR_SET_NAME: c_int = 15;
const PR_SET_CHILD_SUBREAPER: c_int = 36;
const PR_SET_NO_NEW_PRIVS: c_int = 38;
const RUSAGE_CHILDREN: c_int = -1;
const SIG_SETMASK: c_int = 2;
const SYS_CLOSE_RANGE: c_long = 436;
const SYS_PIDFD_OPEN: c_long = 434;
const SYS_PIDFD_SEND_SIGNAL: c_long = 424;
const WNOHANG: c_int = 1;

#[derive(Clone, Copy)]
#[repr(C)]
struct SignalSet([u64; 16]);

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

#[repr(C)]
struct Rlimit {
    soft: u64,
    hard: u64,
}

/// `struct rusage`: two times, then fourteen counters of which only the first (kilobytes) is used.
#[derive(Default)]
#[repr(C)]
pub(crate) struct Usage {
    pub(crate) user: Timeval,
    pub(crate) system: Timeval,
    pub(crate) max_rss_kilobytes: i64,
    rest: [i64; 13],
}

#[derive(Default)]
#[repr(C)]
pub(crate) struct Timeval {
    pub(crate) seconds: i64,
    pub(crate) microseconds: i64,
}

unsafe extern "C" {
    static environ: CStrings;

    fn chdir(path: *const c_char) -> c_int;
    fn clone(
        entry: extern "C" fn(*mut c_void) -> c_int,
        stack: *mut c_void,
        flags: c_int,
        argument: *mut c_void,
        ...
    ) -> c_int;
    fn close(fd: c_int) -> c_int;
    fn execve(path: *const c_char, argv: CStrings, env: CStrings) -> c_int;
    fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
    fn getpid() -> c_int;
    fn getppid() -> c_int;
    fn getrusage(who: c_int, usage: *mut Usage) -> c_int;
    fn nanosleep(time: *const Timespec, left: *mut Timespec) -> c_int;
    fn prctl(option: c_int, ...) -> c_int;
    fn prlimit(pid: c_int, resource: c_int, new: *const Rlimit, old: *mut Rlimit) -> c_int;
    fn setgroups(count: usize, groups: *const c_uint) -> c_int;
    fn setresgid(real: c_uint, effective: c_uint, saved: c_uint) -> c_int;
    fn setresuid(real: c_uint, effective: c_uint, saved: c_uint) -> c_int;
    fn setsid() -> c_int;
    fn sigprocmask(how: c_int, set: *const SignalSet, old: *mut SignalSet) -> c_int;
    fn sigtimedwait(set: *const SignalSet, info: *mut c_void, timeout: *const Timespec) -> c_int;
    fn syscall(number: c_long, ...) -> c_long;
    fn wait4(pid: c_int, status: *mut c_int, options: c_int, usage: *mut Usage) -> c_int;
    fn write(fd: c_int, bytes: *const c_void, count: usize) -> isize;
}

/// The error number of the call that failed last.
pub(crate) fn errno() -> c_int {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn check(result: c_int) -> Result<(), c_int> {
    if result < 0 { Err(errno()) } else { Ok(()) }
}

pub(crate) fn name_process(name: &CStr) {
    // SAFETY: the name is a C string that outlives the call. Failure only costs a readable process list.
    unsafe { prctl(PR_SET_NAME, name.as_ptr()) };
}

pub(crate) fn process_id() -> c_int {
    // SAFETY: takes nothing, cannot fail.
    unsafe { getpid() }
}

pub(crate) fn parent_id() -> c_int {
    // SAFETY: takes nothing, cannot fail.
    unsafe { getppid() }
}

pub(crate) fn new_session() -> Result<(), c_int> {
    // SAFETY: takes nothing.
    check(unsafe { setsid() })
}

pub(crate) fn become_subreaper() -> Result<(), c_int> {
    // SAFETY: takes numbers only.
    check(unsafe { prctl(PR_SET_CHILD_SUBREAPER, 1_u64, 0_u64, 0_u64, 0_u64) })
}

pub(crate) fn set_death_signal(signal: c_int) -> Result<(), c_int> {
    // SAFETY: takes numbers only.
    check(unsafe { prctl(PR_SET_PDEATHSIG, i64::from(signal), 0_u64, 0_u64, 0_u64) })
}

pub(crate) fn forbid_new_privileges() -> Result<(), c_int> {
    // SAFETY: takes numbers only.
    check(unsafe { prctl(PR_SET_NO_NEW_PRIVS, 1_u64, 0_u64, 0_u64, 0_u64) })
}

/// Closes every descriptor from `first` to `last`.
pub(crate) fn close_descriptors(first: c_uint, last: c_uint) -> Result<(), c_int> {
    // SAFETY: the launcher owns its whole table; nothing in it uses a descriptor of that range afterwards.
    if unsafe { syscall(SYS_CLOSE_RANGE, first, last, 0_u32) } < 0 { Err(errno()) } else { Ok(()) }
}

pub(crate) fn close_on_exec(fd: c_int) -> Result<(), c_int> {
    // SAFETY: takes numbers only.
    check(unsafe { fcntl(fd, F_SETFD, FD_CLOEXEC) })
}

pub(crate) fn change_directory(path: &CStr) -> Result<(), c_int> {
    // SAFETY: the path is a C string that outlives the call.
    check(unsafe { chdir(path.as_ptr()) })
}

/// Becomes that user and group alone: no supplementary groups are kept.
pub(crate) fn become_user(user: c_uint, group: c_uint) -> Result<(), c_int> {
    // SAFETY: the list of groups has the one element that its length says; the rest are numbers.
    unsafe {
        check(setgroups(1, &raw const group))?;
        check(setresgid(group, group, group))?;
        check(setresuid(user, user, user))
    }
}

/// Lowers a resource limit; a value above what this process may have becomes the highest that it may.
pub(crate) fn lower_limit(resource: c_int, value: u64) -> Result<(), c_int> {
    let mut limit = Rlimit { soft: 0, hard: 0 };
    // SAFETY: both pointers are to a live value or null, as the call allows.
    unsafe {
        check(prlimit(0, resource, std::ptr::null(), &raw mut limit))?;
        limit.hard = limit.hard.min(value);
        limit.soft = limit.hard;
        check(prlimit(0, resource, &raw const limit, std::ptr::null_mut()))
    }
}

/// Lets every signal through again; the launcher itself runs with all of them blocked.
pub(crate) fn unblock_signals() {
    let none = SignalSet([0; 16]);
    // SAFETY: the set is a live value; the old one is not asked for.
    unsafe { sigprocmask(SIG_SETMASK, &raw const none, std::ptr::null_mut()) };
}

/// Waits for one of the blocked `signals`; `None` when the time is over.
pub(crate) fn wait_signal(signals: &[c_int], timeout: Option<Duration>) -> Option<c_int> {
    let mut set = SignalSet([0; 16]);
    for signal in signals {
        set.0[0] |= 1 << (signal - 1);
    }
    let timeout = timeout.map(timespec);
    let pointer = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the set and the time are live values or null, as the call allows.
    let signal = unsafe { sigtimedwait(&raw const set, std::ptr::null_mut(), pointer) };
    // An interrupted wait counts as a time that is over: callers look at their deadline themselves.
    (signal > 0).then_some(signal)
}

fn timespec(time: Duration) -> Timespec {
    Timespec {
        seconds: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        nanoseconds: i64::from(time.subsec_nanos()),
    }
}

pub(crate) fn sleep(time: Duration) {
    let time = timespec(time);
    // SAFETY: the time is a live value; what is left of it is not asked for.
    unsafe { nanosleep(&raw const time, std::ptr::null_mut()) };
}

/// Runs `entry` as a new process that borrows this one's memory, on the end of `stack`, and returns its id when it
/// has executed a program or exited. Nothing is copied, and what `entry` wrote into `argument` can be read.
///
/// # Safety
/// `entry` gets `argument` as a pointer to `T`; it must not allocate, nor touch memory that this process relies on.
pub(crate) unsafe fn borrow_memory_and_run<T>(
    entry: extern "C" fn(*mut c_void) -> c_int,
    stack: &mut [MaybeUninit<u128>],
    argument: &mut T,
) -> Result<c_int, c_int> {
    let top = stack.as_mut_ptr_range().end.cast::<c_void>();
    let argument = std::ptr::from_mut(argument).cast::<c_void>();
    // SAFETY: the stack and the argument outlive the borrowing, because this process sleeps until it is over.
    let pid = unsafe { clone(entry, top, CLONE_VM | CLONE_VFORK | SIGCHLD, argument) };
    if pid < 0 { Err(errno()) } else { Ok(pid) }
}

/// Becomes the program `argv[0]` with this process's own environment; returns only when that failed.
///
/// # Safety
/// `argv` is a null-terminated array of C strings with at least one.
pub(crate) unsafe fn execute(argv: CStrings) -> c_int {
    // SAFETY: as the caller promises; the environment is as the kernel made it.
    unsafe { execve(*argv, argv, environ) };
    errno()
}

/// What waiting for any child found.
pub(crate) enum Waited {
    Ended { pid: c_int, status: c_int },
    NoneYet,
    NoChildren,
}

/// Reaps one ended child, if there is one.
pub(crate) fn reap_any() -> Waited {
    let mut status = 0;
    loop {
        // SAFETY: the status is a live value; usage is asked for once, at the end, for all of them.
        match unsafe { wait4(-1, &raw mut status, WNOHANG, std::ptr::null_mut()) } {
            0 => return Waited::NoneYet,
            pid if pid > 0 => return Waited::Ended { pid, status },
            _ if errno() == EINTR => {}
            _ => {
                debug_assert_eq!(errno(), ECHILD);
                return Waited::NoChildren;
            }
        }
    }
}

/// What all reaped children, and those that they reaped, have used.
pub(crate) fn usage_of_children() -> Usage {
    let mut usage = Usage::default();
    // SAFETY: the usage is a live value of the layout that the call fills.
    unsafe { getrusage(RUSAGE_CHILDREN, &raw mut usage) };
    usage
}

/// A process held by descriptor, so that a signal can never reach a stranger that got its number.
pub(crate) struct ProcessHandle(c_int);

impl ProcessHandle {
    pub(crate) fn open(pid: c_int) -> Option<Self> {
        // SAFETY: takes numbers only.
        let fd = unsafe { syscall(SYS_PIDFD_OPEN, pid, 0_u32) };
        c_int::try_from(fd).ok().filter(|fd| *fd >= 0).map(Self)
    }

    pub(crate) fn signal(&self, signal: c_int) {
        // SAFETY: no signal information is passed. Failure means that the process is gone or is not ours to end.
        unsafe { syscall(SYS_PIDFD_SEND_SIGNAL, self.0, signal, std::ptr::null::<c_void>(), 0_u32) };
    }
}

impl Drop for ProcessHandle {
    fn drop(&mut self) {
        // SAFETY: the descriptor is this value's own.
        unsafe { close(self.0) };
    }
}

/// Writes all of `bytes` as one record. When nobody listens any more there is nobody to tell.
pub(crate) fn write_record(fd: c_int, bytes: &[u8]) {
    // SAFETY: pointer and length are those of a live slice.
    unsafe { write(fd, bytes.as_ptr().cast(), bytes.len()) };
}
