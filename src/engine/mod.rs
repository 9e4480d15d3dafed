//! The engine: decides, and does nothing else.
//!
//! ```text
//!                    Event ──▶ step(&State, Now, &Event) ──▶ Decision
//!                                                              │
//!                        changes: applied, then committed ◀────┼────▶ notes: why, for the log
//!                                                              │
//!                        effects: performed once the changes ◀─┘
//!                                 are committed
//! ```
//!
//! One run of `sleep 1` due at noon, from event to event:
//!
//! | event | changes | effects |
//! |---|---|---|
//! | `Woke` at noon | the schedule is decided through noon; a run is recorded, *pending* | |
//! | `Woke` at once | the run is *active*, its first attempt *launching* on an offer | `Launch` |
//! | `Task`: running | the attempt is *running* | |
//! | `Task`: ended with code 0 | the attempt and the run are *ended*: succeeded; the job's counts | `Acknowledge` |
//!
//! The first two happen in one batch of the driver and so in one transaction: a launch is committed before it is asked
//! for. After a crash or a change of leader, `Resumed` and `LauncherConnected` ask the launcher about every live
//! attempt before anything else is started for its run; `status` has what each answer means.
//!
//! The concerns: `due` turns occurrences into runs or records why not, and `round` finished rounds of parents, both
//! through `intake`, which knows what a job's live runs leave room for; `place` matches pending runs with offers and
//! closes start windows; `status` moves runs on as tasks report, by the tables of `transition`, and `retry` says when
//! another attempt follows; `request` takes what clients ask, and `admin`, `bulk`, `report` and `shadow` do it;
//! `operate`, `pause`,
//! `backfill` and `backlog` do what operators want, and `clock` says when the wall clock is believed; `family` says what
//! that means for parents and children, `count` what the end of a run means for its job; `zones` says
//! whose occurrences move when zone data has changed. `forecast`, `feed`, `glance`, `lineage` and `explain` decide nothing:
//! they tell what `due` will have to decide, what a change looks like to those who look on, what a page shows of very many
//! jobs, what followed from a run, and why something stands as it does.
//!
//! Reads no clock, socket, disk or randomness. Knows no ended run. Never waits and never fails.

#![deny(clippy::disallowed_types)]

mod admin;
mod alert;
mod alive;
mod answered;
mod backfill;
mod backlog;
mod batch;
mod bulk;
mod clock;
mod count;
mod decision;
mod due;
mod entry;
mod event;
mod explain;
mod family;
mod feed;
pub mod forecast;
pub mod glance;
mod incident;
mod index;
mod intake;
pub mod invariants;
mod launch;
pub mod lineage;
mod objective;
mod operate;
mod pause;
mod place;
mod report;
mod request;
mod retry;
mod room;
mod round;
mod seen;
mod settings;
mod shadow;
mod shell_text;
mod shortfall;
mod state;
mod status;
#[cfg(test)]
mod tests;
mod transition;
mod zones;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::alerts;
use crate::model::{
    Attempt, Backfill, BackfillId, Duration, Incarnation, Interventions, JobName, JobStats, Now,
    Pause, Progress, Question, Run, RunId, RunState, Timestamp, limits, millis_since_epoch,
};

pub use backlog::backlog;
pub use clock::{Clock, Doubt};
pub use decision::{Change, Decision, Demand, Effect, Launcher, Note};
pub use entry::{JobEntry, Timing};
pub use event::{
    Applied, ApplyTerms, BackfillDraft, BacklogFilter, Below, Difference, Event, Expected, PastRun,
    Rejection, RejectionCode, Reply, Request, RequestId, SourceTerms,
};
pub use explain::{Reason, explain_job, explain_run};
pub use feed::{FeedEvent, FeedItem, JobStep, RunStep, feed_items};
pub use request::repeated;
pub use room::{Fitting, fitting};
pub use round::{ParentStanding, Standing as RoundStanding, outcome_for_children};
pub use seen::{OfferFate, SeenAgent};
pub use settings::{Abilities, Boot, Settings};
pub use shortfall::{Short, Shortfall, shortfall};
pub use state::{Recovered, State, WakeAt};

/// Decides what follows from `event`. Reads nothing but its arguments.
///
/// The caller applies the changes to `state` before it asks again; it asks again with the same event if the decision
/// [is not yet one about it](Decision::is_postponed), and with [`Event::Woke`] as long as [`State::wake_at`] has come.
pub fn step(state: &State, now: Now, event: &Event) -> Decision {
    let mut step = Step::new(state, now);
    clock::judge(&mut step);
    match event {
        Event::Resumed { term } => {
            step.change(Change::TermBegan(*term));
            clock::begin(&mut step);
            zones::tell_broken(&mut step);
            zones::decide(&mut step);
            round::decide_finished(&mut step);
            // Otherwise its connection asks. Asked twice, it could answer twice, and the second answer would be taken
            // for one about a launch that the first has brought about.
            match state.launcher_gone() {
                None => step.reconcile(),
                Some(reason) if *term != state.term() => step.miss_launcher(reason.to_owned()),
                Some(_) => {}
            }
            // A run that is over already must not count as going on when its job's next occurrence is decided.
            step.change(Change::ListeningBegan { until: now.boot.saturating_add(LISTEN_FOR) });
        }
        Event::Woke => decide_what_has_come(&mut step),
        // What parents did before goes to those who were their children then, as they stood then.
        Event::Request { request, .. }
            if request.may_change_what_follows() && state.has_signals() =>
        {
            round::decide(&mut step);
            step.decision.is_postponed = true;
        }
        Event::Request { id, request } => {
            if let Some(reply) = request::decide(&mut step, request) {
                step.effect(Effect::Reply(*id, reply));
            } else {
                step.decision.is_postponed = true;
            }
        }
        Event::LauncherConnected { offers, framework } => {
            if let Some(framework) = framework.as_ref().filter(|id| Some(*id) != state.framework())
            {
                step.change(Change::FrameworkSet(framework.clone()));
            }
            let offers = place::kept_of(&mut step, offers, false);
            step.change(Change::OffersSet(match framework {
                Some(_) => Launcher::InCluster(offers),
                None => Launcher::Connected(offers),
            }));
            step.reconcile();
        }
        Event::Offered(offers) => {
            let offers = place::kept_of(&mut step, offers, state.launcher_gone().is_some());
            if !offers.is_empty() {
                step.change(Change::OffersAdded(offers));
            }
        }
        Event::Withdrawn(ids) => step.change(Change::OffersRemoved(ids.clone())),
        Event::AgentLost(agent) => step.change(Change::AgentLost(agent.clone())),
        Event::LauncherGone { reason } => {
            step.miss_launcher(reason.clone());
            step.warn(None, format!("the launcher is gone: {reason}"));
        }
        Event::Draining { reason } => {
            let (reason, since) = (reason.clone(), None);
            step.change(Change::OffersSet(Launcher::Gone { reason, since }));
        }
        Event::StoreFailed { .. } => {}
        Event::Delivered { id, outcome } => {
            let (desk, terms) = (state.alerts(), &state.settings.alerts);
            let changes = alerts::delivered(desk, terms, step.now.wall, *id, outcome.clone());
            changes.into_iter().for_each(|change| step.change(Change::Alerted(change)));
        }
        Event::Task(report) => {
            status::decide_report(&mut step, report);
            if state.listens_for(&report.task_id) {
                step.change(Change::Heard { task_id: report.task_id.clone() });
            }
        }
    }
    backfill::advance_ready(&mut step);
    alert::raise(&mut step, event);
    step.decision
}

/// How long decisions wait, after a start or an absence, for the launcher to say what became of live attempts. It says
/// so within milliseconds; start windows are much longer.
const LISTEN_FOR: Duration = Duration::from_secs(2);

/// One concern at a time, since the state does not move while a step decides; the caller asks again for the next.
///
/// What ends comes first: a run whose window has closed must not block the occurrence that is due now. Then children
/// hear of what has ended. Offers come last: a run that became pending a moment ago must be in the state when the
/// pending ones count as looked at.
fn decide_what_has_come(step: &mut Step<'_>) {
    if let Some(until) = step.state.listens_until() {
        if until <= step.now.boot {
            step.change(Change::ListeningEnded);
        }
        return;
    }
    place::decide_windows(step);
    if step.is_unmoved() {
        round::decide(step);
    }
    if step.is_unmoved() {
        pause::decide(step);
    }
    if step.is_unmoved() {
        due::decide(step);
    }
    if step.is_unmoved() {
        status::decide_times(step);
    }
    if step.is_unmoved() {
        objective::decide(step);
        alert::decide_launcher(step);
        decide_alerts(step);
    }
    if step.is_unmoved() {
        place::decide_offers(step);
    }
}

/// What the time that has passed means for those who are told of alerts.
fn decide_alerts(step: &mut Step<'_>) {
    let (desk, terms, now) = (step.state.alerts(), &step.state.settings.alerts, step.now.wall);
    if desk.wake_at(terms, now).is_some_and(|at| at <= now) {
        let changes = alerts::wake(desk, terms, now);
        changes.into_iter().for_each(|change| step.change(Change::Alerted(change)));
    }
}

/// One step's view: the state as it was, and what the step has decided so far.
///
/// The state does not move while a step decides, so whatever a later part of the same step must know of an earlier
/// one (numbers given out, runs, counts, progress) is kept here, in plain sight.
struct Step<'a> {
    state: &'a State,
    /// As it is believed.
    now: Now,
    /// As the clocks show it.
    shown: Now,
    decision: Decision,
    last_sequence: u64,
    /// The runs of each job that this step has stored, as it stored them last.
    stored: BTreeMap<Incarnation, BTreeMap<RunId, Run>>,
    counted: BTreeMap<Incarnation, JobStats>,
    /// The jobs that this step has disabled.
    disabled: BTreeSet<Incarnation>,
    /// The last task-id millisecond that this step has used up of each name.
    marked: BTreeMap<JobName, i64>,
    progressed: BTreeMap<Incarnation, Progress>,
    intervened: BTreeMap<Incarnation, Interventions>,
    backfills: BTreeMap<BackfillId, Backfill>,
    /// Those of which further runs may begin.
    ready_backfills: BTreeSet<BackfillId>,
    /// Whether everything goes on that was paused as a whole.
    everything_resumed: bool,
    /// What people should hear of, beside what they should because of the changes.
    raised: Vec<alerts::Raised>,
    /// What came to nothing because of earlier runs.
    unmet: Vec<alert::Unmet>,
    /// Of the jobs that this step has disabled, those that had nothing left.
    exhausted: BTreeSet<Incarnation>,
}

impl<'a> Step<'a> {
    /// The launcher cannot be reached, from now on or still.
    fn miss_launcher(&mut self, reason: String) {
        let since = self.state.launcher_missed_since().or(Some(self.now.boot));
        self.change(Change::OffersSet(Launcher::Gone { reason, since }));
    }

    fn new(state: &'a State, now: Now) -> Self {
        Self {
            state,
            now,
            shown: now,
            decision: Decision::default(),
            last_sequence: state.last_sequence(),
            stored: BTreeMap::new(),
            counted: BTreeMap::new(),
            disabled: BTreeSet::new(),
            marked: BTreeMap::new(),
            progressed: BTreeMap::new(),
            intervened: BTreeMap::new(),
            backfills: BTreeMap::new(),
            ready_backfills: BTreeSet::new(),
            everything_resumed: false,
            raised: Vec::new(),
            unmet: Vec::new(),
            exhausted: BTreeSet::new(),
        }
    }

    /// Whether the step has not decided anything yet; what is believed of the clock is no decision.
    fn is_unmoved(&self) -> bool {
        self.decision.changes.iter().all(|change| matches!(change, Change::ClockJudged(_)))
    }

    fn change(&mut self, change: Change) {
        self.decision.changes.push(change);
    }

    /// A run as this step has stored it, if it has.
    fn stored(&self, id: RunId) -> Option<&Run> {
        self.stored.get(&id.incarnation)?.get(&id)
    }

    /// Stores a run, and since when it wants an offer if it did not before.
    fn store_run(&mut self, mut run: Run) {
        let known = self.stored(run.id).or_else(|| self.state.run(run.id));
        let wants = |run: &Run| matches!(run.state, RunState::Pending { .. });
        if wants(&run) && !known.is_some_and(wants) {
            run.wanted_at = self.now.wall;
        }

        self.stored.entry(run.id.incarnation).or_default().insert(run.id, run.clone());
        self.change(Change::RunStored(Box::new(run)));
    }

    fn store_progress(&mut self, incarnation: Incarnation, progress: Progress) {
        self.progressed.insert(incarnation, progress.clone());
        self.change(Change::Progressed { incarnation, progress });
    }

    fn store_interventions(&mut self, incarnation: Incarnation, interventions: Interventions) {
        self.intervened.insert(incarnation, interventions.clone());
        self.change(Change::Intervened { incarnation, interventions });
    }

    /// What operators have done about a job, as this step has left it so far.
    fn interventions(&self, entry: &JobEntry) -> Interventions {
        self.intervened.get(&entry.incarnation).unwrap_or(&entry.interventions).clone()
    }

    /// Why nothing comes of itself of a job, as this step has left it so far.
    fn pause_of(&self, entry: &JobEntry) -> Option<Pause> {
        let everything = self.state.everything_paused().filter(|_| !self.everything_resumed);
        let own = self.interventions(entry).pause;
        pause::longer(own, everything.cloned())
    }

    fn store_backfill(&mut self, backfill: Backfill) {
        self.backfills.insert(backfill.id, backfill.clone());
        self.change(Change::BackfillStored(Box::new(backfill)));
    }

    /// A backfill as this step has left it so far.
    fn backfill(&self, id: BackfillId) -> Option<&Backfill> {
        self.backfills.get(&id).or_else(|| self.state.backfill(id))
    }

    /// Every deadline until `at` is judged.
    fn judge_through(&mut self, at: Timestamp) {
        self.change(Change::ObjectivesJudged(at));
    }

    fn store_stats(&mut self, incarnation: Incarnation, stats: JobStats) {
        self.counted.insert(incarnation, stats.clone());
        self.change(Change::Counted { incarnation, stats });
    }

    /// Decides something about one job. A job whose decision goes wrong must not stop the others: what was decided of it
    /// is taken back, and it is left alone, visibly.
    fn guarded(&mut self, entry: &JobEntry, decide: impl FnOnce(&mut Self)) {
        let incarnation = entry.incarnation;
        let (lengths, last_sequence) = (self.decision.lengths(), self.last_sequence);
        let stored = self.stored.get(&incarnation).cloned();
        let counted = self.counted.get(&incarnation).cloned();
        let progressed = self.progressed.get(&incarnation).cloned();
        let intervened = self.intervened.get(&incarnation).cloned();
        let backfills = self.backfills.clone();
        let (raised, unmet) = (self.raised.len(), self.unmet.len());
        if catch_unwind(AssertUnwindSafe(|| decide(self))).is_ok() {
            return;
        }
        self.decision.truncate(lengths);
        self.last_sequence = last_sequence;
        put_back(&mut self.stored, incarnation, stored);
        put_back(&mut self.counted, incarnation, counted);
        put_back(&mut self.progressed, incarnation, progressed);
        put_back(&mut self.intervened, incarnation, intervened);
        self.backfills = backfills;
        self.raised.truncate(raised);
        self.unmet.truncate(unmet);
        self.exhausted.remove(&incarnation);
        self.change(Change::Quarantined { incarnation });
        self.warn(
            Some(&entry.job.name),
            "deciding the job went wrong inside Chronode; it is left alone until it is replaced or Chronode restarts"
                .to_owned(),
        );
    }

    /// The live runs of a job as this step has left them so far, oldest first.
    fn live_runs(&self, incarnation: Incarnation) -> Vec<&Run> {
        let stored = self.stored.get(&incarnation);
        let known = self
            .state
            .live_runs(incarnation)
            .map(|run| stored.and_then(|stored| stored.get(&run.id)).unwrap_or(run));
        let is_new = |run: &&Run| self.state.run(run.id).is_none();
        let new = stored.into_iter().flat_map(BTreeMap::values).filter(is_new);
        let mut live: Vec<&Run> = known.chain(new).filter(|run| !run.is_ended()).collect();
        live.sort_by_key(|run| run.sequence);
        live
    }

    /// A job's counts as this step has left them so far.
    fn stats(&self, entry: &JobEntry) -> JobStats {
        self.counted.get(&entry.incarnation).unwrap_or(&entry.stats).clone()
    }

    /// A job's progress as this step has left it so far.
    fn progress(&self, entry: &JobEntry) -> Progress {
        self.progressed.get(&entry.incarnation).unwrap_or(&entry.progress).clone()
    }

    fn effect(&mut self, effect: Effect) {
        self.decision.effects.push(effect);
    }

    fn note(&mut self, job: &JobName, text: String) {
        self.decision.notes.push(Note { is_warning: false, job: Some(job.clone()), text });
    }

    fn note_all(&mut self, text: String) {
        self.decision.notes.push(Note { is_warning: false, job: None, text });
    }

    fn warn(&mut self, job: Option<&JobName>, text: String) {
        self.decision.notes.push(Note { is_warning: true, job: job.cloned(), text });
    }

    /// The next number in the order of recording.
    fn next_sequence(&mut self) -> u64 {
        self.last_sequence += 1;
        self.last_sequence
    }

    /// The millisecond for the task ids of a new run of `name` that stands for `at`: that of `at`, moved forward until
    /// no run of that name, in any incarnation, has used it or a later one.
    fn take_task_millis(&mut self, name: &JobName, at: Timestamp) -> i64 {
        let mark = self.marked.get(name).copied().or_else(|| self.state.task_mark(name));
        let wanted = millis_since_epoch(at);
        let millis = mark.map_or(wanted, |mark| wanted.max(mark.saturating_add(1)));
        self.marked.insert(name.clone(), millis);
        self.change(Change::TaskMillisUsed { name: name.clone(), millis });
        millis
    }

    /// Whether an attempt was launched for what the launcher was to its cluster before: then that it is unknown says nothing.
    fn is_of_another_framework(&self, attempt: &Attempt) -> bool {
        let framework = self.decision.changes.iter().find_map(|change| {
            if let Change::FrameworkSet(framework) = change { Some(framework) } else { None }
        });
        let Some(framework) = framework.or_else(|| self.state.framework()) else { return false };
        !attempt.sandbox().is_some_and(|sandbox| sandbox.is_of(framework))
    }

    /// Asks the launcher about every live attempt.
    fn reconcile(&mut self) {
        let live: Vec<Question> = self
            .state
            .runs()
            .filter_map(Run::live_attempt)
            .map(|attempt| Question {
                task_id: attempt.task_id.clone(),
                agent: attempt.agent.clone(),
                was_seen: attempt.was_seen() || self.is_of_another_framework(attempt),
            })
            .collect();
        if !live.is_empty() {
            self.effect(Effect::Reconcile(live));
        }
    }
}

fn put_back<T>(map: &mut BTreeMap<Incarnation, T>, key: Incarnation, value: Option<T>) {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}

/// Cuts a sentence from outside to what a record may hold.
fn bounded(message: &str) -> String {
    let mut end = message.len().min(limits::MESSAGE_BYTES_MAX);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message[..end].to_owned()
}
