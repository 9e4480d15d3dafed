//! Whatever comes in whatever order: what must never be said is not said.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// What may happen, over few tasks, agents and offers, so that things meet.
#[derive(Debug, Clone)]
enum Step {
    Offer {
        agent: u8,
        cpus: u16,
        mem: u16,
        ports: u8,
        reserved: u16,
    },
    Launch {
        task: u8,
        offers: Vec<u8>,
        cpus: u16,
        mem: u16,
        ports: u8,
    },
    Kill(u8),
    Reconcile {
        task: u8,
        was_seen: bool,
    },
    Acknowledge(u8),
    Release(u8),
    ReleaseAll,
    Demand(bool),
    Settle,
    /// Settles less than was told.
    SettleSome,
    Rescind(u8),
    Update {
        task: u8,
        state: u8,
        source: u8,
        uuid: Option<u8>,
        has_agent: bool,
        at: u8,
    },
    AgentLost(u8),
    Inverse(u8),
    Lost,
    Subscribe {
        is_same: bool,
    },
    Pass(u16),
    Refuse(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..3_u8, 0..4_000_u16, 0..4_000_u16, 0..5_u8, 0..2_000_u16).prop_map(
            |(agent, cpus, mem, ports, reserved)| Step::Offer { agent, cpus, mem, ports, reserved }),
        6 => (0..12_u8, prop::collection::vec(0..2_u8, 1..3), 0..900_u16, 0..900_u16, 0..4_u8).prop_map(
            |(task, offers, cpus, mem, ports)| Step::Launch { task, offers, cpus, mem, ports }),
        1 => (0..6_u8).prop_map(Step::Kill),
        1 => (0..6_u8, any::<bool>()).prop_map(|(task, was_seen)| Step::Reconcile { task, was_seen }),
        2 => (0..6_u8).prop_map(Step::Acknowledge),
        1 => (0..20_u8).prop_map(Step::Release),
        1 => Just(Step::ReleaseAll),
        1 => any::<bool>().prop_map(Step::Demand),
        5 => Just(Step::Settle),
        1 => Just(Step::SettleSome),
        1 => (0..20_u8).prop_map(Step::Rescind),
        8 => (0..6_u8, 0..15_u8, 0..3_u8, prop::option::of(0..6_u8), any::<bool>(), 0..3_u8).prop_map(
            |(task, state, source, uuid, has_agent, at)| Step::Update { task, state, source, uuid, has_agent, at }),
        1 => (0..3_u8).prop_map(Step::AgentLost),
        1 => (0..3_u8).prop_map(Step::Inverse),
        1 => Just(Step::Lost),
        2 => prop::bool::weighted(0.8).prop_map(|is_same| Step::Subscribe { is_same }),
        2 => (0..1_000_u16).prop_map(Step::Pass),
        1 => (0..20_u8).prop_map(Step::Refuse),
    ]
}

const STATES: [&str; 15] = [
    "TASK_STAGING",
    "TASK_STARTING",
    "TASK_RUNNING",
    "TASK_KILLING",
    "TASK_FINISHED",
    "TASK_FAILED",
    "TASK_KILLED",
    "TASK_ERROR",
    "TASK_LOST",
    "TASK_DROPPED",
    "TASK_UNREACHABLE",
    "TASK_GONE",
    "TASK_GONE_BY_OPERATOR",
    "TASK_UNKNOWN",
    "TASK_NEW",
];
const SOURCES: [&str; 3] = ["SOURCE_MASTER", "SOURCE_AGENT", "SOURCE_EXECUTOR"];

/// Whoever watches: what was offered, what was used, what may be acknowledged.
#[derive(Default)]
struct Watch {
    is_subscribed: bool,
    offered: BTreeMap<String, wire::Offer>,
    closed: BTreeSet<String>,
    ordered: BTreeMap<String, Launch>,
    /// By task and uuid: after how many settled notices it may be acknowledged; `None` only when its end is on record.
    waiting: BTreeMap<(String, String), Option<u64>>,
    may: BTreeSet<(String, String)>,
    accepts: Vec<wire::Call>,
    acknowledged: usize,
    launched: usize,
}

impl Watch {
    fn look(&mut self, said: &Said) {
        for call in &said.calls {
            assert!(self.is_subscribed, "nobody hears {call:?}");
            if let Some(decline) = &call.decline {
                self.close(&decline.offer_ids);
            }
            if let Some(accept) = &call.accept {
                self.accepted(accept);
                self.accepts.push(call.clone());
            }
            if let Some(it) = &call.acknowledge {
                let key = (it.task_id.value.clone(), it.uuid.clone());
                assert!(self.may.contains(&key), "{key:?} is acknowledged too early");
                self.acknowledged += 1;
            }
            let json = serde_json::to_string(call).unwrap();
            assert_eq!(serde_json::from_str::<wire::Call>(&json).unwrap(), *call);
        }
    }

    fn close(&mut self, ids: &[wire::Id]) {
        for id in ids {
            assert!(self.offered.contains_key(&id.value), "{} was never offered", id.value);
            assert!(self.closed.insert(id.value.clone()), "{} is used twice", id.value);
        }
    }

    /// One agent, and of its offers exactly what was ordered.
    fn accepted(&mut self, accept: &wire::Accept) {
        self.close(&accept.offer_ids);
        let offers: Vec<_> = accept.offer_ids.iter().map(|id| &self.offered[&id.value]).collect();
        let agent = offers[0].agent_id.clone();
        assert!(offers.iter().all(|offer| offer.agent_id == agent), "{accept:?}");
        let mut left: Vec<wire::Resource> =
            offers.iter().flat_map(|offer| offer.resources.clone()).collect();
        for operation in &accept.operations {
            for task in &operation.launch.as_ref().unwrap().task_infos {
                self.launched += 1;
                assert_eq!(task.agent_id, agent);
                let wanted = self.ordered[&task.task_id.value].resources;
                assert_eq!(sum(&task.resources), wanted, "{task:?}");
                for resource in &task.resources {
                    take(&mut left, resource);
                }
            }
        }
    }
}

fn sum(resources: &[wire::Resource]) -> Resources {
    let scalar = |name: &str| {
        let of = resources.iter().filter(|it| it.name == name).map(|it| it.scalar.unwrap().value);
        of.fold(Scalar::ZERO, |sum, value| sum.saturating_add(Scalar::from_units(value).unwrap()))
    };
    let ranges = resources.iter().filter_map(|it| it.ranges.as_ref()).flat_map(|it| &it.range);
    let ports = ranges.map(|range| u32::try_from(range.end - range.begin + 1).unwrap()).sum();
    Resources { cpus: scalar("cpus"), mem: scalar("mem"), disk: scalar("disk"), ports }
}

/// Takes a resource off what is left of those of its kind: as the master does.
fn take(left: &mut [wire::Resource], taken: &wire::Resource) {
    let is_like = |other: &wire::Resource| {
        let bare =
            |it: &wire::Resource| wire::Resource { scalar: None, ranges: None, ..it.clone() };
        bare(other) == bare(taken)
    };
    if let Some(scalar) = taken.scalar {
        let mut wanted = Scalar::from_units(scalar.value).unwrap();
        for other in left.iter_mut().filter(|it| is_like(it)) {
            let had = Scalar::from_units(other.scalar.unwrap().value).unwrap();
            let share = had.min(wanted);
            other.scalar = Some(wire::Scalar { value: had.saturating_sub(share).units() });
            wanted = wanted.saturating_sub(share);
        }
        assert_eq!(wanted, Scalar::ZERO, "{taken:?} was not offered");
    }
    for range in taken.ranges.iter().flat_map(|it| &it.range) {
        for port in range.begin..=range.end {
            let found = left.iter_mut().filter(|it| is_like(it)).any(|other| {
                let ranges = &mut other.ranges.as_mut().unwrap().range;
                let Some(at) = ranges.iter().position(|it| it.begin <= port && port <= it.end)
                else {
                    return false;
                };
                let hit = ranges.remove(at);
                let before = wire::Range { begin: hit.begin, end: port.wrapping_sub(1) };
                let after = wire::Range { begin: port + 1, end: hit.end };
                ranges.extend([before, after].into_iter().filter(|it| it.begin <= it.end));
                true
            });
            assert!(found, "port {port} was not offered, or is used twice");
        }
    }
}

fn random_offer(number: usize, step: &Step) -> Value {
    let Step::Offer { agent, cpus, mem, ports, reserved } = step else { unreachable!() };
    let scalar = |name: &str, thousandths: u16| json!({"name": name, "type": "SCALAR", "scalar": {"value": f64::from(thousandths) / 1000.0}});
    let mut resources = vec![scalar("cpus", *cpus), scalar("mem", *mem)];
    let mut ours = scalar("cpus", *reserved);
    ours["reservations"] = json!([{"type": "STATIC", "role": "ours"}]);
    let mut theirs = scalar("mem", 9_000);
    theirs["reservations"] = json!([{"type": "STATIC", "role": "theirs"}]);
    let mut fleeting = scalar("cpus", 9_000);
    fleeting["revocable"] = json!({});
    resources.extend([theirs, ours, fleeting]);
    if *ports > 0 {
        let begin = 31_000 + 10 * number;
        let end = begin + usize::from(*ports) - 1;
        // Untidy, as nobody forbids it.
        resources.push(json!({"name": "ports", "type": "RANGES",
            "ranges": {"range": [{"begin": end, "end": end}, {"begin": begin, "end": end.max(begin + 1) - 1}]}}));
    }
    json!({"id": {"value": format!("O{number}")}, "agent_id": {"value": format!("S{agent}")}, "resources": resources})
}

fn play(steps: &[Step]) -> Watch {
    let terms = Terms { roles: vec!["ours".to_owned()], ..Terms::default() };
    let mut desk = Desk::new(terms);
    let mut watch = Watch::default();
    for step in steps {
        let name = |task: u8| format!("t{task}");
        let id = |task: u8| TaskId::from_text(name(task));
        let said = match step {
            Step::Offer { .. } => {
                let offer = random_offer(watch.offered.len(), step);
                let read: wire::Offer = serde_json::from_value(offer.clone()).unwrap();
                watch.offered.insert(read.id.value.clone(), read);
                desk.event(&offers(&[offer]))
            }
            Step::Launch { task, offers, cpus, mem, ports } => {
                // The latest offers are the likeliest to be open.
                let latest = |n: &u8| watch.offered.len().saturating_sub(1 + usize::from(*n));
                let ids: Vec<String> = offers.iter().map(|n| format!("O{}", latest(n))).collect();
                let agent = ids.first().and_then(|id| watch.offered.get(id));
                let agent = agent.map_or("S0", |offer| offer.agent_id.value.as_str());
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                let mut launch = launch(&name(*task), agent, &ids);
                launch.resources = Resources {
                    cpus: Scalar::from_thousandths((*cpus).into()),
                    mem: Scalar::from_thousandths((*mem).into()),
                    disk: Scalar::ZERO,
                    ports: (*ports).into(),
                };
                // Of several launches of one id in a batch the first counts; it is only asked for once.
                if watch.is_subscribed && !desk.book.launches.iter().any(|it| it.task_id == launch.task_id) {
                    watch.ordered.insert(name(*task), launch.clone());
                    desk.order(Order::Launch(Box::new(launch)))
                } else {
                    Said::default()
                }
            }
            Step::Kill(task) => desk.order(Order::Kill { task_id: id(*task), grace: Duration::ZERO }),
            Step::Reconcile { task, was_seen } => desk.reconcile(&name(*task), "S0", *was_seen),
            Step::Acknowledge(task) => {
                let keys: Vec<_> = watch.waiting.keys().filter(|(it, _)| *it == name(*task)).cloned().collect();
                watch.may.extend(keys);
                desk.order(Order::Acknowledge(vec![id(*task)]))
            }
            Step::Release(n) => desk.order(Order::Release(vec![OfferId::new(format!("O{n}"))])),
            Step::ReleaseAll => desk.order(Order::ReleaseAll),
            Step::Demand(is_wanted) => desk.order(Order::Demand(*is_wanted)),
            Step::Settle | Step::SettleSome => {
                let notices = if matches!(step, Step::Settle) { desk.told } else { desk.told / 2 };
                let settled = |until: &Option<u64>| until.is_some_and(|until| until <= notices);
                let keys: Vec<_> =
                    watch.waiting.iter().filter(|(_, until)| settled(until)).map(|(key, _)| key.clone()).collect();
                watch.may.extend(keys);
                desk.order(Order::Settled { notices })
            }
            Step::Rescind(n) => {
                // The master does not take back what was used.
                if watch.is_subscribed {
                    watch.closed.insert(format!("O{n}"));
                }
                desk.event(&json!({"type": "RESCIND", "rescind": {"offer_id": {"value": format!("O{n}")}}}))
            }
            Step::Update { task, state, source, uuid, has_agent, at } => {
                let mut update = json!({"task_id": {"value": name(*task)}, "state": STATES[usize::from(*state)],
                    "source": SOURCES[usize::from(*source)], "timestamp": f64::from(*at)});
                if *has_agent || uuid.is_some() {
                    update["agent_id"] = json!({"value": "S0"});
                }
                if uuid.is_none() {
                    update["reason"] = json!("REASON_RECONCILIATION");
                }
                let uuid = uuid.map(|uuid| format!("u{task}-{state}-{uuid}"));
                if let Some(uuid) = &uuid {
                    update["uuid"] = json!(uuid);
                }
                let said = desk.update(&update);
                if let Some(uuid) = uuid.filter(|_| watch.is_subscribed) {
                    let is_end = matches!(said.notices.last(), Some(Notice::Report(report)) if matches!(report.status,
                        TaskStatus::Ended { .. } | TaskStatus::InDoubt { is_final: true, .. }));
                    let until = match (said.notices.is_empty(), is_end) {
                        (true, _) => Some(0),
                        (false, true) => None,
                        (false, false) => Some(desk.told),
                    };
                    let key = (name(*task), uuid);
                    // Again after it was acknowledged: from the beginning.
                    if !said.notices.is_empty() {
                        watch.may.remove(&key);
                        watch.waiting.insert(key, until);
                    } else {
                        watch.waiting.entry(key).or_insert(until);
                    }
                }
                said
            }
            Step::AgentLost(agent) => {
                desk.event(&json!({"type": "FAILURE", "failure": {"agent_id": {"value": format!("S{agent}")}}}))
            }
            Step::Inverse(agent) => desk.event(&json!({"type": "INVERSE_OFFERS", "inverse_offers": {"inverse_offers": [
                {"id": {"value": "I"}, "agent_id": {"value": format!("S{agent}")}}]}})),
            Step::Lost => {
                desk.book.lost(desk.now, "lost".to_owned());
                watch.is_subscribed = false;
                desk.take()
            }
            Step::Subscribe { is_same } => {
                desk.subscribe(if *is_same { "F" } else { "G" });
                watch.is_subscribed = true;
                desk.take()
            }
            Step::Pass(tenths) => desk.pass(Duration::from_millis(i64::from(*tenths) * 100)),
            Step::Refuse(n) => {
                if let Some(call) = watch.accepts.get(usize::from(*n)).cloned() {
                    // It had no effect, so the offers are open.
                    for id in &call.accept.as_ref().unwrap().offer_ids {
                        watch.closed.remove(&id.value);
                    }
                    desk.book.refused(desk.now, &call, 400, "no");
                    watch.accepts.remove(usize::from(*n));
                }
                desk.take()
            }
        };
        watch.look(&said);
        if let Some(at) = desk.book.wake_at() {
            // What is due is done by waking, and by nothing more than once.
            let said =
                desk.pass(at.since(desk.now.boot).clamp(Duration::ZERO, Duration::from_nanos(1)));
            watch.look(&said);
            assert!(desk.book.wake_at().is_none_or(|at| at > desk.now.boot));
        }
    }
    watch
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_is_said_that_must_not_be(steps in prop::collection::vec(step(), 1..120)) {
        let mut all = vec![Step::Subscribe { is_same: true }];
        all.extend(steps);
        play(&all);
    }
}

#[test]
fn the_random_steps_reach_what_they_are_for() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let (mut launched, mut acknowledged) = (0, 0);
    for _ in 0..100 {
        let steps = prop::collection::vec(step(), 120).new_tree(&mut runner).unwrap().current();
        let mut all = vec![Step::Subscribe { is_same: true }];
        all.extend(steps);
        let watch = play(&all);
        launched += watch.launched;
        acknowledged += watch.acknowledged;
    }
    assert!(launched > 50 && acknowledged > 100, "{launched} {acknowledged}");
}
