//! Many jobs due at the same instants, with and without the scheduler being killed: how late each started, and whether
//! any was lost or doubled, judged by what the commands themselves wrote.
//!
//! In `tests/run` this is small; `tests/long crash` and `tests/long load` set the sizes below and print the figures.

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{Place, Server, pause, wait_for, wall_secs};
use jiff::Timestamp;
use serde_json::json;

/// How much, from the environment, so that one piece of code serves a quick check and a long proof.
struct Size {
    jobs: usize,
    period_secs: u32,
    rounds: u32,
    kills: u32,
}

impl Size {
    fn from_env(jobs: usize, period_secs: u32, rounds: u32, kills: u32) -> Self {
        fn get<T: std::str::FromStr>(name: &str, default: T) -> T {
            #[expect(clippy::disallowed_methods, reason = "a long run is asked for from outside")]
            let given = std::env::var(format!("CHRONODE_LOAD_{name}"));
            given.ok().and_then(|text| text.parse().ok()).unwrap_or(default)
        }
        Self {
            jobs: get("JOBS", jobs),
            period_secs: get("PERIOD", period_secs),
            rounds: get("ROUNDS", rounds),
            kills: get("KILLS", kills),
        }
    }
}

/// One line of a command: which job, which due instant, when it really started.
#[derive(Debug, Clone, Copy)]
struct Start {
    due: Timestamp,
    at: f64,
}

struct Load {
    place: Place,
    size: Size,
    first_due: Timestamp,
}

impl Load {
    /// Starts a scheduler and gives it the jobs, all due at the same instants.
    fn begin(size: Size) -> (Self, Server) {
        let place = Place::new();
        let server = Server::start(&place.data(), &[]);
        // Time enough to post them all.
        let head_start = 5 + i64::try_from(size.jobs / 100).unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "seconds of this century")]
        let first_due = Timestamp::from_second(wall_secs() as i64 + head_start).unwrap();
        for n in 0..size.jobs {
            let body = json!({
                "name": format!("job{n}"),
                "schedule": format!("R{}/{first_due}/PT{}S", size.rounds, size.period_secs),
                "epsilon": format!("PT{}S", size.period_secs),
                "command": format!("echo \"job{n} $CHRONODE_DUE $CHRONODE_ATTEMPT $(date +%s.%N)\" >> {}",
                                   place.file("log").display()),
                "retries": 0,
                "concurrent": true,
            });
            server.post(&body);
        }
        assert!(wall_secs() < seconds(first_due), "posting took longer than the head start");
        (Self { place, size, first_due }, server)
    }

    fn last_due(&self) -> f64 {
        seconds(self.first_due) + f64::from((self.size.rounds - 1) * self.size.period_secs)
    }

    fn starts(&self) -> BTreeMap<(String, Timestamp), Vec<Start>> {
        let mut starts: BTreeMap<_, Vec<Start>> = BTreeMap::new();
        for line in self.place.lines("log") {
            let words: Vec<&str> = line.split(' ').collect();
            let [job, due, _attempt, at] = words[..] else { panic!("torn line: {line}") };
            let due: Timestamp = due.parse().unwrap();
            let start = Start { due, at: at.parse().unwrap() };
            starts.entry((job.to_owned(), due)).or_default().push(start);
        }
        starts
    }

    /// Counts lost and doubled starts, and prints how late they were.
    fn judge(&self, what: &str) {
        let starts = self.starts();
        let doubled: Vec<_> = starts.iter().filter(|(_, starts)| starts.len() > 1).collect();
        let mut lost = Vec::new();
        for n in 0..self.size.jobs {
            for round in 0..self.size.rounds {
                let offset = Duration::from_secs(u64::from(round * self.size.period_secs));
                let due = self.first_due + offset;
                if !starts.contains_key(&(format!("job{n}"), due)) {
                    lost.push((n, due));
                }
            }
        }
        let early = starts.values().flatten().filter(|s| s.at < seconds(s.due)).count();
        let mut late: Vec<f64> =
            starts.values().flatten().map(|s| (s.at - seconds(s.due)) * 1e3).collect();
        late.sort_by(f64::total_cmp);
        let at = |share: usize| late[(late.len() - 1) * share / 100];
        let owed = self.size.jobs * self.size.rounds as usize;
        report(&format!(
            "{what}: {owed} owed, {} started, {} lost, {} doubled, {early} early; lateness in ms: \
             p50 {:.0}, p90 {:.0}, p99 {:.0}, max {:.0}",
            late.len(),
            lost.len(),
            doubled.len(),
            at(50),
            at(90),
            at(99),
            at(100)
        ));
        assert!(lost.is_empty(), "lost: {lost:?}");
        assert!(doubled.is_empty(), "doubled: {doubled:?}");
        assert_eq!(early, 0, "started before they were due");
        assert_eq!(starts.len(), owed, "something ran that nobody owed");
    }
}

#[expect(clippy::print_stdout, reason = "the figures are what a long run is for")]
fn report(line: &str) {
    println!("{line}");
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of this century")]
fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1e3
}

fn all_over(server: &Server) {
    wait_for("all runs to be over", || {
        let live = server.get("/scheduler/runs?live=true&limit=1");
        live["runs"].as_array().unwrap().is_empty().then_some(())
    });
}

/// Waits for an instant that the load itself defines; nothing depends on when exactly it is noticed.
fn wait_until(at: f64) {
    while wall_secs() < at {
        pause(Duration::from_millis(20));
    }
}

#[test]
fn every_occurrence_starts_once_under_load() {
    let (load, server) = Load::begin(Size::from_env(100, 2, 3, 0));
    wait_until(load.last_due());
    wait_for("the last starts", || {
        (load.place.lines("log").len() >= load.size.jobs * load.size.rounds as usize).then_some(())
    });
    all_over(&server);
    load.judge("load");
}

#[test]
fn killed_at_random_instants_under_load_nothing_is_lost_or_doubled() {
    let (load, mut server) = Load::begin(Size::from_env(100, 4, 4, 3));
    // Instants that nobody chose: the clock's own digits, spread over the whole run.
    let span = load.last_due() - seconds(load.first_due);
    for n in 0..load.size.kills {
        let digits = (wall_secs() * 1e6).rem_euclid(1e3) / 1e3;
        let share = (f64::from(n) + digits) / f64::from(load.size.kills);
        wait_until(seconds(load.first_due) + span * share);
        server.kill();
        server = Server::start(&load.place.data(), &[]);
    }
    wait_until(load.last_due());
    wait_for("the last starts", || {
        (load.place.lines("log").len() >= load.size.jobs * load.size.rounds as usize).then_some(())
    });
    all_over(&server);
    load.judge(&format!("kill -9 × {}", load.size.kills));
}
