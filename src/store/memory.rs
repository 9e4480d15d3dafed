//! A store that keeps everything in memory: for tests and the simulator.
//!
//! Behaves as [`super::SqliteStore`] does, checked by the same suite, but ends with the process. Synchronous
//! underneath, so that a simulation needs no runtime.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{self, BoxFuture, FutureExt};

use super::alerts::needed;
use super::{Batch, CommitError, Error, Loaded, Store};
use crate::alerts;
use crate::engine::Change;
use crate::model::HistoryEntry;
use crate::model::{
    Alert, AlertId, AnsweredRequest, Backfill, BackfillId, FrameworkId, Incarnation, Incident,
    IncidentId, JobName, JobRecord, Notification, NotificationId, Pause, Run, RunId, Signal,
    Silence, Term, Timestamp,
};

/// A store that keeps everything in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    term: Term,
    jobs: BTreeMap<Incarnation, JobRecord>,
    names: BTreeMap<JobName, Incarnation>,
    history: BTreeMap<u64, HistoryEntry>,
    run_ids: BTreeMap<RunId, u64>,
    signals: BTreeMap<u64, Signal>,
    task_marks: BTreeMap<JobName, i64>,
    zones: BTreeMap<String, Arc<[u8]>>,
    answered: BTreeMap<String, AnsweredRequest>,
    pause: Option<Pause>,
    backfills: BTreeMap<BackfillId, Backfill>,
    alerts: BTreeMap<AlertId, Alert>,
    incidents: BTreeMap<IncidentId, Incident>,
    notifications: BTreeMap<NotificationId, Notification>,
    silences: BTreeMap<JobName, Silence>,
    failing: BTreeMap<String, alerts::Failing>,
    judged_through: Timestamp,
    framework: Option<FrameworkId>,
    /// The number of the largest incarnation.
    last_incarnation: u64,
    last_sequence: u64,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`Store::load`], at once.
    #[must_use]
    pub fn load_now(&self) -> Loaded {
        let inner = self.lock();
        let live = |entry: &HistoryEntry| match entry {
            HistoryEntry::Run(run) if !run.is_ended() => Some(run.clone()),
            HistoryEntry::Run(_) | HistoryEntry::Stretch(_) => None,
        };
        Loaded {
            term: inner.term,
            jobs: inner.jobs.values().cloned().collect(),
            runs: inner.history.values().filter_map(live).collect(),
            signals: inner.signals.values().cloned().collect(),
            task_marks: inner.task_marks.iter().map(|(name, &at)| (name.clone(), at)).collect(),
            zones: inner.zones.iter().map(|(name, data)| (name.clone(), data.clone())).collect(),
            answered: inner.answered.values().cloned().collect(),
            pause: inner.pause.clone(),
            backfills: inner.backfills.values().cloned().collect(),
            alerts: inner.told(),
            judged_through: inner.judged_through,
            framework: inner.framework.clone(),
            last_incarnation: Incarnation(inner.last_incarnation),
            last_sequence: inner.last_sequence,
        }
    }

    /// As [`Store::commit`], at once.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`], but never [`CommitError::Unknown`].
    pub fn commit_now(&self, batch: &Batch) -> Result<(), CommitError> {
        let mut inner = self.lock();
        if !batch.changes.iter().any(Change::is_durable) {
            return Ok(());
        }
        inner.check(batch).map_err(CommitError::Refused)?;
        inner.term = inner.term.max(batch.term);
        for change in &batch.changes {
            inner.store(change);
        }
        Ok(())
    }

    /// All runs and stretches ever stored, oldest first.
    #[must_use]
    pub fn history(&self) -> Vec<HistoryEntry> {
        self.lock().history.values().cloned().collect()
    }

    /// The run of this name, live or ended.
    #[must_use]
    pub fn run(&self, id: RunId) -> Option<Run> {
        let inner = self.lock();
        match inner.history.get(inner.run_ids.get(&id)?)? {
            HistoryEntry::Run(run) => Some(run.clone()),
            HistoryEntry::Stretch(_) => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere while this was held cannot have left a batch half stored: storing does not panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn load(&self) -> BoxFuture<'_, Result<Loaded, Error>> {
        future::ready(Ok(self.load_now())).boxed()
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), CommitError>> {
        future::ready(self.commit_now(&batch)).boxed()
    }
}

impl Inner {
    /// Whether `batch` can be stored as a whole; what the indexes of the database would say.
    fn check(&self, batch: &Batch) -> Result<(), Error> {
        if batch.term < self.term {
            return Err(Error::Fenced { offered: batch.term, stored: self.term });
        }
        // What the batch has changed so far; `None` for what it removed, or for a stretch.
        let mut names: BTreeMap<&JobName, Option<Incarnation>> = BTreeMap::new();
        let mut lives: BTreeMap<Incarnation, Option<&JobName>> = BTreeMap::new();
        let mut run_ids: BTreeMap<RunId, u64> = BTreeMap::new();
        let mut sequences: BTreeMap<u64, Option<RunId>> = BTreeMap::new();
        for change in &batch.changes {
            match change {
                Change::JobStored(record) => {
                    let (life, name) = (record.incarnation, &record.job.name);
                    if self.holder(&names, name).is_some_and(|holder| holder != life) {
                        return Err(conflict(format!("`{name}` is the name of another job")));
                    }
                    if self.name_of(&lives, life).is_some_and(|known| known != name) {
                        return Err(conflict(format!("`{life}` is the life of another name")));
                    }
                    names.insert(name, Some(life));
                    lives.insert(life, Some(name));
                }
                Change::JobRemoved { incarnation, name } => {
                    if self.holder(&names, name) == Some(*incarnation) {
                        names.insert(name, None);
                        lives.insert(*incarnation, None);
                    }
                }
                Change::RunStored(run) => {
                    let known = run_ids.get(&run.id).or_else(|| self.run_ids.get(&run.id));
                    if known.is_some_and(|&sequence| sequence != run.sequence) {
                        return Err(conflict(format!("`{}` is stored already", run.id)));
                    }
                    self.claim(&mut sequences, run.sequence, Some(run.id))?;
                    run_ids.insert(run.id, run.sequence);
                }
                Change::StretchStored(stretch) => {
                    self.claim(&mut sequences, stretch.sequence, None)?;
                }
                Change::TermBegan(_)
                | Change::Progressed { .. }
                | Change::Counted { .. }
                | Change::Disabled { .. }
                | Change::SignalStored(_)
                | Change::SignalRemoved { .. }
                | Change::TaskMillisUsed { .. }
                | Change::RequestAnswered(_)
                | Change::AnswerForgotten { .. }
                | Change::ZoneKept { .. }
                | Change::Intervened { .. }
                | Change::EverythingPaused(_)
                | Change::BackfillStored(_)
                | Change::BackfillRemoved { .. }
                | Change::StretchVoided { .. }
                | Change::QuarantineLifted { .. }
                | Change::ClockJudged(_)
                | Change::FrameworkSet(_)
                | Change::Alerted(_)
                | Change::ObjectivesJudged(_)
                | Change::OffersSet(_)
                | Change::OffersAdded(_)
                | Change::OffersRemoved(_)
                | Change::AgentLost(_)
                | Change::AgentsSeen(_)
                | Change::DemandTold(_)
                | Change::Quarantined { .. }
                | Change::ListeningBegan { .. }
                | Change::Heard { .. }
                | Change::ListeningEnded
                | Change::PlacementSettled => {}
            }
        }
        Ok(())
    }

    fn holder(
        &self,
        changed: &BTreeMap<&JobName, Option<Incarnation>>,
        name: &JobName,
    ) -> Option<Incarnation> {
        changed.get(name).copied().unwrap_or_else(|| self.names.get(name).copied())
    }

    fn name_of<'a>(
        &'a self,
        changed: &BTreeMap<Incarnation, Option<&'a JobName>>,
        life: Incarnation,
    ) -> Option<&'a JobName> {
        let stored = || self.jobs.get(&life).map(|record| &record.job.name);
        changed.get(&life).copied().unwrap_or_else(stored)
    }

    /// Refuses a sequence that belongs to another run, or to a stretch if a run wants it.
    fn claim(
        &self,
        claimed: &mut BTreeMap<u64, Option<RunId>>,
        sequence: u64,
        by: Option<RunId>,
    ) -> Result<(), Error> {
        let stored = || {
            self.history.get(&sequence).map(|entry| match entry {
                HistoryEntry::Run(run) => Some(run.id),
                HistoryEntry::Stretch(_) => None,
            })
        };
        if claimed.get(&sequence).copied().or_else(stored).is_some_and(|holder| holder != by) {
            return Err(conflict(format!("sequence {sequence} is used already")));
        }
        claimed.insert(sequence, by);
        Ok(())
    }

    fn store_told(&mut self, change: &alerts::Change) {
        match change {
            alerts::Change::AlertStored(alert) => {
                self.alerts.insert(alert.id, Alert::clone(alert));
            }
            alerts::Change::IncidentStored(incident) => {
                self.incidents.insert(incident.id, Incident::clone(incident));
            }
            alerts::Change::NotificationStored(notification) => {
                self.notifications.insert(notification.id, Notification::clone(notification));
            }
            alerts::Change::JobSilenced { job, silence: Some(silence) } => {
                self.silences.insert(job.clone(), silence.clone());
            }
            alerts::Change::JobSilenced { job, silence: None } => {
                self.silences.remove(job);
            }
            alerts::Change::ChannelFailing { channel, failing: Some(failing) } => {
                self.failing.insert(channel.clone(), failing.clone());
            }
            alerts::Change::ChannelFailing { channel, failing: None } => {
                self.failing.remove(channel);
            }
        }
    }

    fn told(&self) -> alerts::Recovered {
        needed(alerts::Recovered {
            alerts: self.alerts.values().cloned().collect(),
            incidents: self.incidents.values().cloned().collect(),
            notifications: self.notifications.values().cloned().collect(),
            silences: self.silences.iter().map(|(job, it)| (job.clone(), it.clone())).collect(),
            failing: self.failing.iter().map(|(name, it)| (name.clone(), it.clone())).collect(),
            last_ids: alerts::LastIds {
                alert: self.alerts.last_key_value().map_or(0, |(id, _)| id.0),
                incident: self.incidents.last_key_value().map_or(0, |(id, _)| id.0),
                notification: self.notifications.last_key_value().map_or(0, |(id, _)| id.0),
            },
        })
    }

    fn store(&mut self, change: &Change) {
        match change {
            Change::TermBegan(term) => self.term = self.term.max(*term),
            Change::FrameworkSet(framework) => self.framework = Some(framework.clone()),
            Change::ObjectivesJudged(at) => self.judged_through = self.judged_through.max(*at),
            Change::Alerted(change) => self.store_told(change),
            Change::JobStored(record) => {
                self.last_incarnation = self.last_incarnation.max(record.incarnation.0);
                self.names.insert(record.job.name.clone(), record.incarnation);
                self.jobs.insert(record.incarnation, (**record).clone());
            }
            Change::JobRemoved { incarnation, name } => {
                if self.names.get(name) == Some(incarnation) {
                    self.names.remove(name);
                    self.jobs.remove(incarnation);
                }
            }
            Change::Progressed { incarnation, progress } => {
                if let Some(record) = self.jobs.get_mut(incarnation) {
                    record.progress = progress.clone();
                }
            }
            Change::Counted { incarnation, stats } => {
                if let Some(record) = self.jobs.get_mut(incarnation) {
                    record.stats = stats.clone();
                }
            }
            Change::Disabled { incarnation } => {
                if let Some(record) = self.jobs.get_mut(incarnation) {
                    record.job.disabled = true;
                }
            }
            Change::RunStored(run) => {
                self.last_sequence = self.last_sequence.max(run.sequence);
                self.run_ids.insert(run.id, run.sequence);
                self.history.insert(run.sequence, HistoryEntry::Run(Run::clone(run).stored()));
            }
            Change::StretchStored(stretch) => {
                self.last_sequence = self.last_sequence.max(stretch.sequence);
                self.history.insert(stretch.sequence, HistoryEntry::Stretch(stretch.clone()));
            }
            Change::SignalStored(signal) => {
                self.last_sequence = self.last_sequence.max(signal.sequence);
                self.signals.insert(signal.sequence, signal.clone());
            }
            Change::SignalRemoved { sequence } => {
                self.signals.remove(sequence);
            }
            Change::TaskMillisUsed { name, millis } => {
                let mark = self.task_marks.entry(name.clone()).or_insert(*millis);
                *mark = (*mark).max(*millis);
            }
            Change::RequestAnswered(answered) => {
                let answered = AnsweredRequest::clone(answered);
                self.answered.insert(answered.key.id.clone(), answered);
            }
            Change::AnswerForgotten { id } => {
                self.answered.remove(id);
            }
            Change::ZoneKept { name, data } => {
                self.zones.insert(name.clone(), Arc::clone(data));
            }
            Change::Intervened { incarnation, interventions } => {
                if let Some(record) = self.jobs.get_mut(incarnation) {
                    record.interventions = interventions.clone();
                }
            }
            Change::EverythingPaused(pause) => self.pause.clone_from(pause),
            Change::BackfillStored(backfill) => {
                self.last_sequence = self.last_sequence.max(backfill.id.0);
                self.backfills.insert(backfill.id, Backfill::clone(backfill));
            }
            Change::BackfillRemoved { id } => {
                self.backfills.remove(id);
            }
            Change::StretchVoided { sequence } => {
                if let Some(HistoryEntry::Stretch(_)) = self.history.get(sequence) {
                    self.history.remove(sequence);
                }
            }
            Change::Quarantined { .. }
            | Change::QuarantineLifted { .. }
            | Change::ClockJudged(_)
            | Change::ListeningBegan { .. }
            | Change::Heard { .. }
            | Change::ListeningEnded
            | Change::OffersSet(_)
            | Change::OffersAdded(_)
            | Change::OffersRemoved(_)
            | Change::AgentLost(_)
            | Change::AgentsSeen(_)
            | Change::DemandTold(_)
            | Change::PlacementSettled => {}
        }
    }
}

fn conflict(what: String) -> Error {
    Error::Conflict { what }
}
