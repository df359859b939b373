//! What lies on this machine's disks. Nothing runs here, and there is no database.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::section;
use crate::home::{Home, assert_terminal};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn with_data_dir() -> Home {
    let home = Home::new();
    fs::create_dir(home.data_dir()).unwrap();
    set_mode(&home.data_dir(), 0o711);
    home
}

#[test]
fn where_nothing_is_nothing_is_wrong() {
    let home = Home::new();
    let looked_at = ["configuration", "data directory", "token", "database", "schema", "workers", "caches"];
    let all: String = looked_at.map(|check| section(&home, check)).concat();
    assert_terminal!("doctor_nothing_there", all);
    assert!(!home.data_dir().exists(), "it changes nothing");
}

#[test]
fn a_faulty_configuration_is_told_and_the_rest_is_looked_at() {
    let home = with_data_dir();
    fs::write(home.path().join("config.yaml"), "server: {port: x}\nsensr: {host: a}\n").unwrap();
    let answer = home.attune(&["doctor"]);
    assert_eq!(answer.code, 1);
    assert_terminal!(
        "doctor_configuration",
        [section(&home, "configuration"), section(&home, "data directory")].concat()
    );
}

#[test]
fn permissions_of_the_data_directory_and_the_token() {
    let home = with_data_dir();
    let token = home.data_dir().join("api.token");
    fs::write(&token, "0123456789abcdef\n").unwrap();
    set_mode(&token, 0o600);
    let look = || [section(&home, "data directory"), section(&home, "token"), "\n".to_owned()].concat();
    let good = look();
    set_mode(&token, 0o644);
    set_mode(&home.data_dir(), 0o777);
    let open = look();
    assert_eq!(home.attune(&["doctor"]).code, 1);
    set_mode(&token, 0o600);
    fs::write(&token, "\n").unwrap();
    let empty = look();
    fs::remove_dir_all(home.data_dir()).unwrap();
    fs::write(home.data_dir(), "").unwrap();
    assert_terminal!("doctor_permissions", [good, open, empty, look()].concat());
}

#[test]
fn caches_that_are_damaged_or_were_never_finished() {
    let home = with_data_dir();
    let packs = home.data_dir().join("cache/packs");
    let (damaged, fresh, old) =
        (packs.join("a".repeat(64)), packs.join(".unpacking-new"), packs.join(".unpacking-old"));
    for directory in [&damaged, &fresh, &old] {
        fs::create_dir_all(directory).unwrap();
    }
    fs::write(damaged.join("pack.yaml"), "ref: changed\n").unwrap();
    let yesterday = SystemTime::now() - Duration::from_hours(24);
    File::open(&old).unwrap().set_modified(yesterday).unwrap();
    assert_terminal!("doctor_caches", section(&home, "caches"));
}

#[test]
fn environments_that_never_became_complete() {
    let home = with_data_dir();
    let root = home.path().join("environments");
    let (ready, fresh, old) = (root.join("a1"), root.join("b2"), root.join("c3"));
    for directory in [&ready, &fresh, &old] {
        fs::create_dir_all(directory.join("build-x")).unwrap();
    }
    std::os::unix::fs::symlink("build-x", ready.join("ready")).unwrap();
    fs::write(old.join("log"), "fetching\nno space left\n\n").unwrap();
    let yesterday = SystemTime::now() - Duration::from_hours(24);
    File::open(&old).unwrap().set_modified(yesterday).unwrap();
    fs::write(home.path().join("config.yaml"), "runtime: {environments_dir: environments}\n").unwrap();
    let told = section(&home, "environments");
    assert!(told.contains(": 1 complete, "), "{told}");
    assert!(told.contains("never became complete: c3 (no space left)\n"), "{told}");
    assert!(told.contains("environments/c3/log") && !told.contains("b2"), "{told}");
}
