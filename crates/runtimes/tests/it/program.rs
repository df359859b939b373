//! Runs programs of the shipped packs as the services do: parameters on stdin, nothing inherited but PATH.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) log: String,
}

pub(crate) fn packs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs").canonicalize().unwrap()
}

pub(crate) fn run(command: &mut Command, stdin: &str) -> Finished {
    run_with_environment(with_little(command), stdin)
}

/// As little environment as the services give; and nothing that is compiled stays in the sources.
pub(crate) fn with_little(command: &mut Command) -> &mut Command {
    let path = std::env::var_os("PATH").unwrap();
    command.env_clear().env("PATH", path).env("LANG", "C.UTF-8").env("PYTHONDONTWRITEBYTECODE", "1")
}

pub(crate) fn run_with_environment(command: &mut Command, stdin: &str) -> Finished {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = stdin.to_owned();
    // A program may end without reading.
    let writer = std::thread::spawn(move || drop(input.write_all(text.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        log: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A file of code in a directory of its own.
pub(crate) struct Script {
    pub(crate) directory: TempDir,
    pub(crate) path: PathBuf,
}

impl Script {
    pub(crate) fn new(source: &str) -> Self {
        Self::named("code.py", source)
    }

    /// The name says by which wrapper it runs.
    pub(crate) fn named(name: &str, source: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().canonicalize().unwrap().join(name);
        std::fs::write(&path, source).unwrap();
        Self { directory, path }
    }

    pub(crate) fn action(&self, params: &Value) -> Finished {
        run(&mut wrapped(&self.path), &params.to_string())
    }

    pub(crate) fn sensor(&self, config: &Value, context: &Value) -> Finished {
        sensor(&self.path, config, context)
    }
}

pub(crate) fn sensor(path: &Path, config: &Value, context: &Value) -> Finished {
    sensor_command(wrapped(path), config, context)
}

pub(crate) fn sensor_command(mut command: Command, config: &Value, context: &Value) -> Finished {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("context.json");
    std::fs::write(&file, context.to_string()).unwrap();
    run_with_environment(command.env("SENSOR_CONTEXT", file), &config.to_string())
}

/// The command line of the core pack's runtime for this file, with as little environment as the services give.
pub(crate) fn wrapped(path: &Path) -> Command {
    let (binary, args, wrapper): (_, &[&str], _) =
        if path.extension().is_some_and(|extension| extension == "py") {
            ("python3", &["-u"], "core/runtimes/python/run.py")
        } else {
            ("node", &[], "core/runtimes/nodejs/run.cjs")
        };
    let mut command = Command::new(binary);
    with_little(&mut command);
    command.args(args).arg(packs().join(wrapper)).arg(path);
    command
}
