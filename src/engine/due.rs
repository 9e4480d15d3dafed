//! Which occurrences have come, which of them become runs, and what is recorded of those that do not.
//!
//! An occurrence has come when its start window opens: when it is due, or later by its share of the job's jitter. The
//! windows of a job open in the order in which its occurrences are due, so the cursor counts by what is due.
//!
//! Works from schedules and each job's cursor (`decided_through`) alone. Knows nothing of offers: an occurrence that
//! has come becomes a *pending* run and is matched in [`super::place`]. Looks no further than the next occurrence of
//! each job.
//!
//! A job left alone for a year must not come back as a year of runs: occurrences whose start window has closed are
//! counted, not walked, into one record.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::model::{
    CatchUp, Duration, JobName, Overlap, Progress, Run, RunId, RunState, Stretch, Timestamp,
    Trigger, Verdict, limits,
};
use crate::schedule::Schedule;

use super::decision::Change;
use super::entry::{JobEntry, Timing, undecided_start};
use super::{Step, place};

const MISSED: &str = "nobody could decide it before its start window closed: Chronode was down or suspended, \
                      or could not reach its store";
const OVERLAPPED: &str = "an earlier run of the job was still going (overlap: skip)";
const QUEUE_FULL: &str = "an earlier run of the job was still going and as many as may wait were waiting \
                          (overlap: queue)";
const TOO_MANY: &str = "as many runs of the job as may be live at once were live";
const DISABLED: &str = "the job was disabled";

/// Decides every occurrence that has come, up to [`limits::DUE_PER_STEP_MAX`].
pub(super) fn decide(step: &mut Step<'_>) {
    let mut budget = limits::DUE_PER_STEP_MAX;
    let due: Vec<&JobEntry> = step.state.due(step.now.wall).take(budget).collect();
    for entry in due {
        if budget == 0 {
            return;
        }
        let mark = (step.decision.lengths(), step.last_sequence);
        // A job whose decision goes wrong must not stop the others: what it decided so far is taken back, and it is
        // left alone, visibly.
        let outcome =
            catch_unwind(AssertUnwindSafe(|| Settling::new(step, entry).decide(step, &mut budget)));
        if outcome.is_err() {
            step.decision.truncate(mark.0);
            step.last_sequence = mark.1;
            step.change(Change::Quarantined { incarnation: entry.incarnation });
            step.warn(
                Some(&entry.job.name),
                "deciding the job went wrong inside Chronode; it is left alone until it is replaced or Chronode \
                 restarts"
                    .to_owned(),
            );
        }
    }
}

/// Decides every occurrence of one job that has come by now, because the job is about to be another or gone. Returns
/// how far its schedule is decided then, which is also among the changes if that is further than before.
pub(super) fn settle(step: &mut Step<'_>, entry: &JobEntry) -> Progress {
    // To decide it is what went wrong before; its replacement must not depend on that.
    if entry.is_quarantined {
        return entry.progress.clone();
    }
    let mut settling = Settling::new(step, entry);
    // Long stretches are counted in parts.
    loop {
        let decided_before = settling.progress.decided_through;
        settling.decide(step, &mut usize::MAX.clone());
        if settling.progress.decided_through == decided_before {
            return settling.progress;
        }
    }
}

/// The runs of a job that the next occurrence may meet, those of this step included.
struct Live {
    all: usize,
    queued: usize,
}

impl Live {
    fn of(step: &Step<'_>, entry: &JobEntry) -> Self {
        let mut live = Self { all: 0, queued: 0 };
        for run in step.state.live_runs(entry.incarnation) {
            live.all += 1;
            live.queued += usize::from(run.state == RunState::Queued);
        }
        live
    }
}

struct Settling<'a> {
    entry: &'a JobEntry,
    progress: Progress,
    live: Live,
}

impl<'a> Settling<'a> {
    fn new(step: &Step<'_>, entry: &'a JobEntry) -> Self {
        Self { entry, progress: entry.progress.clone(), live: Live::of(step, entry) }
    }

    /// Decides occurrences that have come by now, spending at most `budget` on those that become runs.
    fn decide(&mut self, step: &mut Step<'_>, budget: &mut usize) {
        #[cfg(test)]
        assert_ne!(self.entry.job.name.as_str(), super::tests::PANICS_WHEN_DECIDED);
        let Timing::Schedule(schedule) = &self.entry.timing else { return };
        let decided_before = self.progress.decided_through;
        if schedule.is_at_boot() {
            self.decide_start(step, budget);
        } else if self.entry.job.disabled {
            self.skip_disabled(step, schedule);
        } else if self.miss_closed(step, schedule) {
            self.decide_open(step, schedule, budget);
        }
        if self.progress.decided_through != decided_before {
            step.change(Change::Progressed {
                incarnation: self.entry.incarnation,
                progress: self.progress.clone(),
            });
        }
    }

    /// Turns the present start of the machine into a run, or skips it, if it is not decided yet.
    fn decide_start(&mut self, step: &mut Step<'_>, budget: &mut usize) {
        let Some(start) = undecided_start(&step.state.settings, &self.progress) else { return };
        let due_at = start.due_at;
        if self.entry.job.disabled {
            self.record(step, Verdict::Skipped, DISABLED, due_at, due_at, 1);
        } else {
            *budget = budget.saturating_sub(1);
            // No start is late: it is decided as soon as anybody can.
            self.trigger(step, Trigger::Schedule { due_at, opens_at: step.now.wall });
        }
        self.progress.decided_through = due_at;
        self.progress.boot_id = Some(start.boot.id.clone());
    }

    /// The occurrences of a disabled job are skipped, once somebody asks: a disabled job wakes nobody.
    fn skip_disabled(&mut self, step: &mut Step<'_>, schedule: &Schedule) {
        let after = self.progress.decided_through;
        let opened = schedule.opened_through(after, step.now.wall);
        if let Some(span) = schedule.stretch(after, opened, limits::STRETCH_PER_STEP_MAX) {
            self.record(step, Verdict::Skipped, DISABLED, span.first, span.last, span.count);
            self.progress.decided_through = span.last;
        }
    }

    /// Records the occurrences whose window has closed undecided. Returns whether it got to the end of them.
    fn miss_closed(&mut self, step: &mut Step<'_>, schedule: &Schedule) -> bool {
        let now = step.now.wall;
        let after = self.progress.decided_through;
        let limit = limits::STRETCH_PER_STEP_MAX;
        let closed_through = closed_through(schedule, self.entry.job.epsilon.span, after, now);
        let Some(span) = schedule.stretch(after, closed_through, limit) else {
            return true;
        };
        let next = schedule.next_after(span.last);
        let is_next_due = next.is_some_and(|due_at| schedule.opens_at(due_at) <= now);
        let catches_up = match self.entry.job.catch_up {
            CatchUp::None => false,
            // An occurrence whose window is open stands for those before it.
            CatchUp::Latest => span.complete && !is_next_due,
        };
        if catches_up {
            let before_last = span.last.saturating_sub(Duration::from_nanos(1));
            let missed =
                before_last.ok().and_then(|through| schedule.stretch(after, through, limit));
            if let Some(missed) = missed {
                let (first, last, count) = (missed.first, missed.last, missed.count);
                self.record(step, Verdict::Missed, MISSED, first, last, count);
            }
            self.trigger(step, Trigger::CatchUp { due_at: span.last });
        } else {
            self.record(step, Verdict::Missed, MISSED, span.first, span.last, span.count);
        }
        self.progress.decided_through = span.last;
        span.complete
    }

    /// Turns the occurrences whose window is open into runs, or skips them.
    fn decide_open(&mut self, step: &mut Step<'_>, schedule: &Schedule, budget: &mut usize) {
        let now = step.now.wall;
        while *budget > 0 {
            let next = schedule.next_after(self.progress.decided_through);
            let Some(due_at) = next else { return };
            let opens_at = schedule.opens_at(due_at);
            if opens_at > now {
                return;
            }
            // Nothing in this step makes room again, so what is left is counted, not walked.
            if let Some(reason) = self.blocked() {
                let after = self.progress.decided_through;
                let limit = limits::STRETCH_PER_STEP_MAX;
                let opened = schedule.opened_through(after, now);
                let Some(span) = schedule.stretch(after, opened, limit) else { return };
                self.record(step, Verdict::Skipped, reason, span.first, span.last, span.count);
                self.progress.decided_through = span.last;
                return;
            }
            *budget -= 1;
            self.trigger(step, Trigger::Schedule { due_at, opens_at });
            self.progress.decided_through = due_at;
        }
    }

    /// Why no further occurrence can become a run as things are, if none can.
    fn blocked(&self) -> Option<&'static str> {
        let Live { all, queued } = self.live;
        match self.entry.job.overlap {
            Overlap::Skip => (all > 0).then_some(OVERLAPPED),
            Overlap::Queue { max } => {
                let is_full = queued >= usize::try_from(max).unwrap_or(usize::MAX);
                (all > 0 && is_full).then_some(QUEUE_FULL)
            }
            Overlap::Allow => (all >= limits::LIVE_RUNS_PER_JOB_MAX).then_some(TOO_MANY),
        }
    }

    /// Records a run for an occurrence, or that it is skipped because of an earlier run.
    fn trigger(&mut self, step: &mut Step<'_>, trigger: Trigger) {
        let due_at = trigger.due_at();
        if let Some(reason) = self.blocked() {
            return self.record(step, Verdict::Skipped, reason, due_at, due_at, 1);
        }
        let state = match self.entry.job.overlap {
            Overlap::Queue { .. } if self.live.all > 0 => {
                self.live.queued += 1;
                RunState::Queued
            }
            Overlap::Skip | Overlap::Queue { .. } | Overlap::Allow => {
                RunState::Pending { deadline: self.start_deadline(&trigger) }
            }
        };
        if matches!(trigger, Trigger::CatchUp { .. }) && state != RunState::Queued {
            place::give_up_older_catch_ups(step, self.entry, due_at);
        }
        self.live.all += 1;
        self.progress.stretch = None;
        let name = &self.entry.job.name;
        let run = Run {
            id: RunId::scheduled(self.entry.incarnation, due_at),
            sequence: step.next_sequence(),
            job: name.clone(),
            trigger,
            task_millis: step.take_task_millis(name, due_at),
            arguments: None,
            created_at: step.now.wall,
            state,
            attempts: Vec::new(),
        };
        step.change(Change::RunStored(Box::new(run)));
    }

    fn start_deadline(&self, trigger: &Trigger) -> Option<Timestamp> {
        start_deadline(trigger, self.entry.job.epsilon.span)
    }

    /// Extends the open stretch if it goes on with the same reason, or begins one.
    fn record(
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
        let name: &JobName = &self.entry.job.name;
        let stretch = match open {
            Some(open) => Stretch {
                last_due_at: last,
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

/// The instant up to which every occurrence after `after` has had its window opened and closed again by `now`.
pub(super) fn closed_through(
    schedule: &Schedule,
    epsilon: Duration,
    after: Timestamp,
    now: Timestamp,
) -> Timestamp {
    // The window is closed at both ends: what opened at or after `now - epsilon` is still inside of it.
    let at = now.saturating_sub(epsilon).and_then(|at| at.checked_sub(Duration::from_nanos(1)));
    schedule.opened_through(after, at.unwrap_or(Timestamp::MIN))
}

/// The last instant at which the first attempt of a run may be decided. Only the schedule's own runs have one.
pub(super) fn start_deadline(trigger: &Trigger, epsilon: Duration) -> Option<Timestamp> {
    match *trigger {
        Trigger::Schedule { opens_at, .. } => {
            Some(opens_at.saturating_add(epsilon).unwrap_or(Timestamp::MAX))
        }
        Trigger::CatchUp { .. } | Trigger::Manual { .. } => None,
    }
}
