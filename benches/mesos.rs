//! How long it takes to read an OFFERS event with a thousand offers, and to turn launches on them into calls; and how
//! many runs a second the whole program starts on the agents of the fake master, its store on disk, beside what its
//! launcher alone does with the same tasks there, without a decision or a record.
//!
//! Run with `cargo bench --bench mesos`. Each figure is the best of some rounds, those of the program and of the launcher
//! in turns.

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/mesos/fake/mod.rs"]
mod fake;
#[path = "../tests/mesos/model/mod.rs"]
mod model;
#[path = "../tests/sim/rng.rs"]
#[allow(dead_code, reason = "the simulators use more of it")]
mod rng;

use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use chronode::launcher::mesos::MesosLauncher;
use chronode::launcher::mesos::book::{Book, Out, Terms};
use chronode::launcher::{Launcher as _, Notice, Order};
use chronode::mesos::client::ClientConfig;
use chronode::mesos::leader::Masters;
use chronode::mesos::transport::Access;
use chronode::mesos::wire::{Capability, Event, FrameworkInfo};
use chronode::model::{
    AgentId, BootInstant, ClusterTerms, Command, Duration, FrameworkId, Incarnation, JobName,
    Launch, NameRule, Now, OfferId, Resources, RunId, Scalar, TaskId, TaskStatus, Term, Timestamp,
};
use common::{Place, Server};
use fake::{Fake, Setup};
use serde_json::json;
use tokio::sync::mpsc::unbounded_channel;

/// One of each agent.
const OFFERS: usize = 1_000;
/// The id of a master, which those of offers and agents begin with.
const ID: &str = "9e68897b-b179-48ef-af88-21e945aada1f";
/// As many on each.
const LAUNCHES: usize = 10_000;
const ROUNDS: u32 = 20;
/// Runs that are due at one instant, and agents of the fake master.
const DUE: usize = 2_000;
const AGENTS: usize = 50;
const ROUNDS_OF_THE_FAKE: u32 = 3;

fn main() {
    without_a_socket();
    against_the_fake();
}

fn without_a_socket() {
    let text = offers();
    let event: Event = serde_json::from_str(&text).unwrap();
    assert_eq!(event.offers.as_ref().map(|it| it.offers.len()), Some(OFFERS));
    let reading = best(|| (), |()| serde_json::from_str::<Event>(black_box(&text)).unwrap());
    let hearing = best(book, |mut book| {
        book.event(now(), black_box(&event));
        (book.take().len(), book)
    });
    let launches: Vec<Launch> = (0..LAUNCHES)
        .map(|n| {
            let at = n % OFFERS;
            launch(n, OfferId::new(format!("{ID}-O{at}")), AgentId::new(format!("{ID}-S{at}")))
        })
        .collect();
    let mut bytes = 0;
    let launching = best(
        || {
            let mut book = book();
            book.event(now(), &event);
            book.take();
            (book, launches.clone())
        },
        |(mut book, launches)| {
            for launch in launches {
                book.order(now(), Order::Launch(Box::new(launch)));
            }
            book.order(now(), Order::Settled { notices: 2 });
            let calls: Vec<Vec<u8>> = book.take().iter().filter_map(encoded).collect();
            assert_eq!(calls.len(), OFFERS);
            assert_eq!(book.figures().launches, LAUNCHES as u64);
            bytes = calls.iter().map(Vec::len).sum();
            calls
        },
    );
    let mut out = std::io::stdout().lock();
    writeln!(out, "| what | ms | each |\n|---|---:|---:|").unwrap();
    let mut row = |what: String, seconds: f64, count: usize| {
        let each = seconds * 1e6 / count as f64;
        writeln!(out, "| {what} | {:.2} | {each:.2} µs |", seconds * 1e3).unwrap();
    };
    row(format!("read {OFFERS} offers, {} kB", text.len() / 1_000), reading, OFFERS);
    row(format!("tell {OFFERS} offers"), hearing, OFFERS);
    row(
        format!("{LAUNCHES} launches on {OFFERS} offers, {} kB of ACCEPT", bytes / 1_000),
        launching,
        LAUNCHES,
    );
    writeln!(out, "\n{:.0} launches per second", LAUNCHES as f64 / launching).unwrap();
}

fn now() -> Now {
    let wall = Timestamp::from_second(1_800_000_000).unwrap();
    Now { wall, boot: BootInstant(Duration::from_secs(1_000)) }
}

fn book() -> Book {
    let mut book = Book::new(Terms::default());
    book.subscribed(now(), FrameworkId::new("F"));
    book.take();
    book
}

fn encoded(out: &Out) -> Option<Vec<u8>> {
    match out {
        Out::Call(call) => Some(serde_json::to_vec(call).unwrap()),
        Out::Notice(_) => None,
    }
}

/// An event as a master writes it.
fn offers() -> String {
    let scalar = |name: &str, value: f64| {
        json!({"name": name, "type": "SCALAR", "scalar": {"value": value}, "role": "*",
            "allocation_info": {"role": "*"}})
    };
    let offer = |n: usize| {
        json!({
            "id": {"value": format!("{ID}-O{n}")},
            "framework_id": {"value": format!("{ID}-0001")},
            "agent_id": {"value": format!("{ID}-S{n}")},
            "hostname": format!("agent{n}.local"),
            "url": {"scheme": "http", "path": "/slave(1)",
                "address": {"hostname": format!("agent{n}.local"), "ip": "127.0.0.1", "port": 5051}},
            "resources": [
                {"name": "ports", "type": "RANGES", "role": "*", "allocation_info": {"role": "*"},
                    "ranges": {"range": [{"begin": 31_000, "end": 31_499}, {"begin": 31_600, "end": 32_000}]}},
                scalar("cpus", 16.0), scalar("mem", 65_536.0), scalar("disk", 100_000.0),
            ],
            "attributes": [
                {"name": "rack", "type": "TEXT", "text": {"value": format!("r{}", n % 20)}},
                {"name": "tier", "type": "TEXT", "text": {"value": "gold"}},
            ],
            "allocation_info": {"role": "*"},
        })
    };
    let offers: Vec<_> = (0..OFFERS).map(offer).collect();
    json!({"type": "OFFERS", "offers": {"offers": offers}}).to_string()
}

fn launch(n: usize, offer: OfferId, agent: AgentId) -> Launch {
    let variable = |name: &str, value: String| (name.to_owned(), value);
    let task = format!("ct:1800000000000:0:job-{n}:");
    Launch {
        term: Term(1),
        task_id: TaskId::from_text(&task),
        run_id: RunId::manual(Incarnation(n as u64), 1_800_000_000_000),
        attempt: 0,
        offers: vec![offer],
        agent,
        command: Command::Shell {
            text: "/opt/batch/run --all".to_owned(),
            arguments: vec!["it's".to_owned()],
        },
        environment: vec![
            variable("mesos_task_id", task.clone()),
            variable("CHRONOS_JOB_OWNER", "ops@example.com".to_owned()),
            variable("CHRONOS_JOB_NAME", format!("job-{n}")),
            variable("HOST", "agent1.local".to_owned()),
            variable("CHRONOS_RESOURCE_MEM", "128.0".to_owned()),
        ],
        user: Some("batch".to_owned()),
        fetch: vec![],
        resources: Resources {
            cpus: Scalar::from_thousandths(100),
            mem: Scalar::from_thousandths(128_000),
            disk: Scalar::from_thousandths(128_000),
            ports: 1,
        },
        kill_grace: Duration::from_secs(10),
        not_after: None,
        cluster: Some(Box::new(ClusterTerms {
            job: JobName::parse(&format!("job-{n}"), NameRule::Blanks).unwrap(),
            owner: "ops@example.com".to_owned(),
            container: None,
            executor: String::new(),
            executor_data: String::new(),
            timeout: None,
        })),
    }
}

/// The quickest of some rounds, in seconds. What is prepared for a round, and what becomes of its result, is not
/// measured.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn best<P, R>(mut prepare: impl FnMut() -> P, mut work: impl FnMut(P) -> R) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let prepared = prepare();
        let begun = Instant::now();
        let result = black_box(work(prepared));
        best = best.min(begun.elapsed().as_secs_f64());
        drop(result);
    }
    best
}

/// How long it took until all commands had been started, and until all updates were acknowledged, in seconds.
type Took = (f64, f64);

fn against_the_fake() {
    let (mut program, mut launcher) =
        ((f64::INFINITY, f64::INFINITY), (f64::INFINITY, f64::INFINITY));
    for _ in 0..ROUNDS_OF_THE_FAKE {
        program = quicker(program, by_the_program());
        launcher = quicker(launcher, by_the_launcher());
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "\n| {DUE} runs due at once, {AGENTS} agents | all started, ms | a second | all acknowledged, ms | a second |\n\
         |---|---:|---:|---:|---:|"
    )
    .unwrap();
    for (who, (started, over)) in [("the program", program), ("its launcher alone", launcher)] {
        let rate = |seconds: f64| DUE as f64 / seconds;
        let (by_start, by_end) = (rate(started), rate(over));
        let (started, over) = (started * 1e3, over * 1e3);
        writeln!(out, "| {who} | {started:.0} | {by_start:.0} | {over:.0} | {by_end:.0} |")
            .unwrap();
    }
    let ratio = |of: fn(Took) -> f64| of(program) / of(launcher);
    writeln!(out, "| ratio | {:.2} | | {:.2} | |", ratio(|it| it.0), ratio(|it| it.1)).unwrap();
}

fn quicker(one: Took, other: Took) -> Took {
    (one.0.min(other.0), one.1.min(other.1))
}

fn fake() -> Fake {
    let agents = vec![(64.0, 262_144.0); AGENTS];
    Fake::start(Setup { agents, executes: false, lasts: 500, ..Setup::default() })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures, and looks again every two milliseconds"
)]
fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(2));
}

/// Watches the fake until everything has run and is acknowledged.
fn watch(fake: &Fake, begun: Instant) -> Took {
    let mut started = None;
    loop {
        let (ran, is_over) = {
            let state = fake.state();
            let agents = &state.cluster.agents;
            (state.cluster.ran.len(), agents.iter().all(|agent| agent.works.is_empty()))
        };
        if ran == DUE {
            let started = *started.get_or_insert_with(|| begun.elapsed().as_secs_f64());
            if is_over {
                return (started, begun.elapsed().as_secs_f64());
            }
        }
        assert!(begun.elapsed().as_secs() < 120, "{ran} of {DUE} commands were started");
        pause();
    }
}

/// From the instant at which all are due.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn by_the_program() -> Took {
    let (place, fake) = (Place::new(), fake());
    let server = Server::start(&place.data(), &["--master", &fake.urls()[0]]);
    // Long enough for all of them to be stored.
    let due = std::time::SystemTime::now() + std::time::Duration::from_secs(15);
    let at = Timestamp::try_from(due).unwrap();
    for n in 0..DUE {
        server.post(&json!({
            "name": format!("job-{n}"), "schedule": format!("R1/{at:.3}/PT1H"), "owner": "ops@example.com",
            "command": "/opt/batch/run --all", "cpus": 0.1, "mem": 128, "disk": 128, "runAsUser": "batch",
        }));
    }
    let left =
        due.duration_since(std::time::SystemTime::now()).expect("not all were stored in time");
    std::thread::sleep(left);
    watch(&fake, Instant::now())
}

/// From the offers.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn by_the_launcher() -> Took {
    let fake = fake();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.unwrap();
    let (notices, mut heard) = unbounded_channel();
    let config = ClientConfig {
        masters: Masters::parse(&fake.urls()[0]).unwrap().unwrap(),
        access: Access::default(),
        framework: FrameworkInfo {
            user: "root".to_owned(),
            name: "chronos".to_owned(),
            failover_timeout: 60.0,
            checkpoint: true,
            roles: vec!["*".to_owned()],
            capabilities: ["PARTITION_AWARE", "MULTI_ROLE"]
                .map(|name| Capability { name: Some(name.to_owned()) })
                .to_vec(),
            ..FrameworkInfo::default()
        },
        framework_id: None,
        jitter: 7,
    };
    let launcher = runtime
        .block_on(async { MesosLauncher::start(config, Terms::default(), notices).unwrap() });
    launcher.perform(Order::Demand(true));
    let mut taken = 0;
    let mut offers = Vec::new();
    while offers.len() < AGENTS {
        let notice = runtime.block_on(heard.recv()).expect("the launcher lives");
        taken += 1;
        if let Notice::Offered(more) = notice {
            offers.extend(more);
        }
    }
    let begun = Instant::now();
    for n in 0..DUE {
        let offer = &offers[n % AGENTS];
        let launch = launch(n, offer.id.clone(), offer.agent.clone());
        launcher.perform(Order::Launch(Box::new(launch)));
    }
    launcher.perform(Order::Settled { notices: taken });
    runtime.spawn(async move {
        let mut some = Vec::new();
        while heard.recv_many(&mut some, 256).await > 0 {
            for notice in some.drain(..) {
                taken += 1;
                match notice {
                    Notice::Report(report) if matches!(report.status, TaskStatus::Ended { .. }) => {
                        launcher.perform(Order::Acknowledge(vec![report.task_id]));
                    }
                    Notice::Offered(offers) => {
                        let ids = offers.into_iter().map(|offer| offer.id).collect();
                        launcher.perform(Order::Release(ids));
                    }
                    _ => {}
                }
            }
            launcher.perform(Order::Settled { notices: taken });
        }
    });
    watch(&fake, begun)
}
