//! Quirks of Chronos, refusals, and the round trip. Each test is a row of the compatibility sheet or a DIFFERENCE.

mod diff;
mod files;
mod objective;
mod policy;
mod printing;
mod refusals;
pub(crate) mod roundtrip;
mod schema;

use serde_json::{Value, json};

use super::{Problem, Reading, read};
use crate::model::{Defaults, Incarnation, Interventions, JobStats, Priority, Progress};
use crate::model::{Dialect, Duration, Job, JobDraft, JobRecord, ScheduleTerms, Timestamp, When};

/// `PT<n>S` and `PT<n>M`: enough for these tests, which are not about periods.
fn parse_period(text: &str) -> Result<Duration, String> {
    let refused = || format!("`{text}` is not a period");
    let digits = text.strip_prefix("PT").ok_or_else(refused)?;
    let (digits, secs) = digits
        .strip_suffix('S')
        .map(|digits| (digits, 1))
        .or_else(|| digits.strip_suffix('M').map(|digits| (digits, 60)))
        .ok_or_else(refused)?;
    let count: i64 = digits.parse().map_err(|_| refused())?;
    Ok(Duration::from_secs(count * secs))
}

fn reading(value: &Value, dialect: Dialect) -> Reading {
    read(value, dialect, &parse_period).unwrap_or_else(|problems| panic!("{value}: {problems:?}"))
}

fn draft(value: &Value) -> JobDraft {
    reading(value, Dialect::V0).draft
}

fn problems(value: &Value, dialect: Dialect) -> Vec<Problem> {
    read(value, dialect, &parse_period).expect_err("refused")
}

/// A body with nothing but a name and one more field.
fn with(field: &str, value: Value) -> Value {
    let mut body = json!({"name": "a"});
    body[field] = value;
    body
}

pub(crate) fn record(job: Job) -> JobRecord {
    JobRecord {
        incarnation: Incarnation(1),
        revision: 1,
        accepted_at: Timestamp::UNIX_EPOCH,
        job,
        stats: JobStats::default(),
        progress: Progress {
            decided_through: Timestamp::UNIX_EPOCH,
            stretch: None,
            boot_id: None,
            rounds: Vec::new(),
        },
        interventions: Interventions::default(),
    }
}

fn resolved(body: &Value, dialect: Dialect) -> Job {
    reading(body, dialect).draft.resolve(None, dialect, &Defaults::default())
}

#[test]
fn scalars_are_read_as_leniently_as_in_chronos() {
    let draft = draft(&json!({
        "name": 36, "command": true, "cpus": "0.5", "mem": "512", "disk": 7, "retries": " 3 ",
        "disabled": "true", "softError": 1, "highPriority": "false", "maxCompletionTime": 60.0,
        "arguments": [1, 2.5, false, "x"], "epsilon": "PT5M",
    }));
    assert_eq!(draft.name.as_str(), "36");
    assert_eq!(draft.command.as_deref(), Some("true"));
    assert_eq!(draft.cpus.unwrap().to_string(), "0.5");
    assert_eq!(draft.mem.unwrap().to_string(), "512.0");
    assert_eq!(draft.disk.unwrap().to_string(), "7.0");
    assert_eq!(draft.retries, Some(3));
    assert_eq!(draft.disabled, Some(true));
    assert_eq!(draft.soft_error, Some(true));
    assert_eq!(draft.priority, Some(Priority::Normal));
    assert_eq!(draft.max_completion_secs, Some(60));
    assert_eq!(draft.arguments.unwrap(), ["1", "2.5", "false", "x"]);
    let epsilon = draft.epsilon.unwrap();
    assert_eq!((epsilon.text.as_str(), epsilon.span), ("PT5M", Duration::from_mins(5)));
}

#[test]
fn null_is_absence_in_every_field() {
    let mut body = json!({"name": "a"});
    for field in super::known::JOB.iter().filter(|&&field| field != "name") {
        body[*field] = Value::Null;
    }
    body["unknown"] = Value::Null;
    for dialect in [Dialect::V0, Dialect::V1] {
        assert_eq!(reading(&body, dialect), reading(&json!({"name": "a"}), dialect));
    }
    let nested = draft(&json!({"name": "a", "container": {
        "type": null, "image": "x", "network": null, "networkInfos": null, "parameters": null,
        "volumes": [{"hostPath": null, "containerPath": "/a", "mode": null, "external": null}],
    }}));
    assert_eq!(nested.container.unwrap().volumes.len(), 1);
}

#[test]
fn neither_schedule_nor_parents_is_once_now() {
    let when = |body: Value| draft(&body).when;
    let schedule = |text: &str, zone: &str| When::Schedule(ScheduleTerms::plain(text, zone));
    assert_eq!(when(json!({"name": "a"})), schedule("R1//PT24H", ""));
    assert_eq!(when(with("scheduleTimeZone", json!("UTC"))), schedule("R1//PT24H", "UTC"));
    assert_eq!(when(with("schedule", json!("R1//PT1M"))), schedule("R1//PT1M", ""));
}

#[test]
fn parents_win_over_schedule_and_lose_duplicates() {
    let body = json!({"name": "a", "parents": ["c", "b c", "c"], "schedule": "R1//PT1M"});
    let reading = reading(&body, Dialect::V1);
    let When::Parents(terms) = reading.draft.when else { panic!("parents") };
    let parents: Vec<_> = terms.names.iter().map(|name| name.as_str()).collect();
    assert_eq!(parents, ["c", "b c"]);
    assert_eq!(
        reading.warnings[0].to_string(),
        "`schedule` has no effect: the job runs after its `parents`"
    );
}

#[test]
fn what_is_said_about_occurrences_has_no_effect_beside_parents() {
    let body = json!({
        "name": "a", "parents": ["b"], "scheduleTimeZone": "UTC", "dst": {"gap": "skip"},
        "jitter": "PT1M", "notBefore": "2026-01-01", "notAfter": "2027-01-01",
        "calendars": [{"name": "c", "use": "onlyIn", "weekdays": ["MON"]}],
    });
    let reading = reading(&body, Dialect::V0);
    assert!(matches!(reading.draft.when, When::Parents(_)));
    let warned: Vec<_> = reading.warnings.iter().map(|warning| &*warning.field).collect();
    let expected = ["scheduleTimeZone", "dst", "jitter", "notBefore", "notAfter", "calendars"];
    assert_eq!(warned, expected);
    assert_eq!(
        reading.warnings[2].message,
        "`jitter` has no effect: the job runs after its `parents`"
    );
    let silent = json!({
        "name": "a", "parents": ["b"], "schedule": "", "dst": {}, "notAfter": "", "calendars": [],
    });
    assert_eq!(self::reading(&silent, Dialect::V0).warnings, []);
}

#[test]
fn the_examples_of_chronos_are_read() {
    let nightly = draft(&json!({
        "name": "nightly-report", "command": "/opt/report/run.sh --full",
        "schedule": "R/2030-01-01T02:30:00Z/P1D", "scheduleTimeZone": "Europe/Berlin",
        "owner": "data@example.org", "retries": 3, "cpus": 0.25, "mem": 256, "disk": 128,
        "environmentVariables": [{"name": "STAGE", "value": "prod"}],
        "constraints": [["rack", "LIKE", "r-[12]"]],
    }));
    assert_eq!(nightly.environment.unwrap()[0].value, "prod");
    assert_eq!(nightly.constraints.unwrap()[0].value, "r-[12]");
    let mail = draft(&json!({
        "name": "report-mail", "command": "/opt/report/mail.sh",
        "parents": ["nightly-report", "exchange-rates"], "owner": "data@example.org", "retries": 1,
    }));
    assert!(matches!(mail.when, When::Parents(terms) if terms.names.len() == 2));
}

#[test]
fn a_regular_expression_that_costs_too_much_is_refused_before_it_is_read() {
    let refused = |constraints: Value| {
        let found = problems(&with("constraints", constraints), Dialect::V0);
        let told = found.into_iter().map(|it| (it.field, it.message, it.remedy));
        told.collect::<Vec<_>>()
    };
    let long = format!("(?i){}", r"\pL".repeat(20_000));
    for operator in ["LIKE", "UNLIKE"] {
        let found = refused(json!([["rack", operator, long]]));
        let [(field, message, remedy)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(field, "constraints[0][2]");
        assert_eq!(
            message,
            "`constraints[0][2]` is a regular expression of 60004 bytes; at most 1024 are allowed"
        );
        assert!(remedy.contains("shorten it"), "{remedy}");
    }
    // What is compared as it stands may be long, and a text at the bound may be an expression.
    let bound = "a".repeat(1_024);
    let accepted = json!([["rack", "EQUALS", "a".repeat(60_000)], ["rack", "LIKE", bound]]);
    assert_eq!(draft(&with("constraints", accepted)).constraints.unwrap().len(), 2);
    // Many short ones cost as much as a long one.
    let found = refused((0..100).map(|_| json!(["rack", "LIKE", "a".repeat(1_000)])).collect());
    let [(field, message, remedy)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(field, "constraints");
    assert!(message.ends_with("have more than 4096 bytes up to `constraints[4][2]`"), "{message}");
    assert!(remedy.contains("leave some out"), "{remedy}");
    // So do groups inside each other.
    let nested = |depth| json!([["rack", "LIKE", "(".repeat(depth) + "a" + &")".repeat(depth)]]);
    assert_eq!(draft(&with("constraints", nested(20))).constraints.unwrap().len(), 1);
    let found = refused(nested(100));
    assert!(found[0].1.contains("is no regular expression"), "{found:?}");
}

#[test]
fn the_default_of_extract_follows_the_door() {
    let body = with("fetch", json!([{"uri": "http://x/a.tgz"}]));
    for (dialect, extract) in [(Dialect::V0, false), (Dialect::V1, true)] {
        assert_eq!(reading(&body, dialect).draft.fetch.unwrap()[0].extract, extract);
    }
}

#[test]
fn what_the_list_mirrors_is_accepted_back() {
    for given in ["fetch", "uris"] {
        for dialect in [Dialect::V0, Dialect::V1] {
            let items = match given {
                "uris" => json!(["http://x/a", "http://x/b"]),
                _ => json!([{"uri": "http://x/a", "extract": true}, {"uri": "http://x/b"}]),
            };
            let job = resolved(&with(given, items), dialect);
            let mut printed = super::print(&record(job), dialect, super::Derived::default());
            super::mirror(&mut printed, dialect);
            assert_eq!(printed["uris"], json!(["http://x/a", "http://x/b"]));
            let extract = printed["fetch"][1]["extract"].as_bool();
            assert_eq!(extract, Some(dialect == Dialect::V1));
            let again = resolved(&Value::Object(printed.clone()), dialect);
            assert_eq!((again.fetch.len(), again.uris.len()), (2, 0));
            // A second time round changes nothing any more.
            let mut second = super::print(&record(again), dialect, super::Derived::default());
            super::mirror(&mut second, dialect);
            assert_eq!(second, printed);
        }
    }
}

#[test]
fn what_is_only_printed_means_nothing_when_it_is_sent_back() {
    for field in ["nextDue", "remaining", "waitsFor", "revision"] {
        assert_eq!(reading(&with(field, json!({})), Dialect::V0).unknown, []);
    }
}

#[test]
fn unknown_fields_pass_with_a_hint() {
    let body = json!({
        "name": "a", "comand": "x", "colour": 1, "container": {"image": "i", "netwrk": "HOST"},
        "fetch": [{"uri": "x", "outputFile": "y"}], "splay": "PT1M", "dst": {"folds": "both"},
        "timelimit": 5, "retryBackoff": {"multiplier": 3}, "onUnknown": {"than": "lost"},
        "overlap": {"queue": 2, "alow": 3}, "catchUp": {"all": 2, "max": 3},
        "calendars": [{"name": "c", "use": "onlyIn", "date": "12-25", "weekdays": ["MON"]}],
    });
    let reading = reading(&body, Dialect::V0);
    let told: Vec<_> = reading.unknown.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "unknown field `comand` has no effect: did you mean `command`?",
            "unknown field `colour` has no effect",
            "unknown field `splay` has no effect: did you mean `jitter`?",
            "unknown field `timelimit` has no effect: did you mean `timeout`?",
            "unknown field `dst.folds` has no effect: did you mean `fold`?",
            "unknown field `calendars[0].date` has no effect: did you mean `dates`?",
            "unknown field `retryBackoff.multiplier` has no effect: did you mean `factor`?",
            "unknown field `fetch[0].outputFile` has no effect: did you mean `output_file`?",
            "unknown field `onUnknown.than` has no effect: did you mean `then`?",
            "unknown field `container.netwrk` has no effect: did you mean `network`?",
            "unknown field `overlap.alow` has no effect: did you mean `allow`?",
            "unknown field `catchUp.max` has no effect",
        ]
    );
}

#[test]
fn a_container_without_image_is_refused_or_told() {
    let body = with("container", json!({"type": "DOCKER", "parameters": []}));
    assert_eq!(problems(&body, Dialect::V0)[0].field, "container.image");
    let reading = reading(&body, Dialect::V1);
    assert_eq!(reading.draft.container, None);
    assert_eq!(reading.warnings[0].message, "`container` has no `image` and has no effect");
}

#[test]
fn a_known_name_is_not_judged_again() {
    let body = json!({"name": "a b"});
    assert!(read(&body, Dialect::V1, &parse_period).is_err());
    assert!(read(&body, Dialect::V0, &parse_period).is_ok());
    let names = crate::model::NameRule::Blanks;
    assert!(super::read_as(&body, Dialect::V1, names, &parse_period).is_ok());
}

#[test]
fn statistics_are_taken_over() {
    let stats = draft(&json!({
        "name": "a", "successCount": 5, "errorCount": "2", "errorsSinceLastSuccess": 1,
        "lastSuccess": "2030-01-01T02:31:05.123Z", "lastError": "",
    }))
    .stats;
    assert_eq!(
        (stats.success_count, stats.error_count, stats.errors_since_last_success),
        (5, 2, 1)
    );
    assert_eq!(stats.last_success, "2030-01-01T02:31:05.123Z");
    assert_eq!(stats.last_error, "");
}
