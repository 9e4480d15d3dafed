//! What an operator does about one run, whatever it stands like.
//!
//! [`doing`] is a table without a default: for each way in which a run can stand and each verb, what is done or why it
//! cannot be. A run that is over stays what it was; trying it again, or counting it as succeeded, is another run for the
//! same instant that names it.

use std::collections::BTreeSet;

use crate::model::{
    AttemptState, Became, Contribution, Incarnation, Intervention, JobName, Join, Run, RunId,
    RunState, RunVerb, Source, StopReason, Trigger, Verdict, When, limits,
};

use super::entry::JobEntry;
use super::event::{Below, PastRun, Rejection, RejectionCode, Reply};
use super::intake::{Intake, New};
use super::transition::RunStanding;
use super::{Step, admin, intake, round, status};

/// Where a run stands, as far as [`doing`] tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It is live; whether anything of it was ever begun.
    Live(RunStanding, bool),
    /// It is over.
    Over(Verdict),
}

/// What is done about a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Its command is stopped, or it ends here.
    Stop,
    /// It ends here, so.
    End(Verdict),
    /// It waits no longer for its next attempt.
    TryNow,
    /// What nobody can say of its attempt is given up, and another attempt follows.
    GiveUp,
    /// Another run for the same instant is recorded.
    Follow,
    /// A success for the same instant is recorded that nobody executed.
    Mark,
    /// Nothing.
    Refuse(Why),
}

/// Why nothing can be done about a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    IsOver,
    HasSucceeded,
    NotTried,
    IsNext,
    WasTried,
    Runs,
    InDoubt,
    AwaitsReport,
}

pub(super) const fn doing(place: Place, verb: RunVerb) -> Doing {
    use RunStanding as S;
    match (place, verb) {
        (Place::Live(..), RunVerb::Kill) => Doing::Stop,
        (Place::Over(_), RunVerb::Kill | RunVerb::Skip) => Doing::Refuse(Why::IsOver),

        (Place::Live(S::Queued | S::Pending, false), RunVerb::Retry | RunVerb::RetryDown) => {
            Doing::Refuse(Why::NotTried)
        }
        (Place::Live(S::Queued | S::Pending, true), RunVerb::Retry | RunVerb::RetryDown) => {
            Doing::Refuse(Why::IsNext)
        }
        (Place::Live(S::Active, _), RunVerb::Retry | RunVerb::RetryDown) => {
            Doing::Refuse(Why::Runs)
        }
        // As `onUnknown: relaunch` does by itself: whoever asks knows that the command may be executed twice.
        (Place::Live(S::Doubtful, _), RunVerb::Retry | RunVerb::RetryDown) => Doing::GiveUp,
        // Its start window opens later, as the clock is now.
        (Place::Live(S::Waiting, false), RunVerb::Retry | RunVerb::RetryDown) => {
            Doing::Refuse(Why::NotTried)
        }
        (Place::Live(S::Waiting, true), RunVerb::Retry | RunVerb::RetryDown) => Doing::TryNow,
        (Place::Live(S::Reporting, _), RunVerb::Retry | RunVerb::RetryDown) => {
            Doing::Refuse(Why::AwaitsReport)
        }
        (Place::Over(_), RunVerb::Retry | RunVerb::RetryDown) => Doing::Follow,

        // Nobody can say that of a command which goes on.
        (Place::Live(S::Active, _), RunVerb::Succeed) => Doing::Refuse(Why::Runs),
        (
            Place::Live(S::Queued | S::Pending | S::Waiting | S::Doubtful | S::Reporting, _),
            RunVerb::Succeed,
        ) => Doing::End(Verdict::Succeeded),
        (Place::Over(Verdict::Succeeded), RunVerb::Succeed) => Doing::Refuse(Why::HasSucceeded),
        (
            Place::Over(
                Verdict::Failed
                | Verdict::Missed
                | Verdict::Skipped
                | Verdict::Killed
                | Verdict::Lost
                | Verdict::Superseded,
            ),
            RunVerb::Succeed,
        ) => Doing::Mark,

        (Place::Live(S::Active, _), RunVerb::Skip) => Doing::Refuse(Why::Runs),
        (Place::Live(S::Doubtful, _), RunVerb::Skip) => Doing::Refuse(Why::InDoubt),
        (Place::Live(S::Reporting, _), RunVerb::Skip) => Doing::Refuse(Why::AwaitsReport),
        (Place::Live(S::Queued | S::Pending | S::Waiting, false), RunVerb::Skip) => {
            Doing::End(Verdict::Skipped)
        }
        // It would be untrue: something of it was executed.
        (Place::Live(S::Queued | S::Pending | S::Waiting, true), RunVerb::Skip) => {
            Doing::Refuse(Why::WasTried)
        }
    }
}

impl Place {
    fn of(run: &Run) -> Option<Self> {
        match run.state {
            RunState::Ended { verdict, .. } => Some(Self::Over(verdict)),
            RunState::Queued
            | RunState::Pending { .. }
            | RunState::Active
            | RunState::Waiting { .. }
            | RunState::Reporting { .. } => {
                Some(Self::Live(RunStanding::of(run)?, !run.attempts.is_empty()))
            }
        }
    }
}

/// Does `verb` about the run. What is over is known from `past` alone.
pub(super) fn operate(
    step: &mut Step<'_>,
    name: &JobName,
    id: RunId,
    verb: RunVerb,
    past: Option<&PastRun>,
    by: &Intervention,
) -> Result<Reply, Rejection> {
    let live = step.state.run(id).cloned();
    let below = past.map(|past| past.below.as_slice()).unwrap_or_default();
    let run = live.or_else(|| past.map(|past| past.run.clone()).filter(Run::is_ended));
    let run = run.filter(|run| run.id == id && run.job == *name);
    let found = run.and_then(|run| Some((Place::of(&run)?, run)));
    let Some((place, run)) = found else {
        return Err(Rejection {
            code: RejectionCode::UnknownRun,
            message: format!("run `{id}` not found"),
            field: "run".into(),
            position: None,
            remedy: "`runs` lists those there are".to_owned(),
        });
    };
    match doing(place, verb) {
        Doing::Refuse(why) => Err(refused(&run, why)),
        Doing::Stop => {
            step.note(&run.job, by.tell(&format!("had run {id} stopped")));
            status::stop_by(step, &run, StopReason::Requested, by);
            advance(step, &run);
            let became = match step.stored(id).map(|run| &run.state) {
                Some(RunState::Ended { verdict, .. }) => Became::Ended(*verdict),
                Some(
                    RunState::Queued
                    | RunState::Pending { .. }
                    | RunState::Active
                    | RunState::Waiting { .. }
                    | RunState::Reporting { .. },
                )
                | None => Became::Stopping,
            };
            Ok(Reply::Operated { run: id, became })
        }
        Doing::End(verdict) => {
            let what = match verdict {
                Verdict::Skipped => "had it skipped",
                Verdict::Succeeded
                | Verdict::Failed
                | Verdict::Missed
                | Verdict::Killed
                | Verdict::Lost
                | Verdict::Superseded => COUNTED,
            };
            let reason = by.tell(what);
            let run = closed(step, run, &reason);
            status::end_run(step, run, verdict, step.now.wall, reason);
            Ok(Reply::Operated { run: id, became: Became::Ended(verdict) })
        }
        Doing::TryNow => {
            step.note(&run.job, by.tell(&format!("had run {id} tried again at once")));
            status::pend(step, run);
            Ok(Reply::Operated { run: id, became: Became::TriedAgain })
        }
        Doing::GiveUp => {
            let reason = by.tell(&format!("had run {id} tried again, though it may have run"));
            step.warn(Some(&run.job), reason.clone());
            let run = closed(step, run, &reason);
            status::pend(step, run);
            Ok(Reply::Operated { run: id, became: Became::TriedAgain })
        }
        Doing::Follow => follow(step, &run, verb, below, by),
        Doing::Mark => mark(step, &run, by),
    }
}

const COUNTED: &str = "counted it as succeeded";

fn advance(step: &mut Step<'_>, run: &Run) {
    if let Some(entry) = step.state.incarnation(run.id.incarnation) {
        intake::advance(step, entry, &entry.job);
    }
}

/// The run without a live attempt: what nobody can say of the last is given up.
fn closed(step: &Step<'_>, mut run: Run, message: &str) -> Run {
    if run.live_attempt().is_some()
        && let Some(attempt) = run.attempts.last_mut()
    {
        attempt.state = AttemptState::Ended {
            started_at: status::started_at_of(attempt),
            at: step.now.wall,
            exit: None,
            message: message.to_owned(),
        };
    }
    run
}

/// Has another run stand for what `run` stood for.
fn follow(
    step: &mut Step<'_>,
    run: &Run,
    verb: RunVerb,
    below: &[Below],
    by: &Intervention,
) -> Result<Reply, Rejection> {
    let entry = launched(step, run)?;
    let is_retry =
        |other: &&Run| matches!(other.trigger, Trigger::Retry { of, .. } if of == run.id);
    if let Some(other) = step.state.live_runs(entry.incarnation).find(is_retry) {
        return Err(impossible(
            format!("run `{}` tries it again already", other.id),
            "wait for it, or stop it first",
        ));
    }
    admin::check_room(step, entry)?;
    // The job may have another command now.
    admin::check_arguments(entry, run.arguments.as_deref())?;
    if below.len() > limits::RETRIED_DOWN_MAX {
        let most = limits::RETRIED_DOWN_MAX;
        return Err(Rejection {
            code: RejectionCode::LimitReached,
            ..impossible(
                format!("{} runs followed from it, more than the {most} of one retry", below.len()),
                "retry it alone, or a run further down",
            )
        });
    }
    let retries_down = verb == RunVerb::RetryDown;
    let by_whom = if retries_down { "retried it and what follows from it" } else { "retried it" };
    step.note(&run.job, by.tell(&format!("{by_whom}: run {}", run.id)));
    let trigger = Trigger::Retry { of: run.id, due_at: run.trigger.due_at(), at: step.now.wall };
    let new = New {
        causes: run.causes.clone(),
        arguments: run.arguments.clone(),
        environment: run.environment.clone(),
        by: Some(by.clone()),
        retries_down,
        ..New::of(trigger)
    };
    let id = Intake::new(step, entry).ask(step, new);
    let retried = below.iter().map(|below| below.child).chain([run.id.incarnation]).collect();
    for below in below {
        borrow(step, below, &retried);
    }
    Ok(Reply::Operated { run: run.id, became: Became::Followed { by: id } })
}

/// Lets a job follow once more although not all of its parents will run again. Those that are `retried` will: what they
/// have done by now is not what the job waits for.
fn borrow(step: &mut Step<'_>, below: &Below, retried: &BTreeSet<Incarnation>) {
    let Some(entry) = step.state.incarnation(below.child) else { return };
    let When::Parents(terms) = &entry.job.when else { return };
    let mut intake = Intake::new(step, entry);
    let due_at = match terms.join {
        Join::Round => None,
        Join::Due => Some(below.due_at),
    };
    let rounds = &mut intake.progress.rounds;
    if terms.rule.is_any() {
        // One that comes once for each instant comes once more.
        rounds.retain(|round| round.due_at != due_at);
        return intake.store(step);
    }
    let index = round::opened(rounds, due_at);
    let parents = round::incarnations(step.state, &terms.names);
    let contributions = &mut rounds[index].parents;
    contributions.retain(|it| !retried.contains(&it.parent));
    for borrowed in below.borrowed.iter().filter(|it| parents.contains(&it.parent)) {
        // What it has done since counts more.
        if let Err(place) = contributions.binary_search_by_key(&borrowed.parent, |it| it.parent) {
            let borrowed = Contribution { source: Source::Borrowed, ..borrowed.clone() };
            contributions.insert(place, borrowed);
        }
    }
    if contributions.is_empty() {
        rounds.remove(index);
    }
    round::give_up_oldest(step, &mut intake, terms);
    intake.store(step);
}

/// Records a success that nobody executed for what `run` stood for. Children hear of it.
fn mark(step: &mut Step<'_>, run: &Run, by: &Intervention) -> Result<Reply, Rejection> {
    let entry = launched(step, run)?;
    let trigger = Trigger::Retry { of: run.id, due_at: run.trigger.due_at(), at: step.now.wall };
    let mut intake = Intake::new(step, entry);
    let new = New { causes: run.causes.clone(), by: Some(by.clone()), ..New::of(trigger) };
    let id = intake.add(step, RunState::Pending { deadline: None }, new);
    intake.store(step);
    if let Some(marked) = step.stored(id).cloned() {
        let reason = by.tell(COUNTED);
        status::end_run_alone(step, marked, Verdict::Succeeded, step.now.wall, reason);
    }
    Ok(Reply::Operated { run: run.id, became: Became::Followed { by: id } })
}

/// The job of a run that is over, if it is still there and launched here.
fn launched<'a>(step: &Step<'a>, run: &Run) -> Result<&'a JobEntry, Rejection> {
    let Some(entry) = step.state.incarnation(run.id.incarnation) else {
        return Err(impossible(
            format!("the job of run `{}` was deleted", run.id),
            "create the job again and run it",
        ));
    };
    admin::check_launched(step, entry)?;
    Ok(entry)
}

fn refused(run: &Run, why: Why) -> Rejection {
    let (what, remedy) = match why {
        Why::IsOver => ("is over", "retry it, or mark it as succeeded"),
        Why::HasSucceeded => ("has succeeded", "nothing is left to do about it"),
        Why::NotTried => ("has not been tried yet", "explain it to see what it waits for"),
        Why::IsNext => ("is about to be tried again", "explain it to see what it waits for"),
        Why::WasTried => ("has been tried already", "kill it, or mark it as succeeded"),
        Why::Runs => ("is running", "kill it first, or wait for its end"),
        Why::InDoubt => {
            ("may be running: nobody can say", "kill it, retry it, or mark it as succeeded")
        }
        Why::AwaitsReport => {
            ("waits for its job to report how it ended", "kill it, or mark it as succeeded")
        }
    };
    impossible(format!("run `{}` {what}", run.id), remedy)
}

fn impossible(message: String, remedy: &str) -> Rejection {
    Rejection {
        code: RejectionCode::Impossible,
        message,
        field: "".into(),
        position: None,
        remedy: remedy.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use expect_test::expect;

    use super::*;

    #[test]
    fn every_verb_has_an_answer_for_every_way_a_run_can_stand() {
        let standings = [
            RunStanding::Queued,
            RunStanding::Pending,
            RunStanding::Active,
            RunStanding::Doubtful,
            RunStanding::Waiting,
            RunStanding::Reporting,
        ];
        let live = standings
            .into_iter()
            .flat_map(|standing| [false, true].map(|begun| Place::Live(standing, begun)));
        let mut table = String::new();
        for place in live.chain(Verdict::ALL.map(Place::Over)) {
            let _ = write!(table, "{:<22}", format!("{place:?}").trim_start_matches("Place::"));
            for verb in RunVerb::ALL {
                let _ = write!(table, " {:<22}", format!("{:?}", doing(place, verb)));
            }
            table.truncate(table.trim_end().len());
            table.push('\n');
        }
        expect![[r#"
            Live(Queued, false)    Stop                   Refuse(NotTried)       Refuse(NotTried)       End(Succeeded)         End(Skipped)
            Live(Queued, true)     Stop                   Refuse(IsNext)         Refuse(IsNext)         End(Succeeded)         Refuse(WasTried)
            Live(Pending, false)   Stop                   Refuse(NotTried)       Refuse(NotTried)       End(Succeeded)         End(Skipped)
            Live(Pending, true)    Stop                   Refuse(IsNext)         Refuse(IsNext)         End(Succeeded)         Refuse(WasTried)
            Live(Active, false)    Stop                   Refuse(Runs)           Refuse(Runs)           Refuse(Runs)           Refuse(Runs)
            Live(Active, true)     Stop                   Refuse(Runs)           Refuse(Runs)           Refuse(Runs)           Refuse(Runs)
            Live(Doubtful, false)  Stop                   GiveUp                 GiveUp                 End(Succeeded)         Refuse(InDoubt)
            Live(Doubtful, true)   Stop                   GiveUp                 GiveUp                 End(Succeeded)         Refuse(InDoubt)
            Live(Waiting, false)   Stop                   Refuse(NotTried)       Refuse(NotTried)       End(Succeeded)         End(Skipped)
            Live(Waiting, true)    Stop                   TryNow                 TryNow                 End(Succeeded)         Refuse(WasTried)
            Live(Reporting, false) Stop                   Refuse(AwaitsReport)   Refuse(AwaitsReport)   End(Succeeded)         Refuse(AwaitsReport)
            Live(Reporting, true)  Stop                   Refuse(AwaitsReport)   Refuse(AwaitsReport)   End(Succeeded)         Refuse(AwaitsReport)
            Over(Succeeded)        Refuse(IsOver)         Follow                 Follow                 Refuse(HasSucceeded)   Refuse(IsOver)
            Over(Failed)           Refuse(IsOver)         Follow                 Follow                 Mark                   Refuse(IsOver)
            Over(Missed)           Refuse(IsOver)         Follow                 Follow                 Mark                   Refuse(IsOver)
            Over(Skipped)          Refuse(IsOver)         Follow                 Follow                 Mark                   Refuse(IsOver)
            Over(Killed)           Refuse(IsOver)         Follow                 Follow                 Mark                   Refuse(IsOver)
            Over(Lost)             Refuse(IsOver)         Follow                 Follow                 Mark                   Refuse(IsOver)
            Over(Superseded)       Refuse(IsOver)         Follow                 Follow                 Mark                   Refuse(IsOver)
        "#]].assert_eq(&table);
    }
}
