//! Simulations on Mesos: the real engine, the real rules of a subscription and the real book of the launcher, against
//! the model of a master and its agents, in virtual time. A seed decides the jobs, what their commands do, and every
//! fault; the same seed plays the same every time.
//!
//! What is judged, by what really ran in the model and by what was committed:
//!
//! * no command of an attempt ran twice, and none without an attempt on record;
//! * what an attempt's end says is what happened to its command, unless it is given up as lost;
//! * another attempt of a run begins only after the one before is over, or was given up as lost;
//! * no update is acknowledged before what it says is committed;
//! * no offer is held longer than a step;
//! * when the faults end, everything comes to its end, everything is acknowledged, and no more offers are asked for.
//!
//! `CHRONODE_MESOS_SEED=17 cargo test --test mesos_sim` plays one seed and prints all that happened;
//! `CHRONODE_MESOS_FIRST` and `CHRONODE_MESOS_SEEDS` choose others than the fixed ones.

#![allow(clippy::print_stdout, reason = "figures, and what a seed that is played again does")]

#[path = "mesos/model/mod.rs"]
mod model;
#[path = "sim/rng.rs"]
mod rng;
#[path = "mesos/sim/mod.rs"]
mod sim;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The seeds that every run of the tests plays.
const FIXED_SEEDS: u64 = 120;

/// A number from the environment, which chooses what is played.
fn chosen(name: &str) -> Option<u64> {
    std::env::vars().find(|(key, _)| key == name).and_then(|(_, value)| value.parse().ok())
}

#[test]
fn whatever_a_cluster_does_no_run_is_lost_or_started_twice() {
    if let Some(seed) = chosen("CHRONODE_MESOS_SEED") {
        let played = sim::play(seed, true);
        assert!(played.violations.is_empty(), "{}", played.violations.join("\n"));
        return;
    }
    let first = chosen("CHRONODE_MESOS_FIRST").unwrap_or(1);
    let count = chosen("CHRONODE_MESOS_SEEDS").unwrap_or(FIXED_SEEDS);
    let mut sums: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut failed = Vec::new();
    for seed in first..first + count {
        match catch_unwind(AssertUnwindSafe(|| sim::play(seed, false))) {
            Ok(played) => {
                for (name, figure) in played.counts {
                    *sums.entry(name).or_default() += figure;
                }
                if !played.violations.is_empty() {
                    failed.push(format!("seed {seed}: {}", played.violations.join("; ")));
                }
            }
            Err(_) => failed.push(format!("seed {seed}: it panicked")),
        }
        assert!(failed.len() < 10, "too many fail:\n{}", failed.join("\n"));
    }
    println!("{count} seeds from {first}");
    for (name, figure) in &sums {
        println!("{figure:>9} {name}");
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    if count >= FIXED_SEEDS {
        for name in sim::MUST_HAPPEN {
            assert!(sums.get(name).is_some_and(|figure| *figure > 0), "never: {name}");
        }
    }
}
