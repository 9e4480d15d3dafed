//! When a job's runs should have started and ended, and who looks after it.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::{period, text};
use crate::model::{Deadline, Label, Objectives};

/// The objectives, the runbook and the labels of a job.
pub(super) fn care() -> impl Strategy<Value = (Objectives, String, Vec<Label>)> {
    let deadline = || {
        let times = vec!["00:00", "06:30", "23:59:59"];
        let time =
            proptest::sample::select(times).prop_map(|text| Deadline::time_of_day(text).unwrap());
        prop_oneof![period().prop_map(Deadline::After), time]
    };
    let objectives = (of(deadline()), of(deadline()), of(period()), of(period())).prop_map(
        |(start_by, finish_by, max_lateness, expected_duration)| Objectives {
            start_by,
            finish_by,
            max_lateness,
            expected_duration,
        },
    );
    let label = (text(), text()).prop_map(|(name, value)| Label { name, value });
    (objectives, text(), vec(label, 0..3))
}
