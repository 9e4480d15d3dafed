//! What exactly is launched for an attempt: command, environment, user, downloads.
//!
//! Sources: the compatibility sheet 5.1 and 5.3. Knows nothing of when or where.

use std::collections::BTreeSet;

use crate::model::{Attempt, ClusterTerms, Command, Duration, EnvVar, Fetch, Job, Launch, Run};
use crate::placement::Assignment;

use super::entry::JobEntry;
use super::{Step, status};

/// The arguments as they stand in task ids: those of the run if it has its own, else the job's joined by blanks.
pub(super) fn arguments_in_task_id(job: &Job, run: &Run) -> String {
    run.arguments.clone().unwrap_or_else(|| job.arguments.join(" "))
}

/// The launch of `attempt`.
pub(super) fn launch(
    step: &Step<'_>,
    entry: &JobEntry,
    run: &Run,
    attempt: &Attempt,
    hostname: &str,
    assignment: Assignment,
) -> Launch {
    let job = &entry.job;
    let (command, fetch) = command_and_fetch(job, run);
    Launch {
        term: step.state.term(),
        task_id: attempt.task_id.clone(),
        run_id: run.id,
        attempt: attempt.index,
        offers: assignment.offers,
        agent: assignment.agent,
        command,
        environment: environment(job, run, attempt, hostname),
        user: Some(job.run_as_user.clone()).filter(|user| !user.is_empty()),
        fetch,
        resources: job.resources,
        kill_grace: status::grace(step, run),
        not_after: None,
        cluster: step.state.is_cluster().then(|| Box::new(cluster_terms(job))),
    }
}

fn cluster_terms(job: &Job) -> ClusterTerms {
    let executor_data = if job.executor.is_empty() {
        String::new()
    } else if job.task_info_data.is_empty() {
        format!("{}|{}", job.executor_flags, job.command)
    } else {
        job.task_info_data.clone()
    };
    let timeout = (job.max_completion_secs > 0)
        .then(|| Duration::from_secs(i64::try_from(job.max_completion_secs).unwrap_or(i64::MAX)));
    ClusterTerms {
        job: job.name.clone(),
        owner: job.owner.clone(),
        container: job.container.clone(),
        executor: job.executor.clone(),
        executor_data,
        timeout,
    }
}

/// Whether the command is the address of a program, which gets no arguments.
pub(super) fn is_download(command: &str) -> bool {
    ["http://", "https://", "ftp://"].iter().any(|scheme| command.starts_with(scheme))
}

fn command_and_fetch(job: &Job, run: &Run) -> (Command, Vec<Fetch>) {
    // A command that is an address is itself the only download, executed by its last segment; nothing else of the
    // job's command line counts. Chronos looks for `http` and `ftp` alone, which also hits `httpd` (DIFFERENCE).
    if is_download(&job.command) {
        let file = job.command.rsplit('/').next().unwrap_or_default().to_owned();
        let fetch = Fetch {
            uri: job.command.clone(),
            executable: true,
            cache: false,
            extract: false,
            output_file: String::new(),
        };
        return (Command::Program { program: format!("./{file}"), arguments: vec![] }, vec![fetch]);
    }
    let arguments = match &run.arguments {
        // What cannot be split (an open quote) is one argument, as typed: nothing is lost.
        Some(typed) => shell_words::split(typed).unwrap_or_else(|_| vec![typed.clone()]),
        None => job.arguments.clone(),
    };
    let command = if job.shell {
        // The arguments follow the text. Behind a line break, as a block of YAML ends in, they would be a command.
        let text = if arguments.is_empty() { &job.command } else { job.command.trim_end() };
        Command::Shell { text: text.to_owned(), arguments }
    } else {
        Command::Program { program: job.command.clone(), arguments }
    };
    let mut fetch = job.fetch.clone();
    fetch.extend(job.uris.iter().map(|uri| Fetch {
        uri: uri.clone(),
        executable: false,
        cache: false,
        extract: true,
        output_file: String::new(),
    }));
    (command, fetch)
}

/// The environment: the job's variables, those of the run, then ours, which win. Of several with one name the last counts.
fn environment(job: &Job, run: &Run, attempt: &Attempt, hostname: &str) -> Vec<(String, String)> {
    let due_at = run.trigger.due_at();
    let ours = [
        ("mesos_task_id", attempt.task_id.to_string()),
        ("MESOS_TASK_ID", attempt.task_id.to_string()),
        ("CHRONOS_JOB_OWNER", job.owner.clone()),
        ("CHRONOS_JOB_NAME", job.name.to_string()),
        ("HOST", hostname.to_owned()),
        ("CHRONOS_RESOURCE_MEM", job.resources.mem.to_string()),
        ("CHRONOS_RESOURCE_CPU", job.resources.cpus.to_string()),
        ("CHRONOS_RESOURCE_DISK", job.resources.disk.to_string()),
        ("CHRONOS_JOB_RUN_TIME", run.task_millis.to_string()),
        ("CHRONOS_JOB_RUN_ATTEMPT", attempt.index.to_string()),
        ("CHRONODE_DUE", format!("{due_at:.3}")),
        ("CHRONODE_RUN_ID", run.id.to_string()),
        ("CHRONODE_ATTEMPT", attempt.index.to_string()),
    ];
    let theirs = job
        .environment
        .iter()
        .chain(&run.environment)
        .map(|EnvVar { name, value, secret: _ }| (name.clone(), value.clone()));
    let ours = ours.into_iter().map(|(name, value)| (name.to_owned(), value));
    let mut seen = BTreeSet::new();
    let mut kept: Vec<(String, String)> = theirs
        .chain(ours)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .filter(|(name, _)| seen.insert(name.clone()))
        .collect();
    kept.reverse();
    kept
}
