//! `P/overview` over HTTP. It is 2030-01-01T00:00:00Z.

use serde_json::{Value, json};

use super::super::testing::{
    Fixture, at, attempt, ended, name, over, record, run, running, stretch,
};
use super::PREFIXES;
use crate::model::{
    Exit, HistoryEntry, Intervention, JobName, JobRecord, JobStats, ParentTerms, Pause, RunState,
    Shadow, Trigger, TriggerRule, Verdict, When,
};

async fn overview(fixture: &Fixture, query: &str) -> Value {
    let answer = fixture.ask("GET", &format!("/scheduler/overview?{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn names(overview: &Value) -> Vec<&str> {
    let jobs = overview["jobs"].as_array().unwrap();
    jobs.iter().map(|job| job["name"].as_str().unwrap()).collect()
}

/// A job with these counts.
fn put(fixture: &Fixture, text: &str, change: impl FnOnce(&mut JobRecord)) {
    let mut record = record(text);
    change(&mut record);
    fixture.memory.world().jobs.insert(name(text), record);
}

fn pause() -> Pause {
    let by =
        Intervention { by: "kim".into(), at: at("2030-01-01T00:00:00Z"), reason: String::new() };
    Pause { by, until: None }
}

fn failed() -> JobStats {
    let last_error = "2029-12-31T00:00:00.000Z".to_owned();
    JobStats { error_count: 3, last_error, ..JobStats::default() }
}

#[tokio::test]
async fn a_job_is_told_whole() {
    let fixture = Fixture::start().await;
    put(&fixture, "a", |record| {
        record.job.description = "Sums up".to_owned();
        record.job.owner = "kim@example.org".to_owned();
        record.job.owner_name = "Kim".to_owned();
        record.stats = failed();
        record.stats.success_count = 5;
        record.revision = 4;
    });
    let first = run(1, "a", over(Verdict::Failed), vec![attempt(0, ended(Exit::Code(1)))]);
    let second = run(3, "a", RunState::Active, vec![attempt(0, running())]);
    let ids = [&first, &second].map(|run| run.id.to_string());
    fixture.memory.world().history = vec![
        HistoryEntry::Run(first),
        HistoryEntry::Stretch(stretch(2, "a")),
        HistoryEntry::Run(second),
    ];
    for p in PREFIXES {
        let told = fixture.ask("GET", &format!("{p}/overview")).await.json();
        let bar = |run: &str, state: &str, verdict: Value, ended: Value, took: Value| {
            json!({
                "run": run, "state": state, "verdict": verdict, "dueAt": if run == ids[0] {
                    "1970-01-01T00:00:00.001Z"
                } else {
                    "1970-01-01T00:00:00.003Z"
                },
                "startedAt": "2030-01-01T00:00:01.500Z", "endedAt": ended, "tookMs": took, "why": "manual", "count": 1,
            })
        };
        let expected = json!({
            "total": 1,
            "counts": {
                "all": 1, "running": 1, "waiting": 0, "failing": 1, "late": 0, "disabled": 0, "paused": 0,
                "quarantined": 0, "shadow": 0, "fresh": 0, "succeeding": 0,
            },
            "jobs": [{
                "name": "a", "description": "Sums up", "owner": "kim@example.org", "ownerName": "Kim",
                "schedule": "R/2030-01-01T00:00:00Z/P1D", "zone": "UTC",
                "words": "every day from 2030-01-01T00:00:00Z", "parents": [],
                "state": "running", "running": 1, "status": "failure", "disabled": false, "paused": false,
                "quarantined": false, "shadow": false, "late": false, "source": null, "drift": null,
                "nextDue": "2030-01-02T00:00:00.000Z",
                "revision": 4, "successes": 5, "errors": 3,
                "recent": [
                    bar(&ids[0], "ended", json!("failed"), json!("2030-01-01T00:00:02.000Z"), json!(500)),
                    {
                        "run": null, "state": "ended", "verdict": "missed", "dueAt": "2030-01-01T00:00:00.000Z",
                        "startedAt": null, "endedAt": "2030-01-01T00:06:00.000Z", "tookMs": null,
                        "why": "schedule", "count": 6,
                    },
                    bar(&ids[1], "active", json!(null), json!(null), json!(null)),
                ],
            }],
        });
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn the_newest_entries_are_shown_oldest_first() {
    let fixture = Fixture::start().await;
    put(&fixture, "a", |_| {});
    for sequence in 1..=30 {
        let run = run(sequence, "a", over(Verdict::Succeeded), Vec::new());
        fixture.memory.world().history.push(HistoryEntry::Run(run));
    }
    let told = overview(&fixture, "").await;
    let recent = told["jobs"][0]["recent"].as_array().unwrap();
    let ids: Vec<_> = recent.iter().map(|bar| bar["run"].as_str().unwrap().to_owned()).collect();
    let expected: Vec<_> = (11..=30).map(|number| format!("j1-m{number}")).collect();
    assert_eq!(ids, expected);
}

/// Jobs of every kind, by names that say which.
async fn every_kind() -> Fixture {
    let fixture = Fixture::start().await;
    put(&fixture, "a-disabled", |record| record.job.disabled = true);
    put(&fixture, "b-paused", |record| record.interventions.pause = Some(pause()));
    put(&fixture, "c-failing", |record| record.stats = failed());
    put(&fixture, "d-succeeding", |record| {
        record.stats.last_success = "2029-12-31T00:00:00.000Z".to_owned();
    });
    put(&fixture, "e-shadow", |record| record.job.shadow = Shadow::On);
    put(&fixture, "f-until", |record| {
        record.job.shadow = Shadow::Until(at("2030-01-01T00:00:00.001Z"));
    });
    put(&fixture, "g-over", |record| {
        record.job.shadow = Shadow::Until(at("2030-01-01T00:00:00Z"));
    });
    put(&fixture, "h-running", |_| {});
    put(&fixture, "i-waiting", |_| {});
    put(&fixture, "j-late-run", |_| {});
    put(&fixture, "k-overdue", |record| {
        record.progress.decided_through = at("2029-12-31T00:00:00Z");
        record.accepted_at = at("2029-01-01T00:00:00Z");
        let When::Schedule(terms) = &mut record.job.when else { panic!() };
        terms.text = "R/2029-12-31T23:59:00Z/P1D".to_owned();
    });
    let mut world = fixture.memory.world();
    let made = |sequence: u64, text: &str, since: &str, state: RunState| {
        let mut made = run(sequence, text, state, Vec::new());
        let (due_at, at) = (at("2029-12-31T00:00:00Z"), at(since));
        made.trigger = Trigger::Manual { due_at, at };
        made
    };
    let mut going = made(1, "h-running", "2029-12-31T00:00:00Z", RunState::Active);
    going.attempts = vec![attempt(0, running())];
    let pending = || RunState::Pending { deadline: None };
    let waits = made(2, "i-waiting", "2029-12-31T23:59:00.001Z", pending());
    // A retry that waits has been started once.
    let mut again = made(3, "i-waiting", "2029-12-31T00:00:00Z", pending());
    again.attempts = vec![attempt(0, ended(Exit::Code(1)))];
    let late = made(4, "j-late-run", "2029-12-31T23:59:00Z", RunState::Queued);
    world.history = [going, waits, again, late].into_iter().map(HistoryEntry::Run).collect();
    drop(world);
    fixture
}

#[tokio::test]
async fn every_kind_is_found_and_counted() {
    let fixture = every_kind().await;
    let expected: [(&str, &[&str]); 10] = [
        ("running", &["h-running"]),
        ("waiting", &["i-waiting", "j-late-run"]),
        ("failing", &["c-failing"]),
        ("late", &["j-late-run", "k-overdue"]),
        ("disabled", &["a-disabled"]),
        ("paused", &["b-paused"]),
        ("quarantined", &[]),
        ("shadow", &["e-shadow", "f-until"]),
        (
            "fresh",
            &[
                "a-disabled",
                "b-paused",
                "e-shadow",
                "f-until",
                "g-over",
                "h-running",
                "i-waiting",
                "j-late-run",
                "k-overdue",
            ],
        ),
        ("succeeding", &["d-succeeding"]),
    ];
    let all = overview(&fixture, "").await;
    // Looked at one by one, they come to what is kept in passing; a search that finds all shows it.
    let sifted = overview(&fixture, "search=-").await;
    assert_eq!((&all["counts"], &all["jobs"]), (&sifted["counts"], &sifted["jobs"]));
    assert_eq!(all["counts"]["all"], 11);
    for (kind, jobs) in expected {
        let found = overview(&fixture, &format!("state={kind}")).await;
        assert_eq!(names(&found), jobs, "{kind}");
        assert_eq!(found["total"], jobs.len(), "{kind}");
        assert_eq!(found["counts"], all["counts"], "{kind}");
        assert_eq!(all["counts"][kind], jobs.len(), "{kind}");
    }
    let late = |job: &Value| job["late"].as_bool().unwrap();
    let late = all["jobs"].as_array().unwrap().iter().filter(|job| late(job)).count();
    assert_eq!(late, 2);
}

#[tokio::test]
async fn nothing_comes_due_late_while_everything_is_paused() {
    let fixture = every_kind().await;
    fixture.memory.world().paused = Some(pause());
    let told = overview(&fixture, "state=late").await;
    assert_eq!(names(&told), ["j-late-run"], "a run that is there waits all the same");
    // That everything is paused is told elsewhere.
    assert_eq!(told["counts"]["paused"], 1);
}

#[tokio::test]
async fn words_are_looked_for_in_names_owners_and_descriptions() {
    let fixture = Fixture::start().await;
    put(&fixture, "Bill-a", |record| record.job.description = "sums ÉTÉ UP".to_owned());
    put(&fixture, "bill-b", |record| {
        record.job.owner = "kim@example.org, lee@example.org".to_owned();
        record.job.owner_name = "Accounts".to_owned();
        record.stats = failed();
    });
    put(&fixture, "other", |record| record.job.command = "bill".to_owned());
    for (query, expected) in [
        ("", vec!["Bill-a", "bill-b", "other"]),
        ("search=", vec!["Bill-a", "bill-b", "other"]),
        ("search=+", vec!["Bill-a", "bill-b", "other"]),
        ("search=BILL", vec!["Bill-a", "bill-b"]),
        ("search=%C3%A9t%C3%A9", vec!["Bill-a"]),
        ("search=up+bill", vec!["Bill-a"]),
        ("search=accounts", vec!["bill-b"]),
        ("search=LEE%40", vec!["bill-b"]),
        ("search=bill+nothing", vec![]),
        ("owner=lee@example.org", vec!["bill-b"]),
        ("owner=lee", vec![]),
        ("owner=lee@example.org&search=other", vec![]),
    ] {
        assert_eq!(names(&overview(&fixture, query).await), expected, "{query}");
    }
    // Counted is what is found, whatever state is asked for.
    let found = overview(&fixture, "search=bill&state=failing").await;
    assert_eq!(names(&found), ["bill-b"]);
    assert_eq!((&found["total"], &found["counts"]["all"]), (&json!(1), &json!(2)));
    assert_eq!((&found["counts"]["failing"], &found["counts"]["fresh"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn any_part_of_any_order_is_given() {
    let fixture = Fixture::start().await;
    for (text, start) in [("a", "03"), ("b", "02"), ("c", "04"), ("d", "02")] {
        put(&fixture, text, |record| {
            let When::Schedule(terms) = &mut record.job.when else { panic!() };
            terms.text = format!("R/2030-01-{start}T00:00:00Z/P1D");
        });
    }
    put(&fixture, "e", |record| record.job.disabled = true);
    for (query, expected) in [
        ("sort=name", "abcde"),
        ("sort=name&desc=true", "edcba"),
        ("sort=created", "abcde"),
        ("sort=created&desc", "edcba"),
        ("sort=nextDue", "bdace"),
        ("sort=nextDue&desc=true", "cadbe"),
        ("sort=nextDue&offset=1&limit=2", "da"),
        ("sort=nextDue&desc=true&offset=3", "be"),
        ("offset=2", "cde"),
        ("offset=2&limit=2", "cd"),
        ("offset=1&limit=2&desc=true", "dc"),
        ("offset=5", ""),
        ("offset=99999999999", ""),
        ("limit=0", ""),
        ("offset=1&limit=2&state=fresh", "bc"),
        ("offset=1&limit=2&state=fresh&desc=true", "dc"),
        ("offset=1&limit=2&state=fresh&desc=true&sort=created", "dc"),
        ("state=fresh&limit=0", ""),
    ] {
        let found = overview(&fixture, query).await;
        assert_eq!(names(&found).concat(), expected, "{query}");
        assert_eq!(found["total"], 5, "{query}");
    }
}

#[tokio::test]
async fn jobs_after_others_say_after_whom() {
    let fixture = Fixture::start().await;
    for text in ["a", "b", "c", "d", "e"] {
        put(&fixture, text, |_| {});
    }
    let parents = |rule: TriggerRule, parents: &[&str]| {
        let names: Vec<JobName> = parents.iter().map(|text| name(text)).collect();
        When::Parents(ParentTerms { rule, ..ParentTerms::plain(names) })
    };
    for (text, rule, after, expected) in [
        ("m", TriggerRule::AllSucceeded, &["a"][..], "after a"),
        ("n", TriggerRule::AllSucceeded, &["a", "b"], "after a and b"),
        ("o", TriggerRule::AnySucceeded, &["a", "b", "c"], "after a, b or c"),
        (
            "p",
            TriggerRule::AllDone,
            &["a", "b", "c", "d"],
            "after a, b, c and 1 others, however they end",
        ),
        ("q", TriggerRule::AnyFailed, &["a", "b"], "after a failure of a or b"),
    ] {
        put(&fixture, text, |record| record.job.when = parents(rule, after));
        let found = overview(&fixture, &format!("search={text}")).await;
        let job = &found["jobs"][0];
        assert_eq!((&job["words"], &job["parents"]), (&json!(expected), &json!(after)));
        assert_eq!((&job["schedule"], &job["zone"]), (&json!(""), &json!(null)));
        fixture.memory.world().jobs.remove(&name(text));
    }
}

#[tokio::test]
async fn a_schedule_that_cannot_be_read_any_more_says_why() {
    let fixture = Fixture::start().await;
    put(&fixture, "a", |record| {
        let When::Schedule(terms) = &mut record.job.when else { panic!() };
        terms.zone = "Mars/Olympus".to_owned();
    });
    let job = &overview(&fixture, "").await["jobs"][0];
    let words = job["words"].as_str().unwrap();
    assert!(words.starts_with("cannot be read any more: ") && words.contains("Mars/Olympus"));
    assert_eq!((&job["zone"], &job["nextDue"]), (&json!(null), &json!(null)));
}

#[tokio::test]
async fn parameters_that_mean_nothing_are_refused_by_name() {
    let fixture = Fixture::start().await;
    for (query, field) in [
        ("serach=a", "serach"),
        ("state=great", "state"),
        ("sort=size", "sort"),
        ("desc=perhaps", "desc"),
        ("offset=-1", "offset"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("search=a&search=b", "search"),
    ] {
        let answer = fixture.ask("GET", &format!("/scheduler/overview?{query}")).await;
        answer.message(400);
        assert_eq!(answer.json()["field"], field, "{query}");
    }
}

#[tokio::test]
async fn a_history_that_cannot_be_read_is_no_secret_but_its_place_is() {
    let fixture = Fixture::start().await;
    fixture.memory.world().panics = true;
    let message = fixture.ask("GET", "/scheduler/overview").await.message(500);
    assert!(!message.contains("secret.db"), "{message}");
}
