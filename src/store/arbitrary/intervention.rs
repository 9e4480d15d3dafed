//! Anything that operators have done, and whatever brings a run about.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::{env_var, instant, name, number, run_id, text, verdict};
use crate::model::{
    Backfill, BackfillId, BackfillState, Incarnation, Intervention, Interventions, Origin, Pause,
    Shadow, Skip, SourceName, Trigger,
};

pub(super) fn intervention() -> impl Strategy<Value = Intervention> {
    (text(), instant(), text()).prop_map(|(by, at, reason)| Intervention { by, at, reason })
}

pub(in crate::store) fn pause() -> impl Strategy<Value = Pause> {
    (intervention(), of(instant())).prop_map(|(by, until)| Pause { by, until })
}

pub(in crate::store) fn interventions() -> impl Strategy<Value = Interventions> {
    let skip = (instant(), intervention()).prop_map(|(due_at, by)| Skip { due_at, by });
    (of(pause()), vec(skip, 0..3), of(origin())).prop_map(|(pause, skips, origin)| Interventions {
        pause,
        skips,
        origin,
    })
}

fn origin() -> impl Strategy<Value = Origin> {
    let source = "[a-z0-9._-]{1,8}".prop_map(|text| SourceName::parse(&text).unwrap());
    (source, text(), number(), any::<bool>())
        .prop_map(|(source, place, revision, is_gone)| Origin { source, place, revision, is_gone })
}

pub(in crate::store) fn backfill() -> impl Strategy<Value = Backfill> {
    let state = prop_oneof![
        Just(BackfillState::Going),
        instant().prop_map(|at| BackfillState::Done { at }),
        (instant(), text()).prop_map(|(at, reason)| BackfillState::Cancelled { at, reason }),
    ];
    let ended = proptest::collection::btree_map(verdict(), any::<u64>(), 0..3);
    (
        (number(), number(), name(), intervention()),
        (vec(instant(), 0..3), any::<u32>(), any::<bool>(), of(text())),
        (vec(env_var(), 0..3), 0..usize::MAX / 2, ended, state),
    )
        .prop_map(
            |(
                (id, incarnation, job, by),
                (due, concurrency, stops_on_failure, arguments),
                (environment, begun, ended, state),
            )| Backfill {
                id: BackfillId(id),
                incarnation: Incarnation(incarnation),
                job,
                by,
                due,
                concurrency,
                stops_on_failure,
                arguments,
                environment,
                begun,
                ended,
                state,
            },
        )
}

pub(super) fn trigger() -> impl Strategy<Value = Trigger> {
    prop_oneof![
        (instant(), instant())
            .prop_map(|(due_at, opens_at)| Trigger::Schedule { due_at, opens_at }),
        instant().prop_map(|due_at| Trigger::CatchUp { due_at }),
        (instant(), instant()).prop_map(|(due_at, at)| Trigger::Manual { due_at, at }),
        (run_id(), instant(), instant()).prop_map(|(of, due_at, at)| Trigger::Retry {
            of,
            due_at,
            at
        }),
        (number(), instant(), instant()).prop_map(|(of, due_at, at)| Trigger::Backfill {
            of: BackfillId(of),
            due_at,
            at,
        }),
        (instant(), instant()).prop_map(|(due_at, at)| Trigger::Parents { due_at, at }),
    ]
}

/// Whether a job is only planned.
pub(super) fn shadow() -> impl Strategy<Value = Shadow> {
    prop_oneof![Just(Shadow::Off), Just(Shadow::On), instant().prop_map(Shadow::Until)]
}
