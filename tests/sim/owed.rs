//! What the schedules of a job owed, found by walking, from its definitions and their acceptance alone.
//!
//! Definitions follow one another: the old one owes what has come by the acceptance of the new one, which owes nothing
//! that is due before the last decided occurrence. How starts are spread is not known here, so of an occurrence that was
//! due just before its job was replaced it is not known either whose it was, or whether it was anybody's. As long as a
//! job has parents it owes none.

use std::collections::BTreeMap;

use chronode::model::{Incarnation, Timestamp};

use super::record::Record;
use super::rule::Occurrence;

/// What one life of a job owed by the end, in milliseconds.
#[derive(Default)]
pub(crate) struct Owed {
    /// By what they are due.
    pub(crate) surely: BTreeMap<i64, Obligation>,
    pub(crate) perhaps: BTreeMap<i64, Obligation>,
}

/// One occurrence of one definition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Obligation {
    /// The last instant at which it may have come.
    pub(crate) opens_by: i64,
}

/// `ends_at` is the wall clock at the end.
pub(crate) fn owed(record: &Record, ends_at: Timestamp, life: Incarnation) -> Owed {
    let versions = &record.in_force[&life];
    let mut owed = Owed::default();
    // Everything up to here is decided: at least, and at most.
    let (mut least, mut most) = (i64::MIN, i64::MIN);
    for (index, in_force) in versions.iter().enumerate() {
        let spec = &record.specs[&in_force.version];
        let accepted_at = in_force.accepted_at.as_millisecond();
        let Some(terms) = in_force.way.terms() else { continue };
        let replaced_at = versions.get(index + 1).map(|next| next.accepted_at);
        let until = replaced_at.or_else(|| record.removed.get(&life).copied());
        // Nobody asks a disabled job, so what it skips is recorded when it is replaced or deleted. Until it was disabled
        // it owed what was decided by then, as it says itself.
        let until = match until {
            Some(until) => until,
            // Or when an operator asks something about it.
            None if spec.disabled && !record.intervened.contains(&life) => return owed,
            // In a pause, when it ends.
            None if spec.disabled || in_force.is_disabled || record.pauses.hold(life) => {
                record.decided_through[&life]
            }
            None => ends_at,
        };
        let until = until.as_millisecond();
        // In microseconds, rounded up to the next millisecond: whatever opens from then on is still open at the
        // acceptance. What a deleted parent leaves goes on where it has got to.
        let epsilon = if in_force.is_inherited { 0 } else { spec.epsilon };
        let from = in_force.accepted_at.as_microsecond() - epsilon;
        let from = -(-from).div_euclid(1_000);
        let mut occurrences = terms.occurrences(from - terms.jitter, until);
        occurrences.retain(|occurrence| occurrence.opens_by >= from);
        if in_force.is_inherited {
            // How far it had got is not known here.
            (least, most) = (i64::MIN, most.max(accepted_at));
        }
        let (decided_least, decided_most) = (least, most);
        // An acceptance decides everything before its first window, but not what may still wait for its jitter.
        if !in_force.is_inherited {
            let waiting =
                occurrences.iter().map(|occurrence| occurrence.due).find(|due| *due < from);
            least = least.max(waiting.unwrap_or(from) - 1);
            most = most.max(from - 1);
        }
        for Occurrence { due, opens_by } in occurrences {
            if due <= decided_least {
                continue;
            }
            let obligation = Obligation { opens_by };
            if due >= from && due > decided_most && opens_by <= until {
                owed.surely.insert(due, obligation);
                least = least.max(due);
            } else {
                owed.perhaps.insert(due, obligation);
            }
            most = most.max(due);
        }
    }
    owed
}
