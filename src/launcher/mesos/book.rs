//! What is known of offers, tasks and questions, and what follows from orders and events. No input or output; time is
//! handed in.
//!
//! Orders and events go in, calls and notices come out of [`Book::take`] in the order in which they are to be said.
//!
//! What is kept is bounded by the offers that are open and the tasks that live, or whose end is not on record yet.
//! Nothing is acknowledged to the master before the notice that it became is settled, and the end of a task not before
//! [`Order::Acknowledge`]: until then the agent repeats it, whatever becomes of this process.

mod demand;
mod launches;
mod offers;
mod questions;
mod tasks;
#[cfg(test)]
mod tests;
mod updates;

use std::collections::BTreeMap;

use crate::launcher::{Notice, Order};
use crate::mesos::wire::{self, Call, CallType, EventType};
use crate::model::{
    AgentId, BootInstant, ClusterCounts, Duration, FrameworkId, Launch, Now, Offer, OfferId,
    TaskId, TaskReport, TaskStatus, Term,
};

use self::demand::{Demand, Say};
use self::offers::Offers;
use self::tasks::{Alarm, Killing, Tasks};
use super::convert;

/// After which pause a KILL that nothing came of is made again; the pause doubles.
const KILL_AGAIN: Duration = Duration::from_secs(5);
/// The longest pause between two KILLs.
const KILL_AGAIN_MAX: Duration = Duration::from_secs(60);
/// For how long an inverse offer that is declined is not made again.
const INVERSE_DECLINED_FOR: f64 = 60.0;

/// The terms on which a book works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The roles that the framework has subscribed with. Resources that are reserved to others do not count.
    pub roles: Vec<String>,
    /// Whether agents are asked by TLS for what tasks have written.
    pub agents_speak_tls: bool,
    /// Whether agents keep tasks of the framework on record.
    pub is_checkpointed: bool,
    /// For how long what is not used is not to be offered again.
    pub decline_for: Duration,
    /// How often a REVIVE may be made in the long run; up to [`Self::revive_burst`] at once.
    pub revive_every: Duration,
    /// How many calls of REVIVE may follow one another at once.
    pub revive_burst: u32,
    /// How often the master is asked for all that lives.
    pub reconcile_every: Duration,
}

impl Default for Terms {
    /// The role of everybody, and the times of the flags' defaults.
    fn default() -> Self {
        Self {
            roles: vec!["*".to_owned()],
            agents_speak_tls: false,
            is_checkpointed: true,
            decline_for: Duration::from_secs(5),
            revive_every: Duration::from_secs(5),
            revive_burst: 5,
            reconcile_every: Duration::from_secs(600),
        }
    }
}

/// Something that a book wants to be said.
#[derive(Debug, Clone, PartialEq)]
pub enum Out {
    /// To the master.
    Call(Box<Call>),
    /// To whoever listens.
    Notice(Notice),
}

/// The book.
#[derive(Debug)]
pub struct Book {
    terms: Terms,
    /// What the framework was called last.
    framework: Option<FrameworkId>,
    is_subscribed: bool,
    out: Vec<Out>,
    /// How many notices there were.
    told: u64,
    offers: Offers,
    /// Ordered, to be sent with the next [`Order::Settled`].
    launches: Vec<Launch>,
    /// Offers of launches that were taken back before they were sent.
    unused: Vec<OfferId>,
    /// The numbers of the notices, not settled yet, by which tasks were never launched.
    denials: BTreeMap<TaskId, u64>,
    tasks: Tasks,
    demand: Demand,
    /// When the master is asked for all that lives.
    reconcile_at: Option<BootInstant>,
    figures: ClusterCounts,
}

impl Book {
    /// An empty book, not subscribed.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        let demand = Demand::new(&terms);
        Self {
            terms,
            framework: None,
            is_subscribed: false,
            out: Vec::new(),
            told: 0,
            offers: Offers::default(),
            launches: Vec::new(),
            unused: Vec::new(),
            denials: BTreeMap::new(),
            tasks: Tasks::default(),
            demand,
            reconcile_at: None,
            figures: ClusterCounts::default(),
        }
    }

    /// Takes an order.
    pub fn order(&mut self, now: Now, order: Order) {
        match order {
            // The reconciliation after the next subscription tells of it.
            Order::Launch(launch) if self.is_subscribed => self.launches.push(*launch),
            Order::Launch(launch) => {
                tracing::debug!("`{}` is not launched: not subscribed", launch.task_id);
            }
            Order::Kill { task_id, grace } => self.kill(now, task_id, grace),
            Order::Reconcile(questions) => self.asked(now, questions),
            Order::Acknowledge(ids) => {
                for id in ids {
                    let calls = self.tasks.forget(&id);
                    self.acknowledge(calls);
                }
            }
            Order::Release(ids) => self.release(now, ids, self.terms.decline_for),
            Order::ReleaseAll => {
                // What was told until now is forgotten.
                self.launch(now, self.told);
                self.denials.clear();
                self.release(now, self.offers.names(), self.terms.decline_for);
                self.tell_again();
            }
            Order::Demand(is_wanted) => self.demand.want(now.boot, is_wanted),
            Order::Settled { notices } => {
                self.launch(now, notices);
                self.denials.retain(|_, told| *told > notices);
                let calls = self.tasks.settle(notices);
                self.acknowledge(calls);
            }
        }
        self.say_demand(now);
    }

    /// A subscription has begun. Must be called before the first [`Self::event`] of it.
    pub fn subscribed(&mut self, now: Now, framework: FrameworkId) {
        if self.is_subscribed {
            self.forget_connection();
        }
        if self.framework.as_ref().is_some_and(|before| *before != framework) {
            // Its tasks are gone with it, and so are its updates.
            self.tasks.clear();
        }
        self.framework = Some(framework.clone());
        self.is_subscribed = true;
        self.figures.subscriptions += 1;
        self.demand.subscribed();
        self.reconcile_at = Some(now.boot.saturating_add(self.terms.reconcile_every));
        self.tell(Notice::Connected {
            offers: Vec::new(),
            term: Term(0),
            framework: Some(framework),
        });
        self.say_demand(now);
    }

    /// There is no subscription: it has ended, or could not be begun. The reason is a sentence.
    pub fn lost(&mut self, _now: Now, reason: String) {
        if self.is_subscribed {
            self.figures.lost_connections += 1;
            self.is_subscribed = false;
            self.reconcile_at = None;
            self.forget_connection();
        }
        self.tell(Notice::Disconnected { reason });
    }

    /// Takes an event. SUBSCRIBED, ERROR and HEARTBEAT are for whoever keeps the subscription, and are passed over, as is
    /// everything while there is none.
    pub fn event(&mut self, now: Now, event: &wire::Event) {
        if !self.is_subscribed {
            return;
        }
        match event.kind {
            EventType::Offers => {
                if let Some(offers) = &event.offers {
                    self.offered(now, &offers.offers);
                }
            }
            EventType::InverseOffers => {
                if let Some(inverse) = &event.inverse_offers {
                    self.answer_inverse(&inverse.inverse_offers);
                }
            }
            EventType::Rescind => {
                if let Some(rescind) = &event.rescind {
                    let id = OfferId::new(rescind.offer_id.value.clone());
                    self.figures.rescinds += 1;
                    self.offers.close(&id);
                    self.tell(Notice::Withdrawn(vec![id]));
                }
            }
            EventType::Update => {
                if let Some(update) = &event.update {
                    self.update(now, &update.status);
                }
            }
            EventType::Failure => {
                // An executor's end is told by updates of its tasks.
                if let Some(wire::Failure { agent_id: Some(agent), executor_id: None, .. }) =
                    &event.failure
                {
                    let agent = AgentId::new(agent.value.clone());
                    self.offers.lose(&agent);
                    self.tell(Notice::AgentLost(agent));
                }
            }
            EventType::Subscribed
            | EventType::RescindInverseOffer
            | EventType::Message
            | EventType::Error
            | EventType::Heartbeat
            | EventType::Other => {}
        }
        self.say_demand(now);
    }

    /// The master did not take a call; `status` and `message` are its answer.
    pub fn refused(&mut self, now: Now, call: &Call, status: u16, message: &str) {
        self.figures.refused_calls += 1;
        if self.is_subscribed && call.kind == CallType::Accept {
            self.accept_refused(now, call, status, message);
        }
        self.say_demand(now);
    }

    /// Does what has become due. Harmless at any time.
    pub fn wake(&mut self, now: Now) {
        let mut questions = Vec::new();
        while let Some((alarm, id)) = self.tasks.ringing(now.boot) {
            match alarm {
                Alarm::Ask => questions.extend(self.ask_again(now, id)),
                Alarm::Kill => self.kill_again(now, &id),
                Alarm::Forget => {
                    self.tasks.forget(&id);
                }
            }
        }
        self.reconcile(questions);
        if self.reconcile_at.is_some_and(|at| at <= now.boot) {
            self.reconcile_all();
            self.reconcile_at = Some(now.boot.saturating_add(self.terms.reconcile_every));
        }
        self.say_demand(now);
    }

    /// When [`Self::wake`] is to be called next.
    #[must_use]
    pub fn wake_at(&self) -> Option<BootInstant> {
        let revive = self.demand.wake_at(&self.terms).filter(|_| self.is_subscribed);
        [self.tasks.wake_at(), self.reconcile_at, revive].into_iter().flatten().min()
    }

    /// What is to be said, in order.
    pub fn take(&mut self) -> Vec<Out> {
        std::mem::take(&mut self.out)
    }

    /// The terms on which it works.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What was counted.
    #[must_use]
    pub const fn figures(&self) -> ClusterCounts {
        self.figures
    }

    /// How many offers are open and how many tasks are known, which is what it keeps.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize) {
        (self.offers.len(), self.tasks.len())
    }

    fn forget_connection(&mut self) {
        self.offers.clear();
        self.launches.clear();
        self.unused.clear();
        self.tasks.lost();
    }

    fn tell(&mut self, notice: Notice) {
        self.told += 1;
        self.out.push(Out::Notice(notice));
    }

    fn report(&mut self, task_id: TaskId, status: TaskStatus) {
        if status == TaskStatus::NeverLaunched {
            self.denials.insert(task_id.clone(), self.told + 1);
        }
        self.tell(Notice::Report(TaskReport { task_id, status }));
    }

    /// A call of that kind, with nothing in it yet.
    fn call_of(&self, kind: CallType) -> Call {
        let id = self.framework.as_ref().map(|framework| wire::Id::new(framework.as_str()));
        Call::of(kind, id)
    }

    fn say(&mut self, call: Call) {
        self.out.push(Out::Call(Box::new(call)));
    }

    fn acknowledge(&mut self, calls: Vec<wire::Acknowledge>) {
        if !self.is_subscribed {
            // They come again.
            return;
        }
        for acknowledge in calls {
            self.figures.acknowledgements += 1;
            let call = self.call_of(CallType::Acknowledge);
            self.say(Call { acknowledge: Some(acknowledge), ..call });
        }
    }

    fn offered(&mut self, now: Now, offers: &[wire::Offer]) {
        self.figures.offers += offers.len() as u64;
        let new: Vec<_> = offers.iter().filter(|offer| self.offers.add(offer)).collect();
        if new.is_empty() {
            return;
        }
        if self.demand.is_sated() {
            let ids = new.iter().map(|offer| OfferId::new(offer.id.value.clone())).collect();
            return self.release(now, ids, self.terms.decline_for);
        }
        let offers = new.into_iter().map(|offer| self.understood(offer)).collect();
        self.tell(Notice::Offered(offers));
    }

    fn understood(&self, offer: &wire::Offer) -> Offer {
        convert::offer(offer, &self.terms.roles, self.terms.agents_speak_tls)
    }

    /// Declines those of the offers that are open.
    fn release(&mut self, now: Now, ids: Vec<OfferId>, span: Duration) {
        let spoken_for = |id: &OfferId| self.launches.iter().any(|it| it.offers.contains(id));
        let ids: Vec<_> = ids.into_iter().filter(|id| !spoken_for(id)).collect();
        let open: Vec<_> = ids.into_iter().filter(|id| self.offers.close(id)).collect();
        if open.is_empty() || !self.is_subscribed {
            return;
        }
        self.figures.declined_offers += open.len() as u64;
        self.demand.refused(now.boot, span);
        let decline = wire::Decline { offer_ids: wire_ids(&open), filters: Some(filters(span)) };
        let call = self.call_of(CallType::Decline);
        self.say(Call { decline: Some(decline), ..call });
    }

    /// Agrees to the maintenance of agents where nothing of ours runs, and asks for that of others to be put off.
    fn answer_inverse(&mut self, inverse: &[wire::InverseOffer]) {
        let is_busy = |agent: Option<&wire::Id>| {
            self.tasks.iter().any(|(_, task)| {
                let is_there = agent.is_none_or(|agent| {
                    task.agent.as_ref().is_none_or(|it| it.as_str() == agent.value)
                });
                is_there && task.may_live()
            })
        };
        let (busy, idle): (Vec<_>, Vec<_>) =
            inverse.iter().partition(|offer| is_busy(offer.agent_id.as_ref()));
        let ids = |offers: Vec<&wire::InverseOffer>| -> Vec<wire::Id> {
            offers.into_iter().map(|offer| offer.id.clone()).collect()
        };
        let (busy, idle) = (ids(busy), ids(idle));
        if !idle.is_empty() {
            let answer = wire::InverseAnswer { inverse_offer_ids: idle, filters: None };
            let call = self.call_of(CallType::AcceptInverseOffers);
            self.say(Call { accept_inverse_offers: Some(answer), ..call });
        }
        if !busy.is_empty() {
            let filters = Some(wire::Filters { refuse_seconds: Some(INVERSE_DECLINED_FOR) });
            let answer = wire::InverseAnswer { inverse_offer_ids: busy, filters };
            let call = self.call_of(CallType::DeclineInverseOffers);
            self.say(Call { decline_inverse_offers: Some(answer), ..call });
        }
    }

    fn kill(&mut self, now: Now, task_id: TaskId, grace: Duration) {
        if let Some(at) = self.launches.iter().position(|it| it.task_id == task_id) {
            // Nothing was sent, and nothing will be.
            let launch = self.launches.remove(at);
            self.unused.extend(launch.offers);
            return self.report(task_id, TaskStatus::NeverLaunched);
        }
        if !self.is_subscribed {
            return;
        }
        // What was asked for is repeated by the book itself.
        if self.tasks.get(&task_id).is_some_and(|task| task.killing().is_some()) {
            return;
        }
        self.tasks.of(&task_id);
        let next = Some(now.boot.saturating_add(KILL_AGAIN));
        self.tasks.kill(&task_id, Some(Killing { grace, next, pause: KILL_AGAIN }));
        self.say_kill(&task_id, grace);
    }

    fn kill_again(&mut self, now: Now, task_id: &TaskId) {
        let Some(killing) = self.tasks.get(task_id).and_then(|task| task.killing().copied()) else {
            return;
        };
        let pause = killing.pause.saturating_mul(2).min(KILL_AGAIN_MAX);
        let next = Some(now.boot.saturating_add(pause));
        self.tasks.kill(task_id, Some(Killing { next, pause, ..killing }));
        self.say_kill(task_id, killing.grace);
    }

    /// Without the agent: with a wrong one it would have no effect, and no answer.
    fn say_kill(&mut self, task_id: &TaskId, grace: Duration) {
        self.figures.kills += 1;
        let kill = wire::Kill {
            task_id: wire::Id::new(task_id.as_str()),
            agent_id: None,
            kill_policy: Some(wire::KillPolicy { grace_period: Some(convert::task::span(grace)) }),
        };
        let call = self.call_of(CallType::Kill);
        self.say(Call { kill: Some(kill), ..call });
    }

    fn say_demand(&mut self, now: Now) {
        if !self.is_subscribed {
            return;
        }
        match self.demand.say(now.boot, &self.terms) {
            Some(Say::Revive) => {
                self.figures.revives += 1;
                let call = self.call_of(CallType::Revive);
                self.say(call);
            }
            Some(Say::Suppress) => {
                self.figures.suppressions += 1;
                let call = self.call_of(CallType::Suppress);
                self.say(call);
            }
            None => {}
        }
    }
}

fn wire_ids(ids: &[OfferId]) -> Vec<wire::Id> {
    ids.iter().map(|id| wire::Id::new(id.as_str())).collect()
}

fn filters(span: Duration) -> wire::Filters {
    wire::Filters { refuse_seconds: Some(span.max(Duration::ZERO).as_secs_f64()) }
}
