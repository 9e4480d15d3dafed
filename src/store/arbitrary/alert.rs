//! Anything that people are told of.

use proptest::collection::{btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::intervention::intervention;
use super::{exit, instant, name, number, run_id, scalar, stats, text};
use crate::alerts::Failing;
use crate::model::{
    Address, Alert, AlertId, AlertJob, AlertKind, AlertRun, BackfillId, Delivery, Incarnation,
    Incident, IncidentId, IncidentKey, Notification, NotificationId, NotificationKind, Resources,
    Silence, TaskId,
};

fn kind() -> impl Strategy<Value = AlertKind> {
    select(&AlertKind::ALL)
}

fn job() -> impl Strategy<Value = AlertJob> {
    let texts = (text(), text(), text(), text(), text(), text());
    let lists = (vec((text(), text()), 0..3), vec(text(), 0..3));
    let numbers = (scalar(), scalar(), scalar(), any::<u32>(), any::<bool>(), any::<i64>());
    (name(), number(), texts, lists, numbers, stats()).prop_map(
        |(name, incarnation, texts, (labels, uris), numbers, stats)| {
            let (owner, runbook, command, executor, executor_flags, zone) = texts;
            let (cpus, mem, disk, ports, soft_error, retries) = numbers;
            AlertJob {
                name,
                incarnation: Incarnation(incarnation),
                owner,
                labels,
                runbook,
                command,
                resources: Resources { cpus, mem, disk, ports },
                soft_error,
                retries,
                executor,
                executor_flags,
                uris,
                stats,
                zone,
            }
        },
    )
}

fn run() -> impl Strategy<Value = AlertRun> {
    let attempt = (of(any::<u32>()), of(text()), of(instant()), of(instant()), of(exit()), text());
    (run_id(), instant(), attempt).prop_map(|(id, due_at, attempt)| {
        let (attempt, task_id, started_at, ended_at, exit, message) = attempt;
        let task_id = task_id.map(TaskId::from_text);
        AlertRun { id, due_at, attempt, task_id, started_at, ended_at, exit, message }
    })
}

pub(in crate::store) fn alert() -> impl Strategy<Value = Alert> {
    let about = (of(job()), of(run()), of(number()));
    let instants = (instant(), of(instant()), of(instant()));
    (number(), of(number()), kind(), about, text(), instants).prop_map(
        |(id, incident, kind, (job, run, backfill), reason, (at, retry_at, next_due_at))| Alert {
            id: AlertId(id),
            incident: incident.map(IncidentId),
            kind,
            at,
            job: job.map(Box::new),
            run: run.map(Box::new),
            backfill: backfill.map(BackfillId),
            reason,
            retry_at,
            next_due_at,
        },
    )
}

fn address() -> impl Strategy<Value = Address> {
    (text(), text()).prop_map(|(channel, recipient)| Address { channel, recipient })
}

pub(in crate::store) fn silence() -> impl Strategy<Value = Silence> {
    (instant(), intervention()).prop_map(|(until, by)| Silence { until, by })
}

pub(in crate::store) fn failing() -> impl Strategy<Value = Failing> {
    (any::<u32>(), instant(), text()).prop_map(|(tries, since, problem)| Failing {
        tries,
        since,
        problem,
    })
}

pub(in crate::store) fn incident() -> impl Strategy<Value = Incident> {
    let key = prop_oneof![name().prop_map(IncidentKey::Job), text().prop_map(IncidentKey::Cause)];
    let instants = (instant(), instant(), of(instant()), of(instant()));
    let sets = (vec(number(), 0..3), btree_set(name(), 0..3), btree_set(address(), 0..3));
    let people = (of(intervention()), of(silence()));
    (number(), key, kind(), instants, (any::<u64>(), any::<u64>()), sets, people).prop_map(
        |(id, key, kind, instants, (alerts, untold), (latest, jobs, told), people)| {
            let (opened_at, last_at, closed_at, told_at) = instants;
            let (acknowledged, silence) = people;
            Incident {
                id: IncidentId(id),
                key,
                kind,
                opened_at,
                last_at,
                closed_at,
                alerts,
                latest: latest.into_iter().map(AlertId).collect(),
                jobs,
                told,
                told_at,
                untold,
                acknowledged,
                silence,
            }
        },
    )
}

pub(in crate::store) fn notification() -> impl Strategy<Value = Notification> {
    let delivery = prop_oneof![
        instant().prop_map(|until| Delivery::Held { until }),
        instant().prop_map(|at| Delivery::Due { at }),
        instant().prop_map(|at| Delivery::Delivered { at }),
        instant().prop_map(|at| Delivery::GivenUp { at }),
    ];
    let kind = select(&NotificationKind::ALL);
    let numbers = (number(), of(number()), vec(number(), 0..3), any::<u64>(), any::<u32>());
    (address(), kind, numbers, instant(), text(), delivery).prop_map(
        |(to, kind, (id, incident, alerts, left_out, tries), made_at, problem, delivery)| {
            Notification {
                id: NotificationId(id),
                to,
                kind,
                incident: incident.map(IncidentId),
                alerts: alerts.into_iter().map(AlertId).collect(),
                left_out,
                made_at,
                tries,
                problem,
                delivery,
            }
        },
    )
}
