//! How long finding the next occurrence takes: typical schedules, beside crate `cron` where it can read them.
//!
//! Run with `cargo bench --bench next_occurrence`.

use std::hint::black_box;

use chronode::model::Timestamp;
use chronode::schedule::{Schedule, ZoneDb};
use criterion::{Criterion, criterion_group, criterion_main};

/// A name, our text, and the text of crate `cron` for the same.
const SCHEDULES: [(&str, &str, Option<&str>); 8] = [
    ("every second since 1970", "R/1970-01-01T00:00:00Z/PT1S", None),
    ("every day since 1970", "R/1970-01-01T02:30:00/P1D", None),
    ("month ends since 1970", "R/1970-01-31T02:30:00/P1M", None),
    ("every minute", "* * * * *", Some("0 * * * * *")),
    ("half past two", "30 2 * * *", Some("0 30 2 * * *")),
    ("office hours", "*/15 9-17 * * MON-FRI", Some("0 */15 9-17 * * MON-FRI")),
    ("first of the month", "0 0 1 * *", Some("0 0 0 1 * *")),
    ("leap day", "0 0 29 2 *", Some("0 0 0 29 2 *")),
];

fn next_occurrence(criterion: &mut Criterion) {
    let zones = ZoneDb::bundled();
    let after: Timestamp = "2026-11-21T12:34:56Z".parse().expect("a valid instant");
    let after_there = chrono::DateTime::from_timestamp_millis(after.as_millisecond())
        .expect("a valid instant")
        .with_timezone(&chrono_tz::Europe::Berlin);
    for (name, text, theirs) in SCHEDULES {
        let mut group = criterion.benchmark_group(name);
        let schedule = Schedule::parse(text, "Europe/Berlin", after, &zones).expect("a valid one");
        group.bench_function("chronode", |bencher| {
            bencher.iter(|| schedule.next_after(black_box(after)));
        });
        if let Some(text) = theirs {
            let schedule: cron::Schedule = text.parse().expect("a valid one");
            group.bench_function("cron", |bencher| {
                bencher.iter(|| schedule.after(black_box(&after_there)).next());
            });
        }
        group.finish();
    }
}

fn parse(criterion: &mut Criterion) {
    let zones = ZoneDb::bundled();
    let mut group = criterion.benchmark_group("parse");
    for text in ["R5/2026-03-01T13:00:00Z/P1D", "*/15 9-17 * * MON-FRI"] {
        group.bench_function(text, |bencher| {
            bencher.iter(|| {
                Schedule::parse(black_box(text), "Europe/Berlin", Timestamp::UNIX_EPOCH, &zones)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, next_occurrence, parse);
criterion_main!(benches);
