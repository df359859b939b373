//! The page of a process: a file with one slot for each thread that evaluates, and the suspects of the deaths before.
//!
//! The file is locked for as long as its process lives, so a page without a lock is of a dead one.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use attune_process::remains;

use super::{Evaluated, directory, note};

/// Names the layout; a page of another one is of no use.
pub(super) const MAGIC: u64 = u64::from_be_bytes(*b"attfuse1");
/// The word that says who aborted: 0 nobody, [`ALL`], or the number of a slot and 1.
pub(super) const ABORTED: usize = 1;
/// A thread aborted that evaluates nothing: the signal came from outside.
pub(super) const ALL: u64 = u64::MAX;
/// The suspects begin here, two words each,
pub(super) const SUSPECTS: usize = 2;
/// and are so many at most.
pub(super) const MOST_SUSPECTS: usize = 15;
/// The slots begin here,
pub(super) const SLOTS: usize = SUSPECTS + 2 * MOST_SUSPECTS;
/// each with a line of the processor's cache, so that threads do not hold up each other; the first two words are used,
pub(super) const SLOT: usize = 8;
/// and are so many. A thread that finds none free notes nothing.
pub(super) const MOST_SLOTS: usize = 256;
/// Words of a page.
pub(super) const WORDS: usize = SLOTS + SLOT * MOST_SLOTS;

/// The page of this process, once it has one.
static PAGE: OnceLock<Page> = OnceLock::new();

#[derive(Debug)]
pub(super) struct Page {
    words: &'static [AtomicU64],
    has_suspects: bool,
    /// Holds the lock.
    _file: File,
}

/// Opens the page of this process, once; from then on notes are kept. What is suspected is given to find out whether it can be
/// evaluated after all.
pub fn open(data_dir: &Path, suspects: &[Evaluated]) -> io::Result<()> {
    if PAGE.get().is_some() {
        return Ok(());
    }
    let directory = directory(data_dir);
    DirBuilder::new().recursive(true).mode(0o711).create(&directory)?;
    // A name of its own: to shorten the page of a living process would kill that.
    let age = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let path = directory.join(format!("{}-{}", std::process::id(), age.as_nanos()));
    let file = OpenOptions::new().create_new(true).read(true).write(true).mode(0o600).open(path)?;
    file.try_lock()?;
    let words = remains::map(&file, WORDS)?;
    for (at, suspect) in suspects.iter().take(MOST_SUSPECTS).enumerate() {
        let [first, second] = suspect.words();
        words[SUSPECTS + 2 * at + 1].store(second, Ordering::Relaxed);
        words[SUSPECTS + 2 * at].store(first, Ordering::Relaxed);
    }
    words[0].store(MAGIC, Ordering::Release);
    let has_suspects = !suspects.is_empty();
    if PAGE.set(Page { words, has_suspects, _file: file }).is_ok() {
        remains::at_abort(note::aborting)?;
    }
    Ok(())
}

/// The page of this process, if it has one.
pub(super) fn page() -> Option<&'static Page> {
    PAGE.get()
}

impl Page {
    pub(super) fn slot(&self, slot: usize) -> [&AtomicU64; 2] {
        [&self.words[SLOTS + SLOT * slot], &self.words[SLOTS + SLOT * slot + 1]]
    }

    /// Somebody aborts.
    pub(super) fn abort(&self, who: u64) {
        self.words[ABORTED].store(who, Ordering::Release);
    }

    /// What was evaluated to its end is no suspect any more.
    pub(super) fn acquit(&self, evaluated: [u64; 2]) {
        if !self.has_suspects {
            return;
        }
        for at in (SUSPECTS..SLOTS).step_by(2) {
            let suspect =
                [self.words[at].load(Ordering::Relaxed), self.words[at + 1].load(Ordering::Relaxed)];
            if suspect == evaluated {
                self.words[at].store(0, Ordering::Release);
            }
        }
    }
}
