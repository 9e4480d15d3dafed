//! What a job says about its runs and attempts, about runs that meet, and about its parents.

use serde_json::{Value, json};

use super::refusals::refusal;
use super::{draft, problems, reading, record, resolved, with};
use crate::jobspec::{Derived, print, read};
use crate::model::{
    Backoff, CatchUp, Defaults, Dialect, Duration, Fitness, Job, Join, OnUnknown, Overlap,
    ParentTerms, Period, Priority, RetryEnds, RetryTerms, Scalar, TriggerRule, UnknownThen, When,
};

const BOTH: [Dialect; 2] = [Dialect::V0, Dialect::V1];

fn period(text: &str, secs: i64) -> Period {
    Period { text: text.to_owned(), span: Duration::from_secs(secs) }
}

/// The job of a body with these fields beside a name.
fn job(fields: Value, dialect: Dialect) -> Job {
    let mut body = fields;
    body["name"] = "a".into();
    resolved(&body, dialect)
}

/// What the door makes of `job` when a client reads it there, changes these fields and sends it back.
fn changed(job: &Job, dialect: Dialect, fields: &[(&str, Value)]) -> Job {
    let mut printed = Value::Object(print(&record(job.clone()), dialect, Derived::default()));
    for (field, value) in fields {
        printed[*field] = value.clone();
    }
    reading(&printed, dialect).draft.resolve(Some(job), dialect, &Defaults::default())
}

#[test]
fn overlaps_and_catch_ups_are_read() {
    for (value, expected) in [
        (json!("skip"), Overlap::Skip),
        (json!("allow"), Overlap::Allow { max: None }),
        (json!({"allow": 1}), Overlap::Allow { max: Some(1) }),
        (json!({"allow": "10000", "queue": null}), Overlap::Allow { max: Some(10_000) }),
        (json!("queue"), Overlap::Queue { max: 1 }),
        (json!({"queue": 7}), Overlap::Queue { max: 7 }),
        (json!("replace"), Overlap::Replace),
    ] {
        assert_eq!(draft(&with("overlap", value)).overlap, Some(expected));
    }
    for (value, expected) in [
        (json!("none"), CatchUp::None),
        (json!("latest"), CatchUp::Latest),
        (json!("all"), CatchUp::All { max: 100 }),
        (json!({"all": 1}), CatchUp::All { max: 1 }),
        (json!({"all": 1_000}), CatchUp::All { max: 1_000 }),
    ] {
        assert_eq!(draft(&with("catchUp", value)).catch_up, Some(expected));
    }
}

#[test]
fn a_bound_on_runs_side_by_side_survives_a_client_that_knows_concurrent_only() {
    let bounded = job(json!({"overlap": {"allow": 3}}), Dialect::V1);
    for dialect in BOTH {
        assert_eq!(changed(&bounded, dialect, &[]), bounded);
        assert_eq!(changed(&bounded, dialect, &[("retries", json!(5))]).overlap, bounded.overlap);
    }
}

/// A client reads a job, changes the word that it knows, and sends all back.
#[test]
fn of_the_two_words_for_overlap_the_changed_one_counts() {
    for (stored, field, value, expected) in [
        (json!("skip"), "concurrent", json!(true), Overlap::Allow { max: None }),
        (json!("replace"), "concurrent", json!(true), Overlap::Allow { max: None }),
        (json!({"allow": 3}), "concurrent", json!(false), Overlap::Skip),
        (json!("skip"), "overlap", json!("allow"), Overlap::Allow { max: None }),
        (json!({"allow": 3}), "overlap", json!({"allow": 4}), Overlap::Allow { max: Some(4) }),
        (json!({"allow": 3}), "overlap", json!("replace"), Overlap::Replace),
    ] {
        let job = job(json!({"overlap": stored}), Dialect::V0);
        for dialect in BOTH {
            // Only the new door prints `concurrent`; a client that sends it through the old one too knows both.
            let is_beside = matches!(job.overlap, Overlap::Allow { .. });
            let mut fields = vec![
                ("overlap", stored.clone()),
                ("concurrent", is_beside.into()),
                ("epsilon", json!("PT1M")),
            ];
            fields.push((field, value.clone()));
            let made = changed(&job, dialect, &fields);
            assert_eq!(made.overlap, expected, "{stored} {field} {value} {dialect:?}");
        }
    }
}

#[test]
fn retries_are_read() {
    let body = json!({
        "name": "a", "retryDelay": "PT30S", "retryOn": [75, "1", 75.0],
        "retryBackoff": {"factor": "1.5", "max": "PT60M", "jitter": 0.25}, "retryUntil": "PT360M",
    });
    let expected = RetryTerms {
        delay: Some(period("PT30S", 30)),
        backoff: Some(Backoff {
            factor: Scalar::from_thousandths(1_500),
            max: Some(period("PT60M", 3_600)),
            jitter: Scalar::from_thousandths(250),
        }),
        ends: RetryEnds::Codes(vec![75, 1]),
        until: Some(period("PT360M", 21_600)),
    };
    assert_eq!(draft(&body).retry, Some(expected));
    let retry = |field, value| draft(&with(field, value)).retry;
    let backoff =
        Backoff { factor: Scalar::from_thousandths(2_000), max: None, jitter: Scalar::ZERO };
    let expected = RetryTerms { backoff: Some(backoff), ..RetryTerms::default() };
    assert_eq!(retry("retryBackoff", json!({})), Some(expected));
    for (factor, thousandths) in [(json!(1), 1_000), (json!(1_000), 1_000_000)] {
        let terms = retry("retryBackoff", json!({"factor": factor, "jitter": 1})).unwrap();
        let Backoff { factor, max: _, jitter } = terms.backoff.unwrap();
        assert_eq!((factor.thousandths(), jitter.thousandths()), (thousandths, 1_000));
    }
    let never = RetryTerms { ends: RetryEnds::NotCodes(vec![2, 255]), ..RetryTerms::default() };
    assert_eq!(retry("noRetryOn", json!([2, 255, 2])), Some(never.clone()));
    let at_once = RetryTerms { delay: Some(period("PT0S", 0)), ..RetryTerms::default() };
    assert_eq!(retry("retryDelay", json!("PT0S")), Some(at_once));
    // An empty list says nothing, also beside the other one.
    assert_eq!(retry("retryOn", json!([])), None);
    let body = json!({"name": "a", "retryOn": [], "noRetryOn": [2, 255]});
    assert_eq!(draft(&body).retry, Some(never));
    let most: Vec<u32> = (1..=255).collect();
    assert!(matches!(
        retry("retryOn", json!(most)).unwrap().ends,
        RetryEnds::Codes(codes) if codes.len() == 255
    ));
}

#[test]
fn a_time_out_is_read_under_both_names_at_both_doors() {
    for dialect in BOTH {
        let secs = |fields| job(fields, dialect).max_completion_secs;
        assert_eq!(secs(json!({"timeout": "PT10M"})), 600);
        assert_eq!(secs(json!({"maxCompletionTime": 600})), 600);
        assert_eq!(secs(json!({"timeout": "PT10M", "maxCompletionTime": "600"})), 600);
        assert_eq!(secs(json!({"timeout": "PT0S"})), 0);
        assert_eq!(secs(json!({"timeout": "PT0S", "maxCompletionTime": 0})), 0);
        assert_eq!(secs(json!({"timeout": "PT9223372036S"})), 9_223_372_036);
        assert_eq!(secs(json!({})), 0);
    }
}

#[test]
fn a_time_out_is_changed_through_the_name_that_the_door_prints() {
    let limited = job(json!({"timeout": "PT10M"}), Dialect::V0);
    let secs =
        |dialect, field, value| changed(&limited, dialect, &[(field, value)]).max_completion_secs;
    assert_eq!(secs(Dialect::V0, "timeout", json!("PT20M")), 1_200);
    assert_eq!(secs(Dialect::V1, "maxCompletionTime", json!(1_200)), 1_200);
    assert_eq!(secs(Dialect::V0, "timeout", json!("PT0S")), 0);
    assert_eq!(secs(Dialect::V1, "maxCompletionTime", json!(0)), 0);
    // A client of Chronos 2 never heard of it, so it cannot have meant to drop it.
    assert_eq!(secs(Dialect::V0, "timeout", Value::Null), 600);
    assert_eq!(secs(Dialect::V1, "maxCompletionTime", Value::Null), 0);
}

#[test]
fn stops_failures_and_doubt_are_read() {
    let body = json!({
        "name": "a", "killGrace": "PT30S", "disableAfterFailures": "3",
        "onUnknown": {"wait": "PT5M", "then": "relaunch"},
    });
    let draft = draft(&body);
    assert_eq!(draft.kill_grace, Some(period("PT30S", 30)));
    assert_eq!(draft.disable_after_failures, Some(3));
    let expected = OnUnknown { wait: period("PT5M", 300), then: UnknownThen::Relaunch };
    assert_eq!(draft.on_unknown, Some(expected));
    let on_unknown = |value| super::draft(&with("onUnknown", value)).on_unknown.unwrap();
    assert_eq!(on_unknown(json!({})), OnUnknown::default());
    let wait = period("PT0S", 0);
    let expected = OnUnknown { wait, then: UnknownThen::Lost };
    assert_eq!(on_unknown(json!({"wait": "PT0S", "then": null})), expected);
    // 0 is never, whatever the process was started with; nothing is what it was started with.
    for (value, expected) in
        [(json!(0), Some(0)), (json!(1_000_000), Some(1_000_000)), (Value::Null, None)]
    {
        let body = with("disableAfterFailures", value);
        assert_eq!(super::draft(&body).disable_after_failures, expected);
    }
}

#[test]
fn ports_and_placement_are_read_and_printed_where_they_say_something() {
    let said = job(json!({"ports": 3, "placement": "spread"}), Dialect::V0);
    assert_eq!((said.resources.ports, said.placement), (3, Fitness::Spread));
    let silent = job(json!({"ports": 0, "placement": "pack"}), Dialect::V0);
    assert_eq!(silent, job(json!({}), Dialect::V0));
    for dialect in BOTH {
        assert_eq!(changed(&said, dialect, &[]), said);
        assert_eq!(changed(&said, dialect, &[("ports", json!(0))]).resources.ports, 0);
    }
}

#[test]
fn what_compares_runs_needs_no_value_and_is_printed_as_chronos_prints_constraints() {
    let short = job(json!({"constraints": [["rack", "UNIQUE"], ["dc", "CLUSTER"]]}), Dialect::V0);
    let long = json!({"constraints": [["rack", "UNIQUE", ""], ["dc", "CLUSTER", ""]]});
    assert_eq!(short, job(long.clone(), Dialect::V0));
    let at = job(json!({"constraints": [["dc", "CLUSTER", "north"]]}), Dialect::V0);
    assert_eq!(at.constraints[0].value, "north");
    for dialect in BOTH {
        let printed = print(&record(short.clone()), dialect, Derived::default());
        assert_eq!(printed["constraints"], long["constraints"]);
    }
}

#[test]
fn priority_is_read_under_both_names() {
    for (fields, expected) in [
        (json!({}), Priority::Normal),
        (json!({"highPriority": true}), Priority::High),
        (json!({"highPriority": "false"}), Priority::Normal),
        (json!({"priority": "low"}), Priority::Low),
        (json!({"priority": "normal"}), Priority::Normal),
        (json!({"priority": "high"}), Priority::High),
        (json!({"priority": "high", "highPriority": true}), Priority::High),
        (json!({"priority": "high", "highPriority": false}), Priority::High),
        (json!({"priority": "low", "highPriority": false}), Priority::Low),
    ] {
        for dialect in BOTH {
            assert_eq!(job(fields.clone(), dialect).priority, expected, "{fields}");
        }
    }
    let low = job(json!({"priority": "low"}), Dialect::V0);
    for dialect in BOTH {
        assert_eq!(changed(&low, dialect, &[("priority", json!("high"))]).priority, Priority::High);
        assert_eq!(changed(&low, dialect, &[]).priority, Priority::Low);
    }
}

#[test]
fn what_parents_must_have_done_is_read() {
    let terms = |rule: Value, join: Value| {
        let body = json!({"name": "a", "parents": ["b", "c"], "triggerRule": rule, "join": join});
        let reading = reading(&body, Dialect::V1);
        assert_eq!(reading.warnings, []);
        let When::Parents(terms) = reading.draft.when else { panic!("parents") };
        terms
    };
    let plain = terms(Value::Null, Value::Null);
    assert_eq!(plain, ParentTerms::plain(plain.names.clone()));
    for rule in TriggerRule::ALL {
        assert_eq!(terms(json!(rule.as_str()), Value::Null).rule, rule);
    }
    for join in [Join::Round, Join::Due] {
        assert_eq!(terms(Value::Null, json!(join.as_str())).join, join);
    }
}

#[test]
fn what_parents_must_have_done_has_no_effect_without_parents() {
    let body = json!({
        "name": "a", "schedule": "R1//PT1M", "triggerRule": "any-failed", "join": "due",
    });
    let reading = reading(&body, Dialect::V0);
    let told: Vec<_> = reading.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "`triggerRule` has no effect: the job has no `parents`",
            "`join` has no effect: the job has no `parents`",
        ]
    );
}

#[test]
fn a_thousand_parents_are_read() {
    let names: Vec<String> = (0..1_000).map(|index| format!("p{index}")).collect();
    let body = json!({"name": "a", "parents": names});
    assert!(matches!(draft(&body).when, When::Parents(terms) if terms.names.len() == 1_000));
}

#[test]
fn what_says_one_thing_in_two_words_may_not_contradict_itself() {
    for (body, expected) in [
        (
            json!({"name": "a", "timeout": "PT2M", "maxCompletionTime": 60}),
            "`timeout` is `PT2M` and `maxCompletionTime` is `60`, which is not the same: leave one of them out",
        ),
        (
            json!({"name": "a", "timeout": "PT0S", "maxCompletionTime": 1}),
            "`timeout` is `PT0S` and `maxCompletionTime` is `1`, which is not the same: leave one of them out",
        ),
        (
            json!({"name": "a", "priority": "low", "highPriority": true}),
            "`priority` contradicts `highPriority`, which is `true`: leave one of them out",
        ),
        (
            json!({"name": "a", "priority": "normal", "highPriority": true}),
            "`priority` contradicts `highPriority`, which is `true`: leave one of them out",
        ),
        (
            json!({"name": "a", "retryOn": [75], "noRetryOn": [2]}),
            "`noRetryOn` has no place beside `retryOn`, which names all that is tried again: leave one of them out",
        ),
    ] {
        for dialect in [Dialect::V0, Dialect::V1] {
            let problems = problems(&body, dialect);
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert_eq!(problems[0].to_string(), expected);
        }
    }
}

#[test]
fn what_a_job_says_about_its_runs_is_refused_by_name() {
    let overlaps = "write `skip`, `queue`, `{\"queue\": 3}`, `replace`, `allow` or `{\"allow\": 3}`, or leave it out";
    let catch_ups = "write `none`, `latest`, `all` or `{\"all\": 10}`, or leave it out";
    let backoff = |field: &str, value: Value| json!({field: value});
    for (field, value, expected) in [
        ("overlap", json!("kill"), format!("overlap | `overlap` is `kill`, which is not known: {overlaps}")),
        ("overlap", json!({}), format!("overlap | `overlap` is an object without `queue` or `allow`: {overlaps}")),
        (
            "overlap",
            json!({"queue": 1, "allow": 1}),
            format!("overlap | `overlap` is an object with both `queue` and `allow`: {overlaps}"),
        ),
        ("overlap", json!({"queue": 0}), less("overlap.queue", 0, 1)),
        ("overlap", json!({"queue": 1_001}), more("overlap.queue", 1_001, 1_000)),
        ("overlap", json!({"allow": 0}), less("overlap.allow", 0, 1)),
        ("overlap", json!({"allow": 10_001}), more("overlap.allow", 10_001, 10_000)),
        ("catchUp", json!("every"), format!("catchUp | `catchUp` is `every`, which is not known: {catch_ups}")),
        ("catchUp", json!({}), format!("catchUp | `catchUp` is an object without `all`: {catch_ups}")),
        ("catchUp", json!({"all": 0}), less("catchUp.all", 0, 1)),
        ("catchUp", json!({"all": 1_001}), more("catchUp.all", 1_001, 1_000)),
        ("retryDelay", json!(30), no_period("retryDelay", "30", "PT30S")),
        ("retryDelay", json!("PT-5S"), negative("retryDelay", "PT-5S", "PT30S")),
        ("retryUntil", json!("1h"), no_period("retryUntil", "1h", "PT6H")),
        ("retryUntil", json!("PT-1M"), negative("retryUntil", "PT-1M", "PT6H")),
        ("killGrace", json!("soon"), no_period("killGrace", "soon", "PT30S")),
        ("killGrace", json!("PT-1S"), negative("killGrace", "PT-1S", "PT30S")),
        ("timeout", json!(600), no_period("timeout", "600", "PT10M")),
        ("timeout", json!("PT-1S"), negative("timeout", "PT-1S", "PT10M")),
        (
            "timeout",
            json!("PT9223372037S"),
            "timeout | `timeout` is `PT9223372037S`, which is more than 9223372036 seconds: write a period such as `PT10M`, or leave it out".to_owned(),
        ),
        (
            "retryBackoff",
            json!(2),
            "retryBackoff | `retryBackoff` is a number, which is no object: write an object with fields such as `factor`, `max`, `jitter`".to_owned(),
        ),
        ("retryBackoff", backoff("factor", json!(0.9995)), bounds("factor", "0.9995", "less than 1", 1, 1_000)),
        ("retryBackoff", backoff("factor", json!(1_000.1)), bounds("factor", "1000.1", "more than 1000", 1, 1_000)),
        ("retryBackoff", backoff("factor", json!(-2)), bounds("factor", "-2", "less than 1", 1, 1_000)),
        (
            "retryBackoff",
            backoff("factor", json!("fast")),
            "retryBackoff.factor | `retryBackoff.factor` is `fast`, which is no number: write a number such as `0.5`, or leave it out".to_owned(),
        ),
        ("retryBackoff", backoff("jitter", json!(1.001)), bounds("jitter", "1.001", "more than 1", 0, 1)),
        ("retryBackoff", backoff("jitter", json!(-0.1)), bounds("jitter", "-0.1", "less than 0", 0, 1)),
        ("retryBackoff", backoff("jitter", json!(0.0001)), bounds("jitter", "0.0001", "less than a thousandth", 0, 1)),
        ("retryBackoff", backoff("max", json!("x")), no_period("retryBackoff.max", "x", "PT1H")),
        (
            "retryBackoff",
            backoff("max", json!("PT0S")),
            "retryBackoff.max | `retryBackoff.max` is `PT0S`, which leaves no pause: write a period such as `PT1H`, or leave it out".to_owned(),
        ),
        (
            "retryOn",
            json!(75),
            "retryOn | `retryOn` is `75`, which is no list: write a list, or leave it out".to_owned(),
        ),
        ("retryOn", json!([75, 0]), less("retryOn[1]", 0, 1)),
        ("retryOn", json!([256]), more("retryOn[0]", 256, 255)),
        ("noRetryOn", json!([-1]), less("noRetryOn[0]", -1, 1)),
        (
            "noRetryOn",
            json!(["x"]),
            "noRetryOn[0] | `noRetryOn[0]` is `x`, which is no whole number: write a whole number such as `2`, or leave it out".to_owned(),
        ),
        (
            "noRetryOn",
            json!(vec![2; 257]),
            "noRetryOn | `noRetryOn` has 257 items; at most 256 are allowed: shorten it".to_owned(),
        ),
        ("disableAfterFailures", json!(-1), less("disableAfterFailures", -1, 0)),
        ("disableAfterFailures", json!(1_000_001), more("disableAfterFailures", 1_000_001, 1_000_000)),
        ("priority", json!("urgent"), unknown("priority", "urgent", "`low`, `normal` or `high`")),
        ("priority", json!(5), unknown("priority", "5", "`low`, `normal` or `high`")),
        ("ports", json!(-1), less("ports", -1, 0)),
        ("ports", json!(101), more("ports", 101, 100)),
        ("placement", json!("random"), unknown("placement", "random", "`pack` or `spread`")),
        (
            "onUnknown",
            json!("lost"),
            "onUnknown | `onUnknown` is a text, which is no object: write an object with fields such as `wait`, `then`".to_owned(),
        ),
        ("onUnknown", json!({"then": "retry"}), unknown("onUnknown.then", "retry", "`lost` or `relaunch`")),
        ("onUnknown", json!({"wait": 5}), no_period("onUnknown.wait", "5", "PT5M")),
        ("onUnknown", json!({"wait": "PT-1S"}), negative("onUnknown.wait", "PT-1S", "PT5M")),
        (
            "triggerRule",
            json!("all"),
            unknown("triggerRule", "all", "`all-succeeded`, `all-done`, `any-succeeded` or `any-failed`"),
        ),
        ("join", json!("day"), unknown("join", "day", "`round` or `due`")),
        (
            "parents",
            json!((0..1_001).map(|index| format!("p{index}")).collect::<Vec<_>>()),
            "parents | `parents` has 1001 items; at most 1000 are allowed: shorten it".to_owned(),
        ),
    ] {
        assert_eq!(refusal(field, value), expected);
    }
}

fn less(path: &str, found: i64, least: i64) -> String {
    format!("{path} | `{path}` is `{found}`, which is less than {least}: write {least} or more")
}

fn more(path: &str, found: i64, most: i64) -> String {
    format!("{path} | `{path}` is `{found}`, which is more than {most}: write at most {most}")
}

fn bounds(key: &str, found: &str, wrong: &str, least: i64, most: i64) -> String {
    let path = format!("retryBackoff.{key}");
    format!(
        "{path} | `{path}` is `{found}`, which is {wrong}: write a number from {least} to {most}, \
         or leave it out"
    )
}

fn no_period(path: &str, found: &str, example: &str) -> String {
    format!(
        "{path} | `{path}`: `{found}` is not a period: write a period such as `{example}`, or leave \
         it out"
    )
}

fn negative(path: &str, found: &str, example: &str) -> String {
    format!(
        "{path} | `{path}` is `{found}`, which is negative: write a period such as `{example}`, or \
         leave it out"
    )
}

fn unknown(path: &str, found: &str, words: &str) -> String {
    format!("{path} | `{path}` is `{found}`, which is not known: write {words}, or leave it out")
}

/// The real reader of periods lets through what the one of these tests does not know.
#[test]
fn a_time_out_of_parts_of_a_second_is_refused() {
    let half = |_: &str| Ok(crate::model::Duration::from_millis(1_500));
    let problems = read(&with("timeout", json!("PT1.5S")), Dialect::V1, &half).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "`timeout` is `PT1.5S`, which is no whole number of seconds: write a period such as \
         `PT10M`, or leave it out"
    );
}
