//! Files that attempts left on agents, and agents that cannot be asked.

use std::io::ErrorKind;

use serde_json::json;

use super::super::testing::{Fixture, Written, attempt, ended, over, run};
use super::PREFIXES;
use crate::model::{Exit, HistoryEntry, RunId, Verdict};

fn add(fixture: &Fixture) -> RunId {
    let attempts = vec![attempt(0, ended(Exit::Code(0)))];
    let run = run(1, "a", over(Verdict::Succeeded), attempts);
    let id = run.id;
    fixture.memory.world().history.push(HistoryEntry::Run(run));
    id
}

#[tokio::test]
async fn files_are_listed_and_downloaded_and_never_shown_as_pages() {
    let fixture = Fixture::start().await;
    let id = add(&fixture);
    let text = "<script>alert(1)</script>";
    for path in ["report.html", "logs/a.txt"] {
        let key = (id, 0, path.to_owned());
        fixture.memory.world().files.insert(key, Ok(Written::all(text)));
    }
    for p in PREFIXES {
        let answer = fixture.ask("GET", &format!("{p}/run/{id}/files")).await;
        assert_eq!(answer.json()["files"][0]["path"], json!("report.html"));
        assert_eq!(answer.json()["files"][0]["size"], json!(text.len()));
        assert_eq!(answer.json()["files"].as_array().unwrap().len(), 1);
        let answer = fixture.ask("GET", &format!("{p}/run/{id}/files?path=logs&attempt=0")).await;
        assert_eq!(answer.json()["files"][0]["path"], json!("logs/a.txt"));
        let answer = fixture.ask("GET", &format!("{p}/run/{id}/file?path=report.html")).await;
        assert_eq!((answer.status, answer.text()), (200, text));
        assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
        assert_eq!(answer.header("content-disposition"), Some("attachment"));
        let path = format!("{p}/run/{id}/file?path=report.html");
        let answer = fixture.ask_with("GET", &path, "Range: bytes=8-10\r\n", "").await;
        assert_eq!((answer.status, answer.text()), (206, "ale"));
        assert_eq!(answer.header("content-disposition"), Some("attachment"));
    }
}

#[tokio::test]
async fn only_paths_inside_the_directory_are_asked_for() {
    let fixture = Fixture::start().await;
    let id = add(&fixture);
    let wrong = ["..", "../x", "a/../b", "/etc/passwd", "a//b", "./a", "a%00b"];
    for path in wrong {
        for what in ["files", "file"] {
            let answer =
                fixture.ask("GET", &format!("/scheduler/run/{id}/{what}?path={path}")).await;
            assert!(answer.message(400).contains("`path`"), "{path}");
        }
    }
    let answer = fixture.ask("GET", &format!("/scheduler/run/{id}/file")).await;
    assert!(answer.message(400).contains("`path` is missing"));
    let answer = fixture.ask("GET", &format!("/scheduler/run/{id}/files?attempt=3")).await;
    assert!(answer.message(404).contains("no attempt 3"));
    let answer = fixture.ask("GET", &format!("/scheduler/run/{id}/file?path=nowhere")).await;
    assert_eq!(answer.message(404), "there is no such file");
}

#[tokio::test]
async fn an_agent_that_cannot_be_asked_is_told_in_a_sentence() {
    let fixture = Fixture::start().await;
    let id = add(&fixture);
    for (kind, status, code) in [
        (ErrorKind::HostUnreachable, 502, "agent_out_of_reach"),
        (ErrorKind::PermissionDenied, 502, "agent_refuses"),
        (ErrorKind::NotFound, 404, "no_output"),
    ] {
        let why = "agent a1.example.org says nothing";
        fixture.memory.world().files.insert((id, 0, "x".to_owned()), Err((kind, why)));
        for path in ["files", "file?path=x"] {
            let answer = fixture.ask("GET", &format!("/scheduler/run/{id}/{path}")).await;
            assert_eq!(answer.message(status), why);
            assert_eq!(answer.json()["code"], json!(code));
        }
    }
}
