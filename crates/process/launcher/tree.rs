//! The tree below the launcher.
//!
//! The launcher is the subreaper of everything that it started, so whoever loses its parent becomes its child: a new
//! session or a double fork hides nobody, and following parents upwards finds every descendant.

use core::ffi::c_int;

use crate::procfs::{self, Process};
use crate::sys::{self, ProcessHandle, SIGCONT, SIGKILL, SIGTERM};
use crate::table::Table;

/// How often one call of `kill` looks again. The launcher must reap in between, or the dead pile up.
const PASSES: usize = 50;

/// The tree and the room that it takes to look at it.
pub(crate) struct Tree {
    root: c_int,
    /// The cgroup that holds all of it, unless somebody has left that.
    group: Option<c_int>,
    all: Table<Process>,
    descendants: Table<Process>,
    /// Who has been told already, in order of number and start.
    told: Table<(c_int, u64)>,
}

impl Tree {
    /// The tree below this process.
    pub(crate) fn new(group: Option<c_int>) -> Self {
        let (root, all, descendants, told) = (sys::process_id(), Table::new(), Table::new(), Table::new());
        Self { root, group, all, descendants, told }
    }

    /// Asks every living descendant to end, unless it was asked before: many take a second request as an order to
    /// drop everything. A stopped process would not see the request before it is continued.
    pub(crate) fn ask(&mut self) {
        self.tell(&[SIGTERM, SIGCONT]);
    }

    /// Has the kernel kill the whole group at once, those too that are just being born or have become another user's.
    /// Then sends SIGKILL to every living descendant, and looks again until nobody is found who had not got it yet. A
    /// process that was killed starts no other, so only a tree that grows faster than it can be looked at needs
    /// another call.
    pub(crate) fn kill(&mut self) {
        if let Some(group) = self.group {
            // The rounds below do without it as well.
            let _ = sys::write_below(group, c"cgroup.kill", b"1");
        }
        self.told.clear();
        for _ in 0..PASSES {
            if self.tell(&[SIGKILL]) == 0 {
                return;
            }
        }
    }

    /// How many descendants are alive.
    pub(crate) fn count(&mut self) -> u32 {
        self.look();
        u32::try_from(self.descendants.iter().filter(|process| !process.ended).count()).unwrap_or(u32::MAX)
    }

    /// Sends the signals, in order, to the living descendants that have not been told yet; how many these were.
    fn tell(&mut self, signals: &[c_int]) -> usize {
        self.look();
        let known = self.told.len();
        for process in self.descendants.iter().filter(|process| !process.ended) {
            let name = (process.pid, process.started);
            if self.told[..known].binary_search(&name).is_err() {
                signal(process, signals);
                self.told.push(name);
            }
        }
        let new = self.told.len() - known;
        self.told.sort_unstable();
        new
    }

    /// Finds the descendants: all processes in the order of their parents, so that the children of each known member
    /// are one stretch, from the launcher's own downwards.
    fn look(&mut self) {
        self.all.clear();
        self.descendants.clear();
        procfs::for_each(|process| self.all.push(process));
        self.all.sort_unstable_by_key(|process| process.parent);
        self.add_children_of(self.root);
        let mut next = 0;
        while let Some(process) = self.descendants.get(next) {
            self.add_children_of(process.pid);
            next += 1;
        }
    }

    fn add_children_of(&mut self, parent: c_int) {
        let first = self.all.partition_point(|process| process.parent < parent);
        for process in self.all[first..].iter().take_while(|process| process.parent == parent) {
            self.descendants.push(*process);
        }
    }
}

/// The handle is opened first and the process looked at again after it: then it is the one that was seen.
fn signal(process: &Process, signals: &[c_int]) {
    let Some(handle) = ProcessHandle::open(process.pid) else { return };
    if procfs::look_at(process.pid).is_some_and(|now| now.started == process.started) {
        for number in signals {
            handle.signal(*number);
        }
    }
}
