//! Jobs that are only planned, and cutting over.

use super::*;
use crate::engine::ApplyTerms;
use crate::model::Shadow;

const NONE: [&str; 0] = [];
const SKIPPED: &str = "skipped: the job is only planned here (shadow)";

fn planned(job: &str, schedule: &str) -> JobDraft {
    let mut draft = draft(job, schedule);
    draft.shadow = Some(Shadow::On);
    draft
}

fn cut_over(desk: &mut Desk, names: Option<&[&str]>, at: Option<Timestamp>) -> Reply {
    let names = names.map(|names| names.iter().map(|text| name(text)).collect());
    desk.request(Request::CutOver { names, at }).0
}

/// The stretches of a job: first and last due instant, count, verdict and reason.
fn recorded(desk: &Desk, job: &str) -> Vec<String> {
    let of_job = desk.stretches.iter().filter(|stretch| stretch.job == name(job));
    of_job
        .map(|it| {
            let (first, last) = (time(it.first_due_at), time(it.last_due_at));
            format!("{} {first} to {last} {}: {}", it.count, it.verdict.as_str(), it.reason)
        })
        .collect()
}

#[test]
fn what_is_only_planned_is_recorded_and_not_launched() {
    let mut desk = Desk::new();
    desk.put(planned("job", "R/2026-01-01T01:00:00Z/PT1H"));
    for hour in ["01", "02", "03"] {
        let _ = desk.wake(&format!("{hour}:00:00"));
    }
    assert_eq!(desk.live(), NONE);
    assert_eq!(recorded(&desk, "job"), [format!("3 01:00:00 to 03:00:00 {SKIPPED}")]);
    // It has neither failed nor succeeded, and nobody may run it by hand.
    assert_eq!(desk.state.job(&name("job")).unwrap().stats, JobStats::default());
    let reply = desk.request(Request::RunJob { name: name("job"), ask: Box::default() }).0;
    let Reply::Refused(rejection) = reply else { panic!("{reply:?}") };
    assert_eq!(rejection.field, "shadow");
}

/// Chronos has counted it before the job came here.
#[test]
fn what_was_due_before_it_was_planned_here_is_not_recorded() {
    let wide = |shadow: Shadow, schedule: &str| {
        let mut job = draft("job", schedule);
        job.epsilon = epsilon(1_800);
        job.shadow = Some(shadow);
        job
    };
    let every_minute = "R/2025-12-31T00:00:30Z/PT1M";
    let mut desk = Desk::new();
    desk.put(wide(Shadow::On, every_minute));
    let _ = desk.wake("00:00:29");
    assert_eq!(recorded(&desk, "job"), NONE);
    let _ = desk.wake("00:01:30");
    assert_eq!(recorded(&desk, "job"), [format!("2 00:00:30 to 00:01:30 {SKIPPED}")]);
    // Sent once more nothing is lost, though it is late; another schedule begins anew.
    desk.jump("00:03:40");
    desk.put(wide(Shadow::On, every_minute));
    assert_eq!(recorded(&desk, "job"), [format!("4 00:00:30 to 00:03:30 {SKIPPED}")]);
    desk.put(wide(Shadow::On, "R/2025-12-31T00:00:00Z/PT10S"));
    let _ = desk.wake("00:03:49");
    let expected = ["4 00:00:30 to 00:03:30", "1 00:03:40 to 00:03:40"];
    assert_eq!(recorded(&desk, "job"), expected.map(|it| format!("{it} {SKIPPED}")));

    // Of one that comes with its cut-over only what is due before that is the other's.
    let mut desk = Desk::new();
    desk.jump("00:10:00");
    let mut job = wide(Shadow::Until(day("00:09:00")), "R/2026-01-01T00:00:30Z/PT1M");
    job.overlap = Some(Overlap::Allow { max: None });
    desk.put(job);
    assert_eq!(desk.live(), ["00:09:30 launching"]);
    assert_eq!(recorded(&desk, "job"), NONE);
}

#[test]
fn from_the_instant_of_the_cut_over_on_everything_is_launched_and_nothing_before_it() {
    let mut desk = Desk::new();
    desk.put(planned("job", "R/2026-01-01T00:00:00Z/PT1M"));
    let _ = desk.wake("00:10:00");
    let reply = cut_over(&mut desk, None, Some(day("00:20:00")));
    let consequences = Vec::new();
    let (at, names) = (day("00:20:00"), vec![name("job")]);
    assert_eq!(reply, Reply::CutOver { at, names, consequences });
    let _ = desk.wake("00:19:59");
    assert_eq!(desk.live(), NONE);
    // Decided late, and by another process: what is before it stays the other scheduler's.
    desk.restart();
    let _ = desk.connect();
    let _ = desk.wake("00:20:00");
    assert_eq!(desk.live(), ["00:20:00 launching"]);
    assert_eq!(recorded(&desk, "job"), [format!("20 00:00:00 to 00:19:00 {SKIPPED}")]);
    let _ = desk.ends(Exit::Code(0));
    let _ = desk.wake("00:21:00");
    assert_eq!(desk.live(), ["00:21:00 launching"]);
}

#[test]
fn an_instant_that_is_over_leaves_no_gap() {
    let mut desk = Desk::new();
    desk.put(planned("job", "R/2026-01-01T01:00:00Z/PT1H"));
    desk.put(planned("rare", "R/2026-01-01T23:00:00Z/PT1H"));
    let _ = desk.wake("02:00:00");
    desk.jump("02:30:00");
    let reply = cut_over(&mut desk, None, Some(day("02:00:00")));
    let Reply::Refused(rejection) = reply else { panic!("{reply:?}") };
    assert_eq!(rejection.field, "at");
    assert!(rejection.message.contains("due 2026-01-01T02:00:00.000Z"), "{}", rejection.message);
    // All or none.
    assert_eq!(desk.state.job(&name("rare")).unwrap().job.shadow, Shadow::On);
    // The instant after it is over too, and nothing was due since.
    let reply = cut_over(&mut desk, None, Some(day("02:00:00.001")));
    assert!(matches!(reply, Reply::CutOver { .. }), "{reply:?}");
    let _ = desk.wake("03:00:00");
    assert_eq!(desk.live(), ["03:00:00 launching"]);
}

#[test]
fn jobs_are_cut_over_by_name_and_only_those_that_are_planned() {
    let mut desk = Desk::new();
    desk.put(planned("a", "R/2026-01-01T01:00:00Z/PT1H"));
    desk.put(planned("b", "R/2026-01-01T01:00:00Z/PT1H"));
    desk.put(hourly());
    assert!(matches!(cut_over(&mut desk, Some(&["a"]), None), Reply::CutOver { .. }));
    for (names, field) in [(["none"], "name"), (["job"], "jobs"), (["a"], "jobs")] {
        let reply = cut_over(&mut desk, Some(&names), None);
        let Reply::Refused(rejection) = reply else { panic!("{names:?}: {reply:?}") };
        assert_eq!(rejection.field, field, "{names:?}");
    }
    let Reply::CutOver { names, .. } = cut_over(&mut desk, None, None) else { panic!() };
    assert_eq!(names, [name("b")]);
    let version = desk.state.job(&name("a")).unwrap().version();
    assert_eq!(version.revision, 2, "it is a new revision");
    let Reply::CutOver { names, .. } = cut_over(&mut desk, None, None) else { panic!() };
    assert_eq!(names, [], "nothing is planned only");
}

/// The start of such a schedule is when the job was accepted, and stays so.
#[test]
fn a_schedule_without_a_start_keeps_its_instants() {
    let mut desk = Desk::new();
    desk.jump("00:00:30");
    desk.put(planned("job", "R//PT1M"));
    desk.jump("00:00:50");
    assert!(matches!(cut_over(&mut desk, None, None), Reply::CutOver { .. }));
    let _ = desk.wake("00:01:30");
    assert_eq!(desk.live(), ["00:01:30 launching"]);
}

#[test]
fn a_child_that_is_only_planned_is_recorded_when_its_parents_have_run() {
    let mut desk = Desk::new();
    desk.put(draft("a", "R0/2026-01-01T00:00:00Z/PT1H"));
    let mut child = planned("b", "");
    child.when = When::Parents(ParentTerms::plain(vec![name("a")]));
    desk.put(child);
    desk.jump("01:00:00");
    desk.ran("a", Exit::Code(0));
    assert_eq!(desk.live(), NONE);
    assert_eq!(recorded(&desk, "b"), [format!("1 01:00:00 to 01:00:00 {SKIPPED}")]);
    // A round that stands for an instant before the cut-over is the other scheduler's.
    assert!(matches!(cut_over(&mut desk, None, Some(day("01:30:00"))), Reply::CutOver { .. }));
    desk.jump("02:00:00");
    desk.ran("a", Exit::Code(0));
    assert_eq!(desk.live_of("b").len(), 1);
}

#[test]
fn starts_of_the_machine_are_planned_too() {
    let mut desk = Desk::new();
    desk.put(planned("job", "@reboot"));
    desk.jump("05:00:05");
    desk.load(Ok(Boot { id: "boot 2".to_owned(), at: day("05:00:00") }));
    assert_eq!(desk.live(), NONE);
    assert_eq!(recorded(&desk, "job"), [format!("1 05:00:00 to 05:00:00 {SKIPPED}")]);
}

/// Nobody may start what another scheduler runs because they do not know the word, nor take a cut-over back.
#[test]
fn whether_a_job_is_only_planned_stays_until_somebody_says_otherwise() {
    let shadow = |desk: &Desk| desk.state.job(&name("job")).unwrap().job.shadow;
    let hourly = || draft("job", "R/2026-01-01T01:00:00Z/PT1H");
    let mut desk = Desk::new();
    desk.put(planned("job", "R/2026-01-01T01:00:00Z/PT1H"));
    desk.put(hourly());
    assert_eq!(shadow(&desk), Shadow::On, "a client of Chronos knows no such word");
    let at = day("04:00:00");
    assert!(matches!(cut_over(&mut desk, None, Some(at)), Reply::CutOver { .. }));
    for again in [hourly(), planned("job", "R/2026-01-01T02:00:00Z/PT1H")] {
        desk.put(again);
        assert_eq!(shadow(&desk), Shadow::Until(at));
    }
    let drafts = vec![planned("job", "R/2026-01-01T03:00:00Z/PT1H")];
    let _ =
        desk.request(Request::Apply { drafts, dialect: Dialect::V0, terms: ApplyTerms::default() });
    assert_eq!(shadow(&desk), Shadow::Until(at));
    let mut ours = hourly();
    ours.shadow = Some(Shadow::Off);
    desk.put(ours);
    assert_eq!(shadow(&desk), Shadow::Off);
}

/// A client that has read the job in between would have both schedulers run, or neither.
#[test]
fn the_instant_of_a_cut_over_is_moved_by_cutting_over_alone() {
    let shadow = |desk: &Desk| desk.state.job(&name("job")).unwrap().job.shadow;
    let until = |time: &str| {
        let mut job = draft("job", "R/2026-01-01T01:00:00Z/PT1H");
        job.shadow = Some(Shadow::Until(day(time)));
        job
    };
    let mut desk = Desk::new();
    desk.put(planned("job", "R/2026-01-01T01:00:00Z/PT1H"));
    let _ = desk.wake("02:00:00");
    let refuse = |desk: &mut Desk, time: &str, stored: Shadow| {
        let drafts = vec![until(time)];
        let replies = [
            desk.put(until(time)),
            desk.request(Request::Apply {
                drafts,
                dialect: Dialect::V1,
                terms: ApplyTerms::default(),
            })
            .0,
        ];
        for reply in replies {
            let rejection = match reply {
                Reply::Refused(rejection) => rejection,
                Reply::ApplyRefused(refused) => refused.into_iter().next().unwrap().1,
                other => panic!("{other:?}"),
            };
            assert_eq!(rejection.field, "shadow");
            assert!(rejection.remedy.contains("POST cutover"), "{rejection:?}");
            assert_eq!(shadow(desk), stored);
        }
    };
    // What was due since then is recorded as planned: nobody would have run it.
    refuse(&mut desk, "00:30:00", Shadow::On);
    refuse(&mut desk, "04:00:00", Shadow::On);
    for time in ["04:00:00", "06:00:00"] {
        let at = Some(day(time));
        assert!(matches!(cut_over(&mut desk, None, at), Reply::CutOver { .. }), "{time}");
    }
    let stored = Shadow::Until(day("06:00:00"));
    refuse(&mut desk, "04:00:00", stored);
    refuse(&mut desk, "07:00:00", stored);
    // The same is no change, and `false` is said on purpose.
    assert!(matches!(desk.put(until("06:00:00")), Reply::Stored { .. }));
    let mut ours = draft("job", "R/2026-01-01T01:00:00Z/PT1H");
    ours.shadow = Some(Shadow::Off);
    desk.put(ours);
    assert_eq!(shadow(&desk), Shadow::Off);
    // One that is launched here may be handed to another scheduler.
    assert!(matches!(desk.put(until("07:00:00")), Reply::Stored { .. }));
}

#[test]
fn who_takes_over_children_is_told_that_their_parents_are_strangers() {
    let mut desk = Desk::new();
    desk.put(planned("a", "R/2026-01-01T01:00:00Z/PT1H"));
    let mut child = planned("b", "");
    child.when = When::Parents(ParentTerms::plain(vec![name("a")]));
    desk.put(child);
    let Reply::CutOver { consequences, .. } = cut_over(&mut desk, None, None) else { panic!() };
    assert_eq!(consequences.len(), 1);
    assert!(consequences[0].starts_with("`b` runs after `a`: what they did"), "{consequences:?}");
    // Marking the parent lets the child follow.
    assert!(matches!(
        desk.request(Request::MarkSuccess { name: name("a") }).0,
        Reply::Marked { .. }
    ));
    assert_eq!(desk.live_of("b").len(), 1);
}
