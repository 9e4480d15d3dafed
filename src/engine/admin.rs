//! What clients ask of one job: create, replace and delete it, run it now, stop its runs.
//!
//! A request is answered in the decision that carries it out, so nobody hears of a change before it is durable. What
//! cannot be done is refused whole, with the field and the remedy.

use std::borrow::Cow;

use crate::model::{
    Ask, Dialect, Duration, Intervention, Interventions, Job, JobDraft, JobName, JobRecord,
    JobStats, Progress, Run, SECRET_SHOWN, ScheduleTerms, Shadow, StopReason, Timestamp, Trigger,
    When, just_before,
};
use crate::placement::Conditions;
use crate::schedule::{Schedule, ScheduleError};

use super::decision::Change;
use super::entry::{JobEntry, needs_machine};
use super::event::{Rejection, RejectionCode, Reply};
use super::intake::{Intake, New};
use super::{Step, backfill, due, family, intake, launch, round, shell_text, status, zones};

/// Runs of one job that may be live at once, counted when a person asks for another. More is a script gone wild.
const LIVE_RUNS_MAX: usize = 1_000;

pub(super) fn put(
    step: &mut Step<'_>,
    draft: &JobDraft,
    dialect: Dialect,
) -> Result<Reply, Rejection> {
    let existing = step.state.job(&draft.name);
    check_draft(draft, existing)?;
    let job = draft.clone().resolve(
        existing.map(|entry| &*entry.job),
        dialect,
        &step.state.settings.defaults,
    );
    let origin = existing.and_then(|entry| entry.interventions.origin.clone());
    let mut reply = put_job(step, job, draft.stats.clone(), dialect)?;
    if let (Reply::Stored { consequences, .. }, Some(origin)) = (&mut reply, origin) {
        consequences.push(format!(
            "`{}` comes from the source `{}`: what it says there is stored again when that is applied next",
            draft.name, origin.source
        ));
    }
    Ok(reply)
}

/// What a body says that contradicts itself, or what only another call may change.
pub(super) fn check_draft(draft: &JobDraft, existing: Option<&JobEntry>) -> Result<(), Rejection> {
    let existing = existing.map(|entry| &*entry.job);
    if draft.overlap_contradicts(existing) {
        return Err(Rejection {
            remedy: "leave one of them out".to_owned(),
            ..invalid("overlap", "`overlap` contradicts `concurrent`".to_owned())
        });
    }
    if let (Some(Shadow::Until(given)), Some(stored)) =
        (draft.shadow, existing.map(|job| job.shadow))
        && stored != Shadow::Until(given)
    {
        let stands = match stored {
            Shadow::Off => return Ok(()),
            Shadow::On => "it is planned until somebody cuts it over".to_owned(),
            Shadow::Until(until) => format!("it is cut over at {until:.3}"),
        };
        let message =
            format!("job '{}' cannot be sent as planned until {given:.3}: {stands}", draft.name);
        return Err(Rejection {
            remedy:
                "leave `shadow` out; POST cutover sets the instant, `false` ends planning at once"
                    .to_owned(),
            ..invalid("shadow", message)
        });
    }
    Ok(())
}

/// Stores a definition that came through the door `dialect`. `stats` count if the name is new.
pub(super) fn put_job(
    step: &mut Step<'_>,
    job: Job,
    stats: JobStats,
    dialect: Dialect,
) -> Result<Reply, Rejection> {
    let now = step.now.wall;
    let existing = step.state.job(&job.name);
    if existing.is_none() {
        check_count(step)?;
    }
    let (schedule, warnings) = check(step, &job)?;
    let schedule = schedule.as_ref();
    if let (None, Dialect::V1, Some(start)) =
        (existing, dialect, schedule.and_then(Schedule::start))
    {
        check_start(start)?;
    }
    if let Some(entry) = existing {
        check_arguments_waiting(step, entry, &job)?;
    }
    let consequences = family::consequences_of_put(step, existing, &job);
    // What the old schedule owed up to now is decided by the old schedule. What is due and waits for its jitter was not
    // owed yet: it is the new schedule's, if that names it.
    let settled = existing.map(|entry| (entry, due::settle(step, entry)));
    // A job with parents has no occurrences; what it had decided before stays decided.
    let owed_after =
        schedule.map_or(Timestamp::UNIX_EPOCH, |schedule| owed_after(schedule, &job, now));
    let is_other = existing.is_none_or(|entry| entry.job.when != job.when);
    let owed_after = if schedule.is_some() && is_other {
        owed_after.max(planned_after(&job, now))
    } else {
        owed_after
    };
    let record = match settled {
        Some((entry, progress)) => JobRecord {
            incarnation: entry.incarnation,
            revision: entry.revision + 1,
            accepted_at: now,
            stats: stats_kept(entry, &job),
            progress: Progress {
                decided_through: progress.decided_through.max(owed_after),
                stretch: None,
                boot_id: if entry.is_at_boot() {
                    progress.boot_id.clone().filter(|_| schedule.is_some_and(Schedule::is_at_boot))
                } else {
                    schedule.and_then(|schedule| present_boot(step, schedule))
                },
                rounds: family::rounds_kept(step, entry, &progress, &job),
            },
            job,
            interventions: step.interventions(entry),
        },
        None => JobRecord {
            incarnation: crate::model::Incarnation(step.state.last_incarnation() + 1),
            revision: 1,
            accepted_at: now,
            job,
            stats,
            progress: Progress {
                decided_through: owed_after,
                stretch: None,
                boot_id: schedule.and_then(|schedule| present_boot(step, schedule)),
                rounds: Vec::new(),
            },
            interventions: Interventions::default(),
        },
    };
    let created = existing.is_none();
    let version = record.version();
    let word = if created { "created" } else { "replaced" };
    step.note(&record.job.name, format!("{word}, revision {}", record.revision));
    for sentence in &consequences {
        step.note(&record.job.name, sentence.clone());
    }
    if let (When::Schedule(terms), Some(schedule)) = (&record.job.when, schedule) {
        zones::keep_for(step, &terms.zone, schedule);
    }
    step.change(Change::JobStored(Box::new(record.clone())));
    if let Some(entry) = existing {
        // Nothing has to wait any more that the new definition lets run.
        intake::advance(step, entry, &record.job);
        step.progressed.insert(entry.incarnation, record.progress.clone());
        round::decide_rounds(step, &JobEntry::new(record, &step.state.settings));
    }
    Ok(Reply::Stored { version, created, warnings, consequences })
}

/// Whether there is room for one more. What is there may always be replaced, also where there is too much of it.
fn check_count(step: &Step<'_>) -> Result<(), Rejection> {
    let (there, max) = (step.state.job_count(), step.state.settings.max_jobs);
    if there < max {
        return Ok(());
    }
    Err(Rejection {
        code: RejectionCode::LimitReached,
        message: format!("there are {there} jobs, and no more than {max} may be"),
        field: "".into(),
        position: None,
        remedy: "delete jobs that nobody needs, or start the server with more `--max_jobs`"
            .to_owned(),
    })
}

/// What Chronos 3 demands of a new job; 2.x does not, and neither asks when a job is replaced.
fn check_start(start: Timestamp) -> Result<(), Rejection> {
    if start.as_second() >= 1 {
        return Ok(());
    }
    let message = format!("Scheduled start date '{start:.3}' is before 1970!");
    Err(Rejection {
        remedy: "give the schedule a start from 1970-01-01T00:00:01Z on".to_owned(),
        ..invalid("schedule", message)
    })
}

/// A run that has arguments of its own was asked for while the text took them; so must the text that it will be begun,
/// or tried again, with.
fn check_arguments_waiting(step: &Step<'_>, entry: &JobEntry, job: &Job) -> Result<(), Rejection> {
    let Err(ends) = takes_arguments(job) else { return Ok(()) };
    let waiting = step.state.live_runs(entry.incarnation).find(|run| run.arguments.is_some());
    let Some(run) = waiting else { return Ok(()) };
    let message = format!(
        "the text {ends}, and run {} has arguments of its own, which would be more than arguments there",
        run.id
    );
    Err(Rejection {
        remedy: "wait for the run, or stop it with DELETE task/kill".to_owned(),
        ..invalid("command", message)
    })
}

/// Whether arguments of a run are arguments of the job's last command; the error says how its text ends.
fn takes_arguments(job: &Job) -> Result<(), &'static str> {
    if !job.shell || launch::is_download(&job.command) {
        return Ok(());
    }
    shell_text::takes_arguments(&job.command)
}

/// A replace keeps the counts; but whoever enables a job again wants it to fail as often again before it is disabled.
fn stats_kept(entry: &JobEntry, job: &Job) -> JobStats {
    let is_enabled = entry.job.disabled && !job.disabled;
    let mut stats = entry.stats.clone();
    if is_enabled {
        stats.errors_since_last_success = 0;
    }
    stats
}

/// How far a definition that is accepted now owes nothing. What is still inside its window is owed; what closed before
/// is not, and nothing is recorded of it (DIFFERENCE: Chronos 3 runs a new job at once whose start is past).
fn owed_after(schedule: &Schedule, job: &Job, now: Timestamp) -> Timestamp {
    let jitter = match &job.when {
        When::Schedule(terms) => terms.jitter.as_ref().map_or(Duration::ZERO, |it| it.span),
        When::Parents(_) => Duration::ZERO,
    };
    // What was due by then has opened and closed: a window opens no later than the jitter after that.
    let back = job.epsilon.span.saturating_add(jitter).saturating_add(Duration::from_secs(1));
    let after = now.saturating_sub(back).unwrap_or(Timestamp::MIN);
    due::closed_through(schedule, job.epsilon.span, after, now)
}

/// How far a schedule that is planned only from now on owes nothing either: what was due before its acceptance is the
/// other scheduler's, and counted there already, so that it is not recorded here as well.
fn planned_after(job: &Job, now: Timestamp) -> Timestamp {
    let first = match job.shadow {
        Shadow::Off => return Timestamp::MIN,
        Shadow::On => now,
        Shadow::Until(until) => until.min(now),
    };
    just_before(first)
}

/// The start of the machine that a job which runs at each need not run at: it is accepted after it.
fn present_boot(step: &Step<'_>, schedule: &Schedule) -> Option<String> {
    let boot = step.state.settings.machine.as_ref().ok();
    boot.filter(|_| schedule.is_at_boot()).map(|boot| boot.id.clone())
}

/// What this installation, the schedule and the parents have to say about a job. Returns its schedule, if it has one, and
/// what is odd but accepted.
fn check(step: &Step<'_>, job: &Job) -> Result<(Option<Schedule>, Vec<String>), Rejection> {
    let abilities = &step.state.settings.abilities;
    let schedule = check_when(step, job)?;
    let mut warnings = schedule.as_ref().map(|it| it.warnings().to_vec()).unwrap_or_default();
    if job.environment.iter().any(|v| v.secret && v.value == SECRET_SHOWN) {
        return Err(invalid(
            "environmentVariables",
            format!(
                "a secret is `{SECRET_SHOWN}`, and no value is stored that this could stand for"
            ),
        ));
    }
    if job.epsilon.span.is_negative() {
        return Err(invalid("epsilon", format!("epsilon `{}` is negative", job.epsilon.text)));
    }
    Conditions::compile(&job.constraints).map_err(|e| invalid("constraints", e.to_string()))?;
    if let Some(only) = &abilities.only_user
        && !job.run_as_user.is_empty()
        && job.run_as_user != *only
    {
        return Err(unsupported(
            "runAsUser",
            format!(
                "commands can only be run as `{only}`, not as `{}`: Chronode does not run as root",
                job.run_as_user
            ),
            "leave `runAsUser` out, or run Chronode as root",
        ));
    }
    if let Some(users) = &abilities.run_as
        && !users.contains(&job.run_as_user)
    {
        return Err(unsupported(
            "runAsUser",
            format!("commands may not run as `{}` here", job.run_as_user),
            &format!("give `runAsUser` as one of {}", users.join(", ")),
        ));
    }
    if job.container.is_some() && !abilities.containers {
        return Err(unsupported(
            "container",
            "the local launcher has no containerizer".to_owned(),
            "leave `container` out and start the container in `command`",
        ));
    }
    if !job.executor.is_empty() && !abilities.executors {
        return Err(unsupported(
            "executor",
            "the local launcher runs no custom executors".to_owned(),
            "leave `executor` out and give a `command`",
        ));
    }
    if job.resources.ports > 0 && !abilities.ports {
        return Err(unsupported(
            "ports",
            "the local launcher gives no ports to commands".to_owned(),
            "leave `ports` out and name the port in `command`",
        ));
    }
    if job.command.is_empty() && job.executor.is_empty() && job.container.is_none() {
        warnings.push("`command` is empty: the job does nothing".to_owned());
    }
    if !job.arguments.is_empty()
        && let Err(ends) = takes_arguments(job)
    {
        warnings.push(format!(
            "`command` {ends}: what `arguments` says follows it all the same, as a command of its own or for nothing"
        ));
    }
    Ok((schedule, warnings))
}

fn check_when(step: &Step<'_>, job: &Job) -> Result<Option<Schedule>, Rejection> {
    let settings = &step.state.settings;
    let terms = match &job.when {
        When::Schedule(terms) => terms,
        When::Parents(terms) => {
            family::check_parents(step, &job.name, terms)?;
            return Ok(None);
        }
    };
    let schedule = Schedule::of(job.name.as_str(), terms, step.now.wall, &settings.zones)
        .map_err(|error| refused_terms(terms, &error))?;
    if let (true, Err(reason)) = (schedule.is_at_boot(), &settings.machine) {
        return Err(unsupported(
            "schedule",
            needs_machine(terms, reason),
            "give the job instants, such as `@hourly`, or let each machine start the command itself",
        ));
    }
    Ok(Some(schedule))
}

/// Deletes a job that a source may have, which is told.
pub(super) fn delete_by_hand(
    step: &mut Step<'_>,
    name: &JobName,
    by: Option<&Intervention>,
) -> Result<Reply, Rejection> {
    let origin = find(step, name)?.interventions.origin.clone();
    let mut reply = delete(step, name, by)?;
    if let (Reply::Deleted { consequences }, Some(origin)) = (&mut reply, origin)
        && !origin.is_gone
    {
        consequences.push(format!(
            "`{name}` comes from the source `{}`: it is created again when that is applied next",
            origin.source
        ));
    }
    Ok(reply)
}

pub(super) fn delete(
    step: &mut Step<'_>,
    name: &JobName,
    by: Option<&Intervention>,
) -> Result<Reply, Rejection> {
    let entry = find(step, name)?;
    let progress = due::settle(step, entry);
    let consequences = family::hand_on(step, entry, &progress);
    for run in all_live(step, entry) {
        let before_start = "its job was deleted before it started";
        stop(step, &run, StopReason::JobDeleted, by, before_start);
    }
    backfill::drop_all(step, entry.incarnation);
    step.note(name, by.map_or_else(|| "deleted".to_owned(), |by| by.tell("deleted it")));
    step.change(Change::JobRemoved { incarnation: entry.incarnation, name: name.clone() });
    Ok(Reply::Deleted { consequences })
}

pub(super) fn run_now(step: &mut Step<'_>, name: &JobName, ask: &Ask) -> Result<Reply, Rejection> {
    let entry = find(step, name)?;
    check_launched(step, entry)?;
    check_room(step, entry)?;
    let Ask { arguments, environment, due_at, by } = ask.clone();
    let arguments = arguments.filter(|text| !text.trim().is_empty());
    check_arguments(entry, arguments.as_deref())?;
    let now = step.now.wall;
    let trigger = Trigger::Manual { due_at: due_at.unwrap_or(now), at: now };
    let new = New { arguments, environment, by, ..New::of(trigger) };
    let id = Intake::new(step, entry).ask(step, new);
    step.note(name, format!("run {id} asked for"));
    Ok(Reply::Triggered { run: id })
}

/// Refuses arguments of a run where they would not be arguments.
pub(super) fn check_arguments(entry: &JobEntry, arguments: Option<&str>) -> Result<(), Rejection> {
    let (Some(_), Err(ends)) = (arguments, takes_arguments(&entry.job)) else { return Ok(()) };
    let name = &entry.job.name;
    Err(Rejection {
        remedy: "leave them out, or let `command` end in the command that they are for".to_owned(),
        ..invalid(
            "arguments",
            format!(
                "job '{name}' takes no arguments: its `command` {ends}, where they would not be arguments of its last command"
            ),
        )
    })
}

/// Refuses what would launch a job that is only planned here.
pub(super) fn check_launched(step: &Step<'_>, entry: &JobEntry) -> Result<(), Rejection> {
    if !entry.job.shadow.covers(step.now.wall) {
        return Ok(());
    }
    let name = &entry.job.name;
    Err(Rejection {
        remedy: "cut it over first, or run it where it is launched".to_owned(),
        ..invalid(
            "shadow",
            format!("job '{name}' is only planned here, so nothing of it is launched"),
        )
    })
}

/// Refuses another run that a person asks for when there are too many.
pub(super) fn check_room(step: &Step<'_>, entry: &JobEntry) -> Result<(), Rejection> {
    let live = step.state.live_runs(entry.incarnation).count();
    if live < LIVE_RUNS_MAX {
        return Ok(());
    }
    Err(Rejection {
        code: RejectionCode::LimitReached,
        message: format!("job '{}' has {live} runs that are not over", entry.job.name),
        field: "".into(),
        position: None,
        remedy: "wait for them, or stop them with DELETE task/kill".to_owned(),
    })
}

pub(super) fn kill(
    step: &mut Step<'_>,
    name: &JobName,
    by: Option<&Intervention>,
) -> Result<Reply, Rejection> {
    let entry = find(step, name)?;
    let live = all_live(step, entry);
    for run in &live {
        let before_start = "it was stopped on request before it started";
        stop(step, run, StopReason::Requested, by, before_start);
    }
    let asked = format!("{} runs asked to stop", live.len());
    step.note(name, by.map_or_else(|| asked.clone(), |by| by.tell(&format!("had {asked}"))));
    Ok(Reply::Stopping { count: live.len() })
}

/// Stops one of the runs of a job. Who had it stopped before stands.
fn stop(
    step: &mut Step<'_>,
    run: &Run,
    why: StopReason,
    by: Option<&Intervention>,
    before_start: &str,
) {
    match by {
        Some(by) if run.stopped_by.is_none() => status::stop_by(step, run, why, by),
        Some(_) | None => status::stop(step, run, why, before_start),
    }
}

/// The live runs of a job, those that this very step has made included.
fn all_live(step: &Step<'_>, entry: &JobEntry) -> Vec<Run> {
    step.live_runs(entry.incarnation).into_iter().cloned().collect()
}

pub(super) fn find<'a>(step: &Step<'a>, name: &JobName) -> Result<&'a JobEntry, Rejection> {
    step.state.job(name).ok_or_else(|| Rejection {
        code: RejectionCode::UnknownJob,
        message: format!("Job '{name}' not found"),
        field: "name".into(),
        position: None,
        remedy: "GET jobs lists the names there are".to_owned(),
    })
}

/// Clients of Chronos look for the first words.
fn refused_terms(terms: &ScheduleTerms, error: &ScheduleError) -> Rejection {
    let message = match &*error.field {
        "schedule" | "scheduleTimeZone" => {
            format!("Cannot parse schedule '{}': {error}", terms.text)
        }
        _ => error.to_string(),
    };
    Rejection {
        position: Some(error.span.clone()),
        remedy: error.parts().1.to_owned(),
        ..invalid(error.field.clone(), message)
    }
}

pub(super) fn invalid(field: impl Into<Cow<'static, str>>, message: String) -> Rejection {
    let field = field.into();
    Rejection {
        code: RejectionCode::InvalidField,
        message,
        field,
        position: None,
        remedy: String::new(),
    }
}

fn unsupported(field: &'static str, message: String, remedy: &str) -> Rejection {
    let field = Cow::Borrowed(field);
    Rejection {
        code: RejectionCode::Unsupported,
        message,
        field,
        position: None,
        remedy: remedy.to_owned(),
    }
}
