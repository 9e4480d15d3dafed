//! What the tasks of a recording do: what, by their commands; how fast, by the recording.

use std::collections::{BTreeMap, VecDeque};

use chronode::mesos::wire::{Call, TaskInfo, TaskState};

use super::super::model::task::{End, OnTerm, Script, Trouble};
use super::Line;

/// How fast a task was, launch by launch.
#[derive(Debug, Default, Clone)]
struct Pace {
    launched: u64,
    starting: Option<u64>,
    running: Option<u64>,
    stopping: Option<u64>,
    over: Option<u64>,
}

/// The scripts of a recording's tasks.
pub(super) fn of(lines: &[Line], is_measured: bool) -> Box<dyn FnMut(&TaskInfo) -> Script + Send> {
    let mut paces: BTreeMap<String, VecDeque<Pace>> = BTreeMap::new();
    for line in lines {
        let body = line.value.get("body").cloned().unwrap_or_default();
        if line.is_scheduler_call()
            && let Ok(Call { accept: Some(accept), .. }) = serde_json::from_value(body)
        {
            let launches = accept.operations.into_iter().filter_map(|operation| operation.launch);
            for task in launches.flat_map(|launch| launch.task_infos) {
                let pace = Pace { launched: line.t, ..Pace::default() };
                paces.entry(task.task_id.value).or_default().push_back(pace);
            }
        }
        let update = line.event().and_then(|event| event.update);
        if let Some(status) = update.map(|update| update.status).filter(|s| s.uuid.is_some())
            && let Some(pace) = paces.get_mut(&status.task_id.value).and_then(VecDeque::back_mut)
        {
            let field = match status.state {
                TaskState::Starting => &mut pace.starting,
                TaskState::Running => &mut pace.running,
                TaskState::Killing => &mut pace.stopping,
                _ => &mut pace.over,
            };
            field.get_or_insert(line.t);
        }
    }
    // Launches that came to nothing are no launches.
    for launches in paces.values_mut() {
        launches.retain(|pace| pace.starting.is_some() || pace.over.is_some());
    }
    // A hundred tasks at once take their time.
    let most = if paces.len() > 50 { 10_000 } else { 1_000 };
    Box::new(move |task| {
        let pace = paces.get_mut(&task.task_id.value).and_then(VecDeque::pop_front);
        script(task, &pace.unwrap_or_default(), is_measured.then_some(most))
    })
}

fn script(task: &TaskInfo, pace: &Pace, measured: Option<u64>) -> Script {
    let mut script = Script::default();
    let command = task.command.clone().unwrap_or_default();
    let text = command.value.clone().unwrap_or_default();
    let first = pace.starting.or(pace.over).unwrap_or(pace.launched + 100);
    script.starts_after = first - pace.launched;
    if let (Some(starting), Some(running)) = (pace.starting, pace.running)
        && measured.is_some()
    {
        script.runs_after = running - starting;
    }
    if let (Some(stopping), Some(over)) = (pace.stopping.or(pace.running), pace.over) {
        script.ends_after = over - stopping;
    }
    let seconds = |after: &str| {
        let digits: String = after.chars().take_while(|c| c.is_ascii_digit()).collect();
        digits.parse::<u64>().ok()
    };
    let sleeps = text.split("sleep ").nth(1).and_then(seconds).unwrap_or(0);
    script.lasts = Some(sleeps * 1_000 + 95);
    if let (Some(running), Some(over)) = (pace.running, pace.over)
        && pace.stopping.is_none()
        && measured.is_some_and(|most| (over - running).abs_diff(sleeps * 1_000) < most)
    {
        script.lasts = Some(over - running);
    }
    script.end = End::Exits(
        text.rsplit("exit ")
            .next()
            .and_then(seconds)
            .map_or(0, |code| i32::try_from(code).expect("an exit code")),
    );
    if text.contains("while :;") {
        script.lasts = None;
        script.end = End::Exits(0);
    }
    if text.contains("kill -SEGV") {
        script.end = End::Signalled("Segmentation fault");
    }
    if text == "/no/such/program" {
        script.end = End::Exits(1);
    }
    if text.contains("trap") {
        script.on_term = if text.contains("exit 0\"") { OnTerm::Exits(0) } else { OnTerm::Ignores };
    }
    if command.user.as_deref() == Some("nosuchuser") {
        let sentence = "Failed to create executor directory";
        script.trouble = Some(Trouble::NoSandbox(sentence.to_owned()));
    }
    if command.uris.iter().any(|uri| uri.value.starts_with("/no/such")) {
        let sentence = "Failed to launch container: Failed to fetch all URIs";
        script.trouble = Some(Trouble::NoContainer(sentence.to_owned()));
    }
    if command.value.is_none() {
        script.trouble = Some(Trouble::ExecutorCrashes);
        if let (Some(starting), Some(over)) = (pace.starting, pace.over) {
            script.runs_after = over - starting;
        }
    }
    script
}
