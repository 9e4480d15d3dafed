//! What was to run against what ran, by someone who never asks the scheduler: the schedules, and the lines that the
//! simulated commands logged themselves.
//!
//! A target is an interval in which a run of one occurrence must begin. "Each run, in the order in which they began,
//! takes the open free target that closes first" finds the largest possible matching, so every count here is the most
//! favourable that the lines allow: what it finds wrong cannot have been right. Whatever is not satisfied must be told by
//! the history, with a verdict that is true.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use chronode::model::{Incarnation, Run, RunId, RunState, Verdict};

use super::owed::owed;
use super::plan::SECOND;
use super::record::Evidence;

/// From the decision to launch, which the window bounds, to the first line of the command: a slow commit and the way.
const GRACE: i64 = 21 * SECOND;

/// An interval in which a run must begin, both ends included. Microseconds since 1970; what it is due in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Target {
    due: i64,
    opens: i64,
    closes: i64,
    /// Whether anybody surely owed it. It may be matched in any case.
    is_required: bool,
}

/// What one occurrence brought about: the first of its attempts, and whether one of them came to its last line.
#[derive(Debug, Clone, Copy)]
struct Execution {
    due: i64,
    began: i64,
    is_complete: bool,
    /// Whether its first attempt came to no line at all, or late through no fault of the house, so that no window bounds
    /// the first that did.
    is_retried: bool,
}

/// What came of the targets of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) targets: usize,
    /// Targets with a complete execution each.
    pub(crate) satisfied: usize,
    pub(crate) unsatisfied: usize,
    /// Those of the unsatisfied that have an execution that did not come to its end.
    pub(crate) only_incomplete: usize,
    pub(crate) incomplete: usize,
    /// Executions in the window of a target that has another already.
    pub(crate) duplicates: usize,
    /// Executions in no window at all: early, late, or of a job that was not to run.
    pub(crate) stray: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let Self {
            targets,
            satisfied,
            unsatisfied,
            only_incomplete,
            incomplete,
            duplicates,
            stray,
        } = other;
        self.targets += targets;
        self.satisfied += satisfied;
        self.unsatisfied += unsatisfied;
        self.only_incomplete += only_incomplete;
        self.incomplete += incomplete;
        self.duplicates += duplicates;
        self.stray += stray;
    }
}

/// Which execution has which target, at best: for each execution whether it has one.
fn matching(
    targets: impl Iterator<Item = Target>,
    executions: impl Iterator<Item = Execution>,
) -> Vec<(Execution, bool)> {
    let mut targets: Vec<Target> = targets.collect();
    targets.sort_by_key(|target| (target.opens, target.closes));
    let mut executions: Vec<Execution> = executions.collect();
    executions.sort_by_key(|execution| execution.began);
    let mut to_open = targets.into_iter().enumerate().peekable();
    let mut open = BTreeSet::new();
    let mut matched = Vec::new();
    for execution in executions {
        let began = execution.began;
        while let Some((index, target)) = to_open.next_if(|(_, target)| target.opens <= began) {
            open.insert((target.closes, index));
        }
        open = open.split_off(&(began, 0));
        matched.push((execution, open.pop_first().is_some()));
    }
    matched
}

fn judge(targets: &[Target], executions: &[Execution]) -> Counts {
    let required = || targets.iter().copied().filter(|target| target.is_required);
    let complete = executions.iter().copied().filter(|execution| execution.is_complete);
    let is_matched = |(_, is_matched): &(Execution, bool)| *is_matched;
    let satisfied = matching(required(), complete).iter().filter(|m| is_matched(m)).count();
    let begun = matching(required(), executions.iter().copied());
    let begun = begun.iter().filter(|m| is_matched(m)).count();
    let all = matching(targets.iter().copied(), executions.iter().copied());
    let is_in_window = |execution: &Execution| {
        let began = execution.began;
        targets.iter().any(|target| target.opens <= began && began <= target.closes)
    };
    let extra = || all.iter().filter(|m| !is_matched(m)).map(|(execution, _)| execution);
    let duplicates = extra().filter(|execution| is_in_window(execution)).count();
    let count = required().count();
    Counts {
        targets: count,
        satisfied,
        unsatisfied: count - satisfied,
        only_incomplete: begun - satisfied,
        incomplete: executions.iter().filter(|execution| !execution.is_complete).count(),
        duplicates,
        stray: extra().count() - duplicates,
    }
}

/// Judges every life of every job at the end.
pub(crate) fn judge_all(evidence: &Evidence<'_>) -> (Counts, Vec<String>) {
    let mut sum = Counts::default();
    let mut found = Vec::new();
    let mut logged = executions(evidence);
    for life in evidence.record.in_force.keys() {
        let executions = logged.remove(life).unwrap_or_default();
        let mut targets = targets(evidence, *life);
        for execution in executions.iter().filter(|execution| execution.is_retried) {
            // It says itself what it is due, and is believed.
            for target in targets.iter_mut().filter(|target| target.due == execution.due) {
                target.closes = target.closes.max(execution.began);
            }
        }
        let counts = judge(&targets, &executions);
        sum += counts;
        if counts.duplicates > 0 || counts.stray > 0 {
            let all = matching(targets.iter().copied(), executions.iter().copied());
            let extra: Vec<Execution> =
                all.into_iter().filter(|m| !m.1).map(|(execution, _)| execution).collect();
            found.push(format!("oracle: {life} ran without need: {extra:?} of {counts:?}"));
        }
        found.extend(untold(evidence, *life, &targets, &executions));
    }
    found.extend(logged.keys().map(|life| format!("oracle: {life} ran, and was never there")));
    (sum, found)
}

/// What one command logged. In order by attempt: where somebody sets the clock, it may show less at a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    attempt: u32,
    began: i64,
    is_complete: bool,
    /// Whether its launch arrived when nobody could hear of it any more.
    is_late: bool,
}

/// The lines of the commands, by the life that they name. Those that somebody asked for by hand are no occurrence's.
fn executions(evidence: &Evidence<'_>) -> BTreeMap<Incarnation, Vec<Execution>> {
    let mut lines: BTreeMap<(Incarnation, i64), Vec<Line>> = BTreeMap::new();
    for (_, truth) in &evidence.truth {
        let told = &truth.told;
        let run = RunId::parse(&told.run).expect("a command is told the name of its run");
        if !told.run.contains("-s") {
            continue;
        }
        for start in &truth.starts {
            let line = Line {
                attempt: told.attempt,
                began: start.as_microsecond(),
                is_complete: truth.logged_end(),
                is_late: truth.is_late,
            };
            lines.entry((run.incarnation, told.due.as_millisecond())).or_default().push(line);
        }
    }
    let mut found: BTreeMap<Incarnation, Vec<Execution>> = BTreeMap::new();
    for ((life, due), mut lines) in lines {
        lines.sort_unstable();
        let executions = found.entry(life).or_default();
        let mut last_attempt = None;
        for Line { attempt, began, is_complete, is_late } in lines {
            // One that comes again belongs to another execution.
            match executions.last_mut() {
                Some(execution) if last_attempt.is_some_and(|last| last < attempt) => {
                    execution.is_complete |= is_complete;
                }
                Some(_) | None => {
                    let is_retried = attempt > 0 || is_late;
                    executions.push(Execution { due, began, is_complete, is_retried });
                }
            }
            last_attempt = Some(attempt);
        }
    }
    found
}

/// What one life of a job was to run. A job that queues or catches up may begin late without end, and where somebody
/// sets the clock, what it showed at a start says nothing.
fn targets(evidence: &Evidence<'_>, life: Incarnation) -> Vec<Target> {
    let record = evidence.record;
    let longest = record.spec_of(life).map(|spec| spec.epsilon).max().unwrap_or(0);
    let is_late_for_ever = record.spec_of(life).any(|spec| spec.waits() || spec.catches_up());
    let owed = owed(record, evidence.ends_at, life);
    let required = owed.surely.iter().map(|(due, owed)| (*due, owed, true));
    let perhaps = owed.perhaps.iter().map(|(due, owed)| (*due, owed, false));
    required
        .chain(perhaps)
        .map(|(due, owed, is_required)| {
            let closes = owed.opens_by * 1_000 + 999 + longest;
            Target {
                due,
                opens: if evidence.has_clock_steps { i64::MIN } else { due * 1_000 },
                closes: if is_late_for_ever || evidence.has_clock_steps {
                    i64::MAX
                } else {
                    evidence.after_sleeping(closes + GRACE)
                },
                is_required,
            }
        })
        .collect()
}

/// The targets that nothing satisfied and of which the history says nothing, or something else; and how many there are
/// at least, whichever run is taken for which target's.
fn untold(
    evidence: &Evidence<'_>,
    life: Incarnation,
    targets: &[Target],
    executions: &[Execution],
) -> Vec<String> {
    let mut found = Vec::new();
    let told = Told::new(evidence, life);
    let complete = executions.iter().filter(|execution| execution.is_complete);
    let complete: BTreeSet<i64> = complete.map(|execution| execution.due).collect();
    for target in targets.iter().filter(|target| target.is_required) {
        let is_settled = target.due <= evidence.settled_through.as_millisecond();
        if complete.contains(&target.due) || !is_settled {
            continue;
        }
        let due = target.due;
        match told.verdict(due) {
            Some(Told::GOES_ON) => {}
            Some(Some(Verdict::Succeeded)) if !told.is_marked(evidence, due) => {
                found.push(format!("oracle: {life} due {due} succeeded, and did not run"));
            }
            Some(Some(_)) => {}
            None => {
                found.push(format!("oracle: {life} due {due} did not run, and nothing says so"))
            }
        }
    }
    found
}

/// What the history says of the occurrences of one life of a job.
struct Told<'a> {
    runs: BTreeMap<i64, &'a Run>,
    stretches: Vec<(i64, i64, Verdict)>,
}

impl<'a> Told<'a> {
    /// A run that is not over. I1 says whether it should be.
    const GOES_ON: Option<Verdict> = None;

    fn new(evidence: &'a Evidence<'_>, life: Incarnation) -> Self {
        let scheduled = evidence.runs_of(life).filter(|run| run.id.to_string().contains("-s"));
        let runs = scheduled.map(|run| (run.trigger.due_at().as_millisecond(), run)).collect();
        let stretches = evidence.stretches_of(life).map(|stretch| {
            let (first, last) = (stretch.first_due_at, stretch.last_due_at);
            (first.as_millisecond(), last.as_millisecond(), stretch.verdict)
        });
        Self { runs, stretches: stretches.collect() }
    }

    fn is_marked(&self, evidence: &Evidence<'_>, due: i64) -> bool {
        self.runs.get(&due).is_some_and(|run| evidence.record.is_marked(run))
    }

    fn verdict(&self, due: i64) -> Option<Option<Verdict>> {
        if let Some(run) = self.runs.get(&due) {
            return Some(match &run.state {
                RunState::Ended { verdict, .. } => Some(*verdict),
                RunState::Queued
                | RunState::Pending { .. }
                | RunState::Active
                | RunState::Waiting { .. }
                | RunState::Reporting { .. } => Self::GOES_ON,
            });
        }
        let mut around =
            self.stretches.iter().filter(|(first, last, _)| (*first..=*last).contains(&due));
        around.next().map(|(_, _, verdict)| Some(*verdict))
    }
}

#[cfg(test)]
mod tests {
    use super::super::rng::Rng;
    use super::*;

    const fn execution(due: i64, began: i64) -> Execution {
        Execution { due, began, is_complete: true, is_retried: false }
    }

    /// Targets that overlap more or less, and a complete execution of each.
    fn history(rng: &mut Rng) -> (Vec<Target>, Vec<Execution>) {
        let period = 60 * SECOND;
        let epsilon = rng.between(0, 200) * SECOND;
        (0..rng.between(2, 12))
            .map(|k| {
                let opens = k * period;
                let target = Target {
                    due: opens / 1_000,
                    opens,
                    closes: opens + epsilon,
                    is_required: true,
                };
                let began = opens + rng.between(0, epsilon);
                (target, execution(target.due, began))
            })
            .unzip()
    }

    /// As many as there can be, found by trying every way to make room.
    fn largest(targets: &[Target], executions: &[Execution]) -> usize {
        fn finds_room(
            at: usize,
            targets: &[Target],
            executions: &[Execution],
            taken: &mut [Option<usize>],
            seen: &mut [bool],
        ) -> bool {
            let began = executions[at].began;
            (0..targets.len()).any(|index| {
                let target = targets[index];
                if seen[index] || began < target.opens || target.closes < began {
                    return false;
                }
                seen[index] = true;
                let is_free = taken[index]
                    .is_none_or(|other| finds_room(other, targets, executions, taken, seen));
                if is_free {
                    taken[index] = Some(at);
                }
                is_free
            })
        }
        let mut taken = vec![None; targets.len()];
        (0..executions.len())
            .filter(|at| {
                finds_room(*at, targets, executions, &mut taken, &mut vec![false; targets.len()])
            })
            .count()
    }

    fn index(rng: &mut Rng, of: usize) -> usize {
        usize::try_from(rng.between(0, i64::try_from(of).expect("few") - 1)).expect("not negative")
    }

    #[test]
    fn a_history_without_mistakes_satisfies_every_target() {
        for seed in 0..200 {
            let (targets, executions) = history(&mut Rng::new(seed));
            let count = targets.len();
            let expected = Counts { targets: count, satisfied: count, ..Counts::default() };
            assert_eq!(judge(&targets, &executions), expected);
        }
    }

    #[test]
    fn every_mistake_in_a_history_is_counted() {
        for seed in 0..200 {
            let mut rng = Rng::new(seed);
            let (targets, sound) = history(&mut rng);
            let at = index(&mut rng, sound.len());
            let count = targets.len();
            let good = Counts { targets: count, satisfied: count, ..Counts::default() };
            let one_less = Counts { satisfied: count - 1, unsatisfied: 1, ..good };

            let mut dropped = sound.clone();
            dropped.remove(at);
            assert_eq!(judge(&targets, &dropped), one_less, "dropped");

            let mut doubled = sound.clone();
            doubled.push(sound[at]);
            assert_eq!(judge(&targets, &doubled), Counts { duplicates: 1, ..good }, "doubled");

            let mut late = sound.clone();
            late[at].began = targets[count - 1].closes + 1;
            assert_eq!(judge(&targets, &late), Counts { stray: 1, ..one_less }, "late");

            let mut early = sound.clone();
            early[at].began = targets[0].opens - 1;
            assert_eq!(judge(&targets, &early), Counts { stray: 1, ..one_less }, "early");

            let mut torn = sound;
            torn[at].is_complete = false;
            let expected = Counts { only_incomplete: 1, incomplete: 1, ..one_less };
            assert_eq!(judge(&targets, &torn), expected, "torn");
        }
    }

    #[test]
    fn no_other_matching_is_larger() {
        for seed in 0..2_000 {
            let mut rng = Rng::new(seed);
            let targets: Vec<Target> = (0..rng.between(0, 7))
                .map(|_| {
                    let opens = rng.between(0, 20);
                    Target { due: 0, opens, closes: opens + rng.between(0, 8), is_required: true }
                })
                .collect();
            let executions: Vec<Execution> =
                (0..rng.between(0, 7)).map(|_| execution(0, rng.between(0, 25))).collect();
            let counts = judge(&targets, &executions);
            assert_eq!(counts.satisfied, largest(&targets, &executions), "seed {seed}");
            let rest = executions.len() - counts.satisfied;
            assert_eq!(counts.duplicates + counts.stray, rest, "seed {seed}");
        }
    }
}
