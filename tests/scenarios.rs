//! Stories: each `tests/scenarios/*.txt` is played, and what happened is compared with the `.out` beside it.
//!
//! A story is one command a line; `#` begins a comment. Clocks stand still unless a command moves them. The state is
//! the production code's (`engine` and `driver::working`), the store is in memory, and the launcher is the script: it
//! says what a launcher would say, and every effect is printed instead of performed.
//!
//! ```text
//! at INSTANT                       begin here (before anything else)
//! job NAME SCHEDULE [key=value …]  create or replace; keys: epsilon overlap catchUp retries retryDelay retryFactor
//!                                  retryMax retryOn noRetryOn retryUntil onUnknown=WAIT:lost|relaunch cpus mem disk ports
//!                                  placement where=ATTRIBUTE:OPERATOR:VALUE
//!                                  timeout killGrace disableAfter disabled async shadow softError priority zone jitter notBefore
//!                                  notAfter, and neverIn=WINDOW onlyIn=WINDOW, each a calendar of one window
//! job NAME after=NAME[,NAME …] [rule=RULE] [join=due] [key=value …]
//! delete|run|kill|mark NAME        as a client asks; `mark` counts a success that nobody executed
//! clear-queue                      nothing that has not been begun waits any longer
//! report NAME|TASK CODE            the job says how a task of it ended: 0 is success
//! cut-over INSTANT                 what is only planned is launched from then on
//! dry-run job …, dry-run delete …  what would be answered
//! dry-run VERB run NAME            the same about its newest run, and what would follow from a retry of all below it
//! offer NAME [cpus=…] [mem=…]      the launcher gives this from now on: all it has without amounts
//! framework ID                     from now on the launcher works for a cluster, to which it is this
//! offers ID AGENT [what …] [, …]   the cluster offers this at once, each offer of an agent; what: cpus=… mem=… ports=…
//!                                  NAME:VALUE (an attribute) leaves=INSTANT
//! rescind ID …                     it takes offers back
//! agent lost AGENT                 it has lost an agent
//! short                            print what capacity is missing
//! launcher gone REASON             it cannot be reached
//! launcher back                    it can, with the same offers
//! advance INSTANT|DURATION         time passes; whatever has come on the way is decided when it comes
//! sleep INSTANT|DURATION           time passes, and nobody is woken before its end (a suspended machine)
//! clock set INSTANT                the wall clock is set; no time passes
//! status NAME|TASK STATUS          the launcher says: staged | running | exit N | signal N | killed | never-launched |
//!                                  could-not-start | in-doubt REASON (for ever) | out-of-sight REASON; NAME is the
//!                                  oldest task of that job
//! crash                            the process dies and starts again
//! crash before-commit|after-commit as soon as there is something to commit
//! down, up                         the process dies; it starts
//! elect                            another process takes over, and the present one does not know it yet
//! deposed wake|COMMAND             the one that was taken over from is woken, or hears of `run`, `status` …
//! machine restarts                 the process dies, and the machine starts anew; no time passes
//! store fails N                    the next N commits are refused
//! show NAME|all|history            print what is stored
//! waits NAME                       print what a job with parents waits for
//! ```
//!
//! An instant is `2026-01-01T12:00:00Z`, or `12:00:00` of the day it is. `UPDATE_GOLDEN=1` writes the golden files.

#[path = "scenarios/cluster.rs"]
mod cluster;
#[path = "scenarios/play.rs"]
mod play;
#[path = "scenarios/print.rs"]
mod print;

use std::fs;
use std::path::{Path, PathBuf};

fn stories() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut stories: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "txt")).collect();
    stories.sort();
    stories
}

#[test]
fn every_story_goes_as_written() {
    let update = std::env::vars_os().any(|(name, _)| name == "UPDATE_GOLDEN");
    let mut differing = Vec::new();
    for path in stories() {
        let story = fs::read_to_string(&path).unwrap();
        let happened = play::play(&story);
        let golden = path.with_extension("out");
        if update {
            fs::write(&golden, &happened).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if happened != expected {
            differing.push(format!(
                "{}:\n{}",
                path.display(),
                first_difference(&expected, &happened)
            ));
        }
    }
    assert!(
        differing.is_empty(),
        "{}\nIf this is how it should be: UPDATE_GOLDEN=1 cargo test --test scenarios",
        differing.join("\n")
    );
}

fn first_difference(expected: &str, happened: &str) -> String {
    let (mut a, mut b) = (expected.lines(), happened.lines());
    for line in 1.. {
        let (was, is) = (a.next(), b.next());
        if was != is {
            let text = |line: Option<&str>| line.unwrap_or("(the end)").to_owned();
            return format!("  line {line}\n  expected {}\n  happened {}", text(was), text(is));
        }
        if was.is_none() {
            break;
        }
    }
    String::new()
}

#[test]
fn every_golden_file_has_its_story() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "out") {
            assert!(path.with_extension("txt").exists(), "{} has no story", path.display());
        }
    }
    assert!(stories().len() >= 40);
}
