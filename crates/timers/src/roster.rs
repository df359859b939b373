//! The live timers, by name, by id and by their next instant.

use std::collections::{BTreeSet, HashMap};

use attune_executor::rules::RuleBook;
use chrono::{DateTime, Utc};

use crate::live::Live;
use crate::rules::{self, Name};

/// All live timers.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    timers: HashMap<i64, Live>,
    ids: HashMap<Name, i64>,
    /// The next instant of each timer that has one.
    agenda: BTreeSet<(DateTime<Utc>, i64)>,
}

impl Roster {
    pub(crate) fn len(&self) -> usize {
        self.timers.len()
    }

    pub(crate) fn get(&self, id: i64) -> Option<&Live> {
        self.timers.get(&id)
    }

    /// The one of this name.
    pub(crate) fn find(&self, name: &Name) -> Option<i64> {
        self.ids.get(name).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Live> {
        self.timers.values()
    }

    pub(crate) fn add(&mut self, timer: Live) {
        self.agenda.extend(timer.next().map(|next| (next, timer.id)));
        self.ids.insert(timer.name.clone(), timer.id);
        self.timers.insert(timer.id, timer);
    }

    pub(crate) fn remove(&mut self, id: i64) {
        if let Some(timer) = self.timers.remove(&id) {
            self.ids.remove(&timer.name);
            self.strike(timer.next(), id);
        }
    }

    /// The earliest instant that is waited for.
    pub(crate) fn next(&self) -> Option<DateTime<Utc>> {
        self.agenda.first().map(|(instant, _)| *instant)
    }

    /// Whose instant has come, the earliest first. They stay due until [`Self::go_on`].
    pub(crate) fn due(&self, now: DateTime<Utc>) -> Vec<i64> {
        self.agenda.range(..=(now, i64::MAX)).map(|(_, id)| *id).collect()
    }

    /// Every instant of this timer until `done` was fired or counted, here or by another service.
    pub(crate) fn go_on(&mut self, book: &RuleBook, id: i64, done: DateTime<Utc>) {
        let Some(timer) = self.timers.get_mut(&id) else { return };
        let (before, _note) = (timer.next(), rules::note(book, &timer.name));
        timer.go_on(done);
        if timer.next() != before {
            self.agenda.extend(timer.next().map(|next| (next, id)));
            self.strike(before, id);
        }
    }

    /// The clock went back: all count from here.
    pub(crate) fn rewind(&mut self, book: &RuleBook, now: DateTime<Utc>) {
        for timer in self.timers.values_mut() {
            let _note = rules::note(book, &timer.name);
            timer.rewind(now);
        }
        self.agenda = self.timers.values().filter_map(|it| Some((it.next()?, it.id))).collect();
    }

    fn strike(&mut self, next: Option<DateTime<Utc>>, id: i64) {
        if let Some(next) = next {
            self.agenda.remove(&(next, id));
        }
    }
}
