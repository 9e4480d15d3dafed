//! Runs, attempts and stretches as tests want them.

use bytes::Bytes;

use super::{at, name};
use crate::model::{
    AgentId, Attempt, AttemptState, Backfill, BackfillId, BackfillState, Exit, Incarnation,
    Intervention, Resources, Run, RunId, RunState, Stretch, TaskId, Trigger, Verdict,
    timestamp_from_millis,
};
use crate::web::Site;

pub(crate) fn attempt(index: u32, state: AttemptState) -> Attempt {
    Attempt {
        index,
        task_id: TaskId::from_text(format!("ct:1:{index}:a:")),
        agent: AgentId::new("local"),
        placed: None,
        is_staged: false,
        launched_at: at("2030-01-01T00:00:01Z"),
        holds: Resources::default(),
        reported: None,
        elements: None,
        state,
    }
}

pub(crate) fn ended(exit: Exit) -> AttemptState {
    AttemptState::Ended {
        started_at: Some(at("2030-01-01T00:00:01.5Z")),
        at: at("2030-01-01T00:00:02Z"),
        message: if exit.is_success() { String::new() } else { "it failed".to_owned() },
        exit: Some(exit),
    }
}

pub(crate) fn running() -> AttemptState {
    AttemptState::Running { started_at: at("2030-01-01T00:00:01.5Z"), stop_at: None }
}

pub(crate) fn over(verdict: Verdict) -> RunState {
    RunState::Ended { verdict, at: at("2030-01-01T00:00:02Z"), reason: String::new() }
}

/// A manual run numbered `sequence`, of job `job`.
pub(crate) fn run(sequence: u64, job: &str, state: RunState, attempts: Vec<Attempt>) -> Run {
    let millis = i64::try_from(sequence).unwrap();
    Run {
        id: RunId::manual(Incarnation(1), millis),
        sequence,
        job: name(job),
        trigger: Trigger::Manual {
            due_at: timestamp_from_millis(millis).unwrap(),
            at: timestamp_from_millis(millis).unwrap(),
        },
        task_millis: millis,
        arguments: None,
        environment: Vec::new(),
        by: None,
        retries_down: false,
        stopped_by: None,
        causes: Vec::new(),
        created_at: at("2030-01-01T00:00:00Z"),
        start_deadline: None,
        wanted_at: at("2030-01-01T00:00:00Z"),
        state,
        attempts,
    }
}

/// A backfill of the first job, of two days of which one is begun.
pub(crate) fn backfill(number: u64, job: &str) -> Backfill {
    Backfill {
        id: BackfillId(number),
        incarnation: Incarnation(1),
        job: name(job),
        by: Intervention {
            by: "kim".to_owned(),
            at: at("2030-01-01T00:00:00Z"),
            reason: "the disk was full".to_owned(),
        },
        due: vec![at("2029-12-30T00:00:00Z"), at("2029-12-31T00:00:00Z")],
        concurrency: 1,
        stops_on_failure: false,
        arguments: None,
        environment: Vec::new(),
        begun: 1,
        ended: [(Verdict::Failed, 1)].into(),
        state: BackfillState::Going,
    }
}

pub(crate) fn stretch(sequence: u64, job: &str) -> Stretch {
    Stretch {
        sequence,
        incarnation: Incarnation(1),
        job: name(job),
        verdict: Verdict::Missed,
        reason: "nobody led".to_owned(),
        first_due_at: at("2030-01-01T00:00:00Z"),
        last_due_at: at("2030-01-01T00:05:00Z"),
        count: 6,
        decided_at: at("2030-01-01T00:06:00Z"),
    }
}

/// A web page of one file beside it.
pub(crate) fn site() -> Site {
    let index = "<script type=\"module\" src=\"./assets/main.js\"></script>";
    let files = [("index.html", index), ("main.js", "1")];
    Site::of(files.map(|(path, text)| (path.to_owned(), Bytes::from(text))))
}
