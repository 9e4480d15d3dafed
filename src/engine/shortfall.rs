//! What capacity is missing: the runs that wait and fit nowhere, by what they want, and what they lack.
//!
//! Places all that waits on what was seen of the agents, as the decision would if they offered that again; what finds no
//! place is short.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    AgentId, Constraint, Incarnation, JobName, Resources, Scalar, Scope, Timestamp, limits,
};
use crate::placement::{Lack, Misfit, Siblings};

use super::State;
use super::room::{self, offered, siblings, wanted};

/// What capacity is missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shortfall {
    /// The agents that are known.
    pub agents: usize,
    /// Runs that want an offer and are not held by a pause.
    pub waiting: usize,
    /// Of these, the ones that find no place, even if each agent offered again what it had left.
    pub runs: usize,
    /// What these want together, as far as no constraint but room is in their way.
    pub missing: Resources,
    /// The same by what is wanted, those of most runs first; at most [`limits::FORECAST_NAMED_MAX`] times ten.
    pub wants: Vec<Short>,
}

/// Runs that want the same and find no place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Short {
    /// What each of them wants.
    pub resources: Resources,
    /// Where it may be.
    pub constraints: Vec<Constraint>,
    /// How many there are.
    pub runs: usize,
    /// Whose they are, by name; at most [`limits::FORECAST_NAMED_MAX`] of them.
    pub jobs: Vec<JobName>,
    /// The constraint that no agent meets, if that is why.
    pub unmet: Option<Constraint>,
    /// The agent that lacks least of those that meet the constraints, if one of them were big enough for none of these.
    pub largest: Option<AgentId>,
    /// What that agent lacks for one of them; nothing if there is room for one alone and not for all.
    pub lacking: Resources,
    /// The same as a sentence.
    pub text: String,
}

/// How many wants are told of.
const WANTS_TOLD: usize = limits::FORECAST_NAMED_MAX * 10;

/// What wants the same.
type Key<'a> = (Resources, &'a [Constraint]);

#[derive(Debug, Default)]
struct Group<'a> {
    runs: usize,
    jobs: BTreeSet<&'a JobName>,
    first: Option<Incarnation>,
}

/// What capacity is missing for the runs of the jobs in `scope`. The others take their places all the same, and are told
/// of nowhere. `now` is what the wall clock shows.
#[must_use]
pub fn shortfall(state: &State, now: Timestamp, scope: &Scope) -> Shortfall {
    let mut tally = offered(state);
    let mut beside: BTreeMap<Incarnation, Siblings> = BTreeMap::new();
    let mut groups: BTreeMap<Key<'_>, Group<'_>> = BTreeMap::new();
    let mut found = Shortfall { agents: tally.agents(), ..Shortfall::default() };
    for run in state.pending() {
        let Some(entry) = state.incarnation(run.id.incarnation) else { continue };
        if !run.trigger.is_asked_for() && state.pause_of(entry).is_some() {
            continue;
        }
        let is_told = scope.covers(&entry.job.name);
        found.waiting += usize::from(is_told);
        let own = beside.entry(entry.incarnation).or_insert_with(|| siblings(state, entry));
        if let Some(assignment) = tally.assign(&wanted(entry, now), own) {
            if room::minds_siblings(entry)
                && let Some(offer) = tally.offer_of(&assignment.agent)
            {
                room::add_to(own, entry, offer);
            }
            continue;
        }
        if is_told {
            found.runs += 1;
            let key = (entry.job.resources, entry.job.constraints.as_slice());
            let group = groups.entry(key).or_default();
            group.runs += 1;
            group.jobs.insert(&entry.job.name);
            group.first.get_or_insert(entry.incarnation);
        }
    }
    let untouched = offered(state);
    for ((resources, constraints), group) in groups {
        let Some(entry) = group.first.and_then(|first| state.incarnation(first)) else { continue };
        let alone = untouched.judge(&wanted(entry, now), &siblings(state, entry));
        let short = short(resources, constraints, &group, alone.err().as_deref());
        if short.unmet.is_none() {
            for _ in 0..short.runs {
                found.missing = found.missing.plus(resources);
            }
        }
        found.wants.push(short);
    }
    // The order of what is wanted decides between equals.
    found.wants.sort_by_key(|short| std::cmp::Reverse(short.runs));
    found.wants.truncate(WANTS_TOLD);
    found
}

/// `alone` is what is against each agent for one of them alone; `None` if one alone would find a place.
fn short(
    resources: Resources,
    constraints: &[Constraint],
    group: &Group<'_>,
    alone: Option<&[Misfit]>,
) -> Short {
    let named = group.jobs.iter().take(limits::FORECAST_NAMED_MAX);
    let mut short = Short {
        resources,
        constraints: constraints.to_vec(),
        runs: group.runs,
        jobs: named.map(|name| JobName::clone(name)).collect(),
        unmet: None,
        largest: None,
        lacking: Resources::default(),
        text: String::new(),
    };
    let Some(misfits) = alone else {
        short.text = "there is room for one of them, and not for all".to_owned();
        return short;
    };
    if misfits.is_empty() {
        short.text = "no agent is known".to_owned();
        return short;
    }
    // Who has room enough but for this, by how much is lacking in the unit of which most is.
    let by_room = misfits.iter().filter_map(|misfit| match &misfit.lack {
        Lack::Room { wanted, free } => Some((wanted.minus(*free), misfit)),
        Lack::Constraint { .. }
        | Lack::Beside { .. }
        | Lack::KeptFree
        | Lack::Unavailable { .. } => None,
    });
    if let Some((lacking, misfit)) = by_room.min_by_key(|(lacking, _)| share(lacking, &resources)) {
        short.largest = Some(misfit.agent.clone());
        short.lacking = lacking;
        short.text = format!("{}, which comes closest: {}", misfit.hostname, misfit.text());
        return short;
    }
    let mut in_the_way: BTreeMap<&Constraint, usize> = BTreeMap::new();
    for misfit in misfits {
        match &misfit.lack {
            Lack::Constraint { constraint, .. } => {
                *in_the_way.entry(constraint).or_default() += 1;
            }
            Lack::Room { .. } | Lack::Beside { .. } | Lack::KeptFree | Lack::Unavailable { .. } => {
            }
        }
    }
    // Of several that are in the way of all together, the one that is of most.
    let most = in_the_way.iter().max_by_key(|(_, count)| **count);
    let are_all = in_the_way.values().sum::<usize>() == misfits.len();
    match most.filter(|_| are_all) {
        Some((constraint, _)) => {
            let Constraint { attribute, operator, value } = *constraint;
            short.unmet = Some(Constraint::clone(constraint));
            short.text = if in_the_way.len() == 1 {
                format!("{attribute} {} {value} matches no agent", operator.as_str())
            } else {
                let word = operator.as_str();
                format!("no agent meets all constraints; most fail {attribute} {word} {value}")
            };
        }
        None => short.text = misfits[0].clause(),
    }
    short
}

/// How much is lacking of what is wanted, in thousandths, of the kind of which most is.
fn share(lacking: &Resources, wanted: &Resources) -> u64 {
    let of = |lacking: u64, wanted: u64| {
        u64::try_from(u128::from(lacking) * 1_000 / u128::from(wanted.max(1))).unwrap_or(u64::MAX)
    };
    let scalar = |lacking: Scalar, wanted: Scalar| of(lacking.thousandths(), wanted.thousandths());
    [
        scalar(lacking.cpus, wanted.cpus),
        scalar(lacking.mem, wanted.mem),
        scalar(lacking.disk, wanted.disk),
        of(lacking.ports.into(), wanted.ports.into()),
    ]
    .into_iter()
    .max()
    .unwrap_or_default()
}
