//! The order: what the launcher was asked to do, read from its own arguments.

#![expect(
    unsafe_code,
    reason = "the arguments arrive as pointers, and the program's part of them is handed on as such"
)]

use core::ffi::{CStr, c_char, c_int, c_uint};
use core::time::Duration;

use crate::sys::{CStrings, EINVAL};

/// What to do once the preparations are made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Start the program, stay, and leave nothing of it behind.
    Run,
    /// Become the program.
    Exec,
}

/// The resource limits by option name, with the kernel's number for each.
const LIMITS: [(&[u8], c_int); 5] = [
    (b"--limit-cpu", 0),
    (b"--limit-fsize", 1),
    (b"--limit-nproc", 6),
    (b"--limit-nofile", 7),
    (b"--limit-as", 9),
];

pub(crate) struct Order {
    pub(crate) mode: Mode,
    /// The process that must be the parent: when it is not, it died before it could be watched.
    pub(crate) parent: c_int,
    pub(crate) directory: &'static CStr,
    /// Between SIGTERM and SIGKILL.
    pub(crate) grace: Duration,
    pub(crate) no_new_privileges: bool,
    /// Number of the resource and its limit.
    pub(crate) limits: [Option<(c_int, u64)>; LIMITS.len()],
    /// What an executed program gets when its parent dies.
    pub(crate) death_signal: c_int,
    pub(crate) user: Option<c_uint>,
    pub(crate) group: Option<c_uint>,
    /// The program and its arguments, as `execve` takes them.
    pub(crate) argv: CStrings,
    /// The program's environment, which is this process's own.
    pub(crate) env: CStrings,
}

impl Order {
    fn new(mode: Mode) -> Self {
        Self {
            mode,
            parent: 0,
            directory: c"/",
            grace: Duration::ZERO,
            no_new_privileges: false,
            limits: [None; LIMITS.len()],
            death_signal: 0,
            user: None,
            group: None,
            argv: core::ptr::null(),
            env: core::ptr::null(),
        }
    }

    /// Reads the arguments after the launcher's own name. Anything unknown is refused: the two sides are built
    /// together, so it can only be a mistake.
    ///
    /// # Safety
    /// Both are null-terminated arrays of C strings, which live as long as the process.
    pub(crate) unsafe fn read(argv: CStrings, env: CStrings) -> Result<Self, c_int> {
        // SAFETY: the caller vouches for the array, and each step ends at its null.
        let argument = |at: usize| unsafe { text(*argv.add(at)) };
        if argument(0).is_none() {
            return Err(EINVAL);
        }
        let mut order = match argument(1).map(CStr::to_bytes) {
            Some(b"run") => Self::new(Mode::Run),
            Some(b"exec") => Self::new(Mode::Exec),
            _ => return Err(EINVAL),
        };
        for at in 2.. {
            match argument(at) {
                Some(option) if option == c"--" && argument(at + 1).is_some() => {
                    // SAFETY: the element after this one was just seen to be there.
                    order.argv = unsafe { argv.add(at + 1) };
                    order.env = env;
                    return Ok(order);
                }
                Some(option) => order.set(option).ok_or(EINVAL)?,
                None => break,
            }
        }
        Err(EINVAL)
    }

    fn set(&mut self, option: &'static CStr) -> Option<()> {
        let bytes = option.to_bytes();
        let Some(equals) = bytes.iter().position(|byte| *byte == b'=') else {
            self.no_new_privileges |= bytes == b"--no-new-privs";
            return (bytes == b"--no-new-privs").then_some(());
        };
        let (name, value) =
            (&bytes[..equals], CStr::from_bytes_with_nul(&option.to_bytes_with_nul()[equals + 1..]).ok()?);
        if name == b"--cwd" {
            self.directory = value;
            return Some(());
        }
        let number: u64 = value.to_str().ok()?.parse().ok()?;
        match name {
            b"--parent" => self.parent = number.try_into().ok()?,
            b"--grace-ms" => self.grace = Duration::from_millis(number),
            b"--death-signal" => self.death_signal = number.try_into().ok()?,
            b"--uid" => self.user = Some(number.try_into().ok()?),
            b"--gid" => self.group = Some(number.try_into().ok()?),
            _ => {
                let at = LIMITS.iter().position(|(known, _)| *known == name)?;
                self.limits[at] = Some((LIMITS[at].1, number));
            }
        }
        Some(())
    }
}

/// # Safety
/// `pointer` is null or a C string that lives as long as the process.
unsafe fn text(pointer: *const c_char) -> Option<&'static CStr> {
    // SAFETY: as the caller promises.
    (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) })
}
