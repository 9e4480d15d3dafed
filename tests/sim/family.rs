//! Who is whose parent, by name: which requests are to be refused for it, and what a deleted job leaves its children.
//! Plain maps and a walk over them, knowing nothing of `graph`.

use std::collections::{BTreeMap, BTreeSet};

use chronode::engine::{Change, State};
use chronode::model::{JobDraft, JobName, ParentTerms, When};

use super::record::Record;
use super::spec::Way;

/// Whether a job must be refused because of its parents: one of them is not there, is the job itself, or waits for it.
pub(crate) fn is_to_be_refused(state: &State, draft: &JobDraft) -> bool {
    let When::Parents(terms) = &draft.when else { return false };
    let parents: BTreeMap<&JobName, &[JobName]> = state
        .jobs()
        .map(|entry| match &entry.job.when {
            When::Schedule(_) => (&entry.job.name, &[][..]),
            When::Parents(terms) => (&entry.job.name, &terms.names[..]),
        })
        .collect();
    let mut seen = BTreeSet::new();
    let mut to_see: Vec<&JobName> = terms.names.iter().collect();
    while let Some(name) = to_see.pop() {
        if *name == draft.name {
            return true;
        }
        // Whoever is there has parents that are there.
        let Some(above) = parents.get(name) else { return true };
        if seen.insert(name) {
            to_see.extend(above.iter());
        }
    }
    false
}

/// Whether the families of a state are those that were committed.
pub(crate) fn check_known(record: &mut Record, state: &State) {
    let known = record.names.keys().map(|name| {
        let present = record.present(name).expect("whoever is there has a definition");
        (name, present.way.to_model())
    });
    let known: BTreeMap<&JobName, When> = known.collect();
    let found: BTreeMap<&JobName, When> =
        state.jobs().map(|entry| (&entry.job.name, entry.job.when.clone())).collect();
    if known != found {
        let line = format!("the jobs are {found:?}, and {known:?} is committed");
        record.violations.push(line);
    }
}

/// What triggers the child `name` of a job whose removal is among what follows in the same batch.
pub(crate) fn inherited(record: &mut Record, name: &JobName, followed_by: &[Change]) -> Way {
    let way = record.present(name).expect("a child has a definition").way.clone();
    let removed = followed_by.iter().find_map(|change| {
        if let Change::JobRemoved { name, .. } = change { Some(name) } else { None }
    });
    let terms = way.parents().zip(removed).filter(|(terms, gone)| terms.names.contains(gone));
    let Some((terms, gone)) = terms else {
        record.violations.push(format!("`{name}` is stored again, and none of its parents goes"));
        return way;
    };
    record.played.inherited += 1;
    record.chains.handed_on(name, gone);
    match &record.present(gone).expect("a parent has a definition").way {
        Way::Schedule(schedule) if terms.names.len() == 1 => {
            Way::Schedule(schedule.clone().spread_by(gone.as_str()))
        }
        Way::Schedule(_) => in_place_of(terms, gone, &[]),
        Way::Parents(above) => in_place_of(terms, gone, &above.names),
    }
}

fn in_place_of(terms: &ParentTerms, gone: &JobName, above: &[JobName]) -> Way {
    let mut names: Vec<JobName> = Vec::new();
    for name in &terms.names {
        let follow = if name == gone { above } else { std::slice::from_ref(name) };
        for name in follow {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    Way::Parents(ParentTerms { names, ..terms.clone() })
}
