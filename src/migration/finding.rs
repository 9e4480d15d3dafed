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
    /// What the other scheduler does.
    pub there: String,
    /// What Chronode does.
    pub chronode: String,
    /// Why the two are not the same.
    pub why: String,
    /// What to do about it; empty where nothing is to be done.
    pub remedy: String,
}

impl Finding {
    /// A finding without a reason and a remedy.
    pub(in crate::migration) fn new(
        weight: Weight,
        field: &str,
        there: &str,
        chronode: &str,
    ) -> Self {
        Self {
            weight,
            field: field.to_owned(),
            there: there.to_owned(),
            chronode: chronode.to_owned(),
            why: String::new(),
            remedy: String::new(),
        }
    }

    pub(in crate::migration) fn because(mut self, why: &str) -> Self {
        why.clone_into(&mut self.why);
        self
    }

    pub(in crate::migration) fn remedy(mut self, remedy: &str) -> Self {
        remedy.clone_into(&mut self.remedy);
        self
    }

    /// As it stands in a report. `other` is the key of what the other scheduler does: its name.
    #[must_use]
    pub fn to_json(&self, other: &str) -> Value {
        let Self { weight, field, there, chronode, why, remedy } = self;
        json!({
            "weight": weight.as_str(),
            "field": field,
            other: there,
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
