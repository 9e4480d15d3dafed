//! A thousand failures in a minute.

use std::collections::BTreeSet;

use super::*;

const JOBS: usize = 1_000;
const OWNERS: usize = 10;

/// Each in a decision of its own, over a minute, while everything arrives.
fn thousand_fail(office: &mut Office, cause: Option<&str>) {
    for number in 0..JOBS {
        let owner = format!("owner{}", number % OWNERS);
        office.raise(&[about(AlertKind::Failed, Some(job(&format!("j{number}"), &owner)), cause)]);
        office.pass(Duration::from_millis(60));
        office.all_arrive();
    }
}

fn check_calm(office: &mut Office) {
    while let Some(at) = office.wake_at() {
        office.now = office.now.max(at);
        office.wake();
        office.all_arrive();
    }
    assert_eq!(office.desk.outbox().count(), 0);
    for number in 0..OWNERS {
        let owner = format!("owner{number}");
        let all = office.stored.notifications.values();
        let hers: Vec<&Notification> = all.filter(|one| one.to.recipient == owner).collect();
        assert!(hers.len() <= 6, "{} messages", hers.len());
        assert_eq!(hers.iter().map(|one| one.left_out).sum::<u64>(), 0);
        let ids = hers.iter().flat_map(|one| &one.alerts);
        let names: BTreeSet<&JobName> =
            ids.map(|id| &office.stored.alerts[id].job.as_ref().unwrap().name).collect();
        assert_eq!(names.len(), JOBS / OWNERS, "all of {owner}'s jobs are named");
    }
}

#[test]
fn a_thousand_failures_give_each_owner_six_messages_that_name_all_of_the_own_jobs() {
    let mut office = Office::new();
    thousand_fail(&mut office, None);
    check_calm(&mut office);
    assert_eq!(office.stored.incidents.len(), JOBS);
}

#[test]
fn a_thousand_failures_by_one_cause_do_so_too() {
    let mut office = Office::new();
    thousand_fail(&mut office, Some("agent s1"));
    check_calm(&mut office);
    assert_eq!(office.stored.incidents.len(), 1);
}
