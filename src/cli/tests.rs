//! The commands against a real server over a backend in memory.

mod alerts;
mod cluster;
mod events;
mod explain;
mod revisions;
mod verbs;

use clap::{CommandFactory as _, Parser};

use super::CliError;
use super::client::{self, ClientCommand};
use crate::api::testing::{
    Fixture, LOOKED_AT_MAX, Written, attempt, ended, over, run, running, stretch,
};
use crate::engine::Request;
use crate::model::{
    Alarm, AttemptState, Exit, HistoryEntry, Run, RunId, RunState, Trigger, Verdict,
};

#[derive(Debug, Parser)]
#[command(name = "chronode")]
struct Cli {
    #[command(subcommand)]
    command: ClientCommand,
}

/// What a command printed, and how it ended.
struct Outcome {
    out: String,
    err: String,
    result: Result<(), CliError>,
}

impl Outcome {
    fn failure(&self) -> String {
        self.result.as_ref().unwrap_err().to_string()
    }
}

fn execute(words: &[&str]) -> Outcome {
    let cli = Cli::try_parse_from(std::iter::once(&"chronode").chain(words)).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let result = client::run(cli.command, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome { out: text(out), err: text(err), result }
}

/// Types a command while the server runs beside it.
async fn type_in(fixture: &Fixture, words: &[&str]) -> Outcome {
    let server = format!("http://{}", fixture.address());
    let mut words: Vec<String> = words.iter().map(ToString::to_string).collect();
    words.extend(["--server".to_owned(), server]);
    tokio::task::spawn_blocking(move || {
        execute(&words.iter().map(String::as_str).collect::<Vec<_>>())
    })
    .await
    .unwrap()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

const JOB: &str = r#"{"name":"night ly","command":"true","schedule":"R/2030-01-01T00:00:00Z/P1D","owner":"o\u202e"}"#;

async fn put(fixture: &Fixture, text: &str) -> Outcome {
    let file = file(text);
    type_in(fixture, &["job", "put", file.path().to_str().unwrap()]).await
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
    for words in [
        ["chronode", "job", "show", ".."],
        ["chronode", "run", "list", "--limit=0"],
        ["chronode", "run", "list", "--verdict=great"],
        ["chronode", "run", "list", "--since=yesterday"],
        ["chronode", "job", "delete", "a/b"],
        ["chronode", "job", "rollback", "a"],
        ["chronode", "events", "--job=a/b", "--json"],
        ["chronode", "next", "@daily", "--count=0"],
        ["chronode", "next", "@daily", "--from=2030"],
        ["chronode", "health", "--timeout=0", "--json"],
        ["chronode", "next", "@daily", "--job=a"],
        ["chronode", "next", "--job=a", "--zone=UTC"],
        ["chronode", "forecast", "--from=now", "--limit=1"],
        ["chronode", "forecast", "--limit=10001", "--json"],
    ] {
        assert_eq!(Cli::try_parse_from(words).unwrap_err().exit_code(), 2, "{words:?}");
    }
    assert!(Cli::try_parse_from(["chronode", "next"]).is_err());
    let history = ["chronode", "job", "history", "a"];
    assert!(Cli::try_parse_from(history).is_ok());
    assert!(Cli::try_parse_from(history.iter().chain(&["--limit=101"])).is_err());
}

#[tokio::test]
async fn a_job_is_stored_listed_shown_run_stopped_and_deleted() {
    let fixture = Fixture::start().await;
    let stored = put(&fixture, JOB).await;
    assert_eq!((stored.out.as_str(), stored.err.as_str()), ("stored night ly\n", ""));

    let list = type_in(&fixture, &["job", "list"]).await.out;
    assert!(list.starts_with("NAME      WHEN "), "{list}");
    assert!(
        list.contains("night ly  R/2030-01-01T00:00:00Z/P1D  2030-01-01T02:30:00.000Z  -"),
        "{list}"
    );
    assert!(list.contains("o\\u{202e}"), "{list}");
    let list = type_in(&fixture, &["job", "list", "--json"]).await.out;
    assert!(list.starts_with("[{\"name\":\"night ly\""), "{list}");

    let shown = type_in(&fixture, &["job", "show", "night ly"]).await.out;
    assert!(shown.contains("schedule ") && !shown.contains("description"), "{shown}");
    let started = type_in(&fixture, &["job", "run", "night ly", "--arguments", "-x &y"]).await;
    assert_eq!(started.out, "started j1-m1\n");
    let HistoryEntry::Run(run) = fixture.memory.world().history[0].clone() else { panic!() };
    assert_eq!(run.arguments.as_deref(), Some("-x &y"));
    let killed = type_in(&fixture, &["job", "kill", "night ly", "--reason", "a\nb"]).await;
    assert_eq!(killed.failure(), "`reason` contains a control character: write it in one line");
    let killed = type_in(&fixture, &["job", "kill", "night ly"]).await;
    assert_eq!(killed.out, "stopping all runs of night ly\n");
    assert_eq!(type_in(&fixture, &["job", "delete", "night ly"]).await.out, "deleted night ly\n");
    let again = type_in(&fixture, &["job", "delete", "night ly"]).await;
    assert_eq!(again.failure(), "Job 'night ly' not found");
}

#[tokio::test]
async fn all_runs_of_a_job_are_stopped_and_a_job_is_deleted_for_a_reason() {
    let fixture = Fixture::start().await;
    put(&fixture, JOB).await;
    fixture.memory.world().requests.clear();
    let delete = ["job", "delete", "night ly", "--reason=nobody needs it: é"];
    for (words, out) in [
        (
            &["job", "kill", "night ly", "--reason", "it hangs & more"][..],
            "stopping all runs of night ly\n",
        ),
        (&[&delete[..], &["--dry-run"]].concat(), "would delete night ly\n"),
        (&delete, "deleted night ly\n"),
    ] {
        let outcome = type_in(&fixture, words).await;
        assert_eq!((outcome.out.as_str(), outcome.err.as_str()), (out, ""), "{words:?}");
    }
    let requests = std::mem::take(&mut fixture.memory.world().requests);
    let why: Vec<_> =
        requests.iter().map(|request| request.by().unwrap().reason.as_str()).collect();
    assert_eq!(why, ["it hangs & more", "nobody needs it: é", "nobody needs it: é"]);
    assert!(matches!(requests[1], Request::DryRun(_)), "{requests:?}");
}

#[tokio::test]
async fn health_is_told_by_how_it_ends() {
    let fixture = Fixture::start().await;
    let healthy = type_in(&fixture, &["health"]).await;
    assert!(healthy.result.is_ok() && healthy.out.ends_with(" is healthy\n"), "{}", healthy.out);
    let told = type_in(&fixture, &["health", "--json"]).await.out;
    assert!(told.starts_with("{\"healthy\":true,\"server\":\"http://127.0.0.1:"), "{told}");
    fixture.memory.world().still_for = crate::model::Duration::from_secs(45);
    let hangs = type_in(&fixture, &["health"]).await;
    assert_eq!(
        hangs.failure(),
        "nothing has been decided for 45 seconds: the loop hangs: look at the disk; a restart harms no running command"
    );
    assert_eq!(hangs.out, "");
    let ask = || execute(&["health", "--server", "http://127.0.0.1:1"]);
    let nowhere = tokio::task::spawn_blocking(ask).await.unwrap();
    assert!(nowhere.failure().starts_with("cannot reach http://127.0.0.1:1: "));
}

#[tokio::test]
async fn many_jobs_are_stored_although_one_is_refused_and_warnings_are_shown() {
    let fixture = Fixture::start().await;
    let outcome = put(
        &fixture,
        r#"[{"name":"a","command":"true","schedule":"nonsense"},
            {"name":"b","command":"true","schedule":"R/2030-01-01T00:00:00Z/P1D","retrys":1},
            {"name":"c","command":"true","parents":["b"]}]"#,
    )
    .await;
    assert_eq!(outcome.out, "stored b\nstored c\n");
    assert!(
        outcome.err.starts_with("warning: unknown field `retrys` has no effect"),
        "{}",
        outcome.err
    );
    let failure = outcome.failure();
    assert_eq!(failure, "a: Cannot parse schedule 'nonsense': it is none: write another");
    assert!(put(&fixture, "{").await.failure().contains("is no JSON"));
    let missing = type_in(&fixture, &["job", "put", "/no/such/file"]).await;
    assert!(missing.failure().starts_with("cannot read `/no/such/file`"));
}

#[tokio::test]
async fn a_dry_run_tells_what_would_come_of_it_and_stores_nothing() {
    let fixture = Fixture::start().await;
    let both = file(
        r#"[{"name":"b","command":"true","schedule":"R/2030-01-01T00:00:00Z/P1D","retrys":1},
            {"name":"c","command":"true","parents":["b"]}]"#,
    );
    let path = both.path().to_str().unwrap();
    let outcome = type_in(&fixture, &["job", "put", path, "--dry-run"]).await;
    assert_eq!(outcome.out, "would create b\nwould create c\n");
    assert!(outcome.err.starts_with("warning: unknown field `retrys`"), "{}", outcome.err);
    assert!(outcome.result.is_ok());
    assert!(fixture.memory.world().jobs.is_empty());

    type_in(&fixture, &["job", "put", path]).await;
    let outcome = type_in(&fixture, &["job", "put", path, "--dry_run"]).await;
    assert_eq!(outcome.out, "would replace b\n  job `c` runs after it\nwould replace c\n");
    let outcome = type_in(&fixture, &["job", "delete", "b", "--dry-run"]).await;
    assert_eq!(outcome.out, "would delete b\n  job `c` runs after it\n");
    let outcome = type_in(&fixture, &["job", "delete", "b", "--dry-run", "--json"]).await;
    assert_eq!(outcome.out, "{\"dryRun\":true,\"consequences\":[\"job `c` runs after it\"]}\n");
    assert_eq!(fixture.memory.world().jobs.len(), 2);
    let outcome = type_in(&fixture, &["job", "delete", "nobody", "--dry-run"]).await;
    assert_eq!(outcome.failure(), "Job 'nobody' not found");

    let outcome = type_in(&fixture, &["job", "delete", "b"]).await;
    assert_eq!(outcome.out, "deleted b\n");
    assert_eq!(outcome.err, "warning: job `c` runs after it\n");
    assert_eq!(fixture.memory.world().jobs.len(), 1);
}

fn add(fixture: &Fixture, run: Run, text: &str) {
    let mut world = fixture.memory.world();
    world.written.insert((run.id, 0, "stdout"), Written::all(text));
    world.history.push(HistoryEntry::Run(run));
}

#[tokio::test]
async fn runs_are_listed_and_shown() {
    let fixture = Fixture::start().await;
    add(&fixture, run(1, "a", over(Verdict::Failed), vec![attempt(0, ended(Exit::Code(3)))]), "");
    fixture.memory.world().history.push(HistoryEntry::Stretch(stretch(2, "a")));
    let list = type_in(&fixture, &["run", "list", "--job", "a"]).await.out;
    let lines: Vec<_> = list.lines().collect();
    assert!(
        lines[1].contains("2030-01-01T00:00:00.000Z … 2030-01-01T00:05:00.000Z (6)  missed"),
        "{list}"
    );
    assert!(lines[2].starts_with("j1-m1  a    manual "), "{list}");
    let missed = type_in(&fixture, &["run", "list", "--verdict", "missed", "--json"]).await.out;
    assert!(missed.starts_with("{\"runs\":[{\"kind\":\"stretch\""), "{missed}");
    let page = type_in(&fixture, &["run", "list", "--limit", "1"]).await;
    assert!(page.err.starts_with("there are more"), "{}", page.err);

    // By words, and by when it was recorded: the run at midnight, the other six minutes later.
    for (words, expected) in [
        (&["--search", "A"][..], 2),
        (&["--search", "a b"], 0),
        (&["--since", "2030-01-01T00:06:00Z"], 1),
        (&["--since", "2030-01-01T01:00:00.5+01:00", "--until", "2030-01-01T00:06:00Z"], 0),
        (&["--until", "2030-01-01T01:00:00.001+01:00"], 1),
    ] {
        let list = type_in(&fixture, &[&["run", "list"], words].concat()).await.out;
        assert_eq!(list.lines().count() - 1, expected, "{words:?}: {list}");
    }
    let most = u64::try_from(LOOKED_AT_MAX).unwrap();
    for sequence in 3..=most + 3 {
        add(&fixture, run(sequence, "b", over(Verdict::Succeeded), Vec::new()), "");
    }
    let found = type_in(&fixture, &["run", "list", "--search", "a"]).await;
    let told = "nothing before 2030-01-01T00:00:00.000Z was looked at: ask for a shorter time, or for one job\n";
    assert_eq!(found.err, told);

    let shown = type_in(&fixture, &["run", "show", "j1-m1"]).await.out;
    assert!(shown.contains("state         failed\n"), "{shown}");
    assert!(
        shown.contains(
            "0        local  ended  2030-01-01T00:00:01.500Z  2030-01-01T00:00:02.000Z  3"
        ),
        "{shown}"
    );
    let unknown = type_in(&fixture, &["run", "show", "j1-m99"]).await.failure();
    assert!(unknown.starts_with("run `j1-m99` not found"), "{unknown}");
}

#[tokio::test]
async fn a_run_after_parents_and_an_attempt_in_doubt_are_shown() {
    let fixture = Fixture::start().await;
    let instant = |text: &str| text.parse().unwrap();
    let unknown = AttemptState::Unknown {
        started_at: None,
        why: None,
        until: Alarm { at: instant("2030-01-01T00:05:00Z"), boot: None },
        reason: "the agent is \u{1b}gone".to_owned(),
    };
    let mut child = run(1, "c", RunState::Active, vec![attempt(0, unknown)]);
    child.trigger = Trigger::Parents {
        due_at: instant("2030-01-01T00:00:00Z"),
        at: instant("2030-01-01T00:02:00Z"),
    };
    child.causes = ["j2-m7", "j3-m9"].map(|id| RunId::parse(id).unwrap()).into();
    add(&fixture, child, "");
    let list = type_in(&fixture, &["run", "list"]).await.out;
    assert!(list.contains("j1-m1  c    parents  2030-01-01T00:00:00.000Z  active"), "{list}");
    let shown = type_in(&fixture, &["run", "show", "j1-m1"]).await.out;
    for line in [
        "why           parents\n",
        "due           2030-01-01T00:00:00.000Z\n",
        "parents done  2030-01-01T00:02:00.000Z\n",
        "after runs    j2-m7, j3-m9\n",
        "local  unknown  -        -      -     the agent is \\u{1b}gone; decided at 2030-01-01T00:05:00.000Z\n",
    ] {
        assert!(shown.contains(line), "{line}{shown}");
    }
}

#[tokio::test]
async fn logs_are_those_of_a_run_or_of_the_latest_run_of_a_job() {
    let fixture = Fixture::start().await;
    let attempts = || vec![attempt(0, ended(Exit::Code(0)))];
    add(&fixture, run(1, "a", over(Verdict::Succeeded), attempts()), "first\n");
    add(&fixture, run(2, "a", over(Verdict::Succeeded), attempts()), "second\n");
    fixture.memory.world().history.push(HistoryEntry::Stretch(stretch(3, "a")));
    assert_eq!(type_in(&fixture, &["logs", "a"]).await.out, "second\n");
    assert_eq!(type_in(&fixture, &["logs", "j1-m1", "--attempt", "0"]).await.out, "first\n");
    assert_eq!(type_in(&fixture, &["logs", "j1-m1", "-f"]).await.out, "first\n");
    assert!(type_in(&fixture, &["logs", "a", "--stderr"]).await.failure().contains("no output"));
    assert!(type_in(&fixture, &["logs", "nobody"]).await.failure().contains("no run of job"));
    assert!(
        type_in(&fixture, &["logs", "j9-m1"]).await.failure().contains("run `j9-m1` not found")
    );
}

#[tokio::test]
async fn waiting_for_a_run_prints_its_output_and_ends_as_it_does() {
    for (verdict, failure) in
        [(Verdict::Succeeded, None), (Verdict::Failed, Some("run j1-m1 failed: -"))]
    {
        let fixture = Fixture::start().await;
        put(&fixture, JOB).await;
        let id = run(1, "a", RunState::Active, Vec::new()).id;
        fixture.memory.world().script.extend([
            Box::new(move |world: &mut crate::api::testing::World| {
                world.run_mut(id).attempts.push(attempt(0, running()));
                world.write(id, 0, "working\n");
            }) as crate::api::testing::Step,
            Box::new(move |world| {
                world.run_mut(id).attempts[0] = attempt(0, ended(Exit::Code(0)));
                world.run_mut(id).state = over(verdict);
            }),
        ]);
        let outcome = type_in(&fixture, &["job", "run", "night ly", "--wait"]).await;
        assert_eq!(outcome.out, "working\n");
        assert_eq!(outcome.result.err().map(|error| error.to_string()).as_deref(), failure);
    }
}

#[test]
fn a_server_that_is_not_there_is_told_with_what_to_do() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = format!("http://user:secret@{address}");
    let outcome = execute(&["job", "list", "--server", &server]);
    let failure = outcome.failure();
    assert!(failure.starts_with(&format!("cannot reach http://{address}: ")), "{failure}");
    assert!(failure.contains("`chronode serve`") && !failure.contains("secret"), "{failure}");
}

/// No server is named, and none listens where the default says: a typed schedule needs none.
#[test]
fn a_typed_schedule_is_told_without_a_server() {
    let next = |more: &[&str]| {
        let words =
            ["next", "30 2 * * *", "--zone", "Europe/Berlin", "--from", "2030-03-29T12:00:00Z"];
        execute(&[&words, more].concat())
    };
    let outcome = next(&["--count", "2", "--zone_data", "bundled"]);
    assert!(outcome.result.is_ok());
    let lines: Vec<&str> = outcome.out.lines().collect();
    assert!(lines[0].contains("02:30"), "{}", outcome.out);
    assert_eq!(lines[1], "");
    assert!(lines[2].starts_with("UTC                       LOCAL                      IN"));
    assert!(lines[3].starts_with("2030-03-30T01:30:00.000Z  2030-03-30T02:30:00+01:00  "));
    assert!(lines[4].starts_with("2030-03-31T01:00:00.000Z  2030-03-31T03:00:00+02:00  "));
    assert_eq!(lines.len(), 5);
    assert!(outcome.err.starts_with("warning: "), "{}", outcome.err);

    let json: serde_json::Value =
        serde_json::from_str(&next(&["--json", "--jitter", "PT5M"]).out).unwrap();
    assert_eq!(json["next"].as_array().unwrap().len(), 10);
    assert!(json["next"][0]["opensAt"].is_string());
    let spread = next(&["--jitter", "PT5M", "--name", "a"]).out;
    assert!(spread.lines().nth(2).unwrap().ends_with("OPENS"), "{spread}");
    let once = execute(&["next", "R1//PT1H"]).out;
    assert!(once.lines().last().unwrap().ends_with("  0 s"), "{once}");
    let none = execute(&["next", "@reboot"]).out;
    assert!(none.ends_with("no occurrence is to come\n"), "{none}");
}

#[test]
fn a_schedule_that_cannot_be_read_is_told_with_its_place() {
    for (words, part, marks) in [
        (["next", "0 61 * * *", "--zone", ""], "  0 61 * * *", "    ^^"),
        (["next", "@daily", "--zone", "Berlin"], "  Berlin", "  ^^^^^^"),
        (["next", "@daily", "--jitter", "5"], "  5", "  ^"),
        (["next", "@daily", "--dst_gap", "never"], "  never", "  ^^^^^"),
        (["next", "@daily", "--not_after", "soon"], "  soon", "  ^^^^"),
    ] {
        let outcome = execute(&words);
        assert!(matches!(outcome.result, Err(CliError::Usage(_))), "{words:?}");
        let failure = outcome.failure();
        let lines: Vec<&str> = failure.lines().collect();
        assert_eq!((lines[1], lines[2], lines[3]), ("", part, marks), "{failure}");
    }
    let outcome = execute(&["next", "@daily", "--zone_data", "/no/such/directory"]);
    let failure = outcome.failure();
    assert!(failure.starts_with("--zone_data: the zone data in `/no/such/directory`"), "{failure}");
}

#[tokio::test]
async fn a_stored_job_is_asked_of_the_server() {
    let fixture = Fixture::start().await;
    put(&fixture, JOB).await;
    let words = ["next", "--job", "night ly", "--count", "1", "--from", "2030-02-01T00:00:00Z"];
    let outcome = type_in(&fixture, &words).await;
    assert!(
        outcome.out.contains("2030-02-01T00:00:00.000Z  2030-02-01T00:00:00Z  "),
        "{}",
        outcome.out
    );
    let unknown = type_in(&fixture, &["next", "--job", "nobody"]).await;
    assert!(matches!(unknown.result, Err(CliError::Failed(_))));
    assert_eq!(unknown.failure(), "Job 'nobody' not found");
}

#[tokio::test]
async fn a_forecast_is_a_table_and_the_most_crowded_minutes() {
    let fixture = Fixture::start().await;
    put(
        &fixture,
        r#"[{"name":"a","command":"true","schedule":"0 * * * *"},
            {"name":"b","command":"true","schedule":"0 */2 * * *","scheduleTimeZone":"Asia/Tokyo"}]"#,
    )
    .await;
    let words = ["forecast", "--to", "2030-01-01T03:30:00Z", "--limit", "2"];
    let outcome = type_in(&fixture, &words).await;
    assert_eq!(
        outcome.out,
        "STARTS                    JOB  DUE                       LOCAL\n\
         2030-01-01T01:00:00.000Z  a    2030-01-01T01:00:00.000Z  2030-01-01T01:00:00Z\n\
         2030-01-01T01:00:00.000Z  b    2030-01-01T01:00:00.000Z  2030-01-01T10:00:00+09:00\n\
         \n\
         most crowded minutes\n\
         MINUTE                    STARTS      JOBS\n\
         2030-01-01T01:00:00.000Z  2       ##  a, b\n\
         2030-01-01T03:00:00.000Z  2       ##  a, b\n\
         2030-01-01T02:00:00.000Z  1       #   a\n"
    );
    assert!(outcome.err.starts_with("5 starts from "), "{}", outcome.err);
    let json = type_in(&fixture, &["forecast", "--job", "b", "--json"]).await.out;
    assert!(json.starts_with("{\"from\":\"2030-01-01T00:00:00.000Z\""), "{json}");
    let refused = type_in(&fixture, &["forecast", "--to", "2029-01-01T00:00:00Z"]).await.failure();
    assert!(
        refused.starts_with("invalid `to` `2029-01-01T00:00:00Z`: expected an instant"),
        "{refused}"
    );
    let none = type_in(&fixture, &["forecast", "--job", "b", "--to", "2030-01-01T00:30:00Z"]).await;
    assert!(none.out.starts_with("nothing starts from 2030-01-01T00:00:00.000Z"), "{}", none.out);
}
