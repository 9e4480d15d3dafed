//! What is told of jobs whose occurrences move because zone data has changed.

use super::*;

const BERLIN: &str = "Europe/Berlin";

/// Zone data in which Berlin has the clock of another zone.
fn berlin_as(other: &str) -> ZoneDb {
    let bundled = ZoneDb::bundled();
    ZoneDb::from_kept([(BERLIN, bundled.data(other).unwrap())])
}

fn in_zone(job: &str, schedule: &str, zone: &str) -> JobDraft {
    let mut draft = draft(job, schedule);
    draft.when = When::Schedule(ScheduleTerms::plain(schedule, zone));
    draft
}

/// The engine as a later process finds it, with this zone data, and what it decided first.
fn restarted(desk: &Desk, zones: ZoneDb) -> (Desk, Decision) {
    let state = &desk.state;
    let kept = [BERLIN, "America/New_York", "UTC"].into_iter();
    let kept = kept.filter_map(|name| Some((name.to_owned(), state.kept_zone(name)?.into())));
    let recovered = Recovered {
        term: state.term(),
        jobs: state.jobs().map(JobEntry::to_record).collect(),
        zones: kept.collect(),
        last_incarnation: state.last_incarnation(),
        last_sequence: state.last_sequence(),
        ..Recovered::default()
    };
    let settings = Arc::new(Settings { zones, ..settings() });
    let mut desk = Desk {
        state: State::recover(settings, recovered),
        now: desk.now,
        ended: Vec::new(),
        stretches: Vec::new(),
        requests: 0,
    };
    let decision = desk.step(&Event::Resumed { term: Term(2) });
    (desk, decision)
}

fn kept(decision: &Decision) -> Vec<&str> {
    let kept = decision.changes.iter().filter_map(|change| match change {
        Change::ZoneKept { name, .. } => Some(name.as_str()),
        _ => None,
    });
    kept.collect()
}

fn told(decision: &Decision) -> Vec<String> {
    assert!(decision.notes.iter().all(|note| note.is_warning));
    let job = |note: &Note| note.job.as_ref().map_or("-", JobName::as_str).to_owned();
    decision.notes.iter().map(|note| format!("{}: {}", job(note), note.text)).collect()
}

#[test]
fn a_job_that_changed_zone_data_moves_is_told_so_once() {
    let mut desk = Desk::new();
    desk.put(in_zone("job", "0 9 * * *", BERLIN));
    let (desk, same) = restarted(&desk, ZoneDb::bundled());
    assert_eq!((told(&same), kept(&same)), (vec![], vec![]));
    let (desk, changed) = restarted(&desk, berlin_as("America/New_York"));
    assert_eq!(
        told(&changed),
        ["job: time zone data changed for `Europe/Berlin` (now unknown): \
             due 2026-01-01T08:00:00Z is now due 2026-01-01T14:00:00Z"]
    );
    assert_eq!(kept(&changed), [BERLIN]);
    let (_, again) = restarted(&desk, berlin_as("America/New_York"));
    assert_eq!((told(&again), kept(&again)), (vec![], vec![]));
}

#[test]
fn the_data_of_a_zone_is_kept_when_a_job_comes_to_use_it() {
    let mut desk = Desk::new();
    let mut put = |job, zone| {
        let draft = Box::new(in_zone(job, "0 9 * * *", zone));
        let (_, decision) = desk.request(Request::PutJob { draft, dialect: Dialect::V0 });
        kept(&decision).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(put("a", BERLIN), [BERLIN]);
    assert_eq!(put("b", BERLIN), [""; 0]);
    assert_eq!(put("b", "America/New_York"), ["America/New_York"]);
    // What never changes is not kept, nor what was refused.
    for zone in ["UTC", "", "Europe/Atlantis"] {
        assert_eq!(put("c", zone), [""; 0]);
    }
    // As after the first start of a release that keeps zones: nothing is known, so nothing is told.
    let jobs: Vec<_> = desk.state.jobs().map(JobEntry::to_record).collect();
    let recovered = Recovered { jobs, last_incarnation: 9, ..Recovered::default() };
    desk.state = State::recover(Arc::new(settings()), recovered);
    let first = desk.step(&Event::Resumed { term: Term(2) });
    assert_eq!((told(&first), kept(&first)), (vec![], vec!["America/New_York", BERLIN]));
}

#[test]
fn only_jobs_that_move_are_told_and_each_by_its_first_occurrence_that_does() {
    let jobs = [
        ("daily", "0 9 * * *"),
        ("disabled", "0 10 * * *"),
        ("every five minutes", "*/5 * * * *"),
        ("every hour", "R/2026-01-01T01:00:00/PT1H"),
        ("every 24 hours since summer", "R/2025-07-01T00:00:00/PT24H"),
        ("in the morning", "0 9-11 * * *"),
        ("monthly", "R/2026-01-31T12:00:00/P1M"),
        ("new year", "0 0 1 1 *"),
    ];
    let mut desk = Desk::new();
    for (job, schedule) in jobs {
        let mut draft = in_zone(job, schedule, BERLIN);
        draft.disabled = Some(job == "disabled");
        desk.put(draft);
    }
    desk.put(in_zone("elsewhere", "0 9 * * *", "UTC"));
    // Without summer time.
    let (desk, changed) = restarted(&desk, berlin_as("Africa/Algiers"));
    let sentence = "time zone data changed for `Europe/Berlin` (now unknown)";
    let expected = [
        ("daily", "due 2026-03-29T07:00:00Z is now due 2026-03-29T08:00:00Z"),
        ("disabled", "due 2026-03-29T08:00:00Z is now due 2026-03-29T09:00:00Z"),
        ("every 24 hours since summer", "due 2026-01-01T22:00:00Z is now due 2026-01-01T23:00:00Z"),
        ("in the morning", "nothing is due 2026-03-29T07:00:00Z any more"),
        ("monthly", "due 2026-03-31T10:00:00Z is now due 2026-03-31T11:00:00Z"),
    ];
    assert_eq!(told(&changed), expected.map(|(job, what)| format!("{job}: {sentence}: {what}")));
    let (_, back) = restarted(&desk, ZoneDb::bundled());
    let morning = told(&back).into_iter().find(|line| line.starts_with("in the morning"));
    assert!(morning.unwrap().ends_with(": due 2026-03-29T07:00:00Z as well"));
}

#[test]
fn more_jobs_than_can_be_compared_at_once_are_counted() {
    let mut desk = Desk::new();
    let per_job = limits::ZONE_OCCURRENCES_PER_JOB_MAX + 1;
    let compared = limits::ZONE_OCCURRENCES_PER_TERM_MAX.div_ceil(per_job);
    for index in 0..compared + 3 {
        desk.put(in_zone(&format!("job {index}"), "* * * * *", BERLIN));
    }
    let (_, changed) = restarted(&desk, berlin_as("Africa/Algiers"));
    assert_eq!(
        told(&changed),
        ["-: time zone data changed (now unknown), and 3 more jobs in zones that it changed were \
             not compared: look at when they are due next"]
    );
}
