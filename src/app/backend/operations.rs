//! The part of the port that is for operators: all from the read view.

use std::collections::BTreeSet;

use super::Backend;
use crate::api::{self, BacklogPage, BacklogWanted, Pauses, Timetable};
use crate::clock;
use crate::model::{Backfill, BackfillId, JobName};

impl api::Operations for Backend {
    fn pauses(&self) -> Pauses {
        Pauses::of(&self.view.read())
    }

    fn backfills(&self) -> Vec<Backfill> {
        self.view.read().backfills().cloned().collect()
    }

    fn backfill(&self, id: BackfillId) -> Option<Backfill> {
        self.view.read().backfill(id).cloned()
    }

    fn backlog(&self, wanted: &BacklogWanted) -> BacklogPage {
        BacklogPage::of(&self.view.read(), clock::wall(), wanted)
    }

    fn waiting_jobs(&self) -> BTreeSet<JobName> {
        api::waiting_jobs(&self.view.read())
    }

    fn timetable(&self, job: &JobName) -> Option<Timetable> {
        Timetable::of(&self.view.read(), job)
    }
}
