//! Requests, as they are decided: a family that makes no sense is refused and no other; and what a dry run says is what
//! the same request is answered, and nothing else follows from it.

use chronode::engine::{self, Change, Effect, Event, Reply, Request, RequestId, State};
use chronode::model::Now;

use super::family;
use super::record::Record;

/// A request that is about to be decided, and what must be answered.
#[derive(Debug)]
pub(crate) struct Question {
    id: RequestId,
    request: Request,
    /// Whether a job is to be refused because of its parents; `None` of requests that are not about one.
    is_to_be_refused: Option<bool>,
    reply: Option<Reply>,
    /// Whether nothing else is decided between it and the next.
    is_alone: bool,
}

impl Question {
    /// `before` is what was asked just before, in the same batch.
    pub(crate) fn new(
        record: &mut Record,
        state: &State,
        now: Now,
        id: RequestId,
        request: &Request,
        before: Option<&Self>,
    ) -> Self {
        let (bare, is_dry) = match request {
            Request::DryRun(bare) => (&**bare, true),
            request => (request, false),
        };
        let is_to_be_refused = match bare {
            Request::PutJob { draft, .. } => Some(family::is_to_be_refused(state, draft)),
            _ => None,
        };
        let mut question = Self {
            id,
            request: request.clone(),
            is_to_be_refused,
            reply: None,
            is_alone: !state.wake_at().has_come(now),
        };
        if is_dry {
            record.played.dry_runs += 1;
            question.ask_really(record, state, now, bare);
        } else if let Some(Self { request: Request::DryRun(said), reply, is_alone: true, .. }) =
            before
            && **said == *request
        {
            record.played.dry_runs_followed += 1;
            question.reply.clone_from(reply);
        }
        question
    }

    /// What the request itself would be answered at this moment. What parents did before is told to children first, so
    /// that a state in which that is to be done says nothing.
    fn ask_really(&mut self, record: &mut Record, state: &State, now: Now, bare: &Request) {
        if state.signals().len() > 0 {
            return;
        }
        let (id, request) = (self.id, bare.clone());
        self.reply = reply(&engine::step(state, now, &Event::Request { id, request }).effects, id);
        let request = self.request.clone();
        let dry = engine::step(state, now, &Event::Request { id, request });
        // What is believed of the clock is no business of the request, nor what comes again because it was set back.
        let is_judged = dry.changes.iter().any(|change| matches!(change, Change::ClockJudged(_)));
        let is_of_clock = |change: &Change| match change {
            Change::ClockJudged(_) => true,
            Change::StretchVoided { .. } | Change::Progressed { .. } => is_judged,
            _ => false,
        };
        if !dry.changes.iter().all(is_of_clock) || dry.effects.len() != 1 {
            record.violations.push(format!("a dry run of {bare:?} decides {dry:?}"));
        }
    }

    /// Whether it is answered as it must be.
    pub(crate) fn check(&self, record: &mut Record, effects: &[Effect]) {
        let Some(said) = reply(effects, self.id) else { return };
        if self.reply.as_ref().is_some_and(|reply| *reply != said) {
            let line =
                format!("{:?} is answered {said:?}, and {:?} otherwise", self.request, self.reply);
            record.violations.push(line);
        }
        let refused = match &said {
            Reply::Refused(rejection) => Some(rejection.field == "parents"),
            _ => None,
        };
        match (self.is_to_be_refused, refused) {
            (None, _) | (Some(false), None) => {}
            (Some(true), Some(true)) => record.played.refused += 1,
            (Some(_), _) => {
                let line = format!("{:?} is answered {said:?}", self.request);
                record.violations.push(line);
            }
        }
    }
}

fn reply(effects: &[Effect], wanted: RequestId) -> Option<Reply> {
    effects.iter().find_map(|effect| match effect {
        Effect::Reply(id, reply) if *id == wanted => Some(reply.clone()),
        Effect::Reply(..)
        | Effect::Launch(_)
        | Effect::Kill { .. }
        | Effect::Reconcile(_)
        | Effect::Acknowledge(_)
        | Effect::Release(_)
        | Effect::Demand(_) => None,
    })
}
