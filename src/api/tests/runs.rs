//! Runs over HTTP.

use serde_json::{Value, json};

use super::super::testing::{
    Fixture, LOOKED_AT_MAX, at, attempt, ended, over, run, running, stretch,
};
use super::PREFIXES;
use crate::model::{
    AgentId, Alarm, AttemptState, BootInstant, Duration, Exit, HistoryEntry, RunId, RunState,
    StopReason, Trigger, Verdict, timestamp_from_millis,
};

#[tokio::test]
async fn the_history_is_listed_newest_first_in_pages() {
    let fixture = Fixture::start().await;
    {
        let mut world = fixture.memory.world();
        for sequence in 1..=5 {
            let state = over(Verdict::Succeeded);
            world.history.push(HistoryEntry::Run(run(sequence, "a", state, Vec::new())));
        }
        world.history.push(HistoryEntry::Stretch(stretch(6, "b")));
        world.history.push(HistoryEntry::Run(run(7, "b", RunState::Active, Vec::new())));
    }
    for p in PREFIXES {
        let sequences = async |query: &str| {
            let body = fixture.ask("GET", &format!("{p}/runs{query}")).await.json();
            let runs = body["runs"].as_array().unwrap();
            let runs: Vec<_> = runs.iter().map(|run| run["sequence"].as_u64().unwrap()).collect();
            (runs, body["next"].as_str().map(ToOwned::to_owned))
        };
        assert_eq!(sequences("").await, (vec![7, 6, 5, 4, 3, 2, 1], None));
        assert_eq!(sequences("?limit=3").await, (vec![7, 6, 5], Some("5".to_owned())));
        assert_eq!(sequences("?limit=3&before=5").await, (vec![4, 3, 2], Some("2".to_owned())));
        assert_eq!(sequences("?limit=3&before=2").await, (vec![1], None));
        assert_eq!(sequences("?job=b").await, (vec![7, 6], None));
        assert_eq!(sequences("?job=b&live=true").await, (vec![7], None));
        assert_eq!(sequences("?live=false&verdict=missed").await, (vec![6], None));
        assert_eq!(sequences("?job=gone").await, (vec![], None));
    }
}

#[tokio::test]
async fn parameters_that_mean_nothing_are_refused_by_name() {
    let fixture = Fixture::start().await;
    for (query, field) in [
        ("jbo=a", "jbo"),
        ("job=a%2Fb", "job"),
        ("job=", "job"),
        ("verdict=great", "verdict"),
        ("live=perhaps", "live"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("before=x", "before"),
        ("before=99999999999999999999999", "before"),
        ("job=a&job=b", "job"),
        ("from=yesterday", "from"),
        ("to=yesterday", "to"),
        ("from=2030-01-01T00:00:00Z&to=2030-01-01T00:00:00Z", "to"),
        ("exit=bad", "exit"),
        ("exit=1.5", "exit"),
        ("why=because", "why"),
    ] {
        let answer = fixture.ask("GET", &format!("/scheduler/runs?{query}")).await;
        answer.message(400);
        assert_eq!(answer.json()["field"], field, "{query}");
    }
}

#[tokio::test]
async fn a_run_is_printed_whole() {
    let fixture = Fixture::start().await;
    let stopping = AttemptState::Stopping { started_at: None, why: StopReason::TimedOut };
    let could_not = Exit::CouldNotStart { reason: "no such user".to_owned() };
    let mut full = run(
        1,
        "a",
        RunState::Ended {
            verdict: Verdict::Failed,
            at: at("2030-01-01T00:00:02Z"),
            reason: "exit code 3".to_owned(),
        },
        vec![attempt(0, ended(Exit::Code(3))), attempt(1, ended(could_not))],
    );
    let due_at = at("2030-01-01T00:00:00Z");
    full.trigger = Trigger::Schedule { due_at, opens_at: at("2030-01-01T00:00:30Z") };
    full.arguments = Some("-v".to_owned());
    let id = full.id.to_string();
    let until =
        Alarm { at: at("2030-01-01T00:01:00Z"), boot: Some(BootInstant(Duration::from_secs(5))) };
    let waiting = RunState::Waiting { until };
    let waiting = run(2, "a", waiting, vec![attempt(0, stopping), attempt(1, running())]);
    let pending = RunState::Pending { deadline: Some(at("2030-01-01T00:01:00Z")) };
    let pending = run(
        3,
        "a",
        pending,
        vec![attempt(0, ended(Exit::Killed)), attempt(1, ended(Exit::Signal(9)))],
    );
    for run in [full, waiting, pending] {
        fixture.memory.world().history.push(HistoryEntry::Run(run));
    }
    for p in PREFIXES {
        let shown = fixture.ask("GET", &format!("{p}/run/{id}")).await.json();
        let attempt = |index: u32, exit| {
            json!({
                "attempt": index, "taskId": format!("ct:1:{index}:a:"), "agent": "local", "hostname": null, "hasSandbox": false, "reportedStatus": null, "elements": null, "state": "ended",
                "launchedAt": "2030-01-01T00:00:01.000Z", "startedAt": "2030-01-01T00:00:01.500Z",
                "endedAt": "2030-01-01T00:00:02.000Z", "stopReason": null, "until": null,
                "reason": null, "exit": exit, "message": "it failed",
            })
        };
        assert_eq!(
            shown,
            json!({
                "kind": "run", "id": id, "sequence": 1, "job": "a",
                "trigger": {
                    "kind": "schedule", "dueAt": "2030-01-01T00:00:00.000Z",
                    "opensAt": "2030-01-01T00:00:30.000Z", "finishedAt": null, "retryOf": null, "backfill": null,
                },
                "causes": [],
                "arguments": "-v", "environment": [], "by": null, "stoppedBy": null, "retriesDown": false,
                "createdAt": "2030-01-01T00:00:00.000Z", "state": "ended", "verdict": "failed",
                "reason": "exit code 3", "endedAt": "2030-01-01T00:00:02.000Z", "retryAt": null,
                "startDeadline": null, "reportBy": null,
                "attempts": [
                    attempt(0, json!({"code": 3})),
                    attempt(1, json!({"couldNotStart": "no such user"})),
                ],
            })
        );
        let list = fixture.ask("GET", &format!("{p}/runs")).await.json();
        let [pending, waiting, listed] = [0, 1, 2].map(|index| &list["runs"][index]);
        assert_eq!(*listed, shown);
        assert_eq!(waiting["retryAt"], "2030-01-01T00:01:00.000Z");
        assert_eq!(waiting["attempts"][0]["stopReason"], "timedOut");
        assert_eq!(waiting["attempts"][1]["state"], "running");
        assert_eq!(pending["startDeadline"], "2030-01-01T00:01:00.000Z");
        assert_eq!(pending["trigger"]["kind"], "manual");
        assert!(pending["trigger"]["opensAt"].is_null());
        assert_eq!(pending["attempts"][0]["exit"], json!({"killed": true}));
        assert_eq!(pending["attempts"][1]["exit"], json!({"signal": 9}));
    }
}

#[tokio::test]
async fn a_run_after_parents_names_the_runs_that_led_to_it() {
    let fixture = Fixture::start().await;
    let mut child = run(9, "child", RunState::Queued, Vec::new());
    child.trigger =
        Trigger::Parents { due_at: at("2030-01-01T00:00:00Z"), at: at("2030-01-01T00:02:00Z") };
    child.causes = ["j1-s1893456000000", "j2-m7"].map(|id| RunId::parse(id).unwrap()).into();
    let id = child.id.to_string();
    fixture.memory.world().history.push(HistoryEntry::Run(child));
    for p in PREFIXES {
        let shown = fixture.ask("GET", &format!("{p}/run/{id}")).await.json();
        assert_eq!(
            shown["trigger"],
            json!({
                "kind": "parents", "dueAt": "2030-01-01T00:00:00.000Z", "opensAt": null,
                "finishedAt": "2030-01-01T00:02:00.000Z", "retryOf": null, "backfill": null,
            })
        );
        assert_eq!(shown["causes"], json!(["j1-s1893456000000", "j2-m7"]));
    }
}

#[tokio::test]
async fn an_attempt_in_doubt_says_why_and_until_when_news_is_waited_for() {
    let fixture = Fixture::start().await;
    let unknown = |started: Option<&str>, why| AttemptState::Unknown {
        started_at: started.map(at),
        why,
        until: Alarm { at: at("2030-01-01T00:05:00Z"), boot: None },
        reason: "the agent is gone".to_owned(),
    };
    let attempts = vec![
        attempt(0, unknown(None, None)),
        attempt(1, unknown(Some("2030-01-01T00:00:01.5Z"), Some(StopReason::Superseded))),
    ];
    let id = run(1, "a", RunState::Active, Vec::new()).id;
    let run = run(1, "a", RunState::Active, attempts);
    fixture.memory.world().history.push(HistoryEntry::Run(run));
    let shown = fixture.ask("GET", &format!("/scheduler/run/{id}")).await.json();
    let expected = |index: u32, started, why| {
        json!({
            "attempt": index, "taskId": format!("ct:1:{index}:a:"), "agent": "local", "hostname": null, "hasSandbox": false, "reportedStatus": null, "elements": null,
            "state": "unknown", "launchedAt": "2030-01-01T00:00:01.000Z", "startedAt": started,
            "endedAt": null, "stopReason": why, "until": "2030-01-01T00:05:00.000Z",
            "reason": "the agent is gone", "exit": null, "message": "",
        })
    };
    assert_eq!(shown["attempts"][0], expected(0, json!(null), json!(null)));
    let started = json!("2030-01-01T00:00:01.500Z");
    assert_eq!(shown["attempts"][1], expected(1, started, json!("superseded")));
}

#[tokio::test]
async fn a_stretch_is_printed_as_one_line() {
    let fixture = Fixture::start().await;
    fixture.memory.world().history.push(HistoryEntry::Stretch(stretch(4, "a")));
    let list = fixture.ask("GET", "/scheduler/runs").await.json();
    assert_eq!(
        list,
        json!({"runs": [{
            "kind": "stretch", "sequence": 4, "job": "a", "verdict": "missed", "reason": "nobody led",
            "firstDueAt": "2030-01-01T00:00:00.000Z", "lastDueAt": "2030-01-01T00:05:00.000Z", "count": 6,
            "decidedAt": "2030-01-01T00:06:00.000Z",
        }], "next": null, "searchedTo": null})
    );
}

#[tokio::test]
async fn unknown_runs_are_404_whatever_their_id_looks_like() {
    let fixture = Fixture::start().await;
    for p in PREFIXES {
        for id in ["j1-m99", "x", "..", "%2e%2e", "%00", "%ff", "j1-m01", "a%2Fb"] {
            for path in [
                format!("{p}/run/{id}"),
                format!("{p}/run/{id}/stdout"),
                format!("{p}/run/{id}/stderr"),
            ] {
                let answer = fixture.ask("GET", &path).await;
                assert!(answer.message(404).contains("not found"), "{path}");
                assert_eq!(answer.json()["code"], "unknown_run", "{path}");
            }
        }
    }
}

#[tokio::test]
async fn a_history_that_cannot_be_read_tells_the_log_and_not_the_client() {
    let fixture = Fixture::start().await;
    fixture.memory.world().panics = true;
    let answer = fixture.ask("GET", "/scheduler/runs").await;
    assert_eq!(answer.message(500), "the history cannot be read; the log says why");
    assert!(!answer.text().contains("secret"));
}

#[tokio::test]
async fn how_far_the_parents_of_a_job_are_is_told() {
    let fixture = Fixture::start().await;
    for (door, body) in [
        ("iso8601", r#"{"name":"a","schedule":"R/2030-01-01T02:30:00Z/P1D"}"#),
        ("dependency", r#"{"name":"c","parents":["a"]}"#),
    ] {
        let answer = fixture.put("POST", &format!("/scheduler/{door}"), body).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }
    for p in PREFIXES {
        let answer = fixture.ask("GET", &format!("{p}/round/c")).await.json();
        assert_eq!(
            answer,
            json!({
                "job": "c",
                "triggerRule": "all-succeeded",
                "join": "round",
                "waitsFor": "it waits",
                "parents": [{
                    "name": "a",
                    "disabled": true,
                    "nextDue": null,
                    "sufficient": false,
                    "done": {
                        "successes": 0,
                        "failures": 2,
                        "kills": 1,
                        "run": "j7-m5",
                        "dueAt": "2030-01-01T00:00:00.000Z",
                        "at": "2030-01-01T00:01:00.000Z",
                    },
                }],
            })
        );
        let answer = fixture.ask("GET", &format!("{p}/round/a")).await.json();
        assert_eq!((&answer["parents"], &answer["waitsFor"]), (&json!([]), &Value::Null));
        assert_eq!(fixture.ask("GET", &format!("{p}/round/nobody")).await.status, 404);
    }
}

#[tokio::test]
async fn the_history_is_searched_by_what_runs_were_and_when() {
    let fixture = Fixture::start().await;
    let made = |sequence: u64, job: &str, minute: u32, exit: Option<Exit>| {
        let attempts = exit.map(|exit| attempt(0, ended(exit)));
        let mut run = run(sequence, job, over(Verdict::Failed), attempts.into_iter().collect());
        run.created_at = at(&format!("2030-01-01T00:{minute:02}:00Z"));
        run
    };
    let mut elsewhere = made(2, "bill-sum", 2, Some(Exit::Code(3)));
    elsewhere.attempts[0].agent = AgentId::new("agent-7");
    let mut again = made(3, "Bill-load", 3, Some(Exit::Code(3)));
    again.attempts.push(attempt(1, ended(Exit::Code(1))));
    let due_at = at("2030-01-01T00:00:00Z");
    again.trigger = Trigger::Schedule { due_at, opens_at: due_at };
    let runs = [
        made(1, "bill-sum", 1, Some(Exit::Code(1))),
        elsewhere,
        again,
        made(4, "other", 4, Some(Exit::Signal(9))),
        made(5, "other", 5, None),
    ];
    // The last is recorded when its last was decided, at six minutes past.
    let stretch = HistoryEntry::Stretch(stretch(6, "bill-sum"));
    let history = runs.map(HistoryEntry::Run).into_iter().chain([stretch]).collect();
    fixture.memory.world().history = history;
    for (query, expected) in [
        ("search=bill", vec![6, 3, 2, 1]),
        ("search=SUM+bill", vec![6, 2, 1]),
        ("search=nothing", vec![]),
        ("search=", vec![6, 5, 4, 3, 2, 1]),
        ("from=2030-01-01T00:02:00Z", vec![6, 5, 4, 3, 2]),
        ("to=2030-01-01T00:02:00Z", vec![1]),
        ("from=2030-01-01T00:02:00Z&to=2030-01-01T00:04:00Z", vec![3, 2]),
        ("from=2031-01-01T00:00:00Z", vec![]),
        ("agent=agent-7", vec![2]),
        ("agent=local", vec![4, 3, 1]),
        // Of the last attempt.
        ("exit=1", vec![3, 1]),
        ("exit=3", vec![2]),
        ("exit=0", vec![]),
        ("exit=-1", vec![]),
        ("why=manual", vec![5, 4, 2, 1]),
        ("why=schedule", vec![6, 3]),
        ("why=retry", vec![]),
        ("why=manual&exit=3&search=sum&agent=agent-7&job=bill-sum&verdict=failed", vec![2]),
        ("why=schedule&exit=3", vec![]),
    ] {
        for p in PREFIXES {
            let page = fixture.ask("GET", &format!("{p}/runs?{query}")).await.json();
            let found = page["runs"].as_array().unwrap().iter().map(|run| run["sequence"].clone());
            assert_eq!(found.collect::<Vec<_>>(), expected, "{query}");
            assert_eq!((&page["next"], &page["searchedTo"]), (&Value::Null, &Value::Null));
        }
    }
}

#[tokio::test]
async fn a_search_that_finds_little_says_how_far_it_got() {
    let fixture = Fixture::start().await;
    let most = u64::try_from(LOOKED_AT_MAX).unwrap();
    for sequence in 1..=most + 10 {
        let job = if sequence == 3 { "rare" } else { "a" };
        let mut run = run(sequence, job, over(Verdict::Succeeded), Vec::new());
        run.created_at = timestamp_from_millis(i64::try_from(sequence).unwrap()).unwrap();
        fixture.memory.world().history.push(HistoryEntry::Run(run));
    }
    let page = fixture.ask("GET", "/scheduler/runs?search=rare").await.json();
    let expected = json!({"runs": [], "next": "11", "searchedTo": "1970-01-01T00:00:00.011Z"});
    assert_eq!(page, expected);
    let page = fixture.ask("GET", "/scheduler/runs?search=rare&before=11").await.json();
    assert_eq!((&page["runs"][0]["job"], &page["next"]), (&json!("rare"), &Value::Null));
    assert_eq!(page["searchedTo"], Value::Null);
    // A full page goes on where it ends.
    let page = fixture.ask("GET", "/scheduler/runs?limit=2").await.json();
    assert_eq!(page["next"], (most + 9).to_string());
}
