//! Programs for tests, and rows of `runtime` that are verified by them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use attune_common::config::{Config, LimitsConfig};
use attune_common::models::Runtime;
use attune_common::runtime_detection::{Trust, Verdict, Verifier};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A directory of programs that stands for PATH.
pub(super) struct Programs {
    directory: TempDir,
}

impl Programs {
    pub(super) fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    /// A program of that name which runs these lines.
    pub(super) fn with(self, name: &str, lines: &str) -> Self {
        self.write(name, lines);
        self
    }

    pub(super) fn write(&self, name: &str, lines: &str) {
        // Renamed into place, so that no run ever meets a file that is still open for writing.
        let draft = self.file(&format!("{name}.draft"));
        fs::write(&draft, format!("#!/bin/sh\n{lines}\n")).unwrap();
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(&draft, self.file(name)).unwrap();
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// PATH with these programs before those of the system, which the programs themselves use.
    pub(super) fn search(&self, verifier: Verifier) -> Verifier {
        verifier.with_path(format!("{}:/usr/bin:/bin", self.path().display()))
    }

    pub(super) async fn verify(&self, distributions: &Value) -> Verdict {
        let verifier = self.search(Verifier::new(&limits(Duration::from_secs(20))));
        verifier.verify(&row(distributions), Trust::Nothing).await
    }

    /// Verification by one command.
    pub(super) async fn verify_command(&self, command: Value) -> Verdict {
        self.verify(&by_commands(&json!([command]))).await
    }
}

pub(super) fn limits(time: Duration) -> LimitsConfig {
    LimitsConfig { verification_timeout: time, ..Config::default().limits }
}

pub(super) fn by_commands(commands: &Value) -> Value {
    json!({"verification": {"commands": commands}})
}

pub(super) fn row(distributions: &Value) -> Runtime {
    Runtime {
        id: 1,
        r#ref: "test.alpha".to_owned(),
        pack: None,
        pack_ref: None,
        description: None,
        name: "Alpha".to_owned(),
        distributions: distributions.clone(),
        installation: None,
        execution: json!({}),
        aliases: Vec::new(),
        created: None,
        updated: None,
    }
}
