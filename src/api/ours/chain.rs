//! `P/chain/{runId}`: what led to a run, and everything that followed, as one object.
//!
//! Which runs belong to it is found bit by bit, since only the history knows: [`Chain`] says whom to ask about next and
//! takes what was read; it reads nothing itself.

use std::collections::{BTreeMap, VecDeque};

use axum::response::Response;
use serde_json::{Value, json};

use super::runs::{RunPath, find, unreadable};
use crate::api::error::ApiError;
use crate::api::{Desk, json_response, print};
use crate::model::{Run, RunId, RunState, Timestamp, Trigger};

/// Runs of a chain at most: about half a megabyte of JSON.
const RUNS_MAX: usize = 1_000;
/// Runs of which is asked at one time what followed from them.
const ASKED_AT_ONCE: usize = 100;

/// `GET P/chain/{runId}`.
pub(crate) async fn show(desk: Desk, RunPath(id): RunPath) -> Result<Response, ApiError> {
    let mut chain = Chain::of(find(&desk, id).await?, RUNS_MAX);
    while let Some(cause) = chain.next_cause() {
        if let Some(run) = desk.run(cause).await.map_err(unreadable)? {
            chain.add(run);
        }
    }
    loop {
        let causes = chain.next_causes();
        if causes.is_empty() {
            break;
        }
        let found = desk.followers(causes, RUNS_MAX).await.map_err(unreadable)?;
        found.runs.into_iter().for_each(|run| chain.add(run));
        if found.more {
            chain.is_truncated = true;
        }
    }
    Ok(json_response(&chain.print()))
}

/// The runs that are connected with one by what brought what about, as far as they are known.
struct Chain {
    asked: RunId,
    max: usize,
    runs: BTreeMap<RunId, Run>,
    /// What led to the known ones and has still to be read.
    causes: VecDeque<RunId>,
    /// Those of which nobody has asked yet what followed.
    open: VecDeque<RunId>,
    /// Whether there are more than `max`.
    is_truncated: bool,
}

impl Chain {
    /// Begins with the run that was asked for. It has `max` runs at most.
    fn of(run: Run, max: usize) -> Self {
        let mut chain = Self {
            asked: run.id,
            max,
            runs: BTreeMap::new(),
            causes: VecDeque::new(),
            open: VecDeque::new(),
            is_truncated: false,
        };
        chain.add(run);
        chain
    }

    /// A run that belongs to it.
    fn add(&mut self, run: Run) {
        if self.runs.contains_key(&run.id) {
            return;
        }
        if self.runs.len() >= self.max {
            self.is_truncated = true;
            return;
        }
        self.causes.extend(led_to(&run));
        self.open.push_back(run.id);
        self.runs.insert(run.id, run);
    }

    /// The next run to be read on the way up to the roots. `None` at the end: go down then.
    fn next_cause(&mut self) -> Option<RunId> {
        loop {
            let cause = self.causes.pop_front()?;
            if self.is_truncated {
                continue;
            }
            if !self.runs.contains_key(&cause) {
                return Some(cause);
            }
        }
    }

    /// The next runs whose followers are to be read: what followed from the run that was asked for comes first. Empty at
    /// the end.
    fn next_causes(&mut self) -> Vec<RunId> {
        if self.is_truncated {
            self.open.clear();
        }
        let count = self.open.len().min(ASKED_AT_ONCE);
        self.open.drain(..count).collect()
    }

    fn print(&self) -> Value {
        let mut triggered: BTreeMap<RunId, Vec<&Run>> = BTreeMap::new();
        for run in self.runs.values() {
            for cause in &run.causes {
                triggered.entry(*cause).or_default().push(run);
            }
        }
        let is_root = |run: &&Run| !led_to(run).any(|cause| self.runs.contains_key(&cause));
        let mut steps: Vec<&Run> = self.runs.values().collect();
        steps.sort_by_key(|run| run.sequence);
        json!({
            "root": ids(steps.iter().copied().filter(is_root)),
            "asked": self.asked.to_string(),
            "truncated": self.is_truncated,
            "steps": steps.iter().map(|run| {
                let mut triggered = triggered.remove(&run.id).unwrap_or_default();
                triggered.sort_by_key(|run| run.sequence);
                step(run, &triggered)
            }).collect::<Value>(),
        })
    }
}

/// The runs that brought a run about, and the one that it tries once more.
fn led_to(run: &Run) -> impl Iterator<Item = RunId> {
    run.causes.iter().copied().chain(retry_of(run))
}

const fn retry_of(run: &Run) -> Option<RunId> {
    match run.trigger {
        Trigger::Retry { of, .. } => Some(of),
        Trigger::Schedule { .. }
        | Trigger::CatchUp { .. }
        | Trigger::Manual { .. }
        | Trigger::Backfill { .. }
        | Trigger::Parents { .. } => None,
    }
}

fn ids<'a>(runs: impl Iterator<Item = &'a Run>) -> Value {
    runs.map(|run| run.id.to_string()).collect()
}

fn step(run: &Run, triggered: &[&Run]) -> Value {
    let started_at = run.started_at();
    let (verdict, ended_at) = match &run.state {
        RunState::Ended { verdict, at, .. } => (Some(verdict.as_str()), Some(*at)),
        RunState::Queued
        | RunState::Pending { .. }
        | RunState::Active
        | RunState::Waiting { .. }
        | RunState::Reporting { .. } => (None, None),
    };
    // Different clocks may say what when; nothing took less than no time.
    let millis = |from: Timestamp, to: Timestamp| to.duration_since(from).as_millis().max(0);
    json!({
        "run": run.id.to_string(),
        "job": run.job.as_str(),
        "state": print::state_word(&run.state),
        "verdict": verdict,
        "dueAt": print::instant(run.trigger.due_at()),
        "createdAt": print::instant(run.created_at),
        "startedAt": started_at.map(print::instant),
        "endedAt": ended_at.map(print::instant),
        "waitedMs": started_at.map(|started| millis(run.created_at, started)),
        "tookMs": started_at.zip(ended_at).map(|(started, ended)| millis(started, ended)),
        "causes": run.causes.iter().map(RunId::to_string).collect::<Value>(),
        "retryOf": retry_of(run).map(|of| of.to_string()),
        "triggered": ids(triggered.iter().copied()),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::api::testing::{at, over, run};
    use crate::model::Verdict;

    /// A run numbered `sequence` after those.
    fn after(sequence: u64, causes: &[&Run]) -> Run {
        let mut run = run(sequence, "a", over(Verdict::Succeeded), Vec::new());
        run.causes = causes.iter().map(|cause| cause.id).collect();
        run
    }

    fn retry(sequence: u64, of: &Run) -> Run {
        let mut run = after(sequence, &[]);
        run.causes.clone_from(&of.causes);
        let instant = at("2030-01-01T00:00:00Z");
        run.trigger = Trigger::Retry { of: of.id, due_at: instant, at: instant };
        run
    }

    /// Walks through what there is, as the handler does.
    fn walk(all: &[&Run], asked: &Run, max: usize) -> Chain {
        let mut chain = Chain::of(asked.clone(), max);
        while let Some(cause) = chain.next_cause() {
            if let Some(run) = all.iter().find(|run| run.id == cause) {
                chain.add((*run).clone());
            }
        }
        loop {
            let causes = chain.next_causes();
            if causes.is_empty() {
                return chain;
            }
            let followed = |run: &&&Run| led_to(run).any(|cause| causes.contains(&cause));
            let found: Vec<Run> = all.iter().filter(followed).map(|run| (*run).clone()).collect();
            found.into_iter().for_each(|run| chain.add(run));
        }
    }

    fn sequences(chain: &Chain) -> BTreeSet<u64> {
        chain.runs.values().map(|run| run.sequence).collect()
    }

    fn set(all: &[u64]) -> BTreeSet<u64> {
        all.iter().copied().collect()
    }

    #[test]
    fn a_chain_has_what_led_to_the_run_and_everything_that_followed_from_that() {
        // 1 and 2 bring 3 about, that 4 and 5; 6 stands alone; 7 is 5 once more, and 8 follows from it.
        let [one, two, six] = [1, 2, 6].map(|sequence| after(sequence, &[]));
        let three = after(3, &[&one, &two]);
        let [four, five] = [4, 5].map(|sequence| after(sequence, &[&three]));
        let seven = retry(7, &five);
        let eight = after(8, &[&seven]);
        let all = [&one, &two, &three, &four, &five, &six, &seven, &eight];
        for asked in [&three, &four, &five, &seven, &eight] {
            let chain = walk(&all, asked, RUNS_MAX);
            assert_eq!(sequences(&chain), set(&[1, 2, 3, 4, 5, 7, 8]), "{}", asked.id);
            let printed = chain.print();
            assert_eq!(printed["root"], json!(["j1-m1", "j1-m2"]));
            assert_eq!(printed["truncated"], false);
            assert_eq!(printed["asked"], asked.id.to_string());
            let steps = printed["steps"].as_array().unwrap();
            let triggered = |index: usize| steps[index]["triggered"].clone();
            assert_eq!(triggered(0), json!(["j1-m3"]));
            // A retry follows from what brought the first about, and says which run it tries once more.
            assert_eq!(triggered(2), json!(["j1-m4", "j1-m5", "j1-m7"]));
            assert_eq!(steps[5]["retryOf"], "j1-m5");
            assert_eq!(steps[5]["causes"], json!(["j1-m3"]));
            assert_eq!(triggered(6), json!([]));
        }
        // On the way down nothing else is climbed: 2 had no part in what 1 is.
        assert_eq!(sequences(&walk(&all, &one, RUNS_MAX)), set(&[1, 3, 4, 5, 7, 8]));
        assert_eq!(sequences(&walk(&all, &six, RUNS_MAX)), set(&[6]));
    }

    #[test]
    fn what_cannot_be_read_is_left_out_and_what_it_brought_about_becomes_a_root() {
        let one = after(1, &[]);
        let two = after(2, &[&one]);
        let three = after(3, &[&two]);
        let chain = walk(&[&one, &three], &three, RUNS_MAX);
        assert_eq!(sequences(&chain), set(&[3]));
        let printed = chain.print();
        assert_eq!(printed["root"], json!(["j1-m3"]));
        assert_eq!(printed["steps"][0]["causes"], json!(["j1-m2"]));
    }

    #[test]
    fn a_chain_that_is_too_long_keeps_what_led_to_the_run_and_says_so() {
        let mut all = vec![after(1, &[])];
        for sequence in 2..=9 {
            let next = after(sequence, &[all.last().unwrap()]);
            all.push(next);
        }
        let all: Vec<&Run> = all.iter().collect();
        let whole = walk(&all, all[4], 9);
        assert_eq!((sequences(&whole).len(), whole.is_truncated), (9, false));
        let chain = walk(&all, all[4], 7);
        assert_eq!((sequences(&chain), chain.is_truncated), (set(&[1, 2, 3, 4, 5, 6, 7]), true));
        let chain = walk(&all, all[8], 3);
        assert_eq!((sequences(&chain), chain.is_truncated), (set(&[7, 8, 9]), true));
        assert_eq!(chain.print()["root"], json!(["j1-m7"]));
    }

    #[test]
    fn many_runs_are_asked_about_in_parts() {
        let root = after(1, &[]);
        let children: Vec<Run> = (2..=251).map(|sequence| after(sequence, &[&root])).collect();
        let last = after(252, &[&children[249]]);
        let all: Vec<&Run> = children.iter().chain([&root, &last]).collect();
        assert_eq!(sequences(&walk(&all, &children[7], RUNS_MAX)).len(), 252);
    }
}
