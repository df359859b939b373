//! A clock that jumps: libfaketime, which a program loads before its own libraries and which reads from a file how far its
//! clock is off.
//!
//! What should jump is the clock on the wall; the monotonic clock, by which programs wait, goes on, as when an administrator
//! sets the time. But then libfaketime (0.9.10) refuses to sleep until a point of monotonic time, as some programs do. Those
//! get both clocks off by as much, and a jump only between two runs.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use attune_process::{Capture, Limits, Program, find_on_path};
use attune_runtimes::variables::{of_this_process, path, variables};

/// Long enough for a program that prints a line.
const TIME: Duration = Duration::from_secs(10);

/// Which clocks are off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Off {
    /// That on the wall.
    Wall,
    /// All of them.
    All,
}

/// What the programs on trial are told.
#[derive(Debug)]
pub(super) struct Clock {
    library: String,
    offset: PathBuf,
}

impl Clock {
    /// The clock of this machine that can be set, if it has one: the command `faketime` knows where its library is.
    pub(super) async fn find(directory: &Path) -> Option<Self> {
        let program = find_on_path("faketime", &path(of_this_process))?;
        let program = Program {
            argv: vec![program.into(), "-f".into(), "+0".into(), "printenv".into(), "LD_PRELOAD".into()],
            env: variables(of_this_process, &[], directory, []),
            cwd: directory.to_owned(),
            stdin: Vec::new(),
            limits: Limits { time: TIME, ..Limits::default() },
        };
        let mut printed = Capture::within(&program.limits);
        let finished = attune_process::run(program, &mut printed, std::future::pending()).await.ok()?;
        let library = String::from_utf8(printed.stdout.into_bytes()).ok()?.trim().to_owned();
        let clock = Self { library, offset: directory.join("clock") };
        (finished.outcome.is_success() && clock.set("+0").is_ok()).then_some(clock)
    }

    /// From now on it is off by this much.
    pub(super) fn set(&self, offset: &str) -> io::Result<()> {
        let next = self.offset.with_extension("next");
        std::fs::write(&next, format!("{offset}\n"))?;
        std::fs::rename(next, &self.offset)
    }

    /// The variables of a program that goes by it.
    pub(super) fn variables(&self, off: Off) -> BTreeMap<String, String> {
        let offset = self.offset.display().to_string();
        let told = [
            ("LD_PRELOAD", self.library.as_str()),
            ("FAKETIME_TIMESTAMP_FILE", &offset),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", if off == Off::Wall { "1" } else { "0" }),
            ("NO_FAKE_STAT", "1"),
        ];
        told.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }
}
