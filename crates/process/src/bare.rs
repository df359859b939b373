//! The yardstick: what starting a program costs without any of this crate's guarantees.

use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::OsStringExt;

use rustix::process::{WaitOptions, waitpid};

use crate::posix_spawn::posix_spawn;

/// Starts a program (by absolute path, with an empty environment and this process's own streams), waits for it, and
/// returns its exit code; `None` when a signal ended it. Blocks. For measurements only.
pub fn spawn_and_wait(argv: &[OsString]) -> io::Result<Option<i32>> {
    let argv: Vec<CString> =
        argv.iter().map(|word| CString::new(word.clone().into_vec())).collect::<Result<_, _>>()?;
    let program = argv.first().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let pid = posix_spawn(program, &argv, &[], &[])?;
    loop {
        match waitpid(Some(pid), WaitOptions::empty()) {
            Ok(Some((_, status))) => return Ok(status.exit_status()),
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_for_the_exit_code() {
        let argv = ["/bin/sh", "-c", "exit 3"].map(OsString::from);
        assert_eq!(spawn_and_wait(&argv).unwrap(), Some(3));
    }
}
