//! Forecasts: that they name what is decided, and their bounds.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::engine::forecast::{Forecast, plans};
use crate::model::{Calendar, CalendarUse, DstPolicy, FoldPolicy, GapPolicy};

/// What is decided of an occurrence: whose it is, when it was due, and when it was decided.
type Decided = (String, Timestamp, Timestamp);

fn forecast(desk: &Desk, from: Timestamp, to: Timestamp) -> Forecast {
    Forecast::of(plans(&desk.state, None), from, to, usize::MAX)
}

/// The agent ends everything that it has, with success.
fn end_all(desk: &mut Desk) {
    let live = desk.state.runs().filter_map(Run::live_attempt);
    for task in live.map(|attempt| attempt.task_id.clone()).collect::<Vec<_>>() {
        let ended = desk.ended(Exit::Code(0));
        let _ = desk.report(&task, ended);
    }
}

/// Lets the clock go from wake-up to wake-up, with an agent that ends everything at once.
fn replay(desk: &mut Desk, to: Timestamp) -> Vec<Decided> {
    let known = desk.ended.len();
    while let Some(at) = desk.state.wake_at().wall.filter(|at| *at < to) {
        let passed = at.duration_since(desk.now.wall);
        desk.now = Now { wall: at, boot: desk.now.boot.saturating_add(passed) };
        let _ = desk.handle(&Event::Woke);
        end_all(desk);
    }
    let runs = desk.ended[known..].iter();
    let mut decided: Vec<Decided> =
        runs.map(|run| (run.job.to_string(), run.trigger.due_at(), run.created_at)).collect();
    decided.sort_by(|a, b| (a.2, a.1, &a.0).cmp(&(b.2, b.1, &b.0)));
    decided
}

fn expected(forecast: &Forecast) -> Vec<Decided> {
    let starts = forecast.starts.iter();
    starts.map(|s| (s.job.to_string(), s.opening.due_at, s.opening.opens_at)).collect()
}

fn period(text: &str) -> Period {
    Period { text: text.to_owned(), span: crate::schedule::parse_period(text).unwrap() }
}

fn calendar(usage: CalendarUse, weekdays: &[&str], windows: &[&str]) -> Calendar {
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
    let (weekdays, windows) = (texts(weekdays), texts(windows));
    Calendar { name: "times".to_owned(), usage, dates: Vec::new(), weekdays, windows }
}

fn terms() -> impl Strategy<Value = ScheduleTerms> {
    let texts = select(vec![
        "*/15 * * * *",
        "30 2 * * *",
        "7,37 1-3 * * *",
        "0 12 * * MON-FRI",
        "@hourly",
        "0 0 * * *",
        "R/2026-01-01T00:10:00Z/PT17M",
        "R/2025-10-26T02:30:00/P1D",
        "R2500/2025-12-01T00:00:00Z/PT3H",
        "R/2026-01-01T00:00:07.250Z/PT1H13M",
    ]);
    let zones = select(vec!["", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]);
    let jitters = select(vec![None, None, Some("PT0S"), Some("PT40S"), Some("PT10M"), Some("P1D")]);
    let dst = select(vec![
        DstPolicy::default(),
        DstPolicy { gap: Some(GapPolicy::Skip), fold: Some(FoldPolicy::Both) },
        DstPolicy { gap: Some(GapPolicy::Shift), fold: Some(FoldPolicy::Last) },
        DstPolicy { gap: Some(GapPolicy::After), fold: None },
    ]);
    let calendars = select(vec![
        None,
        None,
        None,
        Some(calendar(CalendarUse::OnlyIn, &[], &["22:00/04:00"])),
        Some(calendar(CalendarUse::NeverIn, &["SAT-SUN"], &[])),
        Some(calendar(CalendarUse::NeverIn, &["MON"], &["02:15/02:45"])),
    ]);
    let not_after = select(vec!["", "", "", "2026-03-29T08:00:00Z", "2026-10-25T03:00:00Z"]);
    (texts, zones, jitters, dst, calendars, not_after).prop_map(
        |(text, zone, jitter, dst, calendar, not_after)| ScheduleTerms {
            dst,
            jitter: jitter.map(period),
            not_after: not_after.to_owned(),
            calendars: calendar.into_iter().collect(),
            ..ScheduleTerms::plain(text, zone)
        },
    )
}

/// Beginnings: plain days, and days on which clocks change in some of the zones.
fn begin() -> impl Strategy<Value = Timestamp> {
    let days = select(vec![
        "2026-01-01T00:00:00Z",
        "2026-03-07T20:00:00Z",
        "2026-03-28T18:00:00Z",
        "2026-04-04T10:00:00Z",
        "2026-10-03T11:00:00Z",
        "2026-10-24T20:00:00Z",
    ]);
    (days, 0..7_200_000_i64)
        .prop_map(|(day, millis)| at(day).checked_add(Duration::from_millis(millis)).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Both ask one `Schedule`, so what is forecast is what is decided, at that very millisecond.
    #[test]
    fn forecast_and_engine_agree(
        jobs in proptest::collection::vec((terms(), prop::bool::weighted(0.15)), 1..6),
        begin in begin(),
        hours in 1..40_i64,
    ) {
        let mut desk = Desk::new();
        desk.jump_to(begin);
        for (index, (terms, disabled)) in jobs.into_iter().enumerate() {
            let mut draft = draft(&format!("job{index}"), "");
            draft.when = When::Schedule(terms);
            draft.overlap = Some(Overlap::Allow { max: None });
            draft.disabled = Some(disabled);
            // Calendars may leave nothing of a schedule, which is refused.
            let _ = desk.put(draft);
        }
        // What was due already is decided by now.
        end_all(&mut desk);
        let to = begin.checked_add(Duration::from_hours(hours)).unwrap();
        let forecast = forecast(&desk, begin, to);
        prop_assert!(forecast.complete);
        prop_assert_eq!(forecast.total, u64::try_from(forecast.starts.len()).unwrap());
        let counted: u64 = forecast.minutes.iter().map(|minute| minute.count).sum();
        prop_assert_eq!(forecast.total, counted);
        prop_assert_eq!(expected(&forecast), replay(&mut desk, to));
    }
}

#[test]
fn what_is_decided_is_not_to_come_and_a_later_beginning_finds_the_same() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let all = forecast(&desk, at(BEGIN), day("06:00:00"));
    assert_eq!(all.total, 5, "from one o'clock, without the end");
    let _ = desk.wake("02:00:00");
    let _ = desk.ends(Exit::Code(0));
    assert_eq!(forecast(&desk, at(BEGIN), day("06:00:00")).starts, all.starts[2..]);
    assert_eq!(forecast(&desk, day("04:00:00"), day("06:00:00")).starts, all.starts[3..]);
    assert_eq!(forecast(&desk, day("04:00:00.001"), day("05:00:00.001")).starts, all.starts[4..]);
}

#[test]
fn an_occurrence_that_is_due_and_waits_for_its_jitter_is_still_to_come() {
    let mut desk = Desk::new();
    let mut job = hourly();
    let jitter = Some(period("PT50M"));
    let terms = ScheduleTerms { jitter, ..ScheduleTerms::plain("R/2026-01-01T01:00:00Z/PT1H", "") };
    job.when = When::Schedule(terms);
    desk.put(job);
    let all = forecast(&desk, at(BEGIN), day("23:00:00"));
    for start in &all.starts {
        let opens_at = start.opening.opens_at;
        let later = opens_at.checked_add(Duration::from_millis(1)).unwrap();
        assert_eq!(forecast(&desk, opens_at, later).starts, std::slice::from_ref(start));
        let rest = forecast(&desk, later, day("23:00:00"));
        assert!(rest.starts.iter().all(|rest| rest.opening.due_at > start.opening.due_at));
    }
}

#[test]
fn a_year_of_many_starts_is_bounded_and_keeps_its_most_crowded_minutes() {
    let mut desk = Desk::new();
    desk.put(draft("often", "R/2026-01-01T00:00:00Z/PT10S"));
    desk.put(draft("noon", "R/2026-01-01T12:00:30Z/P1D"));
    let to = at(BEGIN).checked_add(Duration::from_hours(366 * 24)).unwrap();
    let forecast = Forecast::of(plans(&desk.state, None), at(BEGIN), to, 3);
    assert_eq!((forecast.total, forecast.complete), (limits::FORECAST_COUNTED_MAX, false));
    assert_eq!((forecast.starts.len(), forecast.minutes.len()), (3, limits::FORECAST_MINUTES_MAX));
    let noons: Vec<_> = forecast.minutes.iter().filter(|minute| minute.count == 7).collect();
    assert!(noons.len() > 100, "{}", noons.len());
    assert_eq!(noons[0].jobs, [name("often"), name("noon")]);
    assert_eq!(forecast.crowded.as_ref(), Some(noons[0]));
    assert!(forecast.minutes.windows(2).all(|pair| pair[0].at < pair[1].at));
}
