//! How many messages an address gets.

use super::*;

/// Jobs that fail one after the other, a minute apart.
fn fail(office: &mut Office, names: &[&str]) -> Vec<String> {
    let mut said = Vec::new();
    for name in names {
        said.extend(office.raise(&[failed(name)]));
        office.pass(MINUTE);
    }
    said
}

#[test]
fn after_a_burst_the_rest_is_one_digest_until_the_first_of_it_has_left_the_window() {
    let mut office = Office::new();
    let begun = office.now;
    assert_eq!(fail(&mut office, &["a", "b", "c", "d", "e"]).len(), 5);
    assert_eq!(
        fail(&mut office, &["f", "g"]),
        ["held digest to mail:ops of i6: failed f", "held digest to mail:ops: failed f, failed g"]
    );
    // Recoveries and reminders too.
    assert_eq!(
        office.raise(&[of(AlertKind::Recovered, "a")]),
        ["held digest to mail:ops: failed f, failed g, recovered a"]
    );
    let until = begun.saturating_add(Duration::from_mins(10)).unwrap();
    assert_eq!(office.wake_at(), Some(until));
    office.now = until;
    assert_eq!(office.wake(), ["due digest to mail:ops: failed f, failed g, recovered a"]);
    let digest = office.notification(6);
    assert_eq!((digest.made_at, digest.delivery), (until, Delivery::Due { at: until }));
    assert_eq!(office.wake_at(), None);
}

#[test]
fn other_addresses_are_told_meanwhile() {
    let mut office = Office::new();
    fail(&mut office, &["a", "b", "c", "d", "e", "f"]);
    assert_eq!(
        office.raise(&[about(AlertKind::Failed, Some(job("a2", "dev")), None)]),
        ["due alert to mail:dev of i7: failed a2"]
    );
}

#[test]
fn two_digests_are_a_window_apart() {
    let mut office = Office::new();
    fail(&mut office, &["a", "b", "c", "d", "e", "f"]);
    office.pass(Duration::from_mins(4));
    office.wake();
    let first = office.notification(6).made_at;
    office.all_arrive();
    // The first of the burst has left the window: one more can go.
    assert_eq!(
        office.raise(&[failed("g"), failed("h")]),
        ["due alert to mail:ops of i7: failed g", "held digest to mail:ops of i8: failed h"]
    );
    let Delivery::Held { until } = office.notification(8).delivery else { panic!() };
    assert_eq!(until, first.saturating_add(Duration::from_mins(10)).unwrap());
}

#[test]
fn a_digest_names_a_thousand_alerts_and_counts_the_others() {
    let mut office = Office::new();
    office.terms.burst = 0;
    let names: Vec<String> = (0..1_005).map(|number| format!("j{number:04}")).collect();
    for name in &names {
        office.raise(&[failed(name)]);
    }
    let digest = office.notification(1);
    assert_eq!((digest.alerts.len(), digest.left_out), (1_000, 5));
    office.pass(Duration::from_mins(10));
    assert_eq!(office.wake().len(), 1);
    assert_eq!(office.stored.notifications.len(), 1);
}

#[test]
fn a_digest_that_is_about_one_incident_says_so() {
    let mut office = Office::new();
    fail(&mut office, &["a", "b", "c", "d", "e", "f"]);
    assert_eq!(office.notification(6).incident, Some(IncidentId(6)));
    office.raise(&[of(AlertKind::Missed, "f")]);
    assert_eq!(office.notification(6).incident, Some(IncidentId(6)));
    office.raise(&[of(AlertKind::BackfillFinished, "f")]);
    assert_eq!(office.notification(6).incident, None);
}

#[test]
fn an_address_at_which_nothing_arrives_gets_no_more_than_two_bursts_and_one_digest() {
    let mut office = Office::new();
    for number in 0..200 {
        office.raise(&[failed(&format!("j{number}"))]);
        office.wake();
        office.pass(MINUTE);
    }
    let outbox: Vec<&Notification> = office.desk.outbox().collect();
    assert_eq!(outbox.len(), 11);
    let named: usize = outbox.iter().map(|one| one.alerts.len()).sum();
    assert_eq!(named, 200);
    assert!(office.wake_at().unwrap() > office.now.saturating_sub(MINUTE).unwrap());
    // Once they arrive, the digest can go.
    office.all_arrive();
    office.pass(Duration::from_mins(10));
    office.wake();
    office.all_arrive();
    assert_eq!(office.desk.outbox().count(), 0);
}

#[test]
fn many_digests_that_fall_due_at_once_are_dealt_with_one_lot_after_the_other() {
    let mut office = Office::new();
    office.terms.burst = 0;
    let many = WOKEN_MAX + 100;
    let of = |number| about(AlertKind::Failed, Some(job("a", &format!("o{number}"))), None);
    office.raise(&(0..many).map(of).collect::<Vec<_>>());
    office.now = office.wake_at().unwrap();
    assert_eq!(office.wake().len(), WOKEN_MAX);
    assert_eq!(office.wake_at(), Some(office.now));
    assert_eq!(office.wake().len(), 100);
    assert_eq!(office.wake_at(), None);
    // Each is tried in a time that a clock which was set back makes wrong.
    office.now = office.now.saturating_sub(Duration::from_hours(9)).unwrap();
    assert_eq!(office.wake().len(), WOKEN_MAX);
    assert_eq!(office.wake().len(), 100);
    assert_eq!(office.wake_at(), None);
}

#[test]
fn a_clock_that_was_set_back_holds_nothing_up() {
    let mut office = Office::new();
    fail(&mut office, &["a", "b", "c", "d", "e", "f"]);
    office.all_arrive();
    office.now = office.now.saturating_sub(Duration::from_hours(1_000)).unwrap();
    assert_eq!(office.wake_at(), Some(office.now));
    assert_eq!(office.wake(), ["due digest to mail:ops of i6: failed f"]);
    // The burst counts as if it were made when the digest was.
    let until = office.now.saturating_add(Duration::from_mins(10)).unwrap();
    assert_eq!(fail(&mut office, &["g"]), ["held digest to mail:ops of i7: failed g"]);
    assert_eq!(office.wake_at(), Some(until));
    office.pass(Duration::from_mins(9));
    assert_eq!(office.wake().len(), 1);
    office.pass(Duration::from_mins(1));
    assert_eq!(fail(&mut office, &["h"]), ["due alert to mail:ops of i8: failed h"]);
}

#[test]
fn a_burst_can_be_larger_but_not_without_end() {
    let mut office = Office::new();
    office.terms.burst = 1_000;
    let held = |office: &mut Office, number| {
        let said = office.raise(&[failed(&format!("j{number}"))]);
        said[0].starts_with("held")
    };
    let first = (0..1_000).find(|number| held(&mut office, *number));
    assert_eq!(first, Some(usize::try_from(BURST_MAX).unwrap()));
}
