//! A channel on which nothing arrives.

use super::*;

fn two_channels() -> Office {
    let routes = Routes { rules: Vec::new(), channels: vec![mail(), slack()] };
    let operators = vec![target("mail", &["root"])];
    Office::on(Terms { routes, operators, ..Terms::default() })
}

fn no() -> Outcome {
    Outcome::Failed { problem: "connection refused".to_owned() }
}

#[test]
fn three_tries_in_a_row_without_an_arrival_are_told_on_the_other_channels_only() {
    let mut office = two_channels();
    office.raise(&[failed("a")]);
    for _ in 0..2 {
        assert_eq!(office.tried(1, no()).len(), 1, "only the notification itself");
    }
    let said = office.tried(1, Outcome::Refused { problem: "550".to_owned() });
    // Not to root, whose mail would not arrive either.
    assert_eq!(
        said,
        ["given up alert to mail:ops of i1: failed a", "due alert to slack: of i2: channelTrouble"]
    );
    let failing = office.desk.failing("mail").unwrap();
    assert_eq!((failing.tries, failing.problem.as_str(), failing.since), (3, "550", office.now));
    assert_eq!(office.incident(2).key, IncidentKey::Cause("channel mail".to_owned()));
    let alert = office.stored.alerts.values().last().unwrap();
    assert!(alert.reason.contains("`mail`") && alert.reason.ends_with("failed: 550"));
}

#[test]
fn an_arrival_puts_it_right() {
    let mut office = two_channels();
    office.raise(&[failed("a"), failed("b")]);
    for _ in 0..3 {
        office.tried(1, no());
    }
    assert_eq!(
        office.tried(3, Outcome::Arrived),
        ["delivered alert to mail:ops of i2: failed b", "due recovery to slack: of i3: recovered"]
    );
    assert_eq!(office.desk.failing("mail"), None);
    assert!(office.incident(3).closed_at.is_some());
}

#[test]
fn an_arrival_between_begins_the_count_anew() {
    let mut office = two_channels();
    office.raise(&[failed("a"), failed("b")]);
    for id in [1, 1] {
        office.tried(id, no());
    }
    office.tried(3, Outcome::Arrived);
    for id in [1, 1] {
        office.tried(id, no());
    }
    // What fails on another channel is not counted here.
    office.tried(2, no());
    assert!(!office.desk.incidents().any(|one| one.kind == AlertKind::ChannelTrouble));
}

#[test]
fn it_is_said_once_an_hour_while_it_lasts() {
    let mut office = two_channels();
    office.raise(&[failed("a")]);
    office.tried(2, Outcome::Arrived);
    let mut said = Vec::new();
    for _ in 0..130 {
        said.extend(office.tried(1, no()).into_iter().filter(|text| text.contains("slack")));
        office.pass(MINUTE);
    }
    assert_eq!(
        said,
        [
            "due alert to slack: of i2: channelTrouble",
            "due reminder to slack: of i2: channelTrouble",
            "due reminder to slack: of i2: channelTrouble"
        ]
    );
}

#[test]
fn when_all_channels_fail_each_is_said_to_the_other_and_it_ends_there() {
    let mut office = two_channels();
    office.raise(&[failed("a")]);
    for _ in 0..20 {
        let ids: Vec<u64> = office.desk.outbox().map(|one| one.id.0).collect();
        for id in ids {
            office.tried(id, no());
        }
    }
    assert_eq!(office.stored.incidents.len(), 3);
    // Slack hears of mail; of slack hear the operators.
    assert_eq!(office.stored.notifications.len(), 4);
}
