//! What was put into the source, and what came of it. Each item has a name that nothing else has, and came through when its
//! name stands in an event that is stored, or in the bytes of one that was set aside, which an operator can see.

use std::collections::HashMap;

/// Begins the name of an item.
const PREFIX: &str = "item-";
/// The digits after that.
const DIGITS: usize = 16;

/// One item.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) name: String,
    /// The round to which its loss would be due; `None`: nobody knows whether it could be seen.
    pub(super) round: Option<usize>,
    /// How often it was put in.
    pub(super) copies: u32,
    /// How often it is stored or set aside.
    pub(super) came: u32,
    pub(super) set_aside: u32,
    /// The round in which it came once too often.
    pub(super) doubled_in: Option<usize>,
}

/// All items, in the order in which they were put in.
#[derive(Debug, Default)]
pub(super) struct Items {
    all: Vec<Item>,
    places: HashMap<String, usize>,
}

impl Item {
    pub(super) fn is_missing(&self) -> bool {
        self.came == 0 && self.round.is_some()
    }
}

impl Items {
    pub(super) fn all(&self) -> &[Item] {
        &self.all
    }

    /// Names the next item; `random` keeps the names of two runs apart.
    pub(super) fn add(&mut self, random: u64, round: Option<usize>) -> String {
        let name = format!("{PREFIX}{:0DIGITS$x}", random.wrapping_add(self.all.len() as u64));
        self.places.insert(name.clone(), self.all.len());
        let item = Item { name: name.clone(), round, copies: 1, came: 0, set_aside: 0, doubled_in: None };
        self.all.push(item);
        name
    }

    /// An item is put in once more.
    pub(super) fn copy(&mut self, name: &str) {
        if let Some(item) = self.places.get(name).and_then(|&place| self.all.get_mut(place)) {
            item.copies += 1;
        }
    }

    /// Whether an item came.
    pub(super) fn has(&self, name: &str) -> bool {
        self.places.get(name).is_some_and(|&place| self.all[place].came > 0)
    }

    /// Items that have not come.
    pub(super) fn missing(&self) -> impl Iterator<Item = &Item> {
        self.all.iter().filter(|item| item.is_missing())
    }

    /// An event with this text is stored, or set aside.
    pub(super) fn see(&mut self, text: &str, is_stored: bool, round: usize) {
        for name in names(text) {
            let Some(item) = self.places.get(name).and_then(|&place| self.all.get_mut(place)) else {
                continue;
            };
            item.came += 1;
            item.set_aside += u32::from(!is_stored);
            if item.came > item.copies {
                item.doubled_in.get_or_insert(round);
            }
        }
    }

    /// What has not come and is not overdue may still be on its way: its loss would be due to the round that begins.
    pub(super) fn carry_over(&mut self, round: usize) {
        let came = self.all.iter().rposition(|item| item.came > 0).map_or(0, |place| place + 1);
        for item in self.all.iter_mut().skip(came).filter(|item| item.is_missing()) {
            item.round = Some(round);
        }
    }
}

/// The names in a text, each once.
fn names(text: &str) -> Vec<&str> {
    let found =
        text.match_indices(PREFIX).filter_map(|(start, _)| text.get(start..start + PREFIX.len() + DIGITS));
    let mut names: Vec<_> = found.collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_comes_once_for_each_event_that_names_it() {
        let mut items = Items::default();
        let (first, second) = (items.add(7, Some(0)), items.add(7, Some(0)));
        items.see(&format!("{first} and again {first}, {second}"), true, 1);
        assert_eq!((items.missing().count(), items.all()[0].came), (0, 1));
        items.copy(&first);
        items.see(&first, false, 2);
        assert_eq!((items.all()[0].doubled_in, items.all()[0].set_aside), (None, 1));
        items.see(&first, true, 3);
        assert_eq!(items.all()[0].doubled_in, Some(3));
    }

    #[test]
    fn half_a_name_is_none() {
        let mut items = Items::default();
        let name = items.add(7, Some(0));
        items.see(&name[..name.len() - 1], true, 0);
        assert!(!items.has(&name) && items.missing().count() == 1);
    }

    #[test]
    fn only_what_may_be_on_its_way_is_carried_over() {
        let mut items = Items::default();
        let names: Vec<_> = (0..3).map(|_| items.add(7, Some(0))).collect();
        items.see(&names[1], true, 0);
        items.carry_over(1);
        assert_eq!([0, 2].map(|place: usize| items.all()[place].round), [Some(0), Some(1)]);
    }
}
