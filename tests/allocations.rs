//! Asking a schedule takes no memory from the heap, however often it is asked: the loop decides thousands of
//! occurrences in one step.

use allocation_counter::{AllocationInfo, measure};
use chronode::model::{
    Calendar, CalendarUse, DstPolicy, FoldPolicy, GapPolicy, Period, ScheduleTerms, Timestamp,
};
use chronode::schedule::{Schedule, ZoneDb, parse_period};

/// Occurrences asked for of each schedule.
const STEPS: u64 = 500;
const FROM: &str = "2026-02-10T10:20:30.5Z";

fn at(text: &str) -> Timestamp {
    text.parse().expect("tests write valid instants")
}

fn plain(text: &str, zone: &str) -> ScheduleTerms {
    ScheduleTerms::plain(text, zone)
}

fn jittered(text: &str, zone: &str, jitter: &str) -> ScheduleTerms {
    let span = parse_period(jitter).expect("a period");
    ScheduleTerms { jitter: Some(Period { text: jitter.to_owned(), span }), ..plain(text, zone) }
}

fn calendar(usage: CalendarUse, dates: &[&str], weekdays: &[&str], windows: &[&str]) -> Calendar {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let (dates, weekdays, windows) = (texts(dates), texts(weekdays), texts(windows));
    Calendar { name: "test".to_owned(), usage, dates, weekdays, windows }
}

/// Both kinds, zones that change their clocks, jitter, bounds and calendars.
fn typical() -> Vec<ScheduleTerms> {
    let holidays = calendar(CalendarUse::NeverIn, &["12-24/12-26", "2026-05-01"], &[], &[]);
    let office = calendar(CalendarUse::OnlyIn, &[], &["MON-FRI"], &["22:00/06:00"]);
    let freeze = calendar(CalendarUse::NeverIn, &[], &[], &["2026-12-24T18:00/2027-01-02T06:00"]);
    let skip = DstPolicy { gap: Some(GapPolicy::Skip), fold: Some(FoldPolicy::Last) };
    vec![
        plain("* * * * *", ""),
        plain("*/15 9-17 * * MON-FRI", "Europe/Berlin"),
        plain("0 22 L-3,15W * 5#2", "America/New_York"),
        plain("R/1970-01-01T00:00:00Z/PT1S", ""),
        plain("R/1970-01-31T02:30:00/P1M", "Europe/Berlin"),
        plain("R999999/2026-01-01T02:30:00/P1DT1H", "Australia/Lord_Howe"),
        ScheduleTerms { dst: skip, ..plain("R/2026-01-01T02:30:00/P1D", "Europe/Berlin") },
        jittered("H H(1-4) * * *", "Pacific/Apia", "PT6H"),
        ScheduleTerms {
            calendars: vec![holidays, office, freeze],
            ..jittered("*/10 * * * *", "Europe/Berlin", "PT5M")
        },
        ScheduleTerms {
            not_before: "2026-03-01".to_owned(),
            not_after: "2999-12-31T12:00".to_owned(),
            ..jittered("R/2026-01-01T00:00:00/PT90M", "America/Santiago", "PT1H")
        },
    ]
}

fn read(terms: &ScheduleTerms) -> Schedule {
    Schedule::of("nightly-report", terms, at(FROM), &ZoneDb::bundled())
        .unwrap_or_else(|error| panic!("{terms:?}: {error}"))
}

/// What the allocator was asked for while each of the typical schedules was asked.
fn check(question: &str, ask: impl Fn(&Schedule)) {
    for terms in typical() {
        let schedule = read(&terms);
        let taken = measure(|| ask(&schedule));
        assert_eq!(taken, AllocationInfo::default(), "{question} of {terms:?}");
    }
}

fn dues(schedule: &Schedule) -> impl Iterator<Item = Timestamp> {
    let next = |last: &Timestamp| schedule.next_after(*last);
    std::iter::successors(schedule.next_after(at(FROM)), next)
        .take(usize::try_from(STEPS).expect("few"))
}

#[test]
fn next_occurrence_takes_no_memory() {
    check("next_after", |schedule| assert!(dues(schedule).count() > 0));
}

#[test]
fn next_occurrence_after_the_table_of_a_zone_takes_no_memory() {
    // Beyond 2150 the rules of the zone are asked.
    check("next_after", |schedule| {
        assert!(schedule.next_after(at("2500-03-20T00:00:00Z")).is_some());
    });
}

#[test]
fn window_of_an_occurrence_takes_no_memory() {
    check("opens_at", |schedule| {
        for due in dues(schedule) {
            assert!(schedule.opens_at(due) >= due);
        }
    });
}

#[test]
fn counting_a_stretch_takes_no_memory() {
    check("stretch", |schedule| {
        let span = schedule.stretch(at(FROM), at("2027-02-10T00:00:00Z"), STEPS);
        assert!(span.is_some_and(|span| span.count > 0));
    });
}

#[test]
fn last_occurrence_of_a_stretch_takes_no_memory() {
    check("last_through", |schedule| {
        assert!(schedule.last_through(at(FROM), at("2027-02-10T00:00:00Z")).is_some());
    });
}

/// The counter counts: reading does take memory.
#[test]
fn reading_takes_memory() {
    let terms = plain("* * * * *", "");
    let zones = ZoneDb::bundled();
    let taken = measure(|| drop(Schedule::of("a", &terms, at(FROM), &zones)));
    assert!(taken.count_total > 0, "{taken:?}");
}
