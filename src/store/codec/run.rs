//! The stored form of runs and stretches.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::intervention::{InterventionRecord, intervention, intervention_record};
use super::job::{
    EnvVarRecord, ResourcesRecord, env_var_from, env_var_record, resources_from, resources_record,
};
use super::{AsWord, DecodeError, is_default, job_name};
use crate::model::{
    AgentId, Alarm, Attempt, AttemptState, BackfillId, Exit, Incarnation, Placed, Resources, Run,
    RunId, RunState, Sandbox, StopReason, Stretch, TaskId, Timestamp, Trigger, Verdict,
};

type Text<'a> = Cow<'a, str>;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RunRecord<'a> {
    id: AsWord<RunId>,
    sequence: u64,
    job: Text<'a>,
    trigger: TriggerRecord,
    task_millis: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arguments: Option<Text<'a>>,
    /// Since version 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    environment: Vec<EnvVarRecord<'a>>,
    /// Since version 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<InterventionRecord<'a>>,
    /// Since version 5.
    #[serde(default, skip_serializing_if = "is_default")]
    retries_down: bool,
    /// Since version 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stopped_by: Option<InterventionRecord<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    causes: Vec<AsWord<RunId>>,
    created_at: AsWord<Timestamp>,
    /// Since version 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start_deadline: Option<AsWord<Timestamp>>,
    /// Since version 3; left out if it is when the run was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wanted_at: Option<AsWord<Timestamp>>,
    state: StateRecord<'a>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<AttemptRecord<'a>>,
}

pub(super) fn run_record(run: &Run) -> RunRecord<'_> {
    let Run {
        id,
        sequence,
        job,
        trigger,
        task_millis,
        arguments,
        environment,
        by,
        retries_down,
        stopped_by,
        causes,
        created_at,
        start_deadline,
        wanted_at,
        state,
        attempts,
    } = run;
    RunRecord {
        id: AsWord(*id),
        sequence: *sequence,
        job: job.as_str().into(),
        trigger: trigger_record(*trigger),
        task_millis: *task_millis,
        arguments: arguments.as_ref().map(Text::from),
        environment: environment.iter().map(env_var_record).collect(),
        by: by.as_deref().map(intervention_record),
        retries_down: *retries_down,
        stopped_by: stopped_by.as_deref().map(intervention_record),
        causes: causes.iter().copied().map(AsWord).collect(),
        created_at: AsWord(*created_at),
        start_deadline: start_deadline.map(AsWord),
        wanted_at: (wanted_at != created_at).then_some(AsWord(*wanted_at)),
        state: state_record(state),
        attempts: attempts.iter().map(attempt_record).collect(),
    }
}

pub(super) fn run(record: RunRecord<'_>) -> Result<Run, DecodeError> {
    let RunRecord {
        id,
        sequence,
        job,
        trigger,
        task_millis,
        arguments,
        environment,
        by,
        retries_down,
        stopped_by,
        causes,
        created_at,
        start_deadline,
        wanted_at,
        state,
        attempts,
    } = record;
    Ok(Run {
        id: id.0,
        sequence,
        job: job_name(&job)?,
        trigger: trigger_from(trigger),
        task_millis,
        arguments: arguments.map(Cow::into_owned),
        environment: environment.into_iter().map(env_var_from).collect(),
        by: by.map(|by| Box::new(intervention(by))),
        retries_down,
        stopped_by: stopped_by.map(|by| Box::new(intervention(by))),
        causes: causes.into_iter().map(|id| id.0).collect(),
        created_at: created_at.0,
        start_deadline: start_deadline.map(|at| at.0),
        wanted_at: wanted_at.unwrap_or(created_at).0,
        state: state_from(state),
        attempts: attempts.into_iter().map(attempt_from).collect(),
    })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StretchRecord<'a> {
    sequence: u64,
    incarnation: u64,
    job: Text<'a>,
    verdict: AsWord<Verdict>,
    reason: Text<'a>,
    first_due_at: AsWord<Timestamp>,
    last_due_at: AsWord<Timestamp>,
    count: u64,
    decided_at: AsWord<Timestamp>,
}

pub(super) fn stretch_record(stretch: &Stretch) -> StretchRecord<'_> {
    let Stretch {
        sequence,
        incarnation,
        job,
        verdict,
        reason,
        first_due_at,
        last_due_at,
        count,
        decided_at,
    } = stretch;
    StretchRecord {
        sequence: *sequence,
        incarnation: incarnation.0,
        job: job.as_str().into(),
        verdict: AsWord(*verdict),
        reason: reason.into(),
        first_due_at: AsWord(*first_due_at),
        last_due_at: AsWord(*last_due_at),
        count: *count,
        decided_at: AsWord(*decided_at),
    }
}

pub(super) fn stretch(record: StretchRecord<'_>) -> Result<Stretch, DecodeError> {
    let StretchRecord {
        sequence,
        incarnation,
        job,
        verdict,
        reason,
        first_due_at,
        last_due_at,
        count,
        decided_at,
    } = record;
    Ok(Stretch {
        sequence,
        incarnation: Incarnation(incarnation),
        job: job_name(&job)?,
        verdict: verdict.0,
        reason: reason.into_owned(),
        first_due_at: first_due_at.0,
        last_due_at: last_due_at.0,
        count,
        decided_at: decided_at.0,
    })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum TriggerRecord {
    Schedule {
        due_at: AsWord<Timestamp>,
        /// Left out where it is `due_at`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opens_at: Option<AsWord<Timestamp>>,
    },
    CatchUp {
        due_at: AsWord<Timestamp>,
    },
    Manual {
        /// Since version 5; left out where it is `at`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due_at: Option<AsWord<Timestamp>>,
        at: AsWord<Timestamp>,
    },
    /// Since version 5.
    Retry {
        of: AsWord<RunId>,
        due_at: AsWord<Timestamp>,
        at: AsWord<Timestamp>,
    },
    /// Since version 5.
    Backfill {
        of: u64,
        due_at: AsWord<Timestamp>,
        at: AsWord<Timestamp>,
    },
    Parents {
        due_at: AsWord<Timestamp>,
        at: AsWord<Timestamp>,
    },
}

fn trigger_record(trigger: Trigger) -> TriggerRecord {
    match trigger {
        Trigger::Schedule { due_at, opens_at } => TriggerRecord::Schedule {
            due_at: AsWord(due_at),
            opens_at: (opens_at != due_at).then_some(AsWord(opens_at)),
        },
        Trigger::CatchUp { due_at } => TriggerRecord::CatchUp { due_at: AsWord(due_at) },
        Trigger::Manual { due_at, at } => TriggerRecord::Manual {
            due_at: (due_at != at).then_some(AsWord(due_at)),
            at: AsWord(at),
        },
        Trigger::Retry { of, due_at, at } => {
            TriggerRecord::Retry { of: AsWord(of), due_at: AsWord(due_at), at: AsWord(at) }
        }
        Trigger::Backfill { of, due_at, at } => {
            TriggerRecord::Backfill { of: of.0, due_at: AsWord(due_at), at: AsWord(at) }
        }
        Trigger::Parents { due_at, at } => {
            TriggerRecord::Parents { due_at: AsWord(due_at), at: AsWord(at) }
        }
    }
}

fn trigger_from(record: TriggerRecord) -> Trigger {
    match record {
        TriggerRecord::Schedule { due_at, opens_at } => {
            Trigger::Schedule { due_at: due_at.0, opens_at: opens_at.map_or(due_at.0, |at| at.0) }
        }
        TriggerRecord::CatchUp { due_at } => Trigger::CatchUp { due_at: due_at.0 },
        TriggerRecord::Manual { due_at, at } => {
            Trigger::Manual { due_at: due_at.unwrap_or(at).0, at: at.0 }
        }
        TriggerRecord::Retry { of, due_at, at } => {
            Trigger::Retry { of: of.0, due_at: due_at.0, at: at.0 }
        }
        TriggerRecord::Backfill { of, due_at, at } => {
            Trigger::Backfill { of: BackfillId(of), due_at: due_at.0, at: at.0 }
        }
        TriggerRecord::Parents { due_at, at } => Trigger::Parents { due_at: due_at.0, at: at.0 },
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum StateRecord<'a> {
    Queued,
    Pending {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline: Option<AsWord<Timestamp>>,
    },
    Active,
    Waiting {
        retry_at: AsWord<Timestamp>,
    },
    /// Since version 4.
    Reporting {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<AsWord<Timestamp>>,
    },
    Ended {
        verdict: AsWord<Verdict>,
        at: AsWord<Timestamp>,
        #[serde(default, skip_serializing_if = "is_default")]
        reason: Text<'a>,
    },
}

fn state_record(state: &RunState) -> StateRecord<'_> {
    match state {
        RunState::Queued => StateRecord::Queued,
        RunState::Pending { deadline } => StateRecord::Pending { deadline: deadline.map(AsWord) },
        RunState::Active => StateRecord::Active,
        RunState::Waiting { until } => StateRecord::Waiting { retry_at: alarm_record(*until) },
        RunState::Reporting { until } => StateRecord::Reporting { until: until.map(alarm_record) },
        RunState::Ended { verdict, at, reason } => {
            StateRecord::Ended { verdict: AsWord(*verdict), at: AsWord(*at), reason: reason.into() }
        }
    }
}

fn state_from(record: StateRecord<'_>) -> RunState {
    match record {
        StateRecord::Queued => RunState::Queued,
        StateRecord::Pending { deadline } => {
            RunState::Pending { deadline: deadline.map(|at| at.0) }
        }
        StateRecord::Active => RunState::Active,
        StateRecord::Waiting { retry_at } => RunState::Waiting { until: alarm(retry_at) },
        StateRecord::Reporting { until } => RunState::Reporting { until: until.map(alarm) },
        StateRecord::Ended { verdict, at, reason } => {
            RunState::Ended { verdict: verdict.0, at: at.0, reason: reason.into_owned() }
        }
    }
}

/// The boot clock's instant means nothing to another process; what it measured is taken up by the wall clock.
const fn alarm_record(alarm: Alarm) -> AsWord<Timestamp> {
    let Alarm { at, boot: _ } = alarm;
    AsWord(at)
}

const fn alarm(record: AsWord<Timestamp>) -> Alarm {
    Alarm { at: record.0, boot: None }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AttemptRecord<'a> {
    index: u32,
    task_id: Text<'a>,
    agent: Text<'a>,
    /// Since version 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    placed: Option<PlacedRecord<'a>>,
    /// Since version 6.
    #[serde(default, skip_serializing_if = "is_default")]
    is_staged: bool,
    launched_at: AsWord<Timestamp>,
    /// Since version 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holds: Option<ResourcesRecord>,
    /// Since version 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reported: Option<i64>,
    /// Since version 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    elements: Option<u64>,
    state: AttemptStateRecord<'a>,
}

fn attempt_record(attempt: &Attempt) -> AttemptRecord<'_> {
    let Attempt {
        index,
        task_id,
        agent,
        placed,
        is_staged,
        launched_at,
        holds,
        reported,
        elements,
        state,
    } = attempt;
    AttemptRecord {
        index: *index,
        task_id: task_id.as_str().into(),
        agent: agent.as_str().into(),
        placed: placed.as_deref().map(placed_record),
        is_staged: *is_staged,
        launched_at: AsWord(*launched_at),
        holds: (*holds != Resources::default()).then(|| resources_record(*holds)),
        reported: *reported,
        elements: *elements,
        state: attempt_state_record(state),
    }
}

fn attempt_from(record: AttemptRecord<'_>) -> Attempt {
    let AttemptRecord {
        index,
        task_id,
        agent,
        placed,
        is_staged,
        launched_at,
        holds,
        reported,
        elements,
        state,
    } = record;
    Attempt {
        index,
        task_id: TaskId::from_text(task_id),
        agent: AgentId::new(agent),
        placed: placed.map(|record| Box::new(placed_from(record))),
        is_staged,
        launched_at: launched_at.0,
        holds: holds.map(resources_from).unwrap_or_default(),
        reported,
        elements,
        state: attempt_state_from(state),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PlacedRecord<'a> {
    hostname: Text<'a>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<(Text<'a>, Text<'a>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sandbox: Option<SandboxRecord<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SandboxRecord<'a> {
    agent: Text<'a>,
    directory: Text<'a>,
}

fn placed_record(placed: &Placed) -> PlacedRecord<'_> {
    let Placed { hostname, values, sandbox } = placed;
    PlacedRecord {
        hostname: hostname.into(),
        values: values.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        sandbox: sandbox.as_ref().map(|Sandbox { agent, directory }| SandboxRecord {
            agent: agent.into(),
            directory: directory.into(),
        }),
    }
}

fn placed_from(record: PlacedRecord<'_>) -> Placed {
    let PlacedRecord { hostname, values, sandbox } = record;
    Placed {
        hostname: hostname.into_owned(),
        values: values
            .into_iter()
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect(),
        sandbox: sandbox.map(|SandboxRecord { agent, directory }| Sandbox {
            agent: agent.into_owned(),
            directory: directory.into_owned(),
        }),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum AttemptStateRecord<'a> {
    Launching,
    Running {
        started_at: AsWord<Timestamp>,
    },
    Stopping {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started_at: Option<AsWord<Timestamp>>,
        why: AsWord<StopReason>,
    },
    Unknown {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started_at: Option<AsWord<Timestamp>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<AsWord<StopReason>>,
        until: AsWord<Timestamp>,
        #[serde(default, skip_serializing_if = "is_default")]
        reason: Text<'a>,
    },
    Ended {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started_at: Option<AsWord<Timestamp>>,
        at: AsWord<Timestamp>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit: Option<ExitRecord<'a>>,
        #[serde(default, skip_serializing_if = "is_default")]
        message: Text<'a>,
    },
}

fn attempt_state_record(state: &AttemptState) -> AttemptStateRecord<'_> {
    match state {
        AttemptState::Launching => AttemptStateRecord::Launching,
        // The boot clock's instant means nothing to another process; the engine sets it anew.
        AttemptState::Running { started_at, stop_at: _ } => {
            AttemptStateRecord::Running { started_at: AsWord(*started_at) }
        }
        AttemptState::Stopping { started_at, why } => {
            AttemptStateRecord::Stopping { started_at: started_at.map(AsWord), why: AsWord(*why) }
        }
        AttemptState::Unknown { started_at, why, until, reason } => AttemptStateRecord::Unknown {
            started_at: started_at.map(AsWord),
            why: why.map(AsWord),
            until: alarm_record(*until),
            reason: reason.into(),
        },
        AttemptState::Ended { started_at, at, exit, message } => AttemptStateRecord::Ended {
            started_at: started_at.map(AsWord),
            at: AsWord(*at),
            exit: exit.as_ref().map(exit_record),
            message: message.into(),
        },
    }
}

fn attempt_state_from(record: AttemptStateRecord<'_>) -> AttemptState {
    match record {
        AttemptStateRecord::Launching => AttemptState::Launching,
        AttemptStateRecord::Running { started_at } => {
            AttemptState::Running { started_at: started_at.0, stop_at: None }
        }
        AttemptStateRecord::Stopping { started_at, why } => {
            AttemptState::Stopping { started_at: started_at.map(|at| at.0), why: why.0 }
        }
        AttemptStateRecord::Unknown { started_at, why, until, reason } => AttemptState::Unknown {
            started_at: started_at.map(|at| at.0),
            why: why.map(|why| why.0),
            until: alarm(until),
            reason: reason.into_owned(),
        },
        AttemptStateRecord::Ended { started_at, at, exit, message } => AttemptState::Ended {
            started_at: started_at.map(|at| at.0),
            at: at.0,
            exit: exit.map(exit_from),
            message: message.into_owned(),
        },
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum ExitRecord<'a> {
    Code(i32),
    Signal(i32),
    Killed,
    /// Since version 6.
    Failed {
        reason: Text<'a>,
    },
    CouldNotStart {
        reason: Text<'a>,
    },
}

pub(super) fn exit_record(exit: &Exit) -> ExitRecord<'_> {
    match exit {
        Exit::Code(code) => ExitRecord::Code(*code),
        Exit::Signal(signal) => ExitRecord::Signal(*signal),
        Exit::Killed => ExitRecord::Killed,
        Exit::Failed { reason } => ExitRecord::Failed { reason: reason.into() },
        Exit::CouldNotStart { reason } => ExitRecord::CouldNotStart { reason: reason.into() },
    }
}

pub(super) fn exit_from(record: ExitRecord<'_>) -> Exit {
    match record {
        ExitRecord::Code(code) => Exit::Code(code),
        ExitRecord::Signal(signal) => Exit::Signal(signal),
        ExitRecord::Killed => Exit::Killed,
        ExitRecord::Failed { reason } => Exit::Failed { reason: reason.into_owned() },
        ExitRecord::CouldNotStart { reason } => Exit::CouldNotStart { reason: reason.into_owned() },
    }
}
