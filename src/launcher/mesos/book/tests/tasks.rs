//! Tasks: what is told of them, when their updates are acknowledged, when the master is asked or told to stop them.

use super::*;

#[test]
fn an_update_is_acknowledged_once_its_notice_is_settled_and_an_end_once_it_is_on_record() {
    let mut desk = Desk::subscribed();
    desk.launch("a", "S1");
    let said = desk.update(&by_agent("a", "TASK_RUNNING", "cg=="));
    assert_eq!((reports(&said), said.calls), (vec!["a running".to_owned()], vec![]));
    assert_eq!(desk.order(Order::Settled { notices: desk.told - 1 }), Said::default());
    assert_eq!(acknowledged(&desk.settle()), ["cg=="]);
    assert_eq!(desk.settle(), Said::default());
    let said = desk.update(&by_agent("a", "TASK_FINISHED", "Zg=="));
    assert_eq!(reports(&said), ["a ended Code(0)"]);
    assert_eq!(desk.settle(), Said::default());
    let said = desk.order(Order::Acknowledge(vec![TaskId::from_text("a")]));
    assert_eq!(acknowledged(&said), ["Zg=="]);
    assert_eq!(desk.book.sizes(), (0, 0));
}

#[test]
fn of_several_updates_of_a_task_those_are_acknowledged_that_are_settled() {
    let mut desk = Desk::subscribed();
    desk.launch("a", "S1");
    desk.update(&by_agent("a", "TASK_STARTING", "cw=="));
    let notices = desk.told;
    desk.update(&by_agent("a", "TASK_RUNNING", "cg=="));
    assert_eq!(acknowledged(&desk.order(Order::Settled { notices })), ["cw=="]);
    assert_eq!(acknowledged(&desk.settle()), ["cg=="]);
}

#[test]
fn an_update_that_comes_twice_is_told_once_and_acknowledged_twice() {
    let mut desk = Desk::subscribed();
    desk.launch("a", "S1");
    let end = by_agent("a", "TASK_FINISHED", "Zg==");
    assert_eq!(reports(&desk.update(&end)), ["a ended Code(0)"]);
    assert_eq!(desk.update(&end), Said::default());
    let forget = Order::Acknowledge(vec![TaskId::from_text("a")]);
    assert_eq!(acknowledged(&desk.order(forget.clone())), ["Zg==", "Zg=="]);
    // Once more after that: somebody has to say again that it is on record.
    assert_eq!(reports(&desk.update(&end)), ["a ended Code(0)"]);
    assert_eq!(acknowledged(&desk.order(forget)), ["Zg=="]);
    assert_eq!(desk.book.sizes(), (0, 0));
}

#[test]
fn what_comes_after_the_end_in_disorder_is_not_told() {
    let mut desk = Desk::subscribed();
    desk.launch("a", "S1");
    desk.update(&by_agent("a", "TASK_FINISHED", "Zg=="));
    let said = desk.update(&by_agent("a", "TASK_RUNNING", "cg=="));
    assert_eq!(said, Said::default());
    assert_eq!(acknowledged(&desk.settle()), ["cg=="]);
    let said = desk.order(Order::Acknowledge(vec![TaskId::from_text("a")]));
    assert_eq!(acknowledged(&said), ["Zg=="]);
}

#[test]
fn nothing_is_acknowledged_on_another_connection_before_it_comes_again() {
    let mut desk = Desk::subscribed();
    desk.launch("a", "S1");
    let end = by_agent("a", "TASK_FINISHED", "Zg==");
    desk.update(&end);
    desk.book.lost(desk.now, "lost".to_owned());
    desk.take();
    let forget = Order::Acknowledge(vec![TaskId::from_text("a")]);
    assert_eq!(desk.order(forget.clone()), Said::default());
    desk.subscribe("F");
    desk.take();
    assert_eq!(reports(&desk.update(&end)), ["a ended Code(0)"]);
    assert_eq!(acknowledged(&desk.order(forget)), ["Zg=="]);
}

#[test]
fn an_end_that_whoever_listened_has_forgotten_is_told_again_when_asked() {
    let mut desk = Desk::subscribed();
    desk.launch("a", "S1");
    desk.update(&by_agent("a", "TASK_FINISHED", "Zg=="));
    let said = desk.reconcile("a", "S1", true);
    assert_eq!((reports(&said), asked(&said)), (vec!["a ended Code(0)".to_owned()], vec![]));
    let said = desk.order(Order::Acknowledge(vec![TaskId::from_text("a")]));
    assert_eq!(acknowledged(&said), ["Zg=="]);
}

/// A commit has failed: what was told since is forgotten, though it is counted as settled. It is told again, and
/// acknowledged by that.
#[test]
fn what_was_told_to_a_state_that_is_forgotten_is_told_again() {
    let mut desk = Desk::subscribed();
    for task in ["begun", "forgotten", "running", "over"] {
        desk.launch(task, "S1");
    }
    let mut forgotten = by_agent("forgotten", "TASK_DROPPED", "Zm8=");
    forgotten["reason"] = json!("REASON_RECONCILIATION");
    desk.update(&forgotten);
    desk.update(&by_agent("begun", "TASK_STARTING", "cw=="));
    desk.update(&by_agent("running", "TASK_RUNNING", "cg=="));
    desk.update(&by_agent("over", "TASK_FINISHED", "Zg=="));
    let notices = desk.told;
    let said = desk.order(Order::ReleaseAll);
    let reports_of = reports(&said);
    assert_eq!(reports_of[0], "begun staged");
    assert!(reports_of[1].starts_with("forgotten in doubt for ever: "), "{reports_of:?}");
    assert_eq!(reports_of[2..], ["over ended Code(0)", "running running"]);
    assert_eq!(desk.order(Order::Settled { notices }), Said::default());
    assert_eq!(acknowledged(&desk.settle()), ["cw==", "cg=="]);
    let said = desk.order(Order::Acknowledge(vec![TaskId::from_text("forgotten")]));
    assert_eq!(acknowledged(&said), ["Zm8="]);
    // Nobody asks about what had been committed before: who hears of it again has it forgotten.
    let said = desk.order(Order::Acknowledge(vec![TaskId::from_text("over")]));
    assert_eq!(acknowledged(&said), ["Zg=="]);
    assert_eq!(reports(&desk.order(Order::ReleaseAll)), Vec::<String>::new());
}

#[test]
fn a_question_is_asked_again_until_it_is_answered() {
    let mut desk = Desk::subscribed();
    let said = desk.reconcile("a", "S1", false);
    assert_eq!(asked(&said), ["a"]);
    let task = &said.calls[0].reconcile.as_ref().unwrap().tasks[0];
    assert_eq!(task.agent_id, Some(wire::Id::new("S1")));
    let mut pauses = Vec::new();
    for _ in 0..9 {
        let at = desk.book.wake_at().unwrap();
        let pause = at.since(desk.now.boot);
        pauses.push(pause.as_secs());
        if pause.as_secs() + 1 < 60 {
            assert_eq!(asked(&desk.pass(pause)), ["a"]);
        } else {
            assert!(asked(&desk.pass(pause)).contains(&"a"));
        }
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert_eq!(reports(&desk.update(&answer("a", "TASK_RUNNING", Some("S1"), 1.0))), ["a running"]);
    assert_eq!(asked(&desk.pass(Duration::from_secs(100))), Vec::<&str>::new());
}

#[test]
fn many_questions_are_several_calls() {
    let mut desk = Desk::subscribed();
    let question = |n| Question {
        task_id: TaskId::from_text(format!("t{n:04}")),
        agent: AgentId::new("S1"),
        was_seen: true,
    };
    let said = desk.order(Order::Reconcile((0..2_500).map(question).collect()));
    let sizes: Vec<_> =
        said.calls.iter().map(|call| call.reconcile.as_ref().unwrap().tasks.len()).collect();
    assert_eq!(sizes, [1_000, 1_000, 500]);
}

#[test]
fn all_that_lives_is_asked_for_now_and_then() {
    let mut desk = Desk::subscribed();
    assert_eq!(desk.pass(Duration::from_secs(599)), Said::default());
    for _ in 0..2 {
        let said = desk.pass(Duration::from_secs(600));
        assert_eq!(kinds(&said), [CallType::Reconcile]);
        assert!(asked(&said).is_empty());
    }
}

#[test]
fn a_launch_of_which_nothing_is_heard_is_asked_about() {
    let mut desk = Desk::subscribed();
    desk.launch("a", "S1");
    assert_eq!(desk.pass(Duration::from_secs(29)), Said::default());
    assert_eq!(asked(&desk.pass(Duration::from_secs(1))), ["a"]);
    let said = desk.update(&answer("a", "TASK_GONE", Some("S1"), 1.0));
    assert_eq!(reports(&said), ["a never launched"]);
}

#[test]
fn gone_is_never_launched_only_where_nothing_else_can_be_meant() {
    let gone = answer("a", "TASK_GONE", Some("S1"), 1.0);
    // It was seen once: whatever became of it is not known.
    let mut desk = Desk::subscribed();
    desk.offer("O1", "S1");
    desk.reconcile("a", "S1", true);
    assert!(reports(&desk.update(&gone))[0].starts_with("a in doubt for ever"));
    // Its agent is known to be there.
    let mut desk = Desk::subscribed();
    desk.offer("O1", "S1");
    desk.reconcile("a", "S1", false);
    assert_eq!(reports(&desk.update(&gone)), ["a never launched"]);
    // It is not: it is asked again, but not for ever.
    let mut desk = Desk::subscribed();
    desk.reconcile("a", "S1", false);
    for n in 0..2 {
        let gone = answer("a", "TASK_GONE", Some("S1"), f64::from(n));
        assert_eq!(reports(&desk.update(&gone)), Vec::<String>::new());
        assert_eq!(asked(&desk.pass(Duration::from_secs(1 << n))), ["a"]);
    }
    let said = desk.update(&answer("a", "TASK_GONE", Some("S1"), 2.0));
    assert!(reports(&said)[0].starts_with("a in doubt for ever"), "{said:?}");
}

#[test]
fn the_answer_to_an_older_question_is_none_about_a_later_launch() {
    let mut desk = Desk::subscribed();
    desk.offer("O1", "S1");
    desk.reconcile("a", "S1", false);
    desk.pass(Duration::from_secs(1));
    let first = answer("a", "TASK_GONE", Some("S1"), 1.0);
    assert_eq!(reports(&desk.update(&first)), ["a never launched"]);
    desk.launch("a", "S1");
    // The same once more, and the answer to the second question.
    assert_eq!(desk.update(&first), Said::default());
    assert_eq!(desk.update(&answer("a", "TASK_GONE", Some("S1"), 2.0)), Said::default());
    assert_eq!(asked(&desk.pass(Duration::from_secs(30))), ["a"]);
    let said = desk.update(&answer("a", "TASK_GONE", Some("S1"), 32.0));
    assert_eq!(reports(&said), ["a never launched"]);
}

#[test]
fn a_dropped_launch_that_is_told_twice_was_dropped_once() {
    let mut desk = Desk::subscribed();
    let dropped = json!({"task_id": {"value": "a"}, "state": "TASK_DROPPED", "source": "SOURCE_MASTER",
        "reason": "REASON_INVALID_OFFERS", "agent_id": {"value": "S1"}, "timestamp": 7.5,
        "message": "Task launched with invalid offers: Offer O1 is no longer valid"});
    desk.launch("a", "S1");
    assert_eq!(reports(&desk.update(&dropped)), ["a never launched"]);
    desk.pass(Duration::from_secs(1));
    desk.launch("a", "S1");
    assert_eq!(desk.update(&dropped), Said::default());
    desk.update(&by_agent("a", "TASK_RUNNING", "cg=="));
    // One that comes while it runs cannot be about it.
    let mut other = dropped.clone();
    other["timestamp"] = json!(9.5);
    assert_eq!(desk.update(&other), Said::default());
    assert_eq!(asked(&desk.pass(Duration::from_secs(1))), ["a"]);
}

#[test]
fn a_duplicate_id_is_not_the_end_of_the_task_that_has_it() {
    let mut desk = Desk::subscribed();
    desk.launch("a", "S1");
    let said = desk.update(&json!({"task_id": {"value": "a"}, "state": "TASK_ERROR",
        "source": "SOURCE_MASTER", "reason": "REASON_TASK_INVALID", "message": "Task has duplicate ID: a"}));
    assert_eq!(said, Said::default());
    assert_eq!(asked(&desk.pass(Duration::from_secs(1))), ["a"]);
}

#[test]
fn a_second_launch_of_a_task_asks_about_the_first() {
    let mut desk = Desk::subscribed();
    desk.launch("a", "S1");
    desk.offer("O9", "S1");
    desk.order(Order::Launch(Box::new(launch("a", "S1", &["O9"]))));
    let said = desk.settle();
    assert_eq!(
        (asked(&said), kinds(&said)),
        (vec!["a"], vec![CallType::Reconcile, CallType::Decline])
    );
}

#[test]
fn doubt_is_asked_about_until_it_is_none() {
    let mut desk = Desk::subscribed();
    desk.launch("a", "S1");
    desk.update(&by_agent("a", "TASK_RUNNING", "cg=="));
    let mut unreachable = status("a", "TASK_UNREACHABLE");
    unreachable["source"] = json!("SOURCE_MASTER");
    unreachable["reason"] = json!("REASON_AGENT_REMOVED");
    unreachable["message"] = json!("health check timed out");
    let expected =
        "a in doubt: health check timed out (TASK_UNREACHABLE, REASON_AGENT_REMOVED, agent S1)";
    assert_eq!(reports(&desk.update(&unreachable)), [expected]);
    desk.settle();
    let mut pauses = Vec::new();
    for _ in 0..5 {
        let pause = desk.book.wake_at().unwrap().since(desk.now.boot);
        let said = desk.pass(pause);
        if asked(&said) == ["a"] {
            pauses.push(pause.as_secs());
        }
        desk.update(&unreachable);
    }
    assert_eq!(pauses[..4], [30, 60, 120, 240]);
    let said = desk.update(&answer("a", "TASK_RUNNING", Some("S1"), 1.0));
    assert_eq!(reports(&said), ["a running"]);
    assert_eq!(asked(&desk.pass(Duration::from_secs(1_000))), Vec::<&str>::new());
}

#[test]
fn doubt_is_not_kept_for_ever() {
    let mut desk = Desk::subscribed();
    desk.launch("a", "S1");
    let mut lost = status("a", "TASK_LOST");
    lost["source"] = json!("SOURCE_MASTER");
    desk.update(&lost);
    for _ in 0..90_000 / 300 {
        desk.pass(Duration::from_secs(300));
    }
    assert_eq!(desk.book.sizes(), (0, 0));
}

#[test]
fn what_comes_late_to_a_task_in_doubt_is_asked_about() {
    let mut desk = Desk::subscribed();
    desk.launch("a", "S1");
    let mut lost = status("a", "TASK_LOST");
    lost["source"] = json!("SOURCE_MASTER");
    desk.update(&lost);
    // Said before the doubt, and overtaken by it.
    assert_eq!(reports(&desk.update(&by_agent("a", "TASK_STARTING", "cw=="))), ["a staged"]);
    assert_eq!(asked(&desk.pass(Duration::from_secs(1))), ["a"]);
}

/// Its end may be on record already, and this may be from before it.
#[test]
fn what_a_task_says_that_nobody_waits_for_is_asked_about() {
    let mut desk = Desk::subscribed();
    assert_eq!(reports(&desk.update(&by_agent("a", "TASK_STARTING", "cw=="))), ["a staged"]);
    assert_eq!(asked(&desk.pass(Duration::from_secs(1))), ["a"]);
    let mut gone = answer("a", "TASK_GONE_BY_OPERATOR", Some("S1"), 9.0);
    gone["message"] = json!("Reconciliation: Task is gone");
    assert!(reports(&desk.update(&gone))[0].starts_with("a in doubt for ever: "));
    assert_eq!(asked(&desk.pass(Duration::from_secs(300))), Vec::<&str>::new());
}

/// A denial of one launch and the next launch are on their way at once: whoever ordered the launch takes the denial for
/// one of it.
#[test]
fn a_launch_that_has_crossed_a_denial_is_not_sent() {
    let mut desk = Desk::subscribed();
    desk.launch("a", "S1");
    desk.offer("next", "S1");
    let notices = desk.told;
    let dropped = json!({"task_id": {"value": "a"}, "state": "TASK_DROPPED", "source": "SOURCE_MASTER",
        "reason": "REASON_INVALID_OFFERS", "agent_id": {"value": "S1"}, "timestamp": 7.5,
        "message": "Task launched with invalid offers: Offer O1 is no longer valid"});
    assert_eq!(reports(&desk.update(&dropped)), ["a never launched"]);
    desk.order(Order::Launch(Box::new(launch("a", "S1", &["next"]))));
    let said = desk.order(Order::Settled { notices });
    assert_eq!((kinds(&said), said.notices), (vec![CallType::Decline], vec![]));
    // The launch after that knows of it.
    desk.offer("last", "S1");
    desk.order(Order::Launch(Box::new(launch("a", "S1", &["last"]))));
    assert_eq!(kinds(&desk.settle()), [CallType::Accept]);
}

#[test]
fn a_task_is_killed_until_it_is_heard() {
    let mut desk = Desk::subscribed();
    desk.launch("a", "S1");
    desk.update(&by_agent("a", "TASK_RUNNING", "cg=="));
    desk.settle();
    let kill = Order::Kill { task_id: TaskId::from_text("a"), grace: Duration::from_secs(7) };
    let said = desk.order(kill.clone());
    let call = said.calls[0].kill.as_ref().unwrap();
    assert_eq!((&call.agent_id, call.task_id.value.as_str()), (&None, "a"));
    let grace = call.kill_policy.unwrap().grace_period.unwrap();
    assert_eq!(grace.nanoseconds, 7_000_000_000);
    // The book repeats it by itself.
    assert_eq!(desk.order(kill.clone()), Said::default());
    assert_eq!(kinds(&desk.pass(Duration::from_secs(5))), [CallType::Kill]);
    assert_eq!(kinds(&desk.pass(Duration::from_secs(10))), [CallType::Kill]);
    desk.update(&by_agent("a", "TASK_KILLING", "aw=="));
    desk.settle();
    assert_eq!(desk.order(kill), Said::default());
    assert_eq!(desk.pass(Duration::from_secs(200)), Said::default());
    // It was not heard after all, as after a restart of the agent.
    desk.update(&answer("a", "TASK_RUNNING", Some("S1"), 5.0));
    assert_eq!(kinds(&desk.pass(Duration::from_secs(60))), [CallType::Kill]);
    let said = desk.update(&by_agent("a", "TASK_KILLED", "Sw=="));
    assert_eq!(reports(&said), ["a ended Killed"]);
    assert_eq!(kinds(&desk.pass(Duration::from_secs(200))), Vec::<CallType>::new());
}

#[test]
fn a_launch_that_never_arrived_and_is_killed_was_never_launched() {
    let mut desk = Desk::subscribed();
    desk.launch("a", "S1");
    desk.order(Order::Kill { task_id: TaskId::from_text("a"), grace: Duration::ZERO });
    // The answer to a KILL that names no agent says less than one to a question that does.
    assert_eq!(desk.update(&answer("a", "TASK_UNKNOWN", None, 1.0)), Said::default());
    assert_eq!(asked(&desk.pass(Duration::from_secs(1))), ["a"]);
    let said = desk.update(&answer("a", "TASK_GONE", Some("S1"), 2.0));
    assert_eq!(reports(&said), ["a never launched"]);
    assert_eq!(kinds(&desk.pass(Duration::from_secs(60))), Vec::<CallType>::new());
}

#[test]
fn a_launch_that_is_killed_before_it_was_sent_is_not_sent() {
    let mut desk = Desk::subscribed();
    desk.offer("O1", "S1");
    desk.order(Order::Launch(Box::new(launch("a", "S1", &["O1"]))));
    let kill = Order::Kill { task_id: TaskId::from_text("a"), grace: Duration::ZERO };
    assert_eq!(reports(&desk.order(kill)), ["a never launched"]);
    assert_eq!(kinds(&desk.settle()), [CallType::Decline]);
}

#[test]
fn a_task_that_nobody_knows_leaves_nothing_behind() {
    let mut desk = Desk::subscribed();
    let said = desk.update(&by_agent("x", "TASK_RUNNING", "cg=="));
    assert_eq!(reports(&said), ["x running"]);
    let kill = Order::Kill { task_id: TaskId::from_text("x"), grace: Duration::ZERO };
    assert_eq!(kinds(&desk.order(kill)), [CallType::Kill]);
    assert_eq!(acknowledged(&desk.settle()), ["cg=="]);
    // It was over already.
    let said = desk.update(&answer("x", "TASK_UNKNOWN", None, 1.0));
    assert!(reports(&said)[0].starts_with("x in doubt"));
    assert_eq!(desk.book.sizes(), (0, 0));
}

#[test]
fn another_framework_has_none_of_the_tasks() {
    let mut desk = Desk::subscribed();
    desk.launch("a", "S1");
    desk.update(&by_agent("a", "TASK_FINISHED", "Zg=="));
    desk.book.lost(desk.now, "removed".to_owned());
    desk.subscribe("G");
    desk.take();
    assert_eq!(desk.order(Order::Acknowledge(vec![TaskId::from_text("a")])), Said::default());
    assert_eq!(desk.book.sizes(), (0, 0));
    assert_eq!(desk.pass(Duration::from_secs(60)), Said::default());
}
