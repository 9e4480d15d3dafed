//! Every recorded exchange with a real master is lived through again: the recorded calls become the orders that make a
//! book say them, the recorded events are told to it, and what it says of each task is pinned in `traces.txt`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;

use super::*;
use crate::launcher::mesos::convert::task::span;

/// A recorded line that matters here.
enum Line {
    /// A call.
    Call(Value),
    /// An event on the connection.
    Event(String, Value),
}

fn traces() -> Vec<(String, Vec<Line>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mesos/traces");
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == "jsonl"));
    files.sort();
    let trace = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(path).unwrap();
        (name, text.lines().filter_map(|line| read(&serde_json::from_str(line).unwrap())).collect())
    };
    files.iter().map(trace).collect()
}

fn read(line: &Value) -> Option<Line> {
    let conn = line["conn"].as_str().unwrap_or_default().to_owned();
    let body = line.get("body").filter(|body| body["type"].is_string())?;
    if line["dir"] == "->" && line["path"] == "/api/v1/scheduler" {
        Some(Line::Call(body.clone()))
    } else if line["dir"] == "<-" && line.get("status").is_none() {
        Some(Line::Event(conn, body.clone()))
    } else {
        None
    }
}

/// One framework of a trace: the book, whoever listens to it, and what was recorded of it.
struct Player {
    desk: Desk,
    /// Whether notices are settled as they come, or all at the end.
    is_prompt: bool,
    /// Tasks whose end was told and is not on record.
    ended: Vec<TaskId>,
    /// What was said of each task.
    said: BTreeMap<String, Vec<String>>,
    seen: Vec<String>,
    /// Where each task was last known to be.
    agents: BTreeMap<String, String>,
    /// Acknowledgements by uuid: how many the updates that came ask for, and how many were made.
    wanted: BTreeMap<String, usize>,
    made: BTreeMap<String, usize>,
    calls: Vec<wire::Call>,
    /// Recorded calls of ACCEPT that were ordered to be made.
    accepts: Vec<wire::Call>,
}

impl Player {
    fn new(is_prompt: bool) -> Self {
        let mut desk = Desk::new(Terms::default());
        desk.order(Order::Demand(true));
        Self {
            desk,
            is_prompt,
            ended: vec![],
            said: BTreeMap::new(),
            seen: vec![],
            agents: BTreeMap::new(),
            wanted: BTreeMap::new(),
            made: BTreeMap::new(),
            calls: vec![],
            accepts: vec![],
        }
    }

    fn hear(&mut self, said: Said) {
        for notice in &said.notices {
            let Notice::Report(report) = notice else { continue };
            let id = report.task_id.to_string();
            if matches!(report.status, TaskStatus::Staged | TaskStatus::Running { .. }) {
                self.seen.push(id.clone());
            }
            if matches!(
                report.status,
                TaskStatus::Ended { .. } | TaskStatus::InDoubt { is_final: true, .. }
            ) {
                self.ended.push(report.task_id.clone());
            }
            self.said.entry(id).or_default().push(shown(&report.status));
        }
        for call in said.calls {
            if let Some(acknowledge) = &call.acknowledge {
                *self.made.entry(acknowledge.uuid.clone()).or_default() += 1;
            }
            self.calls.push(call);
        }
    }

    fn order(&mut self, order: Order) {
        let said = self.desk.order(order);
        self.hear(said);
    }

    fn settle(&mut self) {
        let ended = std::mem::take(&mut self.ended);
        if !ended.is_empty() {
            self.order(Order::Acknowledge(ended));
        }
        let notices = self.desk.told;
        self.order(Order::Settled { notices });
    }

    fn event(&mut self, event: &Value) {
        if event["type"] == "SUBSCRIBED" {
            let id = event["subscribed"]["framework_id"]["value"].as_str().unwrap();
            self.desk.subscribe(id);
            let said = self.desk.take();
            self.hear(said);
            return;
        }
        let status = &event["update"]["status"];
        if let Some(uuid) = status["uuid"].as_str() {
            *self.wanted.entry(uuid.to_owned()).or_default() += 1;
        }
        if let (Some(id), Some(agent)) =
            (status["task_id"]["value"].as_str(), status["agent_id"]["value"].as_str())
        {
            self.agents.insert(id.to_owned(), agent.to_owned());
        }
        let said = self.desk.event(event);
        self.hear(said);
        // Time passes a little, as it did.
        let said = self.desk.pass(Duration::from_millis(1));
        self.hear(said);
        if self.is_prompt {
            self.settle();
        }
    }

    /// Orders what the call is said for.
    fn call(&mut self, body: &Value) {
        let Ok(call) = serde_json::from_value::<wire::Call>(body.clone()) else { return };
        match call.kind {
            CallType::Accept => {
                let Some(accept) = &call.accept else { return };
                let offers: Vec<_> = accept.offer_ids.iter().map(|id| id.value.as_str()).collect();
                let launches = accept.operations.iter().filter_map(|it| it.launch.as_ref());
                for info in launches.flat_map(|it| &it.task_infos) {
                    self.agents.insert(info.task_id.value.clone(), info.agent_id.value.clone());
                    self.order(Order::Launch(Box::new(as_ordered(info, &offers))));
                }
                self.accepts.push(call.clone());
                let notices = if self.is_prompt { self.desk.told } else { 0 };
                self.order(Order::Settled { notices });
            }
            CallType::Decline => {
                let Some(decline) = call.decline else { return };
                let ids =
                    decline.offer_ids.iter().map(|id| OfferId::new(id.value.clone())).collect();
                self.order(Order::Release(ids));
            }
            CallType::Kill => {
                let Some(kill) = call.kill else { return };
                let task_id = TaskId::from_text(kill.task_id.value);
                self.order(Order::Kill { task_id, grace: Duration::from_secs(3) });
            }
            CallType::Reconcile => {
                let Some(wire::Reconcile { tasks }) = call.reconcile else { return };
                let question = |task: wire::ReconcileTask| {
                    let id = task.task_id.value;
                    let agent = self.agents.get(&id).cloned();
                    let agent = task.agent_id.map(|id| id.value).or(agent).unwrap_or_default();
                    Question {
                        was_seen: self.seen.contains(&id),
                        task_id: TaskId::from_text(id),
                        agent: AgentId::new(agent),
                    }
                };
                let questions = tasks.into_iter().map(question).collect();
                self.order(Order::Reconcile(questions));
            }
            CallType::Subscribe
            | CallType::Teardown
            | CallType::AcceptInverseOffers
            | CallType::DeclineInverseOffers
            | CallType::Revive
            | CallType::Suppress
            | CallType::Acknowledge
            | CallType::UpdateFramework
            | CallType::Other => {}
        }
    }
}

/// The launch that a recorded task would have come from.
fn as_ordered(info: &wire::TaskInfo, offers: &[&str]) -> Launch {
    let mut ordered = launch(&info.task_id.value, &info.agent_id.value, offers);
    let scalar = |name: &str| {
        let of = info.resources.iter().filter(|it| it.name == name).filter_map(|it| it.scalar);
        of.filter_map(|it| Scalar::from_units(it.value)).fold(Scalar::ZERO, Scalar::saturating_add)
    };
    let ranges = info.resources.iter().filter_map(|it| it.ranges.as_ref()).flat_map(|it| &it.range);
    let ports = ranges.map(|range| u32::try_from(range.end - range.begin + 1).unwrap()).sum();
    ordered.resources =
        Resources { cpus: scalar("cpus"), mem: scalar("mem"), disk: scalar("disk"), ports };
    if let Some(command) = &info.command {
        ordered.command = match (command.shell, command.value.clone()) {
            (Some(false), program) => Command::Program {
                program: program.unwrap_or_default(),
                arguments: command.arguments.iter().skip(1).cloned().collect(),
            },
            (_, text) => Command::Shell { text: text.unwrap_or_default(), arguments: vec![] },
        };
        ordered.user.clone_from(&command.user);
        let variables = command.environment.iter().flat_map(|it| &it.variables);
        ordered.environment =
            variables.map(|it| (it.name.clone(), it.value.clone().unwrap_or_default())).collect();
    }
    ordered
}

/// Lives through a trace; one player for each framework, in the order of their first subscription.
fn play(lines: &[Line], is_prompt: bool) -> Vec<Player> {
    let mut players: Vec<(String, Player)> = Vec::new();
    let mut by_conn: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines {
        match line {
            Line::Event(conn, event) => {
                if let Some(id) = event["subscribed"]["framework_id"]["value"].as_str() {
                    let at = players.iter().position(|(name, _)| name == id).unwrap_or_else(|| {
                        players.push((id.to_owned(), Player::new(is_prompt)));
                        players.len() - 1
                    });
                    by_conn.insert(conn, at);
                }
                if let Some(at) = by_conn.get(conn.as_str()) {
                    players[*at].1.event(event);
                }
            }
            Line::Call(body) => {
                let id = body["framework_id"]["value"].as_str().unwrap_or_default();
                if let Some((_, player)) = players.iter_mut().find(|(name, _)| name == id) {
                    player.call(body);
                }
            }
        }
    }
    players.into_iter().map(|(_, player)| player).collect()
}

/// The same tasks of many, as one line.
fn table(name: &str, players: &[Player]) -> String {
    let mut text = format!("== {name}\n");
    for (number, player) in players.iter().enumerate() {
        if number > 0 {
            text.push_str("-- another framework\n");
        }
        let mut ways: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (task, said) in &player.said {
            ways.entry(said.join(", ")).or_default().push(task);
        }
        for (way, tasks) in ways {
            let tasks = if tasks.len() > 8 {
                format!("{} tasks", tasks.len())
            } else {
                tasks
                    .iter()
                    .map(|it| it.escape_debug().take(60).collect::<String>())
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            text.push_str(&format!("{tasks}: {way}\n"));
        }
    }
    text
}

#[test]
fn what_is_said_of_each_task_is_as_it_was() {
    let text: String =
        traces().iter().map(|(name, lines)| table(name, &play(lines, true))).collect();
    expect_file!["traces.txt"].assert_eq(&text);
}

#[test]
fn each_update_with_a_uuid_is_acknowledged_as_often_as_it_came() {
    for (name, lines) in traces() {
        for player in play(&lines, true) {
            assert_eq!(player.made, player.wanted, "{name}");
        }
    }
}

#[test]
fn nothing_is_acknowledged_while_nothing_is_on_record() {
    let mut acknowledged = 0;
    for (name, lines) in traces() {
        for mut player in play(&lines, false) {
            // Subscriptions that ended take with them what their agents will say again.
            // There one id is used again after its end, and what is said of it then says nothing new.
            if name != "launch_rejected" {
                assert_eq!(player.made, BTreeMap::new(), "{name}");
            }
            player.settle();
            player.settle();
            assert_eq!(player.made, player.wanted, "{name}");
            acknowledged += player.made.values().sum::<usize>();
        }
    }
    assert!(acknowledged > 300, "{acknowledged}");
}

#[test]
fn acknowledgements_and_launches_have_the_recorded_form() {
    let (mut acknowledgements, mut tasks) = (0, 0);
    for (name, lines) in traces() {
        let recorded: Vec<_> = lines
            .iter()
            .filter_map(|line| match line {
                Line::Call(body) if body["type"] == "ACKNOWLEDGE" => Some(body.clone()),
                Line::Call(_) | Line::Event(..) => None,
            })
            .collect();
        for player in play(&lines, true) {
            let said: Vec<Value> =
                player.calls.iter().map(|call| serde_json::to_value(call).unwrap()).collect();
            let uuid = |body: &Value| body["acknowledge"]["uuid"].as_str().unwrap_or("").to_owned();
            for body in recorded.iter().filter(|body| player.wanted.contains_key(&uuid(body))) {
                assert!(said.contains(body), "{name}: {body}");
                acknowledgements += 1;
            }
            for call in player.calls.iter().filter(|call| call.kind == CallType::Accept) {
                let accept = call.accept.as_ref().unwrap();
                // Where all of a recorded call was made, it is the same but for what we add.
                let same = player.accepts.iter().find(|it| {
                    let it = it.accept.as_ref().unwrap();
                    it.offer_ids == accept.offer_ids && infos(it).len() == infos(accept).len()
                });
                let Some(same) = same else { continue };
                assert_eq!(same.framework_id, call.framework_id);
                for (theirs, ours) in infos(same.accept.as_ref().unwrap()).iter().zip(infos(accept))
                {
                    // It asks for a port that is not offered.
                    if theirs.task_id.value != "ports" {
                        compare(&name, theirs, &ours);
                    }
                    tasks += 1;
                }
            }
        }
    }
    assert!(acknowledgements > 300 && tasks > 150, "{acknowledgements} {tasks}");
}

fn infos(accept: &wire::Accept) -> Vec<wire::TaskInfo> {
    let launches = accept.operations.iter().filter_map(|it| it.launch.as_ref());
    launches.flat_map(|it| &it.task_infos).cloned().collect()
}

fn compare(name: &str, theirs: &wire::TaskInfo, ours: &wire::TaskInfo) {
    assert_eq!((&theirs.task_id, &theirs.agent_id), (&ours.task_id, &ours.agent_id), "{name}");
    assert_eq!(ours.kill_policy.unwrap().grace_period, Some(span(Duration::from_secs(10))));
    let amounts = |info: &wire::TaskInfo| -> BTreeMap<String, (u64, Vec<wire::Range>)> {
        let mut amounts: BTreeMap<String, (u64, Vec<wire::Range>)> = BTreeMap::new();
        for resource in &info.resources {
            let amount = amounts.entry(resource.name.clone()).or_default();
            let scalar = resource.scalar.and_then(|it| Scalar::from_units(it.value));
            amount.0 += scalar.unwrap_or_default().thousandths();
            amount.1.extend(resource.ranges.iter().flat_map(|it| it.range.clone()));
        }
        // None of something is the same as nothing said of it.
        amounts.retain(|_, (scalar, ranges)| *scalar > 0 || !ranges.is_empty());
        amounts
    };
    assert_eq!(amounts(theirs), amounts(ours), "{name}");
    let Some(theirs) = &theirs.command else { return };
    let ours = ours.command.as_ref().unwrap();
    if theirs.shell == Some(false) {
        assert_eq!((&theirs.value, ours.shell), (&ours.value, Some(false)));
        assert_eq!(theirs.arguments.get(1..), ours.arguments.get(1..), "{name}");
    } else {
        assert_eq!(
            (theirs.value.clone().unwrap_or_default(), Some(true)),
            (ours.value.clone().unwrap_or_default(), ours.shell),
            "{name}"
        );
    }
    assert_eq!(theirs.user, ours.user);
    let without_ports = |command: &wire::CommandInfo| -> Vec<wire::Variable> {
        let variables = command.environment.iter().flat_map(|it| it.variables.clone());
        variables
            .filter(|it| !it.name.starts_with("PORT"))
            .map(|it| wire::Variable { value: Some(it.value.unwrap_or_default()), ..it })
            .collect()
    };
    assert_eq!(without_ports(theirs), without_ports(ours), "{name}");
}
