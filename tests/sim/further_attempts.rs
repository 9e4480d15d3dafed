//! A run gets another attempt after a known failure that its job has retried, or after a doubt that it has launched
//! again; not earlier than it was said, not more often, and never once somebody has stopped it for good.

use chronode::model::{
    Alarm, Attempt, AttemptState, Duration, Exit, RetryEnds, Run, RunState, StopReason, Timestamp,
    UnknownThen,
};

use super::house::Life;
use super::record::{Decided, Record};
use super::spec::Retries;

/// Attempts of one run that may follow a doubt.
const RELAUNCHES_MAX: usize = 100;
/// The pause of a job that does not say, in microseconds: the house's.
pub(crate) const DELAY: i64 = 60_000_000;
/// How long news is waited for of an attempt whose job is gone, in microseconds.
const WAIT: i64 = 60_000_000;
/// What rounding may cost.
const ROUNDING: Duration = Duration::from_millis(1);

/// At the commit of a run.
pub(crate) fn check(record: &mut Record, run: &Run, decided: Decided) {
    let before = record.live.get(&run.id).cloned();
    let by = record.writers.get(&run.id).copied();
    let mut found = Vec::new();
    // Another definition may say another wait, or none.
    let is_first = record.versions_of(run.id.incarnation).len() == 1;
    // An operator may have had it tried again at once.
    let is_asked = record.operated.contains(&run.id);
    if let (Some(before), Some(by), true, false) = (&before, by, is_first, is_asked) {
        found.extend(alarm(before, run, by, decided));
    }
    found.extend(pause(record, run, decided));
    found.extend(doubt(record, before.as_ref(), run, decided));
    let had = before.as_ref().map_or(0, |before| before.attempts.len());
    found.extend(number(record, run, had));
    if run.attempts.len() > had.max(1) {
        found.extend(reason(record, run, decided));
    }
    if let Some(before) = &before {
        found.extend(kept(before, run));
    }
    note(record, before.as_ref(), run, decided);
    record.violations.extend(found.into_iter().map(|what| format!("I2: {what}: {run:?}")));
}

/// Whether a run that waited for an instant has waited for it: by the boot clock where the same process began to wait.
fn alarm(before: &Run, run: &Run, by: Life, decided: Decided) -> Option<String> {
    let goes_on = matches!(run.state, RunState::Pending { .. } | RunState::Active);
    if let RunState::Waiting { until } = before.state
        && goes_on
    {
        return (!has_come(until, by, decided))
            .then(|| format!("it goes on at {}, and waited for {until:?}", decided.wall));
    }
    let known = before.live_attempt()?;
    let AttemptState::Unknown { until, .. } = known.state else { return None };
    let now = run.attempts.iter().find(|attempt| attempt.task_id == known.task_id)?;
    let is_given_up = matches!(now.state, AttemptState::Ended { exit: None, .. });
    // That no news will come may have become certain meanwhile; but no command is started again for that.
    (is_given_up && !run.is_ended() && !has_come(until, by, decided))
        .then(|| format!("it is launched again at {}, and waited for {until:?}", decided.wall))
}

fn has_come(until: Alarm, by: Life, decided: Decided) -> bool {
    match until.boot.filter(|_| by == decided.by) {
        Some(boot) => boot <= decided.boot,
        None => until.at <= decided.wall,
    }
}

/// Whether a run that has failed begins to wait for as long as its job says.
fn pause(record: &Record, run: &Run, decided: Decided) -> Option<String> {
    let RunState::Waiting { until: Alarm { at, boot: Some(boot) } } = run.state else {
        return None;
    };
    let count = failures(&run.attempts);
    let was_waiting = record.live.get(&run.id).is_some_and(|before| {
        matches!(before.state, RunState::Waiting { .. }) && before.attempts == run.attempts
    });
    if count == 0 || was_waiting {
        return None;
    }
    let by_boot = boot.since(decided.boot);
    let by_wall = at.duration_since(decided.wall);
    let is_right = record.spec_of(run.id.incarnation).any(|spec| {
        let (least, most) = pauses(&spec.retries, count);
        let range = least.saturating_sub(ROUNDING)..=most.saturating_add(ROUNDING);
        range.contains(&by_boot) && range.contains(&by_wall)
    });
    (!is_right).then(|| format!("it waits for {by_boot:?}, {by_wall:?}, after {count} failures"))
}

/// Whether news of an attempt out of sight is waited for as long as its job says, and whether anything was waited for
/// before its command is started again.
fn doubt(record: &Record, before: Option<&Run>, run: &Run, decided: Decided) -> Option<String> {
    let known = before.and_then(Run::live_attempt)?;
    let now = run.attempts.iter().find(|attempt| attempt.task_id == known.task_id)?;
    if let AttemptState::Unknown { .. } = known.state {
        return None;
    }
    let life = run.id.incarnation;
    let waits = |span: Duration| {
        let of_house = record.removed.contains_key(&life).then_some(WAIT);
        let waits = record.spec_of(life).map(|spec| spec.unknown.wait).chain(of_house);
        waits.map(Duration::from_micros).any(|wait| wait == span)
    };
    match now.state {
        AttemptState::Unknown { until: Alarm { at, boot: Some(boot) }, .. } => {
            let (by_boot, by_wall) = (boot.since(decided.boot), at.duration_since(decided.wall));
            (!waits(by_boot) || !waits(by_wall))
                .then(|| format!("it waits for news for {by_boot:?}, {by_wall:?}"))
        }
        AttemptState::Ended { exit: None, .. } if !run.is_ended() => {
            (!waits(Duration::ZERO)).then(|| format!("nothing was waited for at {}", decided.wall))
        }
        AttemptState::Launching
        | AttemptState::Running { .. }
        | AttemptState::Stopping { .. }
        | AttemptState::Unknown { .. }
        | AttemptState::Ended { .. } => None,
    }
}

/// The shortest and the longest pause after so many failures.
pub(crate) fn pauses(retries: &Retries, failures: usize) -> (Duration, Duration) {
    let base = i128::from(retries.delay.unwrap_or(DELAY)) * 1_000;
    let Some(growth) = retries.backoff else {
        let span = Duration::from_nanos_i128(base);
        return (span, span);
    };
    let longest = growth.max.map_or(i128::from(i64::MAX), |max| i128::from(max) * 1_000);
    let mut span = base;
    for _ in 1..failures {
        span = (span * i128::from(growth.factor) / 1_000).min(longest);
    }
    let span = span.min(longest);
    let most = span + span * i128::from(growth.jitter) / 1_000;
    (Duration::from_nanos_i128(span), Duration::from_nanos_i128(most))
}

/// How many of the attempts have failed and are known to have.
pub(crate) fn failures(attempts: &[Attempt]) -> usize {
    let failed = |it: &&Attempt| matches!(it.state, AttemptState::Ended { exit: Some(_), .. });
    attempts.iter().filter(failed).count()
}

/// Whether it has no more attempts than it may, and no two new ones.
fn number(record: &Record, run: &Run, had: usize) -> Option<String> {
    let life = run.id.incarnation;
    let most = record.spec_of(life).map(|spec| spec.retries.most).max().unwrap_or(0);
    let most = usize::try_from(most).expect("not negative") + 1;
    let known = failures(&run.attempts);
    let unknown = |it: &&Attempt| matches!(it.state, AttemptState::Ended { exit: None, .. });
    let unknown = run.attempts.iter().filter(unknown).count();
    if run.attempts.len() > had + 1 {
        return Some(format!("it had {had} attempts"));
    }
    if known > most || unknown > RELAUNCHES_MAX + 1 {
        return Some(format!("{known} attempts have failed and {unknown} are unknown"));
    }
    let stopped = record.stopping.get(&run.id).copied();
    stopped
        .filter(|had| run.attempts.len() > *had)
        .map(|had| format!("it was stopped for good after {had} attempts"))
}

/// Whether there is a reason for the last attempt, which is not the first and new.
fn reason(record: &mut Record, run: &Run, decided: Decided) -> Option<String> {
    let [.., before, new] = &run.attempts[..] else { return None };
    let life = run.id.incarnation;
    if new.launched_at != decided.wall {
        return Some("its last attempt is new, and not just launched".to_owned());
    }
    match &before.state {
        AttemptState::Ended { exit: None, .. } => {
            record.played.relaunches += 1;
            let relaunches = |then| then == UnknownThen::Relaunch;
            // Whoever asks for another attempt knows that the command may be executed twice.
            let is_asked = record.operated.contains(&run.id);
            (!is_asked && !record.spec_of(life).any(|spec| relaunches(spec.unknown.then)))
                .then(|| "it is launched again after a doubt".to_owned())
        }
        AttemptState::Ended { exit: Some(exit), .. } => {
            record.played.retries += 1;
            // That another attempt follows and until when are decided at two instants, between which the job may have
            // become another.
            let follows =
                |retries: &Retries| *exit != Exit::Code(0) && !is_final(&retries.ends, exit);
            let in_time = |retries: &Retries| {
                latest(run, retries).is_none_or(|latest| decided.wall <= latest)
            };
            let is_allowed = record.spec_of(life).any(|spec| follows(&spec.retries))
                && record.spec_of(life).any(|spec| in_time(&spec.retries));
            (!is_allowed).then(|| format!("it is tried again at {} after {exit:?}", decided.wall))
        }
        AttemptState::Launching
        | AttemptState::Running { .. }
        | AttemptState::Stopping { .. }
        | AttemptState::Unknown { .. } => Some("it has two live attempts".to_owned()),
    }
}

/// Whether no attempt follows one that ended like this.
pub(crate) fn is_final(ends: &RetryEnds, exit: &Exit) -> bool {
    match (ends, exit) {
        (RetryEnds::All, _) => false,
        (RetryEnds::Codes(codes), Exit::Code(code)) => !codes.contains(code),
        (
            RetryEnds::Codes(_),
            Exit::Signal(_) | Exit::Killed | Exit::Failed { .. } | Exit::CouldNotStart { .. },
        ) => true,
        (RetryEnds::NotCodes(codes), Exit::Code(code)) => codes.contains(code),
        (
            RetryEnds::NotCodes(_),
            Exit::Signal(_) | Exit::Killed | Exit::Failed { .. } | Exit::CouldNotStart { .. },
        ) => false,
    }
}

/// The last instant at which another attempt may begin.
pub(crate) fn latest(run: &Run, retries: &Retries) -> Option<Timestamp> {
    let until = Duration::from_micros(retries.until?);
    Some(run.trigger.due_at().saturating_add(until).expect("within this century"))
}

/// Whether attempts that are over stay as they are.
fn kept(before: &Run, run: &Run) -> Option<String> {
    let is_over = |it: &&Attempt| matches!(it.state, AttemptState::Ended { .. });
    let lost =
        before.attempts.iter().filter(is_over).any(|attempt| !run.attempts.contains(attempt));
    lost.then(|| format!("what is over has changed: {before:?}"))
}

/// Remembers what may not happen to the run from now on.
fn note(record: &mut Record, before: Option<&Run>, run: &Run, decided: Decided) {
    for attempt in &run.attempts {
        if let AttemptState::Ended { exit: None, .. } = attempt.state {
            record.given_up.entry(attempt.task_id.clone()).or_insert(decided.wall);
        }
    }
    let Some(attempt) = run.attempts.last() else { return };
    let was_unknown = before.and_then(Run::live_attempt).is_some_and(|before| {
        before.task_id == attempt.task_id && matches!(before.state, AttemptState::Unknown { .. })
    });
    match attempt.state {
        AttemptState::Stopping { why, .. } | AttemptState::Unknown { why: Some(why), .. } => {
            match why {
                StopReason::Requested | StopReason::JobDeleted | StopReason::Superseded => {
                    record.stopping.insert(run.id, run.attempts.len());
                }
                StopReason::TimedOut => {}
            }
        }
        AttemptState::Running { .. } | AttemptState::Ended { exit: Some(_), .. } if was_unknown => {
            record.played.found_again += 1;
        }
        AttemptState::Launching
        | AttemptState::Running { .. }
        | AttemptState::Unknown { why: None, .. }
        | AttemptState::Ended { .. } => {}
    }
}
