//! Launches become calls of ACCEPT: one for each agent and role, as an offer can be accepted once, and those of two roles
//! not together.

use std::collections::{BTreeMap, BTreeSet};

use super::questions::{ask_after, ask_now};
use super::{Book, filters, wire_ids};
use crate::launcher::mesos::convert::{self, Pool};
use crate::mesos::wire::{self, Call, CallType};
use crate::model::{
    AgentId, BootInstant, Duration, Exit, Launch, Now, OfferId, TaskId, TaskStatus,
};

/// How long after a launch the master is asked what became of it, if nothing was heard.
const HEARD_WITHIN: Duration = Duration::from_secs(30);

impl Book {
    /// Sends what was ordered by whoever had taken so many notices.
    pub(super) fn launch(&mut self, now: Now, notices: u64) {
        let mut by_share: BTreeMap<(AgentId, String), Vec<Launch>> = BTreeMap::new();
        for launch in std::mem::take(&mut self.launches) {
            if self.denials.get(&launch.task_id).is_some_and(|told| *told > notices) {
                // A denial of the launch before has crossed this one, and will be taken for that of this one.
                self.unused.extend(launch.offers);
                continue;
            }
            let first = launch.offers.first().and_then(|id| self.offers.get(id));
            let share = first.map_or(String::new(), |open| open.share.clone());
            by_share.entry((launch.agent.clone(), share)).or_default().push(launch);
        }
        let mut unused = std::mem::take(&mut self.unused);
        for ((agent, _), launches) in by_share {
            unused.extend(self.launch_on(now, &agent, launches));
        }
        let span = self.unused_for();
        self.release(now, unused, span);
    }

    /// Sends the launches on one agent; tells which of their offers are not used.
    fn launch_on(&mut self, now: Now, agent: &AgentId, launches: Vec<Launch>) -> Vec<OfferId> {
        let mut seen = BTreeSet::new();
        let named: Vec<OfferId> = launches
            .iter()
            .flat_map(|it| &it.offers)
            .filter(|it| seen.insert(*it))
            .cloned()
            .collect();
        let open: Vec<OfferId> =
            named.iter().filter(|id| self.is_open_on(id, agent)).cloned().collect();
        let offered = open.iter().filter_map(|id| self.offers.get(id)).flat_map(|it| &it.resources);
        let mut pool = Pool::new(offered, &self.terms.roles);
        let mut tasks = Vec::new();
        for launch in launches {
            if self
                .tasks
                .get(&launch.task_id)
                .is_some_and(|it| it.is_launched || it.ended.is_some())
            {
                // The second time it is a question.
                self.tell_again_or_ask(now, &launch.task_id);
                continue;
            }
            let are_open = launch.offers.iter().all(|id| self.is_open_on(id, agent));
            let may_start = launch.not_after.is_none_or(|end| now.boot <= end);
            let picked = (are_open && may_start && !launch.offers.is_empty())
                .then(|| pool.take(&launch.resources));
            match picked.flatten() {
                Some(picked) => {
                    tasks.push(convert::task(&launch, picked));
                    self.launched(now.boot, launch.task_id, agent);
                }
                // The offer is void meanwhile, and nothing was sent.
                None => self.report(launch.task_id, TaskStatus::NeverLaunched),
            }
        }
        if tasks.is_empty() {
            return named;
        }
        for id in &open {
            self.offers.close(id);
        }
        self.figures.accepts += 1;
        self.figures.launches += tasks.len() as u64;
        let span = self.unused_for();
        self.demand.refused(now.boot, span);
        let launch = Some(wire::Launch { task_infos: tasks });
        let accept = wire::Accept {
            offer_ids: wire_ids(&open),
            operations: vec![wire::Operation { kind: "LAUNCH".to_owned(), launch }],
            filters: Some(filters(span)),
        };
        let call = self.call_of(CallType::Accept);
        self.say(Call { accept: Some(accept), ..call });
        Vec::new()
    }

    /// For how long what is left of offers is not to be offered again.
    fn unused_for(&self) -> Duration {
        if self.demand.is_hungry() { Duration::ZERO } else { self.terms.decline_for }
    }

    fn is_open_on(&self, id: &OfferId, agent: &AgentId) -> bool {
        self.offers.get(id).is_some_and(|open| open.agent == *agent)
    }

    fn launched(&mut self, now: BootInstant, id: TaskId, agent: &AgentId) {
        let task = self.tasks.of(&id);
        task.agent = Some(agent.clone());
        task.is_ours = true;
        task.is_launched = true;
        // What is heard from now on is about this launch, but for answers to earlier questions.
        task.is_seen = false;
        task.told = None;
        task.stale_answers = task.stale_answers.saturating_add(task.open_questions);
        task.open_questions = 0;
        self.tasks.forget_at(&id, None);
        self.tasks.ask(&id, Some(ask_after(now, HEARD_WITHIN)));
    }

    fn tell_again_or_ask(&mut self, now: Now, id: &TaskId) {
        match self.tasks.get(id).and_then(|task| task.ended.clone()) {
            Some(ended) => self.report(id.clone(), ended),
            None => {
                self.tasks.ask(id, Some(ask_now(now.boot)));
                self.wake(now);
            }
        }
    }

    /// An ACCEPT had no effect, or perhaps none.
    pub(super) fn accept_refused(&mut self, now: Now, call: &Call, status: u16, message: &str) {
        let Some(accept) = &call.accept else { return };
        let launches = accept.operations.iter().filter_map(|operation| operation.launch.as_ref());
        for task in launches.flat_map(|launch| &launch.task_infos) {
            let id = TaskId::from_text(task.task_id.value.clone());
            if !self.tasks.get(&id).is_some_and(|task| task.is_launched && !task.is_seen) {
                continue;
            }
            if status == 400 {
                let reason = format!("the master does not take its launch: {message}");
                let exit = Exit::CouldNotStart { reason };
                let ended = TaskStatus::Ended { exit, started_at: None, ended_at: now.wall };
                self.tasks.ask(&id, None);
                self.tasks.kill(&id, None);
                let task = self.tasks.of(&id);
                task.ended = Some(ended.clone());
                task.told = Some(ended.clone());
                self.report(id, ended);
            } else if (400..500).contains(&status) {
                // Somebody on the way, or the master, took no call at all: nothing is wrong with what was launched.
                self.tasks.forget(&id);
                self.report(id, TaskStatus::NeverLaunched);
            } else {
                self.tasks.ask(&id, Some(ask_now(now.boot)));
            }
        }
        // They are still open at the master, whose answer to it is the same whether they are or not.
        let span = self.terms.decline_for;
        self.demand.refused(now.boot, span);
        let decline =
            wire::Decline { offer_ids: accept.offer_ids.clone(), filters: Some(filters(span)) };
        let call = self.call_of(CallType::Decline);
        self.say(Call { decline: Some(decline), ..call });
        self.wake(now);
    }
}
