//! I6: a child is triggered once for each round that its parents finish, by the runs that finished it: never not at all,
//! never twice.
//!
//! Which rounds those are is found from what was committed, in its order, alone: ends of runs, definitions, deletions.
//! Every end is heard at once by whoever is a child then, so crashes, changes of leader and failed commits are nothing
//! that is known here.

use std::collections::BTreeMap;

use chronode::model::{
    Incarnation, JobName, Join, ParentTerms, Run, RunId, Timestamp, Trigger, TriggerRule, Verdict,
};

use super::record::Evidence;
use super::spec::Way;

/// Rounds of one child that are remembered at a time: of more instants the oldest is given up.
const ROUNDS_MAX: usize = 64;

/// All families, and what they ought to have brought about.
#[derive(Debug, Default)]
pub(crate) struct Chains {
    jobs: BTreeMap<JobName, Member>,
    owed: BTreeMap<Incarnation, Vec<Owed>>,
    /// The rounds that the history says were skipped.
    skipped: BTreeMap<Incarnation, u64>,
}

/// A job that is there.
#[derive(Debug)]
struct Member {
    life: Incarnation,
    soft_error: bool,
    terms: Option<ParentTerms>,
    /// In the order in which anything was first heard of them.
    rounds: Vec<Round>,
}

/// What parents have done since the child was last triggered; with [`Join::Due`] for one instant.
#[derive(Debug, Clone)]
struct Round {
    due: Option<Timestamp>,
    /// The last run of each parent that counts.
    done: BTreeMap<JobName, Done>,
    is_triggered: bool,
}

#[derive(Debug, Clone, Copy)]
struct Done {
    run: RunId,
    due: Timestamp,
    /// Whether it is what the rule waits for.
    counts: bool,
}

/// A run that there must be, or a record that it was skipped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Owed {
    due: Timestamp,
    causes: Vec<RunId>,
    /// Never finished, and waited for no longer: there is no run.
    is_given_up: bool,
}

/// How the end of a run looks to the children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Well,
    Badly,
    Stopped,
}

impl Chains {
    /// A definition is in force from now on.
    pub(crate) fn defined(
        &mut self,
        life: Incarnation,
        name: &JobName,
        way: &Way,
        soft_error: bool,
    ) {
        let terms = way.parents().cloned();
        let before = self.jobs.remove(name).filter(|before| before.life == life);
        let asks = |terms: &Option<ParentTerms>| terms.as_ref().map(|it| (it.rule, it.join));
        let mut rounds = match before {
            Some(before) if asks(&before.terms) == asks(&terms) => before.rounds,
            Some(_) | None => Vec::new(),
        };
        let names = terms.as_ref().map_or(&[][..], |terms| &terms.names[..]);
        for round in &mut rounds {
            round.done.retain(|parent, _| names.contains(parent));
        }
        rounds.retain(|round| round.is_triggered || !round.done.is_empty());
        let mut member = Member { life, soft_error, terms, rounds };
        let owed = member.finish();
        self.owe(life, owed);
        self.jobs.insert(name.clone(), member);
    }

    /// What the parents of a job that goes have done for it, they have done for its child, if both ask for the same.
    pub(crate) fn handed_on(&mut self, child: &JobName, gone: &JobName) {
        let Some(mut heir) = self.jobs.remove(child) else { return };
        let asks = |it: &Member| it.terms.as_ref().map(|terms| (terms.rule, terms.join));
        if let Some(gone) = self.jobs.get(gone).filter(|gone| asks(gone) == asks(&heir)) {
            for theirs in &gone.rounds {
                let ours = heir.rounds.iter_mut().find(|ours| ours.due == theirs.due);
                if let Some(ours) = ours {
                    for (parent, done) in &theirs.done {
                        ours.done.entry(parent.clone()).or_insert(*done);
                    }
                } else if heir.rounds.len() < ROUNDS_MAX {
                    heir.rounds.push(theirs.clone());
                }
            }
        }
        self.jobs.insert(child.clone(), heir);
    }

    /// A job is gone. None of those that are there names it any more.
    pub(crate) fn removed(&mut self, name: &JobName) {
        self.jobs.remove(name);
    }

    /// A run is over.
    pub(crate) fn ended(&mut self, run: &Run, verdict: Verdict) {
        let Some(parent) = self.jobs.get(&run.job).filter(|it| it.life == run.id.incarnation)
        else {
            return;
        };
        let ending = match verdict {
            Verdict::Succeeded => Ending::Well,
            Verdict::Failed | Verdict::Lost if parent.soft_error => Ending::Well,
            Verdict::Failed | Verdict::Lost => Ending::Badly,
            Verdict::Killed => Ending::Stopped,
            Verdict::Missed | Verdict::Skipped | Verdict::Superseded => return,
        };
        let mut owed = Vec::new();
        for child in self.jobs.values_mut() {
            if child.terms.as_ref().is_some_and(|terms| terms.names.contains(&run.job)) {
                owed.push((child.life, child.hear(run, ending)));
            }
        }
        for (life, owed) in owed {
            self.owe(life, owed);
        }
    }

    /// Rounds of a child are recorded as skipped.
    pub(crate) fn skipped(&mut self, life: Incarnation, count: u64) {
        *self.skipped.entry(life).or_default() += count;
    }

    fn owe(&mut self, life: Incarnation, owed: Vec<Owed>) {
        self.owed.entry(life).or_default().extend(owed);
    }
}

impl Member {
    /// What follows from the end of a parent's run.
    fn hear(&mut self, run: &Run, ending: Ending) -> Vec<Owed> {
        let Some(ParentTerms { rule, join, .. }) = self.terms else { return Vec::new() };
        let due_at = run.trigger.due_at();
        let due = match join {
            Join::Round => None,
            Join::Due => Some(due_at),
        };
        let index = self.rounds.iter().position(|round| round.due == due);
        let mut index = index.unwrap_or_else(|| {
            self.rounds.push(Round { due, done: BTreeMap::new(), is_triggered: false });
            self.rounds.len() - 1
        });
        let mut owed = Vec::new();
        if self.rounds.len() > ROUNDS_MAX {
            let oldest = self.rounds.remove(0);
            index -= 1;
            if let (Some(due), false, false) = (oldest.due, oldest.is_triggered, is_any(rule)) {
                owed.push(Owed { due, causes: Vec::new(), is_given_up: true });
            }
        }
        let round = &mut self.rounds[index];
        let counts = match rule {
            TriggerRule::AllSucceeded | TriggerRule::AnySucceeded => ending == Ending::Well,
            TriggerRule::AllDone => true,
            TriggerRule::AnyFailed => ending == Ending::Badly,
        };
        let known = round.done.get(&run.job);
        if counts || known.is_none_or(|known| !known.counts) {
            round.done.insert(run.job.clone(), Done { run: run.id, due: due_at, counts });
        }
        let is_enough = match rule {
            TriggerRule::AllSucceeded | TriggerRule::AllDone => false,
            TriggerRule::AnySucceeded | TriggerRule::AnyFailed => counts,
        };
        if is_enough && !round.is_triggered {
            owed.push(Owed { due: due_at, causes: vec![run.id], is_given_up: false });
            match join {
                Join::Round => round.done.clear(),
                Join::Due => round.is_triggered = true,
            }
        }
        owed.extend(self.finish());
        owed
    }

    /// Takes out the rounds that every parent has done its part of.
    fn finish(&mut self) -> Vec<Owed> {
        let Some(terms) = &self.terms else { return Vec::new() };
        if is_any(terms.rule) {
            // When all have run for an instant, nothing more comes of it.
            let all = terms.names.len();
            self.rounds.retain(|round| round.due.is_none() || round.done.len() < all);
            return Vec::new();
        }
        let mut owed = Vec::new();
        self.rounds.retain(|round| {
            let by = |name| round.done.get(name).filter(|done| done.counts).copied();
            let done: Option<Vec<Done>> = terms.names.iter().map(by).collect();
            let Some(done) = done else { return true };
            let latest = done.iter().map(|done| done.due).max().expect("a child has a parent");
            let causes = done.iter().map(|done| done.run).collect();
            owed.push(Owed { due: latest, causes, is_given_up: false });
            false
        });
        owed
    }
}

fn is_any(rule: TriggerRule) -> bool {
    match rule {
        TriggerRule::AnySucceeded | TriggerRule::AnyFailed => true,
        TriggerRule::AllSucceeded | TriggerRule::AllDone => false,
    }
}

/// At the end.
pub(crate) fn violations(evidence: &Evidence<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let Chains { owed, skipped, .. } = &evidence.record.chains;
    for life in evidence.record.in_force.keys() {
        // Rounds that are finished in a pause wait for its end, and several may become one.
        if evidence.record.intervened.contains(life) {
            continue;
        }
        let mut left: Vec<&Owed> = owed.get(life).into_iter().flatten().collect();
        for run in evidence.runs_of(*life) {
            let Trigger::Parents { due_at, .. } = run.trigger else {
                let is_retry = matches!(run.trigger, Trigger::Retry { .. });
                if !run.causes.is_empty() && !is_retry {
                    found.push(format!("I6: run {} has causes, and no parents", run.id));
                }
                continue;
            };
            let is_it =
                |owed: &&Owed| !owed.is_given_up && owed.due == due_at && owed.causes == run.causes;
            match left.iter().position(is_it) {
                Some(index) => drop(left.remove(index)),
                None => found.push(format!("I6: no round of parents triggered {run:?}")),
            }
        }
        let skipped = skipped.get(life).copied().unwrap_or(0);
        if u64::try_from(left.len()) != Ok(skipped) {
            let left: Vec<&&Owed> = left.iter().take(5).collect();
            found.push(format!(
                "I6: {skipped} rounds of {life} were skipped, and there are no runs of {left:?}"
            ));
        }
    }
    found
}
