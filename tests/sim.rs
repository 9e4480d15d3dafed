//! Simulations: a seed decides jobs, requests, run times and every fault; the invariants say whether all went well.
//!
//! The engine, the synchronous half of the driver and the store in memory are the production code's. Clocks, clients,
//! the launcher and the asynchronous half of the driver are simulated in one thread, so a seed always plays the same.
//! The launcher keeps what is true, and the invariants are judged by that and by what was committed and answered.
//!
//! A failing seed prints the line that plays it again, with everything that happened:
//! `CHRONODE_SIM_SEED=17 cargo test --test sim`. `CHRONODE_SIM_FIRST` and `CHRONODE_SIM_SEEDS` choose other seeds than
//! the fixed ones, and `CHRONODE_SIM_MINUTES` plays fresh ones for so long.

#[path = "sim/house.rs"]
mod house;
#[path = "sim/i1_no_lost_occurrence.rs"]
mod i1_no_lost_occurrence;
#[path = "sim/i2_no_double_launch.rs"]
mod i2_no_double_launch;
#[path = "sim/i3_in_time.rs"]
mod i3_in_time;
#[path = "sim/i4_acknowledged_is_durable.rs"]
mod i4_acknowledged_is_durable;
#[path = "sim/i5_no_lost_status.rs"]
mod i5_no_lost_status;
#[path = "sim/keeper.rs"]
mod keeper;
#[path = "sim/plan.rs"]
mod plan;
#[path = "sim/record.rs"]
mod record;
#[path = "sim/rng.rs"]
mod rng;
#[path = "sim/rule.rs"]
mod rule;
#[path = "sim/world.rs"]
mod world;

use std::io::Write as _;

use chronode::clock;
use chronode::model::Duration;

/// The seeds that every run of the tests plays.
const FIXED_SEEDS: u64 = 300;
/// Seeds that nobody has played before, which every run adds.
const FRESH_SEEDS: u64 = 20;

/// A number from the environment, which chooses what is played.
fn chosen(name: &str) -> Option<u64> {
    std::env::vars().find(|(key, _)| key == name).and_then(|(_, value)| value.parse().ok())
}

/// A seed from the clock.
fn fresh() -> u64 {
    u64::try_from(clock::wall().as_microsecond()).expect("after 1970")
}

#[test]
fn nothing_is_lost_doubled_early_or_untrue_whatever_fails() {
    if let Some(seed) = chosen("CHRONODE_SIM_SEED") {
        return play_again(seed);
    }
    let mut tally = Tally::default();
    let first = chosen("CHRONODE_SIM_FIRST").unwrap_or(1);
    let count = chosen("CHRONODE_SIM_SEEDS").unwrap_or(FIXED_SEEDS);
    for seed in first..first.saturating_add(count) {
        tally.play(seed);
    }
    tally.judge(&format!("{count} seeds from {first}"));
}

#[test]
fn nothing_is_lost_doubled_early_or_untrue_with_fresh_seeds() {
    let mut tally = Tally::default();
    let first = fresh();
    let minutes = chosen("CHRONODE_SIM_MINUTES").unwrap_or(0);
    let until = clock::boot().saturating_add(Duration::from_mins(minutes.cast_signed()));
    let mut count = 0;
    while count < FRESH_SEEDS || clock::boot() < until {
        tally.play(first + count);
        count += 1;
    }
    tally.judge(&format!("{count} fresh seeds from {first}"));
}

/// What many simulations came to.
#[derive(Default)]
struct Tally {
    failed: Vec<String>,
    seeds: usize,
    started: usize,
    simulated: i64,
}

impl Tally {
    fn play(&mut self, seed: u64) {
        let result = world::simulate(seed, false);
        self.seeds += 1;
        self.started += result.started;
        self.simulated += result.simulated / plan::MINUTE;
        if let Some(violation) = result.violations.first() {
            let again = format!("CHRONODE_SIM_SEED={seed} cargo test --test sim");
            self.failed.push(format!("{violation}\n    {again}"));
        }
    }

    fn judge(self, which: &str) {
        let Self { failed, seeds, started, simulated } = self;
        assert!(failed.is_empty(), "{} of {which} failed:\n{}", failed.len(), failed.join("\n"));
        // Nothing at all would satisfy every invariant.
        assert!(seeds < 20 || started > seeds * 10, "{which}: only {started} tasks started");
        say(&format!("{which}: {started} tasks in {} simulated hours", simulated / 60));
    }
}

/// Plays one seed and says everything that happened, if it fails.
fn play_again(seed: u64) {
    let result = world::simulate(seed, true);
    if result.violations.is_empty() {
        return say(&format!("seed {seed} is well"));
    }
    for line in &result.trace {
        say(line);
    }
    panic!("seed {seed}:\n{}", result.violations.join("\n"));
}

/// Says it also when the test passes and its output is kept back.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("standard error takes a line");
}

#[test]
fn a_seed_always_plays_the_same() {
    for seed in 1..4 {
        let (first, second) = (world::simulate(seed, true), world::simulate(seed, true));
        assert_eq!(first.trace, second.trace);
    }
}
