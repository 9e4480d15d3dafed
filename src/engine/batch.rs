//! What is asked and answered where several jobs are stored at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{ApplyOutcome, Job, JobName, JobVersion, Origin, SourceName, Timestamp};

use super::event::Expected;

/// What else is asked where several jobs are stored. By default nothing, and the jobs are nobody's.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ApplyTerms {
    /// The source that they come from.
    pub source: Option<SourceTerms>,
    /// What the client believes of jobs; nothing is done if one of them is something else.
    pub expected: BTreeMap<JobName, Expected>,
}

/// A source, and what it says of its jobs beside their definitions.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceTerms {
    /// Which.
    pub name: SourceName,
    /// Where in it jobs are defined.
    pub places: BTreeMap<JobName, String>,
    /// Jobs of it that are to be deleted. One that is not there is deleted already.
    pub removed: Vec<JobName>,
    /// Jobs of it that it does not have any more, and that stay all the same.
    pub gone: Vec<JobName>,
    /// Whether it takes jobs from other sources.
    pub takes_over: bool,
}

/// What became of one of several jobs.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// Its name.
    pub name: JobName,
    /// What it is from now on.
    pub version: JobVersion,
    /// What was done.
    pub outcome: ApplyOutcome,
    /// What the client should know although the job was accepted, as sentences.
    pub warnings: Vec<String>,
    /// What it means for other jobs, as sentences.
    pub consequences: Vec<String>,
    /// Where it came from before.
    pub origin: Option<Origin>,
    /// What is different; `None` if nothing is, or in an answer that is given once more.
    pub difference: Option<Box<Difference>>,
}

/// What one of several jobs was, and what it becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Its definition so far, and when that was accepted.
    pub before: Option<(Arc<Job>, Timestamp)>,
    /// Its definition from now on, and through when that owes nothing.
    pub after: Option<(Job, Timestamp)>,
}
