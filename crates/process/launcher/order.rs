//! The order: what the launcher was asked to do, read from its own arguments.

#![expect(
    unsafe_code,
    reason = "the arguments arrive as pointers, and the program's part of them is handed on as such"
)]

use core::ffi::{CStr, c_char, c_int, c_uint};
use core::time::Duration;

use crate::protocol::GROUP_FD;
use crate::sys::{CStrings, EINVAL};

/// What to do once the preparations are made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Start the program, stay, and leave nothing of it behind.
    Run,
    /// Become the program.
    Exec,
}

/// How many directories an order may make visible.
pub(crate) const MOST_VISIBLE: usize = 8;

/// What of the system the program sees.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sandbox {
    /// All of it.
    None,
    /// Its own processes and its own temporary directory.
    Namespace,
    /// Besides, nothing outside of its working directory can be changed, and there is no network.
    Strict,
}

/// The resource limits by option name, with the kernel's number for each.
const LIMITS: [(&[u8], c_int); 4] =
    [(b"--limit-cpu", 0), (b"--limit-fsize", 1), (b"--limit-core", 4), (b"--limit-nofile", 7)];

pub(crate) struct Order {
    pub(crate) mode: Mode,
    /// The process that must be the parent: when it is not, it died before it could be watched.
    pub(crate) parent: c_int,
    pub(crate) directory: &'static CStr,
    /// Between SIGTERM and SIGKILL.
    pub(crate) grace: Duration,
    pub(crate) no_new_privileges: bool,
    /// The directory of the program's own cgroup.
    pub(crate) group: Option<c_int>,
    pub(crate) sandbox: Sandbox,
    /// Directories that the program needs, wherever they are.
    pub(crate) visible: [Option<&'static CStr>; MOST_VISIBLE],
    /// Number of the resource and its limit.
    pub(crate) limits: [Option<(c_int, u64)>; LIMITS.len()],
    /// What an executed program gets when its parent dies.
    pub(crate) death_signal: c_int,
    pub(crate) user: Option<c_uint>,
    pub(crate) group_id: Option<c_uint>,
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
            group: None,
            sandbox: Sandbox::None,
            visible: [None; MOST_VISIBLE],
            limits: [None; LIMITS.len()],
            death_signal: 0,
            user: None,
            group_id: None,
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
        match bytes.iter().position(|byte| *byte == b'=') {
            Some(equals) => {
                let value = CStr::from_bytes_with_nul(&option.to_bytes_with_nul()[equals + 1..]).ok()?;
                self.set_value(&bytes[..equals], value)
            }
            None => self.set_flag(bytes),
        }
    }

    fn set_flag(&mut self, name: &[u8]) -> Option<()> {
        match name {
            b"--no-new-privs" => self.no_new_privileges = true,
            b"--group" => self.group = Some(GROUP_FD),
            _ => return None,
        }
        Some(())
    }

    fn set_value(&mut self, name: &[u8], value: &'static CStr) -> Option<()> {
        match name {
            b"--cwd" => self.directory = value,
            b"--visible" => *self.visible.iter_mut().find(|place| place.is_none())? = Some(value),
            b"--sandbox" => self.sandbox = sandbox(value)?,
            _ => self.set_number(name, value.to_str().ok()?.parse().ok()?)?,
        }
        Some(())
    }

    fn set_number(&mut self, name: &[u8], number: u64) -> Option<()> {
        match name {
            b"--parent" => self.parent = number.try_into().ok()?,
            b"--grace-ms" => self.grace = Duration::from_millis(number),
            b"--death-signal" => self.death_signal = number.try_into().ok()?,
            b"--uid" => self.user = Some(number.try_into().ok()?),
            b"--gid" => self.group_id = Some(number.try_into().ok()?),
            _ => {
                let at = LIMITS.iter().position(|(known, _)| *known == name)?;
                self.limits[at] = Some((LIMITS[at].1, number));
            }
        }
        Some(())
    }
}

fn sandbox(name: &CStr) -> Option<Sandbox> {
    match name.to_bytes() {
        b"namespace" => Some(Sandbox::Namespace),
        b"strict" => Some(Sandbox::Strict),
        _ => None,
    }
}

/// # Safety
/// `pointer` is null or a C string that lives as long as the process.
unsafe fn text(pointer: *const c_char) -> Option<&'static CStr> {
    // SAFETY: as the caller promises.
    (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) })
}
