//! What a new keeper makes of its predecessor's journal.
//!
//! | claimed, not ended, and | is |
//! |---|---|
//! | of another boot or process id namespace | in doubt |
//! | its process lives | running, and in doubt when it ends: only a parent learns an exit status |
//! | its process does not live | in doubt |
//! | no process recorded, one with its marks lives | running, likewise |
//! | no process recorded, none found | in doubt: its start and its keeper's end fell together |
//!
//! None of them is ever started again.

use super::journal::{Claim, Entry, Started};
use super::process::{Marks, ProcessId, Snapshot, Stat};
use crate::launcher::local::layout::Layout;
use crate::model::RunId;

/// What is left of a claim without an end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// A process that lives.
    Living(Living),
    /// Nothing; why it is in doubt.
    Doubt(String),
}

/// A process that an earlier keeper started.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Living {
    pub(super) run_id: RunId,
    pub(super) attempt: u32,
    pub(super) started: Started,
}

/// Judges what is left of claims.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    pub(super) layout: &'a Layout,
    pub(super) boot: &'a str,
    pub(super) pid_namespace: u64,
}

impl Judge<'_> {
    /// What is left of `entry`, which has no end.
    pub(super) fn judge(&self, entry: &Entry) -> Left {
        let doubt = |reason: &str| Left::Doubt(reason.to_owned());
        let Some(claim) = &entry.claim else {
            return doubt("the keeper's journal is damaged: only a part of what it said is left");
        };
        if claim.boot != self.boot {
            return doubt("the machine was restarted while it ran; how far it came is not known");
        }
        if claim.pid_namespace != self.pid_namespace {
            return doubt("its container was restarted while it ran; how far it came is not known");
        }
        let Some(run_id) = RunId::parse(&claim.run_id) else {
            return doubt("the keeper's journal names no run for it");
        };
        let living = |started| Left::Living(Living { run_id, attempt: claim.attempt, started });
        match entry.started {
            Some(started) => {
                let Started { pid, start_ticks, started_at_us: _ } = started;
                match Stat::of_living(ProcessId { pid, start_ticks }) {
                    Some(_) => living(started),
                    None => doubt(super::ENDED_UNSEEN),
                }
            }
            None => self.find(run_id, claim).map_or_else(
                || {
                    doubt(
                        "its keeper ended just as it was to start; whether it started is not known",
                    )
                },
                living,
            ),
        }
    }

    fn find(&self, run_id: RunId, claim: &Claim) -> Option<Started> {
        let directory = self.layout.attempt(run_id, claim.attempt);
        let marks = Marks::new(&claim.run_id, claim.attempt, &directory);
        let ProcessId { pid, start_ticks } = Snapshot::take(0).ok()?.leader(&marks)?;
        Some(Started { pid, start_ticks, started_at_us: claim.claimed_at_us })
    }
}
