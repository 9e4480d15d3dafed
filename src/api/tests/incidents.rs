//! What is wrong and who is told of it, as the API tells it and as people act on it. The real desk decides.

use serde_json::{Value, json};

use super::super::credential::testing::bearer;
use super::super::testing::{Fixture, at, name, run};
use super::PREFIXES;
use super::operate::{NOW, bare, body, fixture, send};
use crate::alerts::{Outcome, Raised};
use crate::api::ChannelView;
use crate::model::{
    AlertJob, AlertKind, AlertRun, Exit, Incarnation, NotificationId, Resources, RunState, TaskId,
};

fn job(job: &str, owner: &str) -> Box<AlertJob> {
    Box::new(AlertJob {
        name: name(job),
        incarnation: Incarnation(1),
        owner: owner.to_owned(),
        labels: Vec::new(),
        runbook: "https://wiki.example.org/bill".to_owned(),
        command: "false".to_owned(),
        resources: Resources::default(),
        soft_error: false,
        retries: 2,
        executor: String::new(),
        executor_flags: String::new(),
        uris: Vec::new(),
        stats: crate::model::JobStats::default(),
        zone: String::new(),
    })
}

pub(super) fn raised(kind: AlertKind, of: &str) -> Raised {
    Raised {
        kind,
        job: Some(job(of, &format!("{of}@example.org"))),
        run: None,
        backfill: None,
        reason: "the command ended with exit code 1".to_owned(),
        retry_at: None,
        next_due_at: Some(at("2030-01-02T00:00:00Z")),
        cause: None,
    }
}

fn raise(fixture: &Fixture, raised: &[Raised]) {
    fixture.memory.world().raise(at("2030-01-01T00:00:00Z"), raised);
}

pub(super) fn channel(name: &str, kind: &'static str) -> ChannelView {
    ChannelView {
        name: name.to_owned(),
        kind,
        to: format!("{name}.example.org"),
        failing: None,
        due: 0,
    }
}

async fn get(fixture: &Fixture, who: &str, path: &str) -> Value {
    body(&bare(fixture, who, "GET", path).await, 200)
}

fn ids(page: &Value, of: &str) -> Vec<String> {
    let list = page[of].as_array().unwrap();
    list.iter().map(|each| each["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_incident_is_told_with_its_alerts_and_its_messages() {
    let fixture = fixture().await;
    let mut failed = raised(AlertKind::Failed, "bill-a");
    let its = run(11, "bill-a", RunState::Active, Vec::new());
    failed.run = Some(Box::new(AlertRun {
        id: its.id,
        due_at: at("2030-01-01T00:00:00Z"),
        attempt: Some(1),
        task_id: Some(TaskId::new(1, 0, &name("bill-a"), "")),
        started_at: None,
        ended_at: None,
        exit: Some(Exit::Code(1)),
        message: String::new(),
    }));
    raise(&fixture, &[failed]);
    for prefix in PREFIXES {
        let page = get(&fixture, "viewer", &format!("{prefix}/incidents")).await;
        let incident = json!({
            "id": "i1", "key": {"job": "bill-a"}, "kind": "failed", "state": "open", "openedAt": NOW, "lastAt": NOW,
            "closedAt": null, "alerts": 1, "untold": 0, "jobs": ["bill-a"], "jobsLeftOut": 0,
            "told": [{"channel": "mail", "recipient": "bill-a@example.org"}], "toldAt": NOW, "acknowledged": null,
            "silence": null,
            "latest": [{
                "id": "a1", "kind": "failed", "at": NOW, "job": "bill-a", "owner": "bill-a@example.org",
                "runbook": "https://wiki.example.org/bill", "run": its.id.to_string(), "dueAt": NOW,
                "taskId": TaskId::new(1, 0, &name("bill-a"), "").as_str(), "exit": {"code": 1}, "backfill": null,
                "reason": "the command ended with exit code 1", "retryAt": null, "nextDueAt": "2030-01-02T00:00:00.000Z",
            }],
        });
        let counts = json!({"open": 1, "acknowledged": 0, "silenced": 0, "closed": 0});
        assert_eq!(
            page,
            json!({"total": 1, "counts": counts, "next": null, "incidents": [incident]})
        );
        let mut expected = incident;
        let notification = json!({
            "id": "n1", "channel": "mail", "recipient": "bill-a@example.org", "kind": "alert", "incident": "i1",
            "alerts": 1, "leftOut": 0, "jobs": ["bill-a"], "jobsLeftOut": 0, "state": "due", "madeAt": NOW,
            "until": null, "nextTryAt": NOW, "deliveredAt": null, "givenUpAt": null, "tries": 0, "problem": "",
        });
        expected["notifications"] = json!([notification]);
        assert_eq!(get(&fixture, "viewer", &format!("{prefix}/incident/i1")).await, expected);
        let page = get(&fixture, "viewer", &format!("{prefix}/notifications")).await;
        let counts = json!({"held": 0, "due": 1, "delivered": 0, "givenUp": 0});
        let expected =
            json!({"total": 1, "counts": counts, "next": null, "notifications": [notification]});
        assert_eq!(page, expected);
    }
}

#[tokio::test]
async fn lists_have_pages_and_are_asked_for_by_state_job_and_channel() {
    let fixture = fixture().await;
    let jobs: Vec<String> = (0..5).map(|number| format!("job-{number}")).collect();
    raise(&fixture, &jobs.iter().map(|job| raised(AlertKind::Failed, job)).collect::<Vec<_>>());
    raise(&fixture, &[raised(AlertKind::Recovered, "job-1")]);
    let list =
        async |query: &str| get(&fixture, "viewer", &format!("/scheduler/incidents{query}")).await;
    let page = list("?limit=2").await;
    assert_eq!(
        (ids(&page, "incidents"), &page["next"]),
        (vec!["i5".into(), "i4".into()], &json!("i4"))
    );
    assert_eq!(page["total"], 4);
    let page = list("?limit=2&before=i4").await;
    assert_eq!(
        (ids(&page, "incidents"), &page["next"]),
        (vec!["i3".into(), "i1".into()], &Value::Null)
    );
    let page = list("?state=closed").await;
    assert_eq!(ids(&page, "incidents"), ["i2"]);
    assert_eq!(page["incidents"][0]["jobs"], json!(["job-1"]), "named although it is well again");
    assert_eq!(page["incidents"][0]["closedAt"], NOW);
    assert_eq!(list("?state=all").await["total"], 5);
    let page = list("?state=all&job=job-3").await;
    assert_eq!((ids(&page, "incidents"), &page["silence"]), (vec!["i4".into()], &Value::Null));
    for (query, field) in [
        ("?state=broken", "state"),
        ("?before=4", "before"),
        ("?limit=0", "limit"),
        ("?limit=201", "limit"),
        ("?job=", "job"),
        ("?owner=me", "owner"),
    ] {
        let answer = bare(&fixture, "viewer", "GET", &format!("/scheduler/incidents{query}")).await;
        assert_eq!(body(&answer, 400)["field"], field, "{query}");
    }

    let list = async |query: &str| {
        get(&fixture, "viewer", &format!("/scheduler/notifications{query}")).await
    };
    let later = at("2030-01-01T00:00:05Z");
    fixture.memory.world().deliver(later, NotificationId(1), Outcome::Arrived);
    let refused = Outcome::Refused { problem: "550 no such user".to_owned() };
    fixture.memory.world().deliver(later, NotificationId(2), refused);
    assert_eq!(list("").await["total"], 6);
    assert_eq!(ids(&list("?state=delivered").await, "notifications"), ["n1"]);
    let given_up = list("?state=givenUp").await;
    assert_eq!(given_up["notifications"][0]["problem"], "550 no such user");
    assert_eq!(given_up["notifications"][0]["givenUpAt"], "2030-01-01T00:00:05.000Z");
    assert_eq!(list("?state=pending").await["total"], 4);
    assert_eq!(list("?channel=pager").await["total"], 0);
    let page = list("?limit=4").await;
    assert_eq!((ids(&page, "notifications").len(), &page["next"]), (4, &json!("n3")));
    for (query, field) in
        [("?state=broken", "state"), ("?before=i4", "before"), ("?limit=x", "limit")]
    {
        let answer =
            bare(&fixture, "viewer", "GET", &format!("/scheduler/notifications{query}")).await;
        assert_eq!(body(&answer, 400)["field"], field, "{query}");
    }
}

#[tokio::test]
async fn somebody_looks_after_an_incident_and_nobody_is_told_until_it_is_right() {
    for prefix in PREFIXES {
        let fixture = fixture().await;
        raise(&fixture, &[raised(AlertKind::Failed, "bill-a")]);
        let reason = json!({"reason": "the disk is full"});
        let path = format!("{prefix}/incident/i1/acknowledge");
        let answer = body(&send(&fixture, "op", "POST", &path, &reason).await, 200);
        assert_eq!(answer["state"], "acknowledged");
        assert_eq!(
            answer["acknowledged"],
            json!({"by": "op", "at": NOW, "reason": "the disk is full"})
        );
        raise(&fixture, &[raised(AlertKind::Failed, "bill-a")]);
        raise(&fixture, &[raised(AlertKind::Recovered, "bill-a")]);
        let answer = get(&fixture, "op", &format!("{prefix}/incident/i1")).await;
        assert_eq!((&answer["state"], &answer["alerts"]), (&json!("closed"), &json!(3)));
        let kinds: Vec<&Value> =
            answer["notifications"].as_array().unwrap().iter().map(|it| &it["kind"]).collect();
        assert_eq!(kinds, ["recovery", "alert"], "newest first, and no third");
        // What is over cannot be looked after.
        let answer = body(&bare(&fixture, "op", "POST", &path).await, 404);
        assert_eq!(answer["message"], "no incident `i1` is open");
    }
}

#[tokio::test]
async fn an_incident_and_a_job_are_silenced_for_a_while() {
    let fixture = fixture().await;
    raise(&fixture, &[raised(AlertKind::Failed, "bill-a")]);
    let post = async |path: &str, asked: Value| {
        send(&fixture, "op", "POST", &format!("/scheduler/{path}"), &asked).await
    };
    let hour = "2030-01-01T01:00:00.000Z";
    let answer =
        body(&post("incident/i1/silence", json!({"for": "PT1H", "reason": "it moves"})).await, 200);
    assert_eq!(answer["state"], "silenced");
    assert_eq!(
        answer["silence"],
        json!({"until": hour, "by": "op", "at": NOW, "reason": "it moves"})
    );
    assert_eq!(get(&fixture, "op", "/scheduler/incidents").await["counts"]["silenced"], 1);
    let answer = body(&bare(&fixture, "op", "POST", "/scheduler/incident/i1/unsilence").await, 200);
    assert_eq!((&answer["state"], &answer["silence"]), (&json!("open"), &Value::Null));

    let asked = json!({"job": "bill-b", "until": "2030-01-01T01:00:00Z"});
    let answer = body(&post("silence", asked).await, 200);
    assert_eq!(
        answer,
        json!({"job": "bill-b", "silence": {"until": hour, "by": "op", "at": NOW, "reason": ""}})
    );
    raise(&fixture, &[raised(AlertKind::Failed, "bill-b")]);
    let page = get(&fixture, "op", "/scheduler/incidents?job=bill-b").await;
    assert_eq!(page["silence"]["until"], hour);
    assert_eq!(page["incidents"][0]["told"], json!([]), "it is there, and nobody was told");
    let answer = body(&post("unsilence", json!({"job": "bill-b"})).await, 200);
    assert_eq!(answer, json!({"job": "bill-b", "silence": null}));

    for (path, asked, status, said) in [
        ("silence", json!({"job": "bill-b"}), 400, "neither `until` nor `for` is given"),
        ("silence", json!({"for": "PT1H"}), 400, "`job` is missing"),
        ("silence", json!({"job": "nobody", "for": "PT1H"}), 400, "nobody"),
        ("unsilence", json!({"job": "nobody"}), 400, "nobody"),
        ("incident/i1/silence", json!({"for": "an hour"}), 400, "an hour"),
        ("incident/i1/silence", json!({"for": "P3000000D"}), 400, "too long"),
        ("incident/i1/silence", json!({"until": "2029-12-31T23:00:00Z"}), 400, "which is over"),
        (
            "incident/i1/silence",
            json!({"for": "PT1H", "until": "2031-01-01T00:00:00Z"}),
            400,
            "has no place beside `until`",
        ),
        ("incident/i1/silence", json!({"for": "PT1H", "loudly": true}), 400, "loudly"),
        ("incident/i7/silence", json!({"for": "PT1H"}), 404, "no incident `i7` is open"),
        ("incident/seven/silence", json!({"for": "PT1H"}), 404, "incident `seven` not found"),
    ] {
        let answer = body(&post(path, asked.clone()).await, status);
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains(said), "{path} {asked}: {message}");
        assert!(
            !answer["remedy"].as_str().unwrap_or_default().is_empty() || status == 400,
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_message_that_was_given_up_is_tried_again_when_somebody_wants_it() {
    let fixture = fixture().await;
    raise(&fixture, &[raised(AlertKind::Failed, "bill-a")]);
    let refused = Outcome::Refused { problem: "550 no such user".to_owned() };
    fixture.memory.world().deliver(at("2030-01-01T00:00:00Z"), NotificationId(1), refused);
    let path = "/scheduler/notification/n1/retry";
    let answer = body(&send(&fixture, "op", "POST", path, &json!({"reason": "moved"})).await, 200);
    assert_eq!((&answer["state"], &answer["nextTryAt"]), (&json!("due"), &json!(NOW)));
    for unknown in ["n9", "i1", "9"] {
        let path = format!("/scheduler/notification/{unknown}/retry");
        let answer = body(&bare(&fixture, "op", "POST", &path).await, 404);
        assert!(answer["message"].as_str().unwrap().contains(unknown), "{answer}");
    }
}

#[tokio::test]
async fn who_may_see_some_jobs_hears_of_theirs_alone() {
    let fixture = fixture().await;
    raise(&fixture, &[raised(AlertKind::Failed, "bill-a"), raised(AlertKind::Failed, "pay")]);
    let together =
        |of: &str| Raised { cause: Some("agent S1".to_owned()), ..raised(AlertKind::Failed, of) };
    raise(&fixture, &[together("bill-b"), together("pay")]);
    let page = get(&fixture, "bill", "/scheduler/incidents").await;
    assert_eq!(ids(&page, "incidents"), ["i3", "i1"]);
    assert_eq!((&page["total"], &page["counts"]["closed"]), (&Value::Null, &Value::Null));
    assert_eq!(page["counts"]["open"], 2);
    let shared = &page["incidents"][0];
    assert_eq!((&shared["jobs"], &shared["told"]), (&json!(["bill-b"]), &json!([])));
    assert_eq!(shared["latest"].as_array().unwrap().len(), 1);
    assert!(!page.to_string().contains("pay"), "{page}");
    let page = get(&fixture, "bill", "/scheduler/notifications").await;
    assert!(!page.to_string().contains("pay"), "{page}");
    assert_eq!((&page["total"], &page["counts"]), (&Value::Null, &Value::Null));

    let post =
        async |path: &str| bare(&fixture, "bill", "POST", &format!("/scheduler/{path}")).await;
    body(&post("incident/i1/acknowledge").await, 200);
    // As if it were not there.
    body(&post("incident/i2/acknowledge").await, 404);
    body(&bare(&fixture, "bill", "GET", "/scheduler/incident/i2").await, 404);
    // One of many jobs is not theirs to silence.
    body(&post("incident/i3/acknowledge").await, 403);
    let asked = json!({"job": "pay", "for": "PT1H"});
    let answer = send(&fixture, "bill", "POST", "/scheduler/silence", &asked).await;
    assert_eq!(body(&answer, 400)["message"], "Job 'pay' not found");
}

#[tokio::test]
async fn channels_are_listed_and_tried() {
    let fixture = fixture().await;
    let headers = format!("{}Content-Type: application/json\r\n", bearer("admin"));
    let test = async |asked: Value| {
        fixture.ask_with("POST", "/scheduler/channels/test", &headers, &asked.to_string()).await
    };
    let answer = body(&test(json!({})).await, 400);
    assert_eq!(answer["message"], "no channel is configured");
    fixture.memory.world().channels = vec![channel("mail", "mail"), channel("pager", "webhook")];
    raise(&fixture, &[raised(AlertKind::Failed, "bill-a")]);
    for _ in 0..2 {
        let failed = Outcome::Failed { problem: "no route to host".to_owned() };
        fixture.memory.world().deliver(at("2030-01-01T00:00:00Z"), NotificationId(1), failed);
    }
    let listed = get(&fixture, "viewer", "/scheduler/channels").await;
    let expected = json!({"channels": [
        {"name": "mail", "kind": "mail", "to": "mail.example.org", "problem": "no route to host", "failingSince": NOW, "due": 1},
        {"name": "pager", "kind": "webhook", "to": "pager.example.org", "problem": null, "failingSince": null, "due": 0},
    ]});
    assert_eq!(listed, expected);
    let answer = body(&test(json!({"recipient": "me@example.org"})).await, 200);
    let expected = json!({"results": [
        {"channel": "mail", "recipient": "me@example.org", "arrived": true, "said": "250 2.0.0 Ok", "problem": null},
        {"channel": "pager", "recipient": "me@example.org", "arrived": false, "said": null, "problem": "it answered 503"},
    ]});
    assert_eq!(answer, expected);
    let answer = body(&test(json!({"channel": "slack"})).await, 400);
    assert_eq!(
        (&answer["field"], &answer["remedy"]),
        (&json!("channel"), &json!("name one of mail, pager"))
    );
    // Whoever may only operate does not send mail to anybody they name.
    body(&bare(&fixture, "op", "POST", "/scheduler/channels/test").await, 403);
}
