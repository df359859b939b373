//! Which program runs.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use attune_core::runtime::execution::{Execution, Role};
use attune_runtimes::resolve::{Parts, ResolveError, Search, argv, find};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A PATH with the programs `one` and `two`.
fn programs() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in ["one", "two"] {
        let path = directory.path().join(name);
        fs::write(&path, "").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    directory
}

/// What differs from test to test.
struct Case<'a> {
    row: Value,
    role: Role,
    verified: Option<&'a Path>,
    commands: &'a [&'a str],
    pack: Option<&'a Path>,
    entrypoint: &'a Path,
}

fn case(row: Value) -> Case<'static> {
    let entrypoint = Path::new("/pack/code");
    Case { row, role: Role::Sensor, verified: None, commands: &[], pack: None, entrypoint }
}

impl Case<'_> {
    /// The names of the parts of the command line.
    fn run(&self, path: &Path) -> Result<Vec<String>, ResolveError> {
        let Self { role, verified, commands, pack, entrypoint, .. } = *self;
        let (runtime, path) = ("demo.x", path.as_os_str());
        let execution = &Execution::parse(&self.row).unwrap();
        let binary = find(&Search { runtime, execution, role, verified, commands, path })?;
        let argv = argv(&Parts { runtime, execution, binary: binary.as_deref(), pack, entrypoint })?;
        let name = |part: &OsStr| Path::new(part).file_name().unwrap().to_str().unwrap().to_owned();
        Ok(argv.iter().map(|part| name(part)).collect())
    }
}

#[test]
fn the_row_comes_before_verification_and_verification_before_its_commands() {
    let path = programs();
    let (path, two) = (path.path(), path.path().join("two"));
    let verified = Some(two.as_path());
    let row = json!({"binary": ["zero", "one"]});
    assert_eq!(Case { verified, ..case(row) }.run(path).unwrap(), ["one", "code"]);
    let both = Case { verified, commands: &["one"], ..case(json!({})) };
    assert_eq!(both.run(path).unwrap(), ["two", "code"]);
    let commands = Case { commands: &["zero", "one"], ..case(json!({})) };
    assert_eq!(commands.run(path).unwrap(), ["one", "code"]);
}

#[test]
fn what_was_verified_may_be_gone() {
    let path = programs();
    let gone = path.path().join("gone");
    let case = Case { verified: Some(&gone), commands: &["two"], ..case(json!({})) };
    assert_eq!(case.run(path.path()).unwrap(), ["two", "code"]);
}

#[test]
fn nothing_found_names_what_was_tried() {
    let path = programs();
    let error = case(json!({"binary": ["a", "b"]})).run(path.path()).unwrap_err();
    assert_eq!(error.to_string(), "runtime demo.x is missing on this machine: no a, no b on PATH");
    let error = Case { commands: &["c"], ..case(json!({})) }.run(path.path()).unwrap_err();
    assert_eq!(error, ResolveError::NoBinary { runtime: "demo.x".into(), tried: vec!["c".into()] });
}

#[test]
fn without_a_program_the_entrypoint_is_one() {
    let path = programs();
    let code = path.path().join("one");
    assert_eq!(Case { entrypoint: &code, ..case(json!({})) }.run(path.path()).unwrap(), ["one"]);
    let error = case(json!({})).run(path.path()).unwrap_err();
    assert!(matches!(error, ResolveError::NotExecutable { .. }), "{error}");
}

#[test]
fn roles_and_pack_content_are_asked_for() {
    let path = programs();
    let row = || json!({"roles": ["sensor"], "binary": "one", "args": ["{pack}/run"]});
    let error = Case { role: Role::Action, ..case(row()) }.run(path.path()).unwrap_err();
    assert_eq!(error.to_string(), "runtime demo.x does not run actions");
    let error = case(row()).run(path.path()).unwrap_err();
    assert!(matches!(error, ResolveError::NoPackContent { .. }), "{error}");
    let complete = Case { pack: Some(Path::new("/c")), ..case(row()) };
    assert_eq!(complete.run(path.path()).unwrap(), ["one", "run", "code"]);
}
