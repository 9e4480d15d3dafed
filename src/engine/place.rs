//! Pending runs meet offers, or the end of their start window.
//!
//! The tally of what a step has assigned is a local value; the state moves only when the changes are applied. A run
//! that fits nowhere stays pending and stops nobody else; only one that has waited long and would fit on an agent with
//! nothing else on it gets that agent kept free, because small runs could otherwise pass it for ever.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    AgentId, Alarm, Attempt, AttemptState, CatchUp, Duration, Incarnation, Offer, OfferId,
    OfferKind, Run, RunState, TaskId, Timestamp, Trigger, Verdict, limits,
};
use crate::placement::{Assignment, Misfit, Siblings, Tally};
use crate::schedule::Schedule;

use super::decision::{Change, Demand, Effect};
use super::entry::{JobEntry, Timing};
use super::pause::{self, PAUSED};
use super::room::Fitting;
use super::seen::{OfferFate, SeenAgent};
use super::transition::{Happening, Move, RunStanding, moved};
use super::{State, Step, launch, room, status};

/// Ends the pending runs whose start window has closed, or lets them run late where the job catches up.
pub(super) fn decide_windows(step: &mut Step<'_>) {
    let state = step.state;
    for run in state.overdue(step.now.wall).take(limits::DUE_PER_STEP_MAX) {
        let standing = RunStanding::of(run);
        if standing.is_none_or(|it| moved(it, Happening::WindowClosed) != Move::Missed) {
            continue;
        }
        // Something earlier in this step may have ended it.
        if step.stored(run.id).is_some_and(Run::is_ended) {
            continue;
        }
        let entry = step.state.incarnation(run.id.incarnation);
        if !run.attempts.is_empty() {
            status::end_late(step, run);
        } else if entry.is_some_and(|entry| pause::is_held(step, entry, run)) {
            let reason = PAUSED.to_owned();
            status::end_run(step, run.clone(), Verdict::Skipped, step.now.wall, reason);
        } else if let Some((entry, due_at)) = catches_up(step, run) {
            let mut run = run.clone();
            run.trigger = Trigger::CatchUp { due_at };
            run.start_deadline = None;
            run.state = RunState::Pending { deadline: None };
            step.store_run(run);
            match entry.job.catch_up {
                CatchUp::None => {}
                CatchUp::Latest => give_up_older_catch_ups(step, entry, due_at),
                CatchUp::All { max } => give_up_all_catch_ups_but(step, entry, max),
            }
        } else {
            let reason = why_not_started(step, run);
            status::end_run(step, run.clone(), Verdict::Missed, step.now.wall, reason);
        }
    }
}

/// Whether `run`, which found no offer in its window, is to be run late: its job catches up, and no later occurrence
/// stands for it. Returns the job and what the run is due at.
fn catches_up<'a>(step: &Step<'a>, run: &Run) -> Option<(&'a JobEntry, Timestamp)> {
    let due_at = occurrence(run)?;
    let entry = step.state.incarnation(run.id.incarnation)?;
    let stays = match entry.job.catch_up {
        CatchUp::None => false,
        CatchUp::Latest => {
            let has_next_come = entry.next.is_some_and(|next| next.opens_at <= step.now.wall);
            let is_later = |other: &&Run| occurrence(other).is_some_and(|at| at > due_at);
            !has_next_come && !step.live_runs(entry.incarnation).iter().any(is_later)
        }
        CatchUp::All { .. } => true,
    };
    stays.then_some((entry, due_at))
}

/// Only the latest of missed occurrences is run late: earlier ones that still wait for their first offer end here.
pub(super) fn give_up_older_catch_ups(step: &mut Step<'_>, entry: &JobEntry, due_at: Timestamp) {
    let older = |run: &&Run| is_unstarted_catch_up(run) && run.trigger.due_at() < due_at;
    let older: Vec<Run> =
        step.live_runs(entry.incarnation).into_iter().filter(older).cloned().collect();
    for run in older {
        give_up(step, run);
    }
}

/// Of the occurrences that are run late, `max` at most wait for their first offer: the earliest end here.
fn give_up_all_catch_ups_but(step: &mut Step<'_>, entry: &JobEntry, max: u32) {
    let live = step.live_runs(entry.incarnation);
    let mut waiting: Vec<Run> =
        live.into_iter().filter(|run| is_unstarted_catch_up(run)).cloned().collect();
    waiting.sort_by_key(|run| run.trigger.due_at());
    let most = usize::try_from(max).unwrap_or(usize::MAX);
    let too_many = waiting.len().saturating_sub(most);
    for run in waiting.into_iter().take(too_many) {
        give_up(step, run);
    }
}

fn is_unstarted_catch_up(run: &Run) -> bool {
    let waits = match run.state {
        RunState::Pending { .. } | RunState::Queued => run.attempts.is_empty(),
        RunState::Active
        | RunState::Waiting { .. }
        | RunState::Reporting { .. }
        | RunState::Ended { .. } => false,
    };
    waits && matches!(run.trigger, Trigger::CatchUp { .. })
}

fn give_up(step: &mut Step<'_>, run: Run) {
    let reason = "it could not be started, and a later occurrence is caught up instead";
    status::end_run(step, run, Verdict::Missed, step.now.wall, reason.to_owned());
}

/// The occurrence that a run stands for, if it stands for one.
const fn occurrence(run: &Run) -> Option<Timestamp> {
    match run.trigger {
        Trigger::Schedule { due_at, .. } | Trigger::CatchUp { due_at } => Some(due_at),
        Trigger::Manual { .. }
        | Trigger::Retry { .. }
        | Trigger::Backfill { .. }
        | Trigger::Parents { .. } => None,
    }
}

/// When the start window of the occurrence that a run stands for opens. Nothing of it is started before.
fn opens_at(entry: &JobEntry, run: &Run) -> Option<Timestamp> {
    let schedule = match &entry.timing {
        Timing::Schedule(schedule) => Some(schedule),
        Timing::Parents | Timing::Broken(_) => None,
    };
    // A start of the machine has happened, whatever the clock shows.
    if schedule.is_some_and(Schedule::is_at_boot) {
        return None;
    }
    match run.trigger {
        Trigger::Schedule { opens_at, .. } => Some(opens_at),
        Trigger::CatchUp { due_at } => {
            Some(schedule.map_or(due_at, |schedule| schedule.opens_at(due_at)))
        }
        Trigger::Manual { .. }
        | Trigger::Retry { .. }
        | Trigger::Backfill { .. }
        | Trigger::Parents { .. } => None,
    }
}

fn why_not_started(step: &Step<'_>, run: &Run) -> String {
    let closed = "its start window closed before it could start";
    if let Some(reason) = step.state.launcher_gone() {
        return format!("{closed}: the launcher could not be reached ({reason})");
    }
    let Some(entry) = step.state.incarnation(run.id.incarnation) else {
        return format!("{closed}: its job was deleted");
    };
    let now = step.now.wall;
    match told(step.state, now, &room::fitting_of(step.state, now, run, entry)) {
        None => format!("{closed}: Chronode came to it too late"),
        Some(why) => format!("{closed}: {why}"),
    }
}

/// Why a pending run is not placed, in one clause about the first agents; `None` if it is about to be.
pub(super) fn told(state: &State, now: Timestamp, fitting: &Fitting) -> Option<String> {
    let misfits = match fitting {
        Fitting::Fits { .. } => return None,
        Fitting::AsSeen { hostname, at, .. } => {
            let ago = now.duration_since(*at).as_secs().max(0);
            return Some(format!(
                "it would fit on {hostname} as it was offered {ago} s ago; a new offer is awaited"
            ));
        }
        Fitting::Nowhere(misfits) => misfits,
    };
    let told: Vec<String> = misfits.iter().take(3).map(Misfit::clause).collect();
    Some(match (told.is_empty(), state.is_cluster()) {
        (true, false) => "there is no offer".to_owned(),
        (true, true) => "no agent of the cluster has offered anything yet".to_owned(),
        (false, _) => told.join("; "),
    })
}

/// How long a run may be passed by others that fit where it does not.
pub(super) const PASSED_FOR: Duration = Duration::from_mins(10);

/// Of new offers those that are kept. Offers that come and go are given back at once while nothing is decided, and if
/// they are `late`: made by a launcher that is gone.
pub(super) fn kept_of(step: &mut Step<'_>, offers: &[Offer], are_late: bool) -> Vec<Offer> {
    if step.state.listens_until().is_none() && !are_late {
        return offers.to_vec();
    }
    let (held, kept): (Vec<_>, Vec<_>) =
        offers.iter().cloned().partition(|offer| offer.kind == OfferKind::Once);
    if !held.is_empty() {
        step.effect(Effect::Release(held.into_iter().map(|offer| offer.id).collect()));
        // What was turned down is asked for again once it is of use.
        step.change(Change::DemandTold(None));
    }
    kept
}

/// Matches pending runs with offers, most urgent first. Of offers that come and go, those that are used are gone with
/// the decision, and those that are of no use once everything was looked at are given back.
pub(super) fn decide_offers(step: &mut Step<'_>) {
    if !step.state.is_placement_due() {
        return;
    }
    let state = step.state;
    let now = step.now.wall;
    let mut tally = Tally::new(state.offers(), state.used());
    let mut beside: BTreeMap<Incarnation, Siblings> = BTreeMap::new();
    let mut matched = Matched::default();
    let most = if state.is_cluster() {
        limits::PLACED_PER_STEP_IN_CLUSTER_MAX
    } else {
        limits::PLACED_PER_STEP_MAX
    };
    for run in state.pending() {
        if matched.runs == most {
            // The flag stays up, so the next step goes on from here at once.
            use_offers(step, &tally, &matched);
            return;
        }
        let Some(entry) = state.incarnation(run.id.incarnation) else { continue };
        if pause::is_held(step, entry, run) {
            continue;
        }
        // Somebody has set the clock back since its window opened: it waits until the clock shows that instant again.
        // What has been started once is only tried again.
        let first = Some(run).filter(|run| run.attempts.is_empty());
        let opens_at = first.and_then(|run| opens_at(entry, run));
        if let Some(opens_at) = opens_at.filter(|at| *at > now) {
            let mut run = run.clone();
            run.state = RunState::Waiting { until: Alarm { at: opens_at, boot: None } };
            step.store_run(run);
            continue;
        }
        let wanted = room::wanted(entry, now);
        let own = beside.entry(entry.incarnation).or_insert_with(|| room::siblings(state, entry));
        if let Some(assignment) = tally.assign(&wanted, own) {
            matched.note(&assignment);
            let Some(offer) = tally.offer_of(&assignment.agent) else { continue };
            if room::minds_siblings(entry) {
                room::add_to(own, entry, offer);
            }
            begin_attempt(step, entry, run, offer, assignment);
            continue;
        }
        if is_passed_for_long(now, run) {
            tally.keep_free(&wanted);
        }
        matched.waits(run);
    }
    use_offers(step, &tally, &matched);
    give_back(step, &tally, &matched, &beside);
    tell_demand(step, &matched);
    step.change(Change::PlacementSettled);
}

/// What a look at the pending runs came to.
#[derive(Debug, Default)]
struct Matched<'a> {
    /// How many were placed.
    runs: usize,
    /// How many of them on each agent.
    on: BTreeMap<AgentId, u32>,
    /// On which offers.
    used: BTreeSet<OfferId>,
    /// The most urgent of those that found no place.
    first_waiting: Option<&'a Run>,
    /// The last of them to come.
    demand: Option<Demand>,
}

impl<'a> Matched<'a> {
    fn note(&mut self, assignment: &Assignment) {
        self.runs += 1;
        *self.on.entry(assignment.agent.clone()).or_default() += 1;
        self.used.extend(assignment.offers.iter().cloned());
    }

    fn waits(&mut self, run: &'a Run) {
        self.first_waiting.get_or_insert(run);
        let demand = Demand::Runs { wanted_at: run.wanted_at, sequence: run.sequence };
        self.demand = self.demand.max(Some(demand));
    }
}

/// The offers of each agent that come and go.
fn passing_by_agent(state: &State) -> BTreeMap<&AgentId, Vec<&Offer>> {
    let mut by_agent: BTreeMap<&AgentId, Vec<&Offer>> = BTreeMap::new();
    for offer in state.offers().values().filter(|offer| offer.kind == OfferKind::Once) {
        by_agent.entry(&offer.agent).or_default().push(offer);
    }
    by_agent
}

/// Takes the used offers out of the state, of those that come and go.
fn use_offers(step: &mut Step<'_>, tally: &Tally<'_>, matched: &Matched<'_>) {
    let state = step.state;
    let passing =
        |id: &&OfferId| state.offers().get(id).is_some_and(|offer| offer.kind == OfferKind::Once);
    let used: Vec<OfferId> = matched.used.iter().filter(passing).cloned().collect();
    if used.is_empty() {
        return;
    }
    let seen = passing_by_agent(state).into_iter().filter_map(|(agent, offers)| {
        let runs = *matched.on.get(agent)?;
        Some(seen(step, tally, &offers, OfferFate::Used { runs }))
    });
    let seen: Vec<SeenAgent> = seen.collect();
    step.change(Change::OffersRemoved(used));
    step.change(Change::AgentsSeen(seen));
}

/// Gives back what is left of the offers that come and go: none is held for what may come.
fn give_back(
    step: &mut Step<'_>,
    tally: &Tally<'_>,
    matched: &Matched<'_>,
    beside: &BTreeMap<Incarnation, Siblings>,
) {
    let state = step.state;
    let mut unused: Vec<OfferId> = Vec::new();
    let mut agents: Vec<SeenAgent> = Vec::new();
    let by_agent = passing_by_agent(state);
    if by_agent.is_empty() {
        return;
    }
    // What is against each agent for the most urgent of those that wait.
    let waiting = matched.first_waiting.and_then(|run| {
        let entry = state.incarnation(run.id.incarnation)?;
        let wanted = room::wanted(entry, step.now.wall);
        let misfits = tally.judge(&wanted, beside.get(&entry.incarnation)?).err()?;
        let against = misfits.into_iter().map(|misfit| (misfit.agent.clone(), misfit.text()));
        Some((run, against.collect::<BTreeMap<AgentId, String>>()))
    });
    for (agent, offers) in by_agent {
        let free = offers.iter().filter(|offer| !matched.used.contains(&offer.id));
        unused.extend(free.map(|offer| offer.id.clone()));
        if matched.on.contains_key(agent) {
            continue;
        }
        let fate = match &waiting {
            Some((run, against)) => OfferFate::NothingFits {
                job: run.job.clone(),
                run: run.id,
                reason: against.get(agent).cloned().unwrap_or_default(),
            },
            None => OfferFate::NotWanted,
        };
        agents.push(seen(step, tally, &offers, fate));
    }
    if !unused.is_empty() {
        step.effect(Effect::Release(unused.clone()));
        step.change(Change::OffersRemoved(unused));
    }
    if !agents.is_empty() {
        step.change(Change::AgentsSeen(agents));
    }
}

/// What is remembered of the offers of an agent; there is at least one.
fn seen(step: &Step<'_>, tally: &Tally<'_>, offers: &[&Offer], fate: OfferFate) -> SeenAgent {
    let resources = room::together(offers.iter().copied());
    let first = offers[0];
    let unavailable_from = offers.iter().filter_map(|offer| offer.unavailable_from).min();
    let roles: BTreeSet<&str> = offers.iter().map(|offer| offer.share.as_str()).collect();
    let share = roles.into_iter().collect::<Vec<_>>().join(", ");
    SeenAgent {
        offer: Offer { resources, unavailable_from, share, ..first.clone() },
        left: tally.left_of(&first.agent).unwrap_or_default(),
        at: step.now.wall,
        fate,
    }
}

/// Tells the launcher of a cluster whether anything waits, if it does not know, or if something more does.
fn tell_demand(step: &mut Step<'_>, matched: &Matched<'_>) {
    let demand = matched.demand.unwrap_or(Demand::Nothing);
    let told = step.state.demand_told();
    if !step.state.is_cluster() || told == Some(demand) {
        return;
    }
    step.change(Change::DemandTold(Some(demand)));
    // Of those that wait some have gone: the launcher knows that something waits.
    if demand == Demand::Nothing || told.is_none_or(|told| told < demand) {
        step.effect(Effect::Demand(demand != Demand::Nothing));
    }
}

/// Whether others may have been placed before it for longer than is fair.
pub(super) fn is_passed_for_long(now: Timestamp, run: &Run) -> bool {
    now.duration_since(run.wanted_at) >= PASSED_FOR
}

fn begin_attempt(
    step: &mut Step<'_>,
    entry: &JobEntry,
    run: &Run,
    offer: &Offer,
    assignment: Assignment,
) {
    let index = u32::try_from(run.attempts.len()).unwrap_or(u32::MAX);
    let arguments = launch::arguments_in_task_id(&entry.job, run);
    let task_id = TaskId::new(run.task_millis, index, &run.job, &arguments);
    // A custom one too is the task's own: Mesos refuses another of the same name beside it that differs in anything.
    let executor = task_id.as_str();
    let attempt = Attempt {
        reported: None,
        elements: None,
        index,
        agent: assignment.agent.clone(),
        placed: room::placed(step.state, entry, offer, executor).map(Box::new),
        is_staged: false,
        launched_at: step.now.wall,
        holds: entry.job.resources,
        state: AttemptState::Launching,
        task_id,
    };
    let launch = launch::launch(step, entry, run, &attempt, &offer.hostname, assignment);
    let mut run = run.clone();
    run.attempts.push(attempt);
    run.state = RunState::Active;
    // Crash after the commit of this and before the launch: the run is stored as active, its attempt as launching, and
    // the launcher may or may not have the task. The next start asks it and learns which.
    step.store_run(run);
    step.effect(Effect::Launch(Box::new(launch)));
}
