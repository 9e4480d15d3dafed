//! Replays a recording against the model.

mod script;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use chronode::mesos::wire::{Call, CallType, Event, EventType, Offer, TaskStatus, Unavailability};
use serde_json::Value;

use super::model::agent::Agent;
use super::model::call::Answer;
use super::model::stock::Stock;
use super::model::task::End;
use super::model::{Cluster, ConnectionId, Settings, What, call, form};

/// How far the model's instants may be from the recorded ones. An allocation more or less is within what the README
/// says of filters.
const SLACK: u64 = 1_150;

/// What befell the recorded cluster beside its calls; milliseconds say when.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// The agent's executors heed the policy of a KILL.
    HeedsPolicies,
    /// How long commands last is for the model to say.
    KeepsItsOwnTime,
    SecondAgent,
    Ports(u64, u64),
    PingTimeout(u64),
    OfferTimeout(u64),
    NoRegistry,
    Starts(usize),
    Dies(usize),
    MachineDies(usize),
    Leaves(usize),
    ExecutorDies(&'static str),
    ShellDies(&'static str),
    MasterDies,
    /// So many tasks end at once that what is free at an allocation is chance: offers after the first two are left out.
    Loaded,
    /// Agents are back after so long.
    MasterLeads(u64),
}

/// What of a recording is not compared, and how many lines of it there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// Questions of operators and their answers.
    Operator(usize),
    /// Answers of masters that do not lead.
    Elsewhere(usize),
    Znodes(usize),
    /// Exchanges that the HTTP layer decides.
    Http(usize),
    /// Offers of chance.
    Offers(usize),
}

/// A line of a recording.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    number: usize,
    t: u64,
    dir: String,
    conn: String,
    value: Value,
}

impl Line {
    fn text(&self, field: &str) -> &str {
        self.value[field].as_str().unwrap_or_default()
    }

    fn is_scheduler_call(&self) -> bool {
        self.dir == "->"
            && self.text("path") == "/api/v1/scheduler"
            && self.text("method") == "POST"
    }

    fn event(&self) -> Option<Event> {
        let is_event = self.dir == "<-" && self.value.get("status").is_none();
        let body = self.value.get("body").filter(|body| is_event && body.get("type").is_some())?;
        serde_json::from_value(body.clone()).ok()
    }
}

pub(crate) struct Replay {
    name: String,
    lines: Vec<Line>,
    cluster: Cluster,
    acts: Vec<(u64, Act)>,
    left: Vec<Left>,
    seen_left: BTreeMap<&'static str, usize>,
    /// The connection of the model for each of the recording, and the recorded id of its stream.
    connections: BTreeMap<String, ConnectionId>,
    streams: BTreeMap<String, String>,
    /// What the model has said and the recording has not come to.
    pool: BTreeMap<ConnectionId, Vec<(u64, What)>>,
    answers: BTreeMap<String, Vec<Answer>>,
    uuids: BTreeMap<String, String>,
    compared: usize,
    /// The line that is an answer to something left out.
    skips_answer: usize,
    is_loaded: bool,
}

fn read(name: &str) -> Vec<Line> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/mesos/traces/{name}.jsonl"));
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let line = |(index, text): (usize, &str)| {
        let value: Value = serde_json::from_str(text).expect("a line of JSON");
        Line {
            number: index + 1,
            t: value["t"].as_u64().unwrap_or(0),
            dir: value["dir"].as_str().unwrap_or_default().to_owned(),
            conn: value["conn"].as_str().unwrap_or_default().to_owned(),
            value,
        }
    };
    text.lines().enumerate().map(line).collect()
}

impl Replay {
    pub(crate) fn new(name: &str, left: &[Left], acts: &[(u64, Act)]) -> Self {
        let lines = read(name);
        let mut settings = Settings::default();
        let mut agents = vec![Agent::new("agent1.local", 5051)];
        let mut is_measured = true;
        for (_, act) in acts {
            match act {
                Act::HeedsPolicies => agents[0].heeds_policies = true,
                Act::KeepsItsOwnTime => is_measured = false,
                Act::SecondAgent => agents.push(second_agent(&lines)),
                Act::Ports(first, last) => {
                    agents[0].total = Stock::simple(4.0, 4096.0, 10_000.0, (*first, *last));
                }
                Act::PingTimeout(timeout) => settings.ping_timeout = *timeout,
                Act::OfferTimeout(timeout) => settings.offer_timeout = Some(*timeout),
                Act::NoRegistry => settings.has_registry = false,
                _ => {}
            }
        }
        let (first, interval) = allocations(&lines);
        settings.first_allocation = first;
        settings.allocation_interval = interval;
        let scripts = script::of(&lines, is_measured);
        let mut cluster = Cluster::new(settings, agents, scripts);
        Self::count_on(&mut cluster, &lines);
        Self {
            name: name.to_owned(),
            lines,
            cluster,
            acts: acts.to_vec(),
            left: left.to_vec(),
            seen_left: BTreeMap::new(),
            connections: BTreeMap::new(),
            streams: BTreeMap::new(),
            pool: BTreeMap::new(),
            answers: BTreeMap::new(),
            uuids: BTreeMap::new(),
            compared: 0,
            skips_answer: 0,
            is_loaded: acts.iter().any(|(_, act)| matches!(act, Act::Loaded)),
        }
    }

    /// Lets the model's master go on counting where the recorded one stood, with its first agent there.
    fn count_on(cluster: &mut Cluster, lines: &[Line]) {
        let mut events = lines.iter().filter_map(Line::event);
        let framework = events.find_map(|event| event.subscribed).map(|s| s.framework_id.value);
        let offers = || lines.iter().filter_map(Line::event).filter_map(|event| event.offers);
        let offer = offers().next().map(|offers| offers.offers[0].clone());
        let master = cluster.lead();
        if let Some((id, number)) = framework.as_ref().and_then(|id| id.rsplit_once('-')) {
            master.id = id.to_owned();
            master.next_framework = number.parse().expect("a number");
        }
        if let Some(offer) = &offer {
            master.next_offer = number_of(&offer.id.value);
            master.next_agent = number_of(&offer.agent_id.value);
        }
        cluster.agent_starts(0, 0);
        cluster.work_on_agents();
        if let Some(offer) = &offer {
            assert_eq!(cluster.agents[0].id.as_ref(), Some(&offer.agent_id.value));
        }
    }

    pub(crate) fn play(mut self) {
        let lines = std::mem::take(&mut self.lines);
        for line in &lines {
            let at = self.cluster.now.max(line.t);
            self.run_to(if line.dir == "<-" { self.cluster.now } else { at });
            match line.dir.as_str() {
                "->" => self.request(line),
                "<-" => self.answer_or_event(line),
                "zk" => self.leave("znodes", 1),
                _ => {}
            }
        }
        let end = lines.last().map_or(0, |line| line.t);
        self.run_to(end);
        for said in self.pool.values().flatten() {
            if self.is_loaded && matches!(&said.1, What::Event(event) if event.offers.is_some()) {
                continue;
            }
            let is_late = said.0 + SLACK >= end;
            let told = brief(&said.1);
            assert!(is_late, "{}: the recording does not have, at {}, {told}", self.name, said.0);
        }
        for (conn, answers) in &self.answers {
            assert!(answers.is_empty(), "{}: {conn}: not recorded: {answers:?}", self.name);
        }
        let seen = |kind: &str| self.seen_left.get(kind).copied().unwrap_or(0);
        let (mut operator, mut elsewhere, mut znodes, mut http, mut offers) = (0, 0, 0, 0, 0);
        for left in &self.left {
            match left {
                Left::Operator(count) => operator = *count,
                Left::Elsewhere(count) => elsewhere = *count,
                Left::Znodes(count) => znodes = *count,
                Left::Http(count) => http = *count,
                Left::Offers(count) => offers = *count,
            }
        }
        let told = [operator, elsewhere, znodes, http, offers];
        let kinds = ["operator", "elsewhere", "znodes", "http", "offers"];
        let found = kinds.map(seen);
        assert_eq!(told, found, "{}: lines left out: {kinds:?}", self.name);
        assert!(self.compared > 0, "{}: nothing was compared", self.name);
        println!(
            "{}: {} answers and events compared, left out {found:?}",
            self.name, self.compared
        );
    }

    fn leave(&mut self, what: &'static str, count: usize) {
        *self.seen_left.entry(what).or_default() += count;
    }

    /// Lets the model go on to that instant, and what befalls the cluster until then.
    fn run_to(&mut self, to: u64) {
        while let Some((at, act)) = self.acts.first().copied().filter(|(at, _)| *at <= to) {
            self.acts.remove(0);
            self.cluster.advance(at.max(self.cluster.now));
            self.befall(act);
        }
        self.cluster.advance(to.max(self.cluster.now));
        for said in self.cluster.take_said() {
            self.pool.entry(said.to).or_default().push((said.at, said.what));
        }
    }

    fn befall(&mut self, act: Act) {
        let cluster = &mut self.cluster;
        match act {
            Act::HeedsPolicies
            | Act::KeepsItsOwnTime
            | Act::SecondAgent
            | Act::Ports(..)
            | Act::PingTimeout(_)
            | Act::OfferTimeout(_)
            | Act::Loaded
            | Act::NoRegistry => {}
            Act::Starts(machine) => cluster.agent_starts(machine, 0),
            Act::Dies(machine) => cluster.agent_dies(machine),
            Act::MachineDies(machine) => cluster.machine_dies(machine),
            Act::Leaves(machine) => cluster.agent_leaves(machine),
            Act::ExecutorDies(task) => {
                let key = self.key(task);
                self.cluster.executor_dies(0, &key);
            }
            Act::ShellDies(task) => {
                let key = self.key(task);
                self.cluster.command_ends(0, &key, &End::Signalled("Killed"));
            }
            Act::MasterDies => cluster.master_dies(u64::MAX / 4),
            Act::MasterLeads(after) => {
                cluster.master_leads();
                let at = cluster.now + after;
                cluster.agents[0].registers_at = Some(at);
                let later = self.lines_after(at);
                if let Some(id) = later {
                    self.cluster.lead().id = id;
                }
            }
        }
    }

    fn key(&self, task: &str) -> (String, String) {
        let mut keys = self.cluster.agents[0].works.keys();
        keys.find(|key| key.1 == task).cloned().expect("it is there")
    }

    /// The id of the master that makes the offers from then on.
    fn lines_after(&self, at: u64) -> Option<String> {
        let lines = read(&self.name);
        let mut events = lines.iter().filter(|line| line.t + 100 > at).filter_map(Line::event);
        let offers = events.find_map(|event| event.offers)?;
        Some(offers.offers[0].id.value.rsplit_once('-')?.0.to_owned())
    }

    // -- requests -------------------------------------------------------------------------------------------------

    fn request(&mut self, line: &Line) {
        if !line.is_scheduler_call() {
            return self.operate(line);
        }
        let is_elsewhere = matches!(line.text("to"), "127.0.0.1:5060" | "127.0.0.1:5070")
            && self.cluster.master.is_some() == (line.t < 6_000)
            || self.cluster.master.is_none();
        if is_elsewhere {
            self.leave("elsewhere", 1);
            self.skips_answer += 1;
            return;
        }
        let headers = &line.value["headers"];
        let content = headers["Content-Type"].as_str().unwrap_or_default();
        let accept = headers["Accept"].as_str().unwrap_or("*/*");
        let body = &line.value["body"];
        let has_role = body.pointer("/subscribe/framework_info/role").is_some();
        let strange = content != "application/json"
            || !(accept.contains("json") || accept == "*/*")
            || has_role
            || self.name == "http_basic_auth" && self.is_refused_login(line);
        let is_subscribe = body["type"] == "SUBSCRIBE";
        let stream = headers["Mesos-Stream-Id"].as_str().or(headers["mesos-stream-id"].as_str());
        if strange || is_subscribe && stream.is_some() {
            self.leave("http", 1);
            self.skips_answer += 1;
            return;
        }
        let mut bytes = body.as_str().map_or_else(|| body.to_string(), str::to_owned).into_bytes();
        for (recorded, ours) in &self.uuids {
            if let Ok(text) = std::str::from_utf8(&bytes) {
                bytes = text.replace(recorded.as_str(), ours).into_bytes();
            }
        }
        let answer = match form::read(&bytes) {
            Err(sentence) => Answer::new(400, sentence),
            Ok(call) if call.kind == CallType::Subscribe => self.subscribe(line, &call),
            Ok(call) => {
                let stream =
                    stream.map(|id| self.streams.get(id).cloned().unwrap_or(id.to_owned()));
                self.cluster.call(stream.as_deref(), &call)
            }
        };
        self.answers.entry(line.conn.clone()).or_default().push(answer);
        self.run_to(self.cluster.now);
    }

    /// Whether the login of a call does not fit, which is not for the model to see.
    fn is_refused_login(&self, line: &Line) -> bool {
        let lines = read(&self.name);
        let answer = &lines[line.number];
        matches!(answer.value["status"].as_u64(), Some(400 | 401))
    }

    fn subscribe(&mut self, line: &Line, call: &Call) -> Answer {
        match self.cluster.subscribe(call) {
            Err(answer) => answer,
            Ok(connection) => {
                self.connections.insert(line.conn.clone(), connection);
                Answer::new(200, call::stream_id(connection))
            }
        }
    }

    /// What operators ask for that changes something; their questions are left out.
    fn operate(&mut self, line: &Line) {
        let body = &line.value["body"];
        let agent = |part: &str| body[part]["agent_id"]["value"].as_str().unwrap_or_default();
        let mut answer = Answer::new(200, "");
        match body["type"].as_str().unwrap_or_default() {
            "DRAIN_AGENT" => {
                let grace = body["drain_agent"]["max_grace_period"]["seconds"].as_u64();
                self.cluster.drain_agent(agent("drain_agent"), grace.unwrap_or(0) * 1_000);
            }
            "DEACTIVATE_AGENT" => self.cluster.deactivate_agent(agent("deactivate_agent")),
            "REACTIVATE_AGENT" => self.cluster.reactivate_agent(agent("reactivate_agent")),
            "MARK_AGENT_GONE" => {
                let id = agent("mark_agent_gone");
                if !self.cluster.mark_agent_gone(id) {
                    answer = Answer::new(404, format!("Agent '{id}' not found"));
                }
            }
            "UPDATE_MAINTENANCE_SCHEDULE" => {
                let windows = &body["update_maintenance_schedule"]["schedule"]["windows"];
                for window in windows.as_array().into_iter().flatten() {
                    let host = window["machine_ids"][0]["hostname"].as_str().unwrap_or_default();
                    let when: Unavailability =
                        serde_json::from_value(window["unavailability"].clone()).expect("a window");
                    self.cluster.schedule_maintenance(host, when);
                }
            }
            "START_MAINTENANCE" => self.cluster.start_maintenance("agent1.local"),
            "STOP_MAINTENANCE" => {}
            _ => {
                let is_elsewhere = line.text("to") == "non-leader"
                    || line.text("to").ends_with("5060") && line.t < 6_000
                    || self.name == "zookeeper_leader";
                let is_http = line.text("path") == "/api/v1/scheduler" && !is_elsewhere;
                let else_what = if is_http { "http" } else { "operator" };
                self.leave(if is_elsewhere { "elsewhere" } else { else_what }, 1);
                self.skips_answer += 1;
                return;
            }
        }
        self.answers.entry(line.conn.clone()).or_default().push(answer);
        self.run_to(self.cluster.now);
    }

    // -- answers and events ---------------------------------------------------------------------------------------

    fn answer_or_event(&mut self, line: &Line) {
        let note = line.text("note").to_owned();
        if note.contains("cut by the client") {
            self.run_to(line.t);
            let connection = self.connections[&line.conn];
            return self.cluster.connection_is_cut(connection);
        }
        if note.contains("closed by the master") {
            return self.expect(line, "the end of the stream", |what| *what == What::Closed);
        }
        if note.contains("without the closing chunk") {
            return self.expect(line, "the break of the stream", |what| *what == What::Broken);
        }
        if line.value.get("status").is_some() {
            return self.answer(line);
        }
        let Some(event) = line.event() else {
            return self.leave("operator", 1);
        };
        if self.is_loaded && event.offers.is_some() && line.t > 1_000 {
            return self.leave("offers", 1);
        }
        let uuid = event.update.as_ref().and_then(|update| update.status.uuid.clone());
        let known = uuid.as_ref().and_then(|uuid| self.uuids.get(uuid)).cloned();
        let wanted = plain(event.clone());
        let mut found = None;
        let told = brief(&What::Event(Box::new(wanted.clone())));
        self.expect(line, &told, |what| {
            let What::Event(said) = what else { return false };
            let ours = said.update.as_ref().and_then(|update| update.status.uuid.clone());
            let is_same_uuid =
                uuid.is_some() == ours.is_some() && (known.is_none() || known == ours);
            let is_it = is_same_uuid && plain((**said).clone()) == wanted;
            if is_it {
                found = ours;
            }
            is_it
        });
        if let (Some(recorded), Some(ours)) = (uuid, found) {
            self.uuids.insert(recorded, ours);
        }
    }

    /// The recording has this now; so must the model, at about the same time.
    fn expect(&mut self, line: &Line, wanted: &str, mut is_it: impl FnMut(&What) -> bool) {
        let connection = *self
            .connections
            .get(&line.conn)
            .unwrap_or_else(|| panic!("{}:{}: no such connection", self.name, line.number));
        let latest = line.t + SLACK;
        loop {
            let pool = self.pool.entry(connection).or_default();
            if let Some(index) = pool.iter().position(|(_, what)| is_it(what)) {
                let (at, what) = pool.remove(index);
                // Updates of one task keep their order.
                if let Some(task) = task_of(&what) {
                    let earlier =
                        pool[..index].iter().find(|(_, e)| task_of(e).as_ref() == Some(&task));
                    let earlier = earlier.map(|(at, what)| format!("{at}: {}", brief(what)));
                    assert_eq!(earlier, None, "{}:{}: comes first", self.name, line.number);
                }
                let is_near = at.abs_diff(line.t) <= SLACK;
                assert!(is_near, "{}:{}: at {at} ms, not {}", self.name, line.number, line.t);
                self.compared += 1;
                return;
            }
            let next = self.next_step().filter(|at| *at <= latest);
            let Some(next) = next else {
                let mut text = String::new();
                for (at, what) in self.pool.get(&connection).into_iter().flatten().take(20) {
                    let _ = writeln!(text, "  {at}: {}", brief(what));
                }
                panic!(
                    "{}:{}: at {} ms recorded\n  {wanted}\nand the model (at {} ms) has\n{text}",
                    self.name, line.number, line.t, self.cluster.now
                );
            };
            self.run_to(next);
        }
    }

    fn next_step(&self) -> Option<u64> {
        let act = self.acts.first().map(|(at, _)| *at);
        let next = self.cluster.next_at();
        let next = [act, next].into_iter().flatten().min()?;
        Some(next.max(self.cluster.now + u64::from(next <= self.cluster.now)))
    }

    fn answer(&mut self, line: &Line) {
        if self.skips_answer > 0 {
            self.skips_answer -= 1;
            return;
        }
        if !line.text("to").is_empty()
            && line.conn.is_empty()
            && self.name.starts_with("master_failover")
        {
            // Its request is not in the recording.
            return self.leave("elsewhere", 1);
        }
        let status = u16::try_from(line.value["status"].as_u64().unwrap_or(0)).unwrap_or(0);
        let answers = self.answers.entry(line.conn.clone()).or_default();
        let mut text = line.text("body").to_owned();
        let is_stream = status == 200 && line.value["headers"].get("Mesos-Stream-Id").is_some();
        let body_events =
            is_stream.then(|| text.split_once('\n').map(|(_, event)| event.to_owned()));
        let found = answers.iter().position(|answer| {
            answer.status == status
                && (is_stream || answer.text.is_empty() == text.is_empty())
                && (is_stream
                    || answer.text.starts_with("Failed to parse")
                    || answer.text == translated(&text, &self.streams))
        });
        let Some(index) = found else {
            if self.is_loaded && text == "Framework cannot be found" && answers.pop().is_some() {
                // The last acknowledgements and TEARDOWN were on their way together.
                return self.leave("http", 1);
            }
            if line.value.get("body").is_some_and(|body| !body.is_string()) {
                // An answer to operators whose request is not in the recording.
                return self.leave("operator", 1);
            }
            panic!(
                "{}:{}: {status} {text}\nand the model says {answers:?}",
                self.name, line.number
            );
        };
        let answer = answers.remove(index);
        self.compared += 1;
        if is_stream {
            let recorded = line.value["headers"]["Mesos-Stream-Id"].as_str().unwrap_or_default();
            self.streams.insert(recorded.to_owned(), answer.text);
        }
        if let Some(Some(event)) = body_events.filter(|_| !text.is_empty()) {
            text = event;
            let wanted: Event = serde_json::from_str(&text).expect("an event");
            self.expect(line, &text, |what| matches!(what, What::Event(said) if **said == wanted));
            self.expect(line, "the end of the stream", |what| *what == What::Closed);
        }
    }
}

/// For people.
fn brief(what: &What) -> String {
    match what {
        What::Event(event) => {
            let mut text = serde_json::to_string(event).expect("an event");
            text.truncate(text.char_indices().nth(900).map_or(text.len(), |(at, _)| at));
            text
        }
        What::Closed | What::Broken => format!("{what:?}"),
    }
}

fn translated(text: &str, streams: &BTreeMap<String, String>) -> String {
    streams.iter().fold(text.to_owned(), |text, (recorded, ours)| text.replace(recorded, ours))
}

fn number_of(id: &str) -> u64 {
    let digits = id.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().unwrap_or_else(|_| panic!("no number in {id}"))
}

/// The event without what is never the same twice.
fn plain(mut event: Event) -> Event {
    if let Some(update) = &mut event.update {
        let status = std::mem::take(&mut update.status);
        let has_time = status.unreachable_time.is_some();
        update.status = TaskStatus {
            timestamp: None,
            uuid: None,
            container_status: None,
            unreachable_time: has_time.then(Default::default),
            message: status.message.clone().map(|sentence| sentence_of(&sentence)),
            ..status
        };
    }
    if let Some(subscribed) = &mut event.subscribed {
        subscribed.master_info = None;
    }
    if event.kind == EventType::Offers
        && let Some(offers) = &mut event.offers
    {
        offers.offers.sort_by(|a: &Offer, b: &Offer| a.id.cmp(&b.id));
    }
    event
}

/// Sentences that name paths and containers, up to there.
fn sentence_of(sentence: &str) -> String {
    for start in [
        "Failed to create executor directory",
        "Failed to launch container: Failed to fetch all URIs",
    ] {
        if sentence.starts_with(start) {
            return start.to_owned();
        }
    }
    sentence.to_owned()
}

fn task_of(what: &What) -> Option<String> {
    let What::Event(event) = what else { return None };
    // What the master says by itself is no part of a task's own order.
    let update = event.update.as_ref().filter(|update| update.status.uuid.is_some())?;
    Some(update.status.task_id.value.clone())
}

/// When allocations took place: that of the first offer that no call asked for, and the pace.
fn allocations(lines: &[Line]) -> (u64, u64) {
    let mut by_themselves = Vec::new();
    let mut last_call = 0;
    for line in lines {
        if line.dir == "->" {
            last_call = line.t;
        } else if line.event().is_some_and(|event| event.offers.is_some())
            && line.t > last_call + 20
        {
            by_themselves.push(line.t);
        }
    }
    let Some(first) = by_themselves.first().copied() else { return (500, 1_000_000) };
    let last = by_themselves.last().copied().unwrap_or(first);
    let cycles = (last - first + 300) / 1_000;
    let interval = ((last - first) * 1_000).checked_div(cycles).unwrap_or(1_000_000);
    let is_even = (999_000..1_003_000).contains(&interval);
    let interval = if is_even { interval } else { 1_000_000 };
    (first % 1_000, interval)
}

/// The second agent, as it offers itself.
fn second_agent(lines: &[Line]) -> Agent {
    let offers = lines.iter().filter_map(Line::event).filter_map(|event| event.offers);
    let offer =
        offers.flat_map(|offers| offers.offers).find(|offer| offer.hostname == "agent2.local");
    let offer = offer.expect("it offers itself");
    let port = offer.url.as_ref().map_or(0, |url| url.address.port);
    let mut agent = Agent::new(&offer.hostname, port);
    agent.attributes = offer.attributes;
    agent.total = Stock::of(&offer.resources, "").unallocated();
    agent
}
