//! What people should hear of: found in what a step has decided, and decided with it, so that it is committed with its
//! cause or not at all.
//!
//! Who is told, when and how often is for [`crate::alerts`]. What operators did themselves, and what happens to runs that
//! only stand for the past, is nothing to be told of.

use std::collections::{BTreeMap, BTreeSet};

use super::decision::Change;
use super::entry::JobEntry;
use super::event::Event;
use super::state::State;
use super::status::started_at_of;
use super::{Step, objective};
use crate::alerts::{self, Raised};
use crate::model::{
    AgentId, AlertJob, AlertKind, AlertRun, AttemptState, Backfill, BackfillState, BootInstant,
    Duration, Incarnation, IncidentKey, Run, RunState, Stretch, Timestamp, Trigger, Verdict,
};

/// The words for trouble with the launcher, by which all that comes of it is one incident.
pub(super) const LAUNCHER: &str = "the launcher";
/// How long the launcher is missed before somebody hears of it: masters change within seconds, and nobody need know.
const PATIENCE: Duration = Duration::from_secs(60);

/// An occurrence, or several in a row, for which nothing runs because of earlier runs.
#[derive(Debug, Clone)]
pub(super) struct Unmet {
    pub(super) incarnation: Incarnation,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) count: u64,
    pub(super) reason: String,
}

/// Raises what follows from all that the step has decided.
pub(super) fn raise(step: &mut Step<'_>, event: &Event) {
    let mut raised = std::mem::take(&mut step.raised);
    of_event(step, event, &mut raised);
    for run in step.stored.values().flat_map(BTreeMap::values) {
        of_run(step, run, &mut raised);
    }
    of_lost_agents(step, &mut raised);
    for change in &step.decision.changes {
        match change {
            Change::StretchStored(stretch) if stretch.verdict == Verdict::Missed => {
                raised.extend(of_missed(step, stretch));
            }
            Change::Disabled { incarnation } => {
                let entry = step.state.incarnation(*incarnation);
                raised.extend(entry.map(|entry| of_disabled(step, entry)));
            }
            Change::JobRemoved { incarnation, name: _ } => {
                let entry = step.state.incarnation(*incarnation);
                raised.extend(entry.map(|entry| Raised {
                    job: Some(facts(entry)),
                    ..plain(AlertKind::Deleted, "its job was deleted".to_owned())
                }));
            }
            Change::BackfillStored(backfill) => raised.extend(of_backfill(step, backfill)),
            _ => {}
        }
    }
    for unmet in std::mem::take(&mut step.unmet) {
        raised.extend(of_unmet(step, unmet));
    }
    if raised.is_empty() {
        return;
    }
    let (desk, terms) = (step.state.alerts(), &step.state.settings.alerts);
    let changes = alerts::raise(desk, terms, step.now.wall, &raised);
    changes.into_iter().for_each(|change| step.change(Change::Alerted(change)));
}

/// A run that has not met a deadline of its job.
pub(super) fn raise_missed(
    step: &mut Step<'_>,
    entry: &JobEntry,
    run: &Run,
    kind: AlertKind,
    at: Timestamp,
) {
    let raised = of_deadline(entry, run, kind, at);
    step.raised.push(raised);
}

fn of_deadline(entry: &JobEntry, run: &Run, kind: AlertKind, at: Timestamp) -> Raised {
    let what = match kind {
        AlertKind::LateStart => "has not started",
        AlertKind::LateFinish => "is not over",
        _ => "still runs",
    };
    let what = match kind {
        AlertKind::Overlong => {
            let expected = entry.job.objectives.expected_duration.as_ref();
            let text = expected.map(|period| period.text.as_str()).unwrap_or_default();
            format!("its run {what} after more than `expectedDuration` ({text})")
        }
        _ => format!("its run {what} by {at:.0}, when it should"),
    };
    Raised { job: Some(facts(entry)), run: Some(run_facts(run)), ..plain(kind, what) }
}

fn of_event(step: &Step<'_>, event: &Event, raised: &mut Vec<Raised>) {
    let state = step.state;
    let recovered = |cause: &str, reason: &str| Raised {
        cause: Some(cause.to_owned()),
        ..plain(AlertKind::Recovered, reason.to_owned())
    };
    match event {
        Event::StoreFailed { problem } => raised.push(plain(
            AlertKind::StoreTrouble,
            format!("a change could not be committed, or may not have been; all was read again: {problem}"),
        )),
        Event::Resumed { term } if *term != state.term() && state.term().0 > 0 => {
            let reason =
                format!("a process leads with term {}, after term {}", term.0, state.term().0);
            raised.push(plain(AlertKind::LeaderChanged, reason));
        }
        Event::LauncherConnected { .. } => {
            raised.push(recovered(LAUNCHER, "the launcher can be reached again"));
        }
        Event::AgentLost(agent) => {
            let runs = state.runs_on(agent).count();
            if runs > 0 {
                let reason = format!("agent {agent} is lost; live runs there: {runs}");
                let cause = Some(of_agent(agent));
                raised.push(Raised { cause, ..plain(AlertKind::AgentLost, reason) });
            }
        }
        Event::Offered(offers) => {
            let agents = offers.iter().map(|offer| &offer.agent);
            for agent in agents.filter(|agent| is_open(step, &of_agent(agent))) {
                raised.push(recovered(&of_agent(agent), &format!("agent {agent} is there again")));
            }
        }
        Event::Resumed { .. }
        | Event::Woke
        | Event::Request { .. }
        | Event::Withdrawn(_)
        | Event::LauncherGone { .. }
        | Event::Draining { .. }
        | Event::Delivered { .. }
        | Event::Task(_) => {}
    }
}

/// When somebody is to hear that the launcher is gone; `None` if it is not, or all is said.
pub(super) fn launcher_alarm(state: &State) -> Option<BootInstant> {
    let since = state.launcher_missed_since()?;
    let is_said = state.alerts().open_incident(&IncidentKey::Cause(LAUNCHER.to_owned())).is_some();
    (!is_said).then(|| since.saturating_add(PATIENCE))
}

/// Raises that the launcher has been gone for so long that somebody should hear of it.
pub(super) fn decide_launcher(step: &mut Step<'_>) {
    if launcher_alarm(step.state).is_some_and(|at| at <= step.now.boot)
        && let Some(reason) = step.state.launcher_gone()
    {
        let reason = format!("the launcher cannot be reached: {reason}");
        let cause = Some(LAUNCHER.to_owned());
        step.raised.push(Raised { cause, ..plain(AlertKind::LauncherGone, reason) });
    }
}

/// Whether something is wrong for this cause already.
fn is_open(step: &Step<'_>, cause: &str) -> bool {
    step.state.alerts().open_incident(&IncidentKey::Cause(cause.to_owned())).is_some()
}

/// The agents that are lost and of which nothing is left to hear: every run that was there has ended well.
fn of_lost_agents(step: &Step<'_>, raised: &mut Vec<Raised>) {
    let stored = step.stored.values().flat_map(BTreeMap::values);
    let agents = stored.filter(|run| run.is_ended());
    let agents: BTreeSet<AgentId> =
        agents.filter_map(|run| Some(AgentId::new(run.attempts.last()?.agent.as_str()))).collect();
    for agent in agents {
        let cause = of_agent(&agent);
        let key = IncidentKey::Cause(cause.clone());
        let Some(incident) = step.state.alerts().open_incident(&key) else { continue };
        let has_ended = |run: &Run| step.stored(run.id).is_some_and(Run::is_ended);
        let is_left = step.state.runs_on(&agent).any(|run| !has_ended(run));
        let joins = raised.iter().any(|it| it.cause.as_ref() == Some(&cause));
        if !is_left && !joins && incident.jobs.is_empty() {
            raised.push(Raised {
                cause: Some(cause),
                ..plain(AlertKind::Recovered, format!("no run of agent {agent} is left"))
            });
        }
    }
}

fn of_agent(agent: &AgentId) -> String {
    format!("agent {agent}")
}

/// What has become of a run since it was committed last.
fn of_run(step: &Step<'_>, run: &Run, raised: &mut Vec<Raised>) {
    let before = step.state.run(run.id);
    let Some(entry) = step.state.incarnation(run.id.incarnation) else { return };
    let told = |kind: AlertKind, reason: String| Raised {
        job: Some(facts(entry)),
        run: Some(run_facts(run)),
        next_due_at: entry.next_due(),
        ..plain(kind, reason)
    };
    if let RunState::Ended { verdict, ref reason, .. } = run.state {
        let kind = match verdict {
            Verdict::Failed | Verdict::Lost => AlertKind::Failed,
            Verdict::Missed => AlertKind::Missed,
            Verdict::Succeeded => AlertKind::Recovered,
            Verdict::Skipped | Verdict::Killed | Verdict::Superseded => return,
        };
        let is_in_trouble = step.state.alerts().incidents_of(&run.job).next().is_some();
        if kind == AlertKind::Recovered && !is_in_trouble {
            return;
        }
        let cause = cause(step, run, verdict);
        raised.push(Raised { cause, ..told(kind, reason.clone()) });
        return;
    }
    if let RunState::Waiting { until } = run.state
        && !before.is_some_and(|before| matches!(before.state, RunState::Waiting { .. }))
        && let Some(AttemptState::Ended { message, .. }) =
            run.attempts.last().map(|attempt| &attempt.state)
    {
        let retry_at = Some(until.at);
        raised.push(Raised { retry_at, ..told(AlertKind::Retried, message.clone()) });
    }
    // What is found after its deadline. What comes later is judged when it does.
    let known = before.map(|before| objective::open(entry, before)).unwrap_or_default();
    let is_new = |kind: AlertKind| known.iter().all(|open| open.kind != kind);
    for objective::Open { at, kind } in objective::open(entry, run) {
        if is_new(kind) && at <= step.state.judged_through() {
            raised.push(of_deadline(entry, run, kind, at));
        }
    }
}

/// What other runs end of as well, in words that are the same for all of them.
fn cause(step: &Step<'_>, run: &Run, verdict: Verdict) -> Option<String> {
    match verdict {
        Verdict::Lost => {
            let agent = &run.attempts.last()?.agent;
            is_open(step, &of_agent(agent)).then(|| of_agent(agent))
        }
        Verdict::Missed => of_launcher(step),
        Verdict::Succeeded
        | Verdict::Failed
        | Verdict::Skipped
        | Verdict::Killed
        | Verdict::Superseded => None,
    }
}

/// That the launcher is gone, if somebody has heard of it: what is missed before that is the job's own, so that it does
/// not take the place of the news.
fn of_launcher(step: &Step<'_>) -> Option<String> {
    let is_gone = step.state.launcher_gone().is_some();
    (is_gone && is_open(step, LAUNCHER)).then(|| LAUNCHER.to_owned())
}

fn of_missed(step: &Step<'_>, stretch: &Stretch) -> Option<Raised> {
    let entry = step.state.incarnation(stretch.incarnation)?;
    let Stretch { reason, first_due_at, last_due_at, count, .. } = stretch;
    let reason = spanned(*first_due_at, *last_due_at, *count, "missed", reason);
    let cause = of_launcher(step);
    let next_due_at = entry.next_due();
    Some(Raised { job: Some(facts(entry)), next_due_at, cause, ..plain(AlertKind::Missed, reason) })
}

fn of_unmet(step: &Step<'_>, unmet: Unmet) -> Option<Raised> {
    let Unmet { incarnation, first, last, count, reason } = unmet;
    let entry = step.state.incarnation(incarnation)?;
    if !entry.job.objectives.want_a_run() {
        return None;
    }
    let reason = spanned(first, last, count, "skipped", &reason);
    let next_due_at = entry.next_due();
    Some(Raised { job: Some(facts(entry)), next_due_at, ..plain(AlertKind::DidNotRun, reason) })
}

fn spanned(first: Timestamp, last: Timestamp, count: u64, what: &str, reason: &str) -> String {
    if count == 1 {
        format!("its occurrence due {first:.0} was {what}: {reason}")
    } else {
        format!("its {count} occurrences from {first:.0} to {last:.0} were {what}: {reason}")
    }
}

fn of_disabled(step: &Step<'_>, entry: &JobEntry) -> Raised {
    let (kind, reason) = match step.exhausted.contains(&entry.incarnation) {
        true => (AlertKind::Exhausted, "all its occurrences have run".to_owned()),
        false => {
            let failures = step.stats(entry).errors_since_last_success;
            (AlertKind::Disabled, format!("it failed {failures} times in a row"))
        }
    };
    let of_job = |run: &&Run| run.id.incarnation == entry.incarnation && run.is_ended();
    let runs = step.stored.get(&entry.incarnation);
    let run = runs.into_iter().flat_map(|runs| runs.values()).find(of_job).map(run_facts);
    Raised { job: Some(facts(entry)), run, ..plain(kind, reason) }
}

fn of_backfill(step: &Step<'_>, backfill: &Backfill) -> Option<Raised> {
    let is_over = |backfill: &Backfill| !matches!(backfill.state, BackfillState::Going);
    if !is_over(backfill) || step.state.backfill(backfill.id).is_some_and(is_over) {
        return None;
    }
    let entry = step.state.incarnation(backfill.incarnation)?;
    let of = backfill.due.len();
    let ended = backfill.ended.iter();
    let ended: Vec<String> =
        ended.map(|(verdict, count)| format!("{count} {}", verdict.as_str())).collect();
    let ended = if ended.is_empty() { "none ended".to_owned() } else { ended.join(", ") };
    let reason = match &backfill.state {
        BackfillState::Cancelled { reason, .. } => {
            format!("backfill {} of {of} instants ended early: {reason} ({ended})", backfill.id)
        }
        BackfillState::Going | BackfillState::Done { .. } => {
            format!("backfill {} of {of} instants is done: {ended}", backfill.id)
        }
    };
    let backfill = Some(backfill.id);
    Some(Raised { job: Some(facts(entry)), backfill, ..plain(AlertKind::BackfillFinished, reason) })
}

fn plain(kind: AlertKind, reason: String) -> Raised {
    Raised {
        kind,
        job: None,
        run: None,
        backfill: None,
        reason,
        retry_at: None,
        next_due_at: None,
        cause: None,
    }
}

/// A job as it is before what the step has decided.
fn facts(entry: &JobEntry) -> Box<AlertJob> {
    let job = &entry.job;
    let fetched = job.fetch.iter().map(|fetch| fetch.uri.clone());
    let zone = match &entry.timing {
        super::entry::Timing::Schedule(schedule) => schedule.zone().name().to_owned(),
        super::entry::Timing::Parents | super::entry::Timing::Broken(_) => String::new(),
    };
    Box::new(AlertJob {
        name: job.name.clone(),
        incarnation: entry.incarnation,
        owner: job.owner.clone(),
        labels: job.labels.iter().map(|it| (it.name.clone(), it.value.clone())).collect(),
        runbook: job.runbook.clone(),
        command: job.command.clone(),
        resources: job.resources,
        soft_error: job.soft_error,
        retries: job.retries,
        executor: job.executor.clone(),
        executor_flags: job.executor_flags.clone(),
        uris: fetched.chain(job.uris.iter().cloned()).collect(),
        stats: entry.stats.clone(),
        zone,
    })
}

fn run_facts(run: &Run) -> Box<AlertRun> {
    let last = run.attempts.last();
    let (ended_at, exit, message) = match last.map(|attempt| &attempt.state) {
        Some(AttemptState::Ended { at, exit, message, .. }) => {
            (Some(*at), exit.clone(), message.clone())
        }
        Some(
            AttemptState::Launching
            | AttemptState::Running { .. }
            | AttemptState::Stopping { .. }
            | AttemptState::Unknown { .. },
        )
        | None => (None, None, String::new()),
    };
    Box::new(AlertRun {
        id: run.id,
        due_at: run.trigger.due_at(),
        attempt: last.map(|attempt| attempt.index),
        task_id: last.map(|attempt| attempt.task_id.clone()),
        started_at: last.and_then(started_at_of),
        ended_at,
        exit,
        message,
    })
}

/// Whether a run that is brought about so is to start and to be over in time: not what stands for the past on request.
pub(super) const fn is_held_to_deadlines(trigger: &Trigger) -> bool {
    match trigger {
        Trigger::Schedule { .. } | Trigger::CatchUp { .. } | Trigger::Parents { .. } => true,
        Trigger::Manual { .. } | Trigger::Retry { .. } | Trigger::Backfill { .. } => false,
    }
}
