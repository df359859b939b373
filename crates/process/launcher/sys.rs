//! The few calls of the kernel that the launcher needs, with types.
//!
//! Layouts are those of 64-bit Linux, where the supported machines agree on all of them.

#![expect(unsafe_code, reason = "each function is one call, with its arguments checked by type")]

use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::mem::MaybeUninit;
use core::ops::Range;
use core::ptr::{self, NonNull};
use core::time::Duration;

use crate::syscall::{Entry, call, clone, number};

/// A null-terminated array of C strings, as `execve` takes it.
pub(crate) type CStrings = *const *const c_char;

pub(crate) const SIGINT: c_int = 2;
pub(crate) const SIGKILL: c_int = 9;
pub(crate) const SIGTERM: c_int = 15;
pub(crate) const SIGCHLD: c_int = 17;
pub(crate) const SIGCONT: c_int = 18;

pub(crate) const ESRCH: c_int = 3;
pub(crate) const EINVAL: c_int = 22;
pub(crate) const ETXTBSY: c_int = 26;

pub(crate) const AT_FDCWD: usize = (-100_isize).cast_unsigned();
const CLOCK_MONOTONIC: usize = 1;
const CLONE_VM: usize = 0x100;
const CLONE_VFORK: usize = 0x4000;
const CLONE_INTO_CGROUP: usize = 0x2_0000_0000;
const FD_CLOEXEC: usize = 1;
const F_SETFD: usize = 2;
const MAP_PRIVATE_ANONYMOUS_NORESERVE: usize = 0x2 | 0x20 | 0x4000;
pub(crate) const O_CLOEXEC: usize = 0o2_000_000;
pub(crate) const O_WRONLY: usize = 1;
const PROT_READ_WRITE: usize = 1 | 2;
const PR_SET_PDEATHSIG: usize = 1;
const PR_SET_NAME: usize = 15;
const PR_SET_CHILD_SUBREAPER: usize = 36;
const PR_SET_NO_NEW_PRIVS: usize = 38;
const RLIMIT_CPU: c_int = 0;
const RUSAGE_CHILDREN: isize = -1;
const SIGNAL_SET_BYTES: usize = 8;
const SIG_SETMASK: usize = 2;
const WNOHANG: usize = 1;

#[derive(Default)]
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

/// A number as the kernel takes it: signed ones keep their sign.
fn register(value: c_int) -> usize {
    (value as isize).cast_unsigned()
}

pub(crate) fn address<T>(value: &T) -> usize {
    ptr::from_ref(value).expose_provenance()
}

fn address_mut<T>(value: &mut T) -> usize {
    ptr::from_mut(value).expose_provenance()
}

/// A call that takes nothing but numbers.
pub(crate) fn plain<const N: usize>(number: usize, arguments: [usize; N]) -> Result<usize, c_int> {
    // SAFETY: the callers, here and in `filesystem`, pass no addresses, or those of values that live during the call and have the layout
    // that the kernel expects.
    unsafe { call(number, arguments) }
}

pub(crate) fn exit(code: c_int) -> ! {
    loop {
        // The kernel does not come back from this.
        let _ = plain(number::EXIT_GROUP, [register(code)]);
    }
}

/// Failure only costs a readable process list.
pub(crate) fn name_process(name: &CStr) {
    let _ = plain(number::PRCTL, [PR_SET_NAME, name.as_ptr().expose_provenance()]);
}

pub(crate) fn process_id() -> c_int {
    plain(number::GETPID, []).map_or(0, |pid| pid as c_int)
}

pub(crate) fn parent_id() -> c_int {
    plain(number::GETPPID, []).map_or(0, |pid| pid as c_int)
}

pub(crate) fn user_id() -> c_uint {
    plain(number::GETEUID, []).map_or(0, |user| user as c_uint)
}

pub(crate) fn group_id() -> c_uint {
    plain(number::GETEGID, []).map_or(0, |group| group as c_uint)
}

/// Leaves the service's process group, so that what a terminal sends to that does not come here.
pub(crate) fn new_process_group() -> Result<(), c_int> {
    plain(number::SETPGID, [0, 0]).map(drop)
}

pub(crate) fn new_session() -> Result<(), c_int> {
    plain(number::SETSID, []).map(drop)
}

pub(crate) fn become_subreaper() -> Result<(), c_int> {
    plain(number::PRCTL, [PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0]).map(drop)
}

pub(crate) fn set_death_signal(signal: c_int) -> Result<(), c_int> {
    plain(number::PRCTL, [PR_SET_PDEATHSIG, register(signal), 0, 0, 0]).map(drop)
}

pub(crate) fn forbid_new_privileges() -> Result<(), c_int> {
    plain(number::PRCTL, [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]).map(drop)
}

/// Closes every descriptor from `first` to `last`.
pub(crate) fn close_descriptors(first: c_uint, last: c_uint) -> Result<(), c_int> {
    plain(number::CLOSE_RANGE, [first as usize, last as usize, 0]).map(drop)
}

pub(crate) fn close_on_exec(fd: c_int) -> Result<(), c_int> {
    plain(number::FCNTL, [register(fd), F_SETFD, FD_CLOEXEC]).map(drop)
}

pub(crate) fn change_directory(path: &CStr) -> Result<(), c_int> {
    plain(number::CHDIR, [path.as_ptr().expose_provenance()]).map(drop)
}

/// Becomes that user and group alone: no supplementary groups are kept.
pub(crate) fn become_user(user: c_uint, group: c_uint) -> Result<(), c_int> {
    plain(number::SETGROUPS, [1, address(&group)])?;
    plain(number::SETRESGID, [group as usize; 3])?;
    plain(number::SETRESUID, [user as usize; 3]).map(drop)
}

/// Lowers a resource limit; a value above what this process may have becomes the highest that it may. Of processor
/// time there is a second more, in which a signal of its own says why the process ends.
pub(crate) fn lower_limit(resource: c_int, value: u64) -> Result<(), c_int> {
    let mut limit = Rlimit { soft: 0, hard: 0 };
    plain(number::PRLIMIT64, [0, register(resource), 0, address_mut(&mut limit)])?;
    let more = u64::from(resource == RLIMIT_CPU);
    limit.hard = limit.hard.min(value.saturating_add(more));
    limit.soft = limit.hard.min(value);
    plain(number::PRLIMIT64, [0, register(resource), address(&limit), 0]).map(drop)
}

/// Lets every signal through again, the launcher itself having all of them blocked, and ignores none. The two that are
/// named here belong to the C library, which leaves them ignored in whatever it starts.
pub(crate) fn release_signals() {
    let default_action = [0_u64; 4];
    for signal in [32, 33] {
        let _ = plain(number::RT_SIGACTION, [signal, address(&default_action), 0, SIGNAL_SET_BYTES]);
    }
    let none = 0_u64;
    let _ = plain(number::RT_SIGPROCMASK, [SIG_SETMASK, address(&none), 0, SIGNAL_SET_BYTES]);
}

/// Waits for one of the blocked `signals`; `None` when the time is over. An interrupted wait counts as that too:
/// callers look at their clock themselves.
pub(crate) fn wait_signal(signals: &[c_int], timeout: Option<Duration>) -> Option<c_int> {
    let set = signals.iter().fold(0_u64, |set, signal| set | 1 << (signal - 1));
    let timeout = timeout.map(timespec);
    let timeout = timeout.as_ref().map_or(0, address);
    plain(number::RT_SIGTIMEDWAIT, [address(&set), 0, timeout, SIGNAL_SET_BYTES])
        .ok()
        .map(|signal| signal as c_int)
}

fn timespec(time: Duration) -> Timespec {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timespec { seconds, nanoseconds: time.subsec_nanos().into() }
}

pub(crate) fn sleep(time: Duration) {
    let _ = plain(number::NANOSLEEP, [address(&timespec(time)), 0]);
}

/// The time since some moment in the past, which never goes backwards.
pub(crate) fn now() -> Duration {
    let mut time = Timespec::default();
    let _ = plain(number::CLOCK_GETTIME, [CLOCK_MONOTONIC, address_mut(&mut time)]);
    Duration::new(time.seconds.cast_unsigned(), u32::try_from(time.nanoseconds).unwrap_or(0))
}

/// `struct clone_args`.
#[derive(Default)]
#[repr(C)]
struct CloneArguments {
    flags: usize,
    unused: [usize; 3],
    exit_signal: usize,
    stack: usize,
    stack_bytes: usize,
    unused_either: [usize; 3],
    cgroup: usize,
}

/// Runs `entry` as a new process that borrows this one's memory, on `stack`, and returns its id when it has executed a
/// program or exited. Nothing is copied, and what `entry` wrote into `argument` can be read. The process is born into
/// the cgroup whose directory is open as `group`; the older call, which knows no groups, works in more containers.
///
/// # Safety
/// `entry` gets `argument` as a pointer to `T`; it must not touch other memory that this process relies on.
pub(crate) unsafe fn borrow_memory_and_run<T>(
    entry: Entry,
    stack: &mut [MaybeUninit<u128>],
    argument: &mut T,
    group: Option<c_int>,
) -> Result<c_int, c_int> {
    let bytes = size_of_val(stack);
    let Range { start, end } = stack.as_mut_ptr_range();
    let (start, top) = (start.expose_provenance(), end.expose_provenance());
    let argument = ptr::from_mut(argument).cast::<c_void>();
    let flags = CLONE_VM | CLONE_VFORK;
    let grouped = group.map(|group| CloneArguments {
        stack: start,
        stack_bytes: bytes,
        ..CloneArguments::into_group(flags, group)
    });
    // SAFETY: the stack is one of 16-byte units, and this process sleeps until the borrowing is over.
    let pid = unsafe {
        match &grouped {
            Some(all) => clone(number::CLONE3, [address(all), size_of_val(all)], entry, argument),
            None => clone(number::CLONE, [flags | register(SIGCHLD), top], entry, argument),
        }
    } as c_int;
    if pid < 0 { Err(-pid) } else { Ok(pid) }
}

/// Makes a copy of this process, in new namespaces and perhaps in another cgroup. In the copy, it returns 0.
pub(crate) fn copy_process(namespaces: usize, group: Option<c_int>) -> Result<c_int, c_int> {
    let pid = match group.map(|group| CloneArguments::into_group(namespaces, group)) {
        Some(all) => plain(number::CLONE3, [address(&all), size_of_val(&all)]),
        None => plain(number::CLONE, [namespaces | register(SIGCHLD), 0, 0, 0, 0]),
    };
    pid.map(|pid| pid as c_int)
}

impl CloneArguments {
    fn into_group(flags: usize, group: c_int) -> Self {
        Self {
            flags: flags | CLONE_INTO_CGROUP,
            exit_signal: register(SIGCHLD),
            cgroup: register(group),
            ..Self::default()
        }
    }
}

/// Becomes the program `argv[0]`; returns only when that failed.
///
/// # Safety
/// Both are null-terminated arrays of C strings, the first with at least one.
pub(crate) unsafe fn execute(argv: CStrings, env: CStrings) -> c_int {
    // SAFETY: as the caller promises.
    let result = unsafe {
        let program = (*argv).expose_provenance();
        call(number::EXECVE, [program, argv.expose_provenance(), env.expose_provenance()])
    };
    result.err().unwrap_or(0)
}

/// What waiting for any child found.
pub(crate) enum Waited {
    Ended { pid: c_int, status: c_int },
    NoneYet,
    NoChildren,
}

/// Reaps one ended child, if there is one. It does not wait, so "no child at all" is the only error.
pub(crate) fn reap_any() -> Waited {
    let mut status: c_int = 0;
    match plain(number::WAIT4, [register(-1), address_mut(&mut status), WNOHANG, 0]) {
        Ok(0) => Waited::NoneYet,
        Ok(pid) => Waited::Ended { pid: pid as c_int, status },
        Err(_) => Waited::NoChildren,
    }
}

/// What all reaped children, and those that they reaped, have used.
pub(crate) fn usage_of_children() -> Usage {
    let mut usage = Usage::default();
    let _ = plain(number::GETRUSAGE, [RUSAGE_CHILDREN.cast_unsigned(), address_mut(&mut usage)]);
    usage
}

/// An open descriptor.
pub(crate) struct Descriptor(usize);

impl Descriptor {
    pub(crate) fn from_number(number: usize) -> Self {
        Self(number)
    }

    pub(crate) fn number(&self) -> usize {
        self.0
    }

    /// Opens a file or directory for reading.
    pub(crate) fn open(path: &CStr) -> Option<Self> {
        let arguments = [AT_FDCWD, path.as_ptr().expose_provenance(), O_CLOEXEC];
        plain(number::OPENAT, arguments).ok().map(Self)
    }

    /// Reads into the buffer; what was read.
    pub(crate) fn read<'a>(&self, buffer: &'a mut [u8]) -> &'a [u8] {
        self.fill(number::READ, buffer)
    }

    /// Reads the next entries of a directory, as the kernel lays them out.
    pub(crate) fn read_entries<'a>(&self, buffer: &'a mut [u8]) -> &'a [u8] {
        self.fill(number::GETDENTS64, buffer)
    }

    fn fill<'a>(&self, number: usize, buffer: &'a mut [u8]) -> &'a [u8] {
        let arguments = [self.0, buffer.as_mut_ptr().expose_provenance(), buffer.len()];
        &buffer[..plain(number, arguments).unwrap_or(0)]
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        let _ = plain(number::CLOSE, [self.0]);
    }
}

/// A process held by descriptor, so that a signal can never reach a stranger that got its number.
pub(crate) struct ProcessHandle(Descriptor);

impl ProcessHandle {
    pub(crate) fn open(pid: c_int) -> Option<Self> {
        plain(number::PIDFD_OPEN, [register(pid), 0]).ok().map(|fd| Self(Descriptor(fd)))
    }

    /// Failure means that the process is gone or is not ours to end.
    pub(crate) fn signal(&self, signal: c_int) {
        let _ = plain(number::PIDFD_SEND_SIGNAL, [self.0.0, register(signal), 0, 0]);
    }
}

/// Sends a signal to a child of this process, which keeps its number until it is reaped.
pub(crate) fn signal_child(pid: c_int, signal: c_int) {
    let _ = plain(number::KILL, [register(pid), register(signal)]);
}

/// Writes into a file that exists.
pub(crate) fn write_file(path: &CStr, bytes: &[u8]) -> Result<(), c_int> {
    write_at(AT_FDCWD, path, bytes)
}

/// Writes into a file that exists, below the directory that is open as `directory`.
pub(crate) fn write_below(directory: c_int, file: &CStr, bytes: &[u8]) -> Result<(), c_int> {
    write_at(register(directory), file, bytes)
}

fn write_at(directory: usize, file: &CStr, bytes: &[u8]) -> Result<(), c_int> {
    let arguments = [directory, file.as_ptr().expose_provenance(), O_WRONLY | O_CLOEXEC];
    let file = plain(number::OPENAT, arguments).map(Descriptor)?;
    plain(number::WRITE, [file.0, bytes.as_ptr().expose_provenance(), bytes.len()]).map(drop)
}

/// Writes all of `bytes` as one record. When nobody listens any more there is nobody to tell.
pub(crate) fn write_record(fd: c_int, bytes: &[u8]) {
    let _ = plain(number::WRITE, [register(fd), bytes.as_ptr().expose_provenance(), bytes.len()]);
}

/// Address space that costs memory only where it is used.
pub(crate) fn reserve(bytes: usize) -> Option<NonNull<c_void>> {
    let arguments = [0, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, usize::MAX, 0];
    NonNull::new(ptr::with_exposed_provenance_mut(plain(number::MMAP, arguments).ok()?))
}
