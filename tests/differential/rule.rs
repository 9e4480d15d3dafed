//! Our contract as sets of instants, and what every rival needs to be judged.
//!
//! Each wall time that an expression names stands for instants: those at which the clock shows it, or the end of the
//! gap that left it out. The answer is the union of these, in order. `Schedule` goes another way to the same.

use std::collections::BTreeSet;

use super::calendar::Calendar;
use super::clock::{Change, Clock};
use super::expression::Expression;
use super::question::{Question, Zone};

/// How many occurrences are asked for.
pub(crate) const TAKE: usize = 4;
/// Changes of clock up to here are made up for.
pub(crate) const MADE_UP: i64 = 3 * 3_600;
const DAY: i64 = 86_400;

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The expression is not read.
    Refused,
    /// The next occurrences; fewer than were asked for if there are no more.
    Due(Vec<i64>),
    /// It gave up with an error of its own.
    Failed,
    /// It did not come to an end.
    Stuck,
}

/// A question with what it needs to be answered.
pub(crate) struct Case<'q> {
    pub(crate) question: &'q Question,
    pub(crate) zone: &'q Zone,
}

impl Case<'_> {
    pub(crate) fn expression(&self) -> &Expression {
        &self.question.expression
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.zone.clock
    }
}

/// What a kind of rule makes of a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job<'c> {
    pub(crate) calendar: &'c Calendar,
    pub(crate) clock: &'c Clock,
    pub(crate) is_wildcard: bool,
}

impl PartialEq for Clock {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Clock {}

impl Job<'_> {
    /// The next occurrences after an instant, by our contract.
    pub(crate) fn contract(&self, after: i64) -> Vec<i64> {
        // What a clock that was put forward or back shows next, it may have shown before.
        let margin = |at: i64| {
            let near = self.clock.changes(at - 2 * DAY..at + 2 * DAY);
            near.iter().map(|change| change.shift().abs()).max().unwrap_or(0)
        };
        let mut due = BTreeSet::new();
        let mut wall = self.clock.wall(after) - margin(after);
        while let Some(named) = self.calendar.next(wall) {
            let enough = due.iter().nth(TAKE - 1).copied();
            if enough.is_some_and(|last| named > self.clock.wall(last) + margin(last)) {
                break;
            }
            due.extend(self.instants(named).into_iter().filter(|at| *at > after));
            wall = named + 1;
        }
        due.into_iter().take(TAKE).collect()
    }

    /// When it runs for a wall time that it names.
    fn instants(&self, wall: i64) -> Vec<i64> {
        let mut passings = self.clock.passings(wall);
        match passings[..] {
            [] => {
                let is_made_up = |shift: i64| !self.is_wildcard && shift < MADE_UP;
                let gap = self.clock.gap(wall).filter(|gap| is_made_up(gap.shift()));
                gap.map(|gap| gap.at).into_iter().collect()
            }
            [first, second, ..] => {
                let back =
                    self.clock.changes(first..second + 1).iter().map(|change| change.shift());
                if !self.is_wildcard && back.min().is_some_and(|shift| shift >= -MADE_UP) {
                    passings.truncate(1);
                }
                passings
            }
            [_] => passings,
        }
    }
}

/// The change of clock nearest to where two answers begin to differ.
pub(crate) fn change<'c>(clock: &'c Clock, one: &[i64], other: &[i64]) -> Option<&'c Change> {
    let index = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let at = one.get(index).into_iter().chain(other.get(index)).min()?;
    let changes = clock.changes(at - 2 * DAY..at + 2 * DAY);
    changes.iter().min_by_key(|change| (change.at - at).abs())
}

/// A rival: who it is, what it is known to do otherwise, and what that should make it answer.
pub(crate) trait Rival {
    fn name(&self) -> &'static str;

    /// What it reads otherwise. Each is a bit of what [`Self::predict`] is given.
    fn readings(&self) -> &'static [&'static str];

    /// What it does otherwise where clocks change.
    fn clock_rules(&self) -> &'static [&'static str];

    /// What it should answer, if of its differences it had only these.
    fn predict(&self, case: &Case<'_>, readings: u32, has_clock_rule: bool) -> Answer;

    /// Which of its clock rules shows, given what it answers and what it would answer with ours.
    fn clock_rule(&self, case: &Case<'_>, with: &Answer, without: &Answer) -> Option<&'static str>;

    /// The end of what it can be compared over.
    fn horizon(&self) -> i64 {
        i64::MAX
    }
}

/// The names of what makes `theirs` differ, or none if that is not known.
///
/// All that is known of the rival must predict its answer exactly. Named is what decides it: without which the
/// prediction would be another.
pub(crate) fn explain(rival: &dyn Rival, case: &Case<'_>, theirs: &Answer) -> Vec<&'static str> {
    let names = rival.readings();
    let all = (1_u32 << names.len()) - 1;
    let predict = |readings, has_clock_rule| {
        cut(rival.predict(case, readings, has_clock_rule), rival.horizon())
    };
    if predict(all, true) != *theirs {
        return Vec::new();
    }
    let bit = |index: &usize| 1_u32 << index;
    let name = |index: usize| names[index];
    let mut found: Vec<_> = (0..names.len())
        .filter(|index| predict(all & !bit(index), true) != *theirs)
        .map(name)
        .collect();
    let without = predict(all, false);
    if without != *theirs {
        found.extend(rival.clock_rule(case, theirs, &without));
    }
    if found.is_empty() {
        // Two of them do the same here.
        found = (0..names.len())
            .filter(|index| predict(bit(index), false) == *theirs)
            .map(name)
            .collect();
    }
    found
}

/// An answer up to an instant.
pub(crate) fn cut(answer: Answer, end: i64) -> Answer {
    match answer {
        Answer::Due(due) => Answer::Due(due.into_iter().filter(|at| *at < end).collect()),
        Answer::Refused | Answer::Failed | Answer::Stuck => answer,
    }
}
