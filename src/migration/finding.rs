//! What is found out about a job that moves.

use serde_json::{Value, json};

/// How much a finding weighs. The order is that of their weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Written otherwise, or worth knowing; it means what it meant.
    Same,
    /// It means something else on the other side.
    Changes,
    /// The other side would not take the job, or would run it when it must not run.
    NotCarried,
}

impl Weight {
    /// The word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "identical",
            Self::Changes => "changes",
            Self::NotCarried => "not-carried",
        }
    }
}

/// One thing about one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it comes to.
    pub weight: Weight,
    /// The field as the job has it; empty for the job as a whole.
    pub field: String,
    /// What Chronos does.
    pub chronos: String,
    /// What Chronode does.
    pub chronode: String,
    /// Why the two are not the same.
    pub why: String,
    /// What to do about it; empty where nothing is to be done.
    pub remedy: String,
}

impl Finding {
    /// A finding without a reason and a remedy.
    pub(super) fn new(weight: Weight, field: &str, chronos: &str, chronode: &str) -> Self {
        Self {
            weight,
            field: field.to_owned(),
            chronos: chronos.to_owned(),
            chronode: chronode.to_owned(),
            why: String::new(),
            remedy: String::new(),
        }
    }

    pub(super) fn because(mut self, why: &str) -> Self {
        why.clone_into(&mut self.why);
        self
    }

    pub(super) fn remedy(mut self, remedy: &str) -> Self {
        remedy.clone_into(&mut self.remedy);
        self
    }

    /// As it stands in a report.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Self { weight, field, chronos, chronode, why, remedy } = self;
        json!({
            "weight": weight.as_str(),
            "field": field,
            "chronos": chronos,
            "chronode": chronode,
            "why": why,
            "remedy": remedy,
        })
    }
}

/// What the findings of a job come to.
#[must_use]
pub fn worst(findings: &[Finding]) -> Weight {
    findings.iter().map(|finding| finding.weight).max().unwrap_or(Weight::Same)
}
