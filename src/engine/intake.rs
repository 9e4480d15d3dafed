//! What comes to one job: another run, or a record of why there is none.
//!
//! Occurrences, finished rounds of parents and people's wishes all end up here. Knows what the job's live runs leave
//! room for (`overlap`), and nothing of why something comes.

use crate::model::{
    EnvVar, Intervention, Job, Overlap, Progress, Run, RunId, RunState, StopReason, Stretch,
    Timestamp, Trigger, Verdict, limits,
};

use super::alert::Unmet;
use super::decision::Change;
use super::due::start_deadline;
use super::entry::JobEntry;
use super::transition::{Happening, Move, RunStanding, moved};
use super::{Step, status};

pub(super) const DISABLED: &str = "the job was disabled";

/// What is only planned is run by another scheduler.
pub(super) const SHADOW: &str = "the job is only planned here (shadow)";

const SUPERSEDED: &str = "it had not started when a later run took its place (overlap: replace)";
const OVERLAPPED: &str = "an earlier run of the job was still going (overlap: skip)";
const QUEUE_FULL: &str = "an earlier run of the job was still going and as many as may wait were waiting \
                          (overlap: queue)";
const TOO_MANY: &str = "as many runs of the job as may be live at once were live (overlap: allow)";

/// One job while a step decides what comes to it. What it decides shows in the step at once, but progress, which the
/// owner stores when it is done.
pub(super) struct Intake<'a> {
    pub(super) entry: &'a JobEntry,
    pub(super) progress: Progress,
}

/// A run to be recorded.
pub(super) struct New {
    pub(super) trigger: Trigger,
    pub(super) causes: Vec<RunId>,
    pub(super) arguments: Option<String>,
    pub(super) environment: Vec<EnvVar>,
    pub(super) by: Option<Intervention>,
    pub(super) retries_down: bool,
}

impl New {
    /// With nothing that a trigger does not say.
    pub(super) const fn of(trigger: Trigger) -> Self {
        Self {
            trigger,
            causes: Vec::new(),
            arguments: None,
            environment: Vec::new(),
            by: None,
            retries_down: false,
        }
    }
}

/// What the live runs of a job leave room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// A run may be placed at once.
    Now,
    /// A run has to wait until others are over.
    Later,
    /// There is none, for this reason.
    None(&'static str),
}

impl<'a> Intake<'a> {
    pub(super) fn new(step: &Step<'_>, entry: &'a JobEntry) -> Self {
        Self { entry, progress: step.progress(entry) }
    }

    /// Stores the progress, if it is another than before.
    pub(super) fn store(&self, step: &mut Step<'_>) {
        if self.progress != step.progress(self.entry) {
            step.store_progress(self.entry.incarnation, self.progress.clone());
        }
    }

    /// Why nothing that comes now can become a run, if nothing can.
    pub(super) fn blocked(&self, step: &Step<'_>) -> Option<&'static str> {
        match self.room(step) {
            Room::Now | Room::Later => None,
            Room::None(reason) => Some(reason),
        }
    }

    /// Records a run for an occurrence or a round, or that it is skipped because of earlier runs.
    pub(super) fn trigger(&mut self, step: &mut Step<'_>, new: New) {
        let trigger = new.trigger;
        let due_at = trigger.due_at();
        let state = match self.room(step) {
            Room::Now => RunState::Pending {
                deadline: start_deadline(&trigger, self.entry.job.epsilon.span),
            },
            Room::Later => RunState::Queued,
            Room::None(reason) => {
                self.tell_unmet(step, reason, due_at, due_at, 1);
                return self.record(step, Verdict::Skipped, reason, due_at, due_at, 1);
            }
        };
        self.supersede(step);
        self.add(step, state, new);
    }

    /// Has people hear of occurrences that come to nothing because of earlier runs.
    pub(super) fn tell_unmet(
        &self,
        step: &mut Step<'_>,
        reason: &str,
        first: Timestamp,
        last: Timestamp,
        count: u64,
    ) {
        let (incarnation, reason) = (self.entry.incarnation, reason.to_owned());
        step.unmet.push(Unmet { incarnation, first, last, count, reason });
    }

    /// Records a run for an occurrence that was missed, after those that are live already.
    pub(super) fn queue(&mut self, step: &mut Step<'_>, trigger: Trigger) {
        let state = if has_place(step, self.entry, &self.entry.job) {
            RunState::Pending { deadline: None }
        } else {
            RunState::Queued
        };
        self.add(step, state, New::of(trigger));
    }

    /// Records a run that somebody asked for. It is never dropped: where it has no room, it waits.
    pub(super) fn ask(&mut self, step: &mut Step<'_>, new: New) -> RunId {
        let state = match self.room(step) {
            Room::Now => RunState::Pending { deadline: None },
            Room::Later | Room::None(_) => RunState::Queued,
        };
        self.supersede(step);
        self.add(step, state, new)
    }

    fn room(&self, step: &Step<'_>) -> Room {
        let live = step.live_runs(self.entry.incarnation);
        let queued = live.iter().filter(|run| run.state == RunState::Queued).count();
        match self.entry.job.overlap {
            _ if live.len() >= limits::LIVE_RUNS_PER_JOB_MAX => Room::None(TOO_MANY),
            Overlap::Skip | Overlap::Queue { .. } | Overlap::Replace if live.is_empty() => {
                Room::Now
            }
            Overlap::Skip => Room::None(OVERLAPPED),
            Overlap::Queue { max } if queued < usize_of(max) => Room::Later,
            Overlap::Queue { .. } => Room::None(QUEUE_FULL),
            // What waits gives way at once, what runs when it has been stopped.
            Overlap::Replace if live.iter().all(|run| run.live_attempt().is_none()) => Room::Now,
            Overlap::Replace => Room::Later,
            Overlap::Allow { max } if live.len() < max.map_or(usize::MAX, usize_of) => Room::Now,
            Overlap::Allow { .. } => Room::None(TOO_MANY),
        }
    }

    /// Makes the live runs of a job that replaces give way.
    fn supersede(&self, step: &mut Step<'_>) {
        if self.entry.job.overlap != Overlap::Replace {
            return;
        }
        let live: Vec<Run> = step.live_runs(self.entry.incarnation).into_iter().cloned().collect();
        for run in live {
            status::stop(step, &run, StopReason::Superseded, SUPERSEDED);
        }
    }

    /// Records a run.
    pub(super) fn add(&mut self, step: &mut Step<'_>, state: RunState, new: New) -> RunId {
        let New { trigger, causes, arguments, environment, by, retries_down } = new;
        let name = &self.entry.job.name;
        let incarnation = self.entry.incarnation;
        // What does not stand for an occurrence is named by the instant at which it was recorded.
        let at = match trigger {
            Trigger::Schedule { due_at, .. } | Trigger::CatchUp { due_at } => due_at,
            Trigger::Parents { at, .. }
            | Trigger::Manual { at, .. }
            | Trigger::Retry { at, .. }
            | Trigger::Backfill { at, .. } => at,
        };
        let task_millis = step.take_task_millis(name, at);
        let id = match trigger {
            Trigger::Schedule { .. } | Trigger::CatchUp { .. } => RunId::scheduled(incarnation, at),
            Trigger::Parents { .. } => RunId::parents(incarnation, task_millis),
            Trigger::Manual { .. } => RunId::manual(incarnation, task_millis),
            Trigger::Retry { .. } => RunId::retried(incarnation, task_millis),
            Trigger::Backfill { .. } => RunId::backfill(incarnation, task_millis),
        };
        match trigger {
            // The next that becomes no run is not next to those before this one.
            Trigger::Schedule { .. } | Trigger::CatchUp { .. } | Trigger::Parents { .. } => {
                self.progress.stretch = None;
            }
            Trigger::Manual { .. } | Trigger::Retry { .. } | Trigger::Backfill { .. } => {}
        }
        let sequence = step.next_sequence();
        let start_deadline = match state {
            RunState::Pending { deadline } => deadline,
            RunState::Queued
            | RunState::Active
            | RunState::Waiting { .. }
            | RunState::Reporting { .. }
            | RunState::Ended { .. } => None,
        };
        step.store_run(Run {
            id,
            sequence,
            job: name.clone(),
            trigger,
            task_millis,
            arguments,
            environment,
            by: by.map(Box::new),
            retries_down,
            stopped_by: None,
            causes,
            created_at: step.now.wall,
            start_deadline,
            wanted_at: step.now.wall,
            state,
            attempts: Vec::new(),
        });
        id
    }

    /// Records occurrences or rounds that become no run: extends the open stretch if it goes on with the same reason, or
    /// begins one.
    pub(super) fn record(
        &mut self,
        step: &mut Step<'_>,
        verdict: Verdict,
        reason: &str,
        first: Timestamp,
        last: Timestamp,
        count: u64,
    ) {
        let open = self
            .progress
            .stretch
            .take()
            .filter(|stretch| stretch.verdict == verdict && stretch.reason == reason);
        let name = &self.entry.job.name;
        let stretch = match open {
            Some(open) => Stretch {
                // Rounds need not be finished in the order in which they are due.
                first_due_at: open.first_due_at.min(first),
                last_due_at: open.last_due_at.max(last),
                count: open.count.saturating_add(count),
                decided_at: step.now.wall,
                ..open
            },
            None => Stretch {
                sequence: step.next_sequence(),
                incarnation: self.entry.incarnation,
                job: name.clone(),
                verdict,
                reason: reason.to_owned(),
                first_due_at: first,
                last_due_at: last,
                count,
                decided_at: step.now.wall,
            },
        };
        let verdict = verdict.as_str();
        step.note(
            name,
            if count == 1 {
                format!("due {last:.3}, {verdict}: {reason}")
            } else {
                format!("{count} due {first:.3} to {last:.3}, {verdict}: {reason}")
            },
        );
        step.change(Change::StretchStored(stretch.clone()));
        self.progress.stretch = Some(stretch);
    }
}

/// Lets queued runs of a job move on, oldest first, as long as `job`, its definition from now on, has a place for them.
pub(super) fn advance(step: &mut Step<'_>, entry: &JobEntry, job: &Job) {
    loop {
        if !has_place(step, entry, job) {
            return;
        }
        let live = step.live_runs(entry.incarnation);
        let moves = |run: &&Run| {
            let standing = RunStanding::of(run);
            standing.is_some_and(|it| moved(it, Happening::RoomMade) == Move::Pending)
        };
        let Some(next) = live.into_iter().find(moves) else { return };
        let mut next = next.clone();
        next.start_deadline = None;
        next.state = RunState::Pending { deadline: None };
        step.store_run(next);
    }
}

/// Whether another run of the job need not wait for those that do not wait themselves.
fn has_place(step: &Step<'_>, entry: &JobEntry, job: &Job) -> bool {
    let live = step.live_runs(entry.incarnation);
    let ahead = live.iter().filter(|run| run.state != RunState::Queued).count();
    ahead < places(job)
}

/// How many runs of a job may be live beside those that are queued.
pub(super) fn places(job: &Job) -> usize {
    match job.overlap {
        Overlap::Skip | Overlap::Queue { .. } | Overlap::Replace => 1,
        Overlap::Allow { max } => max.map_or(usize::MAX, usize_of),
    }
}

fn usize_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
