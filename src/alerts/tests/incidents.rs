//! What opens, joins and closes incidents, and what is told of them.

use super::*;

#[test]
fn trouble_of_a_job_opens_an_incident_and_more_of_it_joins() {
    let mut office = Office::new();
    assert_eq!(office.raise(&[failed("a")]), ["due alert to mail:ops of i1: failed a"]);
    assert_eq!(office.raise(&[failed("a")]), [""; 0]);
    assert_eq!(office.raise(&[failed("b")]), ["due alert to mail:ops of i2: failed b"]);
    let incident = office.incident(1);
    assert_eq!(incident.key, IncidentKey::Job(name("a")));
    assert_eq!((incident.alerts, incident.untold), (2, 1));
    assert_eq!(incident.latest, [AlertId(1), AlertId(2)]);
    assert_eq!(office.incident(2).alerts, 1);
}

#[test]
fn trouble_with_one_cause_is_one_incident_and_each_job_is_named_once() {
    let mut office = Office::new();
    let lost = |name, owner| about(AlertKind::Failed, Some(job(name, owner)), Some("agent s1"));
    assert_eq!(
        office.raise(&[lost("a", "ops"), lost("b", "ops"), lost("c", "dev"), lost("a", "ops")]),
        [
            "due alert to mail:ops of i1: failed a",
            "due alert to mail:ops of i1: failed b",
            "due alert to mail:dev of i1: failed c",
        ]
    );
    let incident = office.incident(1);
    assert_eq!(incident.key, IncidentKey::Cause("agent s1".to_owned()));
    assert_eq!((incident.alerts, incident.untold, incident.jobs.len()), (4, 1, 3));
}

#[test]
fn trouble_of_the_scheduler_without_a_cause_has_its_kind_as_one() {
    let mut office = Office::new();
    office.raise(&[about(AlertKind::LauncherGone, None, None)]);
    assert_eq!(office.incident(1).key, IncidentKey::Cause("launcherGone".to_owned()));
    office.raise(&[about(AlertKind::Recovered, None, Some("launcherGone"))]);
    assert_eq!(office.incident(1).closed_at, Some(office.now));
}

#[test]
fn news_has_no_incident() {
    let mut office = Office::new();
    for (kind, text) in [
        (AlertKind::Disabled, "due alert to mail:ops: disabled a"),
        (AlertKind::Exhausted, "due alert to mail:ops: exhausted a"),
        (AlertKind::BackfillFinished, "due alert to mail:ops: backfillFinished a"),
        (AlertKind::Deleted, "due alert to mail:ops: deleted a"),
    ] {
        assert_eq!(office.raise(&[of(kind, "a")]), [text]);
    }
    assert!(office.stored.incidents.is_empty());
    // Nothing can be deleted or recover without a name.
    assert_eq!(office.raise(&[about(AlertKind::Deleted, None, None)]), [""; 0]);
    assert_eq!(office.raise(&[about(AlertKind::Recovered, None, None)]), [""; 0]);
}

#[test]
fn news_of_a_job_in_trouble_joins_its_incident_and_is_told_at_once() {
    let mut office = Office::new();
    office.raise(&[failed("a")]);
    assert_eq!(
        office.raise(&[of(AlertKind::Disabled, "a")]),
        ["due alert to mail:ops of i1: disabled a"]
    );
    assert_eq!(
        office.raise(&[of(AlertKind::BackfillFinished, "a")]),
        ["due alert to mail:ops: backfillFinished a"]
    );
    // Also that of a cause, if it has none of its own.
    office.raise(&[about(AlertKind::Failed, Some(job("b", "ops")), Some("disk"))]);
    assert_eq!(
        office.raise(&[of(AlertKind::Exhausted, "b")]),
        ["due alert to mail:ops of i2: exhausted b"]
    );
    assert_eq!(office.incident(2).alerts, 2);
}

#[test]
fn a_further_kind_of_trouble_is_told_at_once_with_what_was_not_told() {
    let mut office = Office::new();
    office.raise(&[of(AlertKind::LateStart, "a")]);
    office.raise(&[of(AlertKind::LateStart, "a")]);
    assert_eq!(
        office.raise(&[failed("a")]),
        ["due alert to mail:ops of i1: lateStart a, failed a"]
    );
    assert_eq!(office.incident(1).untold, 0);
    assert_eq!(office.incident(1).kind, AlertKind::LateStart);
}

#[test]
fn what_repeats_is_told_as_one_reminder_after_an_hour_with_what_came_since() {
    let mut office = Office::new();
    office.raise(&[failed("a")]);
    for _ in 0..6 {
        office.pass(Duration::from_mins(9));
        assert_eq!(office.raise(&[failed("a")]), [""; 0]);
    }
    office.pass(Duration::from_secs(359));
    assert_eq!(office.raise(&[failed("a")]), [""; 0]);
    office.pass(Duration::from_secs(1));
    // Seven were counted, of which the last five are known.
    assert_eq!(
        office.raise(&[failed("a")]),
        [
            "due reminder to mail:ops of i1: failed a, failed a, failed a, failed a, failed a, failed a +2"
        ]
    );
    assert_eq!(office.notification(2).alerts.last(), Some(&AlertId(9)));
    assert_eq!(office.incident(1).untold, 0);
    office.pass(MINUTE);
    assert_eq!(office.raise(&[failed("a")]), [""; 0]);
    // Nothing came meanwhile: nothing but the alert that reminds.
    office.raise(&[of(AlertKind::Recovered, "a"), failed("a")]);
    office.pass(HOUR);
    assert_eq!(office.raise(&[failed("a")]), ["due reminder to mail:ops of i2: failed a"]);
}

#[test]
fn an_address_that_an_alert_reaches_first_is_told_at_once() {
    let mut office = Office::new();
    office.raise(&[about(AlertKind::Failed, Some(job("a", "ops")), None)]);
    assert_eq!(
        office.raise(&[about(AlertKind::Failed, Some(job("a", "ops, dev")), None)]),
        ["due alert to mail:dev of i1: failed a"]
    );
    assert_eq!(office.incident(1).told.len(), 2);
    // For the first address that alert was one more.
    assert_eq!(office.incident(1).untold, 1);
}

#[test]
fn of_a_cause_each_is_reminded_of_the_own_jobs_only() {
    let mut office = Office::new();
    let lost = |name, owner| about(AlertKind::Failed, Some(job(name, owner)), Some("agent s1"));
    office.raise(&[lost("a", "ops"), lost("c", "dev")]);
    office.raise(&[lost("c", "dev")]);
    office.pass(HOUR);
    assert_eq!(
        office.raise(&[lost("a", "ops")]),
        ["due reminder to mail:dev of i1: failed c", "due reminder to mail:ops of i1: failed a"]
    );
}

#[test]
fn who_is_told_of_something_else_is_told_no_number_of_what_waits() {
    let mut office = Office::new();
    let lost = |name, owner| about(AlertKind::Failed, Some(job(name, owner)), Some("agent s1"));
    let repeated: Vec<Raised> = (0..10).map(|_| lost("c", "dev")).collect();
    office.raise(&repeated);
    assert_eq!(office.raise(&[lost("a", "ops")]), ["due alert to mail:ops of i1: failed a"]);
    // Nine, and the one that others were told of.
    assert_eq!(office.incident(1).untold, 10);
    office.pass(HOUR);
    assert_eq!(
        office.raise(&[lost("c", "dev")]),
        [
            "due reminder to mail:dev of i1: failed c, failed c, failed c, failed c, failed c +5",
            "due reminder to mail:ops of i1: failed a +5"
        ]
    );
}

#[test]
fn one_recovery_goes_to_all_who_were_told() {
    let mut office = Office::new();
    office.raise(&[about(AlertKind::Failed, Some(job("a", "ops, dev")), None)]);
    office.pass(MINUTE);
    // Whoever owns it now.
    assert_eq!(
        office.raise(&[about(AlertKind::Recovered, Some(job("a", "new")), None)]),
        [
            "due recovery to mail:dev of i1: recovered a",
            "due recovery to mail:ops of i1: recovered a"
        ]
    );
    let incident = office.incident(1);
    assert_eq!((incident.closed_at, incident.jobs.len()), (Some(office.now), 0));
    assert_eq!(office.raise(&[of(AlertKind::Recovered, "a")]), [""; 0]);
    assert_eq!(office.stored.alerts.len(), 2, "recovered without an incident is nothing");
    // The next trouble is another incident.
    assert_eq!(office.raise(&[failed("a")]), ["due alert to mail:ops of i2: failed a"]);
}

#[test]
fn who_was_not_told_hears_of_no_recovery() {
    let mut office = Office::new();
    let nobodys = |kind| about(kind, Some(job("a", "")), None);
    assert_eq!(office.raise(&[nobodys(AlertKind::Failed)]), [""; 0]);
    assert_eq!(office.raise(&[nobodys(AlertKind::Recovered)]), [""; 0]);
    assert!(office.incident(1).closed_at.is_some());
    assert_eq!(office.stored.alerts.len(), 2, "all the same it is stored");
}

#[test]
fn the_last_job_out_closes_the_incident_of_a_cause() {
    let mut office = Office::new();
    let lost = |name, owner| about(AlertKind::Failed, Some(job(name, owner)), Some("agent s1"));
    office.raise(&[lost("a", "ops"), lost("b", "dev"), failed("a")]);
    // Its own incident is over, that of the cause is not.
    assert_eq!(
        office.raise(&[of(AlertKind::Recovered, "a")]),
        ["due recovery to mail:ops of i2: recovered a"]
    );
    assert_eq!(office.incident(1).jobs.len(), 1);
    assert_eq!(
        office.raise(&[of(AlertKind::Recovered, "b")]),
        [
            "due recovery to mail:dev of i1: recovered b",
            "due recovery to mail:ops of i1: recovered b"
        ]
    );
    assert!(office.incident(1).closed_at.is_some());
}

#[test]
fn a_cause_that_is_over_closes_its_incident_whatever_jobs_it_has() {
    let mut office = Office::new();
    let lost = |name| about(AlertKind::Failed, Some(job(name, "ops")), Some("agent s1"));
    office.raise(&[about(AlertKind::AgentLost, None, Some("agent s1")), lost("a"), lost("b")]);
    assert_eq!(
        office.raise(&[about(AlertKind::Recovered, None, Some("agent s1"))]),
        ["due recovery to mail:ops of i1: recovered"]
    );
    assert!(office.incident(1).closed_at.is_some());
    assert_eq!(office.desk.incidents_of(&name("a")).count(), 0);
    assert_eq!(office.raise(&[about(AlertKind::Recovered, None, Some("agent s2"))]), [""; 0]);
}

#[test]
fn what_a_deleted_job_was_in_is_over_without_a_recovery() {
    let mut office = Office::new();
    office.raise(&[failed("a")]);
    assert_eq!(
        office.raise(&[about(AlertKind::Deleted, Some(job("a", "dev")), None)]),
        ["due alert to mail:dev of i1: deleted a", "due alert to mail:ops of i1: deleted a"]
    );
    assert!(office.incident(1).closed_at.is_some());
}

#[test]
fn a_deleted_job_leaves_what_a_cause_hit() {
    let mut office = Office::new();
    let lost = |name| about(AlertKind::Failed, Some(job(name, "ops")), Some("agent s1"));
    office.raise(&[lost("a"), lost("b")]);
    assert_eq!(office.raise(&[of(AlertKind::Deleted, "a")]), ["due alert to mail:ops: deleted a"]);
    assert!(office.incident(1).closed_at.is_none());
    // Others were waiting for the end of it.
    assert_eq!(
        office.raise(&[of(AlertKind::Deleted, "b")]),
        ["due alert to mail:ops: deleted b", "due recovery to mail:ops of i1: recovered b"]
    );
}

#[test]
fn what_happens_in_one_decision_is_as_if_it_came_one_after_the_other() {
    let all = [failed("a"), of(AlertKind::Recovered, "a"), failed("a"), failed("a"), failed("b")];
    let mut at_once = Office::new();
    at_once.raise(&all);
    let mut one_by_one = Office::new();
    all.iter().for_each(|one| {
        one_by_one.raise(std::slice::from_ref(one));
    });
    assert_eq!(at_once.desk, one_by_one.desk);
    assert_eq!(at_once.stored.notifications, one_by_one.stored.notifications);
}

#[test]
fn a_reminder_of_a_clock_that_was_set_back_comes_an_hour_later_all_the_same() {
    let mut office = Office::new();
    office.raise(&[failed("a")]);
    office.now = office.now.saturating_sub(Duration::from_hours(1_000)).unwrap();
    assert_eq!(office.raise(&[failed("a")]), [""; 0]);
    office.pass(HOUR);
    assert_eq!(
        office.raise(&[failed("a")]),
        ["due reminder to mail:ops of i1: failed a, failed a"]
    );
}
