//! Simulations: a seed decides jobs, requests, run times and every fault; the invariants say whether all went well.
//!
//! The engine, the synchronous half of the driver and the store in memory are the production code's. Clocks, clients,
//! the launcher and the asynchronous half of the driver are simulated in one thread, so a seed always plays the same.
//! The launcher keeps what is true, and the invariants are judged by that and by what was committed and answered.
//!
//! A failing seed prints the line that plays it again, with everything that happened:
//! `CHRONODE_SIM_SEED=17 cargo test --test sim`. `CHRONODE_SIM_FIRST` and `CHRONODE_SIM_SEEDS` choose other seeds than
//! the fixed ones, and `CHRONODE_SIM_MINUTES` plays fresh ones for so long.

#[path = "sim/backfills.rs"]
mod backfills;
#[path = "sim/backlog.rs"]
mod backlog;
#[path = "sim/civil.rs"]
mod civil;
#[path = "sim/client.rs"]
mod client;
#[path = "sim/commit.rs"]
mod commit;
#[path = "sim/courier.rs"]
mod courier;
#[path = "sim/disabling.rs"]
mod disabling;
#[path = "sim/dry_run.rs"]
mod dry_run;
#[path = "sim/family.rs"]
mod family;
#[path = "sim/figure.rs"]
mod figure;
#[path = "sim/further_attempts.rs"]
mod further_attempts;
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
#[path = "sim/i6_chain_exactness.rs"]
mod i6_chain_exactness;
#[path = "sim/i7_single_writer.rs"]
mod i7_single_writer;
#[path = "sim/i8_self_healing.rs"]
mod i8_self_healing;
#[path = "sim/i9_heard_of.rs"]
mod i9_heard_of;
#[path = "sim/keeper.rs"]
mod keeper;
#[path = "sim/launcher.rs"]
mod launcher;
#[path = "sim/operator.rs"]
mod operator;
#[path = "sim/oracle.rs"]
mod oracle;
#[path = "sim/overlap.rs"]
mod overlap;
#[path = "sim/owed.rs"]
mod owed;
#[path = "sim/pauses.rs"]
mod pauses;
#[path = "sim/plan.rs"]
mod plan;
#[path = "sim/played.rs"]
mod played;
#[path = "sim/record.rs"]
mod record;
#[path = "sim/rng.rs"]
mod rng;
#[path = "sim/room.rs"]
mod room;
#[path = "sim/rule.rs"]
mod rule;
#[path = "sim/spec.rs"]
mod spec;
#[path = "sim/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use chronode::clock;
use chronode::model::Duration;
use figure::Figures;
use oracle::Counts;
use played::Played;

/// The seeds that every run of the tests plays. Every fourth is weeks in which little happens.
const FIXED_SEEDS: u64 = 400;
/// Seeds that nobody has played before, which every run adds.
const FRESH_SEEDS: u64 = 40;
/// So many that fail are enough to know. The rest is not played.
const FAILURES_MAX: u64 = 10;

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
    let first = chosen("CHRONODE_SIM_FIRST").unwrap_or(1);
    let count = chosen("CHRONODE_SIM_SEEDS").unwrap_or(FIXED_SEEDS);
    play(first, |played| played < count).judge(&format!("{count} seeds from {first}"));
}

#[test]
fn nothing_is_lost_doubled_early_or_untrue_with_fresh_seeds() {
    let first = fresh();
    let minutes = chosen("CHRONODE_SIM_MINUTES").unwrap_or(0);
    let until = clock::boot().saturating_add(Duration::from_mins(minutes.cast_signed()));
    let tally = play(first, |played| played < FRESH_SEEDS || clock::boot() < until);
    let count = tally.seeds;
    tally.judge(&format!("{count} fresh seeds from {first}"));
}

/// What many simulations came to.
#[derive(Default)]
struct Tally {
    /// What went wrong, by the seed.
    failed: BTreeMap<u64, String>,
    seeds: u64,
    started: usize,
    simulated: i64,
    figures: Figures,
    played: Played,
    counts: Counts,
}

/// Plays the seeds from `first` on for as long as `goes_on`, told how many have been begun, says so. On as many threads
/// as there are cores; what is found does not depend on their number.
fn play(first: u64, goes_on: impl Fn(u64) -> bool + Sync) -> Tally {
    let most = chosen("CHRONODE_SIM_FAILURES").unwrap_or(FAILURES_MAX);
    let begun = AtomicU64::new(0);
    let tally = Mutex::new(Tally::default());
    let worker = || {
        loop {
            // Seeds are begun in order, so those that fail first are the same on every machine.
            let index = begun.fetch_add(1, Ordering::Relaxed);
            if !goes_on(index) || lock(&tally).failures() >= most {
                return;
            }
            let seed = first.wrapping_add(index);
            let result = outcome(seed);
            lock(&tally).add(seed, result);
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(worker);
        }
    });
    let mut tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    while tally.failures() > most {
        tally.failed.pop_last();
    }
    tally
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Plays one seed. What panics is a violation as well.
fn outcome(seed: u64) -> world::Result {
    catch_unwind(|| world::simulate(seed, None)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text");
        world::Result { violations: vec![format!("it panics: {text}")], ..world::Result::default() }
    })
}

impl Tally {
    fn failures(&self) -> u64 {
        u64::try_from(self.failed.len()).expect("few")
    }

    fn add(&mut self, seed: u64, result: world::Result) {
        self.seeds += 1;
        self.started += result.started;
        self.simulated += result.simulated / plan::MINUTE;
        self.figures.add(&result.figures);
        self.played += result.played;
        self.counts += result.counts;
        if let Some(violation) = result.violations.first() {
            let again = format!("CHRONODE_SIM_SEED={seed} cargo test --test sim");
            self.failed.insert(seed, format!("{violation}\n    {again}"));
        }
    }

    fn judge(self, which: &str) {
        let Self { failed, seeds, started, simulated, figures, played, counts } = self;
        let failed: Vec<String> = failed.into_values().collect();
        assert!(failed.is_empty(), "{} of {which} failed:\n{}", failed.len(), failed.join("\n"));
        // Nothing at all would satisfy every invariant.
        let least = usize::try_from(seeds).expect("few") * 10;
        assert!(seeds < 20 || started > least, "{which}: only {started} tasks started");
        let days = simulated / (24 * 60);
        let Counts { targets, satisfied, unsatisfied, only_incomplete, .. } = counts;
        say(&format!(
            "{which}: {started} tasks in {days} simulated days\n    targets: {targets}, {satisfied} satisfied, \
             {unsatisfied} not, which is recorded of each, {only_incomplete} of these torn\n    played: {played}\n    faults: {figures}"
        ));
        let unseen = (figures.unseen(), played.unseen());
        let is_all = unseen.0.is_empty() && unseen.1.is_empty();
        assert!(seeds < 100 || is_all, "{which}: nothing was seen of {unseen:?}");
    }
}

/// Plays one seed and says everything that happens, if it fails.
fn play_again(seed: u64) {
    let trace = world::Trace::default();
    let told = trace.clone();
    let played = catch_unwind(AssertUnwindSafe(|| world::simulate(seed, Some(told))));
    if played.as_ref().is_ok_and(|result| result.violations.is_empty()) {
        return say(&format!("seed {seed} is well"));
    }
    for line in trace.lines() {
        say(&line);
    }
    match played {
        Ok(result) => panic!("seed {seed}:\n{}", result.violations.join("\n")),
        Err(panic) => resume_unwind(panic),
    }
}

/// Says it also when the test passes and its output is kept back.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("standard error takes a line");
}

#[test]
fn a_seed_always_plays_the_same() {
    for seed in 1..=4 {
        let traces = [world::Trace::default(), world::Trace::default()];
        for trace in &traces {
            world::simulate(seed, Some(trace.clone()));
        }
        assert_eq!(traces[0].lines(), traces[1].lines());
    }
}
