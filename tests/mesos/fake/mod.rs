//! A master that speaks HTTP: the model behind sockets, with agents that really execute commands and serve their files,
//! and with faults by seed.
//!
//! Time passes in the model as it does outside, in steps of [`TICK`]. Several masters may listen; one leads, the others
//! answer with redirects, as the recordings show.

#![allow(dead_code, reason = "each test that includes it uses another part of it")]

mod files;
mod run;
mod serve;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::model::agent::Agent;
use super::model::stock::Stock;
use super::model::task::{OnTerm, Script};
use super::model::{Cluster, ConnectionId, Settings, Start, What};
use super::rng::Rng;

/// How often the model moves on.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// What goes wrong on the wire, in so many of a thousand cases.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    pub(crate) seed: u64,
    /// Before an event the connection breaks, half of the time in the middle of a record.
    pub(crate) cut: i64,
    /// An event, and all behind it, comes up to two seconds later.
    pub(crate) late: i64,
    /// An update comes twice.
    pub(crate) doubled: i64,
    /// An update is overtaken by what comes after it.
    pub(crate) overtaken: i64,
    /// A call is lost: the connection closes without an answer.
    pub(crate) call_lost: i64,
    /// A call is carried out, and the connection closes without an answer.
    pub(crate) answer_lost: i64,
    /// A heartbeat does not come.
    pub(crate) heartbeat_missing: i64,
}

/// How a fake is set up.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) agents: Vec<(f64, f64)>,
    pub(crate) masters: usize,
    pub(crate) settings: Settings,
    /// Names and secrets of those who may call; anybody may if there are none.
    pub(crate) credentials: Vec<(String, String)>,
    pub(crate) faults: Faults,
    /// Whether commands are executed; else they run for so many milliseconds and exit well.
    pub(crate) executes: bool,
    pub(crate) lasts: u64,
}

impl Default for Setup {
    fn default() -> Self {
        let settings = Settings {
            first_allocation: 100,
            allocation_interval: 200_000,
            heartbeat: 15_000,
            ..Settings::default()
        };
        Self {
            agents: vec![(4.0, 4096.0)],
            masters: 1,
            settings,
            credentials: Vec::new(),
            faults: Faults::default(),
            executes: true,
            lasts: 50,
        }
    }
}

/// What goes to a stream.
#[derive(Debug)]
enum Piece {
    Bytes(Bytes),
    /// The stream ends in order.
    End,
    /// The connection breaks.
    Break,
}

/// What waits to be sent on a stream.
#[derive(Debug)]
struct Stream {
    to: mpsc::UnboundedSender<Piece>,
    /// The instants (of the model) at which it may go, in order.
    waiting: Vec<(u64, What)>,
    last_at: u64,
}

pub(crate) struct State {
    pub(crate) cluster: Cluster,
    streams: BTreeMap<ConnectionId, Stream>,
    setup: Setup,
    rng: Rng,
    /// What was done of each fault.
    pub(crate) counts: BTreeMap<&'static str, u64>,
    /// Where the masters listen, and which of them leads.
    pub(crate) ports: Vec<u16>,
    pub(crate) leader: Option<usize>,
    /// The call of each kind that came, for tests to look at.
    pub(crate) calls: Vec<(u64, chronode::mesos::wire::Call)>,
    running: BTreeMap<(usize, super::model::agent::TaskKey), run::Running>,
    pub(crate) sandboxes: PathBuf,
}

/// A fake, for as long as it is kept.
pub(crate) struct Fake {
    state: Arc<Mutex<State>>,
    _runtime: tokio::runtime::Runtime,
    _sandboxes: tempfile::TempDir,
}

pub(crate) type Shared = Arc<Mutex<State>>;

pub(crate) fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fake {
    /// Starts one on free ports of the loopback interface.
    pub(crate) fn start(setup: Setup) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads");
        let sandboxes = tempfile::tempdir().expect("a folder");
        let listen = || {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            listener.set_nonblocking(true).expect("a socket");
            let port = listener.local_addr().expect("an address").port();
            (listener, port)
        };
        let masters: Vec<(TcpListener, u16)> = (0..setup.masters).map(|_| listen()).collect();
        let mut listeners = Vec::new();
        let mut agents = Vec::new();
        for (number, (cpus, mem)) in setup.agents.iter().enumerate() {
            let (listener, port) = listen();
            let mut agent = Agent::new(&format!("agent{}.local", number + 1), port);
            agent.total = Stock::simple(*cpus, *mem, 10_000.0, (31_000, 31_100));
            listeners.push(listener);
            agents.push(agent);
        }
        let (executes, lasts) = (setup.executes, setup.lasts);
        let script = move |_: &chronode::mesos::wire::TaskInfo| Script {
            starts_after: 20,
            runs_after: 10,
            lasts: (!executes).then_some(lasts),
            on_term: if executes { OnTerm::Ignores } else { OnTerm::Dies },
            ..Script::default()
        };
        let mut cluster = Cluster::new(setup.settings.clone(), agents, Box::new(script));
        cluster.lead().port = masters.first().map_or(0, |(_, port)| *port);
        for machine in 0..cluster.agents.len() {
            cluster.agent_starts(machine, 0);
        }
        let state = Arc::new(Mutex::new(State {
            cluster,
            streams: BTreeMap::new(),
            rng: Rng::new(setup.faults.seed),
            counts: BTreeMap::new(),
            ports: masters.iter().map(|(_, port)| *port).collect(),
            leader: Some(0),
            calls: Vec::new(),
            running: BTreeMap::new(),
            sandboxes: sandboxes.path().to_owned(),
            setup,
        }));
        for (number, (listener, _)) in masters.into_iter().enumerate() {
            runtime.spawn(serve::listen(listener, Arc::clone(&state), serve::Who::Master(number)));
        }
        for (number, listener) in listeners.into_iter().enumerate() {
            runtime.spawn(serve::listen(listener, Arc::clone(&state), serve::Who::Agent(number)));
        }
        let ticking = Arc::clone(&state);
        runtime.spawn(async move {
            let mut ticks = tokio::time::interval(TICK);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
            loop {
                ticks.tick().await;
                tick(&ticking);
            }
        });
        Self { state, _runtime: runtime, _sandboxes: sandboxes }
    }

    /// What it is, for tests to look at and to change.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Where the masters listen, as `http://host:port`, the first first.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.state().ports.iter().map(|port| format!("http://127.0.0.1:{port}")).collect()
    }

    /// Every start of a command.
    pub(crate) fn ran(&self) -> Vec<Start> {
        self.state().cluster.ran.clone()
    }

    /// The master that leads dies; another leads after so many milliseconds of the model, or the same one, started anew.
    pub(crate) fn fail_over(&self, to: usize, agents_register_after: u64) {
        let mut state = self.state();
        state.cluster.master_dies(agents_register_after);
        state.leader = None;
        state.lead(to);
    }

    /// The connection of every scheduler breaks.
    pub(crate) fn cut(&self) {
        let mut state = self.state();
        let all: Vec<ConnectionId> = state.streams.keys().copied().collect();
        for connection in all {
            state.break_stream(connection);
        }
    }
}

impl State {
    /// That master leads from now on.
    pub(crate) fn lead(&mut self, number: usize) {
        self.leader = Some(number);
        self.cluster.master_leads();
        let port = self.ports[number];
        self.cluster.lead().port = port;
    }

    pub(crate) fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }

    /// Whether something happens that happens so many times in a thousand.
    fn happens(&mut self, permille: i64) -> bool {
        permille > 0 && self.rng.between(0, 999) < permille
    }

    pub(crate) fn break_stream(&mut self, connection: ConnectionId) {
        if let Some(stream) = self.streams.remove(&connection) {
            let _ = stream.to.send(Piece::Break);
        }
        self.cluster.connection_is_cut(connection);
    }

    /// Hands what the model has said to the streams, with what goes wrong there.
    fn spread(&mut self) {
        let faults = self.setup.faults.clone();
        for said in self.cluster.take_said() {
            let is_update = matches!(&said.what, What::Event(event) if event.update.as_ref()
                .is_some_and(|update| update.status.uuid.is_some()));
            let is_heartbeat = matches!(&said.what, What::Event(event)
                if event.kind == chronode::mesos::wire::EventType::Heartbeat);
            if is_heartbeat && self.happens(faults.heartbeat_missing) {
                self.count("heartbeat missing");
                continue;
            }
            let late = if self.happens(faults.late) {
                self.count("event late");
                u64::try_from(self.rng.between(100, 2_000)).expect("positive")
            } else {
                0
            };
            let is_doubled = is_update && self.happens(faults.doubled);
            let is_overtaken = is_update && self.happens(faults.overtaken);
            let later = u64::try_from(self.rng.between(10, 500)).expect("positive");
            if is_doubled {
                self.count("update doubled");
            }
            if is_overtaken {
                self.count("update overtaken");
            }
            let Some(stream) = self.streams.get_mut(&said.to) else { continue };
            let at = (said.at + late).max(stream.last_at);
            if is_overtaken {
                stream.waiting.push((at + later, said.what));
                continue;
            }
            stream.last_at = at;
            if is_doubled {
                stream.waiting.push((at + later, said.what.clone()));
            }
            stream.waiting.push((at, said.what));
        }
        let now = self.cluster.now;
        let connections: Vec<ConnectionId> = self.streams.keys().copied().collect();
        for connection in connections {
            let Some(stream) = self.streams.get_mut(&connection) else { continue };
            stream.waiting.sort_by_key(|(at, _)| *at);
            let due = stream.waiting.iter().take_while(|(at, _)| *at <= now).count();
            let due: Vec<(u64, What)> = stream.waiting.drain(..due).collect();
            for (_, what) in due {
                self.send(connection, what);
            }
        }
    }

    fn send(&mut self, connection: ConnectionId, what: What) {
        let is_cut = self.happens(self.setup.faults.cut);
        let in_the_middle = self.rng.chance(50);
        let Some(stream) = self.streams.get(&connection) else { return };
        match what {
            What::Event(event) => {
                let text = serde_json::to_string(&event).expect("an event");
                let record = Bytes::from(format!("{}\n{text}", text.len()));
                if is_cut {
                    if in_the_middle {
                        let half = record.slice(..record.len() / 2);
                        let _ = stream.to.send(Piece::Bytes(half));
                    }
                    self.count(if in_the_middle {
                        "cut in a record"
                    } else {
                        "cut between records"
                    });
                    return self.break_stream(connection);
                }
                if stream.to.send(Piece::Bytes(record)).is_err() {
                    // Whoever listened has hung up.
                    self.streams.remove(&connection);
                    self.cluster.connection_is_cut(connection);
                }
            }
            What::Closed => {
                let _ = stream.to.send(Piece::End);
                self.streams.remove(&connection);
            }
            What::Broken => {
                let _ = stream.to.send(Piece::Break);
                self.streams.remove(&connection);
            }
        }
    }
}

/// The model moves on.
fn tick(shared: &Shared) {
    let mut state = lock(shared);
    let to = state.cluster.now + u64::try_from(TICK.as_millis()).expect("short");
    state.cluster.advance(to);
    let gone: Vec<ConnectionId> = state
        .streams
        .iter()
        .filter(|(_, stream)| stream.to.is_closed())
        .map(|(connection, _)| *connection)
        .collect();
    for connection in gone {
        state.streams.remove(&connection);
        state.cluster.connection_is_cut(connection);
    }
    state.spread();
    let deeds = state.cluster.take_deeds();
    if state.setup.executes {
        for deed in deeds {
            run::perform(shared, &mut state, deed);
        }
    }
}
