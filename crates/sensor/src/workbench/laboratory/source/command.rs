//! A program of the author's that puts items into whatever the sensor looks at. It is told on its standard input what to put
//! in, as one JSON object, and has done so when it ends with 0.

use std::path::{Path, PathBuf};
use std::time::Duration;

use attune_process::{Capture, Limits, Program};
use attune_runtimes::variables::{of_this_process, variables};
use serde_json::{Value, json};

use super::{SourceError, Text};

/// How long it may take.
const TIME: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(in super::super) struct Command {
    program: PathBuf,
    directory: PathBuf,
}

impl Command {
    pub(super) fn new(program: &Path, directory: &Path) -> Result<Self, SourceError> {
        let found = program.canonicalize();
        let program =
            found.map_err(|source| SourceError::NoProgram { program: program.to_owned(), source })?;
        Ok(Self { program, directory: directory.to_owned() })
    }

    pub(super) async fn add(&self, texts: &[Text], config: &Value) -> Result<(), SourceError> {
        let items: Vec<_> = texts.iter().map(Text::whole).collect();
        let order = json!({"op": "add", "items": items, "config": config, "scratch": self.directory});
        let program = Program {
            argv: vec![self.program.clone().into()],
            env: variables(of_this_process, &[], &self.directory, []),
            cwd: self.directory.clone(),
            stdin: format!("{order}\n").into_bytes(),
            limits: Limits { time: TIME, ..Limits::default() },
        };
        let mut printed = Capture::within(&program.limits);
        match attune_process::run(program, &mut printed, std::future::pending()).await {
            Ok(finished) if finished.outcome.is_success() => Ok(()),
            Ok(finished) => Err(self.failed(&format!("{}: {}", finished.outcome, last_words(printed)))),
            Err(error) => Err(self.failed(&error.to_string())),
        }
    }

    fn failed(&self, reason: &str) -> SourceError {
        SourceError::Program { program: self.program.clone(), reason: reason.to_owned() }
    }
}

fn last_words(printed: Capture) -> String {
    String::from_utf8_lossy(&printed.stderr.into_bytes()).trim().to_owned()
}
