//! What is still free while runs are placed one after another.
//!
//! Ten thousand runs meet a thousand agents, so nothing is asked twice: which agents meet a set of constraints is found
//! out once for all jobs that have the same; what fitted nowhere is remembered, because nothing becomes free meanwhile;
//! and agents are kept in the order of their room.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::conditions::{Conditions, value_of};
use super::misfit::{Lack, Misfit};
use super::siblings::Siblings;
use crate::model::{
    AgentId, Constraint, Fitness, Offer, OfferId, OfferKind, Resources, Scalar, Timestamp,
};

/// What is wanted for one run.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// How much.
    pub resources: Resources,
    /// Where it may be.
    pub conditions: &'a Conditions,
    /// Which of the agents where it may be is taken.
    pub fitness: Fitness,
    /// By when it is certainly over; an agent that is to be out of service by then is none for it.
    pub until: Timestamp,
}

/// A run matched to the offers of an agent, not yet launched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The offers used, in the order in which they are drawn on; all of one agent.
    pub offers: Vec<OfferId>,
    /// Their agent.
    pub agent: AgentId,
}

/// What is still free while runs are placed one after another.
#[derive(Debug)]
pub struct Tally<'a> {
    /// By agent.
    rooms: Vec<Room<'a>>,
    /// Rooms that may still get something, that with the least room first.
    least_first: BTreeSet<(Scalar, Scalar, usize)>,
    /// The same, that with the most room first; among equals still the first agent.
    most_first: BTreeSet<(Reverse<(Scalar, Scalar)>, usize)>,
    /// When agents are to be out of service, in order.
    outages: Vec<Timestamp>,
    classes: BTreeMap<ClassKey<'a>, Class>,
    /// Whether an agent is told of whose whole size is known.
    has_standing: bool,
}

/// Runs of which the same agents are out: those with these constraints, and as many outages that come too early.
type ClassKey<'a> = (&'a [Constraint], usize);

/// What is known of all runs of a class.
#[derive(Debug)]
struct Class {
    /// The rooms where they may be, as far as it does not depend on other runs.
    members: Vec<usize>,
    is_member: Vec<bool>,
    /// What fitted nowhere. More than that does not either.
    failed: Vec<Resources>,
}

/// Of how few members of a class each is looked at, instead of looking for some of them among all rooms.
const LOOKED_AT_ALL: usize = 32;

/// How many wants of a class are remembered as fitting nowhere.
const FAILED_KEPT: usize = 16;

/// The offers of one agent that can be used together.
#[derive(Debug)]
struct Room<'a> {
    slots: Vec<Slot<'a>>,
    /// What is free in all slots together.
    free: Resources,
    /// Whether it gets nothing more: what becomes free there is for a run that has waited long.
    is_kept_free: bool,
}

#[derive(Debug)]
struct Slot<'a> {
    offer: &'a Offer,
    left: Resources,
}

/// More than anybody can want.
const PLENTY: Resources =
    Resources { cpus: Scalar::MAX, mem: Scalar::MAX, disk: Scalar::MAX, ports: u32::MAX };

impl<'a> Room<'a> {
    fn first(&self) -> &'a Offer {
        // A room is made of its first offer.
        self.slots[0].offer
    }

    fn agent(&self) -> &'a AgentId {
        &self.first().agent
    }

    fn unavailable_from(&self) -> Option<Timestamp> {
        self.slots.iter().filter_map(|slot| slot.offer.unavailable_from).min()
    }

    /// Takes `wanted` off its slots, of which there is enough; returns the offers drawn on.
    fn take(&mut self, wanted: &Resources) -> Vec<OfferId> {
        let is_unmetered = |slot: &Slot<'_>| slot.offer.kind == OfferKind::Unmetered;
        if let Some(slot) = self.slots.iter().find(|slot| is_unmetered(slot)) {
            return vec![slot.offer.id.clone()];
        }
        self.free = self.free.minus(*wanted);
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.left.hold(wanted)) {
            slot.left = slot.left.minus(*wanted);
            return vec![slot.offer.id.clone()];
        }
        let mut offers = Vec::new();
        let mut rest = *wanted;
        for slot in &mut self.slots {
            let part = smaller(slot.left, rest);
            if part == Resources::default() {
                continue;
            }
            slot.left = slot.left.minus(part);
            rest = rest.minus(part);
            offers.push(slot.offer.id.clone());
        }
        debug_assert_eq!(rest, Resources::default(), "more was taken than there is");
        offers
    }
}

fn smaller(a: Resources, b: Resources) -> Resources {
    Resources {
        cpus: a.cpus.min(b.cpus),
        mem: a.mem.min(b.mem),
        disk: a.disk.min(b.disk),
        ports: a.ports.min(b.ports),
    }
}

impl<'a> Tally<'a> {
    /// Begins with all offers. `used` is what live attempts want of each agent already; it is not free where what is told
    /// of an agent is all that it has.
    #[must_use]
    pub fn new(offers: &'a BTreeMap<OfferId, Offer>, used: &BTreeMap<AgentId, Resources>) -> Self {
        Self::over(offers.values().map(|offer| (offer, offer.resources)), used)
    }

    /// The same, with what is there of each offer.
    #[must_use]
    pub fn over(
        offers: impl IntoIterator<Item = (&'a Offer, Resources)>,
        used: &BTreeMap<AgentId, Resources>,
    ) -> Self {
        // What of an agent is somebody else's share cannot be used together with this.
        let mut by_share: BTreeMap<(&AgentId, &str), Vec<Slot<'a>>> = BTreeMap::new();
        let mut has_standing = false;
        for (offer, there) in offers {
            has_standing |= offer.kind == OfferKind::Standing;
            let left = match offer.kind {
                OfferKind::Unmetered => PLENTY,
                OfferKind::Standing | OfferKind::Once => there,
            };
            let share = (&offer.agent, offer.share.as_str());
            by_share.entry(share).or_default().push(Slot { offer, left });
        }
        let rooms: Vec<Room<'a>> = by_share
            .into_iter()
            .map(|((agent, _), mut slots)| {
                let mut taken = used.get(agent).copied().unwrap_or_default();
                for slot in slots.iter_mut().filter(|it| it.offer.kind == OfferKind::Standing) {
                    let part = smaller(slot.left, taken);
                    slot.left = slot.left.minus(part);
                    taken = taken.minus(part);
                }
                let free = slots.iter().fold(Resources::default(), |sum, it| sum.plus(it.left));
                Room { slots, free, is_kept_free: false }
            })
            .collect();
        let mut outages: Vec<Timestamp> = rooms.iter().filter_map(Room::unavailable_from).collect();
        outages.sort();
        outages.dedup();
        let mut tally = Self {
            least_first: BTreeSet::new(),
            most_first: BTreeSet::new(),
            outages,
            classes: BTreeMap::new(),
            has_standing,
            rooms,
        };
        (0..tally.rooms.len()).for_each(|index| tally.enlist(index));
        tally
    }

    fn enlist(&mut self, index: usize) {
        let Resources { cpus, mem, .. } = self.rooms[index].free;
        self.least_first.insert((cpus, mem, index));
        self.most_first.insert((Reverse((cpus, mem)), index));
    }

    fn delist(&mut self, index: usize) {
        let Resources { cpus, mem, .. } = self.rooms[index].free;
        self.least_first.remove(&(cpus, mem, index));
        self.most_first.remove(&(Reverse((cpus, mem)), index));
    }

    /// Keeps the first agent free on which `wanted` would fit if nothing else were on it. Nothing is kept for a run that
    /// fits nowhere, nor where it is not known what an agent has in all.
    pub fn keep_free(&mut self, wanted: &Wanted<'_>) {
        if !self.has_standing {
            return;
        }
        let found = self.rooms.iter().position(|room| {
            let whole = room
                .slots
                .iter()
                .filter(|slot| slot.offer.kind == OfferKind::Standing)
                .fold(Resources::default(), |sum, slot| sum.plus(slot.offer.resources));
            let has_standing = room.slots.iter().any(|it| it.offer.kind == OfferKind::Standing);
            !room.is_kept_free
                && has_standing
                && whole.hold(&wanted.resources)
                && wanted.conditions.unmet(room.first()).is_none()
        });
        if let Some(index) = found {
            self.delist(index);
            self.rooms[index].is_kept_free = true;
        }
    }

    /// Assigns the best agent that fits and takes what is wanted off it. `siblings` tells where the live runs of the
    /// same job are, as far as its conditions or its fitness ask for that.
    pub fn assign(&mut self, wanted: &Wanted<'a>, siblings: &Siblings) -> Option<Assignment> {
        let key = self.class(wanted);
        let class = &self.classes[&key];
        if class.failed.iter().any(|failed| wanted.resources.hold(failed)) {
            return None;
        }
        let comparing: Vec<&Constraint> = wanted.conditions.comparing().collect();
        let fits = |index: usize| {
            let room = &self.rooms[index];
            !room.is_kept_free
                && room.free.hold(&wanted.resources)
                && comparing.iter().all(|it| siblings.against(it, room.first()).is_none())
        };
        let found = match (wanted.fitness, class.members.len() <= LOOKED_AT_ALL) {
            (Fitness::Pack, true) => {
                let room = |index: &usize| (self.room(*index), *index);
                class.members.iter().copied().filter(|index| fits(*index)).min_by_key(room)
            }
            (Fitness::Pack, false) => {
                let from = (wanted.resources.cpus, Scalar::ZERO, 0);
                let mut listed = self.least_first.range(from..).map(|(_, _, index)| *index);
                listed.find(|index| class.is_member[*index] && fits(*index))
            }
            (Fitness::Spread, true) => {
                let place = |index: &usize| {
                    let count = siblings.on(self.rooms[*index].agent());
                    (count, Reverse(self.room(*index)), *index)
                };
                class.members.iter().copied().filter(|index| fits(*index)).min_by_key(place)
            }
            (Fitness::Spread, false) => {
                let mut best: Option<(u32, usize)> = None;
                for (Reverse((cpus, _)), index) in &self.most_first {
                    if *cpus < wanted.resources.cpus {
                        break;
                    }
                    let count = siblings.on(self.rooms[*index].agent());
                    let is_better = best.is_none_or(|(least, _)| count < least);
                    if is_better && class.is_member[*index] && fits(*index) {
                        best = Some((count, *index));
                        if count == 0 {
                            break;
                        }
                    }
                }
                best.map(|(_, index)| index)
            }
        };
        let Some(index) = found else {
            // What other runs of the same job keep it from is no matter of the class.
            if comparing.is_empty() {
                let failed = &mut self.classes.get_mut(&key)?.failed;
                failed.retain(|known| !known.hold(&wanted.resources));
                if failed.len() < FAILED_KEPT {
                    failed.push(wanted.resources);
                }
            }
            return None;
        };
        self.delist(index);
        let room = &mut self.rooms[index];
        let offers = room.take(&wanted.resources);
        let agent = room.agent().clone();
        self.enlist(index);
        Some(Assignment { offers, agent })
    }

    /// How many agents there are.
    #[must_use]
    pub fn agents(&self) -> usize {
        self.rooms.chunk_by(|one, next| one.agent() == next.agent()).count()
    }

    /// The first offer of an agent, which tells what the agent is.
    #[must_use]
    pub fn offer_of(&self, agent: &AgentId) -> Option<&'a Offer> {
        let index = self.rooms.binary_search_by(|room| room.agent().cmp(agent)).ok()?;
        Some(self.rooms[index].first())
    }

    /// How much of an agent's offers is left.
    #[must_use]
    pub fn left_of(&self, agent: &AgentId) -> Option<Resources> {
        let rooms = &self.rooms[self.rooms.partition_point(|room| room.agent() < agent)..];
        let free = rooms.iter().take_while(|room| room.agent() == agent).map(|room| room.free);
        free.reduce(Resources::plus)
    }

    /// How much room there is, by what agents are compared.
    fn room(&self, index: usize) -> (Scalar, Scalar) {
        let Resources { cpus, mem, .. } = self.rooms[index].free;
        (cpus, mem)
    }

    /// How many outages come before a run is certainly over.
    fn outages_until(&self, until: Timestamp) -> usize {
        self.outages.partition_point(|outage| *outage <= until)
    }

    fn class(&mut self, wanted: &Wanted<'a>) -> ClassKey<'a> {
        let key = (wanted.conditions.constraints(), self.outages_until(wanted.until));
        let rooms = &self.rooms;
        self.classes.entry(key).or_insert_with(|| {
            let is_in = |room: &Room<'_>| {
                room.unavailable_from().is_none_or(|from| from > wanted.until)
                    && wanted.conditions.unmet(room.first()).is_none()
            };
            let is_member: Vec<bool> = rooms.iter().map(is_in).collect();
            let members = (0..rooms.len()).filter(|index| is_member[*index]).collect();
            Class { members, is_member, failed: Vec::new() }
        });
        key
    }

    /// The first agent on which a run would fit now; why it does not fit on each of them, if it fits on none.
    ///
    /// # Errors
    ///
    /// What is against each agent, in their order; empty if there is none.
    pub fn judge(
        &self,
        wanted: &Wanted<'_>,
        siblings: &Siblings,
    ) -> Result<&'a Offer, Vec<Misfit>> {
        let mut misfits = Vec::new();
        for room in &self.rooms {
            let offer = room.first();
            let Some(lack) = lack(room, wanted, siblings) else { return Ok(offer) };
            let (agent, hostname) = (offer.agent.clone(), offer.hostname.clone());
            misfits.push(Misfit { agent, hostname, lack });
        }
        Err(misfits)
    }
}

/// What is against an agent for a run.
fn lack(room: &Room<'_>, wanted: &Wanted<'_>, siblings: &Siblings) -> Option<Lack> {
    let offer = room.first();
    if let Some(constraint) = wanted.conditions.unmet(offer) {
        let has = value_of(offer, &constraint.attribute);
        return Some(Lack::Constraint { constraint: constraint.clone(), has });
    }
    if let Some(from) = room.unavailable_from().filter(|from| *from <= wanted.until) {
        return Some(Lack::Unavailable { from });
    }
    if room.is_kept_free {
        return Some(Lack::KeptFree);
    }
    let beside = wanted.conditions.comparing().find_map(|it| siblings.against(it, offer));
    if beside.is_some() {
        return beside;
    }
    let is_short = !room.free.hold(&wanted.resources);
    is_short.then_some(Lack::Room { wanted: wanted.resources, free: room.free })
}
