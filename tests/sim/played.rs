//! How often what the engine can do was asked of it, so that nobody takes simulations for a proof in which it was not.

use std::fmt;
use std::ops::AddAssign;

/// Counts by what was done.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Played {
    /// Runs that parents triggered.
    pub(crate) children: u64,
    pub(crate) skipped_rounds: u64,
    /// Children whose parent was deleted.
    pub(crate) inherited: u64,
    /// Jobs that got parents in place of a schedule, or the other way.
    pub(crate) switched: u64,
    /// Requests refused because of the parents.
    pub(crate) refused: u64,
    /// Questions what a request would be answered, and those of them that the request followed at once.
    pub(crate) dry_runs: u64,
    pub(crate) dry_runs_followed: u64,
    /// Requests made once more under the same key.
    pub(crate) repeats: u64,
    /// What operators asked about jobs and runs.
    pub(crate) interventions: u64,
    /// Runs that counted as succeeded by word of one, and retries of runs from which others followed that borrow.
    pub(crate) marked: u64,
    pub(crate) retries_down: u64,
    /// Pauses of all that follows from a job, and of everything.
    pub(crate) subtrees: u64,
    pub(crate) everything_paused: u64,
    pub(crate) backfills: u64,
    pub(crate) backfills_cancelled: u64,
    /// Runs cut from the backlog.
    pub(crate) cut: u64,
    /// Attempts after a failure, and after a doubt.
    pub(crate) retries: u64,
    pub(crate) relaunches: u64,
    /// Attempts that were seen again after a doubt.
    pub(crate) found_again: u64,
    /// Tasks that were to be stopped when nobody could reach them.
    pub(crate) stopped_unseen: u64,
    pub(crate) lost: u64,
    pub(crate) superseded: u64,
    /// Jobs disabled by their failures.
    pub(crate) disabled: u64,
    /// Runs that waited for room.
    pub(crate) without_room: u64,
    /// Messages that were made, that arrived, and that came once more under the same id; those that were given up.
    pub(crate) messages: u64,
    pub(crate) arrived: u64,
    pub(crate) doubled: u64,
    pub(crate) given_up: u64,
    /// Those that told of much at once.
    pub(crate) digests: u64,
}

impl Played {
    const fn counts(&self) -> [(u64, &'static str); 29] {
        [
            (self.children, "runs triggered by parents"),
            (self.skipped_rounds, "rounds skipped"),
            (self.inherited, "children of deleted jobs"),
            (self.switched, "from a schedule to parents or back"),
            (self.refused, "families refused"),
            (self.dry_runs, "dry runs"),
            (self.dry_runs_followed, "followed by the request"),
            (self.repeats, "requests repeated under their key"),
            (self.interventions, "done by operators"),
            (self.marked, "counted as succeeded"),
            (self.retries_down, "retries that borrow"),
            (self.subtrees, "subtrees paused"),
            (self.everything_paused, "pauses of everything"),
            (self.backfills, "backfills"),
            (self.backfills_cancelled, "of them cancelled"),
            (self.cut, "cut from the backlog"),
            (self.retries, "retries"),
            (self.relaunches, "relaunches"),
            (self.found_again, "found again after a doubt"),
            (self.stopped_unseen, "stopped out of sight"),
            (self.lost, "lost"),
            (self.superseded, "superseded"),
            (self.disabled, "jobs disabled by failures"),
            (self.without_room, "waited for room"),
            (self.messages, "messages"),
            (self.arrived, "of them arrived"),
            (self.doubled, "came once more under the same id"),
            (self.given_up, "refused for good"),
            (self.digests, "were digests"),
        ]
    }

    /// What was never done.
    pub(crate) fn unseen(&self) -> Vec<&'static str> {
        self.counts().into_iter().filter(|(count, _)| *count == 0).map(|(_, what)| what).collect()
    }
}

impl AddAssign for Played {
    fn add_assign(&mut self, other: Self) {
        let Self {
            children,
            skipped_rounds,
            inherited,
            switched,
            refused,
            dry_runs,
            dry_runs_followed,
            repeats,
            interventions,
            marked,
            retries_down,
            subtrees,
            everything_paused,
            backfills,
            backfills_cancelled,
            cut,
            retries,
            relaunches,
            found_again,
            stopped_unseen,
            lost,
            superseded,
            disabled,
            without_room,
            messages,
            arrived,
            doubled,
            given_up,
            digests,
        } = other;
        self.children += children;
        self.skipped_rounds += skipped_rounds;
        self.inherited += inherited;
        self.switched += switched;
        self.refused += refused;
        self.dry_runs += dry_runs;
        self.dry_runs_followed += dry_runs_followed;
        self.repeats += repeats;
        self.interventions += interventions;
        self.marked += marked;
        self.retries_down += retries_down;
        self.subtrees += subtrees;
        self.everything_paused += everything_paused;
        self.backfills += backfills;
        self.backfills_cancelled += backfills_cancelled;
        self.cut += cut;
        self.retries += retries;
        self.relaunches += relaunches;
        self.found_again += found_again;
        self.stopped_unseen += stopped_unseen;
        self.lost += lost;
        self.superseded += superseded;
        self.disabled += disabled;
        self.without_room += without_room;
        self.messages += messages;
        self.arrived += arrived;
        self.doubled += doubled;
        self.given_up += given_up;
        self.digests += digests;
    }
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (count, what)) in self.counts().into_iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{count} {what}")?;
        }
        Ok(())
    }
}
