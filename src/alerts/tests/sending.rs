//! What becomes of a notification.

use super::*;

fn no() -> Outcome {
    Outcome::Failed { problem: "no answer".to_owned() }
}

fn one_due() -> Office {
    let mut office = Office::new();
    office.raise(&[failed("a")]);
    office
}

#[test]
fn what_has_arrived_is_over() {
    let mut office = one_due();
    assert_eq!(office.tried(1, Outcome::Arrived), ["delivered alert to mail:ops of i1: failed a"]);
    let notification = office.notification(1);
    assert_eq!(
        (notification.tries, notification.delivery),
        (1, Delivery::Delivered { at: office.now })
    );
    assert_eq!(office.desk.outbox().count(), 0);
    for outcome in [Outcome::Arrived, no()] {
        assert_eq!(office.tried(1, outcome), [""; 0], "it is over");
    }
}

#[test]
fn what_has_not_arrived_is_tried_again_after_pauses_that_double_up_to_the_longest() {
    let mut office = one_due();
    let mut pauses = Vec::new();
    for _ in 0..9 {
        office.tried(1, no());
        let Delivery::Due { at } = office.notification(1).delivery else { panic!() };
        pauses.push(at.duration_since(office.now).as_secs());
        office.now = at;
    }
    assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
    assert_eq!(office.notification(1).problem, "no answer");
    office.tried(1, Outcome::Arrived);
    assert_eq!((office.notification(1).tries, office.notification(1).problem.as_str()), (10, ""));
}

#[test]
fn what_was_tried_for_three_days_is_given_up_after_a_last_try() {
    let mut office = one_due();
    let made_at = office.now;
    while let Delivery::Due { at } = office.notification(1).delivery {
        office.now = at;
        office.tried(1, no());
    }
    assert_eq!(office.now, made_at.saturating_add(Duration::from_hours(72)).unwrap());
    assert_eq!(office.notification(1).delivery, Delivery::GivenUp { at: office.now });
    // It can be seen, and tried once more.
    assert!(office.desk.notification(NotificationId(1)).is_some());
    office.pass(HOUR);
    let said = office.take(&retry(&office.desk, office.now, NotificationId(1)));
    assert_eq!(said, ["due alert to mail:ops of i1: failed a"]);
    office.tried(1, no());
    assert_eq!(office.notification(1).delivery, Delivery::GivenUp { at: office.now });
    office.take(&retry(&office.desk, office.now, NotificationId(1)));
    office.tried(1, Outcome::Arrived);
    assert_eq!(office.notification(1).delivery, Delivery::Delivered { at: office.now });
}

#[test]
fn what_is_refused_for_good_is_given_up_at_once() {
    let mut office = one_due();
    let problem = "ü".repeat(PROBLEM_BYTES_MAX);
    assert_eq!(
        office.tried(1, Outcome::Refused { problem }),
        ["given up alert to mail:ops of i1: failed a"]
    );
    assert_eq!(office.notification(1).problem.len(), PROBLEM_BYTES_MAX);
    // A try that was on its way meanwhile.
    assert_eq!(office.tried(1, no()), [""; 0]);
    assert_eq!(office.tried(1, Outcome::Arrived), ["delivered alert to mail:ops of i1: failed a"]);
}

#[test]
fn a_try_can_be_asked_for_before_its_time() {
    let mut office = one_due();
    office.tried(1, no());
    office.take(&retry(&office.desk, office.now, NotificationId(1)));
    assert_eq!(office.notification(1).delivery, Delivery::Due { at: office.now });
    assert_eq!(retry(&office.desk, office.now, NotificationId(7)), []);
    office.terms.burst = 0;
    office.raise(&[failed("b")]);
    assert_eq!(retry(&office.desk, office.now, NotificationId(2)), [], "it collects");
    assert_eq!(office.tried(2, Outcome::Arrived), [""; 0]);
}

#[test]
fn a_clock_that_was_set_back_delays_no_try() {
    let mut office = one_due();
    office.tried(1, no());
    assert_eq!(office.wake_at(), None);
    office.now = office.now.saturating_sub(Duration::from_hours(1_000)).unwrap();
    assert_eq!(office.wake_at(), Some(office.now));
    office.wake();
    assert_eq!(office.notification(1).delivery, Delivery::Due { at: office.now });
    assert_eq!(office.wake_at(), None);
    // Nor does it give more time.
    let set_back_to = office.now;
    while let Delivery::Due { at } = office.notification(1).delivery {
        office.now = at;
        office.tried(1, no());
    }
    assert_eq!(office.now, set_back_to.saturating_add(Duration::from_hours(72)).unwrap());
}
