//! What operators do to the jobs and runs in memory: the engine decides it.

use std::collections::BTreeSet;

use super::{Memory, World, at};
use crate::api::{BacklogPage, BacklogWanted, Operations, Pauses, Timetable, waiting_jobs};
use crate::engine::{Change, Decision, Effect, Event, Reply, Request, RequestId, step};
use crate::model::{Backfill, BackfillId, BootInstant, Duration, HistoryEntry, JobName, Now};

impl World {
    /// Has the engine decide a request, and keeps what operators can see of its changes.
    pub(super) fn operate(&mut self, request: Request) -> Reply {
        let mut state = self.state();
        let now =
            Now { wall: at("2030-01-01T00:00:00Z"), boot: BootInstant(Duration::from_secs(100)) };
        let event = Event::Request { id: RequestId(1), request };
        loop {
            let Decision { changes, effects, notes: _, is_postponed } = step(&state, now, &event);
            for change in &changes {
                state.apply(change);
                self.keep(change);
            }
            let reply = effects.into_iter().find_map(|effect| match effect {
                Effect::Reply(_, reply) => Some(reply),
                Effect::Launch(_)
                | Effect::Kill { .. }
                | Effect::Reconcile(_)
                | Effect::Acknowledge(_)
                | Effect::Release(_)
                | Effect::Demand(_) => None,
            });
            match reply {
                Some(reply) => {
                    self.has_clock_jumped = state.clock().doubt().is_some();
                    return reply;
                }
                None => assert!(is_postponed, "no answer"),
            }
        }
    }

    fn keep(&mut self, change: &Change) {
        if let Change::RunStored(run) = change {
            let run = HistoryEntry::Run(run.as_ref().clone());
            self.history.retain(|entry| entry.sequence() != run.sequence());
            self.history.push(run);
        }
        if let Change::Intervened { incarnation, interventions } = change {
            let place = usize::try_from(incarnation.0).unwrap() - 1;
            let record = self.jobs.values_mut().nth(place).unwrap();
            record.interventions = interventions.clone();
        }
        if let Change::TaskMillisUsed { name, millis } = change {
            self.task_marks.insert(name.clone(), *millis);
        }
        if let Change::EverythingPaused(pause) = change {
            self.paused.clone_from(pause);
        }
        if let Change::Alerted(change) = change {
            self.told.push(change.clone());
        }
        if let Change::BackfillStored(backfill) = change {
            self.backfills.insert(backfill.id, backfill.as_ref().clone());
        }
    }
}

impl Operations for Memory {
    fn pauses(&self) -> Pauses {
        Pauses::of(&self.world().state())
    }

    fn backfills(&self) -> Vec<Backfill> {
        self.world().backfills.values().cloned().collect()
    }

    fn backfill(&self, id: BackfillId) -> Option<Backfill> {
        self.world().backfills.get(&id).cloned()
    }

    fn backlog(&self, wanted: &BacklogWanted) -> BacklogPage {
        BacklogPage::of(&self.world().state(), at("2030-01-01T00:00:00Z"), wanted)
    }

    fn waiting_jobs(&self) -> BTreeSet<JobName> {
        waiting_jobs(&self.world().state())
    }

    fn timetable(&self, job: &JobName) -> Option<Timetable> {
        Timetable::of(&self.world().state(), job)
    }
}
