//! Backfills: what a dry run lists is what is run, and how far it is.

use serde_json::{Value, json};

use super::super::credential::testing::bearer;
use super::super::testing::{at, name, over};
use super::operate::{NOW, WAITING, bare, body, fixture, put_run, send};
use crate::model::{HistoryEntry, Trigger, Verdict, When};

/// Instants of the last days of 2029.
fn december(days: &[u32]) -> Value {
    days.iter().map(|day| format!("2029-12-{day:02}T00:00:00.000Z")).collect()
}

#[tokio::test]
async fn a_backfill_runs_what_its_dry_run_lists() {
    let fixture = fixture().await;
    let mut done = put_run(&fixture, 1, "bill-a", 11, over(Verdict::Succeeded));
    done.trigger = Trigger::CatchUp { due_at: at("2029-12-25T00:00:00Z") };
    let mut failed = put_run(&fixture, 1, "bill-a", 12, over(Verdict::Failed));
    failed.trigger = Trigger::CatchUp { due_at: at("2029-12-26T00:00:00Z") };
    for run in [&done, &failed] {
        fixture.memory.world().run_mut(run.id).trigger = run.trigger;
    }
    let range =
        json!({"job": "bill-a", "from": "2029-12-24T00:00:00Z", "to": "2029-12-28T00:00:00Z"});
    let with = |more: Value| {
        let mut asked = range.clone();
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asked
    };
    for (more, days) in [
        (json!({}), &[24, 26, 27][..]),
        (json!({"only": "all"}), &[24, 25, 26, 27]),
        (json!({"order": "newest"}), &[27, 26, 24]),
        (
            json!({"from": null, "to": null, "dueAt": ["2029-12-26T00:00:00Z", "2029-12-25T00:00:00Z"]}),
            &[26],
        ),
        (
            json!({"from": null, "to": null, "only": "all", "dueAt": ["2029-12-26T00:00:00Z", "2029-12-25T00:00:00Z"]}),
            &[25, 26],
        ),
        // What is still to come comes of itself.
        (
            json!({"from": "2029-12-31T00:00:00Z", "to": "2030-02-01T00:00:00Z", "order": "newest", "only": "all"}),
            &[],
        ),
    ] {
        let asked = with(more);
        fixture.memory.world().requests.clear();
        let dry = send(&fixture, "bill", "POST", "/scheduler/backfill?dryRun=true", &asked).await;
        let dry = body(&dry, 200);
        let expected = match days {
            [] => json!(["2030-01-01T00:00:00.000Z", "2029-12-31T00:00:00.000Z"]),
            days => december(days),
        };
        assert_eq!(dry, json!({"dryRun": true, "dueAt": expected, "warnings": []}), "{asked}");
        assert_eq!(fixture.memory.world().backfills.len(), 0);
        let begun = send(&fixture, "bill", "POST", "/scheduler/backfill", &asked).await;
        let begun = body(&begun, 201);
        assert_eq!(begun["dueAt"], dry["dueAt"]);
        let shown = bare(
            &fixture,
            "bill",
            "GET",
            &format!("/scheduler/backfill/{}", begun["backfill"].as_str().unwrap()),
        )
        .await;
        let shown = body(&shown, 200);
        let listed: Value =
            shown["dueAt"].as_array().unwrap().iter().map(|it| it["dueAt"].clone()).collect();
        assert_eq!(listed, dry["dueAt"]);
        let mut world = fixture.memory.world();
        world.backfills.clear();
        world.history.retain(|entry| entry.sequence() < 13);
    }
    let all_done = with(json!({"from": null, "to": null, "dueAt": ["2029-12-25T00:00:00Z"]}));
    let refused = send(&fixture, "bill", "POST", "/scheduler/backfill", &all_done).await;
    refused.message(400);
    assert!(refused.json()["remedy"].as_str().unwrap().contains("\"all\""));
}

#[tokio::test]
async fn too_long_a_backfill_is_refused_and_what_surprises_is_told() {
    let fixture = fixture().await;
    {
        let mut world = fixture.memory.world();
        let record = world.jobs.get_mut(&name("bill-a")).unwrap();
        let When::Schedule(terms) = &mut record.job.when else { panic!() };
        terms.text = "R/2029-01-01T00:00:00Z/PT1M".to_owned();
    }
    for only in ["all", "missing"] {
        let asked = json!({"job": "bill-a", "only": only, "from": "2029-12-24T00:00:00Z", "to": "2029-12-25T00:00:00Z"});
        let refused = send(&fixture, "op", "POST", "/scheduler/backfill?dryRun=true", &asked).await;
        assert!(refused.message(400).contains("1000"), "{refused:?}");
        assert_eq!(refused.json()["field"], "to");
    }
    let asked = json!({"job": "bill-a", "only": "missing", "from": "2029-01-01T00:00:00Z", "to": "2029-12-25T00:00:00Z"});
    let refused = send(&fixture, "op", "POST", "/scheduler/backfill?dryRun=true", &asked).await;
    assert!(refused.message(400).contains("100000"), "{refused:?}");

    let mut going_on = put_run(&fixture, 1, "bill-a", 11, WAITING);
    going_on.trigger = Trigger::CatchUp { due_at: at("2029-12-24T00:00:00Z") };
    fixture.memory.world().run_mut(going_on.id).trigger = going_on.trigger;
    fixture.memory.world().jobs.get_mut(&name("bill-a")).unwrap().job.disabled = true;
    body(&send(&fixture, "op", "POST", "/scheduler/pause", &json!({"job": "bill-a"})).await, 200);
    let asked = json!({"job": "bill-a", "concurrency": 3, "from": "2029-12-24T00:00:00Z", "to": "2029-12-24T00:02:00Z"});
    let told = send(&fixture, "op", "POST", "/scheduler/backfill?dryRun=true", &asked).await;
    let told = body(&told, 200);
    assert_eq!(
        told["warnings"],
        json!([
            "the job is disabled; a backfill runs all the same",
            "the job is paused; a backfill runs all the same",
            "the job lets 1 of its runs go on at a time (overlap): the others wait",
            "for 1 of the instants a run is going on already",
        ])
    );
}

#[tokio::test]
async fn a_backfill_is_shown_as_far_as_it_is_and_cancelled() {
    let fixture = fixture().await;
    let asked = json!({
        "job": "bill-a", "from": "2029-12-24T00:00:00Z", "to": "2029-12-27T00:00:00Z", "reason": "late data", "stopOnFailure": true,
        "arguments": "-v",
    });
    let begun = body(&send(&fixture, "bill", "POST", "/scheduler/backfill", &asked).await, 201);
    let id = begun["backfill"].as_str().unwrap();
    let mut expected = json!({
        "id": id, "job": "bill-a", "state": "going", "reason": null, "endedAt": null, "concurrency": 1, "stopOnFailure": true,
        "by": {"by": "bill", "at": NOW, "reason": "late data"}, "arguments": "-v", "environment": [], "total": 3, "begun": 1,
        "live": 1, "ended": {},
    });
    let list = body(&bare(&fixture, "viewer", "GET", "/scheduler/backfills").await, 200);
    assert_eq!(list, json!({"backfills": [expected]}));
    expected["dueAt"] = [(24, true), (25, false), (26, false)]
        .map(|(day, begun)| json!({"dueAt": december(&[day])[0], "begun": begun}))
        .into_iter()
        .collect();
    let path = format!("/scheduler/backfill/{id}");
    assert_eq!(body(&bare(&fixture, "viewer", "GET", &path).await, 200), expected);
    let cancel = format!("{path}/cancel");
    let asked = json!({"kill": true, "reason": "wrong job"});
    let cancelled = send(&fixture, "bill", "POST", &cancel, &asked).await;
    assert_eq!(body(&cancelled, 200), json!({"dropped": 2}));
    let shown = body(&bare(&fixture, "viewer", "GET", &path).await, 200);
    assert_eq!((&shown["state"], &shown["live"]), (&json!("cancelled"), &json!(0)));
    assert_eq!(shown["reason"], "bill cancelled it: wrong job");
    assert_eq!(shown["ended"], json!({"killed": 1}));
    // Once more drops nothing more.
    assert_eq!(body(&bare(&fixture, "bill", "POST", &cancel).await, 200), json!({"dropped": 0}));
    for id in ["b99", "7", "b07"] {
        let answer = bare(&fixture, "op", "GET", &format!("/scheduler/backfill/{id}")).await;
        assert!(answer.message(404).contains("not found"));
        let answer =
            bare(&fixture, "op", "POST", &format!("/scheduler/backfill/{id}/cancel")).await;
        assert!(answer.message(404).contains("not found"));
    }
}

/// What a command would not be given as arguments, such as what stands in a comment of it, is refused.
#[tokio::test]
async fn a_backfill_takes_arguments_only_where_they_are_arguments() {
    let fixture = fixture().await;
    "true # "
        .clone_into(&mut fixture.memory.world().jobs.get_mut(&name("bill-a")).unwrap().job.command);
    let asked = json!({"job": "bill-a", "dueAt": ["2029-12-24T00:00:00Z"], "arguments": "-v"});
    let refused = send(&fixture, "op", "POST", "/scheduler/backfill", &asked).await;
    refused.message(400);
    assert_eq!(refused.json()["field"], "arguments");
}

/// The answer to a repetition lists what was begun then, although it has succeeded since.
#[tokio::test]
async fn a_backfill_that_is_asked_for_again_under_its_key_is_answered_as_it_was() {
    let fixture = fixture().await;
    let headers =
        format!("{}Content-Type: application/json\r\nIdempotency-Key: k1\r\n", bearer("op"));
    let asked = json!({"job": "bill-a", "dueAt": ["2029-12-24T00:00:00Z"]}).to_string();
    let mut told = Vec::new();
    for _ in 0..2 {
        let answer = fixture.ask_with("POST", "/scheduler/backfill", &headers, &asked).await;
        told.push(body(&answer, 201));
        for entry in &mut fixture.memory.world().history {
            if let HistoryEntry::Run(run) = entry {
                run.state = over(Verdict::Succeeded);
            }
        }
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(fixture.memory.world().backfills.len(), 1);
}
