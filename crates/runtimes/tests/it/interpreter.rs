//! What a version manager's shim hides is found out once, and what does not say it runs itself.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use attune_common::config::Config;
use attune_core::pack::Runtime;
use attune_core::runtime::execution::Role;
use attune_runtimes::launch::{Code, Found, Launcher};
use attune_runtimes::tool::Tool;
use serde_json::json;

fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn code(directory: &Path, binary: &Path) -> Code {
    let runtime = Runtime {
        r#ref: "demo.x".to_owned(),
        name: "X".to_owned(),
        description: None,
        distributions: json!({}),
        installation: None,
        execution: json!({"binary": binary, "resolve": {"args": ["--which"]}}),
        aliases: Vec::new(),
    };
    let tool = Arc::new(Tool::defined(&runtime, None));
    let (pack, directory) = ("demo".to_owned(), directory.to_owned());
    Code { pack, directory, digest: None, tool, runtime_pack: None }
}

async fn found(launcher: &Launcher, code: &Code) -> PathBuf {
    match launcher.find(code, Role::Sensor).await.unwrap() {
        Found::Ready(interpreter) => interpreter.binary.unwrap(),
        Found::Building(_) => panic!("there is no environment"),
    }
}

#[tokio::test]
async fn a_shim_is_asked_once_and_again_when_it_or_its_answer_changes() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let config = Config { cache_dir: path("cache"), ..Config::default() };
    let launcher = Launcher::open(&config).unwrap();
    let shim = |real: &str| {
        let asked = path("asked").display().to_string();
        script(
            &path("shim"),
            &format!(
                "[ \"$1\" = --which ] && echo asked >>{asked}; echo {}; echo more",
                path(real).display()
            ),
        );
    };
    let code = code(directory.path(), &path("shim"));
    let asked = || fs::read_to_string(path("asked")).unwrap_or_default().lines().count();

    script(&path("one"), "");
    symlink(path("one"), path("two")).unwrap();
    shim("one");
    assert_eq!(found(&launcher, &code).await, path("one"));
    assert_eq!((found(&launcher, &code).await, asked()), (path("one"), 1));
    shim("two  ");
    assert_eq!((found(&launcher, &code).await, asked()), (path("two"), 2));
    fs::remove_file(path("one")).unwrap();
    // Nothing is left that it could mean, so it runs itself.
    assert_eq!((found(&launcher, &code).await, asked()), (path("shim"), 3));
}

#[tokio::test]
async fn who_does_not_answer_runs_itself() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config { cache_dir: directory.path().join("cache"), ..Config::default() };
    let launcher = Launcher::open(&config).unwrap();
    for (name, text) in [("fails", "echo /bin/sh; exit 1"), ("relative", "echo sh"), ("silent", "")] {
        let binary = directory.path().join(name);
        script(&binary, text);
        assert_eq!(found(&launcher, &code(directory.path(), &binary)).await, binary, "{name}");
    }
}
