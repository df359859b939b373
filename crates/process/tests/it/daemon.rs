//! The program that is kept: what it sees, how it ends, and that it does not outlive its owner.

use std::fs::File;
use std::path::Path;

use attune_process::daemon::{Daemon, DaemonSpec};
use attune_process::{LaunchError, Liveness, Outcome, ProcessIdentity};

const TERM: i32 = 15;

fn shell(script: &str, directory: &Path) -> DaemonSpec {
    let file = |name: &str| File::create(directory.join(name)).unwrap();
    DaemonSpec {
        argv: ["/bin/sh", "-c", script].map(Into::into).into(),
        env: vec![("GREETING".into(), "hello".into())],
        cwd: directory.to_owned(),
        uid_gid: None,
        death_signal: TERM,
        stdout: file("stdout"),
        stderr: file("stderr"),
    }
}

#[tokio::test]
async fn it_runs_in_its_directory_with_its_environment_and_streams() {
    let directory = tempfile::tempdir().unwrap();
    let daemon =
        Daemon::start(shell("pwd; echo $GREETING; echo oops >&2; exit 3", directory.path())).await.unwrap();
    assert_eq!(daemon.exited().await.unwrap(), Outcome::Exited(3));
    assert_eq!(daemon.exited().await.unwrap(), Outcome::Exited(3), "asking again is allowed");
    let read = |name| std::fs::read_to_string(directory.path().join(name)).unwrap();
    assert_eq!(read("stdout"), format!("{}\nhello\n", directory.path().display()));
    assert_eq!(read("stderr"), "oops\n");
}

#[tokio::test]
async fn its_process_id_is_its_own_and_it_takes_signals() {
    let directory = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(shell("echo $$; exec sleep 1000", directory.path())).await.unwrap();
    let identity = ProcessIdentity::of(daemon.pid()).unwrap();
    assert_eq!(identity.is_alive(), Liveness::Alive);
    assert_eq!(daemon.try_exited().unwrap(), None);
    daemon.signal(TERM).unwrap();
    assert_eq!(daemon.exited().await.unwrap(), Outcome::Signalled(TERM));
    assert_eq!(identity.is_alive(), Liveness::Gone);
    daemon.signal(TERM).unwrap();
}

#[tokio::test]
async fn a_program_that_cannot_start_is_a_named_error() {
    let directory = tempfile::tempdir().unwrap();
    let mut spec = shell("", directory.path());
    spec.argv = vec!["/does/not/exist".into()];
    assert!(matches!(Daemon::start(spec).await, Err(LaunchError::NotFound { .. })));
    let mut spec = shell("", directory.path());
    spec.cwd = directory.path().join("missing");
    assert!(matches!(Daemon::start(spec).await, Err(LaunchError::Directory { .. })));
}

#[tokio::test]
async fn it_becomes_another_user_before_it_starts() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut spec = shell("id -u; id -g; id -G; exec sleep 1000", directory.path());
    (spec.cwd, spec.uid_gid) = ("/".into(), Some((65_534, 65_533)));
    let daemon = Daemon::start(spec).await.unwrap();
    crate::guest::until("its output", || {
        std::fs::read_to_string(directory.path().join("stdout")).unwrap() == "65534\n65533\n65533\n"
    });
    drop(daemon);
}
