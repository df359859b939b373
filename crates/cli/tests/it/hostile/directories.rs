//! Directories that `attune pack validate` and `attune pack load` are pointed at.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{CWD, Mode, mkfifoat};

use super::archives::MANIFEST;
use super::definitions;
use crate::home::{Home, assert_terminal};

type Make = fn(&Path);

/// What each does to a pack that is good otherwise.
const DIRECTORIES: [(&str, Make); 12] = [
    ("link_out", |root| symlink("/etc/passwd", root.join("passwd")).unwrap()),
    ("link_to_directory", |root| symlink("/etc", root.join("actions")).unwrap()),
    ("link_to_nothing", |root| symlink("nothing", root.join("x")).unwrap()),
    ("link_to_itself", |root| symlink(root, root.join("x")).unwrap()),
    // Whoever opens it for reading waits until somebody writes.
    ("pipe", |root| mkfifoat(CWD, root.join("x"), Mode::RUSR).unwrap()),
    ("socket", |root| drop(UnixListener::bind(root.join("x")).unwrap())),
    ("one_gigabyte", |root| File::create(root.join("x")).unwrap().set_len(1 << 30).unwrap()),
    ("many_files", many_files),
    ("name_is_no_utf_8", |root| fs::write(root.join(OsStr::from_bytes(b"x\xff")), "").unwrap()),
    ("name_moves_the_cursor", |root| fs::write(root.join("x\x1b[2J"), "").unwrap()),
    ("manifest_is_a_directory", |root| {
        fs::remove_file(root.join("pack.yaml")).unwrap();
        fs::create_dir(root.join("pack.yaml")).unwrap();
    }),
    ("empty", |root| fs::remove_file(root.join("pack.yaml")).unwrap()),
];

fn many_files(root: &Path) {
    for directory in 0..100 {
        let directory = root.join(directory.to_string());
        fs::create_dir(&directory).unwrap();
        (0..1_000).for_each(|file| drop(File::create(directory.join(file.to_string())).unwrap()));
    }
}

/// What both commands say, which is the same and needs no Attune that runs.
fn refused(home: &Home, name: &str) -> String {
    let validated = home.attune(&["pack", "validate", name]);
    if validated.code != 0 {
        let loaded = home.attune(&["pack", "load", name]);
        assert_eq!((loaded.code, &loaded.stderr), (validated.code, &validated.stderr), "{name}");
    }
    format!("$ attune pack validate {name}\n{validated}\n")
}

#[test]
fn directories_that_no_pack_should_be() {
    let home = Home::new();
    let mut all = String::new();
    for (name, make) in DIRECTORIES {
        let root = home.path().join(name);
        fs::create_dir(&root).unwrap();
        fs::write(root.join("pack.yaml"), MANIFEST).unwrap();
        make(&root);
        all.push_str(&refused(&home, name));
    }
    assert_terminal!("hostile_directories", all);
}

#[test]
fn definitions_that_no_author_should_write() {
    let home = Home::new();
    let mut all = String::new();
    for definition in definitions::all() {
        definitions::write(home.path(), &definition);
        all.push_str(&refused(&home, definition.name));
    }
    assert_terminal!("hostile_definitions", all);
}

#[test]
fn files_that_differ_in_case_only_are_two_files() {
    let home = Home::new();
    let root = home.path().join("cases");
    fs::create_dir_all(root.join("triggers")).unwrap();
    fs::write(root.join("pack.yaml"), MANIFEST).unwrap();
    fs::write(root.join("triggers/x.yaml"), "ref: demo.x\n").unwrap();
    fs::write(root.join("triggers/X.yaml"), "ref: demo.x\n").unwrap();
    let answer = home.attune(&["pack", "validate", "cases"]);
    assert!(answer.stderr.contains("\"demo.x\" is defined in triggers/X.yaml as well"), "{answer}");
    assert_eq!(answer.code, 6);
}
