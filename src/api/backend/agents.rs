//! Where commands run, as far as the launcher has said.

use std::collections::BTreeMap;

use crate::engine::{Fitting, OfferFate, SeenAgent, State, fitting};
use crate::model::{
    AgentId, Attempt, Attribute, JobName, Offer, OfferKind, Resources, RunId, Scope, Timestamp,
};

/// An agent: one that offers something or has done so, or on which something still runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentView {
    /// Its name.
    pub agent: AgentId,
    /// Its host; `None` if that is not known.
    pub hostname: Option<String>,
    /// Why nothing new is placed on it; `None` while something may be.
    pub problem: Option<String>,
    /// What it has; `None` if it offers nothing, and in a cluster, where an agent says only what it can spare.
    pub total: Option<Resources>,
    /// Whether what it has limits what is placed on it.
    pub is_limited: bool,
    /// What live attempts hold of it, of all jobs.
    pub used: Resources,
    /// What constraints may ask of it, in its order; a name may come more than once.
    pub attributes: Vec<Attribute>,
    /// How many live attempts it has, of jobs in scope.
    pub runs: usize,
    /// What it offered last, in a cluster.
    pub offer: Option<LastOffer>,
    /// From when on it is to be out of service, if somebody has planned that.
    pub unavailable_from: Option<Timestamp>,
}

/// What an agent of a cluster offered last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastOffer {
    /// To which roles, with commas between.
    pub role: String,
    /// All that it offered.
    pub offered: Resources,
    /// What of it was left.
    pub left: Resources,
    /// When it was looked at; `None` if it lies there still.
    pub at: Option<Timestamp>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of an offer, as far as somebody may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It lies there still.
    Open,
    /// Runs were placed on it.
    Used {
        /// How many.
        runs: u32,
    },
    /// Nothing waited.
    NotWanted,
    /// Nothing that waited fitted.
    NothingFits {
        /// The most urgent run that waited, and what was against the agent for it; `None` if its job is out of scope.
        first: Option<(JobName, RunId, String)>,
    },
}

/// What is against an agent for a run that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The agent.
    pub agent: AgentId,
    /// Its host.
    pub hostname: String,
    /// A sentence without its name.
    pub reason: String,
}

impl Objection {
    /// What is against each agent for a run that waits and fits on none; nothing for another. `now` is what the wall
    /// clock shows.
    #[must_use]
    pub fn all(state: &State, now: Timestamp, run: RunId) -> Vec<Self> {
        let found = state.run(run).and_then(|run| fitting(state, now, run));
        match found {
            Some(Fitting::Nowhere(misfits)) => misfits
                .into_iter()
                .map(|misfit| Self {
                    reason: misfit.text(),
                    agent: misfit.agent,
                    hostname: misfit.hostname,
                })
                .collect(),
            Some(Fitting::Fits { .. } | Fitting::AsSeen { .. }) | None => Vec::new(),
        }
    }
}

impl Fate {
    /// A stable word for programs.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Used { .. } => "used",
            Self::NotWanted => "notWanted",
            Self::NothingFits { .. } => "nothingFits",
        }
    }

    fn of(fate: &OfferFate, scope: &Scope) -> Self {
        match fate {
            OfferFate::Used { runs } => Self::Used { runs: *runs },
            OfferFate::NotWanted => Self::NotWanted,
            OfferFate::NothingFits { job, run, reason } => {
                let first = scope.covers(job).then(|| (job.clone(), *run, reason.clone()));
                Self::NothingFits { first }
            }
        }
    }
}

impl AgentView {
    /// Those of a state, by name; attempts are counted of jobs that `scope` covers. All runs are looked at.
    #[must_use]
    pub fn all(state: &State, scope: &Scope) -> Vec<Self> {
        let mut found: BTreeMap<AgentId, Self> = BTreeMap::new();
        for seen in state.seen() {
            let SeenAgent { offer, left, at, fate } = seen;
            let view =
                found.entry(offer.agent.clone()).or_insert_with(|| Self::unseen(&offer.agent));
            view.describe(offer);
            let fate = Fate::of(fate, scope);
            view.offer = Some(LastOffer {
                role: offer.share.clone(),
                offered: offer.resources,
                left: *left,
                at: Some(*at),
                fate,
            });
        }
        for offer in state.offers().values() {
            let view =
                found.entry(offer.agent.clone()).or_insert_with(|| Self::unseen(&offer.agent));
            view.describe(offer);
            match offer.kind {
                OfferKind::Once => view.add_open(offer),
                OfferKind::Standing | OfferKind::Unmetered => {
                    view.total = Some(view.total.unwrap_or_default().plus(offer.resources));
                }
            }
        }
        let mut at = |agent: &AgentId, change: &dyn Fn(&mut Self)| {
            let view = found.entry(agent.clone()).or_insert_with(|| Self::unseen(agent));
            change(view);
        };
        for (agent, used) in state.used() {
            at(agent, &|view| view.used = *used);
        }
        for run in state.runs() {
            let Some(attempt) = run.live_attempt() else { continue };
            at(&attempt.agent, &|view| {
                view.runs += usize::from(scope.covers(&run.job));
                view.learn_hostname(attempt);
            });
        }
        let mut found: Vec<Self> = found.into_values().collect();
        if let Some(reason) = state.launcher_gone() {
            let problem = format!("the launcher cannot be reached: {reason}");
            found.iter_mut().for_each(|view| view.problem = Some(problem.clone()));
        }
        found
    }

    /// Takes over what an offer says of its agent, without what it has.
    fn describe(&mut self, offer: &Offer) {
        self.hostname = Some(offer.hostname.clone());
        self.problem = None;
        self.is_limited = match offer.kind {
            OfferKind::Unmetered => false,
            OfferKind::Standing | OfferKind::Once => true,
        };
        self.attributes.clone_from(&offer.attributes);
        self.unavailable_from = offer.unavailable_from;
    }

    /// Adds an offer that lies there to the others of its agent; what was offered before counts no longer.
    fn add_open(&mut self, offer: &Offer) {
        let open = self.offer.as_ref().filter(|last| last.fate == Fate::Open);
        let resources = open.map(|last| last.offered).unwrap_or_default().plus(offer.resources);
        let fate = Fate::Open;
        let role = offer.share.clone();
        self.offer = Some(LastOffer { role, offered: resources, left: resources, at: None, fate });
    }

    fn learn_hostname(&mut self, attempt: &Attempt) {
        if let (None, Some(placed)) = (&self.hostname, &attempt.placed) {
            self.hostname = Some(placed.hostname.clone());
        }
    }

    fn unseen(agent: &AgentId) -> Self {
        Self {
            agent: agent.clone(),
            hostname: None,
            problem: Some("it offers nothing at the moment".to_owned()),
            total: None,
            is_limited: true,
            used: Resources::default(),
            attributes: Vec::new(),
            runs: 0,
            offer: None,
            unavailable_from: None,
        }
    }
}
