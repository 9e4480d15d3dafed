//! Who is offered what, and when.

use std::collections::BTreeMap;

use chronode::mesos::wire::{
    Address, AllocationInfo, Event, EventType, Id, InverseOffer, InverseOffers, Offer, Offers, Url,
};

use super::Cluster;
use super::master::{Filter, Open, event};
use super::stock::Stock;
use super::task::is_end;

/// For how long what is left is not offered again where the framework does not say.
const REFUSE_DEFAULT: f64 = 5.0;

impl Cluster {
    /// What of an agent nobody uses and nobody is offered.
    pub(crate) fn free(&self, agent: &str) -> Stock {
        let Some(master) = &self.master else { return Stock::default() };
        let Some(member) = master.members.get(agent) else { return Stock::default() };
        let mut free = self.agents[member.machine].total.clone();
        for framework in master.frameworks.values() {
            for task in framework.tasks.values() {
                if task.agent == agent && !is_end(task.latest) {
                    free.subtract(&task.stock.unallocated());
                }
            }
        }
        for open in master.offers.values().filter(|open| open.agent == agent) {
            free.subtract(&open.stock.unallocated());
        }
        free
    }

    /// Whether anybody could be offered anything.
    pub(crate) fn wants_allocations(&self) -> bool {
        let Some(master) = &self.master else { return false };
        let wants = master.frameworks.values().any(|framework| {
            framework.connection.is_some()
                && framework.roles().iter().any(|role| !framework.suppressed.contains(role))
        });
        let has = master.members.iter().any(|(id, member)| {
            member.is_connected && !member.is_deactivated && self.free(id).is_worth_an_offer()
        });
        let is_maintained = !self.registry.schedule.is_empty();
        wants && has || is_maintained
    }

    pub(crate) fn allocate_all(&mut self) {
        let Some(master) = &self.master else { return };
        let all: Vec<String> = master.members.keys().cloned().collect();
        self.allocate(&all);
    }

    /// Offers what is free of these agents.
    pub(crate) fn allocate(&mut self, agents: &[String]) {
        let mut made: BTreeMap<String, Vec<Offer>> = BTreeMap::new();
        let mut inverse: BTreeMap<String, Vec<InverseOffer>> = BTreeMap::new();
        for agent in agents {
            self.offer_of(agent, &mut made);
            self.inverse_offer_of(agent, &mut inverse);
        }
        for (framework, offers) in made {
            if let Some(connection) = self.framework(&framework).and_then(|known| known.connection)
            {
                let offers = Some(Offers { offers });
                self.say(connection, Event { offers, ..event(EventType::Offers) });
            }
        }
        for (framework, inverse_offers) in inverse {
            if let Some(connection) = self.framework(&framework).and_then(|known| known.connection)
            {
                let inverse_offers = Some(InverseOffers { inverse_offers });
                let kind = event(EventType::InverseOffers);
                self.say(connection, Event { inverse_offers, ..kind });
            }
        }
    }

    fn offer_of(&mut self, agent: &str, made: &mut BTreeMap<String, Vec<Offer>>) {
        let now = self.now;
        let until = self.settings.offer_timeout.map(|timeout| now + timeout);
        let master = self.lead();
        let Some(member) = master.members.get(agent) else { return };
        if !member.is_connected || member.is_deactivated {
            return;
        }
        let machine = member.machine;
        let mut wanting: Vec<(i64, String)> = Vec::new();
        for (id, framework) in &mut master.frameworks {
            framework.filters.retain(|filter| filter.until > now);
            if framework.connection.is_some() {
                let used = framework.tasks.values().filter(|task| !is_end(task.latest));
                let cpus = used.map(|task| task.stock.thousandths("cpus")).sum();
                wanting.push((cpus, id.clone()));
            }
        }
        wanting.sort();
        for (_, id) in wanting {
            let roles = self.lead().frameworks[&id].roles();
            for role in roles {
                let part = self.free(agent).for_role(&role);
                let framework = &self.lead().frameworks[&id];
                let is_filtered = |filter: &Filter| {
                    filter.agent == agent && filter.role == role && filter.stock.contains(&part)
                };
                if !part.is_worth_an_offer()
                    || framework.suppressed.contains(&role)
                    || framework.filters.iter().any(is_filtered)
                {
                    continue;
                }
                let knows_roles = framework.can("MULTI_ROLE");
                let refined = framework.can("RESERVATION_REFINEMENT");
                let offer_id = self.next_offer_id();
                let open = Open {
                    framework: id.clone(),
                    agent: agent.to_owned(),
                    role: role.clone(),
                    stock: part.clone(),
                    until,
                };
                self.lead().offers.insert(offer_id.clone(), open);
                let host = self.agents[machine].host.clone();
                let mut resources = part.to_wire(refined);
                if !knows_roles {
                    resources.iter_mut().for_each(|resource| resource.allocation_info = None);
                }
                let allocation_info = AllocationInfo { role: Some(role) };
                let offer = Offer {
                    id: Id::new(offer_id),
                    agent_id: Id::new(agent),
                    framework_id: Some(Id::new(&id)),
                    url: Some(self.url_of(machine)),
                    resources,
                    attributes: self.agents[machine].attributes.clone(),
                    unavailability: self.registry.schedule.get(&host).copied(),
                    allocation_info: knows_roles.then_some(allocation_info),
                    hostname: host,
                };
                made.entry(id.clone()).or_default().push(offer);
            }
        }
    }

    fn next_offer_id(&mut self) -> String {
        let master = self.lead();
        let id = format!("{}-O{}", master.id, master.next_offer);
        master.next_offer += 1;
        id
    }

    fn url_of(&self, machine: usize) -> Url {
        let agent = &self.agents[machine];
        Url {
            scheme: "http".to_owned(),
            address: Address {
                hostname: Some(agent.host.clone()),
                ip: Some("127.0.0.1".to_owned()),
                port: agent.port,
            },
            path: Some("/slave(1)".to_owned()),
        }
    }

    /// Asks frameworks to leave an agent that is to be out of service.
    fn inverse_offer_of(&mut self, agent: &str, made: &mut BTreeMap<String, Vec<InverseOffer>>) {
        let now = self.now;
        let Some(member) = self.lead().members.get(agent).cloned() else { return };
        let host = self.agents[member.machine].host.clone();
        let Some(unavailability) = self.registry.schedule.get(&host).copied() else { return };
        let master = self.master.as_ref().expect("there is a master");
        let is_asked =
            |id: &String| master.inverse_offers.values().any(|(f, a)| f == id && a == agent);
        let mut asked = Vec::new();
        for (id, framework) in &master.frameworks {
            let is_there =
                framework.tasks.values().any(|task| task.agent == agent && !is_end(task.latest));
            let is_filtered =
                framework.inverse_filters.get(agent).is_some_and(|until| *until > now);
            if framework.connection.is_some() && is_there && !is_filtered && !is_asked(id) {
                asked.push(id.clone());
            }
        }
        for framework in asked {
            let id = self.next_offer_id();
            let of = (framework.clone(), agent.to_owned());
            self.lead().inverse_offers.insert(id.clone(), of);
            made.entry(framework).or_default().push(InverseOffer {
                id: Id::new(id),
                agent_id: Some(Id::new(agent)),
                unavailability: Some(unavailability),
            });
        }
    }

    /// The schedule of maintenance has a window for that host from now on.
    pub(crate) fn schedule_maintenance(
        &mut self,
        host: &str,
        unavailability: chronode::mesos::wire::Unavailability,
    ) {
        self.registry.schedule.insert(host.to_owned(), unavailability);
        let of_host: Vec<String> = self
            .agents
            .iter()
            .filter(|agent| agent.host == host)
            .filter_map(|agent| agent.id.clone())
            .collect();
        if self.master.is_some() {
            for agent in &of_host {
                self.rescind_of(agent);
            }
            self.allocate(&of_host);
        }
    }

    /// What is left of offers goes back, and is not offered to that framework again for so many seconds.
    pub(crate) fn give_back(
        &mut self,
        framework: &str,
        agent: &str,
        role: &str,
        rest: &Stock,
        refuse_seconds: Option<f64>,
    ) {
        let seconds = refuse_seconds.unwrap_or(REFUSE_DEFAULT);
        if seconds <= 0.0 || rest.is_empty() {
            return;
        }
        let until = self.now + milliseconds(seconds).max(self.settings.allocation_interval / 1_000);
        if let Some(framework) = self.framework(framework) {
            framework.filters.push(Filter {
                agent: agent.to_owned(),
                role: role.to_owned(),
                stock: rest.clone(),
                until,
            });
        }
    }
}

/// Seconds on the wire; a master takes no more than a year.
pub(crate) fn milliseconds(seconds: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let whole = (seconds.clamp(0.0, 31_536_000.0) * 1_000.0) as u64;
    whole
}
