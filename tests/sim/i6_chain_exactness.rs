//! I6: a child is triggered once for each round that its parents finish, by the runs that finished it: never not at all,
//! never twice.
//!
//! Which rounds those are is found from what was committed, in its order, alone: ends of runs, definitions, deletions,
//! pauses, and what a retry of all that followed is to borrow. Every end is heard at once by whoever is a child then, so
//! crashes, changes of leader and failed commits are nothing that is known here.

use std::collections::{BTreeMap, BTreeSet};

use chronode::engine::Below;
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
    /// Who is paused, apart from the others: what is finished meanwhile waits.
    paused: BTreeSet<Incarnation>,
    is_everything_paused: bool,
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
    through: Through,
}

/// What a parent's part of a round came of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Through {
    Itself,
    /// A retry of all that followed from a run.
    Retry,
    /// An earlier round, for the sake of such a retry.
    Loan,
}

/// A run that there must be, or a record that it was skipped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Owed {
    due: Timestamp,
    causes: Vec<RunId>,
    /// Whether a retry of all that followed from a run has brought it about.
    is_of_retry: bool,
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
        let member = Member { life, soft_error, terms, rounds };
        self.jobs.insert(name.clone(), member);
        self.finish(life);
    }

    /// A job is paused from now on, or goes on.
    pub(crate) fn paused(&mut self, life: Incarnation, is_paused: bool) {
        if is_paused {
            self.paused.insert(life);
        } else if self.paused.remove(&life) {
            self.finish(life);
        }
    }

    /// Everything is paused from now on, or goes on.
    pub(crate) fn everything_paused(&mut self, is_paused: bool) {
        self.is_everything_paused = is_paused;
        let lives: Vec<Incarnation> = self.jobs.values().map(|job| job.life).collect();
        for life in lives {
            self.finish(life);
        }
    }

    /// What followed from a run of `root` is to follow from another once more: with what these borrow, and without what
    /// any of those that are tried again has done by now.
    pub(crate) fn borrowed(&mut self, root: Incarnation, below: &[Below]) {
        let again: BTreeSet<Incarnation> =
            below.iter().map(|below| below.child).chain([root]).collect();
        let lives: BTreeMap<JobName, Incarnation> =
            self.jobs.iter().map(|(name, job)| (name.clone(), job.life)).collect();
        for Below { child, due_at, borrowed } in below {
            let Some(member) = self.jobs.values_mut().find(|job| job.life == *child) else {
                continue;
            };
            let Some(terms) = member.terms.clone() else { continue };
            let due = match terms.join {
                Join::Round => None,
                Join::Due => Some(*due_at),
            };
            if is_any(terms.rule) {
                member.rounds.retain(|round| round.due != due);
                continue;
            }
            let index = member.open(due);
            let done = &mut member.rounds[index].done;
            done.retain(|parent, _| !lives.get(parent).is_some_and(|life| again.contains(life)));
            for loan in borrowed {
                let is_lender = |parent: &&JobName| lives.get(*parent) == Some(&loan.parent);
                let Some(parent) = terms.names.iter().find(is_lender) else { continue };
                done.entry(parent.clone()).or_insert(Done {
                    run: loan.run,
                    due: loan.due_at,
                    counts: terms.rule == TriggerRule::AllDone || loan.successes > 0,
                    through: Through::Loan,
                });
            }
            if done.is_empty() {
                member.rounds.remove(index);
            }
            let owed = member.give_up();
            self.owe(*child, owed);
        }
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
            self.finish(life);
        }
    }

    /// Whatever is finished of a job is owed, unless it is paused.
    fn finish(&mut self, life: Incarnation) {
        let is_paused = self.is_everything_paused || self.paused.contains(&life);
        let member = self.jobs.values_mut().find(|job| job.life == life);
        let Some(member) = member.filter(|_| !is_paused) else { return };
        let owed = member.finish();
        self.owe(life, owed);
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
    /// The place of the round for that instant, of which nothing may have been heard yet.
    fn open(&mut self, due: Option<Timestamp>) -> usize {
        let index = self.rounds.iter().position(|round| round.due == due);
        index.unwrap_or_else(|| {
            self.rounds.push(Round { due, done: BTreeMap::new(), is_triggered: false });
            self.rounds.len() - 1
        })
    }

    /// The oldest round is waited for no longer, if there are too many.
    fn give_up(&mut self) -> Vec<Owed> {
        if self.rounds.len() <= ROUNDS_MAX {
            return Vec::new();
        }
        let oldest = self.rounds.remove(0);
        let is_any = self.terms.as_ref().is_some_and(|terms| is_any(terms.rule));
        let due = oldest.due.filter(|_| !oldest.is_triggered && !is_any);
        let owed =
            due.map(|due| Owed { due, causes: Vec::new(), is_of_retry: false, is_given_up: true });
        owed.into_iter().collect()
    }

    /// A parent's run has ended. What is waited for no longer because of that is owed.
    fn hear(&mut self, run: &Run, ending: Ending) -> Vec<Owed> {
        let Some(ParentTerms { rule, join, .. }) = self.terms else { return Vec::new() };
        let due_at = run.trigger.due_at();
        let index = self.open(match join {
            Join::Round => None,
            Join::Due => Some(due_at),
        });
        let done = &mut self.rounds[index].done;
        // What a retry borrowed counts as long as it goes well, and with nothing else.
        let goes_well = run.retries_down && ending == Ending::Well;
        done.retain(|parent, done| {
            done.through != Through::Loan || goes_well && *parent != run.job
        });
        let counts = match rule {
            TriggerRule::AllSucceeded | TriggerRule::AnySucceeded => ending == Ending::Well,
            TriggerRule::AllDone => true,
            TriggerRule::AnyFailed => ending == Ending::Badly,
        };
        let through = if run.retries_down { Through::Retry } else { Through::Itself };
        let new = Done { run: run.id, due: due_at, counts, through };
        let known = done.entry(run.job.clone()).or_insert(new);
        if counts || !known.counts {
            *known = new;
        }
        known.through = through;
        self.give_up()
    }

    /// Takes out the rounds of which the parents have done what is asked of them.
    fn finish(&mut self) -> Vec<Owed> {
        let Some(ParentTerms { names, rule, join }) = &self.terms else { return Vec::new() };
        let mut owed = Vec::new();
        self.rounds.retain_mut(|round| {
            let by = |name| round.done.get(name).filter(|done| done.counts).copied();
            let done: Vec<Done> = names.iter().filter_map(by).collect();
            let has = |through| round.done.values().any(|done| done.through == through);
            let is_finished = if is_any(*rule) {
                !done.is_empty() && !round.is_triggered
            } else {
                done.len() == names.len() && (has(Through::Retry) || !has(Through::Loan))
            };
            if let Some(latest) = done.iter().map(|done| done.due).max().filter(|_| is_finished) {
                owed.push(Owed {
                    due: round.due.unwrap_or(latest),
                    causes: done.iter().map(|done| done.run).collect(),
                    is_of_retry: done.iter().any(|done| done.through != Through::Itself),
                    is_given_up: false,
                });
                round.is_triggered = true;
            }
            match (is_any(*rule), join) {
                // When all have run for an instant, nothing more comes of it.
                (true, Join::Due) => round.done.len() < names.len(),
                (true, Join::Round) | (false, _) => !round.is_triggered,
            }
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
        let mut left: Vec<&Owed> = owed.get(life).into_iter().flatten().collect();
        for run in evidence.runs_of(*life) {
            let Trigger::Parents { due_at, .. } = run.trigger else {
                let is_retry = matches!(run.trigger, Trigger::Retry { .. });
                if !run.causes.is_empty() && !is_retry {
                    found.push(format!("I6: run {} has causes, and no parents", run.id));
                }
                continue;
            };
            let is_it = |owed: &&Owed| {
                !owed.is_given_up
                    && owed.due == due_at
                    && owed.causes == run.causes
                    && owed.is_of_retry == run.retries_down
            };
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
