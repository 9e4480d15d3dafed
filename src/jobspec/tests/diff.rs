//! What two definitions say differently: all of it, nothing else, and no secret.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::resolved;
use super::roundtrip::{dialect, job};
use crate::jobspec::{FieldChange, changes, print_definition, secret_names};
use crate::model::{Defaults, Dialect, EnvVar, Job, JobDraft, SECRET_SHOWN, Shadow};

/// `a` with those of its parts replaced by `b`'s whose bit is set.
fn mixed(a: &Job, b: &Job, bits: u64) -> Job {
    let mut mix = a.clone();
    let mut bit = 0;
    macro_rules! take {
        ($($field:ident),*) => {
            $(
                if bits & (1 << bit) != 0 {
                    mix.$field = b.$field.clone();
                }
                bit += 1;
            )*
        };
    }
    take!(command, shell, when, epsilon, executor, executor_flags, task_info_data, retries, retry);
    take!(owner, owner_name, description, is_async, resources, disabled, soft_error, priority);
    take!(data_processing, fetch, uris, environment, arguments, run_as_user, max_completion_secs);
    take!(
        kill_grace,
        disable_after_failures,
        on_unknown,
        container,
        constraints,
        overlap,
        placement
    );
    take!(catch_up, objectives, runbook, labels);
    assert_eq!(bit, 35, "every field but the name");
    mix
}

fn whole(job: &Job, dialect: Dialect, hidden: &BTreeSet<String>) -> Value {
    let mut printed = print_definition(job, dialect, hidden);
    let older = print_definition(job, Dialect::V0, hidden);
    for key in ["epsilon", "async"] {
        printed.insert(key.to_owned(), older[key].clone());
    }
    Value::Object(printed)
}

/// Where a path leads: `container.volumes[1].mode` as keys and places.
fn steps(path: &str) -> Vec<String> {
    path.replace('[', ".").replace(']', "").split('.').map(str::to_owned).collect()
}

/// Carries the changes out, those of a list's end last to first, so that places stay what they are.
fn carry_out(mut document: Value, changes: &[FieldChange]) -> Value {
    let (gone, put): (Vec<_>, Vec<_>) = changes.iter().partition(|it| it.new.is_none());
    for change in put.into_iter().chain(gone.into_iter().rev()) {
        let mut path = steps(&change.field);
        let last = path.pop().unwrap();
        let mut place = &mut document;
        for step in path {
            place = match place {
                Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
                place => &mut place[step],
            };
        }
        match (place, &change.new) {
            (Value::Array(items), None) => drop(items.remove(last.parse::<usize>().unwrap())),
            (Value::Array(items), Some(new)) => {
                let index: usize = last.parse().unwrap();
                if index == items.len() {
                    items.push(new.clone());
                } else {
                    assert_eq!(Some(&items[index]), change.old.as_ref());
                    items[index] = new.clone();
                }
            }
            (Value::Object(map), None) => assert_eq!(map.remove(&last), change.old),
            (Value::Object(map), Some(new)) => {
                assert_eq!(map.insert(last, new.clone()), change.old);
            }
            (other, _) => panic!("`{}` leads to {other}", change.field),
        }
    }
    document
}

proptest! {
    #[test]
    fn changes_carried_out_on_the_first_give_the_second(
        a in job(),
        b in job(),
        bits in any::<u64>(),
        dialect in dialect(),
    ) {
        let b = mixed(&a, &b, bits);
        let hidden = secret_names(&a);
        let found = changes(&a, &b, dialect, &hidden);
        let made = carry_out(whole(&a, dialect, &hidden), &found);
        prop_assert_eq!(made, whole(&b, dialect, &hidden));
    }

    #[test]
    fn nothing_is_told_of_definitions_that_are_the_same_and_of_those_alone(
        a in job(),
        b in job(),
        // One field at a time, or none, so that none hides another.
        bit in 0..36_u32,
        dialect in dialect(),
    ) {
        let b = mixed(&a, &b, 1_u64.checked_shl(bit).unwrap_or(0));
        let found = changes(&a, &b, dialect, &BTreeSet::new());
        prop_assert_eq!(found.is_empty(), a == b, "{:?}", found);
    }

    #[test]
    fn no_secret_is_told(mut a in job(), mut b in job(), dialect in dialect()) {
        for (job, value) in [(&mut a, "hush-old"), (&mut b, "hush-new")] {
            let name = "TOKEN".to_owned();
            job.environment.push(EnvVar { name, value: value.to_owned(), secret: true });
        }
        let found = changes(&a, &b, dialect, &BTreeSet::new());
        let told = format!("{found:?}");
        prop_assert!(!told.contains("hush-"));
    }

    #[test]
    fn a_draft_of_a_whole_job_is_that_job_whatever_was_there(
        job in job(),
        existing in proptest::option::of(self::job()),
        dialect in dialect(),
    ) {
        prop_assume!(job.environment.iter().all(|variable| variable.value != SECRET_SHOWN));
        // Once it is said from when on a job is ours, saying that it is another's does not take that back.
        let is_cut_over = existing.as_ref().is_some_and(|it| matches!(it.shadow, Shadow::Until(_)));
        prop_assume!(job.shadow != Shadow::On || !is_cut_over);
        let made = JobDraft::whole(job.clone()).resolve(
            existing.as_ref(),
            dialect,
            &Defaults { user: "somebody".to_owned(), ..Defaults::default() },
        );
        prop_assert_eq!(made, job);
    }
}

fn of(body: &Value) -> Job {
    resolved(body, Dialect::V0)
}

fn told(old: &Value, new: &Value, hidden: &[&str]) -> Vec<(String, Value, Value, bool)> {
    let hidden = hidden.iter().map(ToString::to_string).collect();
    let found = changes(&of(old), &of(new), Dialect::V0, &hidden);
    let null = |value: Option<Value>| value.unwrap_or_default();
    found.into_iter().map(|it| (it.field, null(it.old), null(it.new), it.is_secret)).collect()
}

#[test]
fn a_change_is_told_where_it_is() {
    let old = json!({"name": "a", "schedule": "@daily", "command": "x", "arguments": ["1", "2"],
                     "retryBackoff": {"factor": 2}, "environmentVariables": [{"name": "A", "value": "1"}]});
    let new = json!({"name": "a", "schedule": "@daily", "command": "y", "arguments": ["1"],
                     "retryBackoff": {"factor": 3}, "jitter": "PT1M",
                     "environmentVariables": [{"name": "A", "value": "2"}, {"name": "B", "value": "3"}]});
    let expected = [
        ("command".to_owned(), json!("x"), json!("y"), false),
        ("environmentVariables[0].value".to_owned(), json!("1"), json!("2"), false),
        (
            "environmentVariables[1]".to_owned(),
            Value::Null,
            json!({"name": "B", "value": "3"}),
            false,
        ),
        ("arguments[1]".to_owned(), json!("2"), Value::Null, false),
        ("retryBackoff.factor".to_owned(), json!(2), json!(3), false),
        ("jitter".to_owned(), Value::Null, json!("PT1M"), false),
    ];
    assert_eq!(told(&old, &new, &[]), expected);
    assert_eq!(told(&old, &old, &[]), []);
}

#[test]
fn of_a_secret_only_that_it_changed_is_told() {
    let with = |value: &str, secret: bool| {
        json!({"name": "a", "schedule": "@daily",
               "environmentVariables": [{"name": "T", "value": value, "secret": secret}]})
    };
    let value = "environmentVariables[0].value".to_owned();
    let stars = || json!("***");
    let changed = [(value, stars(), stars(), true)];
    assert_eq!(told(&with("one", true), &with("two", true), &[]), changed);
    assert_eq!(told(&with("one", true), &with("one", true), &[]), []);
    // What is a secret by now was written when it was none.
    assert_eq!(told(&with("one", false), &with("two", true), &["T"]), changed);
    let [revealed] = &told(&with("one", false), &with("one", true), &[])[..1] else { panic!() };
    assert_eq!(revealed.1, "one", "nothing is hidden that nobody calls a secret");
    let printed = print_definition(&of(&with("one", false)), Dialect::V1, &["T".to_owned()].into());
    assert_eq!(
        Value::Object(printed.clone())["environmentVariables"][0],
        json!({"name": "T", "value": "***", "secret": true})
    );
    let is_counted = |map: &Map<String, Value>| map.keys().any(|key| key.ends_with("Count"));
    assert!(!is_counted(&printed));
}
