//! What is remembered of requests with a key, by age and by caller: which of them is forgotten first.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{AnsweredRequest, Timestamp};

/// When each answer was given and under which key: of each caller, and of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answered {
    by_age: BTreeSet<(Timestamp, String)>,
    by_caller: BTreeMap<String, BTreeSet<(Timestamp, String)>>,
}

impl Answered {
    pub(super) fn add(&mut self, answered: &AnsweredRequest) {
        let AnsweredRequest { key, at, answer: _ } = answered;
        self.by_age.insert((*at, key.id.clone()));
        self.by_caller.entry(key.caller.clone()).or_default().insert((*at, key.id.clone()));
    }

    pub(super) fn remove(&mut self, answered: &AnsweredRequest) {
        let AnsweredRequest { key, at, answer: _ } = answered;
        let place = (*at, key.id.clone());
        self.by_age.remove(&place);
        if let Some(of_caller) = self.by_caller.get_mut(&key.caller) {
            of_caller.remove(&place);
            if of_caller.is_empty() {
                self.by_caller.remove(&key.caller);
            }
        }
    }

    /// The keys that are to be forgotten, at most `limit`, so that none is older than `oldest` and that there are at most
    /// `max`.
    ///
    /// Room is made by those who take most of it, with their oldest keys: whoever sends many cannot have those of others
    /// forgotten.
    pub(super) fn surplus(&self, oldest: Timestamp, max: usize, limit: usize) -> Vec<String> {
        let old = self.by_age.iter().take_while(|(at, _)| *at < oldest).take(limit);
        let mut found: Vec<String> = old.map(|(_, id)| id.clone()).collect();
        let mut count = self.by_age.len() - found.len();
        if count <= max {
            return found;
        }
        // How many each caller has, and those of them that are not found yet, oldest first.
        let is_old = |place: &&(Timestamp, String)| place.0 < oldest;
        let mut callers: Vec<_> =
            self.by_caller.values().map(|all| (all.len(), all.iter().skip_while(is_old))).collect();
        while count > max && found.len() < limit {
            let most =
                callers.iter_mut().max_by_key(|(left, _)| *left).filter(|(left, _)| *left > 0);
            let Some((left, keys)) = most else { break };
            match keys.next() {
                Some((_, id)) => {
                    found.push(id.clone());
                    *left -= 1;
                    count -= 1;
                }
                None => *left = 0,
            }
        }
        found
    }
}
