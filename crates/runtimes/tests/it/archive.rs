//! What an uploaded archive can try.

use std::io::Write as _;

use attune_runtimes::archive::{ArchiveError, read, write};
use attune_runtimes::digest::digest;
use attune_runtimes::files::{Files, FilesError, MAX_FILE, MAX_TOTAL};
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

/// An archive with one entry, whose path is written as it is.
fn with_entry(path: &[u8], kind: EntryType, content: &[u8]) -> Vec<u8> {
    archive(|builder| append(builder, path, kind, content))
}

fn archive(fill: impl FnOnce(&mut Builder<GzEncoder<Vec<u8>>>)) -> Vec<u8> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    fill(&mut builder);
    builder.into_inner().unwrap().finish().unwrap()
}

fn append(builder: &mut Builder<GzEncoder<Vec<u8>>>, path: &[u8], kind: EntryType, content: &[u8]) {
    let mut header = Header::new_gnu();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path);
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    if kind.is_symlink() || kind.is_hard_link() {
        header.set_link_name("/etc/passwd").unwrap();
    }
    if kind.is_gnu_sparse() {
        header.as_gnu_mut().unwrap().set_real_size(0);
    }
    header.set_cksum();
    builder.append(&header, content).unwrap();
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn files_come_back_as_they_were() {
    let long = format!("{}/file", "directory-with-a-long-name/".repeat(12).trim_end_matches('/'));
    let mut files = Files::default();
    files.insert("pack.yaml", b"ref: x".to_vec(), false).unwrap();
    files.insert("actions/run \u{fc}.sh", b"#!/bin/sh".to_vec(), true).unwrap();
    files.insert(&long, Vec::new(), false).unwrap();

    let packed = write(&files).unwrap();

    assert_eq!(read(&packed).unwrap(), files);
    assert_eq!(packed, write(&files).unwrap());
    assert_eq!(digest(&read(&packed).unwrap()), digest(&files));
}

#[test]
fn a_leading_dot_and_directories_are_usual() {
    let packed = archive(|builder| {
        append(builder, b"./", EntryType::Directory, b"");
        append(builder, b"./actions/", EntryType::Directory, b"");
        append(builder, b"./actions/x", EntryType::Regular, b"1");
    });
    assert_eq!(read(&packed).unwrap().contents().keys().collect::<Vec<_>>(), ["actions/x"]);
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    for path in [&b"/etc/cron.d/x"[..], b"../x", b"a/../../x", b"a//b", b"././x", b"a\nb"] {
        let error = read(&with_entry(path, EntryType::Regular, b"x")).unwrap_err();
        assert!(matches!(error, ArchiveError::File(FilesError::Path { .. })), "{error}");
    }
    let error = read(&with_entry(b"a\xff", EntryType::Regular, b"x")).unwrap_err();
    assert_eq!(error.to_string(), "the path \"a\\xff\" is not UTF-8");
}

#[test]
fn only_files_and_directories_are_taken() {
    use EntryType as T;
    for kind in [T::Symlink, T::Link, T::Char, T::Block, T::Fifo, T::GNUSparse, T::Continuous] {
        let error = read(&with_entry(b"x", kind, b"")).unwrap_err();
        assert!(matches!(error, ArchiveError::Special { .. }), "{kind:?}: {error}");
    }
}

#[test]
fn the_same_path_twice_is_refused() {
    for second in [&b"a/b"[..], b"./a/b", b"a/b/c", b"a"] {
        let packed = archive(|builder| {
            append(builder, b"a/b", EntryType::Regular, b"1");
            append(builder, second, EntryType::Regular, b"2");
        });
        let error = read(&packed).unwrap_err();
        assert!(matches!(error, ArchiveError::File(FilesError::Conflict { .. })), "{error}");
    }
}

#[test]
fn sizes_are_limited_before_anything_is_kept() {
    let large = vec![0; usize::try_from(MAX_FILE).unwrap() + 1];
    let error = read(&with_entry(b"x", EntryType::Regular, &large)).unwrap_err();
    assert!(matches!(error, ArchiveError::File(FilesError::FileTooLarge { .. })), "{error}");

    let packed = archive(|builder| {
        for n in 0..5 {
            append(builder, format!("{n}").as_bytes(), EntryType::Regular, &large[1..]);
        }
    });
    let error = read(&packed).unwrap_err();
    assert!(matches!(error, ArchiveError::File(FilesError::TooLarge)), "{error}");
}

#[test]
fn a_bomb_ends_at_the_limit() {
    // A tar of nothing but zeros is an empty archive with very much padding.
    let bomb = gzip(&vec![0; usize::try_from(MAX_TOTAL).unwrap() * 2]);
    assert!(bomb.len() < 1024 * 1024);
    assert!(matches!(read(&bomb), Err(ArchiveError::TooLarge)));

    let crowd = archive(|builder| {
        for n in 0..=20_000 {
            append(builder, format!("{n}/").as_bytes(), EntryType::Directory, b"");
        }
    });
    assert!(matches!(read(&crowd), Err(ArchiveError::TooManyEntries)));
}

#[test]
fn what_is_no_archive_says_so() {
    let good = with_entry(b"x", EntryType::Regular, &[7; 5000]);
    for torn in
        [&b""[..], b"not gzip", &good[..good.len() / 2], &good[..good.len() - 4], &gzip(b"no tar at all")]
    {
        let error = read(torn).unwrap_err();
        assert!(matches!(error, ArchiveError::Unreadable(_)), "{error}");
    }
    let mut damaged = good.clone();
    let checksum = damaged.len() - 6;
    damaged[checksum] ^= 1;
    assert!(matches!(read(&damaged), Err(ArchiveError::Unreadable(_))));
    assert!(matches!(read(&[&good[..], b"x"].concat()), Err(ArchiveError::TrailingData)));
}
