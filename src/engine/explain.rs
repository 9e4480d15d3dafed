//! Why something stands as it does: sentences for people, calculated when asked, from the state alone.
//!
//! Says what the decisions would say: it asks the same tables and the same placement. What is over is explained from the
//! record that whoever asks has read. Every sentence has a word that programs and tests can hold on to.

use crate::model::{
    Attempt, AttemptState, Duration, HistoryEntry, Run, RunState, Shadow, Timestamp, Trigger,
    UnknownThen, Verdict,
};

use super::entry::{JobEntry, Timing};
use super::round::Standing;
use super::status::stopped;
use super::{State, place};

/// One sentence of an explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// A stable word for programs.
    pub code: &'static str,
    /// The sentence.
    pub text: String,
}

/// Starts later than this after its window opened are explained.
const LATE: Duration = Duration::from_secs(1);

/// Sentences, in the order in which they are told.
#[derive(Debug, Default)]
struct Told(Vec<Reason>);

impl Told {
    fn say(&mut self, code: &'static str, text: impl Into<String>) {
        self.0.push(Reason { code, text: text.into() });
    }
}

/// Why a run exists, and why it stands as it does. `now` is what the wall clock shows.
#[must_use]
pub fn explain_run(state: &State, now: Timestamp, run: &Run) -> Vec<Reason> {
    let mut told = Told::default();
    why_there(&mut told, run);
    why_so(state, now, &mut told, run);
    why_late(&mut told, run);
    why_on_it(state, &mut told, run);
    told.0
}

/// What a job does and does not do, and why. `last` is what the history knows of it, newest first.
#[must_use]
pub fn explain_job(
    state: &State,
    now: Timestamp,
    entry: &JobEntry,
    last: &[HistoryEntry],
) -> Vec<Reason> {
    let mut told = Told::default();
    hindrances(state, &mut told, entry);
    for run in state.live_runs(entry.incarnation) {
        let before = told.0.len();
        why_so(state, now, &mut told, run);
        for reason in &mut told.0[before..] {
            reason.text = format!("run {}: {}", run.id, reason.text);
        }
    }
    comes_next(state, now, &mut told, entry);
    came_last(&mut told, last);
    told.0
}

/// Why nothing comes of a job, or not all that its schedule names.
fn hindrances(state: &State, told: &mut Told, entry: &JobEntry) {
    let job = &entry.job;
    if entry.is_quarantined {
        told.say(
            "quarantined",
            "it is left alone, because deciding it went wrong inside Chronode: replace it, lift its quarantine, or \
             restart Chronode",
        );
    }
    if let Timing::Broken(why) = &entry.timing {
        told.say("broken", format!("its schedule cannot be used any more: {why}"));
    }
    if job.disabled {
        let why = if entry.has_failed_too_often(&state.settings) {
            let failures = entry.stats.errors_since_last_success;
            format!("it was disabled because it failed {failures} times in a row")
        } else if entry.is_exhausted() {
            "it is disabled, and nothing of its schedule is left".to_owned()
        } else {
            "it is disabled: somebody sent it so".to_owned()
        };
        told.say("disabled", why);
    }
    for (pause, what) in [
        (entry.interventions.pause.as_ref(), "paused it"),
        (state.everything_paused(), "paused everything"),
    ] {
        let Some(pause) = pause else { continue };
        let until = pause.until.map(|until| format!(" until {until:.3}")).unwrap_or_default();
        let since = pause.by.at;
        told.say("paused", format!("{} ({since:.3}{until})", pause.by.tell(what)));
    }
    if job.shadow != Shadow::Off {
        let text = match job.shadow {
            Shadow::Until(until) => {
                format!("what is due before {until:.3} is only planned here (shadow)")
            }
            Shadow::On | Shadow::Off => {
                "it is only planned here (shadow): another scheduler runs it until it is cut over"
                    .to_owned()
            }
        };
        told.say("shadow", text);
    }
    doubt(state, told);
}

fn doubt(state: &State, told: &mut Told) {
    if let Some(doubt) = state.clock().doubt() {
        let text = format!(
            "the wall clock has jumped from {:.3} to {:.3}: until that has held for five minutes, or somebody says that it \
             is right, occurrences are decided as if it had not",
            doubt.expected, doubt.shown
        );
        told.say("clockDoubted", text);
    }
}

fn comes_next(state: &State, now: Timestamp, told: &mut Told, entry: &JobEntry) {
    for skip in &entry.interventions.skips {
        let text = format!("what is due {:.3} will be skipped: ", skip.due_at);
        told.say("skippedAhead", text + &skip.by.tell("had it skipped"));
    }
    if let Some(standing) = Standing::of(state, entry) {
        told.say("waitsForParents", standing.message);
        return;
    }
    let Timing::Schedule(schedule) = &entry.timing else { return };
    if schedule.is_at_boot() {
        told.say("atBoot", "it runs at each start of its machine");
        return;
    }
    let is_held = entry.job.disabled || entry.is_quarantined || state.pause_of(entry).is_some();
    let from = if is_held {
        now.max(entry.progress.decided_through)
    } else {
        entry.progress.decided_through
    };
    let skipped = |at: &Timestamp| entry.interventions.skips.iter().any(|skip| skip.due_at == *at);
    let mut next = schedule.next_after(from);
    while let Some(at) = next.filter(skipped) {
        next = schedule.next_after(at);
    }
    match next {
        None => told.say("exhausted", "its schedule names nothing any more"),
        Some(at) if is_held => {
            told.say(
                "nextHeld",
                format!("its schedule names {at:.3} next, which will be skipped as things are"),
            );
        }
        Some(at) => {
            let opens_at = schedule.opens_at(at);
            let spread = if opens_at == at {
                String::new()
            } else {
                format!(", and may start from {opens_at:.3} on (jitter)")
            };
            told.say("nextDue", format!("it is next due {at:.3}{spread}"));
        }
    }
}

fn came_last(told: &mut Told, last: &[HistoryEntry]) {
    let ended = last.iter().find_map(|entry| match entry {
        HistoryEntry::Run(run) if run.is_ended() => Some(run),
        HistoryEntry::Run(_) | HistoryEntry::Stretch(_) => None,
    });
    if let Some(run) = ended
        && let RunState::Ended { verdict, at, reason } = &run.state
    {
        let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        let due_at = run.trigger.due_at();
        let verdict = verdict.as_str();
        told.say(
            "lastRun",
            format!("its last run, {} for {due_at:.3}, {verdict} {at:.3}{because}", run.id),
        );
    }
    let stretch = last.iter().find_map(|entry| match entry {
        HistoryEntry::Stretch(stretch) => Some(stretch),
        HistoryEntry::Run(_) => None,
    });
    if let Some(stretch) = stretch {
        let (count, verdict) = (stretch.count, stretch.verdict.as_str());
        let (first, last, reason) = (stretch.first_due_at, stretch.last_due_at, &stretch.reason);
        let text = if count == 1 {
            format!("what was due {last:.3} was {verdict}: {reason}")
        } else {
            format!("{count} due {first:.3} to {last:.3} were {verdict}: {reason}")
        };
        told.say("lastLeftOut", text);
    }
}

/// Why the run exists.
fn why_there(told: &mut Told, run: &Run) {
    let due_at = run.trigger.due_at();
    let asked = |what: &str| match &run.by {
        Some(by) => by.tell(what),
        None => format!("somebody {what}"),
    };
    let (code, text) = match run.trigger {
        Trigger::Schedule { .. } => ("scheduled", format!("the schedule named {due_at:.3}")),
        Trigger::CatchUp { .. } => (
            "caughtUp",
            format!("the schedule named {due_at:.3}; that was missed, and is caught up (catchUp)"),
        ),
        Trigger::Manual { at, .. } if at == due_at => {
            ("askedFor", asked(&format!("asked for it {at:.3}")))
        }
        Trigger::Manual { at, .. } => {
            ("askedFor", asked(&format!("asked for it {at:.3}, to stand for {due_at:.3}")))
        }
        Trigger::Retry { of, at, .. } => {
            ("retries", asked(&format!("asked {at:.3} for a retry of run {of}, for {due_at:.3}")))
        }
        Trigger::Backfill { of, .. } => {
            ("backfills", format!("{} for {due_at:.3}", asked(&format!("began backfill {of}"))))
        }
        Trigger::Parents { at, .. } => {
            let causes: Vec<String> = run.causes.iter().map(ToString::to_string).collect();
            ("followed", format!("its parents were ready {at:.3}: {}", causes.join(", ")))
        }
    };
    told.say(code, text);
}

/// Why the run stands as it does.
fn why_so(state: &State, now: Timestamp, told: &mut Told, run: &Run) {
    let entry = state.incarnation(run.id.incarnation);
    match &run.state {
        RunState::Queued => behind(state, told, run),
        RunState::Pending { deadline } => {
            why_pending(state, now, told, run, entry);
            if let Some(deadline) = deadline {
                let text = if run.attempts.is_empty() {
                    format!("it has to start by {deadline:.3} (epsilon)")
                } else {
                    format!("its next attempt has to start by {deadline:.3} (retryUntil)")
                };
                told.say("deadline", text);
            }
        }
        RunState::Waiting { until } => match run.attempts.last() {
            Some(attempt) => {
                let what = ending(attempt);
                let (index, next) = (attempt.index, run.attempts.len());
                let text = format!(
                    "attempt {index} ended: {what}; attempt {next} may start from {:.3} on",
                    until.at
                );
                told.say("waitsToRetry", text);
            }
            None => told.say(
                "clockSetBack",
                format!("the clock was set back: its start window opens {:.3}", until.at),
            ),
        },
        RunState::Reporting { until } => {
            let until = until.map(|until| format!(" by {:.3}, or it counts as failed", until.at));
            let until = until.unwrap_or_default();
            told.say(
                "awaitsReport",
                format!("its command has ended well, and its job has to say how the work went (async){until}"),
            );
        }
        RunState::Active => {
            if let Some(attempt) = run.live_attempt() {
                why_active(told, run, entry, attempt);
            }
        }
        RunState::Ended { verdict, at, reason } => {
            let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            told.say(verdict.as_str(), format!("it {} {at:.3}{because}", verdict_told(*verdict)));
        }
    }
}

const fn verdict_told(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Succeeded => "succeeded",
        Verdict::Failed => "failed",
        Verdict::Missed => "was missed",
        Verdict::Skipped => "was skipped",
        Verdict::Killed => "was killed",
        Verdict::Lost => "was lost",
        Verdict::Superseded => "was superseded",
    }
}

/// What a queued run waits behind.
fn behind(state: &State, told: &mut Told, run: &Run) {
    let ahead: Vec<&Run> = state
        .live_runs(run.id.incarnation)
        .filter(|other| {
            other.id != run.id && (other.state != RunState::Queued || other.sequence < run.sequence)
        })
        .collect();
    let first = ahead.iter().find(|other| other.state != RunState::Queued);
    let text = match (first, ahead.len()) {
        (Some(first), 1) => format!("it waits behind run {} of its job (overlap)", first.id),
        (Some(first), count) => {
            format!(
                "it waits behind {count} runs of its job, the first of them run {} (overlap)",
                first.id
            )
        }
        (None, _) => "it waits behind other runs of its job (overlap)".to_owned(),
    };
    told.say("queued", text);
}

fn why_pending(
    state: &State,
    now: Timestamp,
    told: &mut Told,
    run: &Run,
    entry: Option<&JobEntry>,
) {
    let Some(entry) = entry else {
        return told.say("jobDeleted", "its job was deleted");
    };
    if !run.trigger.is_asked_for()
        && let Some(pause) = state.pause_of(entry)
    {
        let until = pause.until.map(|until| format!(" until {until:.3}")).unwrap_or_default();
        return told.say(
            "held",
            format!("it waits for the end of a pause{until}: {}", pause.by.tell("paused it")),
        );
    }
    if let Some(reason) = state.launcher_gone() {
        return told.say("launcherGone", format!("the launcher cannot be reached: {reason}"));
    }
    if state.listens_until().is_some() {
        return told.say(
            "listening",
            "nothing is started before the launcher has said what became of the runs that were going on",
        );
    }
    match place::misfit(state, now, run, entry) {
        Some(why) => {
            let passed = now.duration_since(run.wanted_at) >= place::PASSED_FOR;
            let kept = if passed { "; room is kept free for it" } else { "" };
            told.say("noRoom", format!("no agent has room for it: {why}{kept}"));
        }
        None => told.say("aboutToStart", "it is about to be given to the launcher"),
    }
}

fn why_active(told: &mut Told, run: &Run, entry: Option<&JobEntry>, attempt: &Attempt) {
    let (index, agent) = (attempt.index, &attempt.agent);
    match &attempt.state {
        AttemptState::Launching => told.say(
            "launching",
            format!(
                "attempt {index} was given to {agent} {:.3}, which has not said yet that it runs",
                attempt.launched_at
            ),
        ),
        AttemptState::Running { started_at, stop_at: _ } => {
            let limit = entry.map_or(0, |entry| entry.job.max_completion_secs);
            let limit = if limit == 0 {
                String::new()
            } else {
                format!("; it may take {limit} s (timeout)")
            };
            told.say(
                "running",
                format!("attempt {index} has been running on {agent} since {started_at:.3}{limit}"),
            );
        }
        AttemptState::Stopping { why, .. } => {
            let because = match &run.stopped_by {
                Some(by) => by.tell("had it stopped"),
                None => stopped(*why).replace("it was stopped", "it is being stopped"),
            };
            told.say(
                "stopping",
                format!("attempt {index} on {agent} has not ended yet: {because}"),
            );
        }
        AttemptState::Unknown { until, reason, .. } => {
            let then = entry.map_or(UnknownThen::Lost, |entry| entry.job.on_unknown.then);
            told.say(
                "unknown",
                format!(
                    "nobody can say what became of attempt {index} on {agent}: {reason}; news is waited for until {:.3}, \
                     then: {} (onUnknown)",
                    until.at,
                    then.as_str()
                ),
            );
        }
        AttemptState::Ended { .. } => {}
    }
}

/// How an attempt ended, in words.
fn ending(attempt: &Attempt) -> String {
    match &attempt.state {
        AttemptState::Ended { message, .. } if !message.is_empty() => message.clone(),
        AttemptState::Ended { .. } => match attempt.reported {
            Some(code) => format!("its job reported status code {code}"),
            None => "it ended well".to_owned(),
        },
        AttemptState::Launching
        | AttemptState::Running { .. }
        | AttemptState::Stopping { .. }
        | AttemptState::Unknown { .. } => "it is not over".to_owned(),
    }
}

/// Why the run started later than it might have.
fn why_late(told: &mut Told, run: &Run) {
    let Some(first) = run.attempts.first() else { return };
    let Trigger::Schedule { due_at, opens_at } = run.trigger else { return };
    let late = first.launched_at.duration_since(due_at);
    if late < LATE {
        return;
    }
    let mut parts = Vec::new();
    let mut part = |span: Duration, what: &str| {
        if span >= LATE {
            parts.push(format!("{} s {what}", span.as_secs()));
        }
    };
    part(opens_at.duration_since(due_at), "because its start is spread (jitter)");
    part(
        run.created_at.duration_since(opens_at),
        "until Chronode came to decide it: it was down, suspended or busy",
    );
    part(run.wanted_at.duration_since(run.created_at), "behind other runs of its job (overlap)");
    part(first.launched_at.duration_since(run.wanted_at), "until an agent had room for it");
    if !parts.is_empty() {
        told.say("late", format!("it started {} s late: {}", late.as_secs(), parts.join(", ")));
    }
}

/// Why it was placed where it was.
fn why_on_it(state: &State, told: &mut Told, run: &Run) {
    let Some(last) = run.attempts.last() else { return };
    let Some(entry) = state.incarnation(run.id.incarnation) else { return };
    let agent = &last.agent;
    let offers = state.offers();
    let fitting = offers.values().filter(|offer| entry.conditions().unmet(offer).is_none()).count();
    let text = if entry.job.constraints.is_empty() {
        format!(
            "it went to {agent}: the job has no constraints, and that was the first agent with room"
        )
    } else {
        format!(
            "it went to {agent}: {fitting} of the {} agents there are now meet the job's constraints",
            offers.len()
        )
    };
    told.say("placed", text);
}
