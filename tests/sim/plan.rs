//! What a seed decides beforehand: how long, at what pace, and how vicious.
//!
//! A kind of fault is on for a whole simulation or off, so that some are mild and some are vicious, and each fault is
//! also seen alone.

use chronode::model::Timestamp;

use super::civil::{self, ZONES, Zone};
use super::rng::Rng;

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// The first instant of any simulation on the wall clock.
const BEGIN: &str = "2026-01-01T00:00:00Z";

/// How much happens in how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Hours, in which jobs are due every few seconds or minutes and faults come again and again.
    Vicious,
    /// Weeks, in which jobs are due a few times a day and clocks are set forward and back.
    Sparse,
}

impl Pace {
    const fn of_seed(seed: u64) -> Self {
        if seed.is_multiple_of(4) { Self::Sparse } else { Self::Vicious }
    }

    /// One value for each pace.
    pub(crate) fn of<T>(self, vicious: T, sparse: T) -> T {
        match self {
            Self::Vicious => vicious,
            Self::Sparse => sparse,
        }
    }
}

/// Mean microseconds between two faults of a kind; `None` if it is off.
#[derive(Debug, Clone)]
pub(crate) struct Faults {
    pub(crate) crash: Option<i64>,
    pub(crate) crash_between_effects: bool,
    pub(crate) take_over: Option<i64>,
    /// Events in a thousand that another fault follows within milliseconds.
    pub(crate) ambush_permille: i64,
    pub(crate) disconnect: Option<i64>,
    pub(crate) keeper_dies: Option<i64>,
    pub(crate) out_of_sight: Option<i64>,
    pub(crate) suspend: Option<i64>,
    pub(crate) clock_steps: Option<i64>,
    /// Commits in a hundred that fail one way or another.
    pub(crate) store_percent: i64,
    /// Reports in a hundred that come twice, late (and so out of order), or not at all.
    pub(crate) doubled_percent: i64,
    pub(crate) late_percent: i64,
    pub(crate) dropped_percent: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) pace: Pace,
    /// Where most people are.
    pub(crate) home: &'static Zone,
    pub(crate) begins_at: Timestamp,
    /// How long there are faults and requests.
    pub(crate) span: i64,
    /// How long everything may take to settle after them.
    pub(crate) patience: i64,
    pub(crate) faults: Faults,
    /// Whether anybody is told of anything.
    pub(crate) tells: bool,
    /// Whether some jobs are triggered by others.
    pub(crate) has_families: bool,
    /// The processors of each agent in thousandths, where runs have to wait for room. None where there is always room.
    pub(crate) agents: &'static [u64],
    /// Whether most jobs want little, but more of them than there is room for want it at all times.
    pub(crate) is_crowded: bool,
    /// What the house does with jobs that do not say how often they may fail in a row.
    pub(crate) disable_after: u32,
    pub(crate) jobs_at_first: i64,
    /// Mean time between two requests of clients.
    pub(crate) request: i64,
    /// The driver looks at the clock again and again, whether or not it has to. The real one does every half second.
    pub(crate) look: i64,
    /// How long the house is down after a crash, the launcher away, its keeper dead, a task out of sight, the machine
    /// asleep: one of these.
    pub(crate) downtimes: &'static [i64],
    pub(crate) disconnects: &'static [i64],
    pub(crate) deaths: &'static [i64],
    pub(crate) absences: &'static [i64],
    pub(crate) sleeps: &'static [i64],
}

impl Plan {
    pub(crate) fn new(rng: &mut Rng, seed: u64) -> Self {
        let pace = Pace::of_seed(seed);
        let every = |rng: &mut Rng, percent: i64, vicious: i64, sparse: i64| {
            let mean = pace.of(vicious, sparse) * rng.between(50, 200) / 100;
            rng.chance(percent).then_some(mean)
        };
        let percent = |rng: &mut Rng, simulations: i64, most: i64| {
            if rng.chance(simulations) { rng.between(1, most) } else { 0 }
        };
        let faults = Faults {
            crash: every(rng, 50, 20 * MINUTE, 2 * DAY),
            crash_between_effects: rng.chance(30),
            take_over: every(rng, 40, 20 * MINUTE, 2 * DAY),
            ambush_permille: percent(rng, 30, 4),
            disconnect: every(rng, 50, 15 * MINUTE, DAY),
            keeper_dies: every(rng, 30, HOUR, 5 * DAY),
            out_of_sight: every(rng, 40, 20 * MINUTE, 2 * DAY),
            suspend: every(rng, 20, HOUR, 4 * DAY),
            clock_steps: every(rng, 40, 40 * MINUTE, 5 * DAY),
            store_percent: percent(rng, 40, 10),
            doubled_percent: percent(rng, 40, 20),
            late_percent: percent(rng, 40, 20),
            dropped_percent: percent(rng, 30, 10),
        };
        let has_families = rng.chance(60);
        let agents = rng.pick(&[&[][..], &[], &[], &[1_000], &[2_000], &[1_000, 2_000]]);
        // More of everything where jobs depend on each other.
        let (jobs_at_first, requests) =
            if has_families { ((4, 10), (1, 6)) } else { ((1, 6), (2, 20)) };
        let home = rng.choose(&ZONES);
        Self {
            pace,
            home,
            begins_at: begins_at(rng, pace, home),
            span: match pace {
                Pace::Vicious => rng.between(1, 6) * HOUR,
                Pace::Sparse => rng.between(10, 60) * DAY,
            },
            patience: pace.of(DAY, 10 * DAY),
            faults,
            tells: seed % 4 == 2,
            has_families,
            agents,
            is_crowded: pace == Pace::Vicious && !agents.is_empty() && rng.chance(40),
            disable_after: rng.pick(&[0, 0, 3]),
            jobs_at_first: rng.between(jobs_at_first.0, jobs_at_first.1),
            request: rng.between(requests.0, requests.1) * pace.of(MINUTE, 2 * HOUR),
            look: pace.of(MINUTE, HOUR),
            downtimes: pace.of(
                &[100_000, SECOND, SECOND, MINUTE, 10 * MINUTE, HOUR],
                &[SECOND, MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 30 * HOUR],
            ),
            disconnects: pace.of(
                &[100_000, SECOND, MINUTE, 10 * MINUTE],
                &[SECOND, MINUTE, 10 * MINUTE, 3 * HOUR],
            ),
            deaths: pace.of(&[100_000, SECOND, 5 * MINUTE], &[SECOND, 5 * MINUTE, 2 * HOUR]),
            absences: pace.of(
                &[100_000, SECOND, 30 * SECOND, 5 * MINUTE, 30 * MINUTE],
                &[SECOND, MINUTE, 30 * MINUTE, 5 * HOUR],
            ),
            sleeps: pace.of(&[30 * SECOND, 5 * MINUTE, HOUR], &[5 * MINUTE, HOUR, 12 * HOUR]),
        }
    }
}

/// The weeks of a sparse simulation mostly have a change of the clocks at home among their first days.
fn begins_at(rng: &mut Rng, pace: Pace, home: &Zone) -> Timestamp {
    let begin: Timestamp = BEGIN.parse().expect("an instant");
    let first = begin.as_millisecond();
    let latest = first + 300 * civil::DAY;
    let changes: Vec<i64> = home
        .changes()
        .iter()
        .map(|change| change.at)
        .filter(|at| (first + 9 * civil::DAY..latest).contains(at))
        .collect();
    let at = match pace {
        Pace::Vicious => first,
        Pace::Sparse if !changes.is_empty() && rng.chance(80) => {
            rng.pick(&changes) - rng.between(civil::DAY, 9 * civil::DAY)
        }
        Pace::Sparse => rng.between(first, latest),
    };
    Timestamp::from_millisecond(at).expect("within this century")
}
