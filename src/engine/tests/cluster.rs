//! Offers that come and go: asked for, used, given back; what was seen of them; what is short.

mod terms;
mod whatever;

use expect_test::expect;

use super::*;
use crate::model::{
    Attribute, Constraint, Fitness, FrameworkId, Incarnation, Operator, PauseScope, Sandbox, Scope,
};

const NONE: [&str; 0] = [];

fn amounts(cpus: u64, mem: u64, ports: u32) -> Resources {
    let units = |units: u64| Scalar::from_thousandths(units * 1_000);
    Resources { cpus: units(cpus), mem: units(mem), disk: units(100_000), ports }
}

/// An offer of an agent that is told to be in the rack `r` and its number.
fn offered(id: &str, agent: &str, resources: Resources) -> Offer {
    Offer {
        id: OfferId::new(id),
        agent: AgentId::new(agent),
        hostname: format!("{agent}.example"),
        attributes: vec![Attribute::text("rack", agent.replace('a', "r-"))],
        resources,
        kind: OfferKind::Once,
        unavailable_from: None,
        files_at: Some(format!("http://{agent}.example:5051")),
        share: "*".to_owned(),
    }
}

fn cluster() -> Desk {
    let mut desk = Desk::new();
    let _ = join(&mut desk);
    desk
}

fn join(desk: &mut Desk) -> Decision {
    let framework = Some(FrameworkId::new("F-1"));
    desk.handle(&Event::LauncherConnected { offers: vec![], framework })
}

/// All that follows from offers, in few words.
fn offer_all(desk: &mut Desk, offers: impl IntoIterator<Item = Offer>) -> String {
    let decision = desk.handle(&Event::Offered(offers.into_iter().collect()));
    nothing_is_held(desk);
    done(&decision)
}

fn nothing_is_held(desk: &Desk) {
    assert!(desk.state.offers().is_empty(), "offers are held: {:?}", desk.state.offers());
}

fn big() -> JobDraft {
    let mut job = hourly();
    job.cpus = Some(Scalar::from_thousandths(4_000));
    job.epsilon = epsilon(7_200);
    job
}

fn constrained(attribute: &str, operator: Operator, value: &str) -> Option<Vec<Constraint>> {
    let (attribute, value) = (attribute.to_owned(), value.to_owned());
    Some(vec![Constraint { attribute, operator, value }])
}

fn pending(desk: &Desk) -> Run {
    let is_pending = |run: &&Run| matches!(run.state, RunState::Pending { .. });
    desk.state.runs().find(is_pending).expect("a run is pending").clone()
}

fn told(desk: &Desk) -> String {
    let reasons = explain_run(&desk.state, desk.now.wall, &pending(desk));
    let ours = ["noRoom", "misfit", "moreMisfits", "awaitsOffer"];
    let lines = reasons.into_iter().filter(|reason| ours.contains(&reason.code));
    lines.map(|Reason { code, text }| format!("{code}: {text}\n")).collect()
}

fn fate(desk: &Desk, agent: &str) -> OfferFate {
    desk.state.seen_agent(&AgentId::new(agent)).expect("it was seen").fate.clone()
}

#[test]
fn a_launcher_without_a_cluster_hears_nothing_of_demand_and_keeps_its_offers() {
    let mut desk = Desk::new();
    assert!(!desk.state.is_cluster());
    desk.put(hourly());
    assert_eq!(done(&desk.wake("01:00:00")), "launch #0");
    assert_eq!(desk.state.offers().len(), 1);
    assert_eq!(desk.state.seen().len(), 0);
}

#[test]
fn a_launcher_of_a_cluster_is_told_at_once_whether_anything_waits() {
    let mut desk = Desk::new();
    assert_eq!(done(&join(&mut desk)), "demand false");
    desk.put(big());
    assert_eq!(done(&desk.wake("01:00:00")), "demand true");
    // Anew on each connection.
    let _ = desk.disconnect();
    assert_eq!(done(&join(&mut desk)), "demand true");
    // It changes nothing, so it is not told again.
    assert_eq!(done(&desk.handle(&Event::Woke)), "–");
}

#[test]
fn offers_are_given_back_at_once_if_nothing_waits() {
    let mut desk = cluster();
    let all = [offered("o1", "a1", amounts(8, 100, 0)), offered("o2", "a2", amounts(8, 100, 0))];
    assert_eq!(offer_all(&mut desk, all), "release 2");
    assert_eq!(fate(&desk, "a1"), OfferFate::NotWanted);
}

#[test]
fn a_run_waits_for_an_offer_and_is_launched_on_it() {
    let mut desk = cluster();
    let mut job = big();
    job.ports = Some(0);
    job.owner = Some("ops@example.org".to_owned());
    job.max_completion_secs = Some(30);
    desk.put(job);
    assert_eq!(done(&desk.wake("01:00:00")), "demand true");
    let decision = desk.handle(&Event::Offered(vec![
        offered("o1", "a1", amounts(2, 1_000, 0)),
        offered("o2", "a2", amounts(8, 1_000, 0)),
    ]));
    assert_eq!(done(&decision), "launch #0, release 1, demand false");
    nothing_is_held(&desk);
    let Some(Effect::Launch(launch)) = decision.effects.first() else { panic!() };
    assert_eq!((launch.agent.as_str(), launch.offers.len()), ("a2", 1));
    let host = launch.environment.iter().find(|(name, _)| name == "HOST").unwrap();
    assert_eq!(host.1, "a2.example");
    let cluster = launch.cluster.as_ref().unwrap();
    assert_eq!((cluster.job.as_str(), cluster.owner.as_str()), ("job", "ops@example.org"));
    assert_eq!((cluster.executor.as_str(), cluster.executor_data.as_str()), ("", ""));
    assert_eq!(cluster.timeout, Some(Duration::from_secs(30)));
    let placed = desk.state.runs().find_map(Run::live_attempt).unwrap().placed.clone().unwrap();
    assert_eq!(placed.hostname, "a2.example");
    assert_eq!(placed.values, []);
    let directory = "/frameworks/F-1/executors/ct:1767229200000:0:job:/runs/latest";
    assert_eq!(
        placed.sandbox,
        Some(Sandbox {
            agent: "http://a2.example:5051".to_owned(),
            directory: directory.to_owned()
        })
    );
    let seen = desk.state.seen_agent(&AgentId::new("a2")).unwrap();
    assert_eq!(seen.fate, OfferFate::Used { runs: 1 });
    assert_eq!(
        (seen.offer.resources.cpus, seen.left.cpus),
        (amounts(8, 0, 0).cpus, amounts(4, 0, 0).cpus)
    );
}

/// Data of a custom executor is `taskInfoData`, else flags and command as Chronos joins them; its sandbox has the name
/// of the job.
#[test]
fn a_custom_executor_gets_its_data_as_from_chronos() {
    for (raw, expected) in [(None, "-x|do it"), (Some("raw"), "raw")] {
        let mut desk = Desk::new();
        let mut settings = settings();
        settings.abilities.executors = true;
        desk.state.settings = Arc::new(settings);
        let _ = join(&mut desk);
        let mut job = hourly();
        job.command = Some("do it".to_owned());
        job.executor = Some("/opt/run".to_owned());
        job.executor_flags = Some("-x".to_owned());
        job.task_info_data = raw.map(str::to_owned);
        desk.put(job);
        let _ = desk.wake("01:00:00");
        let decision =
            desk.handle(&Event::Offered(vec![offered("o1", "a1", amounts(8, 1_000, 0))]));
        let Some(Effect::Launch(launch)) = decision.effects.first() else { panic!("{decision:?}") };
        let cluster = launch.cluster.as_ref().unwrap();
        assert_eq!(
            (cluster.executor.as_str(), cluster.executor_data.as_str()),
            ("/opt/run", expected)
        );
        let attempt = desk.state.runs().find_map(Run::live_attempt).unwrap();
        let sandbox = attempt.placed.clone().unwrap().sandbox.unwrap();
        assert_eq!(
            sandbox.directory,
            "/frameworks/F-1/executors/ct:1767229200000:0:job:/runs/latest"
        );
    }
}

#[test]
fn several_runs_go_on_one_offer_and_two_offers_of_one_agent_hold_one_run() {
    let mut desk = cluster();
    for job in ["a", "b"] {
        let mut small = draft(job, "R/2026-01-01T01:00:00Z/PT1H");
        small.cpus = Some(Scalar::from_thousandths(1_000));
        desk.put(small);
    }
    let _ = desk.wake("01:00:00");
    let words = offer_all(&mut desk, [offered("o1", "a1", amounts(2, 1_000, 0))]);
    assert_eq!(words, "launch #0, launch #0, demand false");
    assert_eq!(fate(&desk, "a1"), OfferFate::Used { runs: 2 });

    desk.put(big());
    let _ = desk.run_of("job");
    let words = offer_all(&mut desk, [offered("o2", "a1", amounts(2, 1_000, 0))]);
    assert_eq!(words, "release 1");
    let both =
        [offered("o3", "a1", amounts(2, 1_000, 0)), offered("o4", "a1", amounts(3, 1_000, 0))];
    let decision = desk.handle(&Event::Offered(both.to_vec()));
    let Some(Effect::Launch(launch)) = decision.effects.first() else { panic!("{decision:?}") };
    let ids: Vec<&str> = launch.offers.iter().map(OfferId::as_str).collect();
    assert_eq!(ids, ["o3", "o4"]);
    nothing_is_held(&desk);
}

/// What live attempts hold of an agent is not in what it offers.
#[test]
fn what_runs_on_an_agent_is_not_taken_off_what_it_offers() {
    let mut desk = cluster();
    let mut job = big();
    job.overlap = Some(Overlap::Allow { max: None });
    desk.put(job);
    let _ = desk.run_of("job");
    let _ = offer_all(&mut desk, [offered("o1", "a1", amounts(4, 1_000, 0))]);
    let _ = desk.run_of("job");
    let words = offer_all(&mut desk, [offered("o2", "a1", amounts(4, 1_000, 0))]);
    assert_eq!(words, "launch #0, demand false");
}

#[test]
fn what_is_against_each_agent_is_told_of_a_run_that_fits_nowhere() {
    let mut desk = cluster();
    let mut job = big();
    job.constraints = constrained("rack", Operator::Like, "r-[12]");
    desk.put(job);
    let _ = desk.wake("01:00:00");
    expect!["noRoom: no agent has room for it: no agent of the cluster has offered anything yet\n"]
        .assert_eq(&told(&desk));
    let offers = [
        offered("o1", "a1", amounts(2, 100, 0)),
        offered("o2", "a2", amounts(2, 1_000, 0)),
        offered("o3", "a3", amounts(8, 1_000, 0)),
    ];
    assert_eq!(offer_all(&mut desk, offers), "release 3");
    expect![[r#"
        noRoom: no agent has room for it: a1.example has free only 2.0 cpus of the 4.0 wanted and 100.0 MiB of memory of the 128.0 wanted; a2.example has free only 2.0 cpus of the 4.0 wanted; a3.example does not meet `rack LIKE r-[12]`
        misfit: a1.example: needs 4 cpus, it offers 2 and needs 128 MiB of memory, it offers 100
        misfit: a2.example: needs 4 cpus, it offers 2
        misfit: a3.example: rack LIKE r-[12] does not match r-3
    "#]]
    .assert_eq(&told(&desk));
    let OfferFate::NothingFits { job, reason, .. } = fate(&desk, "a2") else { panic!() };
    assert_eq!((job.as_str(), reason.as_str()), ("job", "needs 4 cpus, it offers 2"));
    // It is a reason of the end as well.
    let _ = desk.wake("03:00:00.001");
    let RunState::Ended { reason, .. } = &desk.ended[0].state else { panic!() };
    assert!(reason.contains("a2.example has free only 2.0 cpus of the 4.0 wanted"), "{reason}");
}

#[test]
fn a_run_that_would_fit_on_what_was_offered_before_waits_for_a_new_offer() {
    let mut desk = cluster();
    let _ = offer_all(&mut desk, [offered("o1", "a1", amounts(8, 1_000, 0))]);
    desk.put(big());
    desk.jump("00:00:03");
    let _ = desk.run_of("job");
    expect![
        "awaitsOffer: it would fit on a1.example as it was offered 3 s ago; a new offer is awaited\n"
    ]
    .assert_eq(&told(&desk));
    let run = pending(&desk);
    let (agent, hostname) = (AgentId::new("a1"), "a1.example".to_owned());
    assert_eq!(
        fitting(&desk.state, desk.now.wall, &run),
        Some(Fitting::AsSeen { agent, hostname, at: at(BEGIN) })
    );
}

#[test]
fn many_agents_on_which_a_run_does_not_fit_are_told_of_by_number() {
    let mut desk = cluster();
    desk.put(big());
    let _ = desk.wake("01:00:00");
    let offers =
        (0..25).map(|i| offered(&format!("o{i:02}"), &format!("a{i:02}"), amounts(1, 1_000, 0)));
    let _ = offer_all(&mut desk, offers.collect::<Vec<_>>());
    let told = told(&desk);
    assert_eq!(told.lines().filter(|line| line.starts_with("misfit: ")).count(), 20);
    assert!(told.ends_with("moreMisfits: it fits on none of 5 further agents either\n"), "{told}");
}

#[test]
fn what_is_held_by_a_pause_is_no_demand_and_offers_are_given_back_meanwhile() {
    let mut desk = cluster();
    desk.put(big());
    let _ = desk.wake("01:00:00");
    let by = crate::model::Intervention {
        by: "kim".to_owned(),
        at: desk.now.wall,
        reason: String::new(),
    };
    let scope = PauseScope::Everything;
    let pause = Request::Pause { scope: scope.clone(), until: None, by: by.clone() };
    assert_eq!(done(&desk.request(pause).1), "demand false");
    let enough = || [offered("o1", "a1", amounts(8, 1_000, 0))];
    assert_eq!(offer_all(&mut desk, enough()), "release 1");
    let (_, decision) = desk.request(Request::Resume { scope, by });
    assert_eq!(done(&decision), "demand true");
    assert_eq!(offer_all(&mut desk, enough()), "launch #0, demand false");
}

/// Nothing is decided before the launcher has told what became of live attempts; no offer waits for that.
#[test]
fn offers_that_come_while_nothing_is_decided_are_given_back_and_asked_for_again() {
    let mut desk = cluster();
    let mut job = hourly();
    job.overlap = Some(Overlap::Allow { max: None });
    desk.put(job);
    let _ = desk.run_of("job");
    let _ = offer_all(&mut desk, [offered("o1", "a1", amounts(8, 1_000, 0))]);
    let task = desk.task();
    let _ = desk.run_of("job");
    let _ = desk.step(&Event::Resumed { term: Term(2) });
    assert!(desk.state.listens_until().is_some());
    assert_eq!(offer_all(&mut desk, [offered("o2", "a1", amounts(8, 1_000, 0))]), "release 1");
    let started_at = desk.now.wall;
    let decision = desk.report(&task, TaskStatus::Running { started_at });
    assert_eq!(done(&decision), "demand true");
    let connected = Event::LauncherConnected {
        offers: vec![offered("o3", "a1", amounts(8, 1_000, 0))],
        framework: Some(FrameworkId::new("F-1")),
    };
    assert_eq!(done(&desk.handle(&connected)), "ask after 1, launch #0, demand false");
    nothing_is_held(&desk);
}

/// What was turned down for those that waited before may be of use to those that come: it is asked for again.
#[test]
fn demand_is_told_again_when_something_more_waits_and_not_when_something_goes() {
    let mut desk = cluster();
    let mut job = big();
    job.when = When::Schedule(ScheduleTerms::plain("R1/2026-01-01T01:00:00Z/PT1H", ""));
    desk.put(job);
    let mut other = draft("other", "R/2026-01-01T01:00:10Z/PT1H");
    other.cpus = Some(Scalar::from_thousandths(1_000));
    other.epsilon = epsilon(60);
    desk.put(other);
    assert_eq!(done(&desk.wake("01:00:00")), "demand true");
    assert_eq!(offer_all(&mut desk, [offered("o1", "a1", amounts(2, 1_000, 0))]), "release 1");
    assert_eq!(done(&desk.wake("01:00:10")), "demand true");
    // The window of `other` closes; `job` still waits.
    assert_eq!(done(&desk.wake("01:01:10.001")), "–");
    assert_eq!(done(&desk.wake("03:00:00.001")), "demand false");
}

#[test]
fn what_was_seen_of_an_agent_is_forgotten_with_it_and_on_a_new_connection() {
    let mut desk = cluster();
    let all = || [offered("o1", "a1", amounts(1, 100, 0)), offered("o2", "a2", amounts(1, 100, 0))];
    let _ = offer_all(&mut desk, all());
    let _ = desk.handle(&Event::AgentLost(AgentId::new("a1")));
    let known =
        |desk: &Desk| desk.state.seen().map(|it| it.offer.agent.to_string()).collect::<Vec<_>>();
    assert_eq!(known(&desk), ["a2"]);
    let _ = desk.handle(&Event::Withdrawn(vec![OfferId::new("o2")]));
    assert_eq!(known(&desk), ["a2"]);
    let _ = join(&mut desk);
    assert_eq!(known(&desk), NONE);
    // A lost cluster offers nothing either.
    let _ = offer_all(&mut desk, all());
    let _ = desk.disconnect();
    assert_eq!(known(&desk), NONE);
}

/// Each of its offers is gone, and its attempts are asked after by the launcher, not ended here.
#[test]
fn the_loss_of_an_agent_touches_nobody_else() {
    let mut desk = cluster();
    desk.put(big());
    let _ = desk.run_of("job");
    let _ = offer_all(&mut desk, [offered("o1", "a1", amounts(8, 1_000, 0))]);
    desk.running();
    assert_eq!(done(&desk.handle(&Event::AgentLost(AgentId::new("a1")))), "–");
    assert_eq!(desk.live().len(), 1);
    let task = desk.task();
    let reason = "agent a1 is unreachable".to_owned();
    let _ = desk.report(&task, TaskStatus::InDoubt { reason, is_final: false });
    assert!(desk.live()[0].contains("unknown until"), "{:?}", desk.live());
}

#[test]
fn a_framework_that_was_removed_is_replaced_by_a_new_one() {
    let mut desk = cluster();
    assert_eq!(desk.state.framework(), Some(&FrameworkId::new("F-1")));
    let framework = Some(FrameworkId::new("F-2"));
    let decision = desk.handle(&Event::LauncherConnected { offers: vec![], framework });
    let is_durable =
        |change: &Change| matches!(change, Change::FrameworkSet(_)) && change.is_durable();
    assert!(decision.changes.iter().any(is_durable));
    desk.restart();
    assert_eq!(desk.state.framework(), Some(&FrameworkId::new("F-2")));
}

/// A task of ours that nobody will ever ask after.
#[test]
fn a_stranger_is_stopped_in_a_cluster_and_left_alone_on_the_own_machine() {
    let stranger = TaskId::from_text("ct:0:0:stranger:");
    for status in [TaskStatus::Staged, TaskStatus::Running { started_at: at(BEGIN) }] {
        let mut alone = Desk::new();
        let decision = alone.report(&stranger, status.clone());
        assert_eq!(done(&decision), "–");
        assert!(decision.notes[0].is_warning);
        let mut desk = cluster();
        let decision = desk.report(&stranger, status);
        assert_eq!(done(&decision), "kill");
        let note = &decision.notes[0];
        assert!(note.is_warning && note.text.ends_with("belongs to no live run, and is stopped"));
    }
}

#[test]
fn an_agent_that_is_to_be_out_of_service_soon_gets_only_what_ends_before() {
    let mut desk = cluster();
    let leaves = |id: &str| Offer {
        unavailable_from: Some(day("01:30:00")),
        ..offered(id, "a1", amounts(8, 1_000, 0))
    };
    desk.put(big());
    let mut short = draft("short", "R/2026-01-01T01:00:00Z/PT1H");
    short.max_completion_secs = Some(600);
    short.epsilon = epsilon(7_200);
    desk.put(short);
    let _ = desk.wake("01:00:00");
    assert_eq!(offer_all(&mut desk, [leaves("o1")]), "launch #0");
    assert_eq!(desk.live_of("short"), ["launching"]);
    assert_eq!(desk.live_of("job"), ["pending until 03:00:00"]);
    assert!(
        told(&desk).contains("out of service from 2026-01-01T01:30:00.000Z"),
        "{}",
        told(&desk)
    );
}

#[test]
fn ports_are_wanted_like_any_other_resource() {
    let mut desk = Desk::new();
    let mut settings = settings();
    settings.abilities.ports = true;
    desk.state.settings = Arc::new(settings);
    let _ = join(&mut desk);
    let mut job = hourly();
    job.ports = Some(2);
    desk.put(job);
    let _ = desk.wake("01:00:00");
    assert_eq!(offer_all(&mut desk, [offered("o1", "a1", amounts(8, 1_000, 1))]), "release 1");
    assert!(told(&desk).contains("needs 2 ports, it offers 1"));
    let decision = desk.handle(&Event::Offered(vec![offered("o2", "a1", amounts(8, 1_000, 2))]));
    let Some(Effect::Launch(launch)) = decision.effects.first() else { panic!("{decision:?}") };
    assert_eq!(launch.resources.ports, 2);
}

#[test]
fn ports_are_refused_where_the_launcher_gives_none() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.ports = Some(1);
    let Reply::Refused(rejection) = desk.put(job) else { panic!() };
    assert_eq!(rejection.field.as_ref(), "ports");
    assert_eq!(rejection.remedy, "leave `ports` out and name the port in `command`");
}

#[test]
fn a_launch_on_offers_that_are_void_is_taken_back_as_often_as_that_happens() {
    let mut desk = cluster();
    desk.put(big());
    let _ = desk.wake("01:00:00");
    for n in 1..4 {
        let offer = offered(&format!("o{n}"), "a1", amounts(8, 1_000, 0));
        assert!(offer_all(&mut desk, [offer]).starts_with("launch #0"), "time {n}");
        let task = desk.state.runs().next().and_then(Run::live_attempt).unwrap().task_id.clone();
        let _ = desk.report(&task, TaskStatus::NeverLaunched);
        assert!(desk.state.runs().next().unwrap().attempts.is_empty(), "time {n}");
        let _ = desk.handle(&Event::Woke);
    }
}

#[test]
fn what_is_unknown_under_another_framework_may_have_run() {
    let mut desk = cluster();
    desk.put(big());
    let _ = desk.wake("01:00:00");
    let offer = offered("o1", "a1", amounts(8, 1_000, 0));
    assert!(offer_all(&mut desk, [offer]).starts_with("launch #0"));
    let asked = |decision: &Decision| {
        let questions = decision.effects.iter().filter_map(|effect| {
            if let Effect::Reconcile(questions) = effect { Some(questions.clone()) } else { None }
        });
        questions.flatten().map(|question| question.was_seen).collect::<Vec<_>>()
    };
    // The launch may never have arrived.
    let _ = desk.disconnect();
    assert_eq!(asked(&join(&mut desk)), [false]);
    // It may have, and what it was launched for is gone with it.
    let _ = desk.disconnect();
    let framework = Some(FrameworkId::new("F-2"));
    let anew = desk.handle(&Event::LauncherConnected { offers: vec![], framework });
    assert_eq!(asked(&anew), [true]);
}

/// The instants of an attempt are the agent's, by a clock that may be set wrong.
#[test]
fn an_instant_that_cannot_be_is_the_nearest_that_can_or_when_it_was_heard() {
    let at = |text: &str| -> Timestamp { format!("2026-01-01T{text}Z").parse().unwrap() };
    for (started, ended, expected) in [
        ("01:00:02", "01:00:08", ("01:00:02", "01:00:08")),
        // A little behind, much behind, ahead, and an end before the start.
        ("00:59:58", "00:59:59", ("01:00:00", "01:00:00")),
        ("00:10:02", "00:10:08", ("01:00:05", "01:00:10")),
        ("03:00:02", "03:00:08", ("01:00:05", "01:00:10")),
        ("01:00:04", "01:00:03", ("01:00:04", "01:00:04")),
    ] {
        let mut desk = cluster();
        desk.put(big());
        let _ = desk.wake("01:00:00");
        let _ = offer_all(&mut desk, [offered("o1", "a1", amounts(8, 1_000, 0))]);
        let task_id = desk.state.runs().find_map(Run::live_attempt).unwrap().task_id.clone();
        let _ = desk.wake("01:00:05");
        let status = TaskStatus::Running { started_at: at(started) };
        let _ = desk.handle(&Event::Task(TaskReport { task_id: task_id.clone(), status }));
        let _ = desk.wake("01:00:10");
        let (exit, started_at) = (Exit::Code(0), Some(at(started)));
        let status = TaskStatus::Ended { exit, started_at, ended_at: at(ended) };
        let decision = desk.handle(&Event::Task(TaskReport { task_id, status }));
        let run = decision.changes.iter().rev().find_map(|change| match change {
            Change::RunStored(run) => Some(run),
            _ => None,
        });
        let Some(AttemptState::Ended { started_at, at: ended_at, .. }) =
            run.and_then(|run| run.attempts.last()).map(|attempt| attempt.state.clone())
        else {
            panic!()
        };
        assert_eq!((started_at.unwrap(), ended_at), (at(expected.0), at(expected.1)), "{started}");
    }
}
