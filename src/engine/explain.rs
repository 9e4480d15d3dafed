//! Why something stands as it does: sentences for people, calculated when asked, from the state alone.
//!
//! Says what the decisions would say: it asks the same tables and the same placement. What is over is explained from the
//! record that whoever asks has read. Every sentence has a word that programs and tests can hold on to.

use crate::model::{
    Attempt, AttemptState, Duration, Fitness, HistoryEntry, Offer, Pause, Run, RunState, Scope,
    Shadow, Timestamp, Trigger, UnknownThen, Verdict, just_before, limits,
};

use super::entry::{JobEntry, Timing};
use super::room::Fitting;
use super::round::Standing;
use super::status::{stopped, stopped_by};
use super::{Doubt, State, place, room};

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
    let now = believed(state, now);
    let mut told = Told::default();
    why_there(&mut told, run);
    why_so(state, now, &mut told, run);
    why_nowhere(state, now, &mut told, run);
    why_late(&mut told, run);
    why_on_it(state, &mut told, run);
    told.0
}

/// What a job does and does not do, and why. `last` is what the history knows of its name, newest first. Parents outside
/// `scope` are counted, not named.
#[must_use]
pub fn explain_job(
    state: &State,
    now: Timestamp,
    entry: &JobEntry,
    last: &[HistoryEntry],
    scope: &Scope,
) -> Vec<Reason> {
    let now = believed(state, now);
    let mut told = Told::default();
    hindrances(state, &mut told, entry);
    for run in state.live_runs(entry.incarnation) {
        let before = told.0.len();
        why_so(state, now, &mut told, run);
        for reason in &mut told.0[before..] {
            reason.text = format!("run {}: {}", run.id, reason.text);
        }
    }
    comes_next(state, now, &mut told, entry, scope);
    came_last(&mut told, entry, last);
    told.0
}

/// The present as it is believed: what a doubted clock shows, without its jump.
fn believed(state: &State, shown: Timestamp) -> Timestamp {
    let jump = state.clock().doubt().map_or(Duration::ZERO, Doubt::jump);
    shown.saturating_sub(jump).unwrap_or(shown)
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
            format!("it is disabled, because it failed {failures} times in a row")
        } else if entry.is_exhausted() {
            "it is disabled, and nothing of its schedule is left".to_owned()
        } else {
            "it is disabled: its definition says so".to_owned()
        };
        told.say("disabled", why);
    }
    for (pause, what) in [
        (entry.interventions.pause.as_ref(), "paused it"),
        (state.everything_paused(), "paused everything"),
    ] {
        if let Some(pause) = pause {
            told.say(
                "paused",
                format!("nothing comes of it by itself: {}", told_pause(pause, what)),
            );
        }
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

/// Since when, until when, by whom and why.
fn told_pause(pause: &Pause, what: &str) -> String {
    let until = pause.until.map_or_else(
        || "until somebody lets it go on".to_owned(),
        |until| format!("until {until:.3}"),
    );
    pause.by.tell(&format!("{what} {:.3}, {until}", pause.by.at))
}

fn doubt(state: &State, told: &mut Told) {
    if let Some(doubt) = state.clock().doubt() {
        told.say("clockDoubted", doubt.tell());
    }
}

fn comes_next(state: &State, now: Timestamp, told: &mut Told, entry: &JobEntry, scope: &Scope) {
    let skips = &entry.interventions.skips;
    for skip in skips {
        let text = format!("what is due {:.3} will be skipped: ", skip.due_at);
        told.say("skippedAhead", text + &skip.by.tell("had it skipped"));
    }
    if let Some(standing) = Standing::within(state, entry, scope) {
        told.say("waitsForParents", standing.message);
        return;
    }
    let Timing::Schedule(schedule) = &entry.timing else { return };
    let held = Held::of(state, entry);
    if schedule.is_at_boot() {
        let text = match held {
            None => "it runs at each start of its machine",
            Some(_) => {
                "its schedule names each start of its machine, which is left out as things are"
            }
        };
        told.say("atBoot", text);
        return;
    }
    let is_skipped = |at: &Timestamp| skips.iter().any(|skip| skip.due_at == *at);
    let next_after = |from| {
        let mut next = schedule.next_after(from);
        while let Some(at) = next.filter(is_skipped) {
            next = schedule.next_after(at);
        }
        next
    };
    let decided = entry.progress.decided_through;
    let mut next = next_after(if held.is_some() { now.max(decided) } else { decided });
    if let (Some(at), Some(held)) = (next, held)
        && held.covers(at)
    {
        let text = format!("its schedule names {at:.3} next, which will be left out as things are");
        told.say("nextHeld", text);
        let Held::Until(until) = held else { return };
        next = next_after(just_before(until));
    }
    let Some(at) = next else {
        return told.say("exhausted", "its schedule names nothing any more");
    };
    let opens_at = schedule.opens_at(at);
    if opens_at <= now {
        return told.say("dueNow", format!("what was due {at:.3} is about to be decided"));
    }
    let spread = if opens_at == at {
        String::new()
    } else {
        format!(", and may start from {opens_at:.3} on (jitter)")
    };
    told.say("nextDue", format!("it is next due {at:.3}{spread}"));
}

/// For how long what a schedule names is skipped.
#[derive(Debug, Clone, Copy)]
enum Held {
    /// What is due before.
    Until(Timestamp),
    /// Until somebody does something about it.
    Open,
}

impl Held {
    fn of(state: &State, entry: &JobEntry) -> Option<Self> {
        if entry.job.disabled || entry.is_quarantined {
            return Some(Self::Open);
        }
        state.pause_of(entry).map(|pause| pause.until.map_or(Self::Open, Self::Until))
    }

    fn covers(self, at: Timestamp) -> bool {
        match self {
            Self::Until(until) => at < until,
            Self::Open => true,
        }
    }
}

/// Another life of the name was another job.
fn came_last(told: &mut Told, entry: &JobEntry, last: &[HistoryEntry]) {
    let life = entry.incarnation;
    let ended = last.iter().find_map(|entry| match entry {
        HistoryEntry::Run(run) if run.is_ended() && run.id.incarnation == life => Some(run),
        HistoryEntry::Run(_) | HistoryEntry::Stretch(_) => None,
    });
    if let Some(run) = ended
        && let RunState::Ended { verdict, at, reason } = &run.state
    {
        let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        let due_at = run.trigger.due_at();
        let ended = verdict_told(*verdict);
        told.say(
            "lastRun",
            format!("its last run, {} for {due_at:.3}, {ended} {at:.3}{because}", run.id),
        );
    }
    let stretch = last.iter().find_map(|entry| match entry {
        HistoryEntry::Stretch(stretch) if stretch.incarnation == life => Some(stretch),
        HistoryEntry::Stretch(_) | HistoryEntry::Run(_) => None,
    });
    if let Some(stretch) = stretch {
        let (count, verdict) = (stretch.count, stretch.verdict.as_str());
        let (first, last, reason) = (stretch.first_due_at, stretch.last_due_at, &stretch.reason);
        let text = if count == 1 {
            format!("what was due {last:.3} was {verdict}: {reason}")
        } else {
            format!("{count} occurrences due {first:.3} to {last:.3} were {verdict}: {reason}")
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
            ("backfills", asked(&format!("began backfill {of}, and this is for {due_at:.3}")))
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
        let what = if entry.interventions.pause.as_ref() == Some(pause) {
            "paused its job"
        } else {
            "paused everything"
        };
        let text = format!("it waits for the end of a pause: {}", told_pause(pause, what));
        return told.say("held", text);
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
    let fitting = room::fitting_of(state, now, run, entry);
    match (place::told(state, now, &fitting), fitting) {
        (Some(why), Fitting::AsSeen { .. }) => told.say("awaitsOffer", why),
        (Some(why), Fitting::Fits { .. } | Fitting::Nowhere(_)) => {
            // No offer of a cluster is held.
            let is_kept =
                !state.is_cluster() && now.duration_since(run.wanted_at) >= place::PASSED_FOR;
            let kept = if is_kept { "; room is kept free for it" } else { "" };
            told.say("noRoom", format!("no agent has room for it: {why}{kept}"));
        }
        (None, _) => told.say("aboutToStart", "it is about to be given to the launcher"),
    }
}

/// What is against each agent of a cluster for a run that fits on none.
fn why_nowhere(state: &State, now: Timestamp, told: &mut Told, run: &Run) {
    // Why it waits is something else then.
    if !state.is_cluster() || !told.0.iter().any(|reason| reason.code == "noRoom") {
        return;
    }
    let Some(Fitting::Nowhere(misfits)) = room::fitting(state, now, run) else { return };
    for misfit in misfits.iter().take(limits::MISFITS_TOLD) {
        told.say("misfit", format!("{}: {}", misfit.hostname, misfit.text()));
    }
    let more = misfits.len().saturating_sub(limits::MISFITS_TOLD);
    if more > 0 {
        told.say("moreMisfits", format!("it fits on none of {more} further agents either"));
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
                Some(by) => stopped_by(by, *why),
                None => stopped(*why).replace("it was stopped", "it is being stopped"),
            };
            told.say(
                "stopping",
                format!(
                    "attempt {index} on {agent} has been told to end, and has not yet: {because}"
                ),
            );
        }
        AttemptState::Unknown { until, reason, .. } => {
            let then = match entry.map_or(UnknownThen::Lost, |entry| entry.job.on_unknown.then) {
                UnknownThen::Lost => "it counts as lost",
                UnknownThen::Relaunch => "its command is started once more",
            };
            told.say(
                "unknown",
                format!(
                    "nobody can say what became of attempt {index} on {agent}: {reason}; news is waited for until {:.3}, \
                     then {then} (onUnknown)",
                    until.at,
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
    let (wanted_from, opens_at) = match run.trigger {
        Trigger::Schedule { due_at, opens_at } => (due_at, opens_at),
        Trigger::Manual { at, .. }
        | Trigger::Retry { at, .. }
        | Trigger::Backfill { at, .. }
        | Trigger::Parents { at, .. } => (at, at),
        // That it is late is why it exists.
        Trigger::CatchUp { .. } => return,
    };
    let late = first.launched_at.duration_since(wanted_from);
    if late < LATE {
        return;
    }
    let mut parts = Vec::new();
    let mut part = |span: Duration, what: &str| {
        if span >= LATE {
            parts.push(format!("{} s {what}", span.as_secs()));
        }
    };
    part(opens_at.duration_since(wanted_from), "because its start is spread (jitter)");
    part(
        run.created_at.duration_since(opens_at),
        "until Chronode came to decide it (it was down, suspended or busy)",
    );
    let placed = "until it could be started (no agent had room, it was paused, or the launcher was out of reach)";
    // Later attempts want an offer too.
    if run.wanted_at <= first.launched_at {
        part(
            run.wanted_at.duration_since(run.created_at),
            "behind other runs of its job (overlap)",
        );
        part(first.launched_at.duration_since(run.wanted_at), placed);
    } else {
        let text = "behind other runs of its job (overlap), or ";
        part(first.launched_at.duration_since(run.created_at), &format!("{text}{placed}"));
    }
    if !parts.is_empty() {
        told.say("late", format!("it started {} s late: {}", late.as_secs(), parts.join(", ")));
    }
}

/// Why it was placed where it was.
fn why_on_it(state: &State, told: &mut Told, run: &Run) {
    let Some(last) = run.attempts.last() else { return };
    let Some(entry) = state.incarnation(run.id.incarnation) else { return };
    let agent = &last.agent;
    let seen = state.seen().map(|seen| &seen.offer);
    let agents: Vec<&Offer> = state.offers().values().chain(seen).collect();
    let fitting = agents.iter().filter(|offer| entry.conditions().unmet(offer).is_none()).count();
    let text = if entry.job.constraints.is_empty() {
        match (state.is_cluster(), entry.job.placement) {
            (false, _) => {
                format!("it went to {agent}, the first agent with room: the job has no constraints")
            }
            (true, Fitness::Pack) => {
                format!("it went to {agent}, the fullest agent with room for it (placement: pack)")
            }
            (true, Fitness::Spread) => format!(
                "it went to {agent}, of the agents with room the one with the fewest runs of its job (placement: spread)"
            ),
        }
    } else {
        format!(
            "it went to {agent}: {fitting} of the {} agents there are now meet the job's constraints",
            agents.len()
        )
    };
    told.say("placed", text);
}
