//! The content store: once, complete, verified.

use std::convert::Infallible;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use attune_runtimes::archive;
use attune_runtimes::content::{ContentError, PackContent};
use attune_runtimes::digest::digest;
use attune_runtimes::files::Files;

fn sample() -> (String, Vec<u8>) {
    let mut files = Files::default();
    files.insert("pack.yaml", b"ref: x".to_vec(), false).unwrap();
    files.insert("a/b/run", b"#!/bin/sh\n".to_vec(), true).unwrap();
    (digest(&files), archive::write(&files).unwrap())
}

async fn ensure(store: &PackContent, digest: &str, archive: &[u8]) -> Result<PathBuf, ContentError> {
    store.ensure(digest, async || Ok::<_, Infallible>(archive.to_vec())).await
}

async fn never() -> Result<Vec<u8>, Infallible> {
    panic!("the content is there already")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn entries(cache: &Path) -> Vec<String> {
    let entries = fs::read_dir(cache.join("packs")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn content_is_unpacked_once_and_read_only() {
    let cache = tempfile::tempdir().unwrap();
    let (digest, archive) = sample();
    let store = PackContent::new(cache.path());

    let place = ensure(&store, &digest, &archive).await.unwrap();

    assert_eq!(place, cache.path().join("packs").join(&digest));
    assert_eq!(fs::read(place.join("pack.yaml")).unwrap(), b"ref: x");
    assert_eq!([mode(&place.join("pack.yaml")), mode(&place.join("a/b/run"))], [0o444, 0o555]);
    assert_eq!([mode(&place), mode(&place.join("a")), mode(&place.join("a/b"))], [0o755; 3]);
    assert_eq!(entries(cache.path()), [digest.as_str()]);
    assert_eq!(store.ensure(&digest, never).await.unwrap(), place);
    assert_eq!(PackContent::new(cache.path()).ensure(&digest, never).await.unwrap(), place);
}

#[tokio::test]
async fn many_at_once_fetch_once_per_process() {
    let cache = tempfile::tempdir().unwrap();
    let (digest, archive) = sample();
    let fetched = AtomicUsize::new(0);
    let fetch = async || {
        fetched.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        Ok::<_, Infallible>(archive.clone())
    };
    // Two stores stand for two processes.
    let (one, other) = (PackContent::new(cache.path()), PackContent::new(cache.path()));

    let (a, b, c, d) = tokio::join!(
        one.ensure(&digest, fetch),
        one.ensure(&digest, fetch),
        other.ensure(&digest, fetch),
        other.ensure(&digest, fetch)
    );

    assert!([a, b, c, d].into_iter().all(|place| place.unwrap().join("a/b/run").is_file()));
    assert!(fetched.into_inner() <= 2);
    assert_eq!(entries(cache.path()), [digest]);
}

#[tokio::test]
async fn damaged_content_is_replaced() {
    let cache = tempfile::tempdir().unwrap();
    let (digest, archive) = sample();
    let place = ensure(&PackContent::new(cache.path()), &digest, &archive).await.unwrap();
    for damage in [
        |place: &Path| fs::remove_dir_all(place.join("a")).unwrap(),
        |place: &Path| {
            fs::remove_file(place.join("pack.yaml")).unwrap();
            fs::write(place.join("pack.yaml"), "ref: y").unwrap();
        },
    ] {
        damage(&place);
        ensure(&PackContent::new(cache.path()), &digest, &archive).await.unwrap();
        assert_eq!(fs::read(place.join("pack.yaml")).unwrap(), b"ref: x");
        assert!(place.join("a/b/run").is_file());
        assert_eq!(entries(cache.path()), [digest.as_str()]);
    }
}

#[tokio::test]
async fn nothing_wrong_is_ever_put_in_place() {
    let cache = tempfile::tempdir().unwrap();
    let (digest, archive) = sample();
    let store = PackContent::new(cache.path());
    let other = "0".repeat(64);

    assert!(matches!(ensure(&store, "../../etc", &archive).await, Err(ContentError::NotADigest { .. })));
    assert!(matches!(ensure(&store, &other, &archive).await, Err(ContentError::Mismatch { .. })));
    assert!(matches!(ensure(&store, &digest, b"x").await, Err(ContentError::Archive { .. })));
    let failed = store.ensure(&digest, async || Err::<Vec<u8>, _>("the database is away")).await;
    assert!(failed.unwrap_err().to_string().ends_with("the database is away"));
    assert!(!cache.path().join("packs").join(&digest).exists());
}
