//! What a job says beside its schedule, and what previews and descriptions say of all of it.

mod changes;
mod filter;
mod jitter;
mod preview;

use std::fmt::Write as _;

use expect_test::Expect;

use crate::model::{
    Calendar, CalendarUse, DstPolicy, FoldPolicy, GapPolicy, Period, ScheduleTerms, Timestamp,
};
use crate::schedule::{Schedule, ScheduleError, ZoneDb, parse_period};

fn at(text: &str) -> Timestamp {
    text.parse().expect("tests write valid instants")
}

fn of(terms: &ScheduleTerms) -> Result<Schedule, ScheduleError> {
    Schedule::of("nightly-report", terms, at("2026-02-10T10:20:30.5Z"), &ZoneDb::bundled())
}

fn good(terms: &ScheduleTerms) -> Schedule {
    of(terms).unwrap_or_else(|error| panic!("{terms:?}: {error}"))
}

fn plain(text: &str, zone: &str) -> ScheduleTerms {
    ScheduleTerms::plain(text, zone)
}

fn occurrences(schedule: &Schedule, after: &str) -> impl Iterator<Item = Timestamp> {
    std::iter::successors(schedule.next_after(at(after)), |last| schedule.next_after(*last))
}

fn local(schedule: &Schedule, due: Timestamp) -> String {
    let text = schedule.zone().print(due);
    let day = jiff::fmt::strtime::format("%a", &due.to_zoned(schedule.zone().rules().clone()));
    format!("{} {text}", day.expect("a weekday"))
}

/// The next occurrences of each, on the wall clock.
fn check(after: &str, count: usize, terms: &[ScheduleTerms], expected: &Expect) {
    let mut table = String::new();
    for terms in terms {
        let schedule = good(terms);
        writeln!(table, "{} {}", terms.text, policy(terms.dst)).expect("a text takes a line");
        for due in occurrences(&schedule, after).take(count) {
            writeln!(table, "    {}", local(&schedule, due)).expect("a text takes a line");
        }
    }
    expected.assert_eq(&table);
}

fn policy(DstPolicy { gap, fold }: DstPolicy) -> String {
    let words = [gap.map(GapPolicy::as_str), fold.map(FoldPolicy::as_str)];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn jittered(text: &str, jitter: &str) -> ScheduleTerms {
    let span = parse_period(jitter).expect("a period");
    ScheduleTerms { jitter: Some(Period { text: jitter.to_owned(), span }), ..plain(text, "") }
}

fn calendar(usage: CalendarUse, sets: [&[&str]; 3]) -> Calendar {
    let [dates, weekdays, windows] =
        sets.map(|texts| texts.iter().map(|text| (*text).to_owned()).collect());
    Calendar { name: "c".to_owned(), usage, dates, weekdays, windows }
}

fn kept(text: &str, zone: &str, calendars: Vec<Calendar>) -> ScheduleTerms {
    ScheduleTerms { calendars, ..plain(text, zone) }
}
