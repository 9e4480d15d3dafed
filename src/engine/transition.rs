//! The life of an attempt and of a run as tables: what follows from what, for every pair there is.
//!
//! Four questions, each answered by one function without a default:
//!
//! * [`heard`]: an attempt stands so, and the launcher says this of its task.
//! * [`fate`]: an attempt has ended so, and was being stopped for this reason or for none.
//! * [`settled`]: an attempt has ended so, and its job has said this of it or nothing.
//! * [`moved`]: a run stands so, and this happens to it.
//!
//! Tables only: what the answers mean in changes and effects is `status`'s. A task that belongs to no live run is a row
//! like the others ([`Standing::Stranger`]).

use crate::model::{AttemptState, Exit, Run, RunState, StopReason, TaskStatus, UnknownThen};

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// No live run has such an attempt.
    Stranger,
    Launching,
    Running,
    /// Asked to stop before it was seen to run.
    StoppingUnstarted,
    Stopping,
    /// In doubt already.
    Unknown,
}

/// What the launcher says of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// It is being prepared; nothing of it runs.
    Staged,
    Running,
    Ended,
    NeverLaunched,
    /// It is out of sight: news may come.
    OutOfSight,
    /// Nobody knows, and nobody ever will.
    InDoubt,
}

/// What becomes of the attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hearing {
    /// Nothing: it is known already, or an answer to an older question.
    Ignored,
    /// A person should look; nothing else.
    Noted,
    /// Its end is on record, or nobody's: the launcher need not repeat it.
    Acknowledged,
    /// The launcher has it, and it does not run yet.
    Staged,
    /// It runs from now on.
    Runs,
    /// It runs, and is asked to stop once more.
    StopsAgain,
    /// It is taken back: the run is placed again, under the same task id.
    TakenBack,
    /// It has ended as reported; [`fate`] goes on.
    Ends,
    /// It has ended without having started: it was stopped in time.
    EndsUnstarted,
    /// Nobody can say what became of it: news is waited for.
    Doubted,
}

pub(super) const fn heard(standing: Standing, said: Said) -> Hearing {
    use Hearing as H;
    match (standing, said) {
        // Left alone on the scheduler's own machine: it may be somebody's payroll. Its end will be acknowledged.
        (Standing::Stranger, Said::Staged | Said::Running) => H::Noted,
        // Its end is committed already and the acknowledgement was lost, or it was never ours.
        (Standing::Stranger, Said::Ended | Said::InDoubt) => H::Acknowledged,
        // An end that is still to be told must not be forgotten.
        (Standing::Stranger, Said::NeverLaunched | Said::OutOfSight) => H::Ignored,

        (Standing::Launching, Said::Staged) => H::Staged,
        (Standing::Launching, Said::Running) => H::Runs,
        (Standing::Launching, Said::Ended) => H::Ends,
        // Nothing ever started under this task id, and the launcher would know.
        (Standing::Launching, Said::NeverLaunched) => H::TakenBack,
        (Standing::Launching, Said::OutOfSight | Said::InDoubt) => H::Doubted,

        // It was said before that it runs.
        (Standing::Running, Said::Staged) => H::Ignored,
        (Standing::Running, Said::Running) => H::Runs,
        (Standing::Running, Said::Ended) => H::Ends,
        // The launcher's records are lost.
        (Standing::Running, Said::NeverLaunched | Said::OutOfSight | Said::InDoubt) => H::Doubted,

        // It runs although it was to be stopped: the request may have been lost with the process that made it.
        (Standing::StoppingUnstarted | Standing::Stopping, Said::Staged | Said::Running) => {
            H::StopsAgain
        }
        (Standing::StoppingUnstarted | Standing::Stopping, Said::Ended) => H::Ends,
        (Standing::StoppingUnstarted, Said::NeverLaunched) => H::EndsUnstarted,
        (Standing::Stopping, Said::NeverLaunched) => H::Doubted,
        (Standing::StoppingUnstarted | Standing::Stopping, Said::OutOfSight | Said::InDoubt) => {
            H::Doubted
        }

        // News, and no doubt is left.
        (Standing::Unknown, Said::Staged) => H::Staged,
        (Standing::Unknown, Said::Running) => H::Runs,
        (Standing::Unknown, Said::Ended) => H::Ends,
        // The launcher has forgotten it once it was told that the doubt is on record: this is no news.
        (Standing::Unknown, Said::NeverLaunched | Said::OutOfSight) => H::Ignored,
        // It has become certain that there will be no news.
        (Standing::Unknown, Said::InDoubt) => H::Doubted,
    }
}

/// How an attempt ended, as far as [`fate`] tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Code 0.
    Well,
    /// Another code, a signal, or it could not be started.
    Badly,
    /// Somebody stopped it.
    Stopped,
    /// News was waited for in vain.
    Unknown(UnknownThen),
}

/// What becomes of the run when an attempt has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Succeeded,
    /// Another attempt follows if the job asks for one after such an end; else it failed.
    FailedOrRetried,
    /// It failed, and nobody wants another attempt.
    Failed,
    Killed,
    Superseded,
    Lost,
    /// Another attempt follows, although the command may be executed twice.
    Relaunched,
}

pub(super) const fn fate(end: End, why: Option<StopReason>) -> Fate {
    use StopReason as Why;
    match (end, why) {
        // What succeeded, succeeded: it was faster than whoever wanted it stopped.
        (
            End::Well,
            None | Some(Why::Requested | Why::TimedOut | Why::JobDeleted | Why::Superseded),
        ) => Fate::Succeeded,
        (End::Badly, None | Some(Why::TimedOut)) => Fate::FailedOrRetried,
        // It failed by itself while it was being stopped for good.
        (End::Badly, Some(Why::Requested | Why::JobDeleted | Why::Superseded)) => Fate::Failed,
        (End::Stopped, Some(Why::TimedOut)) => Fate::FailedOrRetried,
        (End::Stopped, Some(Why::Superseded)) => Fate::Superseded,
        // Without a reason of ours, somebody else stopped it at the launcher.
        (End::Stopped, None | Some(Why::Requested | Why::JobDeleted)) => Fate::Killed,
        (End::Unknown(UnknownThen::Relaunch), None | Some(Why::TimedOut)) => Fate::Relaunched,
        (
            End::Unknown(UnknownThen::Relaunch),
            Some(Why::Requested | Why::JobDeleted | Why::Superseded),
        )
        | (
            End::Unknown(UnknownThen::Lost),
            None | Some(Why::Requested | Why::TimedOut | Why::JobDeleted | Why::Superseded),
        ) => Fate::Lost,
    }
}

/// What the job of an attempt has said of how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reported {
    /// Nothing, and nobody waits for it.
    Nothing,
    /// Nothing yet: the job is one that says so itself (`async`).
    NotYet,
    /// It went well.
    Well,
    /// It did not.
    Badly,
}

/// What the end of an attempt counts as, with what its job said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// This end; [`fate`] goes on.
    As(End),
    /// Nobody knows before the job says it.
    Awaited,
}

/// A failure that the launcher saw stands: what was said before it could not know of it.
pub(super) const fn settled(end: End, is_being_stopped: bool, reported: Reported) -> Settled {
    use Reported as R;
    match (end, is_being_stopped, reported) {
        (End::Well, _, R::Nothing | R::Well) => Settled::As(End::Well),
        (End::Well, false, R::NotYet) => Settled::Awaited,
        // Whoever stops it does not wait for what it began elsewhere.
        (End::Well, true, R::NotYet) => Settled::As(End::Stopped),
        (End::Well, _, R::Badly) => Settled::As(End::Badly),
        (End::Badly, _, R::Nothing | R::NotYet | R::Well | R::Badly) => Settled::As(End::Badly),
        (End::Stopped, _, R::Nothing | R::NotYet | R::Well | R::Badly) => Settled::As(End::Stopped),
        (End::Unknown(then), _, R::Nothing | R::NotYet) => Settled::As(End::Unknown(then)),
        // No doubt is left.
        (End::Unknown(_), _, R::Well) => Settled::As(End::Well),
        (End::Unknown(_), _, R::Badly) => Settled::As(End::Badly),
    }
}

/// Where a run stands, as far as [`moved`] tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunStanding {
    Queued,
    Pending,
    /// An attempt of it is the launcher's.
    Active,
    /// An attempt of it is the launcher's and in doubt.
    Doubtful,
    /// For its next attempt.
    Waiting,
    /// For its job to say how it ended.
    Reporting,
}

/// What happens to a run other than a task report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happening {
    /// Its start window has closed.
    WindowClosed,
    /// The instant that it waits for has come.
    AlarmRang,
    /// Its attempt has had its time.
    TimeUp,
    /// What it was queued behind is over.
    RoomMade,
    /// Somebody or something wants it stopped.
    Stopped,
    /// Its job says how its last attempt ended.
    Reported,
}

/// What becomes of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// Nothing: this does not happen to a run that stands so.
    None,
    /// It is missed, or runs late where the job catches up.
    Missed,
    /// It wants an offer.
    Pending,
    /// Its attempt has ended unknown; [`fate`] goes on.
    EndsUnknown,
    /// The launcher is asked to stop its attempt.
    StopsAttempt,
    /// It ends here: nothing of it is the launcher's.
    Ends,
    /// What is said counts once the attempt has ended.
    Remembers,
    /// What is said is how its last attempt ended; [`fate`] goes on.
    Settles,
    /// Its job has not said how it ended in the time it had, which counts as a failure.
    EndsUnreported,
}

pub(super) const fn moved(standing: RunStanding, happening: Happening) -> Move {
    use Happening as H;
    use RunStanding as S;
    match (standing, happening) {
        (S::Pending, H::WindowClosed) => Move::Missed,
        // Only the first attempt of a run that nothing was ahead of has a window.
        (S::Queued | S::Active | S::Doubtful | S::Waiting | S::Reporting, H::WindowClosed) => {
            Move::None
        }
        (S::Waiting, H::AlarmRang) => Move::Pending,
        (S::Doubtful, H::AlarmRang) => Move::EndsUnknown,
        (S::Reporting, H::AlarmRang) => Move::EndsUnreported,
        (S::Queued | S::Pending | S::Active, H::AlarmRang) => Move::None,
        (S::Active, H::TimeUp) => Move::StopsAttempt,
        // Nobody knows that it runs.
        (S::Doubtful, H::TimeUp) => Move::None,
        (S::Queued | S::Pending | S::Waiting | S::Reporting, H::TimeUp) => Move::None,
        (S::Queued, H::RoomMade) => Move::Pending,
        (S::Pending | S::Active | S::Doubtful | S::Waiting | S::Reporting, H::RoomMade) => {
            Move::None
        }
        (S::Queued | S::Pending | S::Waiting | S::Reporting, H::Stopped) => Move::Ends,
        // In doubt too: the launcher may find it again, and then it is to be stopped.
        (S::Active | S::Doubtful, H::Stopped) => Move::StopsAttempt,
        // A run is over when its process is.
        (S::Active | S::Doubtful, H::Reported) => Move::Remembers,
        (S::Reporting, H::Reported) => Move::Settles,
        // Of an attempt that is over already, or was never begun.
        (S::Queued | S::Pending | S::Waiting, H::Reported) => Move::None,
    }
}

impl Standing {
    pub(super) const fn of(attempt: &AttemptState) -> Self {
        match attempt {
            AttemptState::Launching => Self::Launching,
            AttemptState::Running { .. } => Self::Running,
            AttemptState::Stopping { started_at: None, .. } => Self::StoppingUnstarted,
            AttemptState::Stopping { started_at: Some(_), .. } => Self::Stopping,
            AttemptState::Unknown { .. } => Self::Unknown,
            AttemptState::Ended { .. } => Self::Stranger,
        }
    }
}

impl Said {
    pub(super) const fn of(status: &TaskStatus) -> Self {
        match status {
            TaskStatus::Staged => Self::Staged,
            TaskStatus::Running { .. } => Self::Running,
            TaskStatus::Ended { .. } => Self::Ended,
            TaskStatus::NeverLaunched => Self::NeverLaunched,
            TaskStatus::InDoubt { is_final: false, .. } => Self::OutOfSight,
            TaskStatus::InDoubt { is_final: true, .. } => Self::InDoubt,
        }
    }
}

impl End {
    pub(super) const fn of(exit: &Exit) -> Self {
        match exit {
            Exit::Code(0) => Self::Well,
            Exit::Code(_) | Exit::Signal(_) | Exit::Failed { .. } | Exit::CouldNotStart { .. } => {
                Self::Badly
            }
            Exit::Killed => Self::Stopped,
        }
    }
}

impl RunStanding {
    /// Where a live run stands; `None` of one that is over.
    pub(super) fn of(run: &Run) -> Option<Self> {
        Some(match run.state {
            RunState::Queued => Self::Queued,
            RunState::Pending { .. } => Self::Pending,
            RunState::Active => {
                let is_doubtful = run
                    .live_attempt()
                    .is_some_and(|attempt| matches!(attempt.state, AttemptState::Unknown { .. }));
                if is_doubtful { Self::Doubtful } else { Self::Active }
            }
            RunState::Waiting { .. } => Self::Waiting,
            RunState::Reporting { .. } => Self::Reporting,
            RunState::Ended { .. } => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use expect_test::{Expect, expect};

    use super::*;

    /// A row for each of `rows`, a column for each of `columns`: nothing is left out.
    fn check<R: Copy + Debug, C: Copy + Debug, A: Debug>(
        rows: &[R],
        columns: &[C],
        answer: impl Fn(R, C) -> A,
        expected: &Expect,
    ) {
        let lines = rows.iter().map(|row| {
            let cells = columns
                .iter()
                .map(|column| format!("{:<16}", format!("{:?}", answer(*row, *column))));
            format!("{:<20}{}", format!("{row:?}"), cells.collect::<String>().trim_end())
        });
        let head: String = columns.iter().map(|it| format!("{:<16}", format!("{it:?}"))).collect();
        let head = format!("{:<20}{}", "", head.trim_end());
        let lines: Vec<String> = std::iter::once(head).chain(lines).collect();
        expected.assert_eq(&(lines.join("\n") + "\n"));
    }

    #[test]
    fn every_attempt_has_an_answer_to_everything_the_launcher_says() {
        let standings = [
            Standing::Stranger,
            Standing::Launching,
            Standing::Running,
            Standing::StoppingUnstarted,
            Standing::Stopping,
            Standing::Unknown,
        ];
        let said =
            [Said::Running, Said::Ended, Said::NeverLaunched, Said::OutOfSight, Said::InDoubt];
        check(
            &standings,
            &said,
            heard,
            &expect![[r#"
                                    Running         Ended           NeverLaunched   OutOfSight      InDoubt
                Stranger            Noted           Acknowledged    Ignored         Ignored         Acknowledged
                Launching           Runs            Ends            TakenBack       Doubted         Doubted
                Running             Runs            Ends            Doubted         Doubted         Doubted
                StoppingUnstarted   StopsAgain      Ends            EndsUnstarted   Doubted         Doubted
                Stopping            StopsAgain      Ends            Doubted         Doubted         Doubted
                Unknown             Runs            Ends            Ignored         Ignored         Doubted
            "#]],
        );
    }

    #[test]
    fn every_end_of_an_attempt_has_a_fate_whyever_it_was_being_stopped() {
        let ends = [
            End::Well,
            End::Badly,
            End::Stopped,
            End::Unknown(UnknownThen::Lost),
            End::Unknown(UnknownThen::Relaunch),
        ];
        let mut whys = vec![None];
        whys.extend(StopReason::ALL.map(Some));
        let name = |why: Option<StopReason>| why.map_or("-", StopReason::as_str);
        let rows: Vec<String> = ends
            .iter()
            .flat_map(|end| whys.iter().map(move |why| (end, why)))
            .map(|(end, why)| {
                let end_word = format!("{end:?}");
                format!("{end_word:<20}{:<12}{:?}", name(*why), fate(*end, *why))
            })
            .collect();
        expect![[r#"
            Well                -           Succeeded
            Well                requested   Succeeded
            Well                timedOut    Succeeded
            Well                jobDeleted  Succeeded
            Well                superseded  Succeeded
            Badly               -           FailedOrRetried
            Badly               requested   Failed
            Badly               timedOut    FailedOrRetried
            Badly               jobDeleted  Failed
            Badly               superseded  Failed
            Stopped             -           Killed
            Stopped             requested   Killed
            Stopped             timedOut    FailedOrRetried
            Stopped             jobDeleted  Killed
            Stopped             superseded  Superseded
            Unknown(Lost)       -           Lost
            Unknown(Lost)       requested   Lost
            Unknown(Lost)       timedOut    Lost
            Unknown(Lost)       jobDeleted  Lost
            Unknown(Lost)       superseded  Lost
            Unknown(Relaunch)   -           Relaunched
            Unknown(Relaunch)   requested   Lost
            Unknown(Relaunch)   timedOut    Relaunched
            Unknown(Relaunch)   jobDeleted  Lost
            Unknown(Relaunch)   superseded  Lost
        "#]]
        .assert_eq(&(rows.join("\n") + "\n"));
    }

    #[test]
    fn every_end_is_settled_with_what_the_job_said() {
        let ends = [
            (End::Well, false),
            (End::Well, true),
            (End::Badly, false),
            (End::Stopped, true),
            (End::Unknown(UnknownThen::Lost), false),
        ];
        let said = [Reported::Nothing, Reported::NotYet, Reported::Well, Reported::Badly];
        check(
            &ends,
            &said,
            |(end, is_being_stopped), said| settled(end, is_being_stopped, said),
            &expect![[r#"
                                    Nothing         NotYet          Well            Badly
                (Well, false)       As(Well)        Awaited         As(Well)        As(Badly)
                (Well, true)        As(Well)        As(Stopped)     As(Well)        As(Badly)
                (Badly, false)      As(Badly)       As(Badly)       As(Badly)       As(Badly)
                (Stopped, true)     As(Stopped)     As(Stopped)     As(Stopped)     As(Stopped)
                (Unknown(Lost), false)As(Unknown(Lost))As(Unknown(Lost))As(Well)        As(Badly)
            "#]],
        );
    }

    #[test]
    fn every_run_has_an_answer_to_everything_that_happens_to_it() {
        let standings = [
            RunStanding::Queued,
            RunStanding::Pending,
            RunStanding::Active,
            RunStanding::Doubtful,
            RunStanding::Waiting,
            RunStanding::Reporting,
        ];
        let happenings = [
            Happening::WindowClosed,
            Happening::AlarmRang,
            Happening::TimeUp,
            Happening::RoomMade,
            Happening::Stopped,
            Happening::Reported,
        ];
        check(
            &standings,
            &happenings,
            moved,
            &expect![[r#"
                                    WindowClosed    AlarmRang       TimeUp          RoomMade        Stopped         Reported
                Queued              None            None            None            Pending         Ends            None
                Pending             Missed          None            None            None            Ends            None
                Active              None            None            StopsAttempt    None            StopsAttempt    Remembers
                Doubtful            None            EndsUnknown     None            None            StopsAttempt    Remembers
                Waiting             None            Pending         None            None            Ends            None
                Reporting           None            EndsUnreported  None            None            Ends            Settles
            "#]],
        );
    }
}
