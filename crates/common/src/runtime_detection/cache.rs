//! What verification commands said, remembered in a file that all processes of this machine share.
//!
//! An answer belongs to a binary as it is on disk (path, inode, size, time of change) and to the command with all that
//! decides its success. So a replaced interpreter and an edited row are asked again at once; what nothing on disk
//! shows, such as what a shim starts, is asked again when the answer has grown old.
//!
//! # Failure
//! A cache that can not be read is empty, and one that can not be written stays as it was: verification is slower then.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use attune_core::runtime::distributions::Command;
use attune_core::version::Version;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tokio::fs;
use tokio::io::AsyncWriteExt;
use tracing::debug;

use super::run::Failure;
use super::verifier::{Answer, Refusal, Trust};

/// The file in the cache directory.
const FILE: &str = "verification.json";

/// What a command said, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Remembered {
    at: DateTime<Utc>,
    /// Why it failed; absent when it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

/// A binary as it is on disk, and a command. The text is JSON, so that whoever opens the file can read it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Key(String);

type Entries = BTreeMap<Key, Remembered>;

/// The cache of this machine, as far as this process knows it.
#[derive(Debug)]
pub(super) struct Cache {
    file: PathBuf,
    ttl: TimeDelta,
    entries: Mutex<Entries>,
    /// What this process found out since the last [`Cache::save`].
    news: Mutex<Entries>,
}

impl Key {
    /// None when the binary can not be looked at or its path is no text.
    pub(super) fn of(binary: &Path, command: &Command) -> Option<Self> {
        let file = std::fs::metadata(binary).ok()?;
        let pattern = command.pattern.as_ref().map(regex::Regex::as_str);
        let key = (
            binary.to_str()?,
            (file.dev(), file.ino(), file.size(), file.mtime(), file.mtime_nsec()),
            (&command.args, command.exit_code, pattern),
        );
        serde_json::to_string(&key).ok().map(Self)
    }
}

impl Remembered {
    pub(super) fn new(answer: &Result<Option<Version>, Failure>, at: DateTime<Utc>) -> Self {
        match answer {
            Ok(version) => Self { at, failure: None, version: version.as_ref().map(Version::to_string) },
            Err(failure) => Self { at, failure: Some(failure.to_string()), version: None },
        }
    }

    pub(super) fn into_answer(self) -> (Answer, DateTime<Utc>) {
        let version = self.version.as_deref().and_then(Version::parse);
        let refusal = self.failure.map(|reason| Refusal { reason, was_killed: false });
        (refusal.map_or(Ok(version), Err), self.at)
    }

    /// Neither too old nor from a future that a clock set back has left behind.
    fn is_fresh(&self, ttl: TimeDelta, now: DateTime<Utc>) -> bool {
        let age = now - self.at;
        age >= TimeDelta::zero() && age < ttl
    }
}

impl Cache {
    /// The cache in `directory`, as it is now.
    pub(super) async fn open(directory: &Path, ttl: Duration) -> Self {
        let file = directory.join(FILE);
        let entries = Mutex::new(read(&file).await);
        let ttl = TimeDelta::from_std(ttl).unwrap_or(TimeDelta::MAX);
        Self { file, ttl, entries, news: Mutex::default() }
    }

    /// What is remembered, when it is fresh and trusted.
    pub(super) fn recall(&self, key: &Key, trust: Trust, now: DateTime<Utc>) -> Option<Remembered> {
        let trusted = |remembered: &Remembered| match trust {
            Trust::Nothing => false,
            Trust::Presence => remembered.failure.is_none(),
            Trust::Everything => true,
        };
        let entries = lock(&self.entries);
        entries
            .get(key)
            .filter(|remembered| trusted(remembered) && remembered.is_fresh(self.ttl, now))
            .cloned()
    }

    pub(super) fn remember(&self, key: Key, remembered: Remembered) {
        lock(&self.entries).insert(key.clone(), remembered.clone());
        lock(&self.news).insert(key, remembered);
    }

    /// Adds what is new to what other processes wrote meanwhile. Two that save at once may lose each other's news, which
    /// costs a command or two.
    pub(super) async fn save(&self, now: DateTime<Utc>) {
        let news = std::mem::take(&mut *lock(&self.news));
        if news.is_empty() {
            return;
        }
        let mut entries = read(&self.file).await;
        entries.extend(news);
        entries.retain(|_, remembered| remembered.is_fresh(self.ttl, now));
        if let Err(error) = write(&self.file, &entries).await {
            debug!(%error, file = %self.file.display(), "the results of verification could not be kept");
        }
    }
}

async fn read(file: &Path) -> Entries {
    let Ok(content) = fs::read(file).await else { return Entries::new() };
    serde_json::from_slice(&content).unwrap_or_default()
}

/// Whole or not at all: others read while we write.
async fn write(file: &Path, entries: &Entries) -> std::io::Result<()> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory).await?;
    }
    let draft = file.with_extension(format!("{}.tmp", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut handle = options.open(&draft).await?;
    handle.write_all(&serde_json::to_vec(entries)?).await?;
    handle.flush().await?;
    fs::rename(&draft, file).await
}

/// A holder that panicked left a whole map behind: each change is one insertion.
fn lock(entries: &Mutex<Entries>) -> MutexGuard<'_, Entries> {
    entries.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(ttl: Duration) -> Cache {
        let ttl = TimeDelta::from_std(ttl).unwrap();
        Cache { file: PathBuf::new(), ttl, entries: Mutex::default(), news: Mutex::default() }
    }

    #[test]
    fn an_answer_grows_old() {
        let cache = cache(Duration::from_mins(10));
        let (key, at) = (Key("a command".to_owned()), Utc::now());
        let remembered = Remembered::new(&Ok(Version::parse("3.9")), at);
        cache.remember(key.clone(), remembered.clone());
        let after = |seconds| cache.recall(&key, Trust::Presence, at + TimeDelta::seconds(seconds));
        assert_eq!([after(0), after(599)], [Some(remembered.clone()), Some(remembered)]);
        assert_eq!([after(600), after(-1)], [None, None]);
    }

    #[test]
    fn an_answer_says_when_it_was_given() {
        let at = Utc::now();
        let (answer, given_at) = Remembered::new(&Ok(Version::parse("v3.9")), at).into_answer();
        assert_eq!((answer.unwrap().unwrap().as_str(), given_at), ("3.9", at));
    }
}
