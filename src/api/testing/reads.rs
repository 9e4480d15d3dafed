//! What readers see of the jobs and runs in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{World, at, zones};
use crate::api::{JobBrief, JobExplained, JobHead, JobState, JobStatus, JobView, NewestRuns};
use crate::engine::{
    Abilities, Change, Decision, Event, Reason, Recovered, Settings, State, explain_job,
    explain_run, step,
};
use crate::jobspec;
use crate::metrics::Figures;
use crate::model::{
    BootInstant, Defaults, Dialect, Duration, FrameworkId, HistoryEntry, Incarnation,
    Interventions, JobName, JobRecord, JobStats, NameRule, Now, Progress, Run, RunId, Scope, Term,
    Timestamp, Trigger,
};
use crate::schedule::parse_period;

/// The first job there is, in its first revision.
pub(crate) fn record(text: &str) -> JobRecord {
    let body = serde_json::json!({
        "name": text, "command": "true", "schedule": "R/2030-01-01T00:00:00Z/P1D", "epsilon": "PT60S",
    });
    let period = |text: &str| parse_period(text).map_err(|error| error.to_string());
    let reading = jobspec::read_as(&body, Dialect::V0, NameRule::Blanks, &period).unwrap();
    JobRecord {
        incarnation: Incarnation(1),
        revision: 1,
        accepted_at: at("2030-01-01T00:00:00Z"),
        stats: JobStats::default(),
        progress: Progress {
            decided_through: at("2030-01-01T00:00:00Z"),
            stretch: None,
            boot_id: None,
            rounds: Vec::new(),
        },
        interventions: Interventions::default(),
        job: reading.draft.resolve(None, Dialect::V0, &Defaults::default()),
    }
}

/// What the engine decides with.
pub(crate) fn settings() -> Settings {
    Settings {
        defaults: Defaults::default(),
        retry_delay: Duration::ZERO,
        disable_after_failures: 0,
        max_jobs: 200_000,
        kill_grace: Duration::ZERO,
        abilities: Abilities {
            only_user: None,
            run_as: None,
            containers: false,
            executors: false,
            ports: false,
        },
        zones: zones().clone(),
        alerts: crate::alerts::Terms::default(),
        machine: Err("nobody knows".to_owned()),
    }
}

/// Lets the wall clock of a state jump to the present from two hours before.
fn jump(state: &mut State) {
    let readings = [
        ("2029-12-31T22:00:00Z", 99, Event::Resumed { term: Term(1) }),
        ("2030-01-01T00:00:00Z", 100, Event::Woke),
    ];
    for (wall, boot, event) in readings {
        let now = Now { wall: at(wall), boot: BootInstant(Duration::from_secs(boot)) };
        let Decision { changes, .. } = step(state, now, &event);
        let judged = |change: &&Change| matches!(change, Change::ClockJudged(_));
        changes.iter().filter(judged).for_each(|change| state.apply(change));
    }
}

impl World {
    /// The jobs as the engine has them, each in a life of its own.
    pub(super) fn state(&self) -> State {
        self.state_with(Vec::new())
    }

    /// The same with these runs.
    fn state_with(&self, runs: Vec<Run>) -> State {
        let mut jobs: Vec<JobRecord> = self.jobs.values().cloned().collect();
        for record in &mut jobs {
            record.incarnation = self.life(&record.job.name);
        }
        let is_its = |run: &Run| {
            self.jobs.contains_key(&run.job) && run.id.incarnation == self.life(&run.job)
        };
        let mut runs = runs;
        let given: Vec<RunId> = runs.iter().map(|run| run.id).collect();
        runs.extend(self.history.iter().filter_map(|entry| match entry {
            HistoryEntry::Run(run)
                if !run.is_ended() && is_its(run) && !given.contains(&run.id) =>
            {
                Some(run.clone())
            }
            HistoryEntry::Run(_) | HistoryEntry::Stretch(_) => None,
        }));
        let last = self.history.iter().map(HistoryEntry::sequence).max().unwrap_or_default();
        let recovered = Recovered {
            jobs,
            runs,
            pause: self.paused.clone(),
            backfills: self.backfills.values().cloned().collect(),
            task_marks: self.task_marks.iter().map(|(job, mark)| (job.clone(), *mark)).collect(),
            last_sequence: last,
            ..Recovered::default()
        };
        let mut state = State::recover(Arc::new(settings()), recovered);
        if self.has_clock_jumped {
            jump(&mut state);
        }
        for change in &self.told {
            state.apply(&Change::Alerted(change.clone()));
        }
        state
    }

    pub(super) fn caused_by(&self, causes: &[RunId], limit: usize) -> Vec<Run> {
        let runs = self.history.iter().filter_map(|entry| match entry {
            HistoryEntry::Run(run) => Some(run.clone()),
            HistoryEntry::Stretch(_) => None,
        });
        let mut found: Vec<Run> = runs.collect();
        found.retain(|run| {
            let retried = match run.trigger {
                Trigger::Retry { of, .. } => Some(of),
                Trigger::Schedule { .. }
                | Trigger::CatchUp { .. }
                | Trigger::Manual { .. }
                | Trigger::Backfill { .. }
                | Trigger::Parents { .. } => None,
            };
            run.causes.iter().chain(&retried).any(|cause| causes.contains(cause))
        });
        found.sort_by_key(|run| run.sequence);
        found.truncate(limit);
        found
    }

    pub(super) fn newest_runs(&self, jobs: &[JobName]) -> NewestRuns {
        let mut found = NewestRuns::new();
        for entry in &self.history {
            match entry {
                HistoryEntry::Run(run) if jobs.contains(&run.job) => {
                    found.insert(run.job.clone(), run.id);
                }
                HistoryEntry::Run(_) | HistoryEntry::Stretch(_) => {}
            }
        }
        found
    }

    pub(super) fn view(&self, record: &JobRecord) -> JobView {
        JobView {
            record: JobHead {
                incarnation: record.incarnation,
                revision: record.revision,
                accepted_at: record.accepted_at,
                job: Arc::new(record.job.clone()),
                stats: record.stats.clone(),
                origin: record.interventions.origin.clone(),
            },
            next_due: Some(at("2030-01-01T02:30:00Z")),
            remaining: None,
            waits_for: None,
            live: self.live(record).count(),
            state: JobState::of(self.live(record)),
        }
    }

    pub(super) fn live(&self, record: &JobRecord) -> impl Iterator<Item = &Run> {
        self.history.iter().filter_map(|entry| match entry {
            HistoryEntry::Run(run) if !run.is_ended() && run.job == record.job.name => Some(run),
            HistoryEntry::Run(_) | HistoryEntry::Stretch(_) => None,
        })
    }

    pub(super) fn briefs_after(&self, after: Option<Incarnation>, limit: usize) -> Vec<JobBrief> {
        let mut records: Vec<&JobRecord> = self.jobs.values().collect();
        records.sort_by_key(|record| record.incarnation);
        let behind = records.into_iter().filter(|record| Some(record.incarnation) > after);
        let brief = |record: &JobRecord| JobBrief {
            incarnation: record.incarnation,
            job: Arc::new(record.job.clone()),
            status: JobStatus::of(&record.stats),
            state: JobState::of(self.live(record)),
            success_count: record.stats.success_count,
            error_count: record.stats.error_count,
        };
        behind.take(limit).map(brief).collect()
    }

    pub(super) fn took(&self) -> BTreeMap<Incarnation, Figures> {
        let mut took: BTreeMap<Incarnation, Vec<u64>> = BTreeMap::new();
        for entry in &self.history {
            if let HistoryEntry::Run(run) = entry
                && let Some(span) = run.took()
            {
                let millis = u64::try_from(span.as_millis()).unwrap();
                took.entry(run.id.incarnation).or_default().push(millis);
            }
        }
        took.into_iter().map(|(job, mut took)| (job, Figures::of(&mut took))).collect()
    }

    /// Which of the jobs it is, by their names, from 1.
    fn life(&self, job: &JobName) -> Incarnation {
        let before = self.jobs.keys().take_while(|name| *name < job).count();
        Incarnation(u64::try_from(before + 1).unwrap())
    }

    /// The run as one of that life of its job.
    pub(super) fn of_life(&self, run: &Run) -> Run {
        let mut run = run.clone();
        run.id.incarnation = self.life(&run.job);
        run
    }

    /// The same with what the launcher has said.
    pub(super) fn cluster_state(&self) -> State {
        let mut state = self.live_state();
        if let Some(framework) = &self.framework {
            state.apply(&Change::FrameworkSet(FrameworkId::new(framework.as_str())));
        }
        if let Some(launcher) = &self.launcher {
            state.apply(&Change::OffersSet(launcher.clone()));
        }
        state.apply(&Change::AgentsSeen(self.seen.clone()));
        state
    }

    pub(super) fn live_state(&self) -> State {
        let live = self.history.iter().filter_map(|entry| match entry {
            HistoryEntry::Run(run) if !run.is_ended() => Some(self.of_life(run)),
            HistoryEntry::Run(_) | HistoryEntry::Stretch(_) => None,
        });
        self.state_with(live.collect())
    }

    pub(super) fn explain_job(
        &self,
        job: &JobName,
        now: Timestamp,
        last: &[HistoryEntry],
        scope: &Scope,
    ) -> Option<JobExplained> {
        let state = self.live_state();
        let entry = state.job(job)?;
        let last: Vec<HistoryEntry> = last
            .iter()
            .map(|entry| match entry {
                HistoryEntry::Run(run) => HistoryEntry::Run(self.of_life(run)),
                HistoryEntry::Stretch(stretch) => {
                    let mut stretch = stretch.clone();
                    stretch.incarnation = self.life(&stretch.job);
                    HistoryEntry::Stretch(stretch)
                }
            })
            .collect();
        let reasons = explain_job(&state, now, entry, &last, scope);
        Some(JobExplained { reasons, next_due: entry.next_due() })
    }

    pub(super) fn explain_run(&self, run: &Run, now: Timestamp) -> Vec<Reason> {
        explain_run(&self.cluster_state(), now, &self.of_life(run))
    }
}
