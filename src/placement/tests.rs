//! Constraints, the room of agents, and who gets which: each rule, and all of them against a second finding out.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::{
    AgentId, Attribute, AttributeValue, Constraint, Fitness, Offer, OfferId, OfferKind, Operator,
    Resources, Scalar, Timestamp,
};

fn amounts(cpus: u64, mem: u64, disk: u64, ports: u32) -> Resources {
    let scalar = Scalar::from_thousandths;
    Resources { cpus: scalar(cpus), mem: scalar(mem), disk: scalar(disk), ports }
}

fn offer(attributes: &[(&str, &str)]) -> Offer {
    Offer {
        attributes: attributes.iter().map(|&(name, value)| Attribute::text(name, value)).collect(),
        hostname: "slave.one.com".to_owned(),
        kind: OfferKind::Standing,
        ..offered("o1", "a1", amounts(1_000, 1_000_000, 1_000_000, 0))
    }
}

/// An offer of a cluster.
fn offered(id: &str, agent: &str, resources: Resources) -> Offer {
    Offer {
        id: OfferId::new(id),
        agent: AgentId::new(agent),
        hostname: format!("{agent}.example"),
        attributes: Vec::new(),
        resources,
        kind: OfferKind::Once,
        unavailable_from: None,
        files_at: None,
        share: String::new(),
    }
}

fn offers(all: impl IntoIterator<Item = Offer>) -> BTreeMap<OfferId, Offer> {
    all.into_iter().map(|offer| (offer.id.clone(), offer)).collect()
}

fn constraint(attribute: &str, operator: Operator, value: &str) -> Constraint {
    Constraint { attribute: attribute.to_owned(), operator, value: value.to_owned() }
}

fn is_met(attribute: &str, operator: Operator, value: &str, offer: &Offer) -> bool {
    Conditions::compile(&[constraint(attribute, operator, value)]).unwrap().unmet(offer).is_none()
}

fn wanted(resources: Resources, conditions: &Conditions) -> Wanted<'_> {
    Wanted { resources, conditions, fitness: Fitness::Pack, until: Timestamp::UNIX_EPOCH }
}

/// Where a run of a job goes that has no other live runs; in words why not.
fn assign<'a>(tally: &mut Tally<'a>, wanted: &Wanted<'a>) -> Result<String, String> {
    place(tally, wanted, &Siblings::default())
}

fn place<'a>(
    tally: &mut Tally<'a>,
    wanted: &Wanted<'a>,
    siblings: &Siblings,
) -> Result<String, String> {
    let fits = tally.judge(wanted, siblings).map(|_| ()).map_err(|misfits| {
        let told = misfits.iter().map(|it| format!("{}: {}", it.agent, it.text()));
        told.collect::<Vec<_>>().join("; ")
    });
    let assigned = tally.assign(wanted, siblings);
    assert_eq!(fits.is_ok(), assigned.is_some(), "both know whether it fits");
    let told = |it: Assignment| {
        let ids: Vec<String> = it.offers.iter().map(ToString::to_string).collect();
        format!("{} by {}", it.agent, ids.join("+"))
    };
    fits.map(|()| assigned.map(told).unwrap_or_default())
}

/// The vectors of Chronos' constraint specs.
#[test]
fn constraints_are_those_of_chronos() {
    use Operator::{Equals, Like, Unlike};
    let agent = offer(&[("dc", "north"), ("rack", "rack-1")]);
    for (attribute, operator, value, expected) in [
        ("rack", Equals, "rack-1", true),
        ("rack", Equals, "rack-2", false),
        ("rack", Like, "rack-[1-3]", true),
        ("rack", Like, "rack-[2-3]", false),
        ("dc", Like, "north|south", true),
        ("dc", Unlike, "north|south", false),
        ("rack", Unlike, "rack-[2-3]", true),
        ("zone", Like, ".*", false),
        ("zone", Unlike, "x", false),
        ("rack", Like, "rack", false),
        ("hostname", Equals, "slave.one.com", true),
        ("hostname", Equals, "slave.two.com", false),
    ] {
        assert_eq!(
            is_met(attribute, operator, value, &agent),
            expected,
            "{attribute} {operator:?} {value}"
        );
    }
    let named = offer(&[("hostname", "slave.explicit.com")]);
    assert!(!is_met("hostname", Equals, "slave.one.com", &named));
    assert!(is_met("hostname", Equals, "slave.explicit.com", &named));
    let fourth = offer(&[("dc", "north"), ("rack", "rack-4")]);
    assert!(is_met("rack", Unlike, "rack-[1-3]", &fourth));
}

/// The same for attributes that are no texts: numbers are matched as Java prints them, of sets any item, of ranges none.
#[test]
fn constraints_on_numbers_and_sets_are_those_of_chronos() {
    use AttributeValue::{Ranges, Scalar as Number, Set};
    use Operator::{Equals, Like, Unlike};
    let set = |items: &[&str]| Set(items.iter().map(|&it| it.to_owned()).collect());
    let one = Number(Scalar::from_thousandths(1_000));
    for (value, operator, pattern, expected) in [
        (one.clone(), Like, r"\d\.\d", true),
        (one.clone(), Unlike, r"\d\.\d", false),
        (one.clone(), Unlike, r"100.\d", true),
        (one.clone(), Equals, "1.0", false),
        (one, Equals, "1", false),
        (set(&["north"]), Like, "^n.*", true),
        (set(&["south"]), Like, "^n.*", false),
        (set(&["south", "north"]), Like, "^n.*", true),
        (set(&["north"]), Unlike, "^n.*", false),
        (set(&["south"]), Unlike, "^n.*", true),
        (set(&["south", "north"]), Unlike, "^n.*", false),
        (set(&["north"]), Equals, "north", false),
        (Ranges, Like, ".*", false),
        (Ranges, Unlike, "x", false),
        (Ranges, Equals, "[1-2]", false),
    ] {
        let attribute = Attribute { name: "it".to_owned(), value: value.clone() };
        let agent = Offer { attributes: vec![attribute], ..offer(&[]) };
        let found = is_met("it", operator, pattern, &agent);
        assert_eq!(found, expected, "{value:?} {operator:?} {pattern}");
    }
}

/// Of several attributes of one name EQUALS asks whether any is it, LIKE and UNLIKE ask the first.
#[test]
fn of_attributes_that_come_twice_one_is_enough_for_equals_and_the_first_counts_for_like() {
    use Operator::{Equals, Like, Unlike};
    let agent = offer(&[("rack", "r1"), ("rack", "r2")]);
    assert!(is_met("rack", Equals, "r2", &agent));
    assert!(!is_met("rack", Like, "r2", &agent));
    assert!(is_met("rack", Unlike, "r2", &agent));
}

#[test]
fn a_value_that_is_no_expression_is_refused_and_meets_nothing() {
    let bad = constraint("rack", Operator::Like, "[[[");
    let error = Conditions::compile(std::slice::from_ref(&bad)).unwrap_err().to_string();
    assert!(error.contains("`[[[` is not a regular expression"), "{error}");
    assert!(Conditions::of(vec![bad]).unmet(&offer(&[("rack", "[[[")])).is_some());
    let unlike = constraint("rack", Operator::Unlike, "[[[");
    assert!(Conditions::of(vec![unlike]).unmet(&offer(&[("rack", "r1")])).is_some());
}

#[test]
fn an_agent_that_is_kept_free_gets_nothing_more() {
    let offers = offers([offer(&[])]);
    let (half, all, more) =
        (amounts(500, 0, 0, 0), amounts(1_000, 0, 0, 0), amounts(1_001, 0, 0, 0));
    let used = BTreeMap::from([(AgentId::new("a1"), half)]);
    let free = Conditions::default();
    let mut tally = Tally::new(&offers, &used);
    // What does not fit on the whole agent is not waited for.
    tally.keep_free(&wanted(more, &free));
    assert!(assign(&mut tally, &wanted(Resources::default(), &free)).is_ok());
    assert!(assign(&mut tally, &wanted(all, &free)).is_err());
    tally.keep_free(&wanted(all, &free));
    assert_eq!(
        assign(&mut tally, &wanted(half, &free)),
        Err("a1: it is kept free for a run that has waited for long".to_owned())
    );
}

/// What an agent of a cluster has in all is not known, and nothing offered may be held.
#[test]
fn nothing_is_kept_free_on_what_is_offered_once() {
    let offers = offers([offered("o1", "a1", amounts(1_000, 0, 0, 0))]);
    let free = Conditions::default();
    let mut tally = Tally::new(&offers, &BTreeMap::new());
    tally.keep_free(&wanted(amounts(1_000, 0, 0, 0), &free));
    assert!(assign(&mut tally, &wanted(amounts(500, 0, 0, 0), &free)).is_ok());
}

#[test]
fn what_is_assigned_is_taken() {
    let offers = offers([offer(&[])]);
    let free = Conditions::default();
    let mut tally = Tally::new(&offers, &BTreeMap::new());
    let wanted = wanted(amounts(600, 0, 0, 0), &free);
    assert!(assign(&mut tally, &wanted).is_ok());
    let misfits = tally.judge(&wanted, &Siblings::default()).unwrap_err();
    assert_eq!(misfits[0].clause(), "slave.one.com has free only 0.4 cpus of the 0.6 wanted");
    assert_eq!(misfits[0].text(), "needs 0.6 cpus, it offers 0.4");
}

/// What live attempts hold is not in what a cluster offers, so it is not taken off a second time.
#[test]
fn what_attempts_hold_is_taken_off_what_stands_and_not_off_what_is_offered_once() {
    let used = BTreeMap::from([(AgentId::new("a1"), amounts(1_000, 0, 0, 0))]);
    let free = Conditions::default();
    let one = amounts(1_000, 0, 0, 0);
    for (kind, fits) in
        [(OfferKind::Unmetered, true), (OfferKind::Standing, false), (OfferKind::Once, true)]
    {
        let offers = offers([Offer { kind, ..offered("o1", "a1", one) }]);
        let mut tally = Tally::new(&offers, &used);
        assert_eq!(assign(&mut tally, &wanted(one, &free)).is_ok(), fits, "{kind:?}");
    }
}

#[test]
fn two_offers_of_one_agent_hold_together_what_neither_holds_alone() {
    let offers = offers([
        offered("o1", "a1", amounts(1_000, 500, 0, 0)),
        offered("o2", "a2", amounts(1_500, 500, 0, 0)),
        offered("o3", "a1", amounts(1_000, 500, 0, 2)),
    ]);
    let free = Conditions::default();
    let mut tally = Tally::new(&offers, &BTreeMap::new());
    // On two agents together is nothing.
    assert_eq!(
        assign(&mut tally, &wanted(amounts(3_000, 0, 0, 0), &free)),
        Err("a1: needs 3 cpus, it offers 2; a2: needs 3 cpus, it offers 1.5".to_owned())
    );
    // What one offer holds is put on one.
    let one = assign(&mut tally, &wanted(amounts(500, 0, 0, 1), &free));
    assert_eq!(one, Ok("a1 by o3".to_owned()));
    let both = assign(&mut tally, &wanted(amounts(1_500, 600, 0, 1), &free));
    assert_eq!(both, Ok("a1 by o1+o3".to_owned()));
    assert_eq!(
        assign(&mut tally, &wanted(amounts(100, 500, 0, 1), &free)),
        Err("a1: needs 0.1 cpus, it offers 0 and needs 0.5 MiB of memory, it offers 0.4 and needs 1 ports, it offers 0; \
             a2: needs 1 ports, it offers 0"
            .to_owned())
    );
}

#[test]
fn ports_are_counted() {
    let offers = offers([offered("o1", "a1", amounts(1_000, 0, 0, 3))]);
    let free = Conditions::default();
    let mut tally = Tally::new(&offers, &BTreeMap::new());
    let two = wanted(amounts(0, 0, 0, 2), &free);
    assert_eq!(assign(&mut tally, &two), Ok("a1 by o1".to_owned()));
    assert_eq!(assign(&mut tally, &two), Err("a1: needs 2 ports, it offers 1".to_owned()));
}

#[test]
fn an_agent_gets_nothing_that_could_still_run_when_it_goes_out_of_service() {
    let from: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
    let leaves =
        Offer { unavailable_from: Some(from), ..offered("o1", "a1", amounts(1_000, 0, 0, 0)) };
    let offers = offers([leaves]);
    let free = Conditions::default();
    let mut tally = Tally::new(&offers, &BTreeMap::new());
    let until = |until: &str| Wanted {
        until: until.parse().unwrap(),
        ..wanted(amounts(100, 0, 0, 0), &free)
    };
    let early = tally.assign(&until("2026-01-01T11:59:59Z"), &Siblings::default());
    assert!(early.is_some());
    let late = assign(&mut tally, &until("2026-01-01T12:00:00Z")).unwrap_err();
    assert!(late.contains("out of service from 2026-01-01T12:00:00.000Z"), "{late}");
    // What is known of those that end in time is not taken for what is known of others.
    assert!(assign(&mut tally, &until("2026-01-01T11:00:00Z")).is_ok());
}

#[test]
fn packing_takes_the_fullest_agent_with_room_and_then_the_first() {
    let offers = offers([
        offered("o1", "a1", amounts(4_000, 0, 0, 0)),
        offered("o2", "a3", amounts(1_000, 0, 0, 0)),
        offered("o3", "a2", amounts(1_000, 0, 0, 0)),
    ]);
    let free = Conditions::default();
    let mut tally = Tally::new(&offers, &BTreeMap::new());
    let one = wanted(amounts(1_000, 0, 0, 0), &free);
    let places: Vec<String> = (0..4).map(|_| assign(&mut tally, &one).unwrap()).collect();
    assert_eq!(places, ["a2 by o3", "a3 by o2", "a1 by o1", "a1 by o1"]);
}

#[test]
fn spreading_takes_the_agent_with_the_fewest_runs_of_the_job_and_then_the_emptiest() {
    let offers = offers([
        offered("o1", "a1", amounts(4_000, 0, 0, 0)),
        offered("o2", "a2", amounts(9_000, 0, 0, 0)),
        offered("o3", "a3", amounts(4_000, 0, 0, 0)),
    ]);
    let free = Conditions::default();
    let mut tally = Tally::new(&offers, &BTreeMap::new());
    let one = Wanted { fitness: Fitness::Spread, ..wanted(amounts(1_000, 0, 0, 0), &free) };
    let mut siblings = Siblings::default();
    siblings.add(&AgentId::new("a2"), []);
    let mut places = Vec::new();
    for _ in 0..5 {
        let assigned = tally.assign(&one, &siblings).unwrap();
        siblings.add(&assigned.agent, []);
        places.push(assigned.agent.to_string());
    }
    assert_eq!(places, ["a1", "a3", "a2", "a1", "a3"]);
}

fn in_rack(id: &str, agent: &str, rack: &str) -> Offer {
    Offer {
        attributes: vec![Attribute::text("rack", rack)],
        ..offered(id, agent, amounts(9_000, 0, 0, 0))
    }
}

#[test]
fn unique_puts_no_two_runs_where_the_attribute_is_the_same() {
    let all =
        offers([in_rack("o1", "a1", "r1"), in_rack("o2", "a2", "r1"), in_rack("o3", "a3", "r2")]);
    let unique = Conditions::of(vec![constraint("rack", Operator::Unique, "")]);
    let mut tally = Tally::new(&all, &BTreeMap::new());
    let one = wanted(amounts(100, 0, 0, 0), &unique);
    let mut siblings = Siblings::default();
    assert_eq!(place(&mut tally, &one, &siblings), Ok("a1 by o1".to_owned()));
    siblings.add(&AgentId::new("a1"), [("rack", Some("r1".to_owned()))]);
    assert_eq!(place(&mut tally, &one, &siblings), Ok("a3 by o3".to_owned()));
    siblings.add(&AgentId::new("a3"), [("rack", Some("r2".to_owned()))]);
    assert_eq!(
        place(&mut tally, &one, &siblings),
        Err("a1: another live run of the job is where rack is r1 (UNIQUE); \
             a2: another live run of the job is where rack is r1 (UNIQUE); \
             a3: another live run of the job is where rack is r2 (UNIQUE)"
            .to_owned())
    );
    // Another job with the same constraint is not kept off by that.
    assert!(place(&mut tally, &one, &Siblings::default()).is_ok());
    // Of one that is somewhere unknown nobody can say that it is elsewhere.
    let mut unknown = Siblings::default();
    unknown.add(&AgentId::new("a9"), [("rack", None)]);
    let why = place(&mut tally, &one, &unknown).unwrap_err();
    assert!(why.starts_with(
        "a1: what `rack` is where another live run of the job is cannot be said (UNIQUE)"
    ));
}

#[test]
fn what_has_no_such_attribute_meets_neither_unique_nor_cluster() {
    let all = offers([offered("o1", "a1", amounts(9_000, 0, 0, 0))]);
    for operator in [Operator::Unique, Operator::Cluster] {
        let conditions = Conditions::of(vec![constraint("rack", operator, "")]);
        let mut tally = Tally::new(&all, &BTreeMap::new());
        let why = assign(&mut tally, &wanted(amounts(1, 0, 0, 0), &conditions)).unwrap_err();
        let word = operator.as_str();
        assert_eq!(why, format!("a1: rack {word} asks for `rack`, which it does not have"));
    }
}

#[test]
fn cluster_keeps_all_live_runs_where_the_attribute_has_one_value() {
    let all =
        offers([in_rack("o1", "a1", "r1"), in_rack("o2", "a2", "r2"), in_rack("o3", "a3", "r2")]);
    let cluster = Conditions::of(vec![constraint("rack", Operator::Cluster, "")]);
    let mut tally = Tally::new(&all, &BTreeMap::new());
    let one = wanted(amounts(100, 0, 0, 0), &cluster);
    assert_eq!(assign(&mut tally, &one), Ok("a1 by o1".to_owned()));
    let mut siblings = Siblings::default();
    siblings.add(&AgentId::new("a3"), [("rack", Some("r2".to_owned()))]);
    assert_eq!(place(&mut tally, &one, &siblings), Ok("a2 by o2".to_owned()));
    siblings.add(&AgentId::new("a1"), [("rack", Some("r1".to_owned()))]);
    let why = place(&mut tally, &one, &siblings).unwrap_err();
    assert!(
        why.contains(
            "a3: the live runs of the job are where rack is r1, and here it is r2 (CLUSTER)"
        ),
        "{why}"
    );
    // At a value: whatever else runs where.
    let at = Conditions::of(vec![constraint("rack", Operator::Cluster, "r2")]);
    let mut tally = Tally::new(&all, &BTreeMap::new());
    assert_eq!(assign(&mut tally, &wanted(amounts(1, 0, 0, 0), &at)), Ok("a2 by o2".to_owned()));
}

/// What is asked of a run, made from few numbers.
#[derive(Debug, Clone)]
struct Ask {
    resources: Resources,
    constraints: usize,
    fitness: Fitness,
    is_long: bool,
    job: usize,
}

fn resources(most: u64) -> impl Strategy<Value = Resources> {
    (0..=most, 0..=most, 0..=most, 0..=3_u32)
        .prop_map(|(cpus, mem, disk, ports)| amounts(cpus, mem, disk, ports))
}

fn ask() -> impl Strategy<Value = Ask> {
    (resources(6), 0..5_usize, any::<bool>(), any::<bool>(), 0..3_usize).prop_map(
        |(resources, constraints, is_spread, is_long, job)| {
            let fitness = if is_spread { Fitness::Spread } else { Fitness::Pack };
            Ask { resources, constraints, fitness, is_long, job }
        },
    )
}

fn cluster() -> impl Strategy<Value = BTreeMap<OfferId, Offer>> {
    let one = (0..50_usize, resources(9), any::<bool>());
    prop::collection::vec(one, 0..60).prop_map(|all| {
        let made = all.into_iter().enumerate().map(|(index, (agent, resources, leaves))| {
            let leaves = leaves && agent % 5 == 0;
            Offer {
                // What an agent is does not differ from offer to offer.
                attributes: vec![Attribute::text("rack", format!("r{}", agent % 3))],
                unavailable_from: leaves.then_some(Timestamp::UNIX_EPOCH),
                ..offered(&format!("o{index:02}"), &format!("a{agent:02}"), resources)
            }
        });
        offers(made.collect::<Vec<_>>())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// No offer gives more than it has, no run is on two agents, and each gets the agent that the rule names: found out
    /// once more by looking at every agent.
    #[test]
    fn every_run_gets_the_agent_that_the_rule_names_and_no_offer_gives_more_than_it_has(
        offers in cluster(),
        asks in prop::collection::vec(ask(), 0..80),
    ) {
        let conditions = [
            Conditions::default(),
            Conditions::of(vec![constraint("rack", Operator::Like, "r[01]")]),
            Conditions::of(vec![constraint("rack", Operator::Equals, "r2")]),
            Conditions::of(vec![constraint("rack", Operator::Unique, "")]),
            Conditions::of(vec![constraint("rack", Operator::Cluster, "")]),
        ];
        let mut left: BTreeMap<&OfferId, Resources> =
            offers.iter().map(|(id, offer)| (id, offer.resources)).collect();
        let mut runs: BTreeMap<(usize, usize), Vec<AgentId>> = BTreeMap::new();
        let mut tally = Tally::new(&offers, &BTreeMap::new());
        for ask in asks {
            let conditions = &conditions[ask.constraints];
            let until = Timestamp::from_second(if ask.is_long { 0 } else { -1 }).unwrap();
            let wanted = Wanted { resources: ask.resources, conditions, fitness: ask.fitness, until };
            let mine = runs.entry((ask.job, ask.constraints)).or_default();
            let rack = |agent: &AgentId| {
                let offer = offers.values().find(|offer| offer.agent == *agent)?;
                value_of(offer, "rack")
            };
            let mut siblings = Siblings::default();
            for agent in mine.iter() {
                siblings.add(agent, [("rack", rack(agent))]);
            }
            // What the rule names.
            let mut agents: BTreeMap<&AgentId, Vec<&Offer>> = BTreeMap::new();
            for offer in offers.values() {
                agents.entry(&offer.agent).or_default().push(offer);
            }
            let free = |all: &[&Offer]| {
                all.iter().fold(Resources::default(), |sum, it| sum.plus(left[&it.id]))
            };
            let may = |agent: &AgentId, all: &[&Offer]| {
                let here = rack(agent);
                let others: Vec<Option<String>> = mine.iter().map(rack).collect();
                let rule = match ask.constraints {
                    0 => true,
                    1 => here.as_deref() != Some("r2"),
                    2 => here.as_deref() == Some("r2"),
                    3 => !others.contains(&here),
                    _ => others.iter().all(|it| *it == here),
                };
                let stays = !ask.is_long || all.iter().all(|it| it.unavailable_from.is_none());
                rule && stays && free(all).hold(&ask.resources)
            };
            let fitting = agents.iter().filter(|(agent, all)| may(agent, all));
            let expected = match ask.fitness {
                Fitness::Pack => fitting.min_by_key(|(agent, all)| {
                    (free(all).cpus, free(all).mem, **agent)
                }),
                Fitness::Spread => fitting.min_by_key(|(agent, all)| {
                    let count = mine.iter().filter(|it| it == *agent).count();
                    (count, std::cmp::Reverse((free(all).cpus, free(all).mem)), **agent)
                }),
            };
            let expected = expected.map(|(agent, _)| (*agent).clone());
            let judged = tally.judge(&wanted, &siblings).is_ok();
            let found = tally.assign(&wanted, &siblings);
            prop_assert_eq!(judged, found.is_some());
            prop_assert_eq!(found.as_ref().map(|it| it.agent.clone()), expected);
            let Some(Assignment { offers: used, agent }) = found else { continue };
            prop_assert!(!used.is_empty());
            mine.push(agent.clone());
            // Drawn on in their order, they hold it.
            let mut rest = ask.resources;
            for id in &used {
                prop_assert_eq!(&offers[id].agent, &agent);
                let there = left[id];
                left.insert(&offers[id].id, there.minus(rest));
                rest = rest.minus(there);
            }
            prop_assert_eq!(rest, Resources::default());
        }
    }
}

#[test]
fn offers_of_one_agent_for_two_roles_are_never_used_together() {
    let half = |id: &str, share: &str| Offer {
        share: share.to_owned(),
        ..offered(id, "a1", amounts(2, 2, 2, 0))
    };
    let conditions = Conditions::default();
    let wanted = wanted(amounts(3, 3, 3, 0), &conditions);
    let nobody = BTreeMap::new();
    let of_two = offers([half("o1", "batch"), half("o2", "night")]);
    let mut tally = Tally::new(&of_two, &nobody);
    assert!(assign(&mut tally, &wanted).is_err());
    assert_eq!(tally.agents(), 1);
    assert_eq!(tally.left_of(&AgentId::new("a1")), Some(amounts(4, 4, 4, 0)));
    let of_one = offers([half("o1", "batch"), half("o2", "batch")]);
    let mut tally = Tally::new(&of_one, &nobody);
    assert_eq!(assign(&mut tally, &wanted), Ok("a1 by o1+o2".to_owned()));
}
