//! How long runs took, and who leads, over HTTP.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::super::edge::front::Exchange;
use super::super::testing::{
    Fixture, Memory, at, attempt, ended, name, over, run, running, site, stretch,
};
use super::super::{Backend, Caller, router};
use super::PREFIXES;
use crate::model::{
    Attempt, AttemptState, Exit, HistoryEntry, Incarnation, Run, RunId, RunState, Verdict,
};

const ZERO: &str = concat!(
    r#"{"histogram":{"75thPercentile":0.0,"95thPercentile":0.0,"98thPercentile":0.0,"99thPercentile":0.0,"#,
    r#""median":0.0,"mean":0.0,"count":0},"taskStatHistory":[]}"#,
);

async fn jobs(fixture: &Fixture, names: &[&str]) {
    for name in names {
        let body = format!(
            r#"{{"name":"{name}","command":"true","schedule":"R/2030-01-01T00:00:00Z/P1D"}}"#
        );
        assert_eq!(fixture.put("POST", "/scheduler/iso8601", &body).await.status, 204);
    }
}

/// A run of the `number`-th job that took so many milliseconds.
fn took(sequence: u64, number: u64, job: &str, millis: i64) -> HistoryEntry {
    let mut took = run(sequence, job, over(Verdict::Succeeded), Vec::new());
    took.id = RunId::manual(Incarnation(number), i64::try_from(sequence).unwrap());
    took.wanted_at = at("2030-01-01T00:00:02Z")
        .saturating_sub(crate::model::Duration::from_millis(millis))
        .unwrap();
    HistoryEntry::Run(took)
}

/// The parts in which the answer to a request of everybody's comes.
pub(super) async fn parts(fixture: &Fixture, path: &str) -> Vec<String> {
    let (_, stopping) = watch::channel(false);
    let exchange = Exchange {
        id: 1,
        admission: Default::default(),
        caller: Caller::anonymous(),
        peer: "127.0.0.1:1".parse().unwrap(),
        audit: None,
        body_limits: Default::default(),
        stopping,
    };
    let backend: Arc<dyn Backend> = Arc::<Memory>::clone(&fixture.memory);
    let request = Request::get(path).extension(exchange).body(Body::empty()).unwrap();
    let response = router(backend, site()).oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let frames = response.into_body().into_data_stream();
    frames.map(|frame| String::from_utf8(frame.unwrap().into()).unwrap()).collect().await
}

/// Many jobs, of which each has run and took a time of its own.
pub(super) async fn many(fixture: &Fixture) -> u64 {
    const JOBS: u64 = 600;
    jobs(fixture, &["job-0"]).await;
    let mut world = fixture.memory.world();
    let first = world.jobs.values().next().unwrap().clone();
    for number in 1..=JOBS {
        let mut record = first.clone();
        record.job.name = name(&format!("job-{number}"));
        record.incarnation = Incarnation(number + 1);
        record.stats.success_count = number;
        world.history.push(took(number, number + 1, record.job.name.as_str(), number as i64));
        world.jobs.insert(record.job.name.clone(), record);
    }
    JOBS
}

#[tokio::test]
async fn figures_of_many_jobs_come_in_parts() {
    let fixture = Fixture::start().await;
    let jobs = many(&fixture).await;
    for p in PREFIXES {
        let path = format!("{p}/stats/median");
        let parts = parts(&fixture, &path).await;
        assert!(parts.len() > 2, "{}", parts.len());
        let items = (0..=jobs).rev().map(|number| {
            format!(r#"{{"jobNameLabel":"job-{number}","time":{:?}}}"#, number as f64 / 1_000.0)
        });
        let expected = format!("[{}]", items.collect::<Vec<_>>().join(","));
        assert_eq!(parts.concat(), expected);
        assert_eq!(fixture.ask("GET", &path).await.text(), expected);
    }
}

#[tokio::test]
async fn a_job_that_never_ran_has_the_zero_document() {
    for p in PREFIXES {
        let fixture = Fixture::start().await;
        jobs(&fixture, &["myjob"]).await;
        let answer = fixture.ask("GET", &format!("{p}/job/stat/myjob")).await;
        assert_eq!((answer.status, answer.text()), (200, ZERO));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        for figure in [
            "99thPercentile",
            "98thPercentile",
            "95thPercentile",
            "75thPercentile",
            "median",
            "mean",
            "count",
        ] {
            let answer = fixture.ask("GET", &format!("{p}/stats/{figure}")).await;
            assert_eq!(answer.text(), r#"[{"jobNameLabel":"myjob","time":0.0}]"#, "{figure}");
        }
        for figure in ["foo", "Median", "%ff", "histogram"] {
            let answer = fixture.ask("GET", &format!("{p}/stats/{figure}")).await;
            assert_eq!((answer.status, answer.text()), (200, "[]"), "{figure}");
        }
    }
}

#[tokio::test]
async fn an_unknown_job_has_no_figures() {
    let fixture = Fixture::start().await;
    for p in PREFIXES {
        let answer = fixture.ask("GET", &format!("{p}/job/stat/x")).await;
        assert_eq!(answer.message(400), "Job 'x' not found");
        assert_eq!(answer.json()["code"], "unknown_job");
    }
}

#[tokio::test]
async fn figures_are_in_milliseconds_of_one_job_and_in_seconds_of_all_the_longest_first() {
    let fixture = Fixture::start().await;
    jobs(&fixture, &["a", "b", "c", "d"]).await;
    {
        let mut world = fixture.memory.world();
        for (sequence, millis) in (1..).zip([5_000, 1_000, 2_000, 3_000, 4_000]) {
            world.history.push(took(sequence, 1, "a", millis));
        }
        world.history.push(took(6, 3, "c", 4_500));
        // What failed, and what ran in an earlier life of the name, does not count.
        world.history.push(HistoryEntry::Run(run(7, "b", over(Verdict::Failed), Vec::new())));
        world.history.push(took(8, 99, "b", 9_000));
    }
    for p in PREFIXES {
        let stat = fixture.ask("GET", &format!("{p}/job/stat/a")).await.json();
        let expected = json!({
            "75thPercentile": 4_500.0, "95thPercentile": 5_000.0, "98thPercentile": 5_000.0,
            "99thPercentile": 5_000.0, "median": 3_000.0, "mean": 3_000.0, "count": 5,
        });
        assert_eq!(stat["histogram"], expected);
        let answer = fixture.ask("GET", &format!("{p}/stats/75thPercentile")).await;
        let expected = concat!(
            r#"[{"jobNameLabel":"a","time":4.5},{"jobNameLabel":"c","time":4.5},"#,
            r#"{"jobNameLabel":"b","time":0.0},{"jobNameLabel":"d","time":0.0}]"#,
        );
        assert_eq!(answer.text(), expected);
        let answer = fixture.ask("GET", &format!("{p}/stats/count")).await.json();
        assert_eq!(answer[0], json!({"jobNameLabel": "a", "time": 0.005}));
    }
}

/// A run with these attempts.
fn tried(sequence: u64, state: RunState, attempts: Vec<Attempt>) -> HistoryEntry {
    HistoryEntry::Run(Run { ..run(sequence, "a", state, attempts) })
}

#[tokio::test]
async fn the_newest_tasks_are_listed_as_chronos_lists_them() {
    let fixture = Fixture::start().await;
    jobs(&fixture, &["a"]).await;
    {
        let mut world = fixture.memory.world();
        let mut long = attempt(0, ended(Exit::Code(0)));
        long.state = AttemptState::Ended {
            started_at: Some(at("2030-01-01T00:00:04Z")),
            at: at("2030-01-01T01:01:05.9Z"),
            exit: Some(Exit::Code(0)),
            message: String::new(),
        };
        let unborn = AttemptState::Ended {
            started_at: None,
            at: at("2030-01-01T00:00:03Z"),
            exit: None,
            message: "nobody knows".to_owned(),
        };
        let failed = attempt(0, ended(Exit::Code(3)));
        world.history.push(tried(1, over(Verdict::Succeeded), vec![failed, attempt(1, running())]));
        world.history.push(tried(2, over(Verdict::Succeeded), vec![long]));
        world.history.push(tried(3, over(Verdict::Lost), vec![attempt(0, unborn)]));
        world.history.push(HistoryEntry::Stretch(stretch(4, "a")));
        let launching = attempt(0, AttemptState::Launching);
        world.history.push(tried(5, RunState::Active, vec![launching]));
    }
    let stat = fixture.ask("GET", "/scheduler/job/stat/a").await;
    let (_, tasks) = stat.text().split_once(r#""taskStatHistory":"#).unwrap();
    let expected = concat!(
        r#"[{"taskId":"ct:1:0:a:","jobName":"a","slaveId":"local","startTime":"01/01/30 00:00:04","#,
        r#""endTime":"01/01/30 01:01:05","duration":"1h1m1s","status":"Success"},"#,
        r#"{"taskId":"ct:1:0:a:","jobName":"a","slaveId":"local","startTime":"01/01/30 00:00:01","#,
        r#""endTime":"01/01/30 00:00:02","duration":"0s","status":"Fail"},"#,
        r#"{"taskId":"ct:1:1:a:","jobName":"a","slaveId":"local","startTime":"01/01/30 00:00:01","#,
        r#""endTime":"N/A","status":"Running"},"#,
        r#"{"taskId":"ct:1:0:a:","jobName":"a","slaveId":"local","startTime":"N/A","endTime":"N/A","#,
        r#""status":"Idle"},"#,
        r#"{"taskId":"ct:1:0:a:","jobName":"a","slaveId":"local","startTime":"N/A","#,
        r#""endTime":"01/01/30 00:00:03","status":"Fail"}]}"#,
    );
    assert_eq!(tasks, expected);
    // Of more than the limit the oldest are left out, however many entries without tasks stand before them.
    {
        let mut world = fixture.memory.world();
        for sequence in 6..200 {
            world.history.push(HistoryEntry::Stretch(stretch(sequence, "a")));
        }
        world.history.push(tried(200, RunState::Active, vec![attempt(0, running())]));
    }
    let stat = fixture.ask("GET", "/scheduler/job/stat/a").await.json();
    let tasks = stat["taskStatHistory"].as_array().unwrap();
    assert_eq!(tasks.len(), 5);
    assert_eq!((&tasks[0]["status"], &tasks[4]["status"]), (&json!("Success"), &json!("Idle")));
}

#[tokio::test]
async fn a_history_that_cannot_be_read_is_500_without_details() {
    let fixture = Fixture::start().await;
    jobs(&fixture, &["a"]).await;
    fixture.memory.world().panics = true;
    for path in ["/scheduler/stats/median", "/scheduler/job/stat/a", "/metrics"] {
        let answer = fixture.ask("GET", path).await;
        assert_eq!(answer.message(500), "the history cannot be read; the log says why", "{path}");
    }
}

#[tokio::test]
async fn the_leader_is_named_or_nobody() {
    let fixture = Fixture::start().await;
    for p in PREFIXES {
        let answer = fixture.ask("GET", &format!("{p}/leader")).await;
        assert_eq!((answer.status, answer.text()), (200, r#"{"leader":"n1:4400"}"#));
    }
    fixture.memory.world().is_unavailable = true;
    assert_eq!(fixture.ask("GET", "/scheduler/leader").await.text(), r#"{"leader":""}"#);
}
