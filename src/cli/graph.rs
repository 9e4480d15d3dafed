//! `chronode graph`: which jobs follow which, as a tree for people or in the forms that Chronos has.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::client::{Terminal, job_name};
use super::http::Server;
use super::{CliError, logs, table};
use crate::model::JobName;

/// Lines of a tree at most: a child with several parents stands below each.
const LINES_MAX: usize = 10_000;

/// Steps that are shown by the beginning of a line; a longer chain goes straight down.
const STEPS_MAX: usize = 40;

/// `chronode graph …`
#[derive(Debug, Args)]
pub struct GraphCommand {
    /// Only this job, what it follows, and what follows it
    #[arg(value_name = "JOB", value_parser = job_name)]
    pub job: Option<JobName>,
    /// In which form
    #[arg(long, value_enum, default_value_t = Form::Tree)]
    pub form: Form,
}

/// Forms of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Lines for people, children below their parents.
    Tree,
    /// For Graphviz, as Chronos has it.
    Dot,
    /// As Chronos has it.
    Csv,
}

/// Carries out the command.
pub(super) fn run(
    server: &Server,
    command: &GraphCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let GraphCommand { job, form } = command;
    let path = match form {
        Form::Tree => None,
        Form::Dot => Some("/graph/dot"),
        Form::Csv => Some("/graph/csv"),
    };
    if let Some(path) = path {
        if job.is_some() {
            return Err(CliError::Usage(
                "`--form dot` and `--form csv` have all jobs: leave the name out".to_owned(),
            ));
        }
        return logs::copy(server, path, terminal.out);
    }
    let jobs = server.get("/jobs")?;
    let family = Family::of(jobs.as_array().map(Vec::as_slice).unwrap_or_default());
    let wanted = job.as_ref().map(JobName::as_str);
    if let Some(name) = wanted.filter(|name| !family.parents.contains_key(*name)) {
        return Err(CliError::Failed(format!(
            "there is no job `{name}`: `chronode job list` shows those that there are"
        )));
    }
    if terminal.json {
        let near = wanted.map(|wanted| family.near(wanted));
        let is_near = |name: &str| near.as_ref().is_none_or(|near| near.contains(name));
        let rows: Vec<Value> = family
            .parents
            .iter()
            .filter(|(name, _)| is_near(name))
            .map(|(name, parents)| json!({"job": name, "parents": parents}))
            .collect();
        writeln!(terminal.out, "{}", Value::from(rows))?;
        return Ok(());
    }
    let lines = match wanted {
        Some(name) => family.around(name),
        None => family.forest(),
    };
    for line in lines.iter().take(LINES_MAX) {
        writeln!(terminal.out, "{line}")?;
    }
    if lines.len() > LINES_MAX {
        writeln!(terminal.err, "there is more: name a job, or ask for `--form csv`")?;
    }
    Ok(())
}

/// Who follows whom.
struct Family<'a> {
    parents: BTreeMap<&'a str, Vec<&'a str>>,
    children: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Family<'a> {
    fn of(jobs: &'a [Value]) -> Self {
        let mut family = Self { parents: BTreeMap::new(), children: BTreeMap::new() };
        for job in jobs {
            let Some(name) = job["name"].as_str() else { continue };
            let parents = job["parents"].as_array().into_iter().flatten();
            let parents: Vec<&str> = parents.filter_map(Value::as_str).collect();
            for &parent in &parents {
                family.children.entry(parent).or_default().insert(name);
            }
            family.parents.insert(name, parents);
        }
        family
    }

    /// Every job without parents, with what follows it; jobs that nothing follows and that follow nothing come last.
    fn forest(&self) -> Vec<String> {
        let roots =
            self.parents.iter().filter(|(_, parents)| parents.is_empty()).map(|(name, _)| *name);
        let (with, alone): (Vec<&str>, Vec<&str>) =
            roots.partition(|name| self.children.contains_key(name));
        let mut lines = Vec::new();
        for name in with.into_iter().chain(alone) {
            self.below(name, &mut lines);
        }
        lines
    }

    /// A job with those that it follows, and what follows it.
    fn around(&self, name: &'a str) -> Vec<String> {
        let parents = self.parents.get(name).into_iter().flatten();
        let mut lines: Vec<String> =
            parents.map(|parent| format!("after {}", table::plain(parent))).collect();
        self.below(name, &mut lines);
        lines
    }

    /// A job and what follows it, deeper in for each step. What has been shown with all that follows it is named again
    /// without. Keeps its own stack: a chain may have a hundred thousand jobs.
    fn below(&self, name: &'a str, lines: &mut Vec<String>) {
        let mut shown = BTreeSet::new();
        let mut stack = vec![(name, 0)];
        while let Some((name, depth)) = stack.pop() {
            if lines.len() > LINES_MAX {
                return;
            }
            let children = self.children.get(name);
            let is_again = !shown.insert(name) && children.is_some();
            let others: Vec<&str> = self.parents.get(name).into_iter().flatten().copied().collect();
            let mut line = format!("{}{}", "  ".repeat(depth.min(STEPS_MAX)), table::plain(name));
            if others.len() > 1 {
                line.push_str(&format!("  (after {})", table::plain(&others.join(", "))));
            }
            if is_again {
                line.push_str("  (see above)");
            }
            lines.push(line);
            if !is_again {
                stack.extend(children.into_iter().flatten().rev().map(|child| (*child, depth + 1)));
            }
        }
    }

    /// A job, all that it follows and all that follows it.
    fn near(&self, name: &'a str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut up = vec![name];
        while let Some(name) = up.pop() {
            if found.insert(name) {
                up.extend(self.parents.get(name).into_iter().flatten());
            }
        }
        let mut down = vec![name];
        let mut below = BTreeSet::new();
        while let Some(name) = down.pop() {
            if below.insert(name) {
                down.extend(self.children.get(name).into_iter().flatten());
            }
        }
        found.extend(below);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs() -> Value {
        json!([
            {"name": "lonely"},
            {"name": "extract"},
            {"name": "orders", "parents": ["extract"]},
            {"name": "stock", "parents": ["extract"]},
            {"name": "report", "parents": ["orders", "stock"]},
            {"name": "mail", "parents": ["report"]},
        ])
    }

    #[test]
    fn children_stand_below_their_parents() {
        let jobs = jobs();
        let family = Family::of(jobs.as_array().unwrap());
        assert_eq!(
            family.forest(),
            [
                "extract",
                "  orders",
                "    report  (after orders, stock)",
                "      mail",
                "  stock",
                "    report  (after orders, stock)  (see above)",
                "lonely",
            ]
        );
        assert_eq!(
            family.around("report"),
            ["after orders", "after stock", "report  (after orders, stock)", "  mail"]
        );
        assert_eq!(
            family.near("stock").into_iter().collect::<Vec<_>>(),
            ["extract", "mail", "report", "stock"]
        );
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let jobs: Vec<Value> = (0..50_000)
            .map(|index| match index {
                0 => json!({"name": "j0"}),
                _ => json!({"name": format!("j{index}"), "parents": [format!("j{}", index - 1)]}),
            })
            .collect();
        let family = Family::of(&jobs);
        assert_eq!(family.near("j25000").len(), 50_000);
        assert_eq!(family.forest().len(), LINES_MAX + 1);
    }
}
