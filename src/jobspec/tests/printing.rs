//! What is printed, to the letter.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::{record, resolved};
use crate::jobspec::{Derived, print};
use crate::model::{Defaults, Dialect, Timestamp};

fn check(body: &Value, dialect: Dialect, expected: &Expect) {
    let record = record(resolved(body, dialect));
    let printed = Value::Object(print(&record, dialect, Derived::default()));
    expected.assert_eq(&printed.to_string());
}

#[test]
fn a_bare_job_has_every_field_of_its_generation_in_order() {
    let body = json!({
        "command": "echo 1", "name": "myjob", "owner": "", "disabled": false,
        "schedule": "R0/2014-01-01T00:00:00Z/PT60M",
    });
    check(
        &body,
        Dialect::V0,
        &expect![[
            r#"{"name":"myjob","command":"echo 1","shell":true,"epsilon":"PT60S","executor":"","executorFlags":"","taskInfoData":"","retries":2,"owner":"","ownerName":"","description":"","async":false,"successCount":0,"errorCount":0,"lastSuccess":"","lastError":"","cpus":0.1,"disk":256.0,"mem":128.0,"disabled":false,"softError":false,"dataProcessingJobType":false,"errorsSinceLastSuccess":0,"fetch":[],"uris":[],"environmentVariables":[],"arguments":[],"highPriority":false,"runAsUser":"","constraints":[],"schedule":"R0/2014-01-01T00:00:00Z/PT60M","scheduleTimeZone":""}"#
        ]],
    );
    check(
        &body,
        Dialect::V1,
        &expect![[
            r#"{"name":"myjob","command":"echo 1","shell":true,"executor":"","executorFlags":"","taskInfoData":"","retries":2,"owner":"","ownerName":"","description":"","successCount":0,"errorCount":0,"lastSuccess":"","lastError":"","cpus":0.1,"disk":256.0,"mem":128.0,"disabled":false,"softError":false,"dataProcessingJobType":false,"errorsSinceLastSuccess":0,"fetch":[],"uris":[],"environmentVariables":[],"arguments":[],"highPriority":false,"runAsUser":"","concurrent":false,"maxCompletionTime":0,"constraints":[],"schedule":"R0/2014-01-01T00:00:00Z/PT60M","scheduleTimeZone":""}"#
        ]],
    );
}

#[test]
fn containers_have_two_shapes() {
    let old = json!({"name": "a", "container": {
        "type": "docker", "image": "registry/x:1", "network": "BRIDGE",
        "volumes": [{"hostPath": "/var/log", "containerPath": "/log", "mode": "rw"}],
        "forcePullImage": "true", "parameters": [{"key": "memory-swap", "value": "1g"}],
    }});
    let new = json!({"name": "a", "container": {
        "type": "MESOS", "image": "registry/x:1", "network": "USER", "networkName": "old",
        "networkInfos": [{
            "name": "net1", "protocol": "IPv4", "labels": [{"key": "a", "value": "b"}],
            "portMappings": [{"hostPort": "31000", "containerPort": 80, "protocol": "tcp"}],
        }],
        "volumes": [
            {"hostPath": "/var/log", "containerPath": "/log", "mode": "RO"},
            {"containerPath": "/data", "external": {
                "name": "v1", "provider": "dvdi", "options": [{"key": "o", "value": "p"}],
            }},
        ],
    }});
    let check = |body, dialect, expected: &Expect| {
        let record = record(resolved(body, dialect));
        let printed = print(&record, dialect, Derived::default());
        expected.assert_eq(&printed["container"].to_string());
    };
    check(
        &old,
        Dialect::V0,
        &expect![[
            r#"{"type":"docker","image":"registry/x:1","network":"BRIDGE","volumes":[{"hostPath":"/var/log","containerPath":"/log","mode":"RW"}],"forcePullImage":true,"parameters":[{"key":"memory-swap","value":"1g"}]}"#
        ]],
    );
    check(
        &old,
        Dialect::V1,
        &expect![[
            r#"{"type":"DOCKER","image":"registry/x:1","network":"BRIDGE","networkInfos":[],"volumes":[{"hostPath":"/var/log","containerPath":"/log","mode":"RW"}],"forcePullImage":true,"parameters":[{"key":"memory-swap","value":"1g"}]}"#
        ]],
    );
    check(
        &new,
        Dialect::V0,
        &expect![[
            r#"{"type":"mesos","image":"registry/x:1","network":"USER","networkName":"old","networkInfos":[{"name":"net1","protocol":"IPv4","labels":[{"key":"a","value":"b"}],"portMappings":[{"hostPort":"31000","containerPort":"80","protocol":"tcp"}]}],"volumes":[{"hostPath":"/var/log","containerPath":"/log","mode":"RO"},{"containerPath":"/data","external":{"name":"v1","provider":"dvdi","options":[{"key":"o","value":"p"}]}}],"forcePullImage":false,"parameters":[]}"#
        ]],
    );
    check(
        &new,
        Dialect::V1,
        &expect![[
            r#"{"type":"MESOS","image":"registry/x:1","network":"USER","networkName":"old","networkInfos":[{"name":"net1","protocol":"IPv4","labels":[{"key":"a","value":"b"}],"portMappings":[{"hostPort":"31000","containerPort":"80","protocol":"tcp"}]}],"volumes":[{"hostPath":"/var/log","containerPath":"/log","mode":"RO"},{"containerPath":"/data","external":{"name":"v1","provider":"dvdi","options":[{"key":"o","value":"p"}]}}],"forcePullImage":false,"parameters":[]}"#
        ]],
    );
}

#[test]
fn own_fields_are_printed_when_they_say_something_new() {
    let own = |body: Value, made_by, dialect| {
        let record = record(resolved(&body, made_by));
        let derived = Derived {
            next_due: Some("2030-01-01T02:30:00.0009Z".parse::<Timestamp>().unwrap()),
            remaining: Some(3),
            waits_for: Some("it waits".to_owned()),
        };
        let mut printed = print(&record, dialect, derived);
        ["concurrent", "overlap", "catchUp", "nextDue", "remaining", "waitsFor"]
            .into_iter()
            .filter_map(|key| printed.shift_remove(key).map(|value| format!("{key}={value}")))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let (v0, v1) = (Dialect::V0, Dialect::V1);
    let bare = json!({"name": "a"});
    let derived = r#"nextDue="2030-01-01T02:30:00.000Z" remaining=3 waitsFor="it waits""#;
    for (body, made_by, dialect, expected) in [
        (&bare, v0, v0, ""),
        (&bare, v1, v1, "concurrent=false "),
        (&bare, v0, v1, r#"concurrent=false overlap="skip" catchUp="none" "#),
        (&bare, v1, v0, r#"overlap="queue" catchUp="latest" "#),
        (&json!({"name": "a", "concurrent": true}), v1, v1, "concurrent=true "),
        (&json!({"name": "a", "concurrent": true}), v0, v0, r#"overlap="allow" "#),
        (&json!({"name": "a", "overlap": {"queue": 3}}), v0, v0, r#"overlap={"queue":3} "#),
        (&json!({"name": "a", "overlap": "replace"}), v0, v0, r#"overlap="replace" "#),
        (
            &json!({"name": "a", "overlap": "replace"}),
            v1,
            v1,
            r#"concurrent=false overlap="replace" "#,
        ),
        (
            &json!({"name": "a", "overlap": {"allow": 2}}),
            v1,
            v1,
            r#"concurrent=true overlap={"allow":2} "#,
        ),
        (&json!({"name": "a", "catchUp": "all"}), v0, v0, r#"catchUp="all" "#),
        (&json!({"name": "a", "catchUp": {"all": 7}}), v0, v0, r#"catchUp={"all":7} "#),
    ] {
        assert_eq!(own(body.clone(), made_by, dialect), format!("{expected}{derived}"));
    }
}

#[test]
fn what_a_job_says_about_its_runs_is_printed_by_both_doors_as_it_was_typed() {
    let printed = |body: &Value, dialect| {
        let mut printed = print(&record(resolved(body, dialect)), dialect, Derived::default());
        let (first, second) = ("highPriority", "maxCompletionTime");
        let theirs = [first, second].map(|key| printed.shift_remove(key));
        let ours = printed.into_iter().skip_while(|(key, _)| !key.starts_with("schedule"));
        let ours: Vec<String> = ours.map(|(key, value)| format!("{key} {value}\n")).collect();
        (theirs, ours.concat())
    };
    let body = json!({
        "name": "a", "schedule": "0 2 * * *", "overlap": {"allow": 3}, "catchUp": {"all": 100},
        "timeout": "PT10M", "retryDelay": "PT30S", "retryOn": ["75", 1, 75], "noRetryOn": [],
        "retryBackoff": {"max": "PT60M", "jitter": "0.2"}, "retryUntil": "PT360M",
        "killGrace": "PT0S", "disableAfterFailures": 0, "priority": "low",
        "onUnknown": {"then": "relaunch"}, "ports": 2, "placement": "spread",
    });
    let common = expect![[r#"
        schedule "0 2 * * *"
        scheduleTimeZone ""
        overlap {"allow":3}
        catchUp "all"
        retryDelay "PT30S"
        retryBackoff {"factor":2,"max":"PT60M","jitter":0.2}
        retryOn [75,1]
        retryUntil "PT360M"
        killGrace "PT0S"
        disableAfterFailures 0
        priority "low"
        ports 2
        placement "spread"
        onUnknown {"wait":"PT1M","then":"relaunch"}
    "#]];
    let (theirs, ours) = printed(&body, Dialect::V0);
    assert_eq!(theirs, [Some(json!(false)), None]);
    assert!(ours.contains("timeout \"PT600S\"\n"), "{ours}");
    common.assert_eq(&ours.replace("timeout \"PT600S\"\n", ""));
    let (theirs, ours) = printed(&body, Dialect::V1);
    assert_eq!(theirs, [Some(json!(false)), Some(json!(600))]);
    common.assert_eq(&ours);

    // What is the default, or said by a word of Chronos, is not said again.
    let silent = json!({
        "name": "a", "schedule": "0 2 * * *", "priority": "high", "timeout": "PT0S",
        "onUnknown": {}, "retryOn": [], "triggerRule": null,
    });
    for dialect in [Dialect::V0, Dialect::V1] {
        let (theirs, ours) = printed(&silent, dialect);
        assert_eq!(theirs[0], Some(json!(true)));
        assert_eq!(ours, "schedule \"0 2 * * *\"\nscheduleTimeZone \"\"\n");
    }
}

#[test]
fn what_parents_must_have_done_is_printed_when_it_is_not_the_usual() {
    let behind = |body: &Value, dialect| {
        let printed = print(&record(resolved(body, dialect)), dialect, Derived::default());
        let behind = printed.into_iter().skip_while(|(key, _)| key != "parents");
        behind.map(|(key, value)| format!("{key} {value}\n")).collect::<String>()
    };
    for dialect in [Dialect::V0, Dialect::V1] {
        let body = json!({
            "name": "a", "parents": ["b"], "join": "due", "triggerRule": "any-failed",
        });
        let expected = "parents [\"b\"]\ntriggerRule \"any-failed\"\njoin \"due\"\n";
        assert_eq!(behind(&body, dialect), expected);
        let body = json!({
            "name": "a", "parents": ["b"], "join": "round", "triggerRule": "all-succeeded",
        });
        assert_eq!(behind(&body, dialect), "parents [\"b\"]\n");
    }
}

#[test]
fn terms_are_printed_behind_the_other_fields_as_they_were_typed() {
    let check = |body: &Value, expected: &Expect| {
        for dialect in [Dialect::V0, Dialect::V1] {
            let printed = print(&record(resolved(body, dialect)), dialect, Derived::default());
            let behind = printed.iter().skip_while(|(key, _)| *key != "schedule");
            let behind: Vec<_> = behind.map(|(key, value)| format!("{key} {value}\n")).collect();
            expected.assert_eq(&behind.concat());
        }
    };
    check(
        &json!({
            "name": "a", "schedule": "0 2 * * *", "scheduleTimeZone": "Europe/Berlin",
            "calendars": [
                {"windows": ["22:00/06:00"], "dates": [], "use": "onlyIn", "name": "night"},
                {"name": "holidays", "use": "neverIn", "dates": ["12-25", "2026-12-31/2027-01-01"],
                 "weekdays": ["SAT", "SUN"]},
            ],
            "notAfter": "2027-01-01T00:00:00+01:00", "notBefore": "2026-01-01", "jitter": "PT600S",
            "dst": {"fold": "both", "gap": "skip"},
        }),
        &expect![[r#"
            schedule "0 2 * * *"
            scheduleTimeZone "Europe/Berlin"
            dst {"gap":"skip","fold":"both"}
            jitter "PT600S"
            notBefore "2026-01-01"
            notAfter "2027-01-01T00:00:00+01:00"
            calendars [{"name":"night","use":"onlyIn","windows":["22:00/06:00"]},{"name":"holidays","use":"neverIn","dates":["12-25","2026-12-31/2027-01-01"],"weekdays":["SAT","SUN"]}]
        "#]],
    );
    check(
        &json!({
            "name": "a", "schedule": "0 2 * * *", "dst": {"gap": "after"}, "notBefore": "",
            "calendars": [],
        }),
        &expect![[r#"
            schedule "0 2 * * *"
            scheduleTimeZone ""
            dst {"gap":"after"}
        "#]],
    );
    check(
        &json!({"name": "a", "schedule": "0 2 * * *", "dst": {}, "jitter": null}),
        &expect![[r#"
            schedule "0 2 * * *"
            scheduleTimeZone ""
        "#]],
    );
}

#[test]
fn secrets_are_never_printed() {
    let body = json!({"name": "a", "environmentVariables": [
        {"name": "TOKEN", "value": "hush", "secret": true}, {"name": "A", "value": "b", "secret": false},
    ]});
    let printed = print(&record(resolved(&body, Dialect::V0)), Dialect::V0, Derived::default());
    assert_eq!(
        printed["environmentVariables"].to_string(),
        r#"[{"name":"TOKEN","value":"***","secret":true},{"name":"A","value":"b"}]"#
    );
}

/// Chronos' own SerDeTest, but with dates where it has `TODAY` and `YESTERDAY`.
#[test]
fn a_job_with_every_field_is_printed_as_it_was_sent() {
    let text = |old: &str, is_async: &str, new: &str, container: &str, when: &str| {
        format!(
            concat!(
                r#"{{"name":"dj","command":"noop","shell":false,{}"executor":"exec","#,
                r#""executorFlags":"flags","taskInfoData":"SomeData","retries":5,"#,
                r#""owner":"owner@example.org,two@example.org","ownerName":"n","description":"d","#,
                r#"{}"successCount":3,"errorCount":1,"#,
                r#""lastSuccess":"2030-01-02T00:00:00.000Z","lastError":"2030-01-01T00:00:00.000Z","#,
                r#""cpus":0.5,"disk":5.0,"mem":5.25,"disabled":true,"softError":true,"#,
                r#""dataProcessingJobType":true,"errorsSinceLastSuccess":2,"#,
                r#""fetch":[{{"uri":"https://x/a.tgz","executable":true,"cache":true,"#,
                r#""extract":false,"output_file":"b"}}],"uris":[],"#,
                r#""environmentVariables":[{{"name":"FOO","value":"BAR"}},"#,
                r#"{{"name":"FOO","value":"BAZ"}}],"arguments":["-a","1"],"highPriority":true,"#,
                r#""runAsUser":"nobody",{}"container":{},"constraints":[["rack","EQUALS","1"],"#,
                r#"["rack","LIKE","r-\\d"],["rack","UNLIKE","x"]],{}}}"#,
            ),
            old, is_async, new, container, when,
        )
    };
    let parents = r#""parents":["B1","B2","B3","B4","B5"]"#;
    let old = text(
        r#""epsilon":"PT5M","#,
        r#""async":true,"#,
        "",
        concat!(
            r#"{"type":"docker","image":"i","network":"HOST","volumes":[{"hostPath":"/h","#,
            r#""containerPath":"/c","mode":"RO"},{"containerPath":"/d"}],"#,
            r#""forcePullImage":true,"parameters":[]}"#,
        ),
        r#""schedule":"R/2030-01-01T00:00:00Z/PT1H","scheduleTimeZone":"Europe/Berlin""#,
    );
    let new = text(
        "",
        "",
        r#""concurrent":true,"maxCompletionTime":60,"#,
        concat!(
            r#"{"type":"MESOS","image":"i","network":"USER","networkInfos":[{"name":"n","#,
            r#""protocol":"IPv6","labels":[],"portMappings":[]}],"volumes":[],"#,
            r#""forcePullImage":false,"parameters":[{"key":"k","value":"v"}]}"#,
        ),
        parents,
    );
    for (sent, dialect) in [(old, Dialect::V0), (new, Dialect::V1)] {
        let draft = super::reading(&serde_json::from_str(&sent).unwrap(), dialect).draft;
        let stats = draft.stats.clone();
        let mut record = record(draft.resolve(None, dialect, &Defaults::default()));
        record.stats = stats;
        // What the new door makes of a body without `epsilon` is its default, so nothing of ours is added.
        let printed = print(&record, dialect, Derived::default());
        assert_eq!(Value::Object(printed).to_string(), sent);
    }
}
