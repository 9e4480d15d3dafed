//! A job as somebody asked for it: which fields were given, and how they become a [`Job`].
//!
//! Absence is not a value. A door reads a body into a draft; the engine, which alone knows the job that is there
//! already and the defaults in force, resolves it. So a replace keeps what its dialect cannot show, and defaults
//! follow the door.

use super::{
    CatchUp, Constraint, Container, Dialect, Duration, EnvVar, Fetch, Fitness, Job, JobName,
    JobStats, Label, Objectives, OnUnknown, Overlap, ParentsFirst, Period, Priority, Resources,
    RetryTerms, Scalar, Shadow, When, parents_first,
};

/// A job as asked for. `None` means that the field was not given (or was null).
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of `Job`, each optional")]
pub struct JobDraft {
    pub name: JobName,
    pub when: When,
    pub command: Option<String>,
    pub shell: Option<bool>,
    pub epsilon: Option<Period>,
    pub executor: Option<String>,
    pub executor_flags: Option<String>,
    pub task_info_data: Option<String>,
    pub retries: Option<i64>,
    pub retry: Option<RetryTerms>,
    pub owner: Option<String>,
    pub owner_name: Option<String>,
    pub description: Option<String>,
    pub is_async: Option<bool>,
    pub cpus: Option<Scalar>,
    pub mem: Option<Scalar>,
    pub disk: Option<Scalar>,
    pub ports: Option<u32>,
    pub disabled: Option<bool>,
    pub soft_error: Option<bool>,
    pub data_processing: Option<bool>,
    pub fetch: Option<Vec<Fetch>>,
    pub uris: Option<Vec<String>>,
    pub environment: Option<Vec<EnvVar>>,
    pub arguments: Option<Vec<String>>,
    pub priority: Option<Priority>,
    pub run_as_user: Option<String>,
    pub concurrent: Option<bool>,
    pub max_completion_secs: Option<u64>,
    pub kill_grace: Option<Period>,
    pub disable_after_failures: Option<u32>,
    pub on_unknown: Option<OnUnknown>,
    pub container: Option<Container>,
    pub constraints: Option<Vec<Constraint>>,
    pub placement: Option<Fitness>,
    pub overlap: Option<Overlap>,
    pub catch_up: Option<CatchUp>,
    pub shadow: Option<Shadow>,
    pub objectives: Option<Objectives>,
    pub runbook: Option<String>,
    pub labels: Option<Vec<Label>>,
    /// Counts only when the job is created.
    pub stats: JobStats,
}

/// What a field that was not given becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Defaults {
    /// `--task_epsilon`.
    pub epsilon: Duration,
    /// `--mesos_task_cpu`, `--mesos_task_mem`, `--mesos_task_disk`.
    pub resources: Resources,
    /// `--user`; empty is the scheduler's own user.
    pub user: String,
}

impl Default for Defaults {
    /// Those of Chronos: 60 s, 0.1 cpus, 128 MiB of memory, 256 MiB of disk; the scheduler's own user.
    fn default() -> Self {
        Self {
            epsilon: Duration::from_secs(60),
            resources: Resources {
                cpus: Scalar::from_thousandths(100),
                mem: Scalar::from_thousandths(128_000),
                disk: Scalar::from_thousandths(256_000),
                ports: 0,
            },
            user: String::new(),
        }
    }
}

/// Retries of a job that does not say, as in Chronos.
const RETRIES_DEFAULT: i64 = 2;

impl JobDraft {
    /// A draft with nothing given but name and trigger.
    #[must_use]
    pub fn new(name: JobName, when: When) -> Self {
        Self {
            name,
            when,
            command: None,
            shell: None,
            epsilon: None,
            executor: None,
            executor_flags: None,
            task_info_data: None,
            retries: None,
            retry: None,
            owner: None,
            owner_name: None,
            description: None,
            is_async: None,
            cpus: None,
            mem: None,
            disk: None,
            ports: None,
            disabled: None,
            soft_error: None,
            data_processing: None,
            fetch: None,
            uris: None,
            environment: None,
            arguments: None,
            priority: None,
            run_as_user: None,
            concurrent: None,
            max_completion_secs: None,
            kill_grace: None,
            disable_after_failures: None,
            on_unknown: None,
            container: None,
            constraints: None,
            placement: None,
            overlap: None,
            catch_up: None,
            shadow: None,
            objectives: None,
            runbook: None,
            labels: None,
            stats: JobStats::default(),
        }
    }

    /// A draft that says all there is of `job`, so that no default and nothing of an existing job gets into it.
    ///
    /// One thing cannot be said: a variable whose value is `***`, which stands for a stored secret if there is one.
    #[must_use]
    pub fn whole(job: Job) -> Self {
        let Job {
            name,
            command,
            shell,
            when,
            epsilon,
            executor,
            executor_flags,
            task_info_data,
            retries,
            retry,
            owner,
            owner_name,
            description,
            is_async,
            resources: Resources { cpus, mem, disk, ports },
            disabled,
            soft_error,
            data_processing,
            fetch,
            uris,
            environment,
            arguments,
            priority,
            run_as_user,
            max_completion_secs,
            kill_grace,
            disable_after_failures,
            on_unknown,
            container,
            constraints,
            placement,
            overlap,
            catch_up,
            shadow,
            objectives,
            runbook,
            labels,
        } = job;
        Self {
            name,
            when,
            command: Some(command),
            shell: Some(shell),
            epsilon: Some(epsilon),
            executor: Some(executor),
            executor_flags: Some(executor_flags),
            task_info_data: Some(task_info_data),
            retries: Some(retries),
            retry: Some(retry),
            owner: Some(owner),
            owner_name: Some(owner_name),
            description: Some(description),
            is_async: Some(is_async),
            cpus: Some(cpus),
            mem: Some(mem),
            disk: Some(disk),
            ports: Some(ports),
            disabled: Some(disabled),
            soft_error: Some(soft_error),
            data_processing: Some(data_processing),
            fetch: Some(fetch),
            uris: Some(uris),
            environment: Some(environment),
            arguments: Some(arguments),
            priority: Some(priority),
            run_as_user: Some(run_as_user),
            // `overlap` says it.
            concurrent: None,
            max_completion_secs: Some(max_completion_secs),
            kill_grace,
            disable_after_failures,
            on_unknown: Some(on_unknown),
            container,
            constraints: Some(constraints),
            placement: Some(placement),
            overlap: Some(overlap),
            catch_up: Some(catch_up),
            shadow: Some(shadow),
            objectives: Some(objectives),
            runbook: Some(runbook),
            labels: Some(labels),
            stats: JobStats::default(),
        }
    }

    /// Places of the drafts in an order in which each comes after those of its parents that are among them; those that
    /// wait for each other come last, and are refused when their turn comes.
    #[must_use]
    pub fn parents_first(drafts: &[&Self]) -> Vec<usize> {
        let jobs: Vec<(&str, Vec<&str>)> = drafts
            .iter()
            .map(|draft| {
                let parents = match &draft.when {
                    When::Parents(terms) => terms.names.iter().map(JobName::as_str).collect(),
                    When::Schedule(_) => Vec::new(),
                };
                (draft.name.as_str(), parents)
            })
            .collect();
        let ParentsFirst { mut placed, left } = parents_first(&jobs);
        placed.extend(left);
        placed
    }

    /// The job this draft asks for if it says all there is: of `existing` only what the draft refers to stays, which are
    /// its secrets and whether it is only planned.
    #[must_use]
    pub fn resolve_whole(
        mut self,
        existing: Option<&Job>,
        dialect: Dialect,
        defaults: &Defaults,
    ) -> Job {
        self.environment = self.environment.map(|given| keep_secrets(given, existing));
        self.shadow = Some(keep_shadow(self.shadow, existing));
        self.choose_overlap(existing);
        self.resolve(None, dialect, defaults)
    }

    /// The job this draft asks for at the door `dialect`, replacing `existing` if there is one.
    ///
    /// A field that is not given gets its default, except one that the dialect's GET does not print: a client that
    /// never saw it cannot have meant to drop it, so the existing job's value stays. Whether a job is only planned
    /// (`shadow`) stays too: who says nothing of it must not start what another scheduler runs, and who says once more
    /// that it is must not take back that it was cut over. An amount of 0 is its default,
    /// and a secret given as `***` keeps the stored value, as both are what a client reads and sends back.
    #[must_use]
    pub fn resolve(mut self, existing: Option<&Job>, dialect: Dialect, defaults: &Defaults) -> Job {
        self.choose_overlap(existing);
        // The job whose fields stay when a door that does not print them sends none.
        let unseen_by = |door: Dialect| existing.filter(|_| dialect == door);
        let catch_up_default = match (dialect, &self.epsilon) {
            (Dialect::V1, None) => CatchUp::Latest,
            (Dialect::V0, _) | (Dialect::V1, Some(_)) => CatchUp::None,
        };
        let overlap_default = match catch_up_default {
            CatchUp::Latest => Overlap::Queue { max: 1 },
            CatchUp::None | CatchUp::All { .. } => Overlap::Skip,
        };
        let overlap = match (self.overlap, self.concurrent, unseen_by(Dialect::V0)) {
            (Some(overlap), _, _) => overlap,
            (None, Some(true), _) => Overlap::Allow { max: None },
            (None, None, Some(existing)) if matches!(existing.overlap, Overlap::Allow { .. }) => {
                existing.overlap
            }
            (None, Some(false) | None, _) => overlap_default,
        };
        let epsilon = self
            .epsilon
            .or_else(|| unseen_by(Dialect::V1).map(|job| job.epsilon.clone()))
            .unwrap_or_else(|| period_of(defaults.epsilon));
        let amount = |given: Option<Scalar>, default| {
            given.filter(|&amount| amount > Scalar::ZERO).unwrap_or(default)
        };
        Job {
            name: self.name,
            when: self.when,
            command: self.command.unwrap_or_default(),
            shell: self.shell.unwrap_or(true),
            epsilon,
            executor: self.executor.unwrap_or_default(),
            executor_flags: self.executor_flags.unwrap_or_default(),
            task_info_data: self.task_info_data.unwrap_or_default(),
            retries: self.retries.unwrap_or(RETRIES_DEFAULT),
            retry: self.retry.unwrap_or_default(),
            owner: self.owner.unwrap_or_default(),
            owner_name: self.owner_name.unwrap_or_default(),
            description: self.description.unwrap_or_default(),
            is_async: self
                .is_async
                .unwrap_or_else(|| unseen_by(Dialect::V1).is_some_and(|job| job.is_async)),
            resources: Resources {
                cpus: amount(self.cpus, defaults.resources.cpus),
                mem: amount(self.mem, defaults.resources.mem),
                disk: amount(self.disk, defaults.resources.disk),
                ports: self.ports.unwrap_or_default(),
            },
            disabled: self.disabled.unwrap_or(false),
            soft_error: self.soft_error.unwrap_or(false),
            data_processing: self.data_processing.unwrap_or(false),
            fetch: self.fetch.unwrap_or_default(),
            uris: self.uris.unwrap_or_default(),
            environment: keep_secrets(self.environment.unwrap_or_default(), existing),
            arguments: self.arguments.unwrap_or_default(),
            priority: self.priority.unwrap_or_default(),
            run_as_user: self.run_as_user.unwrap_or_else(|| defaults.user.clone()),
            max_completion_secs: self
                .max_completion_secs
                .unwrap_or_else(|| unseen_by(Dialect::V0).map_or(0, |job| job.max_completion_secs)),
            kill_grace: self.kill_grace,
            disable_after_failures: self.disable_after_failures,
            on_unknown: self.on_unknown.unwrap_or_default(),
            container: self.container,
            constraints: self.constraints.unwrap_or_default(),
            placement: self.placement.unwrap_or_default(),
            overlap,
            catch_up: self.catch_up.unwrap_or(catch_up_default),
            shadow: keep_shadow(self.shadow, existing),
            objectives: self.objectives.unwrap_or_default(),
            runbook: self.runbook.unwrap_or_default(),
            labels: self.labels.unwrap_or_default(),
        }
    }
}

impl JobDraft {
    /// Whether `overlap` and `concurrent` say different things, and neither is what `existing` has.
    ///
    /// For a new job `false` says nothing beside `overlap`: it is what is printed for every job but those that allow.
    #[must_use]
    pub fn overlap_contradicts(&self, existing: Option<&Job>) -> bool {
        let (Some(overlap), Some(concurrent)) = (self.overlap, self.concurrent) else {
            return false;
        };
        let is_changed = match existing {
            None => concurrent,
            Some(job) => overlap != job.overlap && concurrent != is_beside(job.overlap),
        };
        is_changed && concurrent != is_beside(overlap)
    }

    /// Of `overlap` and `concurrent` the one counts that is not what `existing` has: a client that knows one of them
    /// changes that and sends the other back as it got it.
    fn choose_overlap(&mut self, existing: Option<&Job>) {
        let (Some(overlap), Some(concurrent), Some(job)) =
            (self.overlap, self.concurrent, existing)
        else {
            return;
        };
        if overlap == job.overlap && concurrent != is_beside(overlap) {
            self.overlap = None;
        }
    }
}

/// What `concurrent` says of it.
const fn is_beside(overlap: Overlap) -> bool {
    matches!(overlap, Overlap::Allow { .. })
}

/// Whether a job is only planned, with what is known of it already.
fn keep_shadow(given: Option<Shadow>, existing: Option<&Job>) -> Shadow {
    match (given, existing.map(|job| job.shadow)) {
        (None, Some(kept)) | (Some(Shadow::On), Some(kept @ Shadow::Until(_))) => kept,
        (given, _) => given.unwrap_or_default(),
    }
}

/// What a secret value is shown as, and what a client sends back to keep it.
pub const SECRET_SHOWN: &str = "***";

fn keep_secrets(mut given: Vec<EnvVar>, existing: Option<&Job>) -> Vec<EnvVar> {
    for variable in given.iter_mut().filter(|v| v.value == SECRET_SHOWN) {
        let stored = existing
            .and_then(|job| job.environment.iter().rfind(|v| v.secret && v.name == variable.name));
        if let Some(stored) = stored {
            variable.value.clone_from(&stored.value);
            // An old client sends back what it was shown without the word that it does not know.
            variable.secret = true;
        }
    }
    given
}

/// A span as Chronos prints an epsilon that nobody typed.
fn period_of(span: Duration) -> Period {
    Period { text: format!("PT{}S", span.as_secs()), span }
}
