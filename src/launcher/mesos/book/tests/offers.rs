//! Offers: used, given back, void; and whether they are wanted.

use super::*;

fn accept(said: &Said) -> &wire::Accept {
    let calls: Vec<_> = said.calls.iter().filter_map(|call| call.accept.as_ref()).collect();
    assert_eq!(calls.len(), 1, "{said:?}");
    calls[0]
}

fn ids(ids: &[wire::Id]) -> Vec<&str> {
    ids.iter().map(|id| id.value.as_str()).collect()
}

fn tasks(accept: &wire::Accept) -> Vec<&str> {
    let launches = accept.operations.iter().filter_map(|it| it.launch.as_ref());
    launches.flat_map(|it| &it.task_infos).map(|task| task.task_id.value.as_str()).collect()
}

#[test]
fn connecting_is_told_once_for_each_subscription() {
    let mut desk = Desk::new(Terms::default());
    desk.subscribe("F");
    let framework = Some(FrameworkId::new("F"));
    let connected = Notice::Connected { offers: vec![], term: Term(0), framework };
    assert_eq!(desk.take(), Said { calls: vec![], notices: vec![connected.clone()] });
    desk.book.lost(desk.now, "the connection is lost".to_owned());
    let gone = Notice::Disconnected { reason: "the connection is lost".to_owned() };
    assert_eq!(desk.take().notices, [gone]);
    desk.subscribe("F");
    assert_eq!(desk.take().notices, [connected]);
}

#[test]
fn launches_of_a_batch_on_one_agent_are_one_accept() {
    let mut desk = Desk::subscribed();
    desk.event(&offers(&[
        plain_offer("O1", "S1"),
        plain_offer("O2", "S2"),
        plain_offer("O3", "S1"),
    ]));
    for (task, agent, offers) in [
        ("a", "S1", &["O1"][..]),
        ("b", "S2", &["O2"]),
        ("c", "S1", &["O1", "O3"]),
        ("d", "S1", &["O3"]),
    ] {
        assert_eq!(
            desk.order(Order::Launch(Box::new(launch(task, agent, offers)))),
            Said::default()
        );
    }
    let said = desk.settle();
    assert_eq!(kinds(&said), [CallType::Accept, CallType::Accept]);
    let accepts: Vec<_> = said.calls.iter().filter_map(|call| call.accept.as_ref()).collect();
    assert_eq!(
        (ids(&accepts[0].offer_ids), tasks(accepts[0])),
        (vec!["O1", "O3"], vec!["a", "c", "d"])
    );
    assert_eq!((ids(&accepts[1].offer_ids), tasks(accepts[1])), (vec!["O2"], vec!["b"]));
    assert_eq!(desk.settle(), Said::default());
}

#[test]
fn offers_for_two_roles_are_two_accepts() {
    let mut desk = Desk::subscribed();
    let for_role = |id: &str, role: &str| {
        let mut offer = plain_offer(id, "S1");
        offer["allocation_info"] = json!({"role": role});
        offer
    };
    desk.event(&offers(&[for_role("O1", "batch"), for_role("O2", "night")]));
    desk.order(Order::Launch(Box::new(launch("a", "S1", &["O1"]))));
    desk.order(Order::Launch(Box::new(launch("b", "S1", &["O2"]))));
    let said = desk.settle();
    let accepts: Vec<_> = said.calls.iter().filter_map(|call| call.accept.as_ref()).collect();
    let used: Vec<_> = accepts.iter().map(|it| (ids(&it.offer_ids), tasks(it))).collect();
    assert_eq!(used, [(vec!["O1"], vec!["a"]), (vec!["O2"], vec!["b"])]);
}

#[test]
fn a_launch_on_a_void_offer_was_never_launched() {
    let mut desk = Desk::subscribed();
    desk.event(&offers(&[plain_offer("O1", "S1"), plain_offer("O2", "S1")]));
    desk.order(Order::Launch(Box::new(launch("a", "S1", &["O1", "O2"]))));
    let said = desk.event(&json!({"type": "RESCIND", "rescind": {"offer_id": {"value": "O1"}}}));
    assert_eq!(said.notices, [Notice::Withdrawn(vec![OfferId::new("O1")])]);
    let said = desk.settle();
    assert_eq!(reports(&said), ["a never launched"]);
    // What is left of its offers is given back.
    let declined = said.calls[0].decline.as_ref().unwrap();
    assert_eq!((kinds(&said), ids(&declined.offer_ids)), (vec![CallType::Decline], vec!["O2"]));
}

#[test]
fn more_than_was_offered_is_not_asked_for() {
    let mut desk = Desk::subscribed();
    desk.offer("O1", "S1");
    for task in ["a", "b", "c", "d", "e"] {
        desk.order(Order::Launch(Box::new(launch(task, "S1", &["O1"]))));
    }
    let said = desk.settle();
    assert_eq!(reports(&said), ["e never launched"]);
    assert_eq!(tasks(accept(&said)), ["a", "b", "c", "d"]);
}

#[test]
fn a_launch_that_is_not_connected_is_nobodys() {
    let mut desk = Desk::subscribed();
    desk.offer("O1", "S1");
    desk.order(Order::Launch(Box::new(launch("a", "S1", &["O1"]))));
    desk.book.lost(desk.now, "lost".to_owned());
    desk.take();
    desk.order(Order::Launch(Box::new(launch("b", "S1", &["O1"]))));
    assert_eq!(desk.settle(), Said::default());
    desk.subscribe("F");
    desk.take();
    assert_eq!(desk.settle(), Said::default());
    // The offers went with the connection.
    assert_eq!(desk.book.sizes(), (0, 0));
}

#[test]
fn what_is_released_is_declined_with_one_call() {
    let mut desk = Desk::subscribed();
    desk.event(&offers(&[
        plain_offer("O1", "S1"),
        plain_offer("O2", "S2"),
        plain_offer("O3", "S3"),
    ]));
    let released = ["O1", "O3", "never seen"].map(OfferId::new).to_vec();
    let said = desk.order(Order::Release(released));
    let decline = said.calls[0].decline.as_ref().unwrap();
    assert_eq!(
        (kinds(&said), ids(&decline.offer_ids)),
        (vec![CallType::Decline], vec!["O1", "O3"])
    );
    assert_eq!(decline.filters.unwrap().refuse_seconds, Some(5.0));
    assert_eq!(desk.book.sizes(), (1, 0));
    let said = desk.order(Order::ReleaseAll);
    assert_eq!(ids(&said.calls[0].decline.as_ref().unwrap().offer_ids), ["O2"]);
    assert_eq!(desk.order(Order::ReleaseAll), Said::default());
}

#[test]
fn an_offer_that_was_used_is_not_taken_for_a_new_one() {
    let mut desk = Desk::subscribed();
    let offer = offers(&[plain_offer("O1", "S1")]);
    assert_eq!(desk.event(&offer).notices.len(), 1);
    assert_eq!(desk.event(&offer), Said::default());
    desk.order(Order::Launch(Box::new(launch("a", "S1", &["O1"]))));
    desk.settle();
    assert_eq!(desk.event(&offer), Said::default());
}

#[test]
fn the_rest_is_wanted_back_at_once_while_something_waits() {
    for (is_wanted, seconds) in [(true, 0.0), (false, 5.0)] {
        let mut desk = Desk::subscribed();
        desk.offer("O1", "S1");
        desk.order(Order::Demand(is_wanted));
        desk.order(Order::Launch(Box::new(launch("a", "S1", &["O1"]))));
        let said = desk.settle();
        assert_eq!(accept(&said).filters.unwrap().refuse_seconds, Some(seconds));
    }
}

#[test]
fn an_agent_that_fails_takes_its_offers_with_it() {
    let mut desk = Desk::subscribed();
    desk.event(&offers(&[plain_offer("O1", "S1"), plain_offer("O2", "S2")]));
    let said = desk.event(&json!({"type": "FAILURE",
        "failure": {"agent_id": {"value": "S1"}, "executor_id": {"value": "e"}, "status": 9}}));
    assert_eq!(said, Said::default());
    let said = desk.event(&json!({"type": "FAILURE", "failure": {"agent_id": {"value": "S1"}}}));
    assert_eq!(said.notices, [Notice::AgentLost(AgentId::new("S1"))]);
    desk.order(Order::Launch(Box::new(launch("a", "S1", &["O1"]))));
    desk.order(Order::Launch(Box::new(launch("b", "S2", &["O2"]))));
    let said = desk.settle();
    assert_eq!(reports(&said), ["a never launched"]);
    assert_eq!(tasks(accept(&said)), ["b"]);
}

#[test]
fn suppress_and_revive_only_where_they_change_something() {
    let mut desk = Desk::subscribed();
    // An earlier process may have refused resources for long.
    assert_eq!(kinds(&desk.order(Order::Demand(true))), [CallType::Revive]);
    assert_eq!(desk.order(Order::Demand(true)), Said::default());
    assert_eq!(kinds(&desk.order(Order::Demand(false))), [CallType::Suppress]);
    assert_eq!(desk.order(Order::Demand(false)), Said::default());
    // Offers were on their way.
    let said = desk.offer("O1", "S1");
    assert_eq!((kinds(&said), said.notices), (vec![CallType::Decline], vec![]));
    assert_eq!(kinds(&desk.order(Order::Demand(true))), [CallType::Revive]);
    desk.offer("O2", "S1");
    desk.order(Order::Release(vec![OfferId::new("O2")]));
    // What was refused would not come for five seconds.
    assert_eq!(kinds(&desk.order(Order::Demand(true))), [CallType::Revive]);
    desk.offer("O3", "S1");
    desk.order(Order::Release(vec![OfferId::new("O3")]));
    desk.pass(Duration::from_secs(6));
    assert_eq!(desk.order(Order::Demand(true)), Said::default());
}

#[test]
fn revive_has_five_at_once_and_one_more_each_time() {
    let mut desk = Desk::subscribed();
    let mut made = 0;
    for _ in 0..8 {
        made += desk.order(Order::Demand(true)).calls.len();
        desk.order(Order::Demand(false));
    }
    assert_eq!(made, 5);
    // The eighth is gone: nothing waits any more.
    assert_eq!(desk.book.wake_at(), Some(desk.now.boot.saturating_add(Duration::from_secs(600))));
    assert_eq!(desk.order(Order::Demand(true)), Said::default());
    let at = desk.book.wake_at().unwrap();
    assert_eq!(at.since(desk.now.boot), Duration::from_secs(5));
    assert_eq!(desk.pass(Duration::from_millis(4_999)), Said::default());
    assert_eq!(kinds(&desk.pass(Duration::from_millis(1))), [CallType::Revive]);
    // Later there are five again, and no more.
    desk.pass(Duration::from_secs(3_600));
    let again = (0..8).map(|_| {
        let made = desk.order(Order::Demand(true)).calls.len();
        desk.order(Order::Demand(false));
        made
    });
    assert_eq!(again.sum::<usize>(), 5);
}

#[test]
fn demand_outlives_a_subscription() {
    for (is_wanted, kind) in [(true, CallType::Revive), (false, CallType::Suppress)] {
        let mut desk = Desk::subscribed();
        desk.order(Order::Demand(is_wanted));
        desk.book.lost(desk.now, "lost".to_owned());
        desk.take();
        desk.subscribe("F");
        assert_eq!(kinds(&desk.take()), [kind]);
    }
}

#[test]
fn maintenance_is_agreed_to_where_nothing_runs() {
    let mut desk = Desk::subscribed();
    desk.launch("a", "S1");
    let inverse = json!({"type": "INVERSE_OFFERS", "inverse_offers": {"inverse_offers": [
        {"id": {"value": "I1"}, "agent_id": {"value": "S1"}}, {"id": {"value": "I2"}, "agent_id": {"value": "S2"}}]}});
    let said = desk.event(&inverse);
    assert_eq!(kinds(&said), [CallType::AcceptInverseOffers, CallType::DeclineInverseOffers]);
    let accepted = said.calls[0].accept_inverse_offers.as_ref().unwrap();
    let declined = said.calls[1].decline_inverse_offers.as_ref().unwrap();
    assert_eq!(ids(&accepted.inverse_offer_ids), ["I2"]);
    assert_eq!(ids(&declined.inverse_offer_ids), ["I1"]);
    assert_eq!(declined.filters.unwrap().refuse_seconds, Some(60.0));
    desk.update(&by_agent("a", "TASK_FINISHED", "dQ=="));
    assert_eq!(kinds(&desk.event(&inverse)), [CallType::AcceptInverseOffers]);
}

#[test]
fn an_accept_that_the_master_does_not_take_started_nothing() {
    let mut desk = Desk::subscribed();
    desk.offer("O1", "S1");
    desk.order(Order::Launch(Box::new(launch("a", "S1", &["O1"]))));
    let said = desk.settle();
    desk.book.refused(desk.now, &said.calls[0], 400, "Expecting 'name' to be present");
    let said = desk.take();
    assert_eq!(kinds(&said), [CallType::Decline]);
    assert!(reports(&said)[0].contains("Expecting 'name' to be present"), "{said:?}");
    let TaskStatus::Ended { exit, .. } = (match &said.notices[0] {
        Notice::Report(report) => &report.status,
        other => panic!("{other:?}"),
    }) else {
        panic!("{said:?}")
    };
    assert!(matches!(exit, crate::model::Exit::CouldNotStart { .. }));
    // Where nobody can say whether it took it, it is asked.
    desk.launch("b", "S1");
    desk.offer("O3", "S1");
    desk.order(Order::Launch(Box::new(launch("c", "S1", &["O3"]))));
    let said = desk.settle();
    desk.book.refused(desk.now, &said.calls[0], 503, "");
    let said = desk.take();
    assert_eq!((reports(&said), asked(&said)), (vec![], vec!["c"]));
}
