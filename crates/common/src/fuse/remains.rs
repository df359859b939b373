//! What dead processes noted.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::page::{ABORTED, ALL, MAGIC, SLOT, SLOTS, SUSPECTS, WORDS};
use super::{Evaluated, directory};

/// The page of a dead process. It is there until [`Dead::bury`].
#[derive(Debug)]
pub struct Dead {
    path: PathBuf,
    /// What it died of, as far as its notes say.
    pub deaths: Vec<Death>,
    /// Keeps others from counting the same.
    _file: File,
}

/// One thing that was being evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// What it was.
    pub evaluated: Evaluated,
    /// It was a suspect, and has been evaluated to its end since, so that this is probably chance.
    pub is_chance: bool,
}

/// The pages of all processes that died here. A process that ended in order leaves one as well, which says nothing.
pub fn find(data_dir: &Path) -> io::Result<Vec<Dead>> {
    let entries = match fs::read_dir(directory(data_dir)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    Ok(entries.filter_map(|entry| open(entry.ok()?.path())).collect())
}

/// `None`: its process lives.
fn open(path: PathBuf) -> Option<Dead> {
    let mut file = OpenOptions::new().read(true).write(true).open(&path).ok()?;
    file.try_lock().ok()?;
    let mut bytes = Vec::new();
    file.by_ref().take((WORDS * 8) as u64).read_to_end(&mut bytes).ok()?;
    let words: Vec<u64> = bytes.as_chunks().0.iter().map(|bytes| u64::from_ne_bytes(*bytes)).collect();
    Some(Dead { path, deaths: deaths(&words), _file: file })
}

fn deaths(words: &[u64]) -> Vec<Death> {
    if words.len() != WORDS || words[0] != MAGIC {
        return Vec::new();
    }
    let (aborted, suspects) = (words[ABORTED], read(&words[SUSPECTS..SLOTS], 2));
    let slots = read(&words[SLOTS..], SLOT).into_iter().enumerate();
    let is_known = aborted != 0 && aborted != ALL;
    let guilty = slots.filter(|(slot, _)| !is_known || aborted == *slot as u64 + 1);
    let is_suspect = |evaluated: &Evaluated| suspects.contains(&Some(*evaluated));
    let mut deaths = Vec::<Death>::new();
    for evaluated in guilty.filter_map(|(_, evaluated)| evaluated) {
        let is_chance = !is_known && !is_suspect(&evaluated);
        // Several threads may have been at the same: that is one death all the same.
        match deaths.iter_mut().find(|it| it.evaluated.is_of_same(&evaluated)) {
            Some(same) if same.is_chance => *same = Death { evaluated, is_chance },
            Some(_) => {}
            None => deaths.push(Death { evaluated, is_chance }),
        }
    }
    deaths
}

/// What is noted at the beginning of each `every` words.
fn read(words: &[u64], every: usize) -> Vec<Option<Evaluated>> {
    words.chunks_exact(every).map(|words| Evaluated::of_words([words[0], words[1]])).collect()
}

impl Dead {
    /// Removes the page: its deaths were counted.
    pub fn bury(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Part, Thing};
    use super::*;

    const KILLER: Evaluated = Evaluated { thing: Thing::Rule, part: Part::Render, id: 7, version: 3 };
    const OTHER: Evaluated = Evaluated { thing: Thing::Action, part: Part::Check, id: 8, version: 4 };

    fn page(aborted: u64, suspects: &[Evaluated]) -> Vec<u64> {
        let mut words = vec![0; WORDS];
        (words[0], words[ABORTED]) = (MAGIC, aborted);
        for (slot, evaluated) in [(0, KILLER), (5, OTHER)] {
            words[SLOTS + SLOT * slot..][..2].copy_from_slice(&evaluated.words());
        }
        for (at, suspect) in suspects.iter().enumerate() {
            words[SUSPECTS + 2 * at..][..2].copy_from_slice(&suspect.words());
        }
        words
    }

    fn said(words: &[u64]) -> Vec<(Evaluated, bool)> {
        deaths(words).into_iter().map(|it| (it.evaluated, it.is_chance)).collect()
    }

    #[test]
    fn an_abort_is_of_its_thread() {
        assert_eq!(said(&page(6, &[])), [(OTHER, false)]);
    }

    #[test]
    fn a_death_from_outside_is_chance_for_what_was_evaluated_to_its_end_since() {
        for cause in [0, ALL] {
            assert_eq!(said(&page(cause, &[])), [(KILLER, true), (OTHER, true)]);
            assert_eq!(said(&page(cause, &[KILLER])), [(KILLER, false), (OTHER, true)]);
        }
    }

    #[test]
    fn another_part_of_a_suspect_is_chance_and_many_threads_are_one_death() {
        let matched = Evaluated { part: Part::Match, ..KILLER };
        assert_eq!(said(&page(0, &[matched])), [(KILLER, true), (OTHER, true)]);
        let mut words = page(0, &[KILLER]);
        for slot in [1, 2] {
            words[SLOTS + SLOT * slot..][..2].copy_from_slice(&matched.words());
        }
        assert_eq!(said(&words), [(KILLER, false), (OTHER, true)]);
    }

    #[test]
    fn what_is_no_page_says_nothing() {
        assert_eq!(deaths(&[]), []);
        assert_eq!(deaths(&page(ALL, &[])[1..]), []);
        let mut other = page(ALL, &[]);
        other[0] = 0;
        assert_eq!(deaths(&other), []);
    }
}
