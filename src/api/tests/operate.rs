//! What operators ask for: the engine decides it, so these look at what it was asked, what became of it, and how it is
//! told.

use serde_json::{Value, json};

use super::super::credential::testing::{admitting, bearer};
use super::super::testing::{Answer, Fixture, at, name, over, run};
use super::super::{Options, Role};
use super::PREFIXES;
use crate::engine::Request;
use crate::model::{
    HistoryEntry, Incarnation, Intervention, Run, RunId, RunState, RunVerb, Verdict, limits,
};

pub(super) const NOW: &str = "2030-01-01T00:00:00.000Z";

pub(super) async fn fixture() -> Fixture {
    let callers = [
        ("admin", Role::Admin, ""),
        ("op", Role::Operator, ""),
        ("bill", Role::Operator, "bill-*"),
        ("viewer", Role::Viewer, ""),
    ];
    let options = Options { authenticator: Some(admitting(&callers)), ..Options::default() };
    let fixture = Fixture::start_with(options).await;
    // In the order of their names they are the lives 1, 2 and 3.
    let days = "R/2029-12-01T00:00:00Z/P1D";
    for (job, when) in [
        ("bill-a", json!({"schedule": days})),
        ("bill-b", json!({"parents": ["bill-a"]})),
        ("pay", json!({"schedule": days})),
    ] {
        let mut body = json!({"name": job, "command": "true"});
        body.as_object_mut().unwrap().extend(when.as_object().unwrap().clone());
        let door = if job == "bill-b" { "dependency" } else { "iso8601" };
        let stored = send(&fixture, "admin", "POST", &format!("/scheduler/{door}"), &body).await;
        assert_eq!(stored.status, 204, "{stored:?}");
    }
    fixture.memory.world().requests.clear();
    fixture
}

pub(super) async fn send(
    fixture: &Fixture,
    who: &str,
    method: &str,
    path: &str,
    body: &Value,
) -> Answer {
    let headers = format!("{}Content-Type: application/json\r\n", bearer(who));
    fixture.ask_with(method, path, &headers, &body.to_string()).await
}

pub(super) async fn bare(fixture: &Fixture, who: &str, method: &str, path: &str) -> Answer {
    fixture.ask_with(method, path, &bearer(who), "").await
}

/// The body of an answer with this status.
pub(super) fn body(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    answer.json()
}

/// A run of the job that has this life, in this state, kept in the world.
pub(super) fn put_run(
    fixture: &Fixture,
    life: u64,
    job: &str,
    sequence: u64,
    state: RunState,
) -> Run {
    let mut run = run(sequence, job, state, Vec::new());
    run.id = RunId::manual(Incarnation(life), i64::try_from(sequence).unwrap());
    fixture.memory.world().history.push(HistoryEntry::Run(run.clone()));
    run
}

pub(super) const WAITING: RunState = RunState::Pending { deadline: None };

#[tokio::test]
async fn a_run_is_moved_on_and_the_engine_hears_who_wants_it_and_why() {
    for prefix in PREFIXES {
        let fixture = fixture().await;
        let ask = |run: &Run, verb: &str| format!("{prefix}/run/{}/{verb}", run.id);
        let waiting = put_run(&fixture, 1, "bill-a", 11, WAITING);
        let answer =
            send(&fixture, "op", "POST", &ask(&waiting, "skip"), &json!({"reason": "a holiday"}))
                .await;
        let expected = json!({"run": waiting.id.to_string(), "became": "ended", "verdict": "skipped", "followedBy": null});
        assert_eq!(body(&answer, 200), expected);
        let by = Intervention { by: "op".to_owned(), at: at(NOW), reason: "a holiday".to_owned() };
        let expected = Request::OperateRun {
            name: name("bill-a"),
            run: waiting.id,
            verb: RunVerb::Skip,
            past: None,
            by,
        };
        assert_eq!(fixture.memory.world().requests, [expected]);
        let shown =
            body(&bare(&fixture, "op", "GET", &format!("{prefix}/run/{}", waiting.id)).await, 200);
        assert_eq!(shown["reason"], "op had it skipped: a holiday");

        // Without a body too; one that waits ends at once.
        let waiting = put_run(&fixture, 1, "bill-a", 21, WAITING);
        let answer = bare(&fixture, "op", "POST", &ask(&waiting, "kill")).await;
        assert_eq!(body(&answer, 200)["verdict"], "killed");
        let waiting = put_run(&fixture, 1, "bill-a", 31, WAITING);
        let answer = bare(&fixture, "op", "POST", &ask(&waiting, "succeed")).await;
        assert_eq!(body(&answer, 200)["verdict"], "succeeded");

        // What is over is followed by another run.
        for (sequence, verb, verdict) in [
            (41, "retry", Verdict::Failed),
            (51, "succeed", Verdict::Lost),
            (61, "retry-down", Verdict::Killed),
        ] {
            let past = put_run(&fixture, 1, "bill-a", sequence, over(verdict));
            let answer = body(&bare(&fixture, "op", "POST", &ask(&past, verb)).await, 200);
            assert_eq!((&answer["became"], &answer["verdict"]), (&json!("followed"), &Value::Null));
            let follower = answer["followedBy"].as_str().unwrap();
            let shown = bare(&fixture, "op", "GET", &format!("{prefix}/run/{follower}")).await;
            let shown = body(&shown, 200);
            assert_eq!(shown["trigger"]["retryOf"], past.id.to_string());
            assert_eq!(shown["by"]["by"], "op");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_done_to_a_run_is_refused_with_what_can() {
    let fixture = fixture().await;
    let past = put_run(&fixture, 1, "bill-a", 11, over(Verdict::Succeeded));
    let waiting = put_run(&fixture, 1, "bill-a", 12, WAITING);
    for (run, verb) in [
        (&past, "kill"),
        (&past, "skip"),
        (&past, "succeed"),
        (&waiting, "retry"),
        (&waiting, "retry-down"),
    ] {
        let answer =
            bare(&fixture, "op", "POST", &format!("/scheduler/run/{}/{verb}", run.id)).await;
        answer.message(409);
        let told = answer.json();
        assert_eq!(told["code"], "impossible", "{verb}");
        assert_ne!(told["remedy"], "", "{verb}");
    }
    for id in ["j1-m99", "nonsense"] {
        let answer = bare(&fixture, "op", "POST", &format!("/scheduler/run/{id}/kill")).await;
        answer.message(404);
        assert_eq!(answer.json()["code"], "unknown_run");
    }
    let path = format!("/scheduler/run/{}/kill?dryRun=true", waiting.id);
    bare(&fixture, "op", "POST", &path).await.message(400);
}

/// A run that ends between the look at it and the decision is judged by how it ended.
#[tokio::test]
async fn a_run_that_ends_meanwhile_is_operated_as_one_that_is_over() {
    let fixture = fixture().await;
    let run = put_run(&fixture, 1, "bill-a", 11, WAITING);
    let id = run.id;
    fixture.memory.world().before = Some(Box::new(move |world| {
        world.run_mut(id).state = over(Verdict::Failed);
    }));
    let answer = bare(&fixture, "op", "POST", &format!("/scheduler/run/{id}/retry")).await;
    assert_eq!(body(&answer, 200)["became"], "followed");
}

#[tokio::test]
async fn a_retry_of_all_that_followed_lists_it_first_and_concerns_nobody_outside() {
    let fixture = fixture().await;
    let root = put_run(&fixture, 1, "bill-a", 11, over(Verdict::Failed));
    let lender = put_run(&fixture, 3, "pay", 12, over(Verdict::Succeeded));
    let mut child = put_run(&fixture, 2, "bill-b", 13, over(Verdict::Failed));
    child.causes = vec![root.id, lender.id];
    fixture.memory.world().run_mut(child.id).causes.clone_from(&child.causes);
    let path = format!("/scheduler/run/{}/retry-down", root.id);
    let dry = format!("{path}?dryRun=true");
    let told = body(&bare(&fixture, "op", "POST", &dry).await, 200);
    let due_at = "1970-01-01T00:00:00.013Z";
    let below = |borrows: Value| json!([{"run": child.id.to_string(), "job": "bill-b", "dueAt": due_at, "borrows": borrows}]);
    let expected = json!({"dryRun": true, "run": root.id.to_string(), "below": below(json!([lender.id.to_string()]))});
    assert_eq!(told, expected);
    // A lender outside is not named, and lends all the same.
    let told = body(&bare(&fixture, "bill", "POST", &dry).await, 200);
    assert_eq!(told["below"], below(json!([])));
    fixture.memory.world().requests.clear();
    body(&bare(&fixture, "bill", "POST", &path).await, 200);
    let requests = fixture.memory.world().requests.clone();
    let [Request::OperateRun { past: Some(past), .. }] = requests.as_slice() else {
        panic!("{requests:?}")
    };
    let [below] = past.below.as_slice() else { panic!("{past:?}") };
    assert_eq!(below.child, Incarnation(2));
    assert_eq!(
        below.borrowed.iter().map(|it| (it.run, it.successes)).collect::<Vec<_>>(),
        [(lender.id, 1)]
    );
    // Who may not change what follows must not have it run again.
    let mut stranger = put_run(&fixture, 3, "pay", 14, over(Verdict::Failed));
    stranger.causes = vec![child.id];
    fixture.memory.world().run_mut(stranger.id).causes.clone_from(&stranger.causes);
    let refused = bare(&fixture, "bill", "POST", &path).await;
    assert!(!refused.message(403).contains("pay"));
    assert_eq!(refused.json()["code"], "children_out_of_scope");
}

#[tokio::test]
async fn a_job_is_run_now_for_an_instant_with_arguments_and_variables() {
    let fixture = fixture().await;
    let asked = json!({
        "job": "bill-a", "arguments": "--again", "dueAt": "2029-12-24T00:00:00+01:00", "reason": "lost",
        "environment": [{"name": "A", "value": "1"}, {"name": "KEY", "value": "hush", "secret": true}],
    });
    let answer = send(&fixture, "op", "POST", "/scheduler/runs", &asked).await;
    answer.message(403);
    assert_eq!(answer.json()["code"], "role_too_low");
    let answer = send(&fixture, "admin", "POST", "/scheduler/runs", &asked).await;
    let id = body(&answer, 201)["run"].as_str().unwrap().to_owned();
    let requests = fixture.memory.world().requests.clone();
    let [Request::RunJob { name: job, ask }] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((job, ask.due_at), (&name("bill-a"), Some(at("2029-12-23T23:00:00Z"))));
    assert_eq!(ask.arguments.as_deref(), Some("--again"));
    assert_eq!(
        ask.environment.iter().map(|it| (it.name.as_str(), it.secret)).collect::<Vec<_>>(),
        [("A", false), ("KEY", true)]
    );
    assert_eq!(
        ask.by.as_ref().map(|by| (by.by.as_str(), by.reason.as_str())),
        Some(("admin", "lost"))
    );
    let shown = bare(&fixture, "op", "GET", &format!("/scheduler/run/{id}")).await;
    assert!(!shown.text().contains("hush"), "{shown:?}");
    // Without them it needs no more than an operator.
    body(&send(&fixture, "op", "POST", "/scheduler/runs", &json!({"job": "bill-a"})).await, 201);
    send(&fixture, "op", "POST", "/scheduler/runs", &json!({"job": "none"})).await.message(400);
}

#[tokio::test]
async fn what_is_wrong_in_a_body_is_named_with_what_would_be_right() {
    let fixture = fixture().await;
    let long = "x".repeat(limits::REASON_BYTES_MAX + 1);
    let days = |count: usize| json!(vec!["2029-12-24T00:00:00Z"; count]);
    let cases = [
        ("runs", json!({}), "job"),
        ("runs", json!({"job": 7}), "job"),
        ("runs", json!({"job": "bill-a", "when": "now"}), "when"),
        ("runs", json!({"job": "bill-a", "dueAt": "now"}), "dueAt"),
        ("runs", json!({"job": "bill-a", "arguments": "a\u{0}b"}), "arguments"),
        ("runs", json!({"job": "bill-a", "environment": "A=hush"}), "environment"),
        ("runs", json!({"job": "bill-a", "environment": [{"name": "A"}]}), "environment[0].value"),
        (
            "runs",
            json!({"job": "bill-a", "environment": [{"name": "A", "value": "hush", "x": 1}]}),
            "environment[0].x",
        ),
        ("runs", json!([]), ""),
        ("pause", json!({"job": "bill-a", "reason": long}), "reason"),
        ("pause", json!({"job": "bill-a", "reason": "two\nlines"}), "reason"),
        ("pause", json!({"job": "bill-a", "reason": ["a"]}), "reason"),
        ("pause", json!({}), "job"),
        ("pause", json!({"everything": "yes"}), "everything"),
        ("pause", json!({"everything": true, "job": "bill-a"}), "everything"),
        ("pause", json!({"everything": true, "subtree": true}), "subtree"),
        ("pause", json!({"job": "bill-a", "until": "2029-01-01T00:00:00Z"}), "until"),
        ("pause", json!({"job": "bill-a", "until": 5}), "until"),
        ("resume", json!({"job": "bill-a", "until": "2031-01-01T00:00:00Z"}), "until"),
        ("resume", json!({}), "job"),
        ("skip", json!({"job": "bill-a", "dueAt": "2030-01-02T00:00:01Z"}), "dueAt"),
        ("skip", json!({"job": "bill-a", "dueAt": "2029-12-30T00:00:00Z"}), "dueAt"),
        ("unskip", json!({"job": "bill-a"}), "dueAt"),
        ("unskip", json!({"job": "bill-a", "dueAt": "2030-01-02T00:00:00Z"}), "dueAt"),
        ("backfill", json!({"job": "bill-a"}), "from"),
        ("backfill", json!({"job": "bill-a", "from": "2029-12-24T00:00:00Z"}), "to"),
        (
            "backfill",
            json!({"job": "bill-a", "from": "2029-12-24T00:00:00Z", "to": "2029-12-24T00:00:00Z"}),
            "to",
        ),
        (
            "backfill",
            json!({"job": "bill-a", "from": "2029-12-24T00:00:01Z", "to": "2029-12-24T00:00:02Z"}),
            "dueAt",
        ),
        (
            "backfill",
            json!({"job": "bill-a", "from": "2029-12-24T00:00:00Z", "dueAt": days(1)}),
            "dueAt",
        ),
        ("backfill", json!({"job": "bill-a", "dueAt": days(2)}), "dueAt"),
        ("backfill", json!({"job": "bill-a", "dueAt": "2029-12-24T00:00:00Z"}), "dueAt"),
        ("backfill", json!({"job": "bill-a", "dueAt": ["2029-12-24T00:00:01Z"]}), "dueAt"),
        ("backfill", json!({"job": "bill-a", "dueAt": ["2031-01-01T00:00:00Z"]}), "dueAt"),
        (
            "backfill",
            json!({"job": "bill-b", "from": "2029-12-24T00:00:00Z", "to": "2029-12-25T00:00:00Z"}),
            "from",
        ),
        ("backfill", json!({"job": "bill-a", "dueAt": days(1), "concurrency": 0}), "concurrency"),
        ("backfill", json!({"job": "bill-a", "dueAt": days(1), "concurrency": 101}), "concurrency"),
        ("backfill", json!({"job": "bill-a", "dueAt": days(1), "only": "some"}), "only"),
        ("backfill", json!({"job": "bill-a", "dueAt": days(1), "order": true}), "order"),
        ("backlog/cut", json!({"jobs": "bill-a"}), "jobs"),
        ("backlog/cut", json!({"jobs": [1]}), "jobs"),
        ("backlog/cut", json!({"dueBefore": "soon"}), "dueBefore"),
        ("quarantine/lift", json!({}), "job"),
    ];
    for prefix in PREFIXES {
        for (path, asked, field) in &cases {
            let answer = send(&fixture, "admin", "POST", &format!("{prefix}/{path}"), asked).await;
            let message = answer.message(400);
            let told = answer.json();
            assert_eq!(told["field"], *field, "{path} {asked}: {told}");
            assert!(!message.contains("hush"), "{message}");
            // Of an occurrence that is not skipped there is nothing else to say.
            assert!(told["remedy"] != "" || *path == "unskip", "{path} {asked}: {told}");
        }
        for path in ["pause?x=1", "backfill?dry_run=true", "runs?dryRun=true"] {
            let asked = json!({"job": "bill-a"});
            send(&fixture, "op", "POST", &format!("{prefix}/{path}"), &asked).await.message(400);
        }
        // Without a body there is no job.
        assert_eq!(bare(&fixture, "op", "POST", &format!("{prefix}/pause")).await.status, 415);
    }
    for path in ["runs", "pause", "resume", "skip", "backfill", "backlog/cut", "quarantine/lift"] {
        let asked = match path {
            "backlog/cut" => json!({"jobs": ["none"]}),
            "backfill" => json!({"job": "none", "dueAt": days(1)}),
            _ => json!({"job": "none"}),
        };
        let answer = send(&fixture, "op", "POST", &format!("/scheduler/{path}"), &asked).await;
        assert!(answer.message(400).contains("not found"), "{path}");
        assert_eq!(answer.json()["code"], "unknown_job", "{path}");
    }
}

#[tokio::test]
async fn pauses_are_made_listed_and_ended() {
    let fixture = fixture().await;
    let pause = json!({"job": "bill-a", "subtree": true, "until": "2030-01-03T00:00:00Z", "reason": "move"});
    let paused = send(&fixture, "bill", "POST", "/scheduler/pause", &pause).await;
    assert_eq!(body(&paused, 200), json!({"everything": false, "jobs": ["bill-a", "bill-b"]}));
    let pause = json!({"job": "pay"});
    let paused = send(&fixture, "op", "POST", "/scheduler/pause", &pause).await;
    assert_eq!(body(&paused, 200), json!({"everything": false, "jobs": ["pay"]}));
    let skipped = send(&fixture, "op", "POST", "/scheduler/skip", &json!({"job": "pay"})).await;
    assert_eq!(body(&skipped, 200), json!({"job": "pay", "dueAt": "2030-01-02T00:00:00.000Z"}));

    let by = |who: &str, reason: &str| json!({"by": who, "at": NOW, "reason": reason});
    let bill = |job: &str| json!({"job": job, "until": "2030-01-03T00:00:00.000Z", "by": by("bill", "move")});
    let all = json!({
        "everything": null,
        "jobs": [bill("bill-a"), bill("bill-b"), {"job": "pay", "until": null, "by": by("op", "")}],
        "skips": [{"job": "pay", "dueAt": "2030-01-02T00:00:00.000Z", "by": by("op", "")}],
    });
    assert_eq!(body(&bare(&fixture, "viewer", "GET", "/v1/scheduler/pauses").await, 200), all);
    let seen = json!({"everything": null, "jobs": [bill("bill-a"), bill("bill-b")], "skips": []});
    assert_eq!(body(&bare(&fixture, "bill", "GET", "/v1/scheduler/pauses").await, 200), seen);

    let resumed =
        send(&fixture, "bill", "POST", "/scheduler/resume", &json!({"job": "bill-a"})).await;
    assert_eq!(body(&resumed, 200)["jobs"], json!(["bill-a"]));
    let unskip = json!({"job": "pay", "dueAt": "2030-01-02T00:00:00Z"});
    let unskipped = send(&fixture, "op", "POST", "/scheduler/unskip", &unskip).await;
    assert_eq!(body(&unskipped, 200)["dueAt"], "2030-01-02T00:00:00.000Z");
    let left = body(&bare(&fixture, "op", "GET", "/scheduler/pauses").await, 200);
    assert_eq!(left["jobs"].as_array().unwrap().len(), 2);
    assert_eq!(left["skips"], json!([]));
    // The occurrences of a job after others are not known before.
    let refused = send(&fixture, "op", "POST", "/scheduler/skip", &json!({"job": "bill-b"})).await;
    refused.message(409);
    assert_eq!(refused.json()["field"], "job");
}

#[tokio::test]
async fn everything_is_paused_by_who_may_see_everything_and_the_process_says_so() {
    let fixture = fixture().await;
    let pause = json!({"everything": true, "reason": "fire"});
    let refused = send(&fixture, "bill", "POST", "/scheduler/pause", &pause).await;
    refused.message(403);
    assert_eq!(refused.json()["code"], "scope_too_narrow");
    let paused = send(&fixture, "op", "POST", "/scheduler/pause", &pause).await;
    assert_eq!(body(&paused, 200), json!({"everything": true, "jobs": []}));
    let by = json!({"by": "op", "at": NOW, "reason": "fire"});
    let info = body(&bare(&fixture, "viewer", "GET", "/scheduler/info").await, 200);
    assert_eq!(info["paused"], json!({"until": null, "by": by}));
    assert_eq!(info["clock"], Value::Null);
    // It concerns who sees a part, too.
    let seen = body(&bare(&fixture, "bill", "GET", "/scheduler/pauses").await, 200);
    assert_eq!(seen["everything"]["by"], by);
    // A job that is paused with everything does not go on alone.
    send(&fixture, "bill", "POST", "/scheduler/resume", &json!({"job": "bill-a"}))
        .await
        .message(409);
    body(
        &send(&fixture, "op", "POST", "/scheduler/resume", &json!({"everything": true})).await,
        200,
    );
    let info = body(&bare(&fixture, "viewer", "GET", "/scheduler/info").await, 200);
    assert_eq!(info["paused"], Value::Null);
}

#[tokio::test]
async fn a_clock_that_is_doubted_is_shown_and_believed_on_request() {
    let fixture = fixture().await;
    let trust = "/scheduler/clock/trust";
    bare(&fixture, "op", "POST", trust).await.message(409);
    fixture.memory.world().has_clock_jumped = true;
    let info = body(&bare(&fixture, "viewer", "GET", "/scheduler/info").await, 200);
    assert_eq!(info["clock"], json!({"expected": "2029-12-31T22:00:01.000Z", "shown": NOW}));
    let trusted = send(&fixture, "op", "POST", trust, &json!({"reason": "ntp was off"})).await;
    assert_eq!(trusted.status, 204, "{trusted:?}");
    let info = body(&bare(&fixture, "viewer", "GET", "/scheduler/info").await, 200);
    assert_eq!(info["clock"], Value::Null);
    let lifted = json!({"job": "bill-a", "reason": "mended"});
    let lifted = send(&fixture, "bill", "POST", "/scheduler/quarantine/lift", &lifted).await;
    assert_eq!(lifted.status, 204, "{lifted:?}");
}

#[tokio::test]
async fn what_waits_is_listed_with_reasons_in_pages_and_cut() {
    let fixture = fixture().await;
    for sequence in 1..=5 {
        put_run(&fixture, 1, "bill-a", 10 + sequence, WAITING);
        put_run(&fixture, 3, "pay", 20 + sequence, WAITING);
    }
    put_run(&fixture, 1, "bill-a", 30, over(Verdict::Failed));
    let list = async |who: &str, query: &str| {
        body(&bare(&fixture, who, "GET", &format!("/scheduler/backlog{query}")).await, 200)
    };
    let sequences = |page: &Value| -> Vec<u64> {
        page["runs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|run| run["sequence"].as_u64().unwrap())
            .collect()
    };
    let page = list("op", "?limit=7").await;
    assert_eq!(sequences(&page), [11, 12, 13, 14, 15, 21, 22]);
    assert_eq!((&page["total"], &page["next"]), (&json!(10), &json!("22")));
    let page = list("op", "?limit=7&after=22").await;
    assert_eq!(sequences(&page), [23, 24, 25]);
    assert_eq!((&page["total"], &page["next"]), (&json!(10), &Value::Null));
    let reasons = page["runs"][0]["reasons"].as_array().unwrap();
    assert!(reasons.iter().any(|it| it["code"] == "launcherGone"), "{reasons:?}");
    assert!(reasons.iter().all(|it| it["text"].is_string()));
    assert_eq!(
        sequences(&list("op", "?job=pay&dueBefore=1970-01-01T00:00:00.023Z").await),
        [21, 22]
    );
    assert_eq!(sequences(&list("bill", "").await), [11, 12, 13, 14, 15]);
    assert_eq!(list("bill", "?job=pay").await["total"], 0);
    for query in ["?limit=0", "?limit=201", "?dueBefore=x", "?after=x", "?jobs=a"] {
        bare(&fixture, "op", "GET", &format!("/scheduler/backlog{query}")).await.message(400);
    }

    // Who names no job means all that they may change.
    let cut = "/scheduler/backlog/cut";
    let asked = json!({"jobs": ["pay"]});
    assert!(send(&fixture, "bill", "POST", cut, &asked).await.message(400).contains("not found"));
    let asked = json!({"dueBefore": "1970-01-01T00:00:00.013Z", "reason": "too late"});
    let answer = send(&fixture, "bill", "POST", cut, &asked).await;
    assert_eq!(body(&answer, 200), json!({"dropped": 2, "left": 0}));
    let id = RunId::manual(Incarnation(1), 11);
    let shown = body(&bare(&fixture, "op", "GET", &format!("/scheduler/run/{id}")).await, 200);
    assert_eq!(shown["verdict"], "skipped");
    assert_eq!(shown["reason"], "bill dropped it from the backlog: too late");
    assert_eq!(body(&bare(&fixture, "bill", "POST", cut).await, 200)["dropped"], 3);
    assert_eq!(body(&bare(&fixture, "bill", "POST", cut).await, 200)["dropped"], 0);
    assert_eq!(sequences(&list("op", "").await), [21, 22, 23, 24, 25]);
    assert_eq!(body(&bare(&fixture, "op", "POST", cut).await, 200)["dropped"], 5);
}
