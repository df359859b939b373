//! Calls into the kernel, and the two things that only the machine's own language can say: where a program begins,
//! and how a process comes to life on a stack of its own.

#![expect(unsafe_code, reason = "this is where the program meets the machine")]

use core::arch::asm;
use core::ffi::{c_int, c_void};

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!(
    "the launcher speaks to Linux on x86-64 and ARM64 only; another machine needs its own lines in here"
);

/// The numbers of the calls.
#[cfg(target_arch = "x86_64")]
pub(crate) mod number {
    pub(crate) const READ: usize = 0;
    pub(crate) const WRITE: usize = 1;
    pub(crate) const CLOSE: usize = 3;
    pub(crate) const MMAP: usize = 9;
    pub(crate) const RT_SIGACTION: usize = 13;
    pub(crate) const RT_SIGPROCMASK: usize = 14;
    pub(crate) const NANOSLEEP: usize = 35;
    pub(crate) const GETPID: usize = 39;
    pub(crate) const CLONE: usize = 56;
    pub(crate) const EXECVE: usize = 59;
    pub(crate) const WAIT4: usize = 61;
    pub(crate) const KILL: usize = 62;
    pub(crate) const FCNTL: usize = 72;
    pub(crate) const CHDIR: usize = 80;
    pub(crate) const GETRUSAGE: usize = 98;
    pub(crate) const GETEUID: usize = 107;
    pub(crate) const GETEGID: usize = 108;
    pub(crate) const SETPGID: usize = 109;
    pub(crate) const GETPPID: usize = 110;
    pub(crate) const SETSID: usize = 112;
    pub(crate) const SETGROUPS: usize = 116;
    pub(crate) const SETRESUID: usize = 117;
    pub(crate) const SETRESGID: usize = 119;
    pub(crate) const RT_SIGTIMEDWAIT: usize = 128;
    pub(crate) const PRCTL: usize = 157;
    pub(crate) const MOUNT: usize = 165;
    pub(crate) const GETDENTS64: usize = 217;
    pub(crate) const CLOCK_GETTIME: usize = 228;
    pub(crate) const EXIT_GROUP: usize = 231;
    pub(crate) const OPENAT: usize = 257;
    pub(crate) const MKDIRAT: usize = 258;
    pub(crate) const SYMLINKAT: usize = 266;
    pub(crate) const PRLIMIT64: usize = 302;
    pub(crate) const PIDFD_SEND_SIGNAL: usize = 424;
    pub(crate) const OPEN_TREE: usize = 428;
    pub(crate) const MOVE_MOUNT: usize = 429;
    pub(crate) const PIDFD_OPEN: usize = 434;
    pub(crate) const CLONE3: usize = 435;
    pub(crate) const CLOSE_RANGE: usize = 436;
    pub(crate) const MOUNT_SETATTR: usize = 442;
}

/// The numbers of the calls.
#[cfg(target_arch = "aarch64")]
pub(crate) mod number {
    pub(crate) const FCNTL: usize = 25;
    pub(crate) const MKDIRAT: usize = 34;
    pub(crate) const SYMLINKAT: usize = 36;
    pub(crate) const MOUNT: usize = 40;
    pub(crate) const CHDIR: usize = 49;
    pub(crate) const OPENAT: usize = 56;
    pub(crate) const CLOSE: usize = 57;
    pub(crate) const GETDENTS64: usize = 61;
    pub(crate) const READ: usize = 63;
    pub(crate) const WRITE: usize = 64;
    pub(crate) const EXIT_GROUP: usize = 94;
    pub(crate) const NANOSLEEP: usize = 101;
    pub(crate) const CLOCK_GETTIME: usize = 113;
    pub(crate) const KILL: usize = 129;
    pub(crate) const RT_SIGACTION: usize = 134;
    pub(crate) const RT_SIGPROCMASK: usize = 135;
    pub(crate) const RT_SIGTIMEDWAIT: usize = 137;
    pub(crate) const SETRESUID: usize = 147;
    pub(crate) const SETRESGID: usize = 149;
    pub(crate) const SETPGID: usize = 154;
    pub(crate) const SETSID: usize = 157;
    pub(crate) const SETGROUPS: usize = 159;
    pub(crate) const GETRUSAGE: usize = 165;
    pub(crate) const PRCTL: usize = 167;
    pub(crate) const GETPID: usize = 172;
    pub(crate) const GETPPID: usize = 173;
    pub(crate) const GETEUID: usize = 175;
    pub(crate) const GETEGID: usize = 177;
    pub(crate) const CLONE: usize = 220;
    pub(crate) const EXECVE: usize = 221;
    pub(crate) const MMAP: usize = 222;
    pub(crate) const WAIT4: usize = 260;
    pub(crate) const PRLIMIT64: usize = 261;
    pub(crate) const PIDFD_SEND_SIGNAL: usize = 424;
    pub(crate) const OPEN_TREE: usize = 428;
    pub(crate) const MOVE_MOUNT: usize = 429;
    pub(crate) const PIDFD_OPEN: usize = 434;
    pub(crate) const CLONE3: usize = 435;
    pub(crate) const CLOSE_RANGE: usize = 436;
    pub(crate) const MOUNT_SETATTR: usize = 442;
}

/// One call with up to six arguments; an error comes back as its number.
///
/// # Safety
/// As the call asks: pointers must be good for what the kernel does with them.
pub(crate) unsafe fn call<const N: usize>(number: usize, arguments: [usize; N]) -> Result<usize, c_int> {
    let mut all = [0; 6];
    all[..N].copy_from_slice(&arguments);
    // SAFETY: the caller vouches for the arguments.
    let result = unsafe { enter_kernel(number, all) };
    // The last page of the address space is where the kernel puts error numbers.
    if (-4095..0).contains(&result) { Err(-result as c_int) } else { Ok(result.cast_unsigned()) }
}

#[cfg(target_arch = "x86_64")]
unsafe fn enter_kernel(number: usize, arguments: [usize; 6]) -> isize {
    let [first, second, third, fourth, fifth, sixth] = arguments;
    let result;
    // SAFETY: the registers are those of the kernel's convention, and the two that it changes are named.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") first, in("rsi") second, in("rdx") third, in("r10") fourth, in("r8") fifth, in("r9") sixth,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    result
}

#[cfg(target_arch = "aarch64")]
unsafe fn enter_kernel(number: usize, arguments: [usize; 6]) -> isize {
    let [first, second, third, fourth, fifth, sixth] = arguments;
    let result;
    // SAFETY: the registers are those of the kernel's convention, which changes none but the result.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") first => result,
            in("x1") second, in("x2") third, in("x3") fourth, in("x4") fifth, in("x5") sixth,
            options(nostack),
        );
    }
    result
}

/// What a new process begins with; it has nowhere to return to.
pub(crate) type Entry = extern "C" fn(*mut c_void) -> !;

/// Makes a process that begins with `entry(argument)`, by `CLONE` or `CLONE3` with its first two arguments.
///
/// # Safety
/// The call must be given a stack, whose end is aligned to 16 bytes; stack and argument must be good for as long as
/// the new process uses this one's memory.
#[cfg(target_arch = "x86_64")]
pub(crate) unsafe fn clone(
    number: usize,
    arguments: [usize; 2],
    entry: Entry,
    argument: *mut c_void,
) -> isize {
    let result;
    // SAFETY: the new process leaves this code at once, by a call that does not return, with registers of its own.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r13",
            "call r12",
            "ud2",
            "2:",
            inlateout("rax") number => result,
            in("rdi") arguments[0], in("rsi") arguments[1], in("rdx") 0, in("r10") 0, in("r8") 0,
            in("r12") entry, in("r13") argument,
            lateout("rcx") _, lateout("r11") _,
        );
    }
    result
}

/// Makes a process that begins with `entry(argument)`, by `CLONE` or `CLONE3` with its first two arguments.
///
/// # Safety
/// The call must be given a stack, whose end is aligned to 16 bytes; stack and argument must be good for as long as
/// the new process uses this one's memory.
#[cfg(target_arch = "aarch64")]
pub(crate) unsafe fn clone(
    number: usize,
    arguments: [usize; 2],
    entry: Entry,
    argument: *mut c_void,
) -> isize {
    let result;
    // SAFETY: the new process leaves this code at once, by a call that does not return, with registers of its own.
    unsafe {
        asm!(
            "svc 0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x30, xzr",
            "mov x0, x21",
            "blr x20",
            "brk 1",
            "2:",
            in("x8") number,
            inlateout("x0") arguments[0] => result,
            in("x1") arguments[1], in("x2") 0, in("x3") 0, in("x4") 0,
            in("x20") entry, in("x21") argument,
        );
    }
    result
}
