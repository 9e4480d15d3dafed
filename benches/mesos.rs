//! How long it takes to read an OFFERS event with a thousand offers, and to turn launches on them into calls.
//!
//! Run with `cargo bench --bench mesos`. Each figure is the best of some rounds.

use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use chronode::launcher::Order;
use chronode::launcher::mesos::book::{Book, Out, Terms};
use chronode::mesos::wire::Event;
use chronode::model::{
    AgentId, BootInstant, ClusterTerms, Command, Duration, FrameworkId, Incarnation, JobName,
    Launch, NameRule, Now, OfferId, Resources, RunId, Scalar, TaskId, Term, Timestamp,
};
use serde_json::json;

/// One of each agent.
const OFFERS: usize = 1_000;
/// As many on each.
const LAUNCHES: usize = 10_000;
const ROUNDS: u32 = 20;

fn main() {
    let text = offers();
    let event: Event = serde_json::from_str(&text).unwrap();
    assert_eq!(event.offers.as_ref().map(|it| it.offers.len()), Some(OFFERS));
    let reading = best(|| (), |()| serde_json::from_str::<Event>(black_box(&text)).unwrap());
    let hearing = best(book, |mut book| {
        book.event(now(), black_box(&event));
        (book.take().len(), book)
    });
    let launches: Vec<Launch> = (0..LAUNCHES).map(launch).collect();
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
            "id": {"value": format!("9e68897b-b179-48ef-af88-21e945aada1f-O{n}")},
            "framework_id": {"value": "9e68897b-b179-48ef-af88-21e945aada1f-0001"},
            "agent_id": {"value": format!("9e68897b-b179-48ef-af88-21e945aada1f-S{n}")},
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

fn launch(n: usize) -> Launch {
    let agent = n % OFFERS;
    let variable = |name: &str, value: String| (name.to_owned(), value);
    let task = format!("ct:1800000000000:0:job-{n}:");
    Launch {
        term: Term(1),
        task_id: TaskId::from_text(&task),
        run_id: RunId::manual(Incarnation(n as u64), 1_800_000_000_000),
        attempt: 0,
        offers: vec![OfferId::new(format!("9e68897b-b179-48ef-af88-21e945aada1f-O{agent}"))],
        agent: AgentId::new(format!("9e68897b-b179-48ef-af88-21e945aada1f-S{agent}")),
        command: Command::Shell {
            text: "/opt/batch/run --all".to_owned(),
            arguments: vec!["it's".to_owned()],
        },
        environment: vec![
            variable("mesos_task_id", task.clone()),
            variable("CHRONOS_JOB_OWNER", "ops@example.com".to_owned()),
            variable("CHRONOS_JOB_NAME", format!("job-{n}")),
            variable("HOST", format!("agent{agent}.local")),
            variable("CHRONOS_RESOURCE_MEM", "128.0".to_owned()),
        ],
        user: Some("batch".to_owned()),
        fetch: vec![],
        resources: Resources {
            cpus: Scalar::from_thousandths(100),
            mem: Scalar::from_thousandths(128_000),
            disk: Scalar::from_thousandths(256_000),
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
