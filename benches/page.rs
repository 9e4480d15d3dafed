//! How fast the page is in Chromium with many jobs and a long history.
//!
//! Run with `tests/long page`, which builds what it needs; `CHRONODE_BENCH_JOBS` and `CHRONODE_BENCH_RUNS` change how many
//! there are. Writes a database as the program does, with a history that ends now and a day of starts that begins in two
//! hours, starts the program on it, and has `tests/web/speed.js` look.

mod house;

use std::process::Command;

use house::{House, Program, number};

/// Two hours: nothing starts while it is looked at.
const QUIET: i64 = 7_200;

fn main() {
    let jobs = number("CHRONODE_BENCH_JOBS", 100_000);
    let runs = number("CHRONODE_BENCH_RUNS", 1_000_000);
    let now = seconds();
    let begun = now - i64::try_from(runs).expect("few") - 10;
    #[expect(clippy::cast_precision_loss, reason = "seconds of a day")]
    let apart = 86_400.0 / jobs as f64;
    let directory = tempfile::tempdir().expect("a directory");
    House { jobs, runs, begun, due: now + QUIET, apart }.fill(directory.path());
    let program = Program::start(
        directory.path(),
        &["--history_total", "100000000", "--history_per_job", "1000000"],
    );
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/web/speed.js");
    let status = Command::new("node").arg(script).arg(&program.url).status().expect("node");
    assert!(status.success(), "the page was looked at");
}

#[expect(clippy::disallowed_methods, reason = "what is written ends now")]
fn seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.expect("after 1970").as_secs()).expect("before the year 292277026596")
}
