//! The connection between the process and the master: one stream of events, calls beside it, and what goes wrong there.

use chronode::mesos::session::{Answer, Input, Login, subscribe};
use chronode::mesos::wire::{Call, TaskState};
use chronode::model::TaskId;

use super::{ConnectionId, Happening, MILLI, MINUTE, SECOND, What, World};
use crate::model::call::stream_id;

/// The process's end of a connection.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) number: u64,
    pub(crate) connection: Option<ConnectionId>,
    last_event_at: i64,
    last_call_at: i64,
    /// Nothing comes any more, though nobody has said so.
    pub(crate) is_silent: bool,
}

impl World {
    pub(crate) fn link(&mut self, number: u64) -> Option<&mut Link> {
        self.process.as_mut()?.link.as_mut().filter(|link| link.number == number)
    }

    /// The process asks for a stream.
    pub(crate) fn dial(&mut self, framework_id: Option<String>) {
        self.links += 1;
        let link = self.links;
        let time = self.time;
        let Some(process) = &mut self.process else { return };
        process.link = Some(Link {
            number: link,
            connection: None,
            last_event_at: time,
            last_call_at: time,
            is_silent: false,
        });
        let delay = self.rng.between(MILLI, 20 * MILLI);
        self.after(delay, Happening::Subscribes { link, framework_id });
    }

    /// SUBSCRIBE reaches a master, if any leads.
    pub(crate) fn subscribes(&mut self, number: u64, framework_id: Option<String>) {
        let login = Login { principal: None, has_secret: false };
        let call = subscribe(&self.framework, framework_id.as_deref(), &login);
        let delay = self.rng.between(MILLI, 20 * MILLI);
        if self.cluster.master.is_none() {
            let answer = Err("connection refused".to_owned());
            return self.after(delay, Happening::Answered { link: number, answer });
        }
        match self.cluster.subscribe(&call) {
            Err(answer) => self.violation(format!("SUBSCRIBE is refused: {answer:?}")),
            Ok(connection) => {
                self.say(|| format!("the master has stream {connection} for link {number}"));
                self.streams.insert(connection, number);
                let at = self.time + delay;
                let is_there = self.link(number).map(|link| {
                    link.connection = Some(connection);
                    link.last_event_at = at;
                });
                if is_there.is_none() {
                    self.after(SECOND, Happening::MasterSeesCut(connection));
                }
                let answer = Ok(stream_id(connection));
                self.after(delay, Happening::Answered { link: number, answer });
            }
        }
    }

    pub(crate) fn answered(&mut self, number: u64, answer: Result<String, String>) {
        if self.link(number).is_none() {
            return;
        }
        match answer {
            Ok(id) => {
                let answer = Answer { status: 200, stream_id: Some(id), ..Answer::default() };
                self.step_session(Input::Answered(answer));
            }
            Err(reason) => self.step_session(Input::Unanswered { reason }),
        }
    }

    /// The process closes its end. The master notices soon, or not for long.
    pub(crate) fn hang_up(&mut self, link: &Link) {
        if let Some(connection) = link.connection {
            let is_half_open = self.has_faults && self.rng.chance(self.plan.half_open_percent);
            if is_half_open {
                self.count("fault: half-open connection");
            }
            let latest = if is_half_open { 5 * MINUTE } else { SECOND };
            let delay = self.rng.between(0, latest);
            self.after(delay, Happening::MasterSeesCut(connection));
        }
        // Calls on their way may arrive or not.
        let number = link.number;
        let on_their_way: Vec<(i64, u64)> = self
            .agenda
            .iter()
            .filter(|(_, happening)| {
                matches!(happening, Happening::CallArrives { link, .. } if *link == number)
            })
            .map(|(key, _)| *key)
            .collect();
        let count = i64::try_from(on_their_way.len()).expect("few");
        let arriving = usize::try_from(self.rng.between(0, count)).expect("not negative");
        for key in on_their_way.into_iter().skip(arriving) {
            self.agenda.remove(&key);
        }
    }

    /// What masters have said goes on its way.
    pub(crate) fn spread(&mut self) {
        for said in self.cluster.take_said() {
            let Some(number) = self.streams.get(&said.to).copied() else { continue };
            let (cut, late, doubled, overtaken) = (
                self.plan.event_cut_permille,
                self.plan.event_late_permille,
                self.plan.doubled_percent,
                self.plan.overtaken_percent,
            );
            let has_faults = self.has_faults;
            let mut delay = self.rng.between(100, 10 * MILLI);
            let is_cut = has_faults && self.rng.between(0, 999) < cut;
            if has_faults && self.rng.between(0, 999) < late {
                self.count("fault: events late");
                delay += self.rng.between(SECOND, 25 * SECOND);
            }
            let is_update = matches!(&said.what, What::Event(event) if event.update.as_ref()
                .is_some_and(|update| update.status.uuid.is_some()));
            let is_doubled = is_update && has_faults && self.rng.chance(doubled);
            let is_overtaken = is_update && has_faults && self.rng.chance(overtaken);
            let again = self.rng.between(0, 3 * SECOND);
            let time = self.time;
            let Some(link) = self.link(number).filter(|link| !link.is_silent) else { continue };
            if is_cut {
                // This event and all after it are lost with the connection, which the process may not notice.
                link.is_silent = true;
                let connection = link.connection;
                self.count("fault: events lost with a connection");
                if self.rng.chance(60) {
                    let at = delay + 10 * MILLI;
                    self.after(at, Happening::EventArrives { link: number, what: What::Broken });
                }
                if let Some(connection) = connection {
                    let at = self.rng.between(0, MINUTE);
                    self.after(at, Happening::MasterSeesCut(connection));
                }
                continue;
            }
            let at = (time + delay).max(link.last_event_at + 1);
            if !is_overtaken {
                link.last_event_at = at;
            }
            let what = said.what;
            if is_doubled {
                self.count("fault: update doubled");
                let what = what.clone();
                self.after(at - time + again, Happening::EventArrives { link: number, what });
            }
            if is_overtaken {
                self.count("fault: update overtaken");
                self.after(at - time + again, Happening::EventArrives { link: number, what });
            } else {
                self.after(at - time, Happening::EventArrives { link: number, what });
            }
        }
    }

    pub(crate) fn event_arrives(&mut self, number: u64, what: What) {
        if self.link(number).is_none() {
            return;
        }
        match what {
            What::Event(event) => {
                self.say(|| {
                    let text = serde_json::to_string(&event).expect("an event");
                    format!("event {}", super::process::brief(&text))
                });
                if let Some(status) = event.update.as_ref().map(|update| &update.status) {
                    let state = status.state;
                    if matches!(state, TaskState::Error | TaskState::Failed | TaskState::Dropped) {
                        self.told_of_trouble.insert(TaskId::from_text(&status.task_id.value));
                    }
                    self.heard.extend(status.uuid.clone().map(|uuid| (uuid, state)));
                }
                self.step_session(Input::Event(event));
            }
            What::Closed => self.step_session(Input::Ended { reason: "it was closed".to_owned() }),
            What::Broken => self.step_session(Input::Ended { reason: "it broke".to_owned() }),
        }
    }

    /// Sends a call. Those of one connection keep their order.
    pub(crate) fn send(&mut self, call: Box<Call>) {
        let delay = self.rng.between(200, 20 * MILLI);
        let is_lost = self.has_faults && self.rng.between(0, 999) < self.plan.call_lost_permille;
        let time = self.time;
        let Some(link) = self.process.as_mut().and_then(|process| process.link.as_mut()) else {
            return;
        };
        let Some(connection) = link.connection else { return };
        let at = (time + delay).max(link.last_call_at + 1);
        link.last_call_at = at;
        let number = link.number;
        if is_lost {
            // Carried out or not, the process does not hear of it, and gives the connection up.
            let arrives = self.rng.chance(50);
            self.count(if arrives { "fault: answer to a call lost" } else { "fault: call lost" });
            let patience = self.rng.between(MILLI, 30 * SECOND);
            self.after(at - time + patience, Happening::CallIsLost { link: number });
            if !arrives {
                return;
            }
        }
        self.after(at - time, Happening::CallArrives { link: number, connection, call });
    }

    pub(crate) fn call_arrives(&mut self, link: u64, connection: ConnectionId, call: &Call) {
        let answer = self.cluster.call(Some(&stream_id(connection)), call);
        if answer.status == 202 {
            return;
        }
        let delay = self.rng.between(200, 20 * MILLI);
        let call = Box::new(call.clone());
        let (status, message) = (answer.status, answer.text);
        self.say(|| format!("the master says {status} {message}"));
        self.after(delay, Happening::CallAnswered { link, call, status, message });
    }

    pub(crate) fn call_answered(
        &mut self,
        link: u64,
        call: Box<Call>,
        status: u16,
        message: String,
    ) {
        if self.link(link).is_some() {
            let answer = Answer { status, message, ..Answer::default() };
            self.step_session(Input::CallAnswered { call, answer });
        }
    }

    pub(crate) fn call_is_lost(&mut self, link: u64) {
        if self.link(link).is_some() {
            self.step_session(Input::CallLost { reason: "it took too long".to_owned() });
        }
    }
}
