//! Acknowledging and silencing.

use super::*;

fn until(office: &Office, span: Duration) -> Silence {
    let until = office.now.saturating_add(span).unwrap();
    Silence { until, by: by("kim", office.now) }
}

const FIRST: Subject = Subject::Incident(IncidentId(1));

impl Office {
    fn acknowledge(&mut self, id: u64) -> Vec<String> {
        let by = by("kim", self.now);
        self.take(&acknowledge(&self.desk, self.now, IncidentId(id), by))
    }

    fn silence(&mut self, subject: &Subject, span: Duration) -> Vec<String> {
        let silenced = until(self, span);
        self.take(&silence(&self.desk, self.now, subject, silenced))
    }
}

#[test]
fn of_what_is_acknowledged_only_the_recovery_is_told() {
    let mut office = Office::new();
    office.raise(&[failed("a")]);
    office.acknowledge(1);
    assert_eq!(office.incident(1).acknowledged.as_ref().unwrap().by, "kim");
    office.pass(HOUR);
    assert_eq!(office.raise(&[failed("a"), of(AlertKind::Missed, "a")]), [""; 0]);
    assert_eq!(office.incident(1).untold, 2);
    assert_eq!(
        office.raise(&[of(AlertKind::Recovered, "a")]),
        ["due recovery to mail:ops of i1: recovered a"]
    );
    // The next incident is nobody's yet.
    assert_eq!(office.raise(&[failed("a")]), ["due alert to mail:ops of i2: failed a"]);
}

#[test]
fn what_is_silenced_is_counted_and_told_after_that() {
    let mut office = Office::new();
    office.raise(&[failed("a")]);
    office.silence(&FIRST, Duration::from_mins(20));
    assert_eq!(office.wake_at(), Some(office.now.saturating_add(Duration::from_mins(20)).unwrap()));
    office.pass(Duration::from_mins(19));
    assert_eq!(office.raise(&[of(AlertKind::Missed, "a")]), [""; 0]);
    office.pass(MINUTE);
    assert_eq!(
        office.raise(&[failed("a")]),
        ["due reminder to mail:ops of i1: missed a, failed a"]
    );
    assert_eq!(office.incident(1).silence, None);
    assert_eq!(office.wake_at(), None);
}

#[test]
fn a_silence_that_has_ended_of_itself_is_told_of_by_the_next_alert() {
    let mut office = Office::new();
    office.raise(&[failed("a")]);
    office.silence(&FIRST, MINUTE);
    office.pass(MINUTE);
    assert_eq!(office.wake(), [""; 0]);
    assert_eq!(office.incident(1).silence, None);
    assert_eq!(office.raise(&[failed("a")]), ["due reminder to mail:ops of i1: failed a"]);
}

#[test]
fn a_silenced_incident_that_is_put_right_is_told() {
    let mut office = Office::new();
    office.raise(&[failed("a")]);
    office.silence(&FIRST, HOUR);
    assert_eq!(
        office.raise(&[of(AlertKind::Recovered, "a")]),
        ["due recovery to mail:ops of i1: recovered a"]
    );
    assert_eq!(office.wake_at(), None);
}

#[test]
fn alerts_of_a_silenced_job_are_stored_and_open_incidents() {
    let mut office = Office::new();
    let job = Subject::Job(name("a"));
    office.silence(&job, HOUR);
    assert_eq!(office.raise(&[failed("a"), failed("a")]), [""; 0]);
    assert_eq!(office.raise(&[failed("b")]), ["due alert to mail:ops of i2: failed b"]);
    assert_eq!((office.incident(1).alerts, office.incident(1).untold), (2, 2));
    assert_eq!(office.raise(&[of(AlertKind::BackfillFinished, "a")]), [""; 0]);
    assert_eq!(office.stored.alerts.len(), 4);
    office.pass(HOUR);
    office.wake();
    assert_eq!(office.desk.silence_of(&name("a")), None);
    assert_eq!(
        office.raise(&[failed("a")]),
        ["due alert to mail:ops of i1: failed a, failed a, failed a"]
    );
}

#[test]
fn after_a_silence_all_are_told_who_were_to_hear_of_what_came_meanwhile() {
    let mut office = Office::new();
    let lost = |name, owner| about(AlertKind::Failed, Some(job(name, owner)), Some("agent s1"));
    office.raise(&[lost("a", "ops")]);
    office.silence(&FIRST, HOUR);
    assert_eq!(office.raise(&[lost("b", "dev")]), [""; 0]);
    office.pass(HOUR);
    assert_eq!(
        office.raise(&[lost("a", "ops")]),
        ["due alert to mail:dev of i1: failed b", "due reminder to mail:ops of i1: failed a"]
    );
    assert_eq!((office.incident(1).untold, office.incident(1).told.len()), (0, 2));
}

#[test]
fn of_a_cause_nothing_is_told_of_a_job_that_is_silenced() {
    let mut office = Office::new();
    let lost = |name| about(AlertKind::Failed, Some(job(name, "ops")), Some("agent s1"));
    office.raise(&[lost("a")]);
    office.silence(&Subject::Job(name("b")), Duration::from_hours(2));
    assert_eq!(office.raise(&[lost("b")]), [""; 0]);
    office.pass(HOUR);
    assert_eq!(office.raise(&[lost("a")]), ["due reminder to mail:ops of i1: failed a"]);
    office.pass(HOUR);
    assert_eq!(office.raise(&[lost("b")]), ["due reminder to mail:ops of i1: failed b"]);
}

#[test]
fn a_silence_that_is_ended_early_is_over() {
    let mut office = Office::new();
    office.raise(&[failed("a")]);
    for subject in [FIRST, Subject::Job(name("a"))] {
        office.silence(&subject, HOUR);
        assert_eq!(office.raise(&[failed("a")]), [""; 0]);
        office.take(&unsilence(&office.desk, office.now, &subject));
        let said = office.raise(&[failed("a")]);
        assert_eq!(said, ["due reminder to mail:ops of i1: failed a, failed a"]);
        assert_eq!(office.wake_at(), None);
    }
}

#[test]
fn a_silence_takes_the_place_of_the_one_before() {
    let mut office = Office::new();
    office.raise(&[failed("a")]);
    for subject in [FIRST, Subject::Job(name("a"))] {
        office.silence(&subject, HOUR);
        office.silence(&subject, MINUTE);
        assert_eq!(office.wake_at(), Some(office.now.saturating_add(MINUTE).unwrap()));
        office.take(&unsilence(&office.desk, office.now, &subject));
    }
}

#[test]
fn a_job_that_is_deleted_is_silenced_no_more() {
    let mut office = Office::new();
    office.silence(&Subject::Job(name("a")), HOUR);
    assert_eq!(office.raise(&[of(AlertKind::Deleted, "a")]), [""; 0]);
    assert_eq!(office.raise(&[failed("a")]), ["due alert to mail:ops of i1: failed a"]);
}

#[test]
fn what_is_not_open_can_neither_be_acknowledged_nor_silenced() {
    let mut office = Office::new();
    office.raise(&[failed("a"), of(AlertKind::Recovered, "a"), failed("b")]);
    let now = office.now;
    let silenced = until(&office, HOUR);
    for id in [1, 9] {
        let id = IncidentId(id);
        assert_eq!(acknowledge(&office.desk, now, id, by("kim", now)), []);
        let subject = Subject::Incident(id);
        assert_eq!(silence(&office.desk, now, &subject, silenced.clone()), []);
        assert_eq!(unsilence(&office.desk, now, &subject), []);
    }
    assert_eq!(unsilence(&office.desk, now, &Subject::Job(name("b"))), []);
    assert_eq!(unsilence(&office.desk, now, &Subject::Incident(IncidentId(2))), []);
    // Whoever came first looks after it.
    office.acknowledge(2);
    assert_eq!(acknowledge(&office.desk, now, IncidentId(2), by("lee", now)), []);
}
