//! Whatever happens in whatever order: nothing is lost, nobody is flooded, and a restart changes nothing.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// What may happen, over few jobs, owners and causes, so that things meet.
#[derive(Debug, Clone)]
enum Step {
    /// Some alerts in one decision.
    Raise(Vec<Picked>),
    Wake,
    /// What came of a try: of one of those that are due.
    Tried {
        which: usize,
        outcome: u8,
    },
    Retry(u64),
    Acknowledge(u64),
    Silence {
        subject: u8,
        minutes: i64,
    },
    Unsilence(u8),
    Pass(i64),
    /// The process is another: what is known is what was stored.
    Restart,
    /// The clock is set.
    Set(i64),
}

/// Whether the clock only goes on. Where it is set, when messages were made says how many were made only if all of it
/// is known.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Clock {
    GoesOn,
    IsSet,
}

#[derive(Debug, Clone)]
struct Picked {
    kind: usize,
    job: usize,
    owner: usize,
    cause: usize,
}

const OWNERS: [&str; 4] = ["ops", "dev", "ops, dev", ""];
const JOBS: [&str; 5] = ["a", "b", "c", "d", "e"];
const CAUSES: [Option<&str>; 4] = [None, None, Some("agent s1"), Some("agent s2")];

fn picked() -> impl Strategy<Value = Picked> {
    let kind = 0..AlertKind::ALL.len() + 6;
    (kind, 0..JOBS.len(), 0..OWNERS.len(), 0..CAUSES.len())
        .prop_map(|(kind, job, owner, cause)| Picked { kind, job, owner, cause })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => prop::collection::vec(picked(), 1..6).prop_map(Step::Raise),
        4 => Just(Step::Wake),
        8 => (any::<usize>(), 0..6_u8).prop_map(|(which, outcome)| Step::Tried { which, outcome }),
        1 => (1..40_u64).prop_map(Step::Retry),
        1 => (1..20_u64).prop_map(Step::Acknowledge),
        1 => (0..12_u8, 1..200_i64).prop_map(|(subject, minutes)| Step::Silence { subject, minutes }),
        1 => (0..12_u8).prop_map(Step::Unsilence),
        6 => (0..1_200_i64).prop_map(Step::Pass),
        1 => (3_600..8_000_i64).prop_map(Step::Pass),
        2 => Just(Step::Restart),
    ]
}

fn step_or_clock() -> impl Strategy<Value = Step> {
    prop_oneof![20 => step(), 1 => (-2_000_000..2_000_000_i64).prop_map(Step::Set)]
}

impl Picked {
    fn raised(&self) -> Raised {
        // Failures and recoveries more often than others.
        let kind = AlertKind::ALL.get(self.kind).copied().unwrap_or(match self.kind % 3 {
            0 => AlertKind::Recovered,
            _ => AlertKind::Failed,
        });
        let job = job(JOBS[self.job], OWNERS[self.owner]);
        let is_of_a_job = !kind.is_about_the_scheduler();
        about(kind, is_of_a_job.then_some(job), CAUSES[self.cause])
    }
}

fn subject(number: u8) -> Subject {
    match JOBS.get(usize::from(number)) {
        Some(job) => Subject::Job(name(job)),
        None => Subject::Incident(IncidentId(u64::from(number) - 4)),
    }
}

fn terms() -> Terms {
    let rules = vec![
        Rule {
            to: vec![RouteTarget { channel: "mail".to_owned(), recipients: None }],
            ..Rule::default()
        },
        Rule {
            prefix: Some("a".to_owned()),
            kinds: Some(BTreeSet::from([AlertKind::Failed, AlertKind::Retried])),
            to: vec![target("slack", &[])],
            ..Rule::default()
        },
    ];
    let routes = Routes { rules, channels: vec![mail(), slack()] };
    let operators = vec![target("mail", &["root"]), target("slack", &[])];
    Terms { routes, operators, ..Terms::default() }
}

impl Office {
    fn decide(&self, step: &Step) -> Vec<Change> {
        let Self { desk, stored: _, terms, now } = self;
        let now = *now;
        match step {
            Step::Raise(all) => {
                let raised: Vec<Raised> = all.iter().map(Picked::raised).collect();
                raise(desk, terms, now, &raised)
            }
            Step::Wake => wake(desk, terms, now),
            Step::Tried { which, outcome } => {
                let due = |one: &&Notification| match one.delivery {
                    Delivery::Due { at } => at <= now,
                    Delivery::Held { .. }
                    | Delivery::Delivered { .. }
                    | Delivery::GivenUp { .. } => false,
                };
                let due: Vec<NotificationId> =
                    desk.outbox().filter(due).map(|one| one.id).collect();
                let Some(id) = which.checked_rem(due.len()).map(|which| due[which]) else {
                    return Vec::new();
                };
                let problem = "no answer".to_owned();
                let outcome = match outcome {
                    0 => Outcome::Refused { problem },
                    1 | 2 => Outcome::Failed { problem },
                    _ => Outcome::Arrived,
                };
                delivered(desk, terms, now, id, outcome)
            }
            Step::Retry(id) => retry(desk, now, NotificationId(*id)),
            Step::Acknowledge(id) => acknowledge(desk, now, IncidentId(*id), by("kim", now)),
            Step::Silence { subject: number, minutes } => {
                let until = now.saturating_add(Duration::from_mins(*minutes)).unwrap();
                silence(desk, now, &subject(*number), Silence { until, by: by("kim", now) })
            }
            Step::Unsilence(number) => unsilence(desk, now, &subject(*number)),
            Step::Pass(_) | Step::Restart | Step::Set(_) => Vec::new(),
        }
    }

    fn perform(&mut self, step: &Step, clock: Clock) {
        match step {
            Step::Pass(seconds) | Step::Set(seconds) => self.pass(Duration::from_secs(*seconds)),
            Step::Restart => self.desk = Desk::recover(self.stored.recovered()),
            Step::Raise(_)
            | Step::Wake
            | Step::Tried { .. }
            | Step::Retry(_)
            | Step::Acknowledge(_)
            | Step::Silence { .. }
            | Step::Unsilence(_) => {}
        }
        let changes = self.decide(step);
        if clock == Clock::GoesOn {
            let lean = Self { desk: Desk::recover(self.needed()), ..self.clone() };
            assert_eq!(lean.decide(step), changes, "{step:?} after a restart");
        }
        check_numbers(self, &changes);
        check_progress(self, &changes);
        if let Step::Raise(all) = step {
            // One decision for each leads to the same as one for all: so each can be looked at.
            let mut slow = self.clone();
            for one in all {
                let changes = raise(&slow.desk, &slow.terms, slow.now, &[one.raised()]);
                check_told(&slow, &changes);
                slow.take(&changes);
            }
            self.take(&changes);
            assert_eq!(slow.desk, self.desk);
            assert_eq!(slow.stored.alerts, self.stored.alerts);
        } else {
            self.take(&changes);
        }
        assert_eq!(Desk::recover(self.stored.recovered()), self.desk, "after {step:?}");
        self.check_kept();
    }

    /// What is kept is what something needs.
    fn check_kept(&self) {
        let mut wanted: BTreeSet<AlertId> = BTreeSet::new();
        for notification in self.desk.notifications() {
            assert!(!matches!(notification.delivery, Delivery::Delivered { .. }));
            wanted.extend(&notification.alerts);
            if let Some(id) = notification.incident {
                assert!(self.desk.incident(id).is_some(), "{} wants {id}", notification.id);
            }
        }
        for incident in self.desk.incidents() {
            assert!(incident.latest.len() <= LATEST_KEPT);
            wanted.extend(&incident.latest);
            let is_wanted = |one: &Notification| one.incident == Some(incident.id);
            assert!(incident.closed_at.is_none() || self.desk.notifications().any(is_wanted));
        }
        for id in self.stored.alerts.keys() {
            assert_eq!(self.desk.alert(*id).is_some(), wanted.contains(id), "{id}");
        }
    }
}

fn alerts_of(changes: &[Change]) -> Vec<&Alert> {
    let alerts = changes.iter().filter_map(|change| match change {
        Change::AlertStored(alert) => Some(&**alert),
        Change::IncidentStored(_)
        | Change::NotificationStored(_)
        | Change::JobSilenced { .. }
        | Change::ChannelFailing { .. } => None,
    });
    alerts.collect()
}

fn notifications_of(changes: &[Change]) -> Vec<&Notification> {
    let notifications = changes.iter().filter_map(|change| match change {
        Change::NotificationStored(notification) => Some(&**notification),
        Change::IncidentStored(_)
        | Change::AlertStored(_)
        | Change::JobSilenced { .. }
        | Change::ChannelFailing { .. } => None,
    });
    notifications.collect()
}

/// What is new has a number that nothing had, and each record is written once.
fn check_numbers(before: &Office, changes: &[Change]) {
    let mut seen = BTreeSet::new();
    for change in changes {
        let (what, id, last, is_known) = match change {
            Change::AlertStored(one) => (0, one.id.0, before.desk.last_ids().alert, false),
            Change::IncidentStored(one) => {
                let is_known = before.stored.incidents.contains_key(&one.id);
                (1, one.id.0, before.desk.last_ids().incident, is_known)
            }
            Change::NotificationStored(one) => {
                let is_known = before.stored.notifications.contains_key(&one.id);
                (2, one.id.0, before.desk.last_ids().notification, is_known)
            }
            Change::JobSilenced { .. } | Change::ChannelFailing { .. } => continue,
        };
        assert!(is_known || id > last, "{change:?}");
        assert!(seen.insert((what, id)), "{change:?}");
    }
}

/// A notification only ever collects more, and then goes its way.
fn check_progress(before: &Office, changes: &[Change]) {
    for after in notifications_of(changes) {
        let Some(before) = before.stored.notifications.get(&after.id) else {
            assert!(matches!(after.delivery, Delivery::Held { .. } | Delivery::Due { .. }));
            continue;
        };
        assert_eq!((&before.to, before.kind), (&after.to, after.kind));
        let is_collecting = matches!(before.delivery, Delivery::Held { .. });
        assert!(before.alerts.iter().all(|id| after.alerts.contains(id)));
        assert!(is_collecting || before.alerts.len() == after.alerts.len());
        assert!(
            before.left_out == after.left_out || is_collecting && before.left_out < after.left_out
        );
        assert!(!matches!(before.delivery, Delivery::Delivered { .. }), "{after:?}");
        assert!(is_collecting || !matches!(after.delivery, Delivery::Held { .. }), "{after:?}");
    }
}

/// Of the alerts of one decision: whom each is to be told, and that it is, or is counted, or is kept back by somebody.
fn check_told(before: &Office, changes: &[Change]) {
    let told = notifications_of(changes);
    for alert in alerts_of(changes) {
        let silence = alert.job.as_ref().and_then(|job| before.desk.silence_of(&job.name));
        let is_silenced = silence.is_some_and(|silence| silence.until > before.now);
        let incident = alert.incident.map(|id| incident_of(changes, id));
        let was = alert.incident.and_then(|id| before.stored.incidents.get(&id));
        if let Some(incident) = incident {
            assert_eq!(incident.alerts, was.map_or(0, |was| was.alerts) + 1);
        }
        let ends = incident.is_some_and(|incident| incident.closed_at.is_some());
        let mut audience =
            super::super::routes::addresses(&before.terms, alert.kind, alert.job.as_deref());
        if alert.kind == AlertKind::Recovered {
            audience = was.map(|was| was.told.clone()).unwrap_or_default();
        }
        let untold = was.map_or(0, |was| was.untold);
        for to in &audience {
            let mut theirs = told.iter().filter(|one| one.to == *to);
            let is_told = theirs.any(|one| names(before, one, alert.id));
            let is_counted = incident.is_some_and(|incident| incident.untold > untold && !ends);
            assert!(
                is_told || is_counted || (is_silenced && incident.is_none()),
                "{to:?} does not hear of {}: {told:?}",
                alert.id
            );
            let is_kept_back = is_silenced
                || incident.is_some_and(|incident| {
                    incident.acknowledged.is_some() || incident.silence.is_some()
                });
            // Who was never told of what is wrong is told now, unless somebody does not want it.
            let has_heard = was.is_some_and(|was| was.told.contains(to));
            assert!(is_told || is_kept_back || has_heard, "{to:?} {}", alert.id);
            assert!(!is_told || !is_kept_back || ends, "{to:?} is told of what is kept back");
        }
        // What was counted is counted until it is told: listed, or as a number.
        if let Some(incident) = incident
            && !ends
            && incident.untold < untold
        {
            assert_eq!(incident.untold, 0);
            let latest = &was.unwrap().latest;
            let known = latest.len().min(usize::try_from(untold).unwrap());
            for id in &latest[latest.len() - known..] {
                let job = before.stored.alerts[id].job.as_ref();
                let silence = job.and_then(|job| before.desk.silence_of(&job.name));
                let is_silenced = silence.is_some_and(|silence| silence.until > before.now);
                assert!(is_silenced || told.iter().any(|one| names(before, one, *id)), "{id}");
            }
            let more = untold - known as u64;
            assert!(told.iter().any(|one| one.left_out >= more), "{told:?}");
        }
    }
}

/// Whether a notification has an alert among it, or counted it because it is full.
fn names(before: &Office, notification: &Notification, id: AlertId) -> bool {
    let known = before.stored.notifications.get(&notification.id);
    notification.alerts.contains(&id)
        || known.is_some_and(|known| known.left_out < notification.left_out)
}

fn incident_of(changes: &[Change], id: IncidentId) -> &Incident {
    let mut incidents = changes.iter().filter_map(|change| match change {
        Change::IncidentStored(incident) => Some(&**incident),
        Change::AlertStored(_)
        | Change::NotificationStored(_)
        | Change::JobSilenced { .. }
        | Change::ChannelFailing { .. } => None,
    });
    incidents.find(|incident| incident.id == id).unwrap()
}

/// After some time in which all arrives, all is over but what is acknowledged, silenced or goes on.
fn settle(office: &mut Office) {
    for _ in 0..400 {
        office.wake();
        office.all_arrive();
        match office.wake_at() {
            Some(at) => office.now = office.now.max(at),
            // That something arrives can be told too.
            None if office.desk.outbox().next().is_some() => {}
            None => break,
        }
    }
    assert_eq!(office.desk.outbox().count(), 0);
    assert!(office.desk.silences().next().is_none());
    let named = office.stored.notifications.values();
    for notification in named {
        assert!(notification.delivery.is_over());
        for id in &notification.alerts {
            assert!(office.stored.alerts.contains_key(id));
        }
    }
}

/// No address gets more than a burst and one digest in any window, by when they were made.
fn check_calm(office: &Office) {
    let Terms { window, burst, .. } = office.terms;
    let all: Vec<&Notification> = office.stored.notifications.values().collect();
    for last in &all {
        let since = last.made_at.saturating_sub(window).unwrap();
        let near = all
            .iter()
            .filter(|one| one.to == last.to && one.made_at > since && one.made_at <= last.made_at);
        let made = near.filter(|one| !matches!(one.delivery, Delivery::Held { .. })).count();
        assert!(made <= burst as usize + 1, "{:?} gets {made} at {}", last.to, last.made_at);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nobody_is_flooded(steps in prop::collection::vec(step(), 1..80)) {
        let mut office = Office::on(terms());
        for step in &steps {
            office.perform(step, Clock::GoesOn);
        }
        check_calm(&office);
        settle(&mut office);
        check_calm(&office);
    }

    #[test]
    fn nothing_is_lost_though_the_clock_is_set(steps in prop::collection::vec(step_or_clock(), 1..60)) {
        let mut office = Office::on(terms());
        for step in &steps {
            office.perform(step, Clock::IsSet);
        }
        settle(&mut office);
    }

    /// With small bursts and windows more of the throttle is met.
    #[test]
    fn a_burst_of_any_size_is_kept(
        burst in 0..4_u32,
        steps in prop::collection::vec(step(), 20..100),
    ) {
        let window = Duration::from_mins(25);
        let mut office = Office::on(Terms { burst, window, ..terms() });
        for step in &steps {
            office.perform(step, Clock::GoesOn);
        }
        check_calm(&office);
        settle(&mut office);
    }
}
