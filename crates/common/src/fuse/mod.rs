//! The fuse: what was being evaluated when a process died is known to the next one, and the second time it is put aside.
//!
//! Whatever an author or operator wrote and this process evaluates itself is noted before and forgotten after, in a page that
//! outlives the process ([`page`]). A note costs two stores into memory. At a start, `Remains` (attune-process) are what dead processes noted;
//! the table `fuse` counts them, and its rows put things aside.
//!
//! # What counts as a death
//! - **An abort** counts for what the aborting thread evaluated. Rust aborts when memory cannot be had or a stack is full.
//! - **A kill** says nothing of its cause, and neither does an abort of a thread that evaluates nothing: the kernel kills for
//!   want of memory, a watchdog because nothing answers any more, and sometimes it is chance. So it counts for whatever was under
//!   way, but a second one only when that came not to its end in between, which what is evaluated all the time does. A thing is
//!   evaluated in several ways ([`Part`]), and each speaks for itself: a rule that was compiled again may still kill when it is
//!   rendered.
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
    Pack = 5,
}

impl Thing {
    const ALL: [Self; 5] = [Self::Trigger, Self::Sensor, Self::Action, Self::Rule, Self::Pack];

    /// The table's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Sensor => "sensor",
            Self::Action => "action",
            Self::Rule => "rule",
            Self::Pack => "pack",
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

/// What of a thing is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// All that it says, when it is read.
    Whole = 0,
    /// Something that its schema is about.
    Check = 1,
    /// Its conditions.
    Match = 2,
    /// Its parameters.
    Render = 3,
    /// The instants of its timer.
    Instants = 4,
    /// What of it may be shown.
    Mask = 5,
}

impl Part {
    const ALL: [Self; 6] = [Self::Whole, Self::Check, Self::Match, Self::Render, Self::Instants, Self::Mask];

    /// As the column has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Check => "check",
            Self::Match => "match",
            Self::Render => "render",
            Self::Instants => "instants",
            Self::Mask => "mask",
        }
    }

    /// By the column's name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    fn of_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|it| *it as u64 == number)
    }
}

/// A part of one version of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Evaluated {
    /// What it is.
    pub thing: Thing,
    /// What of it.
    pub part: Part,
    /// Its id.
    pub id: i64,
    /// Its `config_version`.
    pub version: i64,
}

/// The bits of the noun and of the part in the first of the two words.
const NOUN_SHIFT: u32 = 60;
const PART_SHIFT: u32 = 56;
const PARTS: u64 = 0xf;

impl Evaluated {
    /// As two words, the first of which is never 0.
    fn words(self) -> [u64; 2] {
        let id = self.id.unsigned_abs() & ((1 << PART_SHIFT) - 1);
        let what = ((self.thing as u64) << NOUN_SHIFT) | ((self.part as u64) << PART_SHIFT);
        [what | id, self.version.unsigned_abs()]
    }

    fn of_words([first, second]: [u64; 2]) -> Option<Self> {
        let thing = Thing::of_number(first >> NOUN_SHIFT)?;
        let part = Part::of_number((first >> PART_SHIFT) & PARTS)?;
        let id = i64::try_from(first & ((1 << PART_SHIFT) - 1)).ok()?;
        Some(Self { thing, part, id, version: i64::try_from(second).ok()? })
    }

    /// Whether both are about the same version of the same thing.
    fn is_of_same(&self, other: &Self) -> bool {
        Self { part: self.part, ..*other } == *self
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
        for (thing, part) in Thing::ALL.into_iter().flat_map(|thing| Part::ALL.map(|part| (thing, part))) {
            let evaluated = Evaluated { thing, part, id: 77, version: 12 };
            assert_eq!(Evaluated::of_words(evaluated.words()), Some(evaluated));
            assert_eq!(Part::of_name(part.name()), Some(part));
        }
        assert_eq!(Evaluated::of_words([0, 0]), None);
        assert_eq!(Evaluated::of_words([u64::MAX, 0]), None);
    }
}
