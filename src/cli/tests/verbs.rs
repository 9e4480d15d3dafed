//! What operators say, against a server that notes what it hears and answers as it was told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use clap::Parser as _;
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::{Cli, Outcome, execute};
use crate::cli::CliError;

/// Answers one request after the other, each on a connection of its own, and returns what was asked.
fn serve(answers: Vec<(&'static str, Value)>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let answer = |(status, body): (&str, Value)| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = || {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                line.trim_end().to_owned()
            };
            let mut asked = line().replace(" HTTP/1.1", "").replace("/scheduler", "");
            let mut length = 0;
            loop {
                let header = line().to_ascii_lowercase();
                if header.is_empty() {
                    break;
                }
                if let Some(value) = header.strip_prefix("content-length: ") {
                    length = value.parse().unwrap();
                }
            }
            let mut sent = vec![0; length];
            reader.read_exact(&mut sent).unwrap();
            if length > 0 {
                asked.push(' ');
                asked.push_str(std::str::from_utf8(&sent).unwrap());
            }
            let body = if body.is_null() { String::new() } else { body.to_string() };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
            asked
        };
        answers.into_iter().map(answer).collect()
    });
    (url, thread)
}

/// Types a command; what was asked of the server, then what was printed.
pub(super) fn say(words: &[&str], answers: Vec<(&'static str, Value)>) -> (Outcome, Vec<String>) {
    let (url, thread) = serve(answers);
    let outcome = execute(&[words, &["--server", &url]].concat());
    (outcome, thread.join().unwrap())
}

/// The command succeeds, asks this and prints that.
pub(super) fn is_said(words: &[&str], answer: Value, expected: &Expect) {
    let status = if answer.is_null() { "204 No Content" } else { "200 OK" };
    let (outcome, asked) = say(words, vec![(status, answer)]);
    assert!(outcome.result.is_ok(), "{words:?}: {}", outcome.failure());
    let Outcome { out, err, .. } = outcome;
    let err: String = err.lines().map(|line| format!("! {line}\n")).collect();
    expected.assert_eq(&format!("> {}\n{out}{err}", asked.join("\n> ")));
}

#[test]
fn a_run_is_asked_for_with_all_that_can_be_said() {
    is_said(
        &["run", "now", "a b"],
        json!({"run": "j1-m1"}),
        &expect![[r#"
        > POST /runs {"job":"a b"}
        started j1-m1
    "#]],
    );
    let words = [
        "run",
        "now",
        "a",
        "--arguments",
        "-v x",
        "--env",
        "A=1",
        "--env",
        "B=x=y",
        "--due",
        "2030-01-01T02:00:00+01:00",
        "--reason",
        "the tape was lost",
    ];
    is_said(
        &words,
        json!({"run": "j1-m1"}),
        &expect![[r#"
        > POST /runs {"job":"a","arguments":"-v x","environment":[{"name":"A","value":"1"},{"name":"B","value":"x=y"}],"dueAt":"2030-01-01T01:00:00Z","reason":"the tape was lost"}
        started j1-m1
    "#]],
    );
    is_said(
        &["run", "now", "a", "--json"],
        json!({"run": "j1-m1"}),
        &expect![[r#"
        > POST /runs {"job":"a"}
        {"run":"j1-m1"}
    "#]],
    );
    for wrong in ["A", "=1"] {
        let words = ["chronode", "run", "now", "a", "--env", wrong];
        assert_eq!(Cli::try_parse_from(words).unwrap_err().exit_code(), 2, "{wrong}");
    }
}

#[test]
fn each_verb_about_a_run_says_what_became_of_it() {
    let became = |became: &str, verdict: Value, by: Value| json!({"run": "j1-m1", "became": became, "verdict": verdict, "followedBy": by});
    let stopping = became("stopping", Value::Null, Value::Null);
    is_said(
        &["run", "kill", "j1-m1"],
        stopping.clone(),
        &expect![[r#"
        > POST /run/j1-m1/kill {}
        stopping j1-m1
    "#]],
    );
    is_said(
        &["run", "kill", "j1-m1", "--json", "--reason=x"],
        stopping,
        &expect![[r#"
        > POST /run/j1-m1/kill {"reason":"x"}
        {"run":"j1-m1","became":"stopping","verdict":null,"followedBy":null}
    "#]],
    );
    let killed = became("ended", json!("killed"), Value::Null);
    is_said(
        &["run", "kill", "j1-m1"],
        killed,
        &expect![[r#"
        > POST /run/j1-m1/kill {}
        j1-m1 is over: killed
    "#]],
    );
    let again = became("triedAgain", Value::Null, Value::Null);
    is_said(
        &["run", "retry", "j1-m1"],
        again,
        &expect![[r#"
        > POST /run/j1-m1/retry {}
        j1-m1 is tried again
    "#]],
    );
    let followed = became("followed", Value::Null, json!("j1-m2"));
    is_said(
        &["run", "retry", "j1-m1", "--down"],
        followed.clone(),
        &expect![[r#"
        > POST /run/j1-m1/retry-down {}
        j1-m1 is tried again as j1-m2
    "#]],
    );
    is_said(
        &["run", "mark", "j1-m1", "--reason", "done by hand"],
        followed,
        &expect![[r#"
        > POST /run/j1-m1/succeed {"reason":"done by hand"}
        j1-m2 stands for j1-m1 as a success
    "#]],
    );
    let skipped = became("ended", json!("skipped"), Value::Null);
    is_said(
        &["run", "skip", "j1-m1"],
        skipped,
        &expect![[r#"
        > POST /run/j1-m1/skip {}
        j1-m1 is over: skipped
    "#]],
    );
}

#[test]
fn what_a_retry_would_bring_with_it_is_listed_first() {
    let below = json!([
        {"run": "j2-m1", "job": "load", "dueAt": "2030-01-01T00:00:00.000Z", "borrows": []},
        {"run": "j3-m1", "job": "join", "dueAt": "2030-01-01T00:00:00.000Z", "borrows": ["j7-m3", "j8-m1"]},
    ]);
    let words = ["run", "retry", "j1-m1", "--down", "--dry-run"];
    is_said(
        &words,
        json!({"dryRun": true, "run": "j1-m1", "below": below}),
        &expect![[r#"
        > POST /run/j1-m1/retry-down?dryRun=true {}
        FOLLOWED  JOB   DUE                       WITH
        j2-m1     load  2030-01-01T00:00:00.000Z  -
        j3-m1     join  2030-01-01T00:00:00.000Z  j7-m3, j8-m1

        would be tried again after j1-m1: 2 runs
    "#]],
    );
    is_said(
        &words,
        json!({"dryRun": true, "run": "j1-m1", "below": []}),
        &expect![[r#"
        > POST /run/j1-m1/retry-down?dryRun=true {}
        nothing followed from j1-m1
    "#]],
    );
    let words = ["chronode", "run", "retry", "j1-m1", "--dry-run"];
    assert_eq!(Cli::try_parse_from(words).unwrap_err().exit_code(), 2, "it needs --down");
}

#[test]
fn a_chain_that_is_too_long_is_said_to_be() {
    let chain = json!({"root": [], "asked": "j1-m1", "truncated": true, "steps": [{
        "run": "j1-m1", "job": "a", "state": "active", "verdict": null, "dueAt": "2030-01-01T00:00:00.000Z",
        "createdAt": "2030-01-01T00:00:00.000Z", "startedAt": "2030-01-01T00:02:01.000Z", "endedAt": null,
        "waitedMs": 121_000, "tookMs": null, "causes": ["j2-m1", "j3-m1"], "retryOf": null, "triggered": [],
    }]});
    is_said(
        &["chain", "j1-m1"],
        chain,
        &expect![[r#"
        > GET /chain/j1-m1
           RUN    JOB  DUE                       STATE   STARTED                   WAITED      TOOK  AFTER
        *  j1-m1  a    2030-01-01T00:00:00.000Z  active  2030-01-01T00:02:01.000Z  2 min 01 s  -     j2-m1, j3-m1

        1 run: 1 active
        ! there are more runs than are told: ask for the chain of a later run
    "#]],
    );
}

#[test]
fn a_refusal_is_told_with_its_remedy() {
    let refusal = json!({"message": "run `j1-m1` is running", "remedy": "kill it first, or wait for its end"});
    let (outcome, _) = say(&["run", "mark", "j1-m1"], vec![("409 Conflict", refusal)]);
    assert!(matches!(outcome.result, Err(CliError::Failed(_))));
    assert_eq!(outcome.failure(), "run `j1-m1` is running: kill it first, or wait for its end");
}

#[test]
fn jobs_are_paused_and_resumed() {
    let jobs = |names: &[&str]| json!({"everything": false, "jobs": names});
    is_said(
        &["job", "pause", "a"],
        jobs(&["a"]),
        &expect![[r#"
        > POST /pause {"job":"a","subtree":false}
        paused a
    "#]],
    );
    let words =
        ["job", "pause", "a", "--subtree", "--until", "2030-01-02T06:00:00Z", "--reason", "r"];
    is_said(
        &words,
        jobs(&["a", "b"]),
        &expect![[r#"
        > POST /pause {"job":"a","subtree":true,"until":"2030-01-02T06:00:00Z","reason":"r"}
        paused 2 jobs: a, b until 2030-01-02T06:00:00Z
    "#]],
    );
    is_said(
        &["job", "resume", "a", "--subtree"],
        jobs(&["a", "b"]),
        &expect![[r#"
        > POST /resume {"job":"a","subtree":true}
        resumed 2 jobs: a, b
    "#]],
    );
    is_said(
        &["job", "resume", "a"],
        jobs(&[]),
        &expect![[r#"
        > POST /resume {"job":"a","subtree":false}
        nothing of it was paused
    "#]],
    );
    let everything = json!({"everything": true, "jobs": []});
    is_said(
        &["pause", "--reason", "r"],
        everything.clone(),
        &expect![[r#"
        > POST /pause {"everything":true,"reason":"r"}
        paused everything
    "#]],
    );
    is_said(
        &["pause", "--until", "2030-01-02T06:00:00Z"],
        everything.clone(),
        &expect![[r#"
        > POST /pause {"everything":true,"until":"2030-01-02T06:00:00Z"}
        paused everything until 2030-01-02T06:00:00Z
    "#]],
    );
    is_said(
        &["resume"],
        everything.clone(),
        &expect![[r#"
        > POST /resume {"everything":true}
        resumed everything
    "#]],
    );
    is_said(
        &["resume", "--json"],
        everything,
        &expect![[r#"
        > POST /resume {"everything":true}
        {"everything":true,"jobs":[]}
    "#]],
    );
}

#[test]
fn occurrences_are_skipped_before_they_come() {
    let due = json!({"job": "a", "dueAt": "2030-01-01T02:00:00.000Z"});
    is_said(
        &["job", "skip", "a"],
        due.clone(),
        &expect![[r#"
        > POST /skip {"job":"a"}
        what is due 2030-01-01T02:00:00.000Z will be skipped
    "#]],
    );
    let words = ["job", "skip", "a", "--due", "2030-01-01T02:00:00Z", "--reason", "a holiday"];
    is_said(
        &words,
        due.clone(),
        &expect![[r#"
        > POST /skip {"job":"a","dueAt":"2030-01-01T02:00:00Z","reason":"a holiday"}
        what is due 2030-01-01T02:00:00.000Z will be skipped
    "#]],
    );
    let words = ["job", "unskip", "a", "--due", "2030-01-01T02:00:00Z"];
    is_said(
        &words,
        due.clone(),
        &expect![[r#"
        > POST /unskip {"job":"a","dueAt":"2030-01-01T02:00:00Z"}
        what is due 2030-01-01T02:00:00.000Z will run
    "#]],
    );
    // Without an instant it is the first of those that are skipped.
    let skip = |job: &str, hour: u32| json!({"job": job, "dueAt": format!("2030-01-01T0{hour}:00:00.000Z")});
    let pauses = |skips: Vec<Value>| json!({"everything": null, "jobs": [], "skips": skips});
    let known = pauses(vec![skip("b", 1), skip("a", 3), skip("a", 2)]);
    let (outcome, asked) = say(&["job", "unskip", "a"], vec![("200 OK", known), ("200 OK", due)]);
    assert_eq!(outcome.out, "what is due 2030-01-01T02:00:00.000Z will run\n");
    assert_eq!(asked[0], "GET /pauses");
    assert_eq!(asked[1], r#"POST /unskip {"job":"a","dueAt":"2030-01-01T02:00:00.000Z"}"#);
    let none = pauses(vec![skip("b", 1)]);
    let (outcome, _) = say(&["job", "unskip", "a"], vec![("200 OK", none)]);
    assert_eq!(outcome.failure(), "no occurrence of `a` is to be skipped");
}

#[test]
fn a_quarantine_is_lifted_and_the_clock_trusted() {
    is_said(
        &["job", "lift", "a", "--reason", "fixed"],
        Value::Null,
        &expect![[r#"
        > POST /quarantine/lift {"job":"a","reason":"fixed"}
        a is decided again
    "#]],
    );
    is_said(
        &["job", "lift", "a", "--json"],
        Value::Null,
        &expect![[r#"
        > POST /quarantine/lift {"job":"a"}
    "#]],
    );
    is_said(
        &["clock", "trust", "--reason", "ntp is back"],
        Value::Null,
        &expect![[r#"
        > POST /clock/trust {"reason":"ntp is back"}
        the clock is taken for right
    "#]],
    );
}

#[test]
fn a_backfill_is_listed_first_then_begun() {
    let range = ["--from", "2030-01-01T00:00:00Z", "--to", "2030-01-04T00:00:00Z"];
    let due = json!(["2030-01-01T02:00:00.000Z", "2030-01-02T02:00:00.000Z"]);
    let words = [&["backfill", "start", "a", "--dry-run"][..], &range].concat();
    let answer = json!({"dryRun": true, "dueAt": due, "warnings": ["the job is paused"]});
    is_said(
        &words,
        answer,
        &expect![[r#"
        > POST /backfill?dryRun=true {"job":"a","from":"2030-01-01T00:00:00Z","to":"2030-01-04T00:00:00Z","only":"missing","order":"oldest","concurrency":1,"stopOnFailure":false}
        would run a for 2 instants
          2030-01-01T02:00:00.000Z
          2030-01-02T02:00:00.000Z
        ! warning: the job is paused
    "#]],
    );
    let words = [&["backfill", "start", "a"][..], &range].concat();
    is_said(
        &words,
        json!({"backfill": "b12", "dueAt": due}),
        &expect![[r#"
        > POST /backfill {"job":"a","from":"2030-01-01T00:00:00Z","to":"2030-01-04T00:00:00Z","only":"missing","order":"oldest","concurrency":1,"stopOnFailure":false}
        began b12 for 2 instants
    "#]],
    );
    let more =
        ["--all", "--newest-first", "--concurrency", "3", "--stop-on-failure", "--reason", "r"];
    let words = [&words[..], &more].concat();
    is_said(
        &words,
        json!({"backfill": "b12", "dueAt": due}),
        &expect![[r#"
        > POST /backfill {"job":"a","from":"2030-01-01T00:00:00Z","to":"2030-01-04T00:00:00Z","only":"all","order":"newest","concurrency":3,"stopOnFailure":true,"reason":"r"}
        began b12 for 2 instants
    "#]],
    );
    for words in [&["--concurrency=0"][..], &["--from=2030"], &["--all=1"]] {
        let words =
            [&["chronode", "backfill", "start", "a", "--to=2030-01-04T00:00:00Z"], words].concat();
        assert_eq!(Cli::try_parse_from(&words).unwrap_err().exit_code(), 2, "{words:?}");
    }
}

fn backfill() -> Value {
    json!({
        "id": "b12", "job": "a", "state": "cancelled", "reason": "kim cancelled it", "endedAt": "2030-01-06T00:00:00.000Z",
        "by": {"by": "kim", "at": "2030-01-05T00:00:00.000Z", "reason": "the tape was lost"},
        "concurrency": 2, "stopOnFailure": false, "total": 3, "begun": 2, "live": 1,
        "ended": {"succeeded": 1, "failed": 0},
        "dueAt": [
            {"dueAt": "2030-01-01T02:00:00.000Z", "begun": true},
            {"dueAt": "2030-01-02T02:00:00.000Z", "begun": false},
        ],
    })
}

#[test]
fn backfills_are_listed_shown_and_cancelled() {
    is_said(
        &["backfill", "list"],
        json!({"backfills": [backfill()]}),
        &expect![[r#"
        > GET /backfills
        BACKFILL  JOB  STATE      BEGUN   LIVE  ENDED        BY   REASON
        b12       a    cancelled  2 of 3  1     1 succeeded  kim  the tape was lost
    "#]],
    );
    is_said(
        &["backfill", "show", "b12"],
        backfill(),
        &expect![[r#"
        > GET /backfill/b12
        backfill      b12
        job           a
        state         cancelled
        ended at      2030-01-06T00:00:00.000Z
        ended because kim cancelled it
        begun         2 of 3
        live          1 of at most 2
        ended         1 succeeded
        asked for by  kim
        at            2030-01-05T00:00:00.000Z
        because       the tape was lost

        DUE                       BEGUN
        2030-01-01T02:00:00.000Z  yes
        2030-01-02T02:00:00.000Z  no
    "#]],
    );
    is_said(
        &["backfill", "cancel", "b12"],
        json!({"dropped": 1}),
        &expect![[r#"
        > POST /backfill/b12/cancel {"kill":false}
        cancelled b12: 1 instants are not run for
    "#]],
    );
    let words = ["backfill", "cancel", "b12", "--kill", "--reason", "r", "--json"];
    is_said(
        &words,
        json!({"dropped": 1}),
        &expect![[r#"
        > POST /backfill/b12/cancel {"kill":true,"reason":"r"}
        {"dropped":1}
    "#]],
    );
}

fn backlog(total: u64) -> Value {
    json!({"total": total, "next": null, "runs": [{
        "kind": "run", "id": "j1-m1", "job": "a", "state": "queued",
        "trigger": {"dueAt": "2030-01-01T02:00:00.000Z"},
        "reasons": [
            {"code": "scheduled", "text": "the schedule named 2030-01-01T02:00:00.000Z"},
            {"code": "queued", "text": "it waits behind run j1-m0 of its job (overlap)"},
        ],
    }]})
}

#[test]
fn the_backlog_is_listed_with_reasons_and_cut() {
    is_said(
        &["backlog", "list"],
        backlog(1),
        &expect![[r#"
        > GET /backlog?limit=50
        RUN    JOB  DUE                       STATE   WHY
        j1-m1  a    2030-01-01T02:00:00.000Z  queued  it waits behind run j1-m0 of its job (overlap)
    "#]],
    );
    let words =
        ["backlog", "list", "--job", "a b", "--due-before", "2030-01-01T03:00:00Z", "--limit", "1"];
    is_said(
        &words,
        backlog(7),
        &expect![[r#"
        > GET /backlog?limit=1&job=a%20b&dueBefore=2030-01-01T03%3A00%3A00Z
        RUN    JOB  DUE                       STATE   WHY
        j1-m1  a    2030-01-01T02:00:00.000Z  queued  it waits behind run j1-m0 of its job (overlap)
        ! 7 in all
    "#]],
    );
    is_said(
        &["backlog", "list"],
        json!({"runs": [], "total": 0, "next": null}),
        &expect![[r#"
        > GET /backlog?limit=50
        nothing waits to be begun
    "#]],
    );
    let words = ["backlog", "cut", "--job", "a", "--job", "b", "--reason", "hopeless"];
    is_said(
        &words,
        json!({"dropped": 3, "left": 0}),
        &expect![[r#"
        > POST /backlog/cut {"jobs":["a","b"],"reason":"hopeless"}
        dropped 3 runs
    "#]],
    );
    let words = ["backlog", "cut", "--due-before", "2030-01-01T03:00:00Z"];
    is_said(
        &words,
        json!({"dropped": 10_000, "left": 5}),
        &expect![[r#"
        > POST /backlog/cut {"dueBefore":"2030-01-01T03:00:00Z"}
        dropped 10000 runs; 5 are left: say it again
    "#]],
    );
    is_said(
        &["backlog", "cut", "--all"],
        json!({"dropped": 3, "left": 0}),
        &expect![[r#"
        > POST /backlog/cut {}
        dropped 3 runs
    "#]],
    );
    for words in [&["--reason=x"][..], &["--all", "--job=a"]] {
        let words = [&["chronode", "backlog", "cut"], words].concat();
        assert_eq!(Cli::try_parse_from(&words).unwrap_err().exit_code(), 2, "{words:?}");
    }
}

#[test]
fn what_would_be_cut_is_asked_for_job_by_job_and_nothing_is_dropped() {
    let words = ["backlog", "cut", "--dry-run", "--job", "a", "--job", "b"];
    let (outcome, asked) = say(&words, vec![("200 OK", backlog(1)), ("200 OK", backlog(3))]);
    assert_eq!(asked, ["GET /backlog?limit=50&job=a", "GET /backlog?limit=50&job=b"]);
    assert!(outcome.out.ends_with("\nwould drop 4 runs\n"), "{}", outcome.out);
    assert_eq!(outcome.err, "4 in all\n");
    let words = ["backlog", "cut", "--dry-run", "--all", "--json"];
    let (outcome, asked) = say(&words, vec![("200 OK", backlog(1))]);
    assert_eq!(asked, ["GET /backlog?limit=50"]);
    assert!(
        outcome.out.starts_with(r#"{"dryRun":true,"total":1,"runs":[{"kind":"run""#),
        "{}",
        outcome.out
    );
}
