//! What is told of an import, for people and for programs.

use serde_json::{Value, json};

use super::{Done, How, Kind, Origin, Outcome, Pending};
use crate::cli::CliError;
use crate::cli::client::Terminal;
use crate::cli::table::{counted, plain};
use crate::migration::{Finding, Upcoming, Weight};
use crate::model::{Dialect, Timestamp};

/// Everything there is to tell.
pub(super) struct Report<'a> {
    pub(super) origin: &'a Origin,
    pub(super) how: &'a How,
    pub(super) general: &'a [Finding],
    pub(super) pending: &'a [Pending],
    pub(super) done: &'a [Done],
}

impl Report<'_> {
    fn count(&self, weight: Weight) -> usize {
        self.done.iter().filter(|it| it.job.weight() == weight).count()
    }

    /// The whole, with the original of what is not carried, so that nothing is lost.
    pub(super) fn to_json(&self) -> Value {
        let Origin { shown, kind } = self.origin;
        let pending: Vec<Value> = self
            .pending
            .iter()
            .map(|it| json!({"task": it.task, "job": it.job, "due": it.due_at.map(print)}))
            .collect();
        let mut told = json!({
            "source": shown,
            "shadow": self.how.shadow,
            "summary": {
                "jobs": self.done.len(),
                "identical": self.count(Weight::Same),
                "changes": self.count(Weight::Changes),
                "notCarried": self.count(Weight::NotCarried),
                "stored": self.outcomes(|it| matches!(it, Outcome::Stored { .. })),
                "unchanged": self.outcomes(|it| matches!(it, Outcome::Unchanged { .. })),
                "refused": self.outcomes(|it| matches!(it, Outcome::Refused { .. })),
            },
            "general": self.general.iter().map(|it| it.to_json(kind.key())).collect::<Vec<_>>(),
            "jobs": self.done.iter().map(|it| job(it, *kind)).collect::<Vec<_>>(),
            "pending": pending,
        });
        match kind {
            Kind::Chronos(Dialect::V0) => told["dialect"] = "0".into(),
            Kind::Chronos(Dialect::V1) => told["dialect"] = "v1".into(),
            Kind::Cron => {}
        }
        told
    }

    fn outcomes(&self, is_meant: impl Fn(&Outcome) -> bool) -> usize {
        self.done.iter().filter(|it| is_meant(&it.outcome)).count()
    }

    pub(super) fn print(&self, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
        if terminal.json {
            writeln!(terminal.out, "{}", self.to_json())?;
            return Ok(());
        }
        let out = &mut *terminal.out;
        let Origin { shown, kind } = self.origin;
        writeln!(out, "{} at {}: {}", kind.title(), plain(shown), counted(self.done.len(), "job"))?;
        for Done { job, outcome } in self.done {
            let word = match job.weight() {
                Weight::Same => "identical",
                Weight::Changes => "changes meaning",
                Weight::NotCarried => "cannot be carried",
            };
            let place = job.place.as_ref().map(|place| format!(" ({})", plain(place)));
            let place = place.unwrap_or_default();
            writeln!(out, "\n{}{place}: {word}{}", plain(&job.name), told(outcome))?;
            for finding in &job.findings {
                writeln!(out, "  {}", sentence(finding, *kind))?;
                if !finding.why.is_empty() {
                    writeln!(out, "    why: {}", plain(&finding.why))?;
                }
                if !finding.remedy.is_empty() {
                    writeln!(out, "    to do: {}", plain(&finding.remedy))?;
                }
            }
            if let Outcome::Stored { warnings, .. } = outcome {
                for warning in warnings {
                    writeln!(out, "  Chronode says: {}", plain(warning))?;
                }
            }
            if let Some(Upcoming { there, chronode }) = &job.upcoming
                && there != chronode
            {
                writeln!(out, "  {} is due:  {}", kind.name(), instants(there))?;
                writeln!(out, "  Chronode is due: {}", instants(chronode))?;
            }
        }
        if !self.done.is_empty() {
            writeln!(out, "\nOf every job:")?;
        }
        for finding in self.general.iter().filter(|_| !self.done.is_empty()) {
            writeln!(out, "  {}", sentence(finding, *kind))?;
        }
        if !self.pending.is_empty() {
            writeln!(
                out,
                "\nWaiting to be started there, and not carried: let Chronos start them, or run them by hand."
            )?;
        }
        for it in self.pending {
            let due = it.due_at.map_or_else(|| "-".to_owned(), print);
            writeln!(out, "  {} of {}, due {due}", plain(&it.task), plain(&it.job))?;
        }
        writeln!(
            out,
            "\n{}: {} identical, {} changed, {} not carried{}",
            counted(self.done.len(), "job"),
            self.count(Weight::Same),
            self.count(Weight::Changes),
            self.count(Weight::NotCarried),
            self.stored()
        )?;
        Ok(())
    }

    fn stored(&self) -> String {
        let stored = self.outcomes(|it| matches!(it, Outcome::Stored { .. }));
        let unchanged = self.outcomes(|it| matches!(it, Outcome::Unchanged { .. }));
        let refused = self.outcomes(|it| matches!(it, Outcome::Refused { .. }));
        if self.how.out.is_none() && !self.how.load {
            return "; nothing is written: `--out DIR` writes job files, `--load` stores the jobs"
                .to_owned();
        }
        let word = if self.how.load { "loaded" } else { "written" };
        format!("; {stored} {word}, {unchanged} there already, {refused} refused")
    }
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Told => String::new(),
        Outcome::Stored { place, .. } => format!("; stored at {}", plain(place)),
        Outcome::Unchanged { place } => format!("; there already, at {}", plain(place)),
        Outcome::Refused { reason } => format!("; refused: {}", plain(reason)),
    }
}

fn sentence(finding: &Finding, kind: Kind) -> String {
    let field = if finding.field.is_empty() { "job" } else { &finding.field };
    let text = format!("{field}: {} {}; Chronode {}", kind.name(), finding.there, finding.chronode);
    plain(&text)
}

fn print(at: Timestamp) -> String {
    at.to_string()
}

fn instants(all: &[Timestamp]) -> String {
    if all.is_empty() {
        return "never".to_owned();
    }
    all.iter().map(|at| print(*at)).collect::<Vec<_>>().join(", ")
}

fn job(done: &Done, kind: Kind) -> Value {
    let Done { job, outcome } = done;
    let mut told = json!({
        "name": job.name,
        "verdict": job.weight().as_str(),
        "findings": job.findings.iter().map(|it| it.to_json(kind.key())).collect::<Vec<_>>(),
    });
    match outcome {
        Outcome::Told => {}
        Outcome::Stored { place, warnings } => {
            told["outcome"] = json!({"stored": place, "warnings": warnings});
        }
        Outcome::Unchanged { place } => told["outcome"] = json!({"unchanged": place}),
        Outcome::Refused { reason } => told["outcome"] = json!({"refused": reason}),
    }
    if let Some(place) = &job.place {
        told["place"] = place.as_str().into();
    }
    if let Some(Upcoming { there, chronode }) = &job.upcoming {
        let list = |all: &[Timestamp]| all.iter().map(|at| print(*at)).collect::<Vec<_>>();
        told["next"] = json!({kind.key(): list(there), "chronode": list(chronode)});
    }
    match &job.body {
        Some(body) => told["body"] = Value::Object(body.clone()),
        None => told["original"] = job.original.clone(),
    }
    told
}
