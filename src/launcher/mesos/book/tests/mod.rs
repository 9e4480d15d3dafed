//! The rules of the book, one by one; recorded exchanges; and whatever may come in any order.

mod offers;
mod random;
mod tasks;
mod traces;

use serde_json::{Value, json};

use super::{Book, Out, Terms};
use crate::launcher::{Notice, Order};
use crate::mesos::wire::{self, CallType, Event};
use crate::model::{
    AgentId, BootInstant, Command, Duration, FrameworkId, Incarnation, JobName, Launch, NameRule,
    Now, OfferId, Question, Resources, RunId, Scalar, TaskId, TaskStatus, Term, Timestamp,
};

/// A book, the clock beside it, and what it has said so far.
struct Desk {
    book: Book,
    now: Now,
    told: u64,
}

/// What a book says at once.
#[derive(Debug, Default, PartialEq)]
struct Said {
    calls: Vec<wire::Call>,
    notices: Vec<Notice>,
}

impl Desk {
    fn new(terms: Terms) -> Self {
        let wall = Timestamp::from_second(1_800_000_000).unwrap();
        let now = Now { wall, boot: BootInstant(Duration::from_secs(1_000)) };
        Self { book: Book::new(terms), now, told: 0 }
    }

    /// Subscribed, and asked for nothing yet.
    fn subscribed() -> Self {
        let mut desk = Self::new(Terms::default());
        desk.subscribe("F");
        desk.take();
        desk
    }

    fn subscribe(&mut self, framework: &str) {
        self.book.subscribed(self.now, FrameworkId::new(framework));
    }

    fn take(&mut self) -> Said {
        let mut said = Said::default();
        for out in self.book.take() {
            match out {
                Out::Call(call) => said.calls.push(*call),
                Out::Notice(notice) => {
                    self.told += 1;
                    said.notices.push(notice);
                }
            }
        }
        said
    }

    fn order(&mut self, order: Order) -> Said {
        self.book.order(self.now, order);
        self.take()
    }

    fn settle(&mut self) -> Said {
        let notices = self.told;
        self.order(Order::Settled { notices })
    }

    fn event(&mut self, event: &Value) -> Said {
        let event: Event = serde_json::from_value(event.clone()).unwrap();
        self.book.event(self.now, &event);
        self.take()
    }

    fn update(&mut self, status: &Value) -> Said {
        self.event(&json!({"type": "UPDATE", "update": {"status": status}}))
    }

    fn offer(&mut self, id: &str, agent: &str) -> Said {
        self.event(&offers(&[plain_offer(id, agent)]))
    }

    /// Offers, launches and sends, so that the task is with the master.
    fn launch(&mut self, task: &str, agent: &str) {
        let offer = format!("for-{task}-{}", self.now.boot.0.as_millis());
        self.offer(&offer, agent);
        self.order(Order::Launch(Box::new(launch(task, agent, &[&offer]))));
        let said = self.settle();
        assert_eq!(kinds(&said), [CallType::Accept], "{said:?}");
    }

    fn pass(&mut self, span: Duration) -> Said {
        self.now.boot = self.now.boot.saturating_add(span);
        self.now.wall = self.now.wall.saturating_add(span).unwrap();
        self.book.wake(self.now);
        self.take()
    }

    fn reconcile(&mut self, task: &str, agent: &str, was_seen: bool) -> Said {
        let question =
            Question { task_id: TaskId::from_text(task), agent: AgentId::new(agent), was_seen };
        self.order(Order::Reconcile(vec![question]))
    }
}

fn kinds(said: &Said) -> Vec<CallType> {
    said.calls.iter().map(|call| call.kind).collect()
}

/// What is told of tasks, as text.
fn reports(said: &Said) -> Vec<String> {
    said.notices
        .iter()
        .filter_map(|notice| match notice {
            Notice::Report(report) => Some(format!("{} {}", report.task_id, shown(&report.status))),
            Notice::Connected { .. }
            | Notice::Offered(_)
            | Notice::Withdrawn(_)
            | Notice::AgentLost(_)
            | Notice::Disconnected { .. } => None,
        })
        .collect()
}

fn shown(status: &TaskStatus) -> String {
    match status {
        TaskStatus::Staged => "staged".to_owned(),
        TaskStatus::Running { .. } => "running".to_owned(),
        TaskStatus::Ended { exit, .. } => format!("ended {exit:?}"),
        TaskStatus::NeverLaunched => "never launched".to_owned(),
        TaskStatus::InDoubt { is_final: true, reason } => format!("in doubt for ever: {reason}"),
        TaskStatus::InDoubt { is_final: false, reason } => format!("in doubt: {reason}"),
    }
}

fn plain_offer(id: &str, agent: &str) -> Value {
    json!({
        "id": {"value": id}, "agent_id": {"value": agent}, "hostname": format!("{agent}.local"),
        "resources": [
            {"name": "cpus", "type": "SCALAR", "scalar": {"value": 4.0}, "role": "*", "allocation_info": {"role": "*"}},
            {"name": "mem", "type": "SCALAR", "scalar": {"value": 4096.0}, "role": "*", "allocation_info": {"role": "*"}},
            {"name": "disk", "type": "SCALAR", "scalar": {"value": 10000.0}, "role": "*", "allocation_info": {"role": "*"}},
            {"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": 31000, "end": 31009}]}, "role": "*",
             "allocation_info": {"role": "*"}},
        ],
    })
}

fn offers(offers: &[Value]) -> Value {
    json!({"type": "OFFERS", "offers": {"offers": offers}})
}

fn status(task: &str, state: &str) -> Value {
    json!({"task_id": {"value": task}, "state": state, "agent_id": {"value": "S1"},
        "source": "SOURCE_EXECUTOR", "timestamp": 1_800_000_000.0})
}

/// An update that is to be acknowledged.
fn by_agent(task: &str, state: &str, uuid: &str) -> Value {
    let mut status = status(task, state);
    status["uuid"] = json!(uuid);
    status
}

/// An answer of the master's.
fn answer(task: &str, state: &str, agent: Option<&str>, timestamp: f64) -> Value {
    let mut status = json!({"task_id": {"value": task}, "state": state, "source": "SOURCE_MASTER",
        "reason": "REASON_RECONCILIATION", "message": "Reconciliation: Task is unknown",
        "timestamp": timestamp});
    if let Some(agent) = agent {
        status["agent_id"] = json!({"value": agent});
    }
    status
}

fn launch(task: &str, agent: &str, offers: &[&str]) -> Launch {
    Launch {
        term: Term(1),
        task_id: TaskId::from_text(task),
        run_id: RunId::manual(Incarnation(1), 5),
        attempt: 0,
        offers: offers.iter().map(|id| OfferId::new(*id)).collect(),
        agent: AgentId::new(agent),
        command: Command::Shell { text: "true".to_owned(), arguments: vec![] },
        environment: vec![],
        user: None,
        fetch: vec![],
        resources: Resources {
            cpus: Scalar::from_thousandths(1_000),
            mem: Scalar::from_thousandths(128_000),
            disk: Scalar::ZERO,
            ports: 0,
        },
        kill_grace: Duration::from_secs(10),
        not_after: None,
        cluster: Some(Box::new(crate::model::ClusterTerms {
            job: JobName::parse("nightly", NameRule::Blanks).unwrap(),
            owner: String::new(),
            container: None,
            executor: String::new(),
            executor_data: String::new(),
            timeout: None,
        })),
    }
}

fn acknowledged(said: &Said) -> Vec<&str> {
    let acknowledges = said.calls.iter().filter_map(|call| call.acknowledge.as_ref());
    acknowledges.map(|it| it.uuid.as_str()).collect()
}

fn asked(said: &Said) -> Vec<&str> {
    let tasks = said.calls.iter().filter_map(|call| call.reconcile.as_ref());
    tasks.flat_map(|it| &it.tasks).map(|it| it.task_id.value.as_str()).collect()
}
