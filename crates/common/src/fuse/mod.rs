//! The fuse: what was being evaluated when a process died is known to the next one, and the second time it is put aside.
//!
//! Whatever an author or operator wrote and this process evaluates itself is noted before and forgotten after, in a page that
//! outlives the process ([`page`]). A note costs two stores into memory. At a start, `Remains` (attune-process) are what dead processes noted;
//! the table `fuse` counts them, and its rows put things aside.
//!
//! # What counts as a death
//! - **An abort** counts for what the aborting thread evaluated. Rust aborts when memory cannot be had or a stack is full.
//! - **A kill** says nothing of its cause, and neither does an abort of a thread that evaluates nothing: the kernel kills for want
//!   of memory, a watchdog because nothing answers any more, and sometimes it is chance. So it counts for whatever was under way, but a second one only when that thing was not evaluated to
//!   its end in between, which what is evaluated all the time is.
//!
//! What fails here is logged and costs the fuse, never the service.

mod note;
mod page;
mod remains;

use std::path::{Path, PathBuf};

pub use note::{Note, note};
pub use page::open;
pub use remains::{Dead, Death, find};

/// What can be put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the nouns of SPEC section 1")]
pub enum Thing {
    Trigger = 1,
    Sensor = 2,
    Action = 3,
    Rule = 4,
}

impl Thing {
    const ALL: [Self; 4] = [Self::Trigger, Self::Sensor, Self::Action, Self::Rule];

    /// The table's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Sensor => "sensor",
            Self::Action => "action",
            Self::Rule => "rule",
        }
    }

    /// By the table's name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    fn of_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|it| *it as u64 == number)
    }
}

/// One version of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Evaluated {
    /// What it is.
    pub thing: Thing,
    /// Its id.
    pub id: i64,
    /// Its `config_version`.
    pub version: i64,
}

/// The noun's bits in the first of the two words.
const NOUN_SHIFT: u32 = 60;

impl Evaluated {
    /// As two words, the first of which is never 0.
    fn words(self) -> [u64; 2] {
        let id = self.id.unsigned_abs() & ((1 << NOUN_SHIFT) - 1);
        [((self.thing as u64) << NOUN_SHIFT) | id, self.version.unsigned_abs()]
    }

    fn of_words([first, second]: [u64; 2]) -> Option<Self> {
        let thing = Thing::of_number(first >> NOUN_SHIFT)?;
        let id = i64::try_from(first & ((1 << NOUN_SHIFT) - 1)).ok()?;
        Some(Self { thing, id, version: i64::try_from(second).ok()? })
    }
}

/// Where pages are.
fn directory(data_dir: &Path) -> PathBuf {
    data_dir.join("fuse")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_words_are_one_version_of_one_thing() {
        for thing in Thing::ALL {
            let evaluated = Evaluated { thing, id: 77, version: 12 };
            assert_eq!(Evaluated::of_words(evaluated.words()), Some(evaluated));
        }
        assert_eq!(Evaluated::of_words([0, 0]), None);
        assert_eq!(Evaluated::of_words([u64::MAX, 0]), None);
    }
}
