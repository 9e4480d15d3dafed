//! Any request that was carried out under a key.

use proptest::prelude::*;

use super::{instant, name, number, run_id, text};
use crate::model::{
    Answer, AnsweredRequest, ApplyOutcome, BackfillId, Became, Incarnation, JobVersion, RequestKey,
};

pub(in crate::store) fn answered() -> impl Strategy<Value = AnsweredRequest> {
    let version = || {
        (number(), number(), any::<bool>()).prop_map(|(incarnation, revision, disabled)| {
            JobVersion { incarnation: Incarnation(incarnation), revision, disabled }
        })
    };
    let outcome = proptest::sample::select(vec![
        ApplyOutcome::Created,
        ApplyOutcome::Replaced,
        ApplyOutcome::Unchanged,
        ApplyOutcome::Removed,
    ]);
    let became = prop_oneof![
        Just(Became::Stopping),
        super::verdict().prop_map(Became::Ended),
        Just(Became::TriedAgain),
        run_id().prop_map(|by| Became::Followed { by }),
    ];
    let applied = (name(), version(), outcome);
    let answer = prop_oneof![
        (version(), any::<bool>())
            .prop_map(|(version, created)| Answer::Stored { version, created }),
        Just(Answer::Deleted),
        run_id().prop_map(|run| Answer::Triggered { run }),
        number().prop_map(|count| Answer::Stopping { count }),
        run_id().prop_map(|run| Answer::Marked { run }),
        Just(Answer::QueueCleared),
        any::<bool>().prop_map(|is_known| Answer::Completed { is_known }),
        number().prop_map(|elements| Answer::Progressed { elements }),
        (instant(), proptest::collection::vec(name(), 0..3))
            .prop_map(|(at, names)| Answer::CutOver { at, names }),
        (run_id(), became).prop_map(|(run, became)| Answer::Operated { run, became }),
        proptest::collection::vec(name(), 0..3).prop_map(|names| Answer::Paused { names }),
        instant().prop_map(|due_at| Answer::SkippedAhead { due_at }),
        number().prop_map(|id| Answer::Backfilled { id: BackfillId(id) }),
        (number(), number()).prop_map(|(count, left)| Answer::Dropped { count, left }),
        Just(Answer::Done),
        proptest::collection::vec(applied, 0..3).prop_map(|jobs| Answer::Applied { jobs }),
    ];
    let key = (text(), text(), text());
    (key, instant(), answer).prop_map(|((id, caller, content), at, answer)| AnsweredRequest {
        key: RequestKey { id, caller, content },
        at,
        answer,
    })
}
