//! I7: once a later term has begun, nothing that an earlier one decides is stored, answered or carried out.

use chronode::engine::{Effect, Reply, RequestId};
use chronode::model::{Launch, Run, Term};

use super::record::Record;

/// When a batch has landed in the store.
pub(crate) fn check_stored(record: &mut Record, term: Term) {
    if record.is_deposed(term) {
        let line = format!("I7: the store takes a batch of term {}, which is over", term.0);
        record.violations.push(line);
    }
}

/// When a batch is stored: of the launches among its effects there are attempts from now on.
pub(crate) fn committed(record: &mut Record, term: Term, effects: &[Effect]) {
    for effect in effects {
        let Effect::Launch(launch) = effect else { continue };
        let live = record.live.get(&launch.run_id).and_then(Run::live_attempt);
        if live.is_some_and(|attempt| attempt.task_id == launch.task_id) {
            record.launches.insert(launch.task_id.clone(), term);
        }
    }
}

/// When a client hears the answer to a request to do something. What tells of something done must be in the store, which
/// takes nothing of a deposed leader.
pub(crate) fn check_answer(record: &mut Record, id: RequestId, reply: &Reply, is_stored: bool) {
    let tells_of_something = match reply {
        Reply::Stopping { count } => *count > 0,
        Reply::Dropped { count, .. } => *count > 0,
        // Those that were paused go on: there may be none, or all may be so already.
        Reply::Paused { names } => !names.is_empty(),
        Reply::SkippedAhead { .. } | Reply::Refused(_) | Reply::ApplyRefused(_) => false,
        // The same answer to a repetition tells of what was stored before.
        Reply::Triggered { run } => {
            !record.live.contains_key(run) && !record.ended.contains_key(run)
        }
        _ => true,
    };
    if tells_of_something && !is_stored {
        let line = format!("I7: request {} is answered {reply:?}, and nothing is stored", id.0);
        record.violations.push(line);
    }
}

/// When a launch is carried out: it was committed, by the term that ordered it, and the launcher has obeyed no later one.
pub(crate) fn check_launch(record: &mut Record, launch: &Launch, obeyed: Term) {
    let committed = record.launches.get(&launch.task_id).copied();
    if committed != Some(launch.term) || launch.term < obeyed {
        record.violations.push(format!(
            "I7: `{}` is launched in term {}, its launch was committed in {committed:?}, and term {} was obeyed",
            launch.task_id, launch.term.0, obeyed.0
        ));
    }
}
