//! Stopping a run: its whole tree of processes, politely first.
//!
//! Every process that belongs to the run is asked to end (SIGTERM, and SIGCONT for those that are stopped). Those that
//! appear meanwhile are asked as well. When the grace is over all are ended (SIGKILL), again and again until a look at
//! all processes finds none. A process that has left the session, its ancestors and its environment all behind is not
//! found; with control groups it is.
//!
//! Rounds of looking are timed by the loop, closer at first and then further apart.

use std::collections::BTreeSet;

use rustix::process::Signal;

use super::process::{ProcessId, Snapshot, Tree, signal};
use crate::model::{BootInstant, Duration};

/// The time between the first two rounds; it doubles up to [`PAUSE_MAX`].
pub(super) const PAUSE_MIN: Duration = Duration::from_millis(10);
/// The time between two rounds at most.
pub(super) const PAUSE_MAX: Duration = Duration::from_millis(400);

/// A run that is being stopped.
#[derive(Debug)]
pub(super) struct Stopping {
    tree: Tree,
    /// When patience ends.
    deadline: BootInstant,
    /// Every process ever found to be of the run: a parent that ends must not hide its children.
    known: BTreeSet<ProcessId>,
    /// Those asked to end.
    asked: BTreeSet<ProcessId>,
}

impl Stopping {
    pub(super) fn new(tree: Tree, deadline: BootInstant) -> Self {
        Self { tree, deadline, known: BTreeSet::new(), asked: BTreeSet::new() }
    }

    /// Another request to stop, perhaps a less patient one.
    pub(super) fn hurry(&mut self, deadline: BootInstant) {
        self.deadline = self.deadline.min(deadline);
    }

    /// When patience ends.
    pub(super) const fn deadline(&self) -> BootInstant {
        self.deadline
    }

    /// The root's first tick: no process of the tree is older.
    pub(super) const fn since_ticks(&self) -> u64 {
        self.tree.root.start_ticks
    }

    /// Looks and signals once; whether nobody is left. `grouped` are the processes of its control group.
    pub(super) fn round(
        &mut self,
        now: BootInstant,
        snapshot: &Snapshot,
        grouped: impl IntoIterator<Item = ProcessId>,
    ) -> Round {
        let mut members = snapshot.members(&self.tree, &self.known);
        members.extend(grouped);
        self.known.extend(&members);
        if members.is_empty() {
            return Round::NobodyLeft;
        }
        if now >= self.deadline {
            for &member in &members {
                signal(member, Signal::KILL);
            }
            return Round::Ended;
        }
        for &member in &members {
            if self.asked.insert(member) {
                signal(member, Signal::TERM);
                // A stopped process gets nothing but this and SIGKILL.
                signal(member, Signal::CONT);
            }
        }
        Round::Asked
    }
}

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Round {
    /// There are processes, and they were asked to end.
    Asked,
    /// There were processes, and they were ended.
    Ended,
    /// There are none.
    NobodyLeft,
}
