//! To Chronos: what it accepts, in its order, and what is lost.

use serde_json::{Value, json};

use super::importing::now;
use crate::migration::Weight;
use crate::migration::chronos::{Export, Exported, export};
use crate::model::Dialect;
use crate::schedule::ZoneDb;

fn sent(jobs: &[Value], generation: Dialect) -> Export {
    export(jobs, generation, now(), &ZoneDb::bundled())
}

fn job(changes: Value) -> Value {
    let mut job = json!({"name": "a", "command": "true", "schedule": "R/2026-12-01T04:00:00Z/P1D"});
    for (field, value) in changes.as_object().unwrap() {
        if value.is_null() {
            job.as_object_mut().unwrap().shift_remove(field);
        } else {
            job[field] = value.clone();
        }
    }
    job
}

fn one(changes: Value, generation: Dialect) -> Exported {
    sent(&[job(changes)], generation).jobs.remove(0)
}

#[test]
fn each_body_has_its_endpoint_and_parents_come_first() {
    let child =
        |name: &str, parents: &[&str]| json!({"name": name, "command": "x", "parents": parents});
    let jobs = [
        child("a", &["m", "z"]),
        child("m", &["z"]),
        job(json!({"name": "z"})),
        child("b", &["nobody"]),
    ];
    let export = sent(&jobs, Dialect::V1);
    let told: Vec<_> =
        export.jobs.iter().map(|it| (it.name.as_str(), it.endpoint, it.body.is_some())).collect();
    assert_eq!(
        told,
        [
            ("z", "/v1/scheduler/iso8601", true),
            ("m", "/v1/scheduler/dependency", true),
            ("a", "/v1/scheduler/dependency", true),
            ("b", "/v1/scheduler/dependency", false),
        ]
    );
    assert_eq!(sent(&jobs, Dialect::V0).jobs[0].endpoint, "/scheduler/iso8601");
}

#[test]
fn cron_expressions_become_intervals_or_are_told() {
    let it =
        one(json!({"schedule": "0 4 * * *", "scheduleTimeZone": "Europe/Berlin"}), Dialect::V1);
    let body = it.body.unwrap();
    assert_eq!(body["schedule"], "R/2026-11-27T04:00:00+01:00/P1D");
    assert_eq!(body["scheduleTimeZone"], "Europe/Berlin");
    let it = one(json!({"schedule": "0 9 * * MON-FRI"}), Dialect::V1);
    assert_eq!(it.body, None);
    assert!(it.findings[0].why.contains("no repeating interval"), "{:?}", it.findings);
}

#[test]
fn a_start_that_is_past_begins_with_the_next_one() {
    for (schedule, written) in [
        ("R/2020-01-01T04:00:00Z/P1D", "R/2026-11-27T04:00:00Z/P1D"),
        ("R10/2026-11-20T04:00:00Z/P1D", "R3/2026-11-27T04:00:00Z/P1D"),
        ("R2/2020-01-01T04:00:00Z/P1D", "R0/2020-01-01T04:00:00Z/P1D"),
        ("R/2027-01-01T04:00:00Z/P1D", "R/2027-01-01T04:00:00Z/P1D"),
        ("R0/2020-01-01T04:00:00Z/P1D", "R0/2020-01-01T04:00:00Z/P1D"),
        ("R//P1D", "R//P1D"),
    ] {
        let it = one(json!({"schedule": schedule}), Dialect::V1);
        assert_eq!(it.body.unwrap()["schedule"], written, "{schedule}: {:?}", it.findings);
    }
    let it = one(json!({"schedule": "R/2027-01-31T00:00:00Z/P1M"}), Dialect::V0);
    assert_eq!(it.weight(), Weight::Changes, "the 31st is lost there");
}

#[test]
fn what_chronos_has_no_word_for_is_dropped_and_told_or_keeps_the_job_here() {
    for (changes, generation, field, weight) in [
        (json!({"jitter": "PT5M"}), Dialect::V1, "jitter", Weight::Changes),
        (json!({"dst": {"gap": "skip"}}), Dialect::V1, "dst", Weight::Changes),
        (json!({"retryDelay": "PT5M"}), Dialect::V0, "retryDelay", Weight::Changes),
        (json!({"timeout": "PT5M"}), Dialect::V0, "timeout", Weight::Changes),
        (json!({"maxCompletionTime": 300}), Dialect::V1, "maxCompletionTime", Weight::Changes),
        (json!({"priority": "low"}), Dialect::V0, "priority", Weight::Changes),
        (json!({"overlap": "replace"}), Dialect::V0, "overlap", Weight::Changes),
        (json!({"overlap": "skip"}), Dialect::V1, "overlap", Weight::Changes),
        (json!({"catchUp": "all"}), Dialect::V0, "catchUp", Weight::Changes),
        (
            json!({"epsilon": "PT5M", "catchUp": "latest", "overlap": "queue"}),
            Dialect::V1,
            "epsilon",
            Weight::Changes,
        ),
        (json!({"arguments": ["a b"]}), Dialect::V1, "arguments", Weight::Changes),
        (json!({"shadow": true}), Dialect::V1, "shadow", Weight::NotCarried),
        (json!({"notAfter": "2027-01-01"}), Dialect::V1, "notAfter", Weight::NotCarried),
        (
            json!({"calendars": [{"name": "h", "use": "neverIn", "dates": ["12-25"]}]}),
            Dialect::V1,
            "calendars",
            Weight::NotCarried,
        ),
        (json!({"name": "a b"}), Dialect::V1, "name", Weight::NotCarried),
        (json!({"name": "a.b"}), Dialect::V0, "name", Weight::Same),
        (
            json!({"schedule": null, "parents": ["a"], "name": "b", "triggerRule": "any-failed"}),
            Dialect::V1,
            "triggerRule",
            Weight::NotCarried,
        ),
        (
            json!({"schedule": null, "parents": ["a"], "name": "b", "join": "due"}),
            Dialect::V1,
            "join",
            Weight::Changes,
        ),
        (
            json!({"container": {"image": "x", "network": "USER", "networkInfos": [{"name": "n"}]}}),
            Dialect::V0,
            "container.network",
            Weight::NotCarried,
        ),
    ] {
        let wanted = job(changes.clone());
        let jobs = if wanted["name"] == "a" {
            vec![wanted.clone()]
        } else {
            vec![job(json!({})), wanted.clone()]
        };
        let it =
            sent(&jobs, generation).jobs.into_iter().find(|it| it.name == wanted["name"]).unwrap();
        let told = it.findings.iter().find(|it| it.field == field);
        assert_eq!(told.map(|it| it.weight), Some(weight), "{changes}: {:#?}", it.findings);
        assert_eq!(it.body.is_none(), weight == Weight::NotCarried, "{changes}");
        let Some(body) = it.body else { continue };
        for ours in [
            "jitter",
            "dst",
            "retryDelay",
            "timeout",
            "priority",
            "overlap",
            "catchUp",
            "join",
            "shadow",
        ] {
            assert!(!body.contains_key(ours), "{changes}");
        }
    }
}

#[test]
fn secrets_stay_here_and_are_told_by_name() {
    let variables = json!([
        {"name": "TOKEN", "value": "***", "secret": true}, {"name": "STAGE", "value": "prod"},
    ]);
    let it = one(json!({"environmentVariables": variables}), Dialect::V1);
    assert_eq!(
        it.body.as_ref().unwrap()["environmentVariables"],
        json!([{"name": "STAGE", "value": "prod"}])
    );
    assert!(it.findings[0].chronode.contains("`TOKEN`"), "{:?}", it.findings);
    assert_eq!(it.weight(), Weight::Changes);
}

#[test]
fn downloads_are_never_in_both_lists() {
    let item = json!({"uri": "http://x/a", "executable": false, "cache": false, "extract": true});
    let lists = |changes: Value, generation| {
        let body = one(changes, generation).body.unwrap();
        json!([body.get("fetch"), body.get("uris")])
    };
    let both = json!({"fetch": [item], "uris": ["http://x/a"]});
    assert_eq!(lists(both, Dialect::V1), json!([[item], []]));
    assert_eq!(lists(json!({"uris": ["http://x/a"]}), Dialect::V1), json!([[], ["http://x/a"]]));
    assert_eq!(lists(json!({"uris": ["http://x/a"]}), Dialect::V0), json!([[item], []]));
}

/// Chronos would leave them out without a word.
#[test]
fn constraints_that_chronos_does_not_have_are_not_carried() {
    for operator in ["UNIQUE", "CLUSTER"] {
        let it = one(json!({"constraints": [["rack", operator, ""]]}), Dialect::V1);
        assert_eq!(it.body, None);
        assert_eq!(
            (it.findings[0].weight, it.findings[0].field.as_str()),
            (Weight::NotCarried, "constraints")
        );
    }
    let it = one(json!({"ports": 2, "placement": "spread"}), Dialect::V0);
    let fields: Vec<&str> = it.findings.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(fields, ["ports", "placement"]);
    assert!(it.body.is_some());
}
