//! A job as the engine knows it: its record, and what is read from it once.

use std::sync::{Arc, OnceLock};

use crate::model::{
    Incarnation, Interventions, Job, JobDraft, JobRecord, JobStats, JobVersion, Progress,
    ScheduleTerms, Timestamp, When, millis_since_epoch, timestamp_from_millis,
};
use crate::placement::Conditions;
use crate::schedule::{Opening, Schedule};

use super::settings::{Boot, Settings};

/// A job as the engine knows it.
#[derive(Debug, Clone)]
pub struct JobEntry {
    /// Which life of its name.
    pub incarnation: Incarnation,
    /// Counts its definitions.
    pub revision: u64,
    /// When this definition was accepted.
    pub accepted_at: Timestamp,
    /// The definition.
    pub job: Arc<Job>,
    /// Counts.
    pub stats: JobStats,
    /// How far its schedule is decided.
    pub progress: Progress,
    /// What was done about it that lasts whatever its definition becomes.
    pub interventions: Interventions,
    /// Its schedule, parsed; why there is none otherwise.
    pub timing: Timing,
    /// Its constraints, ready to be asked. Made when they are first wanted: many definitions are replaced before
    /// anything is placed.
    conditions: OnceLock<Conditions>,
    /// Whether deciding it went wrong inside the engine; it is left alone until replaced or restarted.
    pub is_quarantined: bool,
    /// The next occurrence to be decided, unless the job is disabled, exhausted or quarantined. Derived by the state.
    pub next: Option<Opening>,
}

/// What gives a job its occurrences.
#[derive(Debug, Clone)]
pub enum Timing {
    /// This schedule.
    Schedule(Schedule),
    /// Its parents.
    Parents,
    /// Nothing: its stored schedule cannot be read any more, for this reason.
    Broken(String),
}

impl JobEntry {
    /// When the next occurrence to be decided is due, if there is one.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.next.map(|next| next.due_at)
    }

    /// Whether it runs at each start of the machine.
    pub(super) fn is_at_boot(&self) -> bool {
        match &self.timing {
            Timing::Schedule(schedule) => schedule.is_at_boot(),
            Timing::Parents | Timing::Broken(_) => false,
        }
    }

    /// Whether its schedule has nothing left to decide, now or ever.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        match &self.timing {
            Timing::Schedule(schedule) => {
                !schedule.is_at_boot()
                    && schedule.next_after(self.progress.decided_through).is_none()
            }
            Timing::Parents | Timing::Broken(_) => false,
        }
    }

    /// Whether it has failed so many times in a row that it is disabled for that.
    #[must_use]
    pub fn has_failed_too_often(&self, settings: &Settings) -> bool {
        let most = self.failures_most(settings);
        most.is_some_and(|most| self.stats.errors_since_last_success >= most)
    }

    /// Final failures in a row after which it is disabled, if it ever is for that.
    pub(super) fn failures_most(&self, settings: &Settings) -> Option<u64> {
        let most = self.job.disable_after_failures.unwrap_or(settings.disable_after_failures);
        (most > 0).then_some(u64::from(most))
    }

    pub(super) fn find_next(&self, settings: &Settings) -> Option<Opening> {
        let Timing::Schedule(schedule) = &self.timing else { return None };
        if self.is_quarantined {
            return None;
        }
        if schedule.is_at_boot() {
            // Of a disabled job too: its schedule will not name this start when somebody asks later. A start has
            // happened, whatever the clock shows, so its window is open.
            let due_at = undecided_start(settings, &self.progress)?.due_at;
            return Some(Opening { due_at, opens_at: Timestamp::MIN });
        }
        // What is due meanwhile is recorded once somebody asks, or when the pause ends.
        if self.job.disabled || self.interventions.pause.is_some() {
            return None;
        }
        let due_at = schedule.next_after(self.progress.decided_through)?;
        Some(Opening { due_at, opens_at: schedule.opens_at(due_at) })
    }

    /// Makes a draft that does not say otherwise leave the job disabled if it is exhausted or has failed too often: who
    /// sends the same definition again must not have it begin anew each time.
    pub fn keep_disabled(&self, draft: &mut JobDraft, settings: &Settings) {
        if self.is_exhausted() || self.has_failed_too_often(settings) {
            draft.disabled = draft.disabled.or(Some(self.job.disabled));
        }
    }

    /// Which definition it is.
    #[must_use]
    pub fn version(&self) -> JobVersion {
        JobVersion {
            incarnation: self.incarnation,
            revision: self.revision,
            disabled: self.job.disabled,
        }
    }

    /// Its constraints, ready to be asked.
    #[must_use]
    pub fn conditions(&self) -> &Conditions {
        self.conditions.get_or_init(|| Conditions::of(self.job.constraints.clone()))
    }

    /// The stored form.
    #[must_use]
    pub fn to_record(&self) -> JobRecord {
        JobRecord {
            incarnation: self.incarnation,
            revision: self.revision,
            accepted_at: self.accepted_at,
            job: Job::clone(&self.job),
            stats: self.stats.clone(),
            progress: self.progress.clone(),
            interventions: self.interventions.clone(),
        }
    }

    pub(super) fn new(record: JobRecord, settings: &Settings) -> Self {
        let JobRecord { incarnation, revision, accepted_at, job, stats, progress, interventions } =
            record;
        let timing = match &job.when {
            When::Schedule(terms) => {
                let name = job.name.as_str();
                // Accepted once, unusable now: zone data can lose a name, a machine can become a cluster. Said when a
                // term begins, not guessed.
                match (Schedule::of(name, terms, accepted_at, &settings.zones), &settings.machine) {
                    (Err(error), _) => Timing::Broken(error.to_string()),
                    (Ok(schedule), Err(reason)) if schedule.is_at_boot() => {
                        Timing::Broken(needs_machine(terms, reason))
                    }
                    (Ok(schedule), Ok(_) | Err(_)) => Timing::Schedule(schedule),
                }
            }
            When::Parents(_) => Timing::Parents,
        };
        Self {
            incarnation,
            revision,
            accepted_at,
            job: Arc::new(job),
            stats,
            progress,
            interventions,
            timing,
            conditions: OnceLock::new(),
            is_quarantined: false,
            next: None,
        }
    }
}

/// Why a schedule that names starts of the machine names nothing here.
pub(super) fn needs_machine(terms: &ScheduleTerms, reason: &str) -> String {
    format!("`{}` needs one machine that all commands run on, and {reason}", terms.text)
}

/// The present start of the machine, to be decided for a job that runs at each.
pub(super) struct Start<'a> {
    pub(super) boot: &'a Boot,
    pub(super) due_at: Timestamp,
}

/// The start of the machine that `progress` has not got to, if there is one. Starts before it are nobody's: while the
/// machine was off and on again without us, no command of it could have run.
pub(super) fn undecided_start<'a>(
    settings: &'a Settings,
    progress: &Progress,
) -> Option<Start<'a>> {
    let boot = settings.machine.as_ref().ok()?;
    if progress.boot_id.as_ref() == Some(&boot.id) {
        return None;
    }
    // The clock of a machine without a battery may begin in 1970 each time. A run's name is its due instant, so a start
    // that seems no later than what is decided already gets the first millisecond that has no name yet.
    let unnamed = millis_since_epoch(progress.decided_through).checked_add(1)?;
    let due_at = timestamp_from_millis(millis_since_epoch(boot.at).max(unnamed))?;
    Some(Start { boot, due_at })
}
