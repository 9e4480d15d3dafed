//! The kept inputs of the fuzz targets, and some thousands of mutations of them, under the checks of the targets.
//!
//! What a fuzzing run finds is kept in `fuzz/corpus`, so it never comes back unnoticed; `tests/long fuzz` looks for
//! more. A failing mutation prints its input and the line that plays it again:
//! `CHRONODE_FUZZ_SEED=17 cargo test --test corpus`.

mod fuzz_checks;
#[path = "sim/rng.rs"]
#[allow(dead_code, reason = "the simulator asks for more kinds of chance")]
mod rng;

use std::fs;
use std::panic;
use std::path::Path;

use chronode::clock;

use rng::Rng;

/// A target's name and its checks.
type Target = (&'static str, fn(&[u8]) -> bool);

const TARGETS: [Target; 3] = [
    ("interval", fuzz_checks::interval),
    ("cron", fuzz_checks::cron),
    ("terms", fuzz_checks::terms),
];

/// Mutations of each target's inputs.
const MUTATIONS: usize = 1_500;

/// The inputs that are kept for a target, in the order of their names.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut inputs: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    inputs.sort();
    assert!(inputs.len() >= 20, "{target}: the corpus was not found");
    inputs
}

#[test]
fn everything_holds_of_each_kept_input() {
    for (target, checks) in TARGETS {
        let inputs = corpus(target);
        let mut accepted = 0;
        for (name, input) in &inputs {
            let result = panic::catch_unwind(|| checks(input));
            let is_accepted = result.unwrap_or_else(|_| {
                panic!("fuzz/corpus/{target}/{name} fails, see above");
            });
            accepted += usize::from(is_accepted);
        }
        // Nothing is asked of what is refused but its error.
        assert!(accepted > inputs.len() / 3, "{target}: only {accepted} inputs are accepted");
    }
}

#[test]
fn everything_holds_of_mutated_inputs() {
    let given = std::env::vars().find(|(name, _)| name == "CHRONODE_FUZZ_SEED");
    let fresh = || u64::try_from(clock::wall().as_microsecond()).expect("after 1970");
    let seed = given.map_or_else(fresh, |(_, seed)| seed.parse().expect("a number"));
    for (target, checks) in TARGETS {
        let mut rng = Rng::new(seed);
        let inputs: Vec<Vec<u8>> = corpus(target).into_iter().map(|(_, input)| input).collect();
        for _ in 0..MUTATIONS {
            let input = mutated(&mut rng, &inputs);
            let result = panic::catch_unwind(|| checks(&input));
            assert!(
                result.is_ok(),
                "{target} fails, see above, of \"{}\"\nCHRONODE_FUZZ_SEED={seed} cargo test --test corpus",
                input.escape_ascii()
            );
        }
    }
}

/// One of the inputs, changed in one to four places.
fn mutated(rng: &mut Rng, inputs: &[Vec<u8>]) -> Vec<u8> {
    let mut input = any(rng, inputs).clone();
    for _ in 0..rng.between(1, 4) {
        let from = place(rng, input.len());
        let to = from + place(rng, (input.len() - from).min(12));
        // Bytes of the same kind of text lead further than any bytes.
        let other = any(rng, inputs);
        let taken = place(rng, other.len());
        let length = place(rng, (other.len() - taken).min(24));
        let other = &other[taken..taken + length];
        match rng.between(0, 4) {
            0 => drop(input.drain(from..to)),
            1 => drop(input.splice(from..to, other.iter().copied())),
            2 => drop(input.splice(from..from, other.iter().copied())),
            3 => drop(input.splice(from..to, byte(rng))),
            _ => drop(input.splice(from..to, number(rng).into_bytes())),
        }
    }
    input
}

fn any<'i>(rng: &mut Rng, inputs: &'i [Vec<u8>]) -> &'i Vec<u8> {
    &inputs[place(rng, inputs.len() - 1)]
}

/// From 0 to `length`, both included.
fn place(rng: &mut Rng, length: usize) -> usize {
    let last = i64::try_from(length).expect("inputs are short");
    usize::try_from(rng.between(0, last)).expect("not negative")
}

fn byte(rng: &mut Rng) -> Option<u8> {
    u8::try_from(rng.between(0, 255)).ok()
}

/// Small, near a limit of some field, or beyond all of them.
fn number(rng: &mut Rng) -> String {
    let limits = [0, 1, 7, 12, 23, 24, 29, 31, 59, 60, 1_970, 9_999, i64::MAX];
    rng.pick(&limits).to_string()
}

#[test]
fn a_text_that_is_too_long_is_refused() {
    let long = format!("{} * * * *", "0,".repeat(600));
    fuzz_checks::cron(long.as_bytes());
    let short = format!("{} * * * *", "0,".repeat(500).trim_end_matches(','));
    fuzz_checks::cron(short.as_bytes());
}
