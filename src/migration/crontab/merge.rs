//! Lines of several machines that are one job.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::import::Draft;
use crate::migration::finding::{Finding, Weight};
use crate::migration::imported::Imported;

/// Lines that say the same on several machines become one.
pub(super) fn merge(drafts: Vec<Draft>) -> Vec<Imported> {
    // What counts: everything but where, and the name.
    let key = |draft: &Draft| {
        let mut body = draft.job.body.clone().filter(|body| !body.contains_key("parents"))?;
        for field in ["name", "constraints", "labels"] {
            body.shift_remove(field);
        }
        Some(Value::Object(body).to_string())
    };
    let mut twins: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for draft in &drafts {
        if let (Some(key), Some(host)) = (key(draft), &draft.host) {
            twins.entry(key).or_default().insert(host.clone());
        }
    }
    let mut told = BTreeSet::new();
    let mut taken: BTreeSet<String> = drafts.iter().map(|draft| draft.job.name.clone()).collect();
    let mut jobs: Vec<Imported> = Vec::new();
    for draft in drafts {
        let hosts = key(&draft).and_then(|key| Some((twins.get(&key)?.clone(), key)));
        let Some((hosts, key)) = hosts.filter(|(hosts, _)| hosts.len() > 1) else {
            jobs.push(draft.job);
            continue;
        };
        if told.insert(key) {
            jobs.push(merged(draft, &hosts, &mut taken));
        }
    }
    jobs
}

fn merged(draft: Draft, hosts: &BTreeSet<String>, taken: &mut BTreeSet<String>) -> Imported {
    let Draft { mut job, host } = draft;
    let prefix = format!("{}.", host.unwrap_or_default());
    let name = job.name.strip_prefix(&prefix).unwrap_or(&job.name).to_owned();
    job.name = name.clone();
    for count in 2.. {
        if taken.insert(job.name.clone()) {
            break;
        }
        job.name = format!("{name}-{count}");
    }
    let list: Vec<&str> = hosts.iter().map(String::as_str).collect();
    if let Some(body) = &mut job.body {
        let pattern: Vec<String> = list.iter().map(|host| host.replace('.', r"\.")).collect();
        body.insert("name".to_owned(), job.name.clone().into());
        body.insert("constraints".to_owned(), json!([["hostname", "LIKE", pattern.join("|")]]));
        if let Some(Value::Object(labels)) = body.get_mut("labels") {
            labels.shift_remove("host");
        }
    }
    job.findings.push(
        Finding::new(
            Weight::Changes,
            "constraints",
            &format!("runs it on each of {}", list.join(", ")),
            "runs it once, on one of them",
        )
        .because("`--merge` was given")
        .remedy("leave `--merge` out if each machine needs its own run"),
    );
    job
}
