//! What is refused, and in which words.

use serde_json::{Value, json};

use super::{problems, reading, resolved, with};
use crate::model::{Dialect, Job};

/// The one problem of a body with `field`, as a sentence behind its path.
pub(super) fn refusal(field: &str, value: Value) -> String {
    let problems = problems(&with(field, value), Dialect::V0);
    assert_eq!(problems.len(), 1, "{problems:?}");
    format!("{} | {}", problems[0].field, problems[0])
}

#[test]
fn what_chronos_swallows_is_refused_by_name() {
    let variable = |item| json!([{"name": "A", "value": "x"}, item]);
    for (field, value, expected) in [
        (
            "retries",
            json!("abc"),
            "retries | `retries` is `abc`, which is no whole number: write a whole number such as `2`, or leave it out",
        ),
        (
            "retries",
            json!(2.5),
            "retries | `retries` is `2.5`, which is no whole number: write a whole number such as `2`, or leave it out",
        ),
        (
            "retries",
            json!(u64::MAX),
            "retries | `retries` is `18446744073709551615`, which is too large: write a whole number such as `2`, or leave it out",
        ),
        (
            "retries",
            json!(1001),
            "retries | `retries` is `1001`, which is more than 1000: write at most 1000",
        ),
        (
            "maxCompletionTime",
            json!(-1),
            "maxCompletionTime | `maxCompletionTime` is `-1`, which is less than 0: write 0 or more",
        ),
        (
            "cpus",
            json!("much"),
            "cpus | `cpus` is `much`, which is no number: write a number such as `0.5`, or leave it out",
        ),
        (
            "cpus",
            json!("NaN"),
            "cpus | `cpus` is `NaN`, which is no number: write a number such as `0.5`, or leave it out",
        ),
        (
            "cpus",
            json!(-0.5),
            "cpus | `cpus` is `-0.5`, which is negative: write a number from 0.001 to 10^12, or 0 for the default",
        ),
        (
            "mem",
            json!(1e300),
            "mem | `mem` is `1e+300`, which is more than 10^12: write a number from 0.001 to 10^12, or 0 for the default",
        ),
        (
            "disk",
            json!(0.0001),
            "disk | `disk` is `0.0001`, which is less than a thousandth: write a number from 0.001 to 10^12, or 0 for the default",
        ),
        (
            "disabled",
            json!("yes"),
            "disabled | `disabled` is `yes`, which is neither true nor false: write `true` or `false`, or leave it out",
        ),
        (
            "disabled",
            json!("True"),
            "disabled | `disabled` is `True`, which is neither true nor false: write `true` or `false`, or leave it out",
        ),
        (
            "disabled",
            json!(2),
            "disabled | `disabled` is `2`, which is neither true nor false: write `true` or `false`, or leave it out",
        ),
        (
            "command",
            json!({"a": 1}),
            "command | `command` is an object, which is no text: write a text",
        ),
        (
            "description",
            json!([]),
            "description | `description` is a list, which is no text: write a text",
        ),
        (
            "command",
            json!("a\u{0}b"),
            r"command | `command` contains the control character `\0` at position 2: remove it",
        ),
        (
            "owner",
            json!("a@b\r\nBcc: c@d"),
            r"owner | `owner` contains the control character `\r` at position 4: remove it",
        ),
        (
            "epsilon",
            json!("60"),
            "epsilon | `epsilon`: `60` is not a period: write a period such as `PT60S`, or leave it out",
        ),
        (
            "parents",
            json!([]),
            "parents | Error, parent does not exist: `parents` is an empty list: name at least one parent, or leave it out and give a `schedule`",
        ),
        (
            "parents",
            json!("b"),
            "parents | `parents` is `b`, which is no list: write a list, or leave it out",
        ),
        (
            "arguments",
            json!([null]),
            "arguments[0] | `arguments[0]` is `null`, which is no text: write a text",
        ),
        (
            "uris",
            json!([""]),
            "uris[0] | `uris[0]` is empty: name what to download, or remove the item",
        ),
        (
            "fetch",
            json!(["http://x"]),
            "fetch[0] | `fetch[0]` is a text, which is no object: write an object with fields such as `uri`, `executable`, `cache`, `extract`, `output_file`",
        ),
        (
            "fetch",
            json!([{"extract": true}]),
            "fetch[0].uri | `fetch[0].uri` is missing: give it a text",
        ),
        (
            "environmentVariables",
            variable(json!({"value": "y"})),
            "environmentVariables[1].name | `environmentVariables[1].name` is missing: give it a text",
        ),
        (
            "environmentVariables",
            variable(json!({"name": "B=", "value": ""})),
            "environmentVariables[1].name | `environmentVariables[1].name` contains a `=`, which no variable can be called: give it a name without `=`",
        ),
        (
            "environmentVariables",
            variable(json!({"name": "", "value": ""})),
            "environmentVariables[1].name | `environmentVariables[1].name` is empty, which no variable can be called: give it a name without `=`",
        ),
        (
            "environmentVariables",
            variable(json!({"name": "B", "value": "hush\u{0}"})),
            r"environmentVariables[1].value | `environmentVariables[1].value` contains the control character `\0` at position 5: remove it",
        ),
        (
            "constraints",
            json!([["rack", "IN", "x"]]),
            "constraints[0][1] | `constraints[0][1]` is `IN`, which is no operator: write `EQUALS`, `LIKE`, `UNLIKE`, `UNIQUE` or `CLUSTER`",
        ),
        (
            "constraints",
            json!([["rack", "like", "x"]]),
            "constraints[0][1] | `constraints[0][1]` is `like`, which is no operator: write `EQUALS`, `LIKE`, `UNLIKE`, `UNIQUE` or `CLUSTER`",
        ),
        (
            "constraints",
            json!([["rack", "LIKE"]]),
            "constraints[0] | `constraints[0]` has 2 parts instead of three: write `[attribute, operator, value]`",
        ),
        (
            "constraints",
            json!([["rack", "UNIQUE", "r1"]]),
            "constraints[0][2] | `constraints[0][2]` is `r1`, but UNIQUE takes no value: leave the value out, or write `CLUSTER`",
        ),
        (
            "constraints",
            json!([["rack"]]),
            "constraints[0] | `constraints[0]` has 1 parts instead of three: write `[attribute, operator, value]`",
        ),
        (
            "constraints",
            json!(["rack"]),
            "constraints[0] | `constraints[0]` is no list: write `[attribute, operator, value]`",
        ),
        (
            "constraints",
            json!([["rack", "LIKE", "("]]),
            "constraints[0][2] | `constraints[0][2]` is `(`, which is no regular expression (unclosed group): correct it; `.` `*` `+` `?` `(` `[` `{` `|` are special",
        ),
        (
            "container",
            json!("x"),
            "container | `container` is a text, which is no object: write an object with fields such as `type`, `image`, `network`, `networkName`, `networkInfos`",
        ),
        (
            "container",
            json!({"image": "x", "network": "host"}),
            "container.network | `container.network` is `host`, which is not known: write `BRIDGE`, `HOST` or `USER`, or leave it out",
        ),
        (
            "container",
            json!({"image": "x", "type": "rkt"}),
            "container.type | `container.type` is `rkt`, which is not known: write `DOCKER` or `MESOS`, or leave it out",
        ),
        (
            "container",
            json!({"image": "x", "volumes": [{"mode": "RW"}]}),
            "container.volumes[0].containerPath | `container.volumes[0].containerPath` is missing: give it a text",
        ),
        (
            "container",
            json!({"image": "x", "networkInfos": [{"name": "n", "portMappings": [{"hostPort": "65536", "containerPort": 1}]}]}),
            "container.networkInfos[0].portMappings[0].hostPort | `container.networkInfos[0].portMappings[0].hostPort` is `65536`, which is more than 65535: write at most 65535",
        ),
        (
            "lastSuccess",
            json!("TODAY"),
            "lastSuccess | `lastSuccess` is `TODAY`, which is no date: write a date such as `2030-01-01T02:31:05.123Z`, or leave it out",
        ),
        (
            "successCount",
            json!(-1),
            "successCount | `successCount` is `-1`, which is less than 0: write 0 or more",
        ),
    ] {
        assert_eq!(refusal(field, value), expected);
    }
}

#[test]
fn terms_of_the_wrong_shape_are_refused_by_name() {
    let one = |calendar: Value| json!([calendar]);
    for (field, value, expected) in [
        (
            "dst",
            json!("skip"),
            "dst | `dst` is a text, which is no object: write an object with fields such as `gap`, `fold`",
        ),
        (
            "dst",
            json!({"gap": "earlier"}),
            "dst.gap | `dst.gap` is `earlier`, which is not known: write `after`, `shift` or `skip`, or leave it out",
        ),
        (
            "dst",
            json!({"gap": "skip", "fold": "none"}),
            "dst.fold | `dst.fold` is `none`, which is not known: write `first`, `last` or `both`, or leave it out",
        ),
        (
            "jitter",
            json!("10m"),
            "jitter | `jitter`: `10m` is not a period: write a period such as `PT10M`, or leave it out",
        ),
        (
            "notBefore",
            json!([]),
            "notBefore | `notBefore` is a list, which is no text: write a text",
        ),
        (
            "notAfter",
            json!("2026-01-01\n"),
            r"notAfter | `notAfter` contains the control character `\n` at position 11: remove it",
        ),
        (
            "calendars",
            json!("holidays"),
            "calendars | `calendars` is `holidays`, which is no list: write a list, or leave it out",
        ),
        (
            "calendars",
            json!(["holidays"]),
            "calendars[0] | `calendars[0]` is a text, which is no object: write an object with fields such as `name`, `use`, `dates`, `weekdays`, `windows`",
        ),
        (
            "calendars",
            one(json!({"use": "onlyIn", "dates": ["12-25"]})),
            "calendars[0].name | `calendars[0].name` is missing: give it a text",
        ),
        (
            "calendars",
            one(json!({"name": "", "use": "onlyIn", "dates": ["12-25"]})),
            "calendars[0].name | `calendars[0].name` is empty: give the calendar a name",
        ),
        (
            "calendars",
            one(json!({"name": "a", "dates": ["12-25"]})),
            "calendars[0].use | `calendars[0].use` is missing: write `onlyIn` or `neverIn`",
        ),
        (
            "calendars",
            one(json!({"name": "a", "use": "never", "dates": ["12-25"]})),
            "calendars[0].use | `calendars[0].use` is `never`, which is not known: write `onlyIn` or `neverIn`",
        ),
        (
            "calendars",
            one(json!({"name": "a", "use": "neverIn", "weekdays": []})),
            "calendars[0] | `calendars[0]` has neither `dates` nor `weekdays` nor `windows`: give it at least one of them, or remove the calendar",
        ),
        (
            "calendars",
            one(json!({"name": "a", "use": "neverIn", "dates": [{"from": "12-24"}]})),
            "calendars[0].dates[0] | `calendars[0].dates[0]` is an object, which is no text: write a text",
        ),
        (
            "calendars",
            json!([
                {"name": "a", "use": "neverIn", "dates": ["12-25"]},
                {"name": "a", "use": "onlyIn", "weekdays": ["MON-FRI"]},
            ]),
            "calendars | `calendars` has two with the name `a`: give each a name of its own",
        ),
    ] {
        assert_eq!(refusal(field, value), expected);
    }
}

#[test]
fn limits_are_named() {
    let long = "x".repeat(200_000);
    let many = vec![json!("x"); 10_001];
    for (field, value, expected) in [
        (
            "command",
            json!(long),
            "`command` has 200000 bytes; at most 65536 are allowed: shorten it",
        ),
        (
            "schedule",
            json!(long),
            "`schedule` has 200000 bytes; at most 1024 are allowed: shorten it",
        ),
        (
            "description",
            json!(long),
            "`description` has 200000 bytes; at most 65536 are allowed: shorten it",
        ),
        (
            "constraints",
            json!(&many[..101]),
            "`constraints` has 101 items; at most 100 are allowed: shorten it",
        ),
        (
            "notBefore",
            json!(long),
            "`notBefore` has 200000 bytes; at most 1024 are allowed: shorten it",
        ),
        (
            "calendars",
            json!(&many[..21]),
            "`calendars` has 21 items; at most 20 are allowed: shorten it",
        ),
        (
            "calendars",
            json!([{"name": "a", "use": "onlyIn", "windows": &many[..1_001]}]),
            "`calendars[0].windows` has 1001 items; at most 1000 are allowed: shorten it",
        ),
        (
            "calendars",
            json!([{"name": "a", "use": "onlyIn", "dates": [long]}]),
            "`calendars[0].dates[0]` has 200000 bytes; at most 200 are allowed: shorten it",
        ),
        ("uris", json!(many), "`uris` has 10001 items; at most 10000 are allowed: shorten it"),
        (
            "arguments",
            json!([&long[..60_000], &long[..60_000], &long[..60_000]]),
            "`environmentVariables` and `arguments` have 180000 bytes; at most 131072 are allowed: shorten them, or fetch a file",
        ),
    ] {
        assert!(refusal(field, value).ends_with(expected), "{field}");
    }
    let retries = refusal("retries", json!(1_001));
    assert!(retries.starts_with("retries | ") && retries.contains("1000"), "{retries}");
}

#[test]
fn names_are_refused_in_the_words_of_chronos() {
    let message = |name: Value, dialect| problems(&json!({"name": name}), dialect)[0].to_string();
    assert!(message(json!("a b"), Dialect::V1).contains(r"Allowed names: '([\w\.-]+)'"));
    assert!(message(json!("a/b"), Dialect::V0).contains(r"Allowed names: '([\w\s\.#_-]+)'"));
    assert_eq!(message(Value::Null, Dialect::V0), "`name` is missing: give the job a name");
    assert!(message(json!([]), Dialect::V0).starts_with("`name` is a list, which is no text"));
}

#[test]
fn different_uris_and_fetch_are_refused_in_the_words_of_chronos() {
    let body = json!({"name": "a", "uris": ["x"], "fetch": [{"uri": "y"}]});
    let problems = problems(&body, Dialect::V1);
    assert_eq!(problems[0].message, "Tried to add both uri (deprecated) and fetch parameters on a");
    assert_eq!(problems.len(), 1);
}

#[test]
fn overlap_and_concurrent_may_not_contradict() {
    let body = |concurrent: bool, overlap: &Value| json!({"name": "a", "concurrent": concurrent, "overlap": overlap});
    let contradicts = |body: &Value, existing: Option<&Job>| {
        reading(body, Dialect::V1).draft.overlap_contradicts(existing)
    };
    for (concurrent, overlap, expected) in [
        (true, json!("skip"), true),
        (true, json!("replace"), true),
        (true, json!("allow"), false),
        (true, json!({"allow": 3}), false),
        (false, json!("allow"), false),
        (false, json!("skip"), false),
    ] {
        assert_eq!(
            contradicts(&body(concurrent, &overlap), None),
            expected,
            "{concurrent} {overlap}"
        );
    }
    // Beside what is stored both must have changed, or one of them is what a client sends back.
    for (stored, concurrent, overlap, expected) in [
        (json!("skip"), true, json!("skip"), false),
        (json!("skip"), true, json!("queue"), true),
        (json!("skip"), false, json!("allow"), false),
        (json!({"allow": 3}), false, json!({"allow": 3}), false),
        (json!({"allow": 3}), false, json!({"allow": 4}), true),
        (json!({"allow": 3}), false, json!("queue"), false),
        (json!({"allow": 3}), true, json!("queue"), false),
    ] {
        let job = resolved(&json!({"name": "a", "overlap": stored}), Dialect::V0);
        let found = contradicts(&body(concurrent, &overlap), Some(&job));
        assert_eq!(found, expected, "{stored} {concurrent} {overlap}");
    }
}

#[test]
fn all_problems_are_told_at_once_but_not_without_end() {
    let body = json!({
        "retries": "x", "cpus": [], "fetch": [1, {}], "container": {"image": {}, "network": "x"},
        "epsilon": "x", "parents": [".."],
    });
    let fields: Vec<_> = problems(&body, Dialect::V0).into_iter().map(|p| p.field).collect();
    assert_eq!(
        fields,
        [
            "name",
            "parents[0]",
            "epsilon",
            "retries",
            "cpus",
            "fetch[0]",
            "fetch[1].uri",
            "container.image",
            "container.network",
        ]
    );
    assert_eq!(problems(&with("uris", json!(vec![Value::Null; 5000])), Dialect::V0).len(), 100);
}

#[test]
fn what_is_no_object_is_refused() {
    for (value, expected) in [(json!([]), "a list"), (json!("x"), "a text"), (Value::Null, "null")]
    {
        let problems = problems(&value, Dialect::V0);
        assert_eq!(problems[0].message, format!("the job is {expected}"));
    }
}

#[test]
fn found_texts_are_escaped_and_cut() {
    let refusal = refusal("cpus", json!(format!("\u{1b}[31m\n{}", "x".repeat(1000))));
    assert!(refusal.starts_with(r"cpus | `cpus` is `\u{1b}[31m\nxxx"), "{refusal}");
    assert!(refusal.contains("xxx…`, which is no number"), "{refusal}");
    assert!(refusal.len() < 300);
}
