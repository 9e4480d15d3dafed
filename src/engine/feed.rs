//! What a committed change looks like to those who look on: small facts with names, states and instants.
//!
//! A run is stored whole each time, and of several changes in one batch only the last is; what has happened to it is
//! read from the difference to the record before. So nothing is told twice, and nothing that a record still says is left
//! out: a run that is recorded, placed and ended in one batch is told in three items.
//!
//! Definitions, commands and environments are never in an item. What a change means for counts and for the next due
//! instant of a job is not told by itself: it comes with the run or stretch that made it.

use crate::alerts;
use crate::model::{
    Attempt, AttemptState, BackfillId, Delivery, Exit, Incarnation, IncidentId, JobName,
    NotificationId, Progress, Run, RunId, RunState, StopReason, Stretch, Term, Timestamp, Verdict,
};

use super::decision::{Change, Launcher};
use super::state::State;

/// One thing that has happened, with its place in the order of all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEvent {
    /// Counts them. Without gaps, but for what was lost on purpose.
    pub number: u64,
    /// When it was known to be durable, by the wall clock.
    pub at: Timestamp,
    /// What it is.
    pub item: FeedItem,
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedItem {
    /// A leader's term began.
    TermBegan(Term),
    /// Something became of a job.
    Job {
        /// Its name.
        job: JobName,
        /// Which life of the name.
        incarnation: Incarnation,
        /// What.
        step: JobStep,
    },
    /// Something became of a run.
    Run {
        /// The job's name.
        job: JobName,
        /// Which run.
        run: RunId,
        /// The instant that it stands for.
        due_at: Timestamp,
        /// What.
        step: RunStep,
    },
    /// The parents of a job are further with its next run, or it was triggered.
    RoundMoved {
        /// The job's name.
        job: JobName,
    },
    /// Occurrences that never became runs were recorded, or more of them in the same stretch.
    StretchStored {
        /// The job's name.
        job: JobName,
        /// The number of the stretch in the history.
        sequence: u64,
        /// How they ended.
        verdict: Verdict,
        /// The first of them.
        first_due_at: Timestamp,
        /// The last of them so far.
        last_due_at: Timestamp,
        /// How many they are so far.
        count: u64,
    },
    /// A record of occurrences that never became runs is void.
    StretchVoided {
        /// Its number in the history.
        sequence: u64,
    },
    /// Everything is paused, or goes on.
    EverythingPaused {
        /// Which.
        is_paused: bool,
        /// When that ends by itself.
        until: Option<Timestamp>,
    },
    /// A backfill began, or got further.
    BackfillMoved {
        /// The job's name.
        job: JobName,
        /// Which.
        id: BackfillId,
        /// For how many instants a run was begun.
        begun: usize,
        /// Of how many.
        of: usize,
        /// Where it stands, as a word.
        state: &'static str,
    },
    /// The wall clock is doubted, or is believed again.
    ClockDoubted {
        /// Which.
        is_doubted: bool,
    },
    /// The launcher can be reached again, or cannot any more.
    Launcher {
        /// Why it cannot be reached; `None` if it can.
        problem: Option<String>,
    },
    /// An incident was opened, got further, or is put right.
    IncidentMoved {
        /// Which.
        id: IncidentId,
        /// Whether it goes on.
        is_open: bool,
    },
    /// A notification was made, or got further.
    NotificationMoved {
        /// Which.
        id: NotificationId,
        /// Where it stands.
        delivery: Delivery,
    },
    /// A zone is decided by other data from now on.
    ZoneKept {
        /// Its name.
        zone: String,
    },
}

/// What can become of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStep {
    /// It was created.
    Created {
        /// Its first revision.
        revision: u64,
        /// Whether its schedule is not followed.
        disabled: bool,
    },
    /// Its definition was replaced.
    Replaced {
        /// The new revision.
        revision: u64,
        /// Whether its schedule is not followed.
        disabled: bool,
    },
    /// It was deleted.
    Deleted,
    /// The engine disabled it.
    Disabled,
    /// Deciding it went wrong; it is left alone.
    Quarantined,
    /// It is no longer left alone.
    Released,
    /// Nothing comes of it of itself.
    Paused {
        /// When that ends by itself.
        until: Option<Timestamp>,
    },
    /// Its pause is over.
    Resumed,
    /// Occurrences to come are skipped, or are not any longer.
    SkipsChanged,
    /// Its source has applied it, or does not have it any more.
    OriginChanged,
}

/// What can become of a run and its attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunStep {
    /// It was recorded.
    Recorded {
        /// Its number in the history.
        sequence: u64,
    },
    /// It waits behind another run of its job.
    Queued,
    /// It wants an offer.
    Pending,
    /// Its command has ended, and its job has still to say how it went.
    Reporting,
    /// An attempt was given to the launcher.
    Placed {
        /// Which.
        attempt: u32,
    },
    /// The launcher never got it: the attempt is void.
    TakenBack {
        /// Which.
        attempt: u32,
    },
    /// An attempt's command has started.
    Started {
        /// Which.
        attempt: u32,
        /// When.
        at: Timestamp,
    },
    /// An attempt is being stopped.
    Stopping {
        /// Which.
        attempt: u32,
        /// Why.
        why: StopReason,
    },
    /// The launcher cannot say what became of an attempt.
    OutOfSight {
        /// Which.
        attempt: u32,
        /// Until when news is waited for.
        until: Timestamp,
    },
    /// The launcher has it in sight again.
    Found {
        /// Which.
        attempt: u32,
    },
    /// An attempt is over.
    AttemptEnded {
        /// Which.
        attempt: u32,
        /// When.
        at: Timestamp,
        /// How its command ended, if anybody knows.
        exit: Option<Exit>,
    },
    /// It waits for its next attempt.
    Waiting {
        /// Until when.
        until: Timestamp,
    },
    /// It is over.
    Ended {
        /// How.
        verdict: Verdict,
        /// When.
        at: Timestamp,
    },
}

impl FeedItem {
    /// The job that it is about, if it is about one.
    #[must_use]
    pub const fn job(&self) -> Option<&JobName> {
        match self {
            Self::Job { job, .. }
            | Self::Run { job, .. }
            | Self::RoundMoved { job }
            | Self::BackfillMoved { job, .. }
            | Self::StretchStored { job, .. } => Some(job),
            Self::StretchVoided { .. }
            | Self::EverythingPaused { .. }
            | Self::ClockDoubted { .. }
            | Self::TermBegan(_)
            | Self::Launcher { .. }
            | Self::IncidentMoved { .. }
            | Self::NotificationMoved { .. }
            | Self::ZoneKept { .. } => None,
        }
    }
}

/// What `change` is to those who look on, told from the state before it, in the order in which it came about.
#[must_use]
pub fn feed_items(before: &State, change: &Change) -> Vec<FeedItem> {
    match change {
        Change::TermBegan(term) => vec![FeedItem::TermBegan(*term)],
        Change::JobStored(record) => {
            let (revision, disabled) = (record.revision, record.job.disabled);
            let step = match before.incarnation(record.incarnation) {
                None => JobStep::Created { revision, disabled },
                Some(_) => JobStep::Replaced { revision, disabled },
            };
            let (job, incarnation) = (record.job.name.clone(), record.incarnation);
            vec![FeedItem::Job { job, incarnation, step }]
        }
        Change::JobRemoved { incarnation, name } => {
            let (job, incarnation) = (name.clone(), *incarnation);
            vec![FeedItem::Job { job, incarnation, step: JobStep::Deleted }]
        }
        Change::Disabled { incarnation } => {
            job_item(before, *incarnation, JobStep::Disabled).into_iter().collect()
        }
        Change::Quarantined { incarnation } => {
            job_item(before, *incarnation, JobStep::Quarantined).into_iter().collect()
        }
        Change::Progressed { incarnation, progress } => {
            round_item(before, *incarnation, progress).into_iter().collect()
        }
        Change::RunStored(run) => run_items(before.run(run.id), run),
        Change::StretchStored(stretch) => {
            let Stretch {
                sequence,
                incarnation: _, // Named by its sequence.
                job,
                verdict,
                reason: _, // A sentence; the history has it.
                first_due_at,
                last_due_at,
                count,
                decided_at: _,
            } = stretch;
            vec![FeedItem::StretchStored {
                job: job.clone(),
                sequence: *sequence,
                verdict: *verdict,
                first_due_at: *first_due_at,
                last_due_at: *last_due_at,
                count: *count,
            }]
        }
        Change::QuarantineLifted { incarnation } => {
            job_item(before, *incarnation, JobStep::Released).into_iter().collect()
        }
        Change::Intervened { incarnation, interventions } => {
            let known = before.incarnation(*incarnation);
            let was_paused = known.is_some_and(|entry| entry.interventions.pause.is_some());
            let had = known.and_then(|entry| entry.interventions.origin.as_ref());
            let step = match (was_paused, &interventions.pause) {
                _ if had != interventions.origin.as_ref() => JobStep::OriginChanged,
                (_, Some(pause)) => JobStep::Paused { until: pause.until },
                (true, None) => JobStep::Resumed,
                (false, None) => JobStep::SkipsChanged,
            };
            job_item(before, *incarnation, step).into_iter().collect()
        }
        Change::Alerted(change) => alert_item(change).into_iter().collect(),
        Change::EverythingPaused(pause) => vec![FeedItem::EverythingPaused {
            is_paused: pause.is_some(),
            until: pause.as_ref().and_then(|pause| pause.until),
        }],
        Change::BackfillStored(backfill) => vec![FeedItem::BackfillMoved {
            job: backfill.job.clone(),
            id: backfill.id,
            begun: backfill.begun,
            of: backfill.due.len(),
            state: backfill.state.as_str(),
        }],
        Change::StretchVoided { sequence } => vec![FeedItem::StretchVoided { sequence: *sequence }],
        Change::ClockJudged(clock) => {
            let (was, is) = (before.clock().doubt().is_some(), clock.doubt().is_some());
            (was != is).then_some(FeedItem::ClockDoubted { is_doubted: is }).into_iter().collect()
        }
        Change::OffersSet(launcher) => launcher_item(before, launcher).into_iter().collect(),
        Change::ZoneKept { name, data: _ } => vec![FeedItem::ZoneKept { zone: name.clone() }],
        // Bookkeeping that nobody outside can see.
        Change::Counted { .. }
        | Change::BackfillRemoved { .. }
        | Change::SignalStored(_)
        | Change::SignalRemoved { .. }
        | Change::TaskMillisUsed { .. }
        | Change::RequestAnswered(_)
        | Change::AnswerForgotten { .. }
        | Change::ListeningBegan { .. }
        | Change::Heard { .. }
        | Change::ListeningEnded
        | Change::FrameworkSet(_)
        | Change::OffersAdded(_)
        | Change::OffersRemoved(_)
        | Change::AgentLost(_)
        | Change::AgentsSeen(_)
        | Change::DemandTold(_)
        | Change::ObjectivesJudged(_)
        | Change::PlacementSettled => Vec::new(),
    }
}

fn alert_item(change: &alerts::Change) -> Option<FeedItem> {
    match change {
        alerts::Change::IncidentStored(incident) => {
            Some(FeedItem::IncidentMoved { id: incident.id, is_open: incident.closed_at.is_none() })
        }
        alerts::Change::NotificationStored(notification) => {
            let (id, delivery) = (notification.id, notification.delivery);
            Some(FeedItem::NotificationMoved { id, delivery })
        }
        // The incident that it belongs to says so; news is in a notification.
        alerts::Change::AlertStored(_)
        | alerts::Change::JobSilenced { .. }
        | alerts::Change::ChannelFailing { .. } => None,
    }
}

fn job_item(before: &State, incarnation: Incarnation, step: JobStep) -> Option<FeedItem> {
    let entry = before.incarnation(incarnation)?;
    Some(FeedItem::Job { job: entry.job.name.clone(), incarnation, step })
}

fn round_item(before: &State, incarnation: Incarnation, progress: &Progress) -> Option<FeedItem> {
    let entry = before.incarnation(incarnation)?;
    let has_moved = entry.progress.rounds != progress.rounds;
    has_moved.then(|| FeedItem::RoundMoved { job: entry.job.name.clone() })
}

/// Offers come and go all the time; only whether there is a launcher at all is worth telling.
fn launcher_item(before: &State, launcher: &Launcher) -> Option<FeedItem> {
    let problem = match launcher {
        Launcher::Connected(_) | Launcher::InCluster(_) => None,
        Launcher::Gone { reason, since: _ } => Some(reason.clone()),
    };
    let has_changed = before.launcher_gone() != problem.as_deref();
    has_changed.then_some(FeedItem::Launcher { problem })
}

fn run_items(before: Option<&Run>, after: &Run) -> Vec<FeedItem> {
    let mut steps = Vec::new();
    if before.is_none() {
        steps.push(RunStep::Recorded { sequence: after.sequence });
    }
    let known = before.map(|run| run.attempts.as_slice()).unwrap_or_default();
    let void = known.iter().skip(after.attempts.len());
    steps.extend(void.map(|attempt| RunStep::TakenBack { attempt: attempt.index }));
    for (index, attempt) in after.attempts.iter().enumerate() {
        attempt_steps(known.get(index), attempt, &mut steps);
    }
    let is_same =
        |run: &Run| std::mem::discriminant(&run.state) == std::mem::discriminant(&after.state);
    if !before.is_some_and(is_same) {
        steps.extend(match &after.state {
            RunState::Queued => Some(RunStep::Queued),
            RunState::Pending { .. } => Some(RunStep::Pending),
            // The attempt that makes it so says it.
            RunState::Active => None,
            RunState::Waiting { until } => Some(RunStep::Waiting { until: until.at }),
            RunState::Reporting { .. } => Some(RunStep::Reporting),
            RunState::Ended { verdict, at, .. } => {
                Some(RunStep::Ended { verdict: *verdict, at: *at })
            }
        });
    }
    let (run, due_at) = (after.id, after.trigger.due_at());
    let item = |step| FeedItem::Run { job: after.job.clone(), run, due_at, step };
    steps.into_iter().map(item).collect()
}

fn attempt_steps(before: Option<&Attempt>, after: &Attempt, steps: &mut Vec<RunStep>) {
    let attempt = after.index;
    let is_same = |it: &&Attempt| (it.launched_at, &it.agent) == (after.launched_at, &after.agent);
    let known = before.filter(is_same);
    if before.is_some() && known.is_none() {
        // Void, and placed again within one batch.
        steps.push(RunStep::TakenBack { attempt });
    }
    if known.is_none() {
        steps.push(RunStep::Placed { attempt });
    }
    let was = known.map(|it| &it.state);
    if let Some(at) = started_at(&after.state)
        && was.and_then(started_at).is_none()
    {
        steps.push(RunStep::Started { attempt, at });
    }
    let is_news =
        was.is_none_or(|was| std::mem::discriminant(was) != std::mem::discriminant(&after.state));
    if !is_news {
        return;
    }
    steps.extend(match &after.state {
        AttemptState::Launching | AttemptState::Running { .. } => match was {
            Some(AttemptState::Unknown { .. }) => Some(RunStep::Found { attempt }),
            Some(
                AttemptState::Launching
                | AttemptState::Running { .. }
                | AttemptState::Stopping { .. }
                | AttemptState::Ended { .. },
            )
            | None => None,
        },
        AttemptState::Stopping { why, .. } => Some(RunStep::Stopping { attempt, why: *why }),
        AttemptState::Unknown { until, .. } => {
            Some(RunStep::OutOfSight { attempt, until: until.at })
        }
        AttemptState::Ended { at, exit, .. } => {
            Some(RunStep::AttemptEnded { attempt, at: *at, exit: exit.clone() })
        }
    });
}

fn started_at(state: &AttemptState) -> Option<Timestamp> {
    match state {
        AttemptState::Launching => None,
        AttemptState::Running { started_at, .. } => Some(*started_at),
        AttemptState::Stopping { started_at, .. }
        | AttemptState::Unknown { started_at, .. }
        | AttemptState::Ended { started_at, .. } => *started_at,
    }
}
