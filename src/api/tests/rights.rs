//! The matrix of rights: every method of every route, through every door, for everybody who could ask.
//!
//! What is asked is generated from the table of routes. A route for which nothing is said here fails, so none can be
//! added without somebody thinking about what those may see of it who may not see the job.

use std::collections::BTreeSet;

use super::super::credential::testing::{admitting, bearer};
use super::super::routes::{Needs, ROUTES, Route};
use super::super::testing::{
    Answer, Fixture, Written, at, attempt, backfill, ended, name, over, run, run as made, site,
};
use super::super::{Options, Role};
use super::PREFIXES;
use super::incidents::{channel, raised};
use axum::http::Method;

use crate::model::{
    AlertKind, Exit, HistoryEntry, Intervention, Origin, RunState, Skip, SourceName, Verdict,
};

/// The job that everything is about.
const JOB: &str = "bill-a";

/// What is asked of a route, and what somebody hears of it whose scope does not cover the job.
struct Question {
    path: String,
    body: &'static str,
    hidden: Hidden,
}

/// How a job that is out of scope is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hidden {
    /// By this status, with "not found" in the message.
    NotFound(u16),
    /// By the word `false`, as any name that there is not.
    False,
    /// By an answer as of any task that there is not, and nothing is done.
    Ignored,
    /// It is left out of an answer that is given all the same.
    LeftOut,
    /// The answer is about no job.
    NoJob,
    /// All of it is kept from whoever has a scope at all.
    ForAllJobs,
}

const SCHEDULED: &str =
    r#"{"name":"bill-a","command":"true","schedule":"R/2030-01-01T00:00:00Z/P1D","owner":""}"#;
const APPLIED: &str =
    r#"{"jobs":[{"name":"bill-a","command":"true","schedule":"R/2030-01-01T00:00:00Z/P1D"}]}"#;
const CRON: &str = r#"{"name":"bill-a","command":"true","schedule":"0 2 * * *","owner":""}"#;
const DEPENDENT: &str = r#"{"name":"bill-a","command":"true","parents":["bill-p"],"owner":""}"#;

fn question(route: &Route) -> Question {
    use Hidden::{False, ForAllJobs, Ignored, LeftOut, NoJob, NotFound};
    // What ends a run asks for the one that waits, the others for the one that is over.
    let waits = ["kill", "succeed", "skip"].iter().any(|verb| route.path.ends_with(verb));
    let id = run(if waits { 2 } else { 1 }, JOB, over(Verdict::Succeeded), Vec::new()).id;
    let fill = |path: &str| {
        path.replace("{name}", JOB)
            .replace("{id}", &id.to_string())
            .replace("{task_id}", "ct%3A1%3A0%3Aa%3A")
            .replace("{backfill}", "b7")
            .replace("{incident}", "i1")
            .replace("{notification}", "n1")
            .replace("{revision}", "1")
            .replace("{figure}", "median")
            .replace("{version}", site().version())
            .replace("{*path}", "main.js")
    };
    let (query, body, hidden) = match (route.method.as_str(), route.path) {
        ("GET", "/ping" | "/" | "/assets/{version}/{*path}" | "/me") => ("", "", NoJob),
        ("POST" | "PUT", "/iso8601") => ("", SCHEDULED, NotFound(400)),
        ("POST" | "PUT", "/cron") => ("", CRON, NotFound(400)),
        ("POST" | "PUT", "/dependency") => ("", DEPENDENT, NotFound(400)),
        ("GET" | "PUT" | "DELETE", "/job/{name}") | ("DELETE", "/task/kill/{name}") => {
            ("", "", NotFound(400))
        }
        ("GET", "/preview") => ("?job=bill-a", "", NotFound(400)),
        ("POST", "/preview") => ("", SCHEDULED, NoJob),
        ("GET", "/round/{name}") => ("", "", NotFound(404)),
        ("GET", "/explain/{name}" | "/run/{id}/explain" | "/chain/{id}") => ("", "", NotFound(404)),
        ("GET", "/run/{id}" | "/run/{id}/stdout" | "/run/{id}/stderr" | "/run/{id}/files") => {
            ("", "", NotFound(404))
        }
        ("GET", "/run/{id}/file") => ("?path=report.csv", "", NotFound(404)),
        (
            "GET",
            "/jobs" | "/runs" | "/overview" | "/timeline" | "/forecast" | "/info" | "/layout"
            | "/shortfall",
        ) => ("", "", LeftOut),
        ("GET", "/jobs/search" | "/jobs/summary" | "/graph/dot" | "/graph/csv" | "/metrics") => {
            ("", "", LeftOut)
        }
        ("GET", "/stats/{figure}") => ("", "", LeftOut),
        // It begins with what is to come, which is nothing here; `tests/events.rs` has the scope of what is told.
        ("GET", "/events") => ("", "", LeftOut),
        ("GET", "/leader" | "/openapi.json" | "/agents") => ("", "", NoJob),
        ("GET", "/job/stat/{name}") => ("", "", NotFound(400)),
        ("PUT", "/job/success/{name}") => ("", "", False),
        ("POST", "/job/{name}/task/{task_id}/progress") => ("", "{}", NotFound(400)),
        ("PUT", "/task/{task_id}") => ("", r#"{"statusCode":0}"#, Ignored),
        ("DELETE", "/task/all") | ("GET", "/audit") => ("", "", ForAllJobs),
        ("POST", "/apply") => ("", APPLIED, NotFound(400)),
        ("POST", "/cutover") => ("", r#"{"jobs":["bill-a"]}"#, NotFound(400)),
        ("GET", "/revisions/{name}" | "/revision/{name}/{revision}") => ("", "", NotFound(404)),
        ("GET", "/diff/{name}") => ("?from=1&to=1", "", NotFound(404)),
        ("POST", "/rollback/{name}") => ("?to=1", "", NotFound(404)),
        ("POST", "/runs" | "/pause" | "/resume" | "/skip" | "/quarantine/lift") => {
            ("", r#"{"job":"bill-a"}"#, NotFound(400))
        }
        ("POST", "/unskip") => {
            ("", r#"{"job":"bill-a","dueAt":"2030-01-05T00:00:00Z"}"#, NotFound(400))
        }
        ("POST", "/backfill") => {
            ("", r#"{"job":"bill-a","dueAt":["2030-01-01T00:00:00Z"]}"#, NotFound(400))
        }
        ("POST", "/backlog/cut") => ("", r#"{"jobs":["bill-a"]}"#, NotFound(400)),
        ("POST", path) if path.starts_with("/run/") => ("", "", NotFound(404)),
        ("GET" | "POST", "/backfill/{backfill}" | "/backfill/{backfill}/cancel") => {
            ("", "", NotFound(404))
        }
        ("GET", "/pauses" | "/backfills" | "/backlog" | "/origins") => ("", "", LeftOut),
        ("POST", "/clock/trust" | "/notification/{notification}/retry" | "/channels/test") => {
            ("", "", ForAllJobs)
        }
        ("GET", "/incidents" | "/notifications") => ("", "", LeftOut),
        ("POST", "/incident/{incident}/silence") => ("", r#"{"for":"PT1H"}"#, NotFound(404)),
        ("GET" | "POST", path) if path.starts_with("/incident/") => ("", "", NotFound(404)),
        ("POST", "/silence") => ("", r#"{"job":"bill-a","for":"PT1H"}"#, NotFound(400)),
        ("POST", "/unsilence") => ("", r#"{"job":"bill-a"}"#, NotFound(400)),
        ("GET", "/channels") => ("", "", NoJob),
        (method, path) => panic!("say in rights.rs what is asked of {method} {path}"),
    };
    Question { path: format!("{}{query}", fill(route.path)), body, hidden }
}

/// The path alone.
fn bare(prefix: &str, route: &Route) -> String {
    let path = question(route).path;
    format!("{prefix}{}", path.split('?').next().unwrap_or_default())
}

/// A role, and how far it reaches; none of whoever is not let in.
type Rights = Option<(Role, Reach)>;

/// Everybody who could ask: their headers, their role if they are let in, and whether the job is in scope.
fn everybody() -> Vec<(String, String, Rights)> {
    let mut found = vec![
        ("nobody".to_owned(), String::new(), None),
        ("a wrong token".to_owned(), bearer("wrong"), None),
        ("an expired admin".to_owned(), bearer("expired-admin"), None),
        ("two tokens".to_owned(), bearer("admin-all").repeat(2), None),
    ];
    for role in Role::ALL {
        for (word, reach) in
            [("all", Reach::All), ("in", Reach::Covers), ("out", Reach::DoesNotCover)]
        {
            let name = format!("{}-{word}", role.as_str());
            found.push((name.clone(), bearer(&name), Some((role, reach))));
        }
    }
    found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    All,
    Covers,
    DoesNotCover,
}

async fn fixture() -> Fixture {
    let mut callers = vec![("expired-admin".to_owned(), Role::Admin, "")];
    for role in Role::ALL {
        for (word, scope) in [("all", ""), ("in", "bill-*"), ("out", "other-*")] {
            callers.push((format!("{}-{word}", role.as_str()), role, scope));
        }
    }
    let callers: Vec<_> =
        callers.iter().map(|(n, role, scope)| (n.as_str(), *role, *scope)).collect();
    let options = Options { authenticator: Some(admitting(&callers)), ..Options::default() };
    Fixture::start_with(options).await
}

/// Sets the world to what every question finds: the job, its parent, and a run of it that wrote something.
async fn prepare(fixture: &Fixture) {
    *fixture.memory.world() = Default::default();
    let admin = format!("{}Content-Type: application/json\r\n", bearer("admin-all"));
    let parent = SCHEDULED.replace(JOB, "bill-p");
    for body in [parent.as_str(), SCHEDULED] {
        let stored = fixture.ask_with("POST", "/scheduler/iso8601", &admin, body).await;
        assert_eq!(stored.status, 204, "{stored:?}");
    }
    let mut world = fixture.memory.world();
    let attempts = vec![attempt(0, ended(Exit::Code(0)))];
    let run = made(1, JOB, over(Verdict::Succeeded), attempts);
    let report = (run.id, 0, "report.csv".to_owned());
    world.files.insert(report, Ok(Written::all("bill-a")));
    for stream in ["stdout", "stderr"] {
        world.written.insert((run.id, 0, stream), Written::all("bill-a wrote this"));
    }
    world.history.push(HistoryEntry::Run(run));
    let waiting = RunState::Pending { deadline: None };
    world.history.push(HistoryEntry::Run(made(2, JOB, waiting, Vec::new())));
    let by = Intervention {
        by: "kim".to_owned(),
        at: at("2030-01-01T00:00:00Z"),
        reason: String::new(),
    };
    let skip = Skip { due_at: at("2030-01-05T00:00:00Z"), by };
    let interventions = &mut world.jobs.get_mut(&name(JOB)).unwrap().interventions;
    interventions.skips = vec![skip];
    let source = SourceName::parse("ops").unwrap();
    let place = "bill.yaml".to_owned();
    interventions.origin = Some(Origin { source, place, revision: 1, is_gone: false });
    let backfill = backfill(7, JOB);
    world.backfills.insert(backfill.id, backfill);
    world.told.clear();
    world.channels = vec![channel("mail", "mail")];
    world.raise(at("2030-01-01T00:00:00Z"), &[raised(AlertKind::Failed, JOB)]);
    world.requests.clear();
}

/// The answer to somebody, and whether anything reached the loop.
async fn ask(
    fixture: &Fixture,
    method: &Method,
    question: &Question,
    path: &str,
    headers: &str,
) -> (Answer, bool) {
    prepare(fixture).await;
    fixture.memory.world().has_clock_jumped = path.ends_with("/clock/trust");
    let json = if question.body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let headers = format!("{headers}{json}");
    let answer = if path.ends_with("/events") {
        // It never ends.
        fixture.ask_begin(method.as_str(), path, &headers).await
    } else {
        fixture.ask_with(method.as_str(), path, &headers, question.body).await
    };
    let has_reached = !fixture.memory.world().requests.is_empty();
    (answer, has_reached)
}

#[tokio::test]
async fn every_route_lets_in_whom_it_should_and_shows_them_no_more_than_it_should() {
    let fixture = fixture().await;
    let (mut cells, mut let_in) = (0, 0);
    for route in ROUTES {
        let question = question(route);
        let prefixes: &[&str] = if route.is_root { &[""] } else { &PREFIXES };
        let mut methods = vec![route.method.clone()];
        if route.method == Method::GET {
            methods.push(Method::HEAD);
        }
        for (prefix, method) in prefixes.iter().flat_map(|p| methods.iter().map(move |m| (p, m))) {
            let path = format!("{prefix}{}", question.path);
            for (who, headers, caller) in everybody() {
                let cell = format!("{method} {path} by {who}");
                let (answer, has_reached) = ask(&fixture, method, &question, &path, &headers).await;
                let is_admitted = judge(&cell, route, &question, method, caller, &answer);
                assert!(is_admitted || !has_reached, "{cell}: it reached the loop");
                cells += 1;
                let_in += usize::from(is_admitted);
            }
        }
    }
    report(&format!("{} routes, {cells} cells, {let_in} of them let in", ROUTES.len()));
    assert!(cells >= ROUTES.len() * 16, "{cells}");
}

/// Whether the caller was to be let through to the job; the answer must be that.
fn judge(
    cell: &str,
    route: &Route,
    question: &Question,
    method: &Method,
    caller: Rights,
    answer: &Answer,
) -> bool {
    let code = || {
        if *method == Method::HEAD {
            None
        } else {
            answer.json()["code"].as_str().map(str::to_owned)
        }
    };
    let refused = |status: u16, expected: &str| {
        assert_eq!(answer.status, status, "{cell}: {answer:?}");
        assert!(code().is_none_or(|code| code == expected), "{cell}: {answer:?}");
        false
    };
    let is_done = || {
        assert!((200..300).contains(&answer.status), "{cell}: {answer:?}");
        true
    };
    let needs = match route.needs {
        Needs::Nothing => return is_done(),
        Needs::Role(role) => role,
    };
    let Some((role, reach)) = caller else {
        assert_eq!(answer.status, 401, "{cell}: {answer:?}");
        let challenges = answer.headers("www-authenticate");
        assert_eq!(challenges, ["Basic realm=\"Mesosphere\"", "Bearer realm=\"Mesosphere\""]);
        return false;
    };
    if role < needs {
        return refused(403, "role_too_low");
    }
    match (reach, question.hidden) {
        (Reach::All, _) => is_done(),
        (Reach::Covers | Reach::DoesNotCover, Hidden::ForAllJobs) => {
            refused(403, "scope_too_narrow")
        }
        (
            Reach::Covers,
            Hidden::NotFound(_) | Hidden::False | Hidden::Ignored | Hidden::LeftOut | Hidden::NoJob,
        )
        | (Reach::DoesNotCover, Hidden::NoJob) => is_done(),
        (Reach::DoesNotCover, Hidden::False) => {
            is_done();
            assert!(answer.text().ends_with("false"), "{cell}: {answer:?}");
            false
        }
        (Reach::DoesNotCover, Hidden::Ignored) => {
            assert_eq!(answer.status, 204, "{cell}: {answer:?}");
            false
        }
        (Reach::DoesNotCover, Hidden::NotFound(status)) => {
            assert_eq!(answer.status, status, "{cell}: {answer:?}");
            if *method != Method::HEAD {
                let message = answer.message(status);
                // As of any name that there is not.
                let is_told = message.contains("not found") || message.contains("there is no job");
                assert!(is_told, "{cell}: {message}");
            }
            false
        }
        (Reach::DoesNotCover, Hidden::LeftOut) => {
            is_done();
            let text = answer.text();
            assert!(!text.contains("bill"), "{cell}: {text}");
            if route.path == "/info" && *method != Method::HEAD {
                assert_eq!(answer.json()["counts"]["jobs"], 0, "{cell}");
            }
            false
        }
    }
}

#[expect(clippy::print_stdout, reason = "how much was tried is worth knowing")]
fn report(text: &str) {
    println!("rights: {text}");
}

/// What the table does not name is nobody's: without credentials it cannot even be told from what it names.
#[tokio::test]
async fn what_is_no_route_is_refused_like_one_and_changes_nothing() {
    let fixture = fixture().await;
    let methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PURGE"];
    let mut paths: Vec<String> = [
        "/index.html",
        "/favicon.ico",
        "/assets",
        "/assets/",
        "/%61ssets/a/main.js",
        "/nowhere",
        "/scheduler",
        "/v2/scheduler/jobs",
        "/ping/",
        "//ping",
        "/ping/../scheduler/jobs",
    ]
    .map(str::to_owned)
    .into();
    for route in ROUTES.iter().filter(|route| !route.is_root) {
        paths.extend(PREFIXES.map(|prefix| bare(prefix, route)));
    }
    prepare(&fixture).await;
    let mut tried = 0;
    for path in &paths {
        for method in methods {
            let answer = fixture.ask(method, path).await;
            assert_eq!(answer.status, 401, "{method} {path}: {answer:?}");
            let known = |route: &&Route| {
                let is_method = route.method.as_str() == method
                    || (route.method == Method::GET && method == "HEAD");
                is_method && PREFIXES.iter().any(|p| *path == bare(p, route))
            };
            if ROUTES.iter().any(|route| known(&route)) {
                continue;
            }
            let answer = fixture.ask_with(method, path, &bearer("admin-all"), "").await;
            assert!(matches!(answer.status, 404 | 405), "{method} {path}: {answer:?}");
            tried += 1;
        }
    }
    assert_eq!(fixture.memory.world().requests, []);
    report(&format!("{} paths, {tried} methods of them that are none", paths.len()));
}

/// What the documentation says an administrator may do more is what the table asks one for.
#[test]
fn the_document_names_what_needs_an_administrator() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/api.md");
    let text = std::fs::read_to_string(path).unwrap();
    let row = text.lines().find(|line| line.starts_with("| `admin` |")).unwrap();
    let named: BTreeSet<&str> = row.split('`').filter(|part| part.contains(" P/")).collect();
    let needed: BTreeSet<String> = ROUTES
        .iter()
        .filter(|route| route.needs == Needs::Role(Role::Admin))
        .map(|route| format!("{} P{}", route.method, route.path))
        .collect();
    assert_eq!(named, needed.iter().map(String::as_str).collect());
}
