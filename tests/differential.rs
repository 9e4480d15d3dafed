//! The same questions to us and to others: what is next of a random expression, in a random zone, after a random
//! instant? Half of the instants are near a change of clock.
//!
//! Asked are the crates `cron` and `croner`, `cronsim` and `croniter` of PyPI, and the cron that Debian ships. Where one
//! differs from us, everything that it is known to do otherwise must predict its answer to the second; what decides the
//! difference is counted under its name. A difference without a name fails, and so does a name without a difference.
//! The names, each with a sentence, are the table in `docs/semantics.md`. All are given the same zone data.
//!
//! A failure prints the line that asks the question again: `CHRONODE_DIFF_SEED=17 cargo test --test differential`.
//! `CHRONODE_DIFF_FIRST` asks from a seed on instead of fresh ones, and `CHRONODE_DIFF_SEEDS` so many of them.

#[path = "differential/calendar.rs"]
mod calendar;
#[path = "differential/clock.rs"]
mod clock;
#[path = "differential/cron_crate.rs"]
mod cron_crate;
#[path = "differential/croner_crate.rs"]
mod croner_crate;
#[path = "differential/croniter.rs"]
mod croniter;
#[path = "differential/cronsim.rs"]
mod cronsim;
#[path = "differential/debian.rs"]
mod debian;
#[path = "differential/expression.rs"]
mod expression;
#[path = "differential/python.rs"]
mod python;
#[path = "differential/question.rs"]
mod question;
#[path = "differential/rule.rs"]
mod rule;
#[path = "differential/shim.rs"]
mod shim;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::OnceLock;

use chrono::{Offset as _, TimeZone as _};
use chronode::model::Timestamp;
use chronode::schedule::{Schedule, ZoneChoice, ZoneDb};

use clock::Clock;
use debian::Stretch;
use expression::Expression;
use question::{EXTENDED, Question, Random, ZONES, Zone};
use rule::{Answer, Case, Job, Rival, TAKE, cut, explain};

/// The questions that every run asks: of what Debian's cron reads, and of what it does not read.
const FIXED: u64 = 16_000;
const FIXED_EXTENDED: u64 = 4_000;
/// Questions that nobody has asked before, which every run adds; one in four is of what Debian's cron does not read.
const FRESH: u64 = 4_000;

/// A number from the environment.
fn chosen(name: &str) -> Option<u64> {
    std::env::vars().find(|(key, _)| key == name).and_then(|(_, value)| value.parse().ok())
}

/// The first of the fresh seeds.
fn fresh() -> u64 {
    static FIRST: OnceLock<u64> = OnceLock::new();
    *FIRST.get_or_init(|| {
        let now = chronode::clock::wall().as_microsecond();
        chosen("CHRONODE_DIFF_FIRST").unwrap_or_else(|| u64::try_from(now).expect("after 1970"))
    })
}

fn fresh_count() -> u64 {
    chosen("CHRONODE_DIFF_SEEDS").unwrap_or(FRESH)
}

/// Says it also when the test passes and its output is kept back.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("standard error takes a line");
}

fn zones() -> &'static [Zone] {
    static FOUND: OnceLock<Vec<Zone>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let directory = python::zone_directory();
        let zone = |name: &'static str| {
            let data = fs::read(directory.join(name)).expect("the directory has all zones");
            let rules = jiff::tz::TimeZone::tzif(name, &data).expect("it is zone data");
            Zone { name, clock: Clock::new(&rules), rules }
        };
        ZONES.iter().copied().map(zone).collect()
    })
}

fn data() -> &'static ZoneDb {
    static FOUND: OnceLock<ZoneDb> = OnceLock::new();
    FOUND.get_or_init(|| {
        let directory = python::zone_directory();
        let choice = ZoneChoice::Directory(directory.clone());
        ZoneDb::choose(&choice, &directory).expect("it has zones")
    })
}

/// The seeds of this run: fixed ones, and fresh ones.
fn seeds() -> Vec<u64> {
    match chosen("CHRONODE_DIFF_SEED") {
        Some(seed) => vec![seed],
        None => {
            let extended = (0..FIXED_EXTENDED).map(|seed| EXTENDED | seed);
            let fresh = fresh()..fresh() + fresh_count();
            let fresh = fresh.map(|seed| if seed % 4 == 0 { EXTENDED | seed } else { seed });
            (0..FIXED).chain(extended).chain(fresh).collect()
        }
    }
}

/// All questions with our answers.
fn questions() -> &'static (Vec<Question>, Vec<Answer>) {
    static FOUND: OnceLock<(Vec<Question>, Vec<Answer>)> = OnceLock::new();
    FOUND.get_or_init(|| {
        let all: Vec<_> = seeds().into_iter().map(|seed| Question::new(seed, zones())).collect();
        let answers = all.iter().map(|question| ours(question, data())).collect();
        (all, answers)
    })
}

fn ours(question: &Question, data: &ZoneDb) -> Answer {
    let after = Timestamp::from_second(question.after).expect("near our time");
    let Ok(schedule) = Schedule::parse(&question.text, ZONES[question.zone], after, data) else {
        return Answer::Refused;
    };
    let next = |last: &Timestamp| schedule.next_after(*last);
    let due = std::iter::successors(next(&after), next).take(TAKE);
    Answer::Due(due.map(Timestamp::as_second).collect())
}

/// A question and two answers to it, for a person.
fn show(question: &Question, ours: &Answer, theirs: &Answer) -> String {
    let rules = &zones()[question.zone].rules;
    let print = |at: i64| {
        let zoned = Timestamp::from_second(at).expect("near our time").to_zoned(rules.clone());
        zoned.strftime("%F %T%:z").to_string()
    };
    let answer = |answer: &Answer| match answer {
        Answer::Due(due) => due.iter().map(|at| print(*at)).collect::<Vec<_>>().join(", "),
        Answer::Refused | Answer::Failed | Answer::Stuck => format!("{answer:?}"),
    };
    let Question { seed, text, zone, after, .. } = question;
    format!(
        "`{text}` in {} after {}\n    we     {}\n    others {}\n    \
         CHRONODE_DIFF_SEED={seed} cargo test --test differential",
        ZONES[*zone],
        print(*after),
        answer(ours),
        answer(theirs),
    )
}

/// Compares a rival's answers with ours, and its table with the document's.
fn compare(rival: &dyn Rival, answers: impl Fn(&'static [Question]) -> Vec<Answer>) {
    let (questions, ours) = questions();
    let theirs = answers(questions);
    assert_eq!(theirs.len(), questions.len(), "{} answers every question", rival.name());
    let mut counts = BTreeMap::new();
    let mut unexplained = Vec::new();
    for ((question, ours), theirs) in questions.iter().zip(ours).zip(&theirs) {
        if cut(ours.clone(), rival.horizon()) == *theirs {
            continue;
        }
        let case = Case { question, zone: &zones()[question.zone] };
        let names = explain(rival, &case, theirs);
        if names.is_empty() {
            unexplained.push(show(question, ours, theirs));
        }
        for name in names.into_iter().filter(|_| is_fixed(question.seed)) {
            *counts.entry(name).or_insert(0_usize) += 1;
        }
    }
    let (count, name) = (unexplained.len(), rival.name());
    unexplained.truncate(20);
    assert!(count == 0, "{name}: {count} without a known reason:\n{}", unexplained.join("\n"));
    if chosen("CHRONODE_DIFF_SEED").is_none() {
        let known: Vec<_> = rival.readings().iter().chain(rival.clock_rules()).copied().collect();
        judge_table(name, &known, &counts);
    }
}

fn is_fixed(seed: u64) -> bool {
    seed & !EXTENDED < FIXED
}

/// Every known difference shows, and the document has it with the same count.
fn judge_table(rival: &str, known: &[&str], counts: &BTreeMap<&str, usize>) {
    let row = |name: &&str| {
        let count = counts.get(name).copied().unwrap_or_default();
        format!("| {rival} | {name} | {count} |")
    };
    let rows: Vec<_> = known.iter().map(row).collect();
    say(&format!(
        "{rival} differs in {} fixed and {} fresh questions from {}:",
        FIXED + FIXED_EXTENDED,
        fresh_count(),
        fresh()
    ));
    rows.iter().for_each(|row| say(row));
    let stale: Vec<_> = known.iter().filter(|name| !counts.contains_key(*name)).collect();
    assert!(stale.is_empty(), "{rival} no longer differs in these, so take them out: {stale:?}");
    let unknown: Vec<_> = counts.keys().filter(|name| !known.contains(name)).collect();
    assert!(unknown.is_empty(), "{rival}: {unknown:?}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/semantics.md");
    let document = fs::read_to_string(path).expect("the contract");
    let begin = format!("| {rival} |");
    let written: Vec<_> = document.lines().filter(|line| line.starts_with(&begin)).collect();
    let is_right = written.len() == rows.len()
        && written.iter().zip(&rows).all(|(written, row)| written.starts_with(row.as_str()));
    assert!(
        is_right,
        "docs/semantics.md should have these rows, each with a sentence:\n{}",
        rows.join("\n")
    );
}

#[test]
fn our_answers_are_the_union_over_the_wall_times_that_are_named() {
    let (questions, ours) = questions();
    for (question, ours) in questions.iter().zip(ours) {
        let calendar = question.expression.calendar();
        let job = Job {
            calendar: &calendar,
            clock: &zones()[question.zone].clock,
            is_wildcard: question.expression.is_wildcard(),
        };
        let expected = if calendar.has_dates() {
            Answer::Due(job.contract(question.after))
        } else {
            Answer::Refused
        };
        assert!(*ours == expected, "{}", show(question, ours, &expected));
    }
}

#[test]
fn crate_cron_differs_only_as_named() {
    compare(&cron_crate::CronCrate, |questions| each(questions, cron_crate::CronCrate::ask));
}

#[test]
fn crate_croner_differs_only_as_named() {
    compare(&croner_crate::CronerCrate, |questions| {
        each(questions, croner_crate::CronerCrate::ask)
    });
}

#[test]
fn cronsim_differs_only_as_named() {
    compare(&cronsim::Cronsim, |questions| python::ask("cronsim", questions, zones()));
}

#[test]
fn croniter_differs_only_as_named() {
    compare(&croniter::Croniter, |questions| python::ask("croniter", questions, zones()));
}

fn each(questions: &[Question], ask: fn(&Case<'_>) -> Answer) -> Vec<Answer> {
    let case = |question| Case { question, zone: &zones()[question.zone] };
    questions.iter().map(|question| ask(&case(question))).collect()
}

/// Its name in the document, and the one thing that it does otherwise.
const DEBIAN: &str = "Debian's `cron`";
const EACH_MINUTE: &str = "starts a fixed time once for every minute of it that a gap leaves out";

#[test]
fn debians_cron_starts_the_same_in_the_same_minutes() {
    if chosen("CHRONODE_DIFF_SEED").is_some() {
        return;
    }
    let fixed = debian::CHANGES.iter().zip(0..).map(|((name, change), seed)| {
        let change: Timestamp = change.parse().expect("an instant");
        (seed, zone_named(name), change.as_second())
    });
    let fresh = (fresh()..fresh() + 4).map(|seed| {
        let mut random = Random::new(seed);
        let changes = |zone: &&Zone| !zone.clock.changes(MINUTES_FROM..CHANGES_TO).is_empty();
        let changing: Vec<_> = zones().iter().filter(changes).collect();
        let zone = *random.one_of(&changing);
        (seed, zone, random.one_of(zone.clock.changes(MINUTES_FROM..CHANGES_TO)).at)
    });
    let all: Vec<_> = fixed.chain(fresh).collect();
    let compare = |stretches: &[(u64, &'static Zone, i64)]| -> DebianTally {
        stretches.iter().map(|(seed, zone, change)| compare_debian(*seed, zone, *change)).sum()
    };
    let (some, others) = all.split_at(all.len() / 2);
    let tally = std::thread::scope(|scope| {
        let some = scope.spawn(|| compare(some));
        [compare(others), some.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))]
    });
    let DebianTally { lines, starts, several } = tally.into_iter().sum();
    say(&format!("{DEBIAN} started {lines} lines {starts} times"));
    judge_table(DEBIAN, &[EACH_MINUTE], &BTreeMap::from([(EACH_MINUTE, several)]));
}

/// What Debian's cron was compared in.
struct DebianTally {
    lines: usize,
    starts: usize,
    /// Lines of fixed stretches that one gap made it start several times.
    several: usize,
}

impl std::iter::Sum for DebianTally {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self { lines: 0, starts: 0, several: 0 }, |sum, one| Self {
            lines: sum.lines + one.lines,
            starts: sum.starts + one.starts,
            several: sum.several + one.several,
        })
    }
}

fn compare_debian(seed: u64, zone: &'static Zone, change: i64) -> DebianTally {
    let data = data();
    let count = |stretch: &Stretch, line: &Expression| due_in(stretch, line, data).count();
    let stretch = Stretch::new(seed, zone.name, change, count);
    let theirs = debian::run(&stretch, &python::zone_directory().join(zone.name));
    for (line, theirs) in stretch.lines.iter().zip(&theirs) {
        let expected = starts_in(&stretch, line, zone, data);
        assert_eq!(*theirs, expected, "`{line}` in {} around {change}, seed {seed}", zone.name);
    }
    let has_several = |starts: &&debian::Starts| starts.values().any(|count| *count > 1);
    let several = theirs.iter().filter(has_several).count();
    DebianTally {
        lines: stretch.lines.len(),
        starts: theirs.iter().flat_map(|starts| starts.values()).sum(),
        several: if seed < FIXED { several } else { 0 },
    }
}

/// Since when all zones' offsets are whole minutes, in which cron counts: Monrovia was the last, in January 1972.
const MINUTES_FROM: i64 = 63_676_800;
const CHANGES_TO: i64 = 2_145_916_800;

fn zone_named(name: &str) -> &'static Zone {
    zones().iter().find(|zone| zone.name == name).expect("it is in the list")
}

/// When we start a line in a stretch.
fn due_in(stretch: &Stretch, line: &Expression, data: &ZoneDb) -> impl Iterator<Item = i64> {
    let begin = Timestamp::from_second(stretch.begin).expect("near our time");
    let end = stretch.end;
    // Dates that never come are refused by us and accepted by Debian, which never starts them.
    let schedule = Schedule::parse(&line.to_string(), stretch.zone, begin, data).ok();
    let next = move |last: &Timestamp| schedule.as_ref()?.next_after(*last);
    let due = std::iter::successors(next(&begin), next).map(Timestamp::as_second);
    due.take_while(move |at| *at < end)
}

/// What we start, as often as Debian is to start it: after a gap once for each minute that it left out, and once if
/// the minute after it is named as well.
fn starts_in(stretch: &Stretch, line: &Expression, zone: &Zone, data: &ZoneDb) -> debian::Starts {
    let calendar = line.calendar();
    let named = |wall: i64| calendar.next(wall) == Some(wall);
    let count = |at: &i64| {
        let gap = zone.clock.changes(*at..at + 1).iter().find(|change| change.shift() > 0);
        let is_made_up =
            |change: &&clock::Change| !line.is_wildcard() && change.shift() < 3 * 3_600;
        gap.filter(is_made_up).map_or(1, |gap| {
            let walls = gap.walls();
            (walls.start..=walls.end).step_by(60).filter(|wall| named(*wall)).count()
        })
    };
    due_in(stretch, line, data).map(|at| (at, count(&at))).collect()
}

/// Else a difference could be one of data.
#[test]
fn all_are_given_the_same_zone_data() {
    let end = 4_070_908_800; // 2099
    for zone in zones() {
        let theirs: chrono_tz::Tz = zone.name.parse().expect("it has all zones of that year");
        let changes =
            zone.clock.changes(0..end).iter().flat_map(|change| [change.at - 1, change.at]);
        // Between changes too, in case it has one that we have not.
        for at in changes.chain((0..end).step_by(40_000)) {
            let offset = theirs.timestamp_opt(at, 0).unwrap().offset().fix().local_minus_utc();
            assert_eq!(i64::from(offset), zone.clock.offset(at), "{} at {at}", zone.name);
        }
    }
}
