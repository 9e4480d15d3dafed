//! How starts are spread.

use expect_test::expect;

use super::{at, good, jittered, occurrences};
use crate::model::Duration;
use crate::schedule::{Schedule, ZoneDb};

#[test]
fn jitter_is_stable_and_differs_by_job_and_occurrence() {
    let terms = jittered("0 * * * *", "PT10M");
    let shares = |name: &str| {
        let zones = ZoneDb::bundled();
        let schedule =
            Schedule::of(name, &terms, at("2026-02-10T10:20:30.5Z"), &zones).expect("good");
        let due = occurrences(&schedule, "2026-02-10T00:00:00Z").take(4);
        due.map(|due| schedule.opens_at(due).duration_since(due).as_millis()).collect::<Vec<_>>()
    };
    assert_eq!(shares("a"), shares("a"));
    expect!["[490857, 162979, 501956, 137740] [468133, 490914, 234774, 591198]"]
        .assert_eq(&format!("{:?} {:?}", shares("a"), shares("b")));
}

#[test]
fn jitter_never_passes_the_next_occurrence() {
    for (text, jitter) in [("* * * * *", "PT1H"), ("R/2026-01-01T00:00:00Z/PT0.010S", "P1D")] {
        let schedule = good(&jittered(text, jitter));
        for due in occurrences(&schedule, "2026-02-10T00:00:00Z").take(500) {
            let next = schedule.next_after(due).expect("it has no end");
            let opens = schedule.opens_at(due);
            assert!(due <= opens && opens < next, "{text}: {due} opens {opens}");
        }
    }
}

#[test]
fn opened_through_stops_before_an_occurrence_that_waits_for_its_jitter() {
    let schedule = good(&jittered("0 * * * *", "PT10M"));
    let due = at("2026-02-10T12:00:00Z");
    let (opens, before) = (schedule.opens_at(due), at("2026-02-10T11:30:00Z"));
    assert!(due < opens);
    let ahead = opens.checked_sub(Duration::from_millis(1)).expect("an instant");
    let through = schedule.opened_through(before, ahead);
    assert!(through < due && schedule.next_after(through) == Some(due), "{through}");
    assert_eq!(schedule.opened_through(before, opens), opens);
    assert_eq!(schedule.opened_through(due, ahead), ahead);
}
