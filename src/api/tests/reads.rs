//! Lists, search and graph over HTTP: the bytes that clients of Chronos read.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::super::edge::front::Exchange;
use super::super::testing::{Fixture, Memory, attempt, name, run, running, site};
use super::super::{Backend, Caller, Pattern, Role, Scope, router};
use super::PREFIXES;
use crate::model::{AttemptState, HistoryEntry, RunState};

/// The jobs of the compatibility sheet: two with a schedule, and one after both.
async fn report(fixture: &Fixture) {
    for (path, body) in [
        (
            "iso8601",
            r#"{"name":"nightly-report","command":"/opt/Report/run.sh","owner":"data@example.org, ops@example.org",
             "schedule":"R/2030-01-01T02:30:00.000Z/P1D","lastSuccess":"2029-12-31T02:31:00.000Z","successCount":3}"#,
        ),
        (
            "iso8601",
            r#"{"name":"exchange-rates","command":"fetch","schedule":"R/2030-01-01T00:00:00Z/PT1H"}"#,
        ),
        (
            "dependency",
            r#"{"name":"report-mail","command":"mail","parents":["nightly-report","exchange-rates"],
             "lastSuccess":"2029-12-31T02:31:00.000Z","lastError":"2029-12-31T02:32:00.000Z","disabled":true}"#,
        ),
    ] {
        let answer = fixture.put("POST", &format!("/scheduler/{path}"), body).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
    }
    let mut world = fixture.memory.world();
    for (sequence, job, state) in [
        (1, "exchange-rates", RunState::Pending { deadline: None }),
        (2, "report-mail", RunState::Active),
        (3, "report-mail", RunState::Active),
    ] {
        let attempts = match &state {
            RunState::Active => vec![attempt(0, running())],
            _ => Vec::new(),
        };
        world.history.push(HistoryEntry::Run(run(sequence, job, state, attempts)));
    }
}

/// As many jobs as make several pages of everything.
async fn many(fixture: &Fixture) {
    for index in 0..20 {
        // The order of creation is not that of the names.
        let name = format!("j{:02}", (index * 7) % 20);
        let body = format!(
            r#"{{"name":"{name}","command":"echo {index}","schedule":"R/2030-01-01T00:00:00Z/P1D"}}"#
        );
        assert_eq!(fixture.put("POST", "/scheduler/iso8601", &body).await.status, 204);
    }
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|job| job["name"].as_str().unwrap()).collect()
}

/// What somebody who may see these jobs only is answered.
async fn in_scope(memory: &Arc<Memory>, patterns: &[&str], path: &str) -> String {
    let scope = patterns.iter().map(|pattern| Pattern::parse(pattern).unwrap()).collect();
    let caller = Caller { name: "x".into(), role: Role::Viewer, scope: Scope::Only(scope) };
    let (_, stopping) = watch::channel(false);
    let peer = "127.0.0.1:1".parse().unwrap();
    let exchange = Exchange {
        id: 1,
        admission: Default::default(),
        caller,
        peer,
        audit: None,
        body_limits: Default::default(),
        stopping,
    };
    let backend: Arc<dyn Backend> = Arc::<Memory>::clone(memory);
    let request = Request::get(path).extension(exchange).body(Body::empty()).unwrap();
    let response = router(backend, site()).oneshot(request).await.unwrap();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(body.into()).unwrap()
}

#[tokio::test]
async fn the_summary_is_byte_for_byte_that_of_chronos_through_both_prefixes() {
    for p in PREFIXES {
        let fixture = Fixture::start().await;
        let path = format!("{p}/jobs/summary");
        let empty = fixture.ask("GET", &path).await;
        assert_eq!((empty.status, empty.text()), (200, r#"{"jobs":[]}"#));
        report(&fixture).await;
        let answer = fixture.ask("GET", &path).await;
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let expected = concat!(
            r#"{"jobs":[{"name":"nightly-report","status":"success","state":"idle","#,
            r#""schedule":"R/2030-01-01T02:30:00.000Z/P1D","parents":[],"disabled":false},"#,
            r#"{"name":"exchange-rates","status":"fresh","state":"queued","#,
            r#""schedule":"R/2030-01-01T00:00:00Z/PT1H","parents":[],"disabled":false},"#,
            r#"{"name":"report-mail","status":"failure","state":"2 running","schedule":"","#,
            r#""parents":["nightly-report","exchange-rates"],"disabled":true}]}"#,
        );
        assert_eq!(answer.text(), expected);
    }
}

#[tokio::test]
async fn the_graph_is_byte_for_byte_that_of_chronos() {
    for (p, running) in [("/scheduler", "running"), ("/v1/scheduler", "2 running")] {
        let fixture = Fixture::start().await;
        let (dot, csv) = (format!("{p}/graph/dot"), format!("{p}/graph/csv"));
        assert_eq!(fixture.ask("GET", &dot).await.text(), "digraph G {\n}\n");
        let empty = fixture.ask("GET", &csv).await;
        assert_eq!((empty.status, empty.text()), (200, ""));
        report(&fixture).await;
        let dot = fixture.ask("GET", &dot).await;
        assert_eq!(dot.header("content-type"), Some("text/plain"));
        let expected = "digraph G {\n  1 [ label=\"nightly-report\" ];\n  2 [ label=\"exchange-rates\" ];\n  \
                        3 [ label=\"report-mail\" ];\n  1 -> 3;\n  2 -> 3;\n}\n";
        assert_eq!(dot.text(), expected);
        let csv = fixture.ask("GET", &csv).await;
        assert_eq!(csv.header("content-type"), Some("text/plain"));
        let expected = format!(
            "node,nightly-report,success,idle\nnode,exchange-rates,fresh,queued\n\
             node,report-mail,failure,{running}\nlink,nightly-report,report-mail\n\
             link,exchange-rates,report-mail\n"
        );
        assert_eq!(csv.text(), expected);
    }
}

#[tokio::test]
async fn lists_of_several_pages_have_every_job_once_in_their_order() {
    let fixture = Fixture::start().await;
    many(&fixture).await;
    let by_name: Vec<String> = (0..20).map(|index| format!("j{index:02}")).collect();
    let by_creation: Vec<String> =
        (0..20).map(|index| format!("j{:02}", (index * 7) % 20)).collect();
    let list = fixture.ask("GET", "/scheduler/jobs").await.json();
    assert_eq!(names(&list), by_name);
    let summary = fixture.ask("GET", "/scheduler/jobs/summary").await.json();
    assert_eq!(names(&summary["jobs"]), by_creation);
    let found = fixture.ask("GET", "/scheduler/jobs/search?limit=100").await.json();
    assert_eq!(names(&found), by_creation);
    let csv = fixture.ask("GET", "/scheduler/graph/csv").await;
    let nodes: Vec<&str> = csv.text().lines().map(|line| line.split(',').nth(1).unwrap()).collect();
    assert_eq!(nodes, by_creation);
    let dot = fixture.ask("GET", "/scheduler/graph/dot").await;
    assert!(dot.text().contains("\n  20 [ label=\"j13\" ];\n}\n"), "{}", dot.text());
}

#[tokio::test]
async fn statistics_that_are_no_dates_do_not_fail_the_list() {
    let fixture = Fixture::start().await;
    let body = r#"{"name":"a","command":"true","schedule":"R/2030-01-01T00:00:00Z/P1D"}"#;
    assert_eq!(fixture.put("POST", "/scheduler/iso8601", body).await.status, 204);
    {
        // As another release, or an import, may have stored them.
        let mut world = fixture.memory.world();
        let stats = &mut world.jobs.get_mut(&name("a")).unwrap().stats;
        stats.last_success = "last \"week\"".to_owned();
        stats.last_error = "never, I hope".to_owned();
    }
    for p in PREFIXES {
        let summary = fixture.ask("GET", &format!("{p}/jobs/summary")).await.json();
        assert_eq!(summary["jobs"][0]["status"], "failure");
        let csv = fixture.ask("GET", &format!("{p}/graph/csv")).await;
        assert_eq!(csv.text(), "node,a,failure,idle\n");
    }
}

#[tokio::test]
async fn search_finds_what_chronos_finds() {
    for p in PREFIXES {
        let fixture = Fixture::start().await;
        report(&fixture).await;
        let all = ["nightly-report", "exchange-rates", "report-mail"];
        for (query, expected) in [
            ("", &all[..]),
            ("?name=REPORT", &["nightly-report", "report-mail"]),
            ("?command=opt%2Freport", &["nightly-report"]),
            ("?name=report&command=MAIL", &["report-mail"]),
            ("?name=&command=", &all),
            ("?name=zzz", &[]),
            // Alone it filters nothing.
            ("?any=zzz", &all),
            ("?name=zzz&any=FETCH", &["exchange-rates"]),
            ("?command=zzz&any=mail", &["report-mail"]),
            ("?name=zzz&any=", &[]),
            ("?limit=1", &["nightly-report"]),
            ("?limit=1&offset=1", &["exchange-rates"]),
            ("?offset=2", &["report-mail"]),
            ("?offset=3", &[]),
            ("?limit=0", &[]),
            ("?limit=-1", &[]),
            // From the first on, as a slice is cut.
            ("?offset=-1&limit=2", &["nightly-report"]),
            ("?limit=&offset=%20", &all),
            ("?limit=9223372036854775807&offset=1", &["exchange-rates", "report-mail"]),
            ("?unknown=1", &all),
        ] {
            let answer = fixture.ask("GET", &format!("{p}/jobs/search{query}")).await;
            assert_eq!(answer.status, 200, "{query}");
            assert!(answer.is_complete && answer.text().lines().count() == 1, "{query}");
            assert_eq!(names(&answer.json()), expected, "{query}");
        }
        // As one job is shown: without the mirror of the list.
        let found = fixture.ask("GET", &format!("{p}/jobs/search?name=nightly")).await.json();
        let one = fixture.ask("GET", &format!("{p}/job/nightly-report")).await.json();
        assert_eq!(found[0], one);
    }
}

#[tokio::test]
async fn search_gives_ten_unless_asked_and_knows_no_path_with_a_wrong_number() {
    let fixture = Fixture::start().await;
    many(&fixture).await;
    assert_eq!(names(&fixture.ask("GET", "/scheduler/jobs/search").await.json()).len(), 10);
    let rest = fixture.ask("GET", "/scheduler/jobs/search?offset=15").await.json();
    assert_eq!(names(&rest), ["j05", "j12", "j19", "j06", "j13"]);
    for query in ["limit=x", "offset=1.0", "limit=99999999999999999999", "offset=0x1"] {
        let answer = fixture.ask("GET", &format!("/scheduler/jobs/search?{query}")).await;
        let message = answer.message(404);
        assert!(message.contains("expected a whole number"), "{message}");
        assert_eq!(answer.json()["field"], query.split('=').next().unwrap());
    }
    fixture.ask("GET", "/scheduler/jobs/search?name=%ff").await.message(400);
}

#[tokio::test]
async fn a_page_of_jobs_leads_to_the_next() {
    let fixture = Fixture::start().await;
    many(&fixture).await;
    let mut path = "/v1/scheduler/jobs?limit=8".to_owned();
    let mut pages = Vec::new();
    loop {
        let answer = fixture.ask("GET", &path).await;
        let list = answer.json();
        pages.push(names(&list).into_iter().map(str::to_owned).collect::<Vec<_>>());
        let Some(link) = answer.header("link") else { break };
        let query = link.strip_prefix('<').unwrap().strip_suffix(r#">; rel="next""#).unwrap();
        path = format!("/v1/scheduler/jobs{query}");
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [8, 8, 4]);
    let expected: Vec<String> = (0..20).map(|index| format!("j{index:02}")).collect();
    assert_eq!(pages.concat(), expected);
    // A page that ends with the last job is the last.
    let exact = fixture.ask("GET", "/v1/scheduler/jobs?limit=20").await;
    assert_eq!((names(&exact.json()).len(), exact.header("link")), (20, None));
    // What it follows need not be there, and without a limit it is the rest.
    let rest = fixture.ask("GET", "/scheduler/jobs?after=j17a").await.json();
    assert_eq!(names(&rest), ["j18", "j19"]);
    assert_eq!(fixture.ask("GET", "/scheduler/jobs?after=k").await.text(), "[]");
    assert_eq!(fixture.ask("GET", "/scheduler/jobs?after=k&limit=1").await.text(), "[]");
}

#[tokio::test]
async fn a_list_shows_only_the_fields_and_jobs_that_are_wanted() {
    let fixture = Fixture::start().await;
    report(&fixture).await;
    let answer = fixture.ask("GET", "/scheduler/jobs?fields=schedule,name&limit=2").await;
    let expected = concat!(
        r#"[{"name":"exchange-rates","schedule":"R/2030-01-01T00:00:00Z/PT1H"},"#,
        r#"{"name":"nightly-report","schedule":"R/2030-01-01T02:30:00.000Z/P1D"}]"#,
    );
    assert_eq!(answer.text(), expected);
    let link = r#"<?limit=2&fields=schedule%2Cname&after=nightly%2Dreport>; rel="next""#;
    assert_eq!(answer.header("link"), Some(link));
    for (query, expected) in [
        ("state=idle", &["nightly-report"][..]),
        ("state=queued", &["exchange-rates"]),
        ("state=running", &["report-mail"]),
        ("owner=ops@example.org", &["nightly-report"]),
        ("owner=", &["exchange-rates", "report-mail"]),
        ("owner=example.org", &[]),
        ("state=running&owner=ops@example.org", &[]),
        ("state=idle&limit=1", &["nightly-report"]),
        ("unknown=1", &["exchange-rates", "nightly-report", "report-mail"]),
    ] {
        let answer = fixture.ask("GET", &format!("/v1/scheduler/jobs?{query}")).await;
        assert_eq!(names(&answer.json()), expected, "{query}");
        assert_eq!(answer.header("link"), None, "{query}");
    }
}

#[tokio::test]
async fn a_parameter_of_ours_that_cannot_be_read_is_refused_with_its_name() {
    let fixture = Fixture::start().await;
    for (query, field, right) in [
        ("limit=0", "limit", "expected a number from 1 to 1000"),
        ("limit=1001", "limit", "expected a number from 1 to 1000"),
        ("limit=ten", "limit", "expected a number from 1 to 1000"),
        ("after=a%2Fb", "after", "is not allowed"),
        ("after=", "after", "is empty"),
        ("fields=", "fields", "expected names of a job's fields"),
        ("fields=name,,schedule", "fields", "expected names of a job's fields"),
        ("fields=comand", "fields", "expected names of a job's fields"),
        ("state=busy", "state", "expected `idle`, `queued` or `running`"),
    ] {
        let answer = fixture.ask("GET", &format!("/scheduler/jobs?{query}")).await;
        let message = answer.message(400);
        assert!(message.contains(right), "{query}: {message}");
        assert_eq!(answer.json()["field"], field, "{query}");
    }
    let remedy = fixture.ask("GET", "/scheduler/jobs?fields=comand").await.json()["remedy"].clone();
    assert_eq!(remedy, "did you mean `command`?");
}

#[tokio::test]
async fn what_is_out_of_scope_is_in_no_list_and_no_edge() {
    let fixture = Fixture::start().await;
    report(&fixture).await;
    let memory = &fixture.memory;
    let scope = ["report-*", "exchange-rates"];
    let csv = in_scope(memory, &scope, "/scheduler/graph/csv").await;
    let expected = "node,exchange-rates,fresh,queued\nnode,report-mail,failure,running\n\
                    link,exchange-rates,report-mail\n";
    assert_eq!(csv, expected);
    let dot = in_scope(memory, &scope, "/scheduler/graph/dot").await;
    let expected = "digraph G {\n  1 [ label=\"exchange-rates\" ];\n  2 [ label=\"report-mail\" ];\n  \
                    1 -> 2;\n}\n";
    assert_eq!(dot, expected);
    let mail = ["report-mail"];
    for path in ["jobs", "jobs/search", "jobs?limit=5"] {
        let list = in_scope(memory, &mail, &format!("/scheduler/{path}")).await;
        assert_eq!(names(&serde_json::from_str(&list).unwrap()), mail, "{path}");
    }
    let summary = in_scope(memory, &mail, "/scheduler/jobs/summary").await;
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(names(&summary["jobs"]), mail);
    // What it waits for is told without parents that nobody may see.
    let waits = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    for prefix in PREFIXES {
        let round = waits(in_scope(memory, &mail, &format!("{prefix}/round/report-mail")).await);
        assert_eq!(round["parents"], json!([]));
        let job = waits(in_scope(memory, &mail, &format!("{prefix}/job/report-mail")).await);
        for told in [&round["waitsFor"], &job["waitsFor"]] {
            let told = told.as_str().unwrap();
            assert!(told.ends_with("unseen") && !told.contains("exchange"), "{told}");
        }
        let round = waits(in_scope(memory, &scope, &format!("{prefix}/round/report-mail")).await);
        assert_eq!(round["waitsFor"], "it waits, also for 1 unseen");
        assert_eq!(round["parents"].as_array().unwrap().len(), 1);
    }
}

/// Jobs that nobody may see fill whole pages; what is behind them is found all the same.
#[tokio::test]
async fn pages_without_a_job_in_scope_end_no_list() {
    let fixture = Fixture::start().await;
    many(&fixture).await;
    for path in ["jobs", "jobs/search", "jobs?limit=1"] {
        let list = in_scope(&fixture.memory, &["j19"], &format!("/scheduler/{path}")).await;
        assert_eq!(names(&serde_json::from_str(&list).unwrap()), ["j19"], "{path}");
    }
    let nothing = in_scope(&fixture.memory, &["x"], "/scheduler/jobs").await;
    assert_eq!(nothing, "[]");
    // Over a real connection too.
    let answer = fixture.ask("GET", "/scheduler/jobs?owner=nobody").await;
    assert!(answer.is_complete);
    assert_eq!(answer.text(), "[]");
}

#[tokio::test]
async fn a_job_that_is_called_like_a_path_is_still_a_job() {
    let fixture = Fixture::start().await;
    for job in ["stat", "search", "summary"] {
        let body = format!(
            r#"{{"name":"{job}","command":"true","schedule":"R/2030-01-01T00:00:00Z/P1D"}}"#
        );
        assert_eq!(fixture.put("POST", "/scheduler/iso8601", &body).await.status, 204);
        let shown = fixture.ask("GET", &format!("/scheduler/job/{job}")).await;
        assert_eq!(shown.json()["name"], job);
    }
    assert!(fixture.memory.world().jobs.contains_key(&name("stat")));
}

/// An attempt that was asked for and has not been heard of is not running.
#[tokio::test]
async fn a_launch_that_is_not_heard_of_is_queued() {
    let fixture = Fixture::start().await;
    report(&fixture).await;
    {
        let mut world = fixture.memory.world();
        let launching = vec![attempt(0, AttemptState::Launching)];
        let run = run(9, "nightly-report", RunState::Active, launching);
        world.history.push(HistoryEntry::Run(run));
    }
    let csv = fixture.ask("GET", "/v1/scheduler/graph/csv").await;
    assert!(csv.text().starts_with("node,nightly-report,success,queued\n"), "{}", csv.text());
}

#[tokio::test]
async fn a_page_of_which_nothing_is_found_gives_others_their_turn() {
    let fixture = Fixture::start().await;
    many(&fixture).await;
    let path = "/scheduler/jobs?limit=10&owner=nobody";
    let all: Vec<String> = (0..20).map(|index| format!("j{index:02}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut asked = Box::pin(in_scope(&fixture.memory, &all, path));
    let mut turns = 0;
    while futures_util::FutureExt::now_or_never(asked.as_mut()).is_none() {
        turns += 1;
        assert!(turns < 1_000);
    }
    assert!(turns > 1, "every look has its turn");
    assert_eq!(in_scope(&fixture.memory, &all, path).await, "[]");
}
