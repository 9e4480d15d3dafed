//! The stored form of what binds jobs to their parents: the terms, the rounds in progress, and the ends of runs on
//! their way to children.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{AsWord, DecodeError, is_default, job_name};
use crate::model::{
    Contribution, Incarnation, Join, Outcome, ParentTerms, Round, RunId, Signal, Source, Timestamp,
    TriggerRule,
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ParentsRecord<'a> {
    names: Vec<Cow<'a, str>>,
    rule: AsWord<TriggerRule>,
    join: AsWord<Join>,
}

pub(super) fn parents_record(terms: &ParentTerms) -> ParentsRecord<'_> {
    let ParentTerms { names, rule, join } = terms;
    ParentsRecord {
        names: names.iter().map(|name| name.as_str().into()).collect(),
        rule: AsWord(*rule),
        join: AsWord(*join),
    }
}

pub(super) fn parents_from(record: ParentsRecord<'_>) -> Result<ParentTerms, DecodeError> {
    let ParentsRecord { names, rule, join } = record;
    let names = names.iter().map(|name| job_name(name)).collect::<Result<_, _>>()?;
    Ok(ParentTerms { names, rule: rule.0, join: join.0 })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RoundRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at: Option<AsWord<Timestamp>>,
    #[serde(default, skip_serializing_if = "is_default")]
    is_triggered: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parents: Vec<ContributionRecord>,
}

pub(super) fn round_record(round: &Round) -> RoundRecord {
    let Round { due_at, is_triggered, parents } = round;
    RoundRecord {
        due_at: due_at.map(AsWord),
        is_triggered: *is_triggered,
        parents: parents.iter().map(contribution_record).collect(),
    }
}

pub(super) fn round(record: RoundRecord) -> Round {
    let RoundRecord { due_at, is_triggered, parents } = record;
    Round {
        due_at: due_at.map(|at| at.0),
        is_triggered,
        parents: parents.into_iter().map(contribution).collect(),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ContributionRecord {
    parent: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    successes: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    failures: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    kills: u64,
    run: AsWord<RunId>,
    due_at: AsWord<Timestamp>,
    at: AsWord<Timestamp>,
    /// Since version 5; left out where it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<AsWord<Source>>,
}

fn contribution_record(contribution: &Contribution) -> ContributionRecord {
    let Contribution { parent, successes, failures, kills, run, due_at, at, source } = contribution;
    ContributionRecord {
        parent: parent.0,
        successes: *successes,
        failures: *failures,
        kills: *kills,
        run: AsWord(*run),
        due_at: AsWord(*due_at),
        at: AsWord(*at),
        source: (*source != Source::New).then_some(AsWord(*source)),
    }
}

fn contribution(record: ContributionRecord) -> Contribution {
    let ContributionRecord { parent, successes, failures, kills, run, due_at, at, source } = record;
    Contribution {
        parent: Incarnation(parent),
        successes,
        failures,
        kills,
        run: run.0,
        due_at: due_at.0,
        at: at.0,
        source: source.map(|source| source.0).unwrap_or_default(),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SignalRecord {
    sequence: u64,
    parent: u64,
    run: AsWord<RunId>,
    outcome: AsWord<Outcome>,
    due_at: AsWord<Timestamp>,
    at: AsWord<Timestamp>,
    /// Since version 5.
    #[serde(default, skip_serializing_if = "is_default")]
    retries_down: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told_through: Option<u64>,
}

pub(super) fn signal_record(signal: &Signal) -> SignalRecord {
    let Signal { sequence, parent, run, outcome, due_at, at, retries_down, told_through } = signal;
    SignalRecord {
        sequence: *sequence,
        parent: parent.0,
        run: AsWord(*run),
        outcome: AsWord(*outcome),
        due_at: AsWord(*due_at),
        at: AsWord(*at),
        retries_down: *retries_down,
        told_through: told_through.map(|incarnation| incarnation.0),
    }
}

pub(super) fn signal(record: SignalRecord) -> Signal {
    let SignalRecord { sequence, parent, run, outcome, due_at, at, retries_down, told_through } =
        record;
    Signal {
        sequence,
        parent: Incarnation(parent),
        run: run.0,
        outcome: outcome.0,
        due_at: due_at.0,
        at: at.0,
        retries_down,
        told_through: told_through.map(Incarnation),
    }
}
