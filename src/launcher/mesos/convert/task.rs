//! A launch as a task.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Picked;
use super::container::container;
use crate::mesos::wire;
use crate::model::{ClusterTerms, Command, Container, ContainerType, Duration, Fetch, Launch};

/// The task of a launch that gets these resources.
#[must_use]
pub fn task(launch: &Launch, picked: Picked) -> wire::TaskInfo {
    let Launch {
        // The master's framework id is what makes orders of an earlier leader void.
        term: _,
        task_id,
        run_id,
        attempt,
        // Named by the call that it is part of.
        offers: _,
        agent,
        command,
        environment,
        user,
        fetch,
        // Picked already.
        resources: _,
        kill_grace,
        // Looked at when it is sent.
        not_after: _,
        cluster,
    } = launch;
    let Picked { resources, ports } = picked;
    let (name, labels, box_, executor, data, timeout) = match cluster.as_deref() {
        None => (task_id.to_string(), Vec::new(), None, None, String::new(), None),
        Some(ClusterTerms { job, owner, container, executor, executor_data, timeout }) => {
            let owner = Some(owner).filter(|owner| !owner.is_empty());
            let labels = [("chronode.job", job.to_string())]
                .into_iter()
                .chain(owner.map(|owner| ("chronode.owner", owner.clone())));
            (
                format!("ChronosTask:{job}"),
                labels.collect(),
                container.as_ref(),
                Some(executor).filter(|it| !it.is_empty()).map(|it| (job.to_string(), it.clone())),
                executor_data.clone(),
                *timeout,
            )
        }
    };
    let labels = labels
        .into_iter()
        .chain([("chronode.run", run_id.to_string()), ("chronode.attempt", attempt.to_string())])
        .map(|(key, value)| wire::Label { key: key.to_owned(), value: Some(value) })
        .collect();
    let terms = wire::CommandInfo {
        uris: fetch.iter().map(uri).collect(),
        environment: variables(environment, &ports),
        shell: None,
        value: None,
        arguments: Vec::new(),
        user: user.clone(),
    };
    let in_container = box_.map(|it| container(it, &ports));
    let mut task = wire::TaskInfo {
        name,
        task_id: wire::Id::new(task_id.as_str()),
        agent_id: wire::Id::new(agent.as_str()),
        resources,
        kill_policy: Some(wire::KillPolicy { grace_period: Some(span(*kill_grace)) }),
        max_completion_time: timeout.map(span),
        labels: Some(wire::Labels { labels }),
        ..wire::TaskInfo::default()
    };
    match executor {
        // It executes the task its own way: the command line is in its data.
        Some((job, value)) => {
            task.executor = Some(wire::ExecutorInfo {
                // Of this task alone: beside one of the same name Mesos takes none that differs in anything, and every run
                // has an environment of its own.
                executor_id: wire::Id::new(task_id.as_str()),
                command: Some(wire::CommandInfo { shell: Some(true), value: Some(value), ..terms }),
                container: in_container,
                name: Some(job),
                resources: Vec::new(),
            });
            task.data = Some(STANDARD.encode(data));
        }
        None => {
            task.command = Some(command_info(command, box_, terms));
            task.container = in_container;
        }
    }
    task
}

/// The command, added to what is there besides it.
///
/// Mesos takes the first of `arguments` for the name by which the program is called; the Docker containerizer takes all
/// of them for what follows the program. Where there is no program it is the image's entry point, and all of them
/// follow that.
fn command_info(
    command: &Command,
    container: Option<&Container>,
    terms: wire::CommandInfo,
) -> wire::CommandInfo {
    let is_of_image = |text: &str| {
        text.trim().is_empty() && container.is_some_and(|container| !container.image.is_empty())
    };
    match command {
        Command::Shell { text, arguments } if !is_of_image(text) => {
            let mut value = text.clone();
            for argument in arguments {
                value.push(' ');
                value.push_str(&quoted(argument));
            }
            wire::CommandInfo { shell: Some(true), value: Some(value), ..terms }
        }
        Command::Program { program, arguments } if !is_of_image(program) => {
            let by_docker = container.is_some_and(|it| it.kind == ContainerType::Docker);
            let own_name = (!by_docker).then(|| program.clone());
            wire::CommandInfo {
                shell: Some(false),
                value: Some(program.clone()),
                arguments: own_name.into_iter().chain(arguments.iter().cloned()).collect(),
                ..terms
            }
        }
        Command::Shell { arguments, .. } | Command::Program { arguments, .. } => {
            wire::CommandInfo { shell: Some(false), arguments: arguments.clone(), ..terms }
        }
    }
}

/// As a shell reads it back exactly.
fn quoted(argument: &str) -> String {
    format!("'{}'", argument.replace('\'', r"'\''"))
}

/// The environment, and the ports in it: `PORT0`, `PORT1`, …, and `PORTS` with all of them.
fn variables(environment: &[(String, String)], ports: &[u64]) -> Option<wire::Environment> {
    let mut ours: Vec<(String, String)> =
        ports.iter().enumerate().map(|(n, port)| (format!("PORT{n}"), port.to_string())).collect();
    if !ports.is_empty() {
        let all: Vec<_> = ports.iter().map(ToString::to_string).collect();
        ours.push(("PORTS".to_owned(), all.join(",")));
    }
    let is_ours = |name: &str| ours.iter().any(|(other, _)| other == name);
    let theirs = environment.iter().filter(|(name, _)| !is_ours(name));
    let variables: Vec<_> = theirs
        .chain(&ours)
        .map(|(name, value)| wire::Variable { name: name.clone(), value: Some(value.clone()) })
        .collect();
    (!variables.is_empty()).then_some(wire::Environment { variables })
}

fn uri(fetch: &Fetch) -> wire::Uri {
    let Fetch { uri, executable, cache, extract, output_file } = fetch;
    wire::Uri {
        value: uri.clone(),
        executable: Some(*executable),
        extract: Some(*extract),
        cache: Some(*cache),
        output_file: Some(output_file.clone()).filter(|file| !file.is_empty()),
    }
}

/// A span as it is said; the longest that can be said if it is longer, none if it is negative.
pub(in crate::launcher::mesos) fn span(span: Duration) -> wire::DurationInfo {
    let nanoseconds = i64::try_from(span.max(Duration::ZERO).as_nanos()).unwrap_or(i64::MAX);
    wire::DurationInfo { nanoseconds }
}
