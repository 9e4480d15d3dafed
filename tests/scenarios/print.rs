//! What happened, in lines that a person reads.

use chronode::engine::lineage::Followed;
use chronode::engine::{Effect, Note, Reply};
use chronode::model::{
    AttemptState, Became, Exit, HistoryEntry, JobName, JobRecord, Run, RunState, Stretch, Trigger,
};

pub(crate) fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Launch(launch) => {
            format!("launch {} on {}, term {}", launch.task_id, launch.agent, launch.term.0)
        }
        Effect::Kill { task_id, grace } if grace.as_secs() == 5 => format!("kill {task_id}"),
        Effect::Kill { task_id, grace } => {
            format!("kill {task_id}, after {} s at the latest", grace.as_secs())
        }
        Effect::Reconcile(questions) => {
            let tasks: Vec<&str> =
                questions.iter().map(|question| question.task_id.as_str()).collect();
            format!("ask after {}", tasks.join(" "))
        }
        Effect::Acknowledge(task_id) => format!("acknowledge {task_id}"),
        Effect::Release(offers) => {
            let offers: Vec<&str> = offers.iter().map(|offer| offer.as_str()).collect();
            format!("give back {}", offers.join(" "))
        }
        Effect::Demand(true) => "ask for offers".to_owned(),
        Effect::Demand(false) => "want no offers".to_owned(),
        Effect::Reply(_, answer) => format!("answer: {}", reply(answer)),
    }
}

fn reply(reply: &Reply) -> String {
    match reply {
        Reply::Stored { created, warnings, consequences, .. } => {
            let word = if *created { "created" } else { "replaced" };
            [&[word.to_owned()], &warnings[..], &consequences[..]].concat().join("; ")
        }
        Reply::Deleted { consequences } => {
            [&["deleted".to_owned()], &consequences[..]].concat().join("; ")
        }
        Reply::Triggered { run } => format!("triggered {run}"),
        Reply::Stopping { count } => format!("stopping {count}"),
        Reply::Marked { run } => format!("marked {run}"),
        Reply::QueueCleared => "queue cleared".to_owned(),
        Reply::Completed { is_known: true } => "completed".to_owned(),
        Reply::Completed { is_known: false } => "unknown task".to_owned(),
        Reply::Progressed { elements } => format!("{elements} elements"),
        Reply::CutOver { at, names, consequences } => {
            let told = format!("{} jobs cut over at {at}", names.len());
            [&[told], &consequences[..]].concat().join("; ")
        }
        Reply::Applied { jobs } => {
            let words = jobs.iter().map(|job| format!("{} {}", job.name, job.outcome.as_str()));
            words.collect::<Vec<_>>().join("; ")
        }
        Reply::Operated { run, became } => match became {
            Became::Stopping => format!("{run} is being stopped"),
            Became::Ended(verdict) => format!("{run} {}", verdict.as_str()),
            Became::TriedAgain => format!("{run} is tried again"),
            Became::Followed { by } => format!("{run} is followed by {by}"),
        },
        Reply::Paused { names } => {
            let names: Vec<&str> = names.iter().map(JobName::as_str).collect();
            format!("paused or resumed: [{}]", names.join(" "))
        }
        Reply::SkippedAhead { due_at } => format!("skipped ahead or not: {due_at}"),
        Reply::Backfilled { id } => format!("backfill {id}"),
        Reply::Dropped { count, left } => format!("{count} dropped, {left} left"),
        Reply::Done => "done".to_owned(),
        Reply::ApplyRefused(refused) => {
            let sentences = refused.iter().map(|(index, why)| format!("{index}: {}", why.message));
            format!("refused, {}", sentences.collect::<Vec<_>>().join("; "))
        }
        Reply::Refused(rejection) => {
            format!("refused, {}: {}", rejection.code.as_str(), rejection.message)
        }
    }
}

/// What is to follow once more, and with what.
pub(crate) fn followed(followed: &Followed) -> String {
    let Followed { run, borrows } = followed;
    let borrows: Vec<String> =
        borrows.iter().map(|(job, borrowed)| format!("{job} {}", borrowed.run)).collect();
    let with = if borrows.is_empty() { "nothing borrowed".to_owned() } else { borrows.join(", ") };
    format!("below: {} due {} with {with}", run.job, run.trigger.due_at())
}

pub(crate) fn note(note: &Note) -> String {
    let mark = if note.is_warning { "!" } else { "·" };
    match &note.job {
        Some(job) => format!("{mark} {job}: {}", note.text),
        None => format!("{mark} {}", note.text),
    }
}

pub(crate) fn job(record: &JobRecord) -> String {
    let JobRecord { incarnation, revision, job, stats, progress, .. } = record;
    let disabled = if job.disabled { ", disabled" } else { "" };
    format!(
        "{} is {incarnation} revision {revision}{disabled}; {} succeeded, {} failed; decided through {}",
        job.name, stats.success_count, stats.error_count, progress.decided_through
    )
}

pub(crate) fn entry(entry: &HistoryEntry) -> String {
    match entry {
        HistoryEntry::Run(run) => format!("{}. {}", run.sequence, self::run(run)),
        HistoryEntry::Stretch(stretch) => {
            format!("{}. {}", stretch.sequence, self::stretch(stretch))
        }
    }
}

fn stretch(stretch: &Stretch) -> String {
    let Stretch { job, verdict, reason, first_due_at, last_due_at, count, .. } = stretch;
    format!("{job}: {count} due {first_due_at} to {last_due_at} {}: {reason}", verdict.as_str())
}

fn run(run: &Run) -> String {
    let why = match run.trigger {
        Trigger::Schedule { due_at, .. } => format!("due {due_at}"),
        Trigger::CatchUp { due_at } => format!("due {due_at}, caught up"),
        Trigger::Manual { due_at, at } if due_at == at => format!("asked for at {at}"),
        Trigger::Manual { due_at, at } => format!("due {due_at}, asked for at {at}"),
        Trigger::Retry { of, due_at, at } => format!("due {due_at}, retries {of} at {at}"),
        Trigger::Backfill { of, due_at, at } => format!("due {due_at}, of backfill {of} at {at}"),
        Trigger::Parents { due_at, at } => {
            let causes: Vec<String> = run.causes.iter().map(ToString::to_string).collect();
            format!("due {due_at}, after {} at {at}", causes.join(" "))
        }
    };
    let stands = match &run.state {
        RunState::Queued => "queued".to_owned(),
        RunState::Pending { deadline: None } => "pending".to_owned(),
        RunState::Pending { deadline: Some(at) } => format!("pending until {at}"),
        RunState::Active => "active".to_owned(),
        RunState::Waiting { until } => format!("waits until {}", until.at),
        RunState::Reporting { until: None } => "reporting".to_owned(),
        RunState::Reporting { until: Some(until) } => format!("reporting until {}", until.at),
        RunState::Ended { verdict, at, reason } if reason.is_empty() => {
            format!("{} at {at}", verdict.as_str())
        }
        RunState::Ended { verdict, at, reason } => {
            format!("{} at {at}: {reason}", verdict.as_str())
        }
    };
    let attempts: Vec<String> =
        run.attempts.iter().map(|a| format!(" #{} {}", a.index, attempt(&a.state))).collect();
    format!("{} {why}, {stands};{}", run.job, attempts.join(","))
}

fn attempt(state: &AttemptState) -> String {
    match state {
        AttemptState::Launching => "launching".to_owned(),
        AttemptState::Running { started_at, .. } => format!("running since {started_at}"),
        AttemptState::Stopping { why, .. } => format!("stopping ({})", why.as_str()),
        AttemptState::Unknown { until, .. } => format!("out of sight until {}", until.at),
        AttemptState::Ended { exit: None, .. } => "in doubt".to_owned(),
        AttemptState::Ended { exit: Some(exit), .. } => match exit {
            Exit::Code(code) => format!("exit {code}"),
            Exit::Signal(signal) => format!("signal {signal}"),
            Exit::Killed => "killed".to_owned(),
            Exit::Failed { .. } => "failed".to_owned(),
            Exit::CouldNotStart { .. } => "could not start".to_owned(),
        },
    }
}
