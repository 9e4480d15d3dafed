//! How long it takes to match ten thousand waiting runs with a thousand offers, with constraints of every kind, and the
//! engine's whole look at them.
//!
//! `cargo bench --bench placement`; `CHRONODE_BENCH_RUNS` and `CHRONODE_BENCH_OFFERS` change how many there are, the
//! rest is the same each time. Each figure is the best of some rounds.

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

mod house;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chronode::engine::{Abilities, Change, Effect, Event, Recovered, Settings, State, step};
use chronode::model::{
    AgentId, Attribute, AttributeValue, BootInstant, Constraint, Defaults, Dialect, Fitness,
    FrameworkId, Incarnation, Interventions, JobDraft, JobRecord, JobStats, Now, Offer, OfferId,
    OfferKind, Operator, Progress, Resources, Run, RunId, RunState, Scalar, ScheduleTerms, Term,
    Timestamp, Trigger, When,
};
use chronode::placement::{Conditions, Siblings, Tally, Wanted};
use chronode::schedule::ZoneDb;

/// Numbers that are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn units(units: u64) -> Scalar {
    Scalar::from_thousandths(units * 1_000)
}

fn offers(count: u64, numbers: &mut Numbers) -> BTreeMap<OfferId, Offer> {
    let one = |index: u64, numbers: &mut Numbers| {
        let cpus = 2 + numbers.below(31);
        let attributes = vec![
            Attribute::text("rack", format!("r-{}", numbers.below(20))),
            Attribute::text(
                "zone",
                match index % 3 {
                    0 => "north",
                    1 => "south",
                    _ => "west",
                },
            ),
            Attribute {
                name: "generation".to_owned(),
                value: AttributeValue::Scalar(units(1 + numbers.below(4))),
            },
            Attribute {
                name: "disks".to_owned(),
                value: AttributeValue::Set(vec!["ssd".to_owned(), format!("d{}", index % 7)]),
            },
        ];
        Offer {
            id: OfferId::new(format!("offer-{index:05}")),
            agent: AgentId::new(format!("agent-{index:05}")),
            hostname: format!("node-{index:05}.example.org"),
            attributes,
            resources: Resources {
                cpus: units(cpus),
                mem: units(cpus * 2_048),
                disk: units(500_000),
                ports: 1_000,
            },
            kind: OfferKind::Once,
            unavailable_from: None,
            files_at: None,
            share: String::new(),
        }
    };
    (0..count).map(|index| one(index, numbers)).map(|offer| (offer.id.clone(), offer)).collect()
}

fn constraint(attribute: &str, operator: Operator, value: &str) -> Constraint {
    Constraint { attribute: attribute.to_owned(), operator, value: value.to_owned() }
}

/// Half of the jobs have no constraints, a tenth each of five kinds; every fourth is spread.
fn draft(index: u64, numbers: &mut Numbers) -> JobDraft {
    let when = When::Schedule(ScheduleTerms::plain("R/2070-01-01T00:00:00Z/P1D", ""));
    let mut draft = JobDraft::new(house::name(index), when);
    draft.command = Some("/opt/batch/run".to_owned());
    draft.cpus = Some(Scalar::from_thousandths(100 + numbers.below(20) * 100));
    draft.mem = Some(units(64 + numbers.below(32) * 64));
    draft.ports = Some(u32::try_from(numbers.below(3)).unwrap_or_default());
    draft.constraints = Some(match index % 10 {
        0..5 => vec![],
        5 => vec![constraint("rack", Operator::Like, &format!("r-[{}-9]", numbers.below(9)))],
        6 => vec![constraint("zone", Operator::Equals, "north")],
        7 => vec![
            constraint("zone", Operator::Unlike, "west|south"),
            constraint("generation", Operator::Like, "[34].0"),
        ],
        8 => vec![constraint("disks", Operator::Like, "d[0-3]")],
        _ => vec![constraint("hostname", Operator::Unique, "")],
    });
    draft.placement = Some(if index.is_multiple_of(4) { Fitness::Spread } else { Fitness::Pack });
    draft
}

fn main() {
    let runs = house::number("CHRONODE_BENCH_RUNS", 10_000);
    let offered = house::number("CHRONODE_BENCH_OFFERS", 1_000);
    let mut numbers = Numbers(8);
    let offers = offers(offered, &mut numbers);
    let drafts: Vec<JobDraft> = (0..runs).map(|index| draft(index, &mut numbers)).collect();
    placement(&offers, &drafts);
    engine(&offers, &drafts);
}

/// The placement alone; expressions are compiled anew each time.
fn placement(offers: &BTreeMap<OfferId, Offer>, drafts: &[JobDraft]) {
    let resources = |draft: &JobDraft| Resources {
        cpus: draft.cpus.unwrap_or_default(),
        mem: draft.mem.unwrap_or_default(),
        disk: units(256),
        ports: draft.ports.unwrap_or_default(),
    };
    let mut best = Duration::MAX;
    let mut placed = 0;
    for _ in 0..10 {
        let conditions: Vec<Conditions> = drafts
            .iter()
            .map(|draft| Conditions::of(draft.constraints.clone().unwrap_or_default()))
            .collect();
        let (count, took) = house::timed(|| {
            let mut tally = Tally::new(offers, &BTreeMap::new());
            let assigned = drafts.iter().zip(&conditions).filter(|(draft, conditions)| {
                let wanted = Wanted {
                    resources: resources(draft),
                    conditions,
                    fitness: draft.placement.unwrap_or_default(),
                    until: Timestamp::UNIX_EPOCH,
                };
                tally.assign(&wanted, &Siblings::default()).is_some()
            });
            assigned.count()
        });
        best = best.min(took);
        placed = count;
    }
    println!(
        "placement: {} runs over {} offers: {placed} placed, {:.1} ms",
        drafts.len(),
        offers.len(),
        best.as_secs_f64() * 1_000.0
    );
}

/// The engine: from the offers to the launches and what is given back.
fn engine(offers: &BTreeMap<OfferId, Offer>, drafts: &[JobDraft]) {
    let wall: Timestamp = "2026-01-01T12:00:00Z".parse().expect("an instant");
    let now = Now { wall, boot: BootInstant::default() };
    let settings = Arc::new(Settings {
        defaults: Defaults::default(),
        retry_delay: jiff::SignedDuration::from_secs(60),
        disable_after_failures: 0,
        max_jobs: usize::MAX,
        kill_grace: jiff::SignedDuration::from_secs(5),
        abilities: Abilities {
            only_user: None,
            run_as: None,
            containers: true,
            executors: true,
            ports: true,
        },
        alerts: chronode::alerts::Terms::default(),
        zones: ZoneDb::bundled(),
        machine: Err("there is none".to_owned()),
    });
    let mut best = Duration::MAX;
    let (mut launched, mut returned, mut steps) = (0, 0, 0);
    for _ in 0..5 {
        let mut state = State::recover(Arc::clone(&settings), pending(drafts, wall));
        let mut apply = |event: &Event| {
            let decision = step(&state, now, event);
            decision.changes.iter().for_each(|change| state.apply(change));
            let is_settled = decision.changes.contains(&Change::PlacementSettled);
            (decision.effects, is_settled)
        };
        let framework = Some(FrameworkId::new("F"));
        let _ = apply(&Event::LauncherConnected { offers: vec![], framework });
        let event = Event::Offered(offers.values().cloned().collect());
        (launched, returned, steps) = (0, 0, 0);
        let ((), took) = house::timed(|| {
            let _ = apply(&event);
            loop {
                let (effects, is_settled) = apply(&Event::Woke);
                steps += 1;
                for effect in effects {
                    match effect {
                        Effect::Launch(_) => launched += 1,
                        Effect::Release(ids) => returned += ids.len(),
                        _ => {}
                    }
                }
                if is_settled {
                    break;
                }
            }
        });
        best = best.min(took);
    }
    println!(
        "engine: the same in {steps} steps: {launched} launched, {returned} offers given back, {:.1} ms",
        best.as_secs_f64() * 1_000.0
    );
}

/// A state in which a run of each job waits for an offer.
fn pending(drafts: &[JobDraft], wall: Timestamp) -> Recovered {
    let mut recovered = Recovered { term: Term(1), ..Recovered::default() };
    for (index, draft) in (1..).zip(drafts) {
        let incarnation = Incarnation(index);
        let job = draft.clone().resolve(None, Dialect::V0, &Defaults::default());
        let millis = i64::try_from(index).unwrap_or_default();
        recovered.task_marks.push((job.name.clone(), millis));
        recovered.runs.push(Run {
            id: RunId::manual(incarnation, millis),
            sequence: index,
            job: job.name.clone(),
            trigger: Trigger::Manual { due_at: wall, at: wall },
            task_millis: millis,
            arguments: None,
            environment: vec![],
            by: None,
            retries_down: false,
            stopped_by: None,
            causes: vec![],
            created_at: wall,
            start_deadline: None,
            wanted_at: wall,
            state: RunState::Pending { deadline: None },
            attempts: vec![],
        });
        recovered.jobs.push(JobRecord {
            incarnation,
            revision: 1,
            accepted_at: wall,
            job,
            stats: JobStats::default(),
            progress: Progress {
                decided_through: wall,
                stretch: None,
                boot_id: None,
                rounds: vec![],
            },
            interventions: Interventions::default(),
        });
    }
    recovered.last_incarnation = drafts.len() as u64;
    recovered.last_sequence = drafts.len() as u64;
    recovered
}
