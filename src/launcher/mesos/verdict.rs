//! What an update says of a task.
//!
//! The same attempt may be launched again only after TASK_DROPPED by the master, or TASK_GONE where that can only mean
//! that it never was (`README.md` of `tests/mesos/traces`, "States and reasons"). Everything else that is no known end is
//! doubt.

use crate::mesos::wire::{self, TaskState};
use crate::model::{Exit, TaskStatus, Timestamp, timestamp_from_millis};

/// What is known of a task when an update comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known {
    /// Whether anything was ever heard of it that shows that it was launched.
    pub is_seen: bool,
    /// Since when it runs, if it was said that it does.
    pub running_since: Option<Timestamp>,
    /// Whether the agent named by the update has been heard from since this subscription began.
    pub is_agent_heard: bool,
    /// Whether a restart of an agent makes it forget tasks, because the framework has none of them kept on record.
    pub agents_forget: bool,
    /// Whether it was asked about so often that no better answer is to be expected.
    pub is_asked_enough: bool,
    /// Whether the update may be the answer to a question that named no agent, while the agent is known.
    pub can_be_asked_better: bool,
}

/// What follows from an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// This became of it.
    Says(TaskStatus),
    /// Nothing is known by it: the master is to be asked.
    Ask,
}

/// What `update`, which came at `wall`, says.
#[must_use]
pub fn meaning(update: &wire::TaskStatus, known: &Known, wall: Timestamp) -> Meaning {
    let at = update.timestamp.and_then(timestamp).unwrap_or(wall);
    let reason = update.reason.as_deref().unwrap_or_default();
    let message = update.message.as_deref().unwrap_or_default();
    let ended = |exit| {
        let started_at = known.running_since;
        Meaning::Says(TaskStatus::Ended { exit, started_at, ended_at: at })
    };
    let doubt =
        |is_final| Meaning::Says(TaskStatus::InDoubt { reason: sentence(update), is_final });
    match update.state {
        TaskState::Staging | TaskState::Starting => Meaning::Says(TaskStatus::Staged),
        TaskState::Running | TaskState::Killing => {
            let started_at = known.running_since.unwrap_or(at);
            Meaning::Says(TaskStatus::Running { started_at })
        }
        TaskState::Finished => ended(Exit::Code(0)),
        TaskState::Failed => ended(failure(update, reason, message, known)),
        TaskState::Killed if reason == "REASON_AGENT_DRAINING" => {
            let reason = "its agent is being drained, and stopped it".to_owned();
            ended(Exit::Failed { reason })
        }
        TaskState::Killed if update.healthy == Some(false) => {
            ended(Exit::Failed { reason: "its health check failed, and it was stopped".to_owned() })
        }
        TaskState::Killed => ended(Exit::Killed),
        // Said of the second launch; the first one may well run.
        TaskState::Error if message.starts_with("Task has duplicate ID") => Meaning::Ask,
        TaskState::Error => ended(Exit::CouldNotStart { reason: sentence(update) }),
        // Its agent has forgotten it, and what became of it.
        TaskState::Dropped if update.uuid.is_some() && reason == "REASON_RECONCILIATION" => {
            doubt(true)
        }
        // The agent would drop it for ever: no such user, no room for its files.
        TaskState::Dropped if update.uuid.is_some() => {
            ended(Exit::CouldNotStart { reason: sentence(update) })
        }
        // The agent has dropped it and says so itself, again and again until that is acknowledged.
        TaskState::Dropped if known.is_seen || reason == "REASON_RECONCILIATION" => Meaning::Ask,
        TaskState::Dropped => Meaning::Says(TaskStatus::NeverLaunched),
        TaskState::Gone
            if known.is_seen
                || known.agents_forget
                || update.agent_id.is_none()
                || update.uuid.is_some() =>
        {
            doubt(true)
        }
        TaskState::Gone if known.is_agent_heard => Meaning::Says(TaskStatus::NeverLaunched),
        TaskState::Gone if !known.is_asked_enough => Meaning::Ask,
        TaskState::Gone | TaskState::GoneByOperator => doubt(true),
        TaskState::Unknown if known.can_be_asked_better => Meaning::Ask,
        TaskState::Lost | TaskState::Unreachable | TaskState::Unknown | TaskState::Other => {
            doubt(false)
        }
    }
}

/// How a task failed. Exit codes and signals are only in the text.
fn failure(update: &wire::TaskStatus, reason: &str, message: &str, known: &Known) -> Exit {
    if reason == "REASON_MAX_COMPLETION_TIME_REACHED" {
        let reason = "it took longer than its `timeout`, and its agent stopped it".to_owned();
        return Exit::Failed { reason };
    }
    // The command executor says `Command`, that of Docker `Container`.
    let ended = ["Command ", "Container "].iter().find_map(|who| message.strip_prefix(who));
    let ended = ended.unwrap_or_default();
    let code = ended.strip_prefix("exited with status ").and_then(|it| it.parse().ok());
    // A code of 0 would be a success, and this is none.
    if let Some(code) = code
        && code != 0
    {
        return Exit::Code(code);
    }
    if let Some(signal) = ended.strip_prefix("terminated with signal ").and_then(signal) {
        return Exit::Signal(signal);
    }
    let is_before_start = match reason {
        "REASON_CONTAINER_LAUNCH_FAILED"
        | "REASON_EXECUTOR_REGISTRATION_TIMEOUT"
        | "REASON_INVALID_FRAMEWORKID" => known.running_since.is_none(),
        _ => false,
    };
    let reason = sentence(update);
    if is_before_start { Exit::CouldNotStart { reason } } else { Exit::Failed { reason } }
}

/// The number of a signal on Linux, by the text that the C library has for it.
fn signal(text: &str) -> Option<i32> {
    const SIGNALS: [&str; 31] = [
        "Hangup",
        "Interrupt",
        "Quit",
        "Illegal instruction",
        "Trace/breakpoint trap",
        "Aborted",
        "Bus error",
        "Floating point exception",
        "Killed",
        "User defined signal 1",
        "Segmentation fault",
        "User defined signal 2",
        "Broken pipe",
        "Alarm clock",
        "Terminated",
        "Stack fault",
        "Child exited",
        "Continued",
        "Stopped (signal)",
        "Stopped",
        "Stopped (tty input)",
        "Stopped (tty output)",
        "Urgent I/O condition",
        "CPU time limit exceeded",
        "File size limit exceeded",
        "Virtual timer expired",
        "Profiling timer expired",
        "Window changed",
        "I/O possible",
        "Power failure",
        "Bad system call",
    ];
    let text = text.strip_suffix(" (core dumped)").unwrap_or(text);
    if let Some(number) = text.strip_prefix("Real-time signal ") {
        // Two of them are the C library's own.
        return number.parse::<i32>().ok().and_then(|it| it.checked_add(34));
    }
    (1..).zip(SIGNALS).find(|(_, name)| *name == text).map(|(number, _)| number)
}

/// What the update says, for people.
fn sentence(update: &wire::TaskStatus) -> String {
    let mut text = match update.message.as_deref() {
        Some(message) if !message.is_empty() => message.trim_end_matches('.').to_owned(),
        Some(_) | None => "no message".to_owned(),
    };
    text.push_str(" (");
    text.push_str(update.state.as_str());
    if let Some(reason) = &update.reason {
        text.push_str(", ");
        text.push_str(reason);
    }
    if let Some(agent) = &update.agent_id {
        text.push_str(", agent ");
        text.push_str(&agent.value);
    }
    text.push(')');
    text
}

/// The instant so many seconds after 1970.
fn timestamp(seconds: f64) -> Option<Timestamp> {
    let millis = (seconds * 1000.0).round();
    // Of no use beyond, and false for what is no number.
    if !(-1e15..=1e15).contains(&millis) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "just checked to be whole and in range")]
    timestamp_from_millis(millis as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wall() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn said(update: &serde_json::Value, known: Known) -> Meaning {
        let mut whole = json!({"task_id": {"value": "a"}, "agent_id": {"value": "S1"}});
        whole.as_object_mut().unwrap().extend(update.as_object().unwrap().clone());
        meaning(&serde_json::from_value(whole).unwrap(), &known, wall())
    }

    fn exit(update: &serde_json::Value) -> Exit {
        match said(update, Known::default()) {
            Meaning::Says(TaskStatus::Ended { exit, .. }) => exit,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ends_are_read_from_their_texts() {
        let failed = |message: &str| exit(&json!({"state": "TASK_FAILED", "message": message}));
        assert_eq!(exit(&json!({"state": "TASK_FINISHED"})), Exit::Code(0));
        assert_eq!(failed("Command exited with status 3"), Exit::Code(3));
        assert_eq!(failed("Container exited with status 75"), Exit::Code(75));
        assert_eq!(failed("Container terminated with signal Killed"), Exit::Signal(9));
        for (text, number) in [
            ("Hangup", 1),
            ("Aborted", 6),
            ("Killed", 9),
            ("Segmentation fault", 11),
            ("Segmentation fault (core dumped)", 11),
            ("Terminated", 15),
            ("Bad system call", 31),
            ("Real-time signal 2", 36),
        ] {
            let message = format!("Command terminated with signal {text}");
            assert_eq!(failed(&message), Exit::Signal(number));
        }
        // A success that failed, a signal of another system, a code beyond numbers: it failed, no more is known.
        for text in [
            "Command exited with status 0",
            "Command terminated with signal Real-time signal 99999999999",
            "Command terminated with signal EMT trap",
            "Command exited with status 99999999999",
            "",
        ] {
            assert!(matches!(failed(text), Exit::Failed { .. }), "{text}");
        }
        let unnamed = exit(&json!({"state": "TASK_FAILED", "reason": "REASON_EXECUTOR_TERMINATED",
            "message": "Executor terminated"}));
        let reason =
            "Executor terminated (TASK_FAILED, REASON_EXECUTOR_TERMINATED, agent S1)".to_owned();
        assert_eq!(unnamed, Exit::Failed { reason });
    }

    #[test]
    fn who_stopped_a_task_decides_what_its_end_is() {
        assert_eq!(exit(&json!({"state": "TASK_KILLED"})), Exit::Killed);
        for update in [
            json!({"state": "TASK_KILLED", "reason": "REASON_AGENT_DRAINING"}),
            json!({"state": "TASK_KILLED", "healthy": false}),
            json!({"state": "TASK_FAILED", "reason": "REASON_MAX_COMPLETION_TIME_REACHED",
                "message": "Command terminated with signal Terminated"}),
        ] {
            assert!(matches!(exit(&update), Exit::Failed { .. }), "{update}");
        }
    }

    #[test]
    fn what_never_ran_could_not_start() {
        let fetch = json!({"state": "TASK_FAILED", "reason": "REASON_CONTAINER_LAUNCH_FAILED"});
        assert!(matches!(exit(&fetch), Exit::CouldNotStart { .. }));
        let known = Known { running_since: Some(wall()), ..Known::default() };
        let Meaning::Says(TaskStatus::Ended { exit: Exit::Failed { .. }, started_at, .. }) =
            said(&fetch, known)
        else {
            panic!("it ran")
        };
        assert_eq!(started_at, Some(wall()));
        let dropped = json!({"state": "TASK_DROPPED", "uuid": "dQ=="});
        assert!(matches!(exit(&dropped), Exit::CouldNotStart { .. }));
        // What the master repeats of that is no denial: launched again it would be dropped again.
        let repeated = json!({"state": "TASK_DROPPED", "reason": "REASON_RECONCILIATION"});
        assert_eq!(said(&repeated, Known::default()), Meaning::Ask);
        let forgotten =
            json!({"state": "TASK_DROPPED", "reason": "REASON_RECONCILIATION", "uuid": "dQ=="});
        let Meaning::Says(TaskStatus::InDoubt { is_final: true, .. }) =
            said(&forgotten, Known::default())
        else {
            panic!("it may have run")
        };
        let denied = json!({"state": "TASK_DROPPED", "reason": "REASON_INVALID_OFFERS"});
        assert_eq!(said(&denied, Known::default()), Meaning::Says(TaskStatus::NeverLaunched));
        let invalid = json!({"state": "TASK_ERROR", "message": "Task uses no resources"});
        assert!(matches!(exit(&invalid), Exit::CouldNotStart { .. }));
    }

    #[test]
    fn gone_is_a_denial_only_where_agents_forget_nothing() {
        let gone = json!({"state": "TASK_GONE", "reason": "REASON_RECONCILIATION"});
        let known = Known { is_agent_heard: true, ..Known::default() };
        assert_eq!(said(&gone, known), Meaning::Says(TaskStatus::NeverLaunched));
        for known in [
            Known { is_seen: true, ..known },
            Known { agents_forget: true, ..known },
            Known { is_agent_heard: false, is_asked_enough: true, ..known },
        ] {
            let Meaning::Says(TaskStatus::InDoubt { is_final: true, .. }) = said(&gone, known)
            else {
                panic!("{known:?}")
            };
        }
    }

    #[test]
    fn what_is_not_known_is_doubt() {
        for (state, is_final) in [
            ("TASK_LOST", false),
            ("TASK_UNREACHABLE", false),
            ("TASK_UNKNOWN", false),
            ("TASK_OF_A_LATER_RELEASE", false),
            ("TASK_GONE_BY_OPERATOR", true),
        ] {
            let known = Known { is_agent_heard: true, ..Known::default() };
            match said(&json!({"state": state}), known) {
                Meaning::Says(TaskStatus::InDoubt { is_final: found, .. }) => {
                    assert_eq!(found, is_final, "{state}");
                }
                other => panic!("{state}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_instant_that_makes_no_sense_is_that_of_hearing() {
        for timestamp in [f64::MAX, -1e300, 1e16] {
            let update = json!({"state": "TASK_RUNNING", "timestamp": timestamp});
            let running = TaskStatus::Running { started_at: wall() };
            assert_eq!(said(&update, Known::default()), Meaning::Says(running));
        }
        let update = json!({"state": "TASK_RUNNING", "timestamp": 1_795_238_510.349_496});
        let started_at = timestamp_from_millis(1_795_238_510_349).unwrap();
        let running = TaskStatus::Running { started_at };
        assert_eq!(said(&update, Known::default()), Meaning::Says(running));
    }
}
