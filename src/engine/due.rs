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

use crate::model::{
    CatchUp, Duration, Progress, Run, Shadow, Timestamp, Trigger, Verdict, just_before, limits,
};
use crate::schedule::{Schedule, Span};

use super::entry::{JobEntry, Timing, undecided_start};
use super::intake::{DISABLED, Intake, New, SHADOW};
use super::pause::PAUSED;
use super::{Step, place};

const MISSED: &str = "nobody could decide it before its start window closed: Chronode was down or suspended, \
                      or could not reach its store";

/// Decides every occurrence that has come, up to [`limits::DUE_PER_STEP_MAX`].
pub(super) fn decide(step: &mut Step<'_>) {
    let mut budget = limits::DUE_PER_STEP_MAX;
    let due: Vec<&JobEntry> = step.state.due(step.now.wall).take(budget).collect();
    for entry in due {
        if budget == 0 {
            return;
        }
        step.guarded(entry, |step| Settling::new(step, entry).decide(step, &mut budget));
    }
}

/// Decides the occurrences of one job that have come, or a part of them.
pub(super) fn decide_one(step: &mut Step<'_>, entry: &JobEntry) {
    let mut budget = limits::DUE_PER_STEP_MAX;
    step.guarded(entry, |step| Settling::new(step, entry).decide(step, &mut budget));
}

/// Decides every occurrence of one job that has come by now, because the job is about to be another or gone. Returns
/// its progress then, which is also among the changes if it is further than before.
pub(super) fn settle(step: &mut Step<'_>, entry: &JobEntry) -> Progress {
    // To decide it is what went wrong before; its replacement must not depend on that.
    if entry.is_quarantined {
        return entry.progress.clone();
    }
    let mut settling = Settling::new(step, entry);
    // Long stretches are counted in parts.
    loop {
        let decided_before = settling.intake.progress.decided_through;
        settling.decide(step, &mut usize::MAX.clone());
        if settling.intake.progress.decided_through == decided_before {
            return settling.intake.progress;
        }
    }
}

const SKIPPED_AHEAD: &str = "had it skipped before it came";

struct Settling<'a> {
    entry: &'a JobEntry,
    intake: Intake<'a>,
}

impl<'a> Settling<'a> {
    fn new(step: &Step<'_>, entry: &'a JobEntry) -> Self {
        Self { entry, intake: Intake::new(step, entry) }
    }

    /// Decides occurrences that have come by now, spending at most `budget` on those that become runs.
    fn decide(&mut self, step: &mut Step<'_>, budget: &mut usize) {
        #[cfg(test)]
        assert_ne!(self.entry.job.name.as_str(), super::tests::PANICS_WHEN_DECIDED);
        let Timing::Schedule(schedule) = &self.entry.timing else { return };
        if schedule.is_at_boot() {
            self.decide_start(step, budget);
        } else if self.entry.job.disabled {
            self.skip_disabled(step, schedule);
        } else if self.rest(step, schedule)
            && self.plan_only(step, schedule)
            && self.miss_closed(step, schedule, budget)
        {
            self.decide_open(step, schedule, budget);
        }
        self.intake.store(step);
        self.forget_skips(step);
    }

    /// Records the occurrences that have come while the job was paused. Returns whether those that come after them may be
    /// decided now.
    fn rest(&mut self, step: &mut Step<'_>, schedule: &Schedule) -> bool {
        let Some(pause) = step.pause_of(self.entry) else { return true };
        let is_over = pause.until.is_some_and(|until| until <= step.now.wall);
        let last = pause.until.map_or(Timestamp::MAX, just_before);
        self.leave_out(step, schedule, last, PAUSED) && is_over
    }

    /// Records the occurrences up to `last` that have come and are not to run, for `reason`. Returns whether it got to
    /// the end of them.
    fn leave_out(
        &mut self,
        step: &mut Step<'_>,
        schedule: &Schedule,
        last: Timestamp,
        reason: &str,
    ) -> bool {
        let after = self.intake.progress.decided_through;
        let opened = schedule.opened_through(after, step.now.wall).min(last);
        let Some(span) = schedule.stretch(after, opened, limits::STRETCH_PER_STEP_MAX) else {
            return true;
        };
        self.intake.record(step, Verdict::Skipped, reason, span.first, span.last, span.count);
        self.intake.progress.decided_through = span.last;
        span.complete
    }

    /// Drops what operators wanted skipped and is decided.
    fn forget_skips(&self, step: &mut Step<'_>) {
        let through = self.intake.progress.decided_through;
        let mut interventions = step.interventions(self.entry);
        let before = interventions.skips.len();
        interventions.skips.retain(|skip| skip.due_at > through);
        if interventions.skips.len() != before {
            step.store_interventions(self.entry.incarnation, interventions);
        }
    }

    /// Why an occurrence is not to run, if an operator said so before it came.
    fn skipped_ahead(&self, step: &Step<'_>, due_at: Timestamp) -> Option<String> {
        let skips = step.interventions(self.entry).skips;
        let skip = skips.iter().find(|skip| skip.due_at == due_at)?;
        Some(skip.by.tell(SKIPPED_AHEAD))
    }

    /// Records occurrences that were missed, but for those that were not to run anyway.
    fn record_missed(
        &mut self,
        step: &mut Step<'_>,
        schedule: &Schedule,
        after: Timestamp,
        through: Timestamp,
    ) {
        let mut after = after;
        let limit = limits::STRETCH_PER_STEP_MAX;
        for skip in step.interventions(self.entry).skips {
            if skip.due_at <= after || skip.due_at > through || !schedule.names(skip.due_at) {
                continue;
            }
            if let Some(span) = schedule.stretch(after, just_before(skip.due_at), limit) {
                self.intake.record(
                    step,
                    Verdict::Missed,
                    MISSED,
                    span.first,
                    span.last,
                    span.count,
                );
            }
            let reason = skip.by.tell(SKIPPED_AHEAD);
            self.intake.record(step, Verdict::Skipped, &reason, skip.due_at, skip.due_at, 1);
            after = skip.due_at;
        }
        if let Some(span) = schedule.stretch(after, through, limit) {
            self.intake.record(step, Verdict::Missed, MISSED, span.first, span.last, span.count);
        }
    }

    /// Turns the present start of the machine into a run, or skips it, if it is not decided yet.
    fn decide_start(&mut self, step: &mut Step<'_>, budget: &mut usize) {
        let start = undecided_start(&step.state.settings, &self.intake.progress);
        let Some(start) = start else { return };
        let due_at = start.due_at;
        let boot_id = start.boot.id.clone();
        if self.entry.job.disabled {
            self.intake.record(step, Verdict::Skipped, DISABLED, due_at, due_at, 1);
        } else if step.pause_of(self.entry).is_some() {
            self.intake.record(step, Verdict::Skipped, PAUSED, due_at, due_at, 1);
        } else if self.entry.job.shadow.covers(due_at) {
            self.intake.record(step, Verdict::Skipped, SHADOW, due_at, due_at, 1);
        } else {
            *budget = budget.saturating_sub(1);
            // No start is late: it is decided as soon as anybody can.
            let trigger = Trigger::Schedule { due_at, opens_at: step.now.wall };
            self.intake.trigger(step, New::of(trigger));
        }
        self.intake.progress.decided_through = due_at;
        self.intake.progress.boot_id = Some(boot_id);
    }

    /// The occurrences of a disabled job are skipped, once somebody asks: a disabled job wakes nobody.
    fn skip_disabled(&mut self, step: &mut Step<'_>, schedule: &Schedule) {
        self.leave_out(step, schedule, Timestamp::MAX, DISABLED);
    }

    /// Records the occurrences that have come and are another scheduler's to run. Returns whether those that come after
    /// them are ours, and may be decided now.
    fn plan_only(&mut self, step: &mut Step<'_>, schedule: &Schedule) -> bool {
        let last = match self.entry.job.shadow {
            Shadow::Off => return true,
            Shadow::On => Timestamp::MAX,
            Shadow::Until(until) => just_before(until),
        };
        self.leave_out(step, schedule, last, SHADOW) && self.entry.job.shadow != Shadow::On
    }

    /// Records the occurrences whose window has closed undecided, or runs them late, spending at most `budget` on that.
    /// Returns whether it got to the end of them.
    fn miss_closed(
        &mut self,
        step: &mut Step<'_>,
        schedule: &Schedule,
        budget: &mut usize,
    ) -> bool {
        let now = step.now.wall;
        let after = self.intake.progress.decided_through;
        let limit = limits::STRETCH_PER_STEP_MAX;
        let closed_through = closed_through(schedule, self.entry.job.epsilon.span, after, now);
        let Some(span) = schedule.stretch(after, closed_through, limit) else {
            return true;
        };
        let mut late = self.caught_up(step, schedule, &span, now);
        let missed = match late.first().map(|first| first.saturating_sub(Duration::from_nanos(1))) {
            Some(Ok(through)) => schedule.stretch(after, through, limit),
            Some(Err(_)) => None,
            None => Some(span),
        };
        if let Some(Span { last, .. }) = missed {
            self.record_missed(step, schedule, after, last);
        }
        let has_room = late.len() <= *budget;
        late.truncate(*budget);
        *budget -= late.len();
        for &due_at in &late {
            if let Some(reason) = self.skipped_ahead(step, due_at) {
                self.intake.record(step, Verdict::Skipped, &reason, due_at, due_at, 1);
                continue;
            }
            let trigger = Trigger::CatchUp { due_at };
            match self.entry.job.catch_up {
                CatchUp::None | CatchUp::All { .. } => self.intake.queue(step, trigger),
                CatchUp::Latest => {
                    place::give_up_older_catch_ups(step, self.entry, due_at);
                    self.intake.trigger(step, New::of(trigger));
                }
            }
        }
        if has_room {
            self.intake.progress.decided_through = span.last;
            return span.complete;
        }
        // The rest is found again from here on, and those that are live by then count.
        let through = late.last().copied().or(missed.map(|missed| missed.last));
        self.intake.progress.decided_through = through.unwrap_or(after);
        false
    }

    /// Which of the occurrences in `span`, whose windows have closed, are run late, in order.
    fn caught_up(
        &self,
        step: &Step<'_>,
        schedule: &Schedule,
        span: &Span,
        now: Timestamp,
    ) -> Vec<Timestamp> {
        let after = self.intake.progress.decided_through;
        let max = match self.entry.job.catch_up {
            CatchUp::None => 0,
            CatchUp::Latest => {
                let next = schedule.next_after(span.last);
                // An occurrence whose window is open stands for those before it.
                usize::from(next.is_none_or(|due_at| schedule.opens_at(due_at) > now))
            }
            CatchUp::All { max } => {
                let live = step.live_runs(self.entry.incarnation);
                let late = |run: &&&Run| matches!(run.trigger, Trigger::CatchUp { .. });
                let is_live = live.iter().filter(late).count();
                usize::try_from(max).unwrap_or(usize::MAX).saturating_sub(is_live)
            }
        };
        let mut late = Vec::new();
        let mut last = span.complete.then_some(span.last);
        while let Some(due_at) = last.filter(|at| late.len() < max && *at >= span.first) {
            late.push(due_at);
            let before = due_at.saturating_sub(Duration::from_nanos(1));
            last = before.ok().and_then(|before| schedule.last_through(after, before));
        }
        late.reverse();
        late
    }

    /// Turns the occurrences whose window is open into runs, or skips them.
    fn decide_open(&mut self, step: &mut Step<'_>, schedule: &Schedule, budget: &mut usize) {
        let now = step.now.wall;
        while *budget > 0 {
            let next = schedule.next_after(self.intake.progress.decided_through);
            let Some(due_at) = next else { return };
            let opens_at = schedule.opens_at(due_at);
            if opens_at > now {
                return;
            }
            // What could not be started in its window is not in the way of a later one, which stands for it.
            if self.entry.job.catch_up == CatchUp::Latest {
                place::give_up_older_catch_ups(step, self.entry, due_at);
            }
            // Nothing in this step makes room again, so what is left is counted, not walked.
            if let Some(reason) = self.intake.blocked(step) {
                let after = self.intake.progress.decided_through;
                let limit = limits::STRETCH_PER_STEP_MAX;
                let opened = schedule.opened_through(after, now);
                let Some(span) = schedule.stretch(after, opened, limit) else { return };
                let Span { first, last, count, .. } = span;
                self.intake.tell_unmet(step, reason, first, last, count);
                self.intake.record(step, Verdict::Skipped, reason, first, last, count);
                self.intake.progress.decided_through = span.last;
                return;
            }
            if let Some(reason) = self.skipped_ahead(step, due_at) {
                self.intake.record(step, Verdict::Skipped, &reason, due_at, due_at, 1);
                self.intake.progress.decided_through = due_at;
                continue;
            }
            *budget -= 1;
            self.intake.trigger(step, New::of(Trigger::Schedule { due_at, opens_at }));
            self.intake.progress.decided_through = due_at;
        }
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
        Trigger::CatchUp { .. }
        | Trigger::Manual { .. }
        | Trigger::Retry { .. }
        | Trigger::Backfill { .. }
        | Trigger::Parents { .. } => None,
    }
}
