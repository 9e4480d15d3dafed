//! What runs want of agents, and where they would find it.
//!
//! For the decision and for whoever asks why a run waits: both ask the same placement. Where offers come and go, who asks
//! is told by what was seen of them.

use crate::model::{
    AgentId, Attempt, Duration, Fitness, Offer, Placed, Resources, Run, Sandbox, Timestamp,
};
use crate::placement::{Misfit, Siblings, Tally, Wanted, value_of};

use super::State;
use super::entry::JobEntry;
use super::place::is_passed_for_long;

/// How long a run is taken to go on that nobody stops. An agent that is to be out of service earlier gets none.
const UNBOUNDED_RUN: Duration = Duration::from_hours(1);

/// Where a pending run stands with the agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fitting {
    /// It fits on this agent, and is about to be placed.
    Fits {
        /// The agent.
        agent: AgentId,
        /// Its host name.
        hostname: String,
    },
    /// It would fit on this agent as it was seen last, and waits for its next offer.
    AsSeen {
        /// The agent.
        agent: AgentId,
        /// Its host name.
        hostname: String,
        /// When it was seen.
        at: Timestamp,
    },
    /// It fits nowhere, for these reasons; none where no agent is known.
    Nowhere(Vec<Misfit>),
}

/// Where a pending run stands with the agents; `None` if it wants no offer, or its job is gone. `now` is what the wall
/// clock shows.
#[must_use]
pub fn fitting(state: &State, now: Timestamp, run: &Run) -> Option<Fitting> {
    let is_pending = matches!(run.state, crate::model::RunState::Pending { .. });
    let entry = state.incarnation(run.id.incarnation).filter(|_| is_pending)?;
    Some(fitting_of(state, now, run, entry))
}

pub(super) fn fitting_of(state: &State, now: Timestamp, run: &Run, entry: &JobEntry) -> Fitting {
    let mut tally = offered(state);
    // What is kept free for those before it was not there for this one.
    for other in state.pending().take_while(|other| other.id != run.id) {
        if let Some(other_entry) = state.incarnation(other.id.incarnation)
            && is_passed_for_long(now, other)
        {
            tally.keep_free(&wanted(other_entry, now));
        }
    }
    match tally.judge(&wanted(entry, now), &siblings(state, entry)) {
        Err(misfits) => Fitting::Nowhere(misfits),
        Ok(offer) => {
            let (agent, hostname) = (offer.agent.clone(), offer.hostname.clone());
            match state.seen_agent(&agent).filter(|_| !state.offers().contains_key(&offer.id)) {
                Some(seen) => Fitting::AsSeen { agent, hostname, at: seen.at },
                None => Fitting::Fits { agent, hostname },
            }
        }
    }
}

/// What is free of all that is known: the offers there are, and of agents of a cluster that offer nothing now, what was
/// left of what they offered last.
pub(super) fn offered(state: &State) -> Tally<'_> {
    let open = state.offers().values().map(|offer| (offer, offer.resources));
    let is_open = |agent: &AgentId| state.offers().values().any(|offer| offer.agent == *agent);
    let seen = state
        .seen()
        .filter(|seen| state.offers().is_empty() || !is_open(&seen.offer.agent))
        .map(|seen| (&seen.offer, seen.left));
    Tally::over(open.chain(seen), state.used())
}

/// What a run of a job wants that is placed now.
pub(super) fn wanted(entry: &JobEntry, now: Timestamp) -> Wanted<'_> {
    let job = &entry.job;
    let lasts = match job.max_completion_secs {
        0 => UNBOUNDED_RUN,
        secs => Duration::from_secs(i64::try_from(secs).unwrap_or(i64::MAX)),
    };
    Wanted {
        resources: job.resources,
        conditions: entry.conditions(),
        fitness: job.placement,
        until: now.saturating_add(lasts).unwrap_or(Timestamp::MAX),
    }
}

/// Whether it matters to a job where its other runs are.
pub(super) fn minds_siblings(entry: &JobEntry) -> bool {
    let spreads = match entry.job.placement {
        Fitness::Pack => false,
        Fitness::Spread => true,
    };
    spreads || entry.conditions().comparing().next().is_some()
}

/// Where the live runs of a job are, if that matters to it.
pub(super) fn siblings(state: &State, entry: &JobEntry) -> Siblings {
    let mut siblings = Siblings::default();
    if !minds_siblings(entry) {
        return siblings;
    }
    for attempt in state.live_runs(entry.incarnation).filter_map(Run::live_attempt) {
        let compared = entry.conditions().comparing();
        siblings.add(
            &attempt.agent,
            compared.map(|it| (it.attribute.as_str(), value_where(state, attempt, &it.attribute))),
        );
    }
    siblings
}

/// What an attribute is where an attempt is, as far as it is known.
fn value_where(state: &State, attempt: &Attempt, attribute: &str) -> Option<String> {
    let kept = attempt.placed.iter().flat_map(|placed| &placed.values);
    let kept = kept.into_iter().find(|(name, _)| name == attribute).map(|(_, value)| value.clone());
    // Its job has come to compare it since.
    kept.or_else(|| {
        let open = state.offers().values().find(|offer| offer.agent == attempt.agent);
        let seen = || state.seen_agent(&attempt.agent).map(|seen| &seen.offer);
        value_of(open.or_else(seen)?, attribute)
    })
}

/// What is kept of the place of an attempt that is put on `offer`; `None` on the scheduler's own machine, unless the job
/// compares where its runs are.
pub(super) fn placed(
    state: &State,
    entry: &JobEntry,
    offer: &Offer,
    executor: &str,
) -> Option<Placed> {
    let compared = entry.conditions().comparing();
    let values: Vec<(String, String)> = compared
        .filter_map(|it| Some((it.attribute.clone(), value_of(offer, &it.attribute)?)))
        .collect();
    if !state.is_cluster() && values.is_empty() {
        return None;
    }
    let framework = state.framework().filter(|_| state.is_cluster());
    // Also where the offer does not say how its agent is reached: that an attempt has a sandbox says that it is not here.
    let agent = offer.files_at.as_deref().unwrap_or_default();
    let sandbox = framework.map(|framework| Sandbox::of(agent, framework, executor));
    Some(Placed { hostname: offer.hostname.clone(), values, sandbox })
}

/// The values that an attempt on `offer` adds to where the live runs of its job are.
pub(super) fn add_to(siblings: &mut Siblings, entry: &JobEntry, offer: &Offer) {
    let compared = entry.conditions().comparing();
    siblings.add(
        &offer.agent,
        compared.map(|it| (it.attribute.as_str(), value_of(offer, &it.attribute))),
    );
}

/// All of what several offers of one agent have.
pub(super) fn together<'a>(offers: impl Iterator<Item = &'a Offer>) -> Resources {
    offers.fold(Resources::default(), |sum, offer| sum.plus(offer.resources))
}
