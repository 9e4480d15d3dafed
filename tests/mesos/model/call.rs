//! Calls of schedulers.

use chronode::mesos::wire::{
    Call, CallType, Event, EventType, Id, Kill, ReconcileTask, Subscribe, Subscribed, TaskState,
    TaskStatus, TimeInfo,
};

use super::allocator::milliseconds;
use super::master::{Framework, event, word};
use super::task::{Stop, is_end};
use super::{Cluster, ConnectionId};

/// The answer to a call that is none of the streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn new(status: u16, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }
}

/// The id of a stream, as it is told with it.
pub(crate) fn stream_id(connection: ConnectionId) -> String {
    format!("{connection:08x}-ce5c-4c4b-ba66-cde375b697b9")
}

impl Cluster {
    /// SUBSCRIBE. What is wrong with it in the second place is told on the stream, which ends then.
    pub(crate) fn subscribe(&mut self, call: &Call) -> Result<ConnectionId, Answer> {
        let Some(subscribe) = &call.subscribe else {
            let sentence =
                "Failed to validate scheduler::Call: Expecting 'subscribe' to be present";
            return Err(Answer::new(400, sentence));
        };
        if call.framework_id != subscribe.framework_info.id {
            let sentence = "Failed to validate scheduler::Call: 'framework_id' differs from 'subscribe.framework_info.id'";
            return Err(Answer::new(400, sentence));
        }
        if self.master.is_none() {
            return Err(Answer::new(503, "No leader elected"));
        }
        let connection = self.new_connection();
        if let Some(sentence) = objection(subscribe) {
            self.refuse(connection, &sentence);
            return Ok(connection);
        }
        let id = call.framework_id.as_ref().map(|id| id.value.clone());
        let is_over = id.as_ref().is_some_and(|id| self.lead().removed.contains(id));
        if is_over {
            self.refuse(connection, "Framework has been removed");
            return Ok(connection);
        }
        let id = id.unwrap_or_else(|| {
            let master = self.lead();
            master.next_framework += 1;
            format!("{}-{:04}", master.id, master.next_framework - 1)
        });
        self.join(connection, &id, subscribe);
        Ok(connection)
    }

    fn join(&mut self, connection: ConnectionId, id: &str, subscribe: &Subscribe) {
        let beats_at = self.now + self.settings.heartbeat;
        let seconds = u32::try_from(self.settings.heartbeat / 1_000).unwrap_or(u32::MAX);
        let master_info = Some(self.master_info());
        let (mut info, suppressed) =
            (subscribe.framework_info.clone(), subscribe.suppressed_roles.iter().cloned());
        info.id = Some(Id::new(id));
        let framework = self
            .lead()
            .frameworks
            .entry(id.to_owned())
            .or_insert_with(|| Framework { info: info.clone(), ..Framework::default() });
        // Whom commands run as cannot be changed, and nobody says so.
        if !framework.info.user.is_empty() {
            info.user.clone_from(&framework.info.user);
        }
        framework.info = info;
        framework.suppressed = suppressed.collect();
        framework.beats_at = beats_at;
        framework.over_at = None;
        let old = framework.connection.replace(connection);
        if let Some(old) = old {
            self.lead().offers.retain(|_, open| open.framework != id);
            self.lead().inverse_offers.retain(|_, (of, _)| of != id);
            self.refuse(old, "Framework failed over");
        }
        let subscribed = Some(Subscribed {
            framework_id: Id::new(id),
            heartbeat_interval_seconds: Some(f64::from(seconds)),
            master_info,
        });
        self.say(connection, Event { subscribed, ..event(EventType::Subscribed) });
        self.say(connection, event(EventType::Heartbeat));
        if old.is_none() {
            self.allocate_all();
        }
        for machine in 0..self.agents.len() {
            if self.is_online(machine) {
                self.tell_all_heads(machine, Some(id));
            }
        }
    }

    /// Any other call, with the id of the stream that it says it belongs to.
    pub(crate) fn call(&mut self, stream: Option<&str>, call: &Call) -> Answer {
        if let Err(sentence) = has_its_part(call) {
            return Answer::new(400, format!("Failed to validate scheduler::Call: {sentence}"));
        }
        let Some(id) = call.framework_id.as_ref().map(|id| id.value.clone()) else {
            let sentence =
                "Failed to validate scheduler::Call: Expecting 'framework_id' to be present";
            return Answer::new(400, sentence);
        };
        if self.master.is_none() {
            return Answer::new(503, "No leader elected");
        }
        let Some(framework) = self.framework(&id).filter(|known| !known.info.name.is_empty())
        else {
            return Answer::new(400, "Framework cannot be found");
        };
        let Some(stream) = stream else {
            let sentence = "All non-subscribe calls should include the 'Mesos-Stream-Id' header";
            return Answer::new(400, sentence);
        };
        let Some(connection) = framework.connection else {
            return Answer::new(403, "Framework is not subscribed");
        };
        if stream != stream_id(connection) {
            return Answer::new(
                400,
                format!(
                    "The stream ID '{stream}' included in this request didn't match the stream ID currently associated with framework ID {id}"
                ),
            );
        }
        self.carry_out(&id, call)
    }

    fn carry_out(&mut self, id: &str, call: &Call) -> Answer {
        match call.kind {
            CallType::Subscribe | CallType::Other => {}
            CallType::Teardown => self.remove_framework(id),
            CallType::Accept => {
                let accept = call.accept.as_ref().expect("it was looked at");
                self.accept(id, accept);
            }
            CallType::Decline => {
                let decline = call.decline.as_ref().expect("it was looked at");
                let refuse = decline.filters.and_then(|filters| filters.refuse_seconds);
                for offer in &decline.offer_ids {
                    let offers = &mut self.lead().offers;
                    if offers.get(&offer.value).is_some_and(|open| open.framework == id)
                        && let Some(open) = offers.remove(&offer.value)
                    {
                        self.give_back(id, &open.agent, &open.role, &open.stock, refuse);
                    }
                }
            }
            CallType::AcceptInverseOffers | CallType::DeclineInverseOffers => {
                let answers = [&call.accept_inverse_offers, &call.decline_inverse_offers];
                for answer in answers.into_iter().flatten() {
                    let refuse = answer.filters.and_then(|filters| filters.refuse_seconds);
                    let until = self.now + milliseconds(refuse.unwrap_or(5.0));
                    for offer in &answer.inverse_offer_ids {
                        let open = self.lead().inverse_offers.remove(&offer.value);
                        if let (Some((_, agent)), Some(framework)) = (open, self.framework(id)) {
                            framework.inverse_filters.insert(agent, until);
                        }
                    }
                }
            }
            CallType::Revive | CallType::Suppress => self.want(id, call),
            CallType::Kill => {
                let kill = call.kill.as_ref().expect("it was looked at");
                self.kill(id, kill);
            }
            CallType::Acknowledge => {
                let acknowledge = call.acknowledge.as_ref().expect("it was looked at");
                let (task, agent) = (&acknowledge.task_id.value, &acknowledge.agent_id.value);
                self.acknowledge(id, task, agent, &acknowledge.uuid);
            }
            CallType::Reconcile => {
                let reconcile = call.reconcile.clone().unwrap_or_default();
                self.reconcile(id, &reconcile.tasks);
            }
            CallType::UpdateFramework => return self.update_framework(id, call),
        }
        Answer::new(202, "")
    }

    /// REVIVE and SUPPRESS.
    fn want(&mut self, id: &str, call: &Call) {
        let wants = call.kind == CallType::Revive;
        let named = if wants { call.revive.clone() } else { call.suppress.clone() };
        let named = named.unwrap_or_default().roles;
        let Some(framework) = self.framework(id) else { return };
        let own = framework.roles();
        let roles: Vec<String> = if named.is_empty() {
            own
        } else {
            own.into_iter().filter(|r| named.contains(r)).collect()
        };
        for role in &roles {
            if wants {
                framework.suppressed.remove(role);
                framework.filters.retain(|filter| filter.role != *role);
            } else {
                framework.suppressed.insert(role.clone());
            }
        }
        if wants && !roles.is_empty() {
            self.allocate_all();
        }
    }

    fn kill(&mut self, id: &str, kill: &Kill) {
        let task = &kill.task_id.value;
        let named = kill.agent_id.as_ref().map(|agent| agent.value.clone());
        let policy = kill.kill_policy.and_then(|policy| policy.grace_period);
        let policy = policy.map(|grace| u64::try_from(grace.nanoseconds / 1_000_000).unwrap_or(0));
        let known = self.framework(id).and_then(|framework| framework.tasks.get(task)).cloned();
        let Some(known) = known else {
            let task_id = kill.task_id.clone();
            return self
                .reconcile(id, &[ReconcileTask { task_id, agent_id: kill.agent_id.clone() }]);
        };
        if named.is_some_and(|named| named != known.agent) {
            return;
        }
        let key = (id.to_owned(), task.clone());
        let Some(member) = self.lead().members.get_mut(&known.agent) else { return };
        let machine = member.machine;
        if !member.is_connected {
            member.to_kill.insert(key);
        } else if self.is_online(machine) {
            self.deliver_kill(machine, &key, Stop::Killed, policy);
        }
    }

    fn acknowledge(&mut self, id: &str, task: &str, agent: &str, uuid: &str) {
        let Some(member) = self.lead().members.get(agent) else { return };
        let machine = member.machine;
        if !self.is_online(machine) {
            return;
        }
        let key = (id.to_owned(), task.to_owned());
        let works = &self.agents[machine].works;
        let head = works.get(&key).and_then(|work| work.updates.front());
        let is_it = head.is_some_and(|head| head.status.uuid.as_deref() == Some(uuid));
        let ends = head.is_some_and(|head| is_end(head.status.state));
        if is_it {
            if ends && let Some(framework) = self.framework(id) {
                framework.tasks.remove(task);
            }
            self.deliver_acknowledgement(machine, &key, uuid);
        }
    }

    /// RECONCILE: of all that live without names, else of those named.
    fn reconcile(&mut self, id: &str, tasks: &[ReconcileTask]) {
        if tasks.is_empty() {
            let Some(framework) = self.framework(id) else { return };
            let live: Vec<(String, TaskState, String)> = framework
                .tasks
                .iter()
                .map(|(task, known)| (task.clone(), known.shown, known.agent.clone()))
                .collect();
            for (task, state, agent) in live {
                let sentence = "Reconciliation: Latest task state";
                self.tell(id, word(&task, state, "REASON_RECONCILIATION", sentence, Some(&agent)));
            }
            return;
        }
        for asked in tasks {
            if let Some(status) = self.what_became_of(id, asked) {
                self.tell(id, status);
            }
        }
    }

    fn what_became_of(&mut self, id: &str, asked: &ReconcileTask) -> Option<TaskStatus> {
        let task = &asked.task_id.value;
        let agent = asked.agent_id.as_ref().map(|agent| agent.value.as_str());
        let reason = "REASON_RECONCILIATION";
        let master = self.master.as_ref()?;
        let framework = master.frameworks.get(id)?;
        if let Some(known) = framework.tasks.get(task) {
            let sentence = "Reconciliation: Latest task state";
            return Some(word(task, known.shown, reason, sentence, Some(&known.agent)));
        }
        let unreachable =
            framework.unreachable.get(task).map(|(agent, since)| (agent.as_str(), *since));
        let of_agent =
            agent.and_then(|agent| Some((agent, *self.registry.unreachable.get(agent)?)));
        if let Some((agent, since)) = unreachable.or(of_agent) {
            let state = framework.state(TaskState::Unreachable);
            let sentence = "Reconciliation: Task is unreachable";
            let mut status = word(task, state, reason, sentence, Some(agent));
            let nanoseconds = self.wall_nanoseconds()
                - i64::try_from(self.now - since).expect("within this century") * 1_000_000;
            status.unreachable_time = Some(TimeInfo { nanoseconds });
            return Some(status);
        }
        let Some(agent) = agent else {
            // It could be on an agent that is not back yet.
            let state = framework.state(TaskState::Unknown);
            let sentence = "Reconciliation: Task is unknown";
            return master.recovered.is_empty().then(|| word(task, state, reason, sentence, None));
        };
        if master.members.contains_key(agent) {
            let state = framework.state(TaskState::Gone);
            let sentence = "Reconciliation: Task is unknown to the agent";
            return Some(word(task, state, reason, sentence, Some(agent)));
        }
        if master.recovered.contains(agent) {
            return None;
        }
        if self.registry.gone.contains(agent) {
            let state = framework.state(TaskState::GoneByOperator);
            let sentence = "Reconciliation: Task is gone";
            return Some(word(task, state, reason, sentence, Some(agent)));
        }
        let state = framework.state(TaskState::Unknown);
        Some(word(task, state, reason, "Reconciliation: Task is unknown", Some(agent)))
    }

    fn update_framework(&mut self, id: &str, call: &Call) -> Answer {
        let update = call.update_framework.as_ref().expect("it was looked at");
        let new = &update.framework_info;
        let Some(framework) = self.framework(id) else {
            return Answer::new(400, "Framework cannot be found");
        };
        let old = &framework.info;
        let changed = if old.user != new.user {
            Some(("user", old.user.clone(), new.user.clone()))
        } else if old.checkpoint != new.checkpoint {
            Some(("checkpoint", old.checkpoint.to_string(), new.checkpoint.to_string()))
        } else {
            None
        };
        if let Some((field, from, to)) = changed {
            return Answer::new(
                400,
                format!(
                    "FrameworkInfo update is not valid: Updating 'FrameworkInfo.{field}' is unsupported; attempted to update from '{from}' to '{to}'"
                ),
            );
        }
        framework.info = new.clone();
        framework.suppressed = update.suppressed_roles.iter().cloned().collect();
        Answer::new(200, "")
    }
}

/// Why a SUBSCRIBE of the right form is refused on its stream.
fn objection(subscribe: &Subscribe) -> Option<String> {
    let info = &subscribe.framework_info;
    let is_multi =
        info.capabilities.iter().any(|known| known.name.as_deref() == Some("MULTI_ROLE"));
    if !info.roles.is_empty() && !is_multi {
        return Some(
            "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable"
                .to_owned(),
        );
    }
    let own = if info.roles.is_empty() { vec!["*".to_owned()] } else { info.roles.clone() };
    let stranger = subscribe.suppressed_roles.iter().find(|role| !own.contains(role))?;
    Some(format!("Suppressed role '{stranger}' is not contained in the list of roles"))
}

/// Whether the part that belongs to the kind of call is there.
fn has_its_part(call: &Call) -> Result<(), &'static str> {
    match call.kind {
        CallType::Accept if call.accept.is_none() => Err("Expecting 'accept' to be present"),
        CallType::Decline if call.decline.is_none() => Err("Expecting 'decline' to be present"),
        CallType::Kill if call.kill.is_none() => Err("Expecting 'kill' to be present"),
        CallType::Acknowledge if call.acknowledge.is_none() => {
            Err("Expecting 'acknowledge' to be present")
        }
        CallType::Reconcile if call.reconcile.is_none() => {
            Err("Expecting 'reconcile' to be present")
        }
        CallType::UpdateFramework if call.update_framework.is_none() => {
            Err("Expecting 'update_framework' to be present")
        }
        CallType::AcceptInverseOffers if call.accept_inverse_offers.is_none() => {
            Err("Expecting 'accept_inverse_offers' to be present")
        }
        CallType::DeclineInverseOffers if call.decline_inverse_offers.is_none() => {
            Err("Expecting 'decline_inverse_offers' to be present")
        }
        CallType::Subscribe
        | CallType::Teardown
        | CallType::Accept
        | CallType::Decline
        | CallType::AcceptInverseOffers
        | CallType::DeclineInverseOffers
        | CallType::Revive
        | CallType::Suppress
        | CallType::Kill
        | CallType::Acknowledge
        | CallType::Reconcile
        | CallType::UpdateFramework
        | CallType::Other => Ok(()),
    }
}
