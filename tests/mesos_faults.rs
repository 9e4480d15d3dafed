//! The real driver, launcher, book, subscription and sockets against the fake master, over HTTP, while everything goes
//! wrong on the wire: the model behind it says what really ran.

#![allow(clippy::print_stdout, reason = "figures, and what a seed that is played again does")]

#[path = "mesos/fake/mod.rs"]
mod fake;
#[path = "mesos/model/mod.rs"]
mod model;
#[allow(dead_code, reason = "the simulators use more of it")]
#[path = "sim/rng.rs"]
mod rng;

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use chronode::clock;
use chronode::driver::{Driver, Handle};
use chronode::engine::{Abilities, Request, Settings as EngineSettings};
use chronode::launcher::mesos::MesosLauncher;
use chronode::launcher::mesos::book::Terms;
use chronode::mesos::client::ClientConfig;
use chronode::mesos::leader::Masters;
use chronode::mesos::transport::Access;
use chronode::mesos::wire::{Capability, FrameworkInfo};
use chronode::metrics::Metrics;
use chronode::model::{
    AttemptState, Defaults, Dialect, Duration, Exit, HistoryEntry, JobDraft, JobName, NameRule,
    OnUnknown, Overlap, Period, Run, Scalar, ScheduleTerms, UnknownThen, Verdict, When,
};
use chronode::schedule::ZoneDb;
use chronode::store::MemoryStore;
use common::wait_for;
use fake::{Fake, Faults, Setup};
use model::task::End;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// A scheduler without its program around it.
struct House {
    runtime: Runtime,
    handle: Handle,
    store: Arc<MemoryStore>,
}

fn framework() -> FrameworkInfo {
    let capability = |name: &str| Capability { name: Some(name.to_owned()) };
    FrameworkInfo {
        user: "root".to_owned(),
        name: "chronos".to_owned(),
        failover_timeout: 604_800.0,
        checkpoint: true,
        roles: vec!["*".to_owned()],
        capabilities: [
            "PARTITION_AWARE",
            "TASK_KILLING_STATE",
            "MULTI_ROLE",
            "RESERVATION_REFINEMENT",
        ]
        .map(capability)
        .to_vec(),
        ..FrameworkInfo::default()
    }
}

fn settings() -> EngineSettings {
    EngineSettings {
        defaults: Defaults::default(),
        retry_delay: Duration::from_secs(1),
        disable_after_failures: 0,
        max_jobs: 1_000,
        kill_grace: Duration::from_secs(1),
        abilities: Abilities {
            only_user: None,
            run_as: None,
            containers: true,
            executors: true,
            ports: true,
        },
        alerts: chronode::alerts::Terms::default(),
        zones: ZoneDb::bundled(),
        machine: Err("nothing starts with the machine".to_owned()),
    }
}

impl House {
    /// Starts one with that store, for the masters of the fake.
    fn start(masters: &str, store: Arc<MemoryStore>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let framework_id = store.load_now().framework.map(|id| id.as_str().to_owned());
        let config = ClientConfig {
            masters: Masters::parse(masters).unwrap().unwrap(),
            access: Access::default(),
            framework: framework(),
            framework_id,
            jitter: 7,
        };
        let kept = Arc::clone(&store);
        let handle = runtime.block_on(async {
            let (notices, incoming) = mpsc::unbounded_channel();
            let launcher = MesosLauncher::start(config, Terms::default(), notices).unwrap();
            let metrics = Arc::new(Metrics::new(clock::boot));
            let (driver, handle, _) =
                Driver::begin(kept, Arc::new(launcher), incoming, Arc::new(settings()), metrics)
                    .await
                    .unwrap();
            tokio::spawn(driver.run());
            handle
        });
        Self { runtime, handle, store }
    }

    fn ask(&self, request: Request) {
        self.runtime.block_on(self.handle.ask(request)).unwrap();
    }

    /// Stores a job that nothing but requests starts.
    fn put(&self, name: &str, command: &str, then: UnknownThen, wait: i64) {
        let text = "R1/2199-01-01T00:00:00Z/PT1H";
        let when = When::Schedule(ScheduleTerms::plain(text, ""));
        let mut draft = JobDraft::new(job(name), when);
        draft.command = Some(command.to_owned());
        draft.retries = Some(0);
        draft.cpus = Some(Scalar::from_thousandths(100));
        draft.mem = Some(Scalar::from_thousandths(32_000));
        draft.disk = Some(Scalar::from_thousandths(0));
        draft.overlap = Some(Overlap::Allow { max: None });
        let span = Duration::from_secs(wait);
        draft.on_unknown =
            Some(OnUnknown { wait: Period { text: format!("PT{wait}S"), span }, then });
        self.ask(Request::PutJob { draft: Box::new(draft), dialect: Dialect::V0 });
    }

    fn run(&self, name: &str) {
        self.ask(Request::RunJob { name: job(name), ask: Box::default() });
    }

    fn runs(&self) -> Vec<Run> {
        runs(&self.store)
    }

    /// Waits until so many runs have ended.
    fn wait_for_ended(&self, count: usize) {
        wait_for("all runs to end", || {
            let runs = self.runs();
            let ended = runs.iter().filter(|run| run.is_ended()).count();
            (ended >= count).then_some(())
        });
    }
}

fn runs(store: &MemoryStore) -> Vec<Run> {
    let run = |entry| match entry {
        HistoryEntry::Run(run) => Some(run),
        HistoryEntry::Stretch(_) => None,
    };
    store.history().into_iter().filter_map(run).collect()
}

fn job(name: &str) -> JobName {
    JobName::parse(name, NameRule::Blanks).unwrap()
}

/// Each attempt ran at most once, each start is on record, and each end on record is what happened.
fn judge(fake: &Fake, store: &MemoryStore) {
    let mut starts: BTreeMap<String, Vec<model::Start>> = BTreeMap::new();
    for start in fake.ran() {
        starts.entry(start.task.1.clone()).or_default().push(start);
    }
    for (task, starts) in &starts {
        assert_eq!(starts.len(), 1, "{task} ran more than once: {starts:?}");
    }
    for run in runs(store) {
        for attempt in &run.attempts {
            let start = starts.remove(attempt.task_id.as_str()).and_then(|mut all| all.pop());
            let AttemptState::Ended { exit, .. } = &attempt.state else {
                panic!("{} has not ended: {:?}", attempt.task_id, attempt.state);
            };
            let end = start.and_then(|start| start.end).map(|(_, end)| end);
            match exit {
                Some(Exit::Code(code)) => {
                    assert_eq!(end, Some(End::Exits(*code)), "{}", attempt.task_id)
                }
                Some(Exit::Signal(_)) => assert!(matches!(end, Some(End::Signalled(_)))),
                Some(Exit::CouldNotStart { .. }) => assert_eq!(end, None),
                Some(Exit::Killed | Exit::Failed { .. }) | None => {}
            }
        }
    }
    assert!(starts.is_empty(), "these are not on record: {:?}", starts.keys());
}

/// Nothing is left that is not acknowledged, and no offer is kept.
fn is_quiet(fake: &Fake) -> Option<()> {
    let state = fake.state();
    let is_idle = state.cluster.agents.iter().all(|agent| agent.works.is_empty());
    let master = state.cluster.master.as_ref()?;
    (is_idle && master.offers.is_empty()).then_some(())
}

/// Plays runs while that goes wrong on the wire: all of them succeed, each having run once.
fn all_succeed(name: &str, faults: Faults, expected: &[&str]) {
    let mut setup = Setup { faults, executes: false, lasts: 30, ..Setup::default() };
    setup.settings.heartbeat = 1_000;
    let fake = Fake::start(setup);
    let house = House::start(&fake.urls().join(","), Arc::new(MemoryStore::new()));
    house.put("often", "true", UnknownThen::Lost, 3_000);
    let mut count = 0;
    // Until each of the faults has been seen, and fifty runs at least.
    wait_for(&format!("{name}: faults to be seen"), || {
        for _ in 0..10 {
            house.run("often");
            count += 1;
        }
        house.wait_for_ended(count);
        let state = fake.state();
        let is_seen = expected.iter().all(|fault| state.counts.contains_key(fault));
        (is_seen && count >= 50).then_some(())
    });
    wait_for(&format!("{name}: quiet"), || is_quiet(&fake));
    for run in house.runs() {
        assert!(
            matches!(
                &run.state,
                chronode::model::RunState::Ended { verdict: Verdict::Succeeded, .. }
            ),
            "{name}: {:?}",
            run.state
        );
    }
    judge(&fake, &house.store);
    println!("{name}: {count} runs, {:?}", fake.state().counts);
}

#[test]
fn nothing_goes_wrong() {
    all_succeed("nothing", Faults::default(), &[]);
}

#[test]
fn connections_are_cut() {
    let faults = Faults { seed: 1, cut: 6, ..Faults::default() };
    all_succeed("cut", faults, &["cut in a record", "cut between records"]);
}

#[test]
fn events_are_late_doubled_and_overtaken() {
    let faults = Faults { seed: 2, late: 20, doubled: 200, overtaken: 200, ..Faults::default() };
    all_succeed("disorder", faults, &["event late", "update doubled", "update overtaken"]);
}

#[test]
fn calls_and_their_answers_are_lost() {
    let faults = Faults { seed: 3, call_lost: 10, answer_lost: 10, ..Faults::default() };
    all_succeed("calls", faults, &["call lost", "answer to a call lost"]);
}

#[test]
fn heartbeats_are_missing() {
    let faults = Faults { seed: 4, heartbeat_missing: 700, ..Faults::default() };
    all_succeed("heartbeats", faults, &["heartbeat missing"]);
}

#[test]
fn everything_at_once() {
    let faults = Faults {
        seed: 5,
        cut: 2,
        late: 10,
        doubled: 50,
        overtaken: 50,
        call_lost: 2,
        answer_lost: 2,
        heartbeat_missing: 50,
    };
    let expected = ["event late", "update doubled", "update overtaken"];
    all_succeed("everything", faults, &expected);
}

/// Masters die while commands run: the framework goes on with the next one, and is sent on by those that do not lead.
#[test]
fn masters_fail_over() {
    let fake = Fake::start(Setup { masters: 3, executes: false, lasts: 1_500, ..Setup::default() });
    // Whoever is asked first does not lead after the first fail-over.
    let house = House::start(&fake.urls().join(","), Arc::new(MemoryStore::new()));
    house.put("long", "true", UnknownThen::Lost, 3_000);
    let mut count = 0;
    for master in [1, 2, 0, 1] {
        for _ in 0..5 {
            house.run("long");
            count += 1;
        }
        wait_for("commands to run", || (fake.ran().len() == count).then_some(()));
        fake.fail_over(master, 300);
    }
    house.wait_for_ended(count);
    wait_for("quiet", || is_quiet(&fake));
    judge(&fake, &house.store);
    assert!(house.runs().iter().all(|run| run.attempts.len() == 1), "each was launched once");
    let frameworks = fake.state().cluster.master.as_ref().unwrap().frameworks.len();
    assert_eq!(frameworks, 1, "the framework has kept its id");
}

/// The scheduler dies again and again; the next one takes the framework up with its id, and nothing runs twice.
#[test]
fn schedulers_die() {
    let fake = Fake::start(Setup { executes: false, lasts: 700, ..Setup::default() });
    let store = Arc::new(MemoryStore::new());
    let mut count = 0;
    for round in 0..5 {
        let house = House::start(&fake.urls()[0], Arc::clone(&store));
        if round == 0 {
            house.put("long", "true", UnknownThen::Lost, 3_000);
        }
        for _ in 0..8 {
            house.run("long");
            count += 1;
        }
        // In the middle of launches.
        wait_for("some to run", || (fake.ran().len() + 4 > count).then_some(()));
        house.runtime.shutdown_background();
    }
    let house = House::start(&fake.urls()[0], Arc::clone(&store));
    house.wait_for_ended(count);
    wait_for("quiet", || is_quiet(&fake));
    judge(&fake, &store);
    assert_eq!(fake.ran().len(), count);
    assert_eq!(fake.state().cluster.master.as_ref().unwrap().frameworks.len(), 1);
}

/// Agents are lost for good, and for a while: only their tasks are touched, and only those lost for good are lost.
#[test]
fn agents_are_lost_and_come_back() {
    let mut setup =
        Setup { agents: vec![(2.0, 2048.0); 2], executes: false, lasts: 2_000, ..Setup::default() };
    setup.settings.ping_timeout = 300;
    let fake = Fake::start(setup);
    let house = House::start(&fake.urls()[0], Arc::new(MemoryStore::new()));
    house.put("patient", "true", UnknownThen::Lost, 3_000);
    house.put("hasty", "true", UnknownThen::Relaunch, 2);
    for _ in 0..10 {
        house.run("patient");
        house.run("hasty");
    }
    wait_for("commands to run", || (fake.ran().len() == 20).then_some(()));
    fake.state().cluster.agent_dies(0);
    wait_for("the agent to be unreachable", || {
        (!fake.state().cluster.registry.unreachable.is_empty()).then_some(())
    });
    fake.state().cluster.agent_starts(0, 200);
    house.wait_for_ended(20);
    wait_for("quiet", || is_quiet(&fake));
    judge(&fake, &house.store);
    assert_eq!(fake.ran().len(), 20, "all were back before their time");

    for _ in 0..10 {
        house.run("hasty");
    }
    wait_for("commands to run", || (fake.ran().len() == 30).then_some(()));
    let lost = fake.state().cluster.agents[1].works.len();
    fake.state().cluster.machine_dies(1);
    house.wait_for_ended(30);
    wait_for("quiet", || is_quiet(&fake));
    judge(&fake, &house.store);
    assert_eq!(fake.ran().len(), 30 + lost, "those that were lost ran again, and no others");
}

/// Commands are really executed: their ends are theirs, and their output is in their sandboxes.
#[test]
fn commands_are_executed() {
    let fake = Fake::start(Setup::default());
    let house = House::start(&fake.urls()[0], Arc::new(MemoryStore::new()));
    house.put(
        "well",
        "echo out; echo err >&2; echo \"$CHRONODE_ATTEMPT\"",
        UnknownThen::Lost,
        3_000,
    );
    house.put("badly", "exit 3", UnknownThen::Lost, 3_000);
    house.put("by-signal", "kill -SEGV $$", UnknownThen::Lost, 3_000);
    for name in ["well", "badly", "by-signal"] {
        house.run(name);
    }
    house.wait_for_ended(3);
    wait_for("quiet", || is_quiet(&fake));
    judge(&fake, &house.store);
    let exits: BTreeMap<String, Option<Exit>> = house
        .runs()
        .into_iter()
        .map(|run| {
            let AttemptState::Ended { exit, .. } = run.attempts[0].state.clone() else {
                panic!("it has ended")
            };
            (run.job.to_string(), exit)
        })
        .collect();
    assert_eq!(exits["well"], Some(Exit::Code(0)));
    assert_eq!(exits["badly"], Some(Exit::Code(3)));
    assert_eq!(exits["by-signal"], Some(Exit::Signal(11)));
    let run = house.runs().into_iter().find(|run| run.job.as_str() == "well").unwrap();
    let sandbox = run.attempts[0].placed.as_ref().unwrap().sandbox.clone().unwrap();
    let url = format!("{}/files/read?path={}/stdout&offset=0", sandbox.agent, sandbox.directory);
    let text = house.runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.get(url).send().await.unwrap().text().await.unwrap()
    });
    assert!(text.contains("out\\n"), "{text}");
}

/// A task that ignores the request to end is killed after its grace, and one that does not is stopped at once.
#[test]
fn runs_are_killed() {
    let fake = Fake::start(Setup::default());
    let house = House::start(&fake.urls()[0], Arc::new(MemoryStore::new()));
    house.put("stubborn", "trap '' TERM; while :; do sleep 0.05; done", UnknownThen::Lost, 3_000);
    house.put("meek", "sleep 1000", UnknownThen::Lost, 3_000);
    house.run("stubborn");
    house.run("meek");
    wait_for("commands to run", || {
        let runs = house.runs();
        let running = runs.iter().flat_map(|run| &run.attempts);
        let running = running.filter(|a| matches!(a.state, AttemptState::Running { .. }));
        (running.count() == 2).then_some(())
    });
    house.ask(Request::KillJob { name: job("stubborn"), by: None });
    house.ask(Request::KillJob { name: job("meek"), by: None });
    house.wait_for_ended(2);
    wait_for("quiet", || is_quiet(&fake));
    for run in house.runs() {
        let AttemptState::Ended { exit, .. } = &run.attempts[0].state else { panic!("ended") };
        assert_eq!(*exit, Some(Exit::Killed));
    }
}
