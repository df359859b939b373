//! Writing the launcher's order: the arguments that `launcher/order.rs` reads.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::error::LaunchError;
use crate::protocol::Step;

/// The arguments of a launcher: its options so far, then the program's.
pub(crate) struct Order(Vec<CString>);

impl Order {
    /// An order for `mode`, from this process, in `directory`.
    pub(crate) fn new(mode: &str, directory: &Path) -> Result<Self, LaunchError> {
        let order = Self(Vec::with_capacity(16)).push("mode", "attune-launcher")?.push("mode", mode)?;
        order.number("--parent", std::process::id().into())?.directory("--cwd", directory)
    }

    /// Adds `--name=value`.
    pub(crate) fn number(self, name: &'static str, value: u64) -> Result<Self, LaunchError> {
        self.push(name, format!("{name}={value}"))
    }

    /// Adds `--name=directory`.
    pub(crate) fn directory(self, name: &'static str, value: &Path) -> Result<Self, LaunchError> {
        let mut option = OsString::from(name);
        option.push("=");
        option.push(value);
        self.push("a directory", option)
    }

    /// Adds an option without a value.
    pub(crate) fn flag(self, name: &'static str) -> Result<Self, LaunchError> {
        self.push(name, name)
    }

    /// Completes the order with the program's own arguments.
    pub(crate) fn program(self, argv: &[OsString]) -> Result<Vec<CString>, LaunchError> {
        match argv.first() {
            Some(program) if Path::new(program).is_absolute() => {}
            other => return Err(LaunchError::NotAbsolute(other.cloned().unwrap_or_default())),
        }
        let order = argv
            .iter()
            .try_fold(self.push("options", "--")?, |order, argument| order.push("an argument", argument))?;
        Ok(order.0)
    }

    fn push(mut self, what: &'static str, value: impl AsRef<OsStr>) -> Result<Self, LaunchError> {
        self.0.push(c_string(what, value.as_ref().to_owned())?);
        Ok(self)
    }
}

fn c_string(what: &'static str, value: OsString) -> Result<CString, LaunchError> {
    CString::new(value.into_vec())
        .map_err(|error| LaunchError::Unrepresentable { what, value: OsString::from_vec(error.into_vec()) })
}

/// The environment as `NAME=value` strings. An error names the variable and never shows its value.
pub(crate) fn environment(variables: &[(OsString, OsString)]) -> Result<Vec<CString>, LaunchError> {
    variables
        .iter()
        .map(|(name, value)| {
            let refused = || LaunchError::Unrepresentable { what: "a variable", value: name.clone() };
            if name.is_empty() || name.as_bytes().contains(&b'=') {
                return Err(refused());
            }
            let bytes = [name.as_bytes(), b"=", value.as_bytes()].concat();
            CString::new(bytes).map_err(|_| refused())
        })
        .collect()
}

/// The error of a launcher that was not started.
pub(crate) fn not_spawned(program: PathBuf, source: std::io::Error) -> LaunchError {
    match source.kind() {
        std::io::ErrorKind::ArgumentListTooLong => LaunchError::TooLarge { program },
        _ => LaunchError::Step { program, step: "starting the launcher", source },
    }
}

/// The error that a launcher reported.
pub(crate) fn failed(program: PathBuf, directory: &Path, step: Step, errno: i32) -> LaunchError {
    let source = std::io::Error::from_raw_os_error(errno);
    match (step, errno) {
        (Step::Directory, _) => LaunchError::Directory { directory: directory.to_owned(), source },
        (Step::Exec, libc::ENOENT | libc::ENOTDIR) if program.exists() => {
            LaunchError::InterpreterNotFound { program }
        }
        (Step::Exec, libc::ENOENT | libc::ENOTDIR) => LaunchError::NotFound { program },
        (Step::Exec, libc::EACCES | libc::EPERM) => LaunchError::Denied { program, source },
        (Step::Exec, libc::ENOEXEC) => LaunchError::NotAProgram { program },
        (Step::Exec, libc::E2BIG) => LaunchError::TooLarge { program },
        (step, _) => LaunchError::Step { program, step: describe(step), source },
    }
}

fn describe(step: Step) -> &'static str {
    match step {
        Step::Order => "reading the launcher's order",
        Step::Descriptors => "closing inherited descriptors",
        Step::Subreaper => "becoming the subreaper",
        Step::Parent => "following the parent's death",
        Step::Clone => "creating the process",
        Step::Session => "opening a session",
        Step::Privileges => "giving up new privileges",
        Step::Limits => "setting a resource limit",
        Step::User => "changing the user",
        Step::Directory => "entering the working directory",
        Step::Exec => "executing the program",
        Step::Sandbox => "building the sandbox",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_reads_like_a_command_line() {
        let order = Order::new("run", Path::new("/tmp")).unwrap().number("--grace-ms", 7).unwrap();
        let argv = order.flag("--no-new-privs").unwrap().program(&["/bin/sh".into(), "-c".into()]).unwrap();
        let words: Vec<_> = argv.iter().map(|word| word.to_str().unwrap().to_owned()).collect();
        let parent = format!("--parent={}", std::process::id());
        let expected = [
            "attune-launcher",
            "run",
            &parent,
            "--cwd=/tmp",
            "--grace-ms=7",
            "--no-new-privs",
            "--",
            "/bin/sh",
            "-c",
        ];
        assert_eq!(words, expected);
    }

    #[test]
    fn what_no_program_can_be_given_is_refused() {
        let order = || Order::new("run", Path::new("/")).unwrap();
        assert!(matches!(order().program(&[]), Err(LaunchError::NotAbsolute(_))));
        assert!(matches!(order().program(&["sh".into()]), Err(LaunchError::NotAbsolute(_))));
        let nul = order().program(&["/bin/sh".into(), "a\0b".into()]);
        assert!(matches!(nul, Err(LaunchError::Unrepresentable { what: "an argument", .. })));
        assert!(Order::new("run", Path::new("/a\0b")).is_err());
    }

    #[test]
    fn a_bad_variable_is_named_and_its_value_is_not() {
        for (name, value) in [("", "hush"), ("A=B", "hush"), ("TOKEN", "hu\0sh")] {
            let error = environment(&[(name.into(), value.into())]).unwrap_err().to_string();
            assert!(error.contains(&format!("{name:?}")) && !error.contains("hush"), "{error}");
        }
    }
}
