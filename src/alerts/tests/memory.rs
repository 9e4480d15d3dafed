//! What is kept, what is forgotten, and that a recovered desk is the one that was lost.

use super::*;

fn check_recovery(office: &Office) {
    assert_eq!(Desk::recover(office.stored.recovered()), office.desk);
}

#[test]
fn what_is_over_leaves_the_desk() {
    let mut office = Office::new();
    office.raise(&[failed("a"), of(AlertKind::BackfillFinished, "b")]);
    office.all_arrive();
    // The incident is open, and keeps its alert.
    assert_eq!(office.desk.notifications().count(), 0);
    assert!(office.desk.alert(AlertId(1)).is_some());
    assert!(office.desk.alert(AlertId(2)).is_none());
    office.raise(&[of(AlertKind::Recovered, "a")]);
    // It is put right, but that is not told yet.
    assert!(office.desk.incident(IncidentId(1)).is_some());
    assert!(office.desk.open_incident(&IncidentKey::Job(name("a"))).is_none());
    check_recovery(&office);
    office.all_arrive();
    assert!(office.desk.incident(IncidentId(1)).is_none());
    assert_eq!(office.desk.alert(AlertId(1)), None);
    assert_eq!(office.desk.last_ids(), LastIds { alert: 3, incident: 1, notification: 3 });
    check_recovery(&office);
}

#[test]
fn an_alert_that_nobody_is_told_of_is_not_kept() {
    let mut office = Office::new();
    office.raise(&[of(AlertKind::Retried, "a"), about(AlertKind::LeaderChanged, None, None)]);
    assert_eq!(office.stored.alerts.len(), 2);
    assert_eq!(office.desk.alert(AlertId(1)), None);
    assert_eq!(office.desk.last_ids().alert, 2);
    check_recovery(&office);
}

#[test]
fn an_incident_keeps_its_latest_alerts() {
    let mut office = Office::new();
    for _ in 0..10 {
        office.raise(&[failed("a")]);
    }
    office.all_arrive();
    let latest: Vec<AlertId> = (6..=10).map(AlertId).collect();
    assert_eq!(office.desk.incident(IncidentId(1)).unwrap().latest, latest);
    assert_eq!(office.desk.alert(AlertId(5)), None);
    assert!(office.desk.alert(AlertId(6)).is_some());
    check_recovery(&office);
}

#[test]
fn of_what_was_given_up_the_last_are_kept_with_what_they_tell() {
    let mut office = Office::new();
    for number in 1..=150_u64 {
        let owner = format!("o{number}");
        office.raise(&[about(AlertKind::BackfillFinished, Some(job("a", &owner)), None)]);
        office.tried(number, Outcome::Refused { problem: "no".to_owned() });
    }
    assert_eq!(office.desk.outbox().count(), 0);
    assert_eq!(office.desk.notifications().count(), GIVEN_UP_KEPT);
    let told = |number: u64| office.desk.alert(office.notification(number).alerts[0]);
    assert_eq!(told(50), None);
    assert!(told(51).is_some());
    check_recovery(&office);
}

#[test]
fn numbers_never_come_again_though_what_had_them_is_no_longer_stored() {
    let mut office = Office::new();
    office.raise(&[failed("a"), of(AlertKind::Recovered, "a")]);
    let last_ids = office.desk.last_ids();
    office.desk = Desk::recover(Recovered { last_ids, ..Recovered::default() });
    office.raise(&[failed("a")]);
    assert_eq!(office.desk.last_ids(), LastIds { alert: 3, incident: 2, notification: 3 });
}

#[test]
fn a_burst_is_remembered_by_a_recovered_desk() {
    let mut office = Office::new();
    for name in ["a", "b", "c", "d", "e"] {
        office.raise(&[failed(name)]);
    }
    office.all_arrive();
    office.desk = Desk::recover(office.stored.recovered());
    assert_eq!(office.raise(&[failed("f")]), ["held digest to mail:ops of i6: failed f"]);
}

#[test]
fn when_messages_were_made_is_forgotten_after_many_others() {
    let mut office = Office::new();
    office.raise(&[failed("a")]);
    office.all_arrive();
    let to = office.notification(1).to.clone();
    assert!(office.desk.lately(&to).is_some());
    let mut far = office.notification(1).clone();
    far.id = NotificationId(MADE_KEPT + 1);
    far.to.recipient = "dev".to_owned();
    office.desk.apply(&Change::NotificationStored(Box::new(far)));
    assert!(office.desk.lately(&to).is_none());
}

#[test]
fn a_recovered_desk_knows_of_silences_and_of_channels_that_fail() {
    let mut office = Office::new();
    office.raise(&[failed("a")]);
    office.tried(1, Outcome::Failed { problem: "no answer".to_owned() });
    let until = office.now.saturating_add(HOUR).unwrap();
    let silenced = Silence { until, by: by("kim", office.now) };
    for subject in [Subject::Job(name("b")), Subject::Incident(IncidentId(1))] {
        office.take(&silence(&office.desk, office.now, &subject, silenced.clone()));
    }
    check_recovery(&office);
    let recovered = Desk::recover(office.stored.recovered());
    assert_eq!(recovered.silence_of(&name("b")), Some(&silenced));
    assert_eq!(recovered.silences().count(), 1);
    assert_eq!(recovered.failing("mail").unwrap().tries, 1);
}

#[test]
fn an_incident_counts_so_many_jobs_and_tells_of_the_others_all_the_same() {
    let mut office = Office::new();
    let lost = |name: &str| about(AlertKind::Failed, Some(job(name, "ops")), Some("agent s1"));
    let many: Vec<Raised> = (0..JOBS_MAX).map(|number| lost(&format!("j{number}"))).collect();
    office.raise(&many);
    let named = |office: &Office| -> u64 {
        let all = office.stored.notifications.values();
        all.map(|one| one.alerts.len() as u64 + one.left_out).sum()
    };
    assert_eq!(named(&office), JOBS_MAX as u64);
    office.raise(&[lost("one more")]);
    assert_eq!(office.incident(1).jobs.len(), JOBS_MAX);
    assert_eq!(named(&office), JOBS_MAX as u64 + 1);
}
