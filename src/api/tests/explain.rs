//! Why, in sentences; and chains of runs.

use serde_json::{Value, json};

use super::super::credential::testing::{admitting, bearer};
use super::super::testing::{
    Answer, Fixture, at, attempt, ended, over, record, run, running, stretch,
};
use super::super::{Options, Role};
use super::PREFIXES;
use crate::model::{EnvVar, Exit, HistoryEntry, Run, RunState, Stretch, Trigger, Verdict, When};

fn add_job(fixture: &Fixture, name: &str) {
    let record = record(name);
    fixture.memory.world().jobs.insert(record.job.name.clone(), record);
}

fn add_child(fixture: &Fixture, name: &str, parents: &[&str]) {
    let mut record = record(name);
    let names = parents.iter().map(|parent| super::super::testing::name(parent)).collect();
    record.job.when = When::Parents(crate::model::ParentTerms::plain(names));
    fixture.memory.world().jobs.insert(record.job.name.clone(), record);
}

fn add(fixture: &Fixture, runs: impl IntoIterator<Item = Run>) {
    fixture.memory.world().history.extend(runs.into_iter().map(HistoryEntry::Run));
}

fn codes(answer: &Value) -> Vec<&str> {
    answer["reasons"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_job_is_explained_from_what_it_is_what_runs_and_what_came_last() {
    let fixture = Fixture::start().await;
    add_job(&fixture, "a");
    let failed = run(1, "a", over(Verdict::Failed), vec![attempt(0, ended(Exit::Code(3)))]);
    add(&fixture, [failed, run(3, "a", RunState::Pending { deadline: None }, Vec::new())]);
    let left_out = Stretch { sequence: 2, ..stretch(2, "a") };
    fixture.memory.world().history.push(HistoryEntry::Stretch(left_out));
    for p in PREFIXES {
        let told = fixture.ask("GET", &format!("{p}/explain/a")).await.json();
        assert_eq!(told["job"], "a");
        assert_eq!(told["nextDue"], "2030-01-02T00:00:00.000Z");
        assert_eq!(codes(&told), ["launcherGone", "nextDue", "lastRun", "lastLeftOut"]);
        let text = |index: usize| told["reasons"][index]["text"].as_str().unwrap();
        assert!(text(0).starts_with("run j1-m3: "), "{told}");
        assert_eq!(text(1), "it is next due 2030-01-02T00:00:00.000Z");
        assert!(text(2).contains("j1-m1 for ") && text(2).contains(" failed "), "{told}");
        assert!(text(3).starts_with("6 occurrences due "), "{told}");
        let unknown = fixture.ask("GET", &format!("{p}/explain/nobody")).await;
        assert_eq!(unknown.message(404), "there is no job `nobody`");
    }
    fixture.memory.world().panics = true;
    fixture.ask("GET", "/scheduler/explain/a").await.message(500);
}

#[tokio::test]
async fn a_run_is_explained_and_its_secrets_are_not_told() {
    let fixture = Fixture::start().await;
    add_job(&fixture, "a");
    let mut live = run(1, "a", RunState::Active, vec![attempt(0, running())]);
    live.environment =
        vec![EnvVar { name: "TOKEN".to_owned(), value: "hush".to_owned(), secret: true }];
    add(&fixture, [live]);
    for p in PREFIXES {
        let answer = fixture.ask("GET", &format!("{p}/run/j1-m1/explain")).await;
        let told = answer.json();
        assert_eq!((&told["run"], &told["job"]), (&json!("j1-m1"), &json!("a")));
        assert_eq!(codes(&told), ["askedFor", "running", "late", "placed"]);
        assert!(!told.to_string().contains("hush"), "{told}");
        for unknown in ["j1-m9", "nonsense"] {
            let answer = fixture.ask("GET", &format!("{p}/run/{unknown}/explain")).await;
            assert_eq!(answer.message(404), format!("run `{unknown}` not found"));
        }
    }
}

async fn scoped() -> Fixture {
    let callers = [("admin", Role::Admin, ""), ("ed", Role::Viewer, "bill-*")];
    let options = Options { authenticator: Some(admitting(&callers)), ..Options::default() };
    Fixture::start_with(options).await
}

async fn ask(fixture: &Fixture, who: &str, path: &str) -> Answer {
    fixture.ask_with("GET", path, &bearer(who), "").await
}

#[tokio::test]
async fn who_may_not_see_a_job_reads_its_name_in_no_sentence() {
    let fixture = scoped().await;
    add_job(&fixture, "pay");
    add_job(&fixture, "bill-1");
    add_child(&fixture, "bill-2", &["pay", "bill-1"]);
    let path = "/scheduler/explain/bill-2";
    let told = ask(&fixture, "admin", path).await.json();
    assert!(told["reasons"][0]["text"].as_str().unwrap().contains("`pay`"), "{told}");
    let told = ask(&fixture, "ed", path).await.json();
    assert_eq!(codes(&told), ["waitsForParents"]);
    let text = told["reasons"][0]["text"].as_str().unwrap();
    assert!(text.contains("`bill-1`") && !text.contains("pay"), "{told}");
    let hidden = ask(&fixture, "ed", "/scheduler/explain/pay").await.message(404);
    assert_eq!(hidden, "there is no job `pay`");
    add(&fixture, [run(1, "pay", over(Verdict::Succeeded), Vec::new())]);
    for path in ["/scheduler/run/j1-m1/explain", "/scheduler/chain/j1-m1"] {
        assert_eq!(ask(&fixture, "ed", path).await.message(404), "run `j1-m1` not found");
    }
}

/// `bill-1` brings `pay` and `bill-2` about, `pay` brings `bill-3` about; `bill-2` is tried once more.
fn chain() -> [Run; 5] {
    let finished = |sequence, job: &str| {
        run(sequence, job, over(Verdict::Succeeded), vec![attempt(0, ended(Exit::Code(0)))])
    };
    let first = finished(1, "bill-1");
    let mut pay = finished(2, "pay");
    let mut second =
        run(3, "bill-2", over(Verdict::Failed), vec![attempt(0, ended(Exit::Code(3)))]);
    let mut third = finished(4, "bill-3");
    let mut again = run(5, "bill-2", RunState::Pending { deadline: None }, Vec::new());
    pay.causes = vec![first.id];
    second.causes = vec![first.id];
    third.causes = vec![pay.id];
    again.causes.clone_from(&second.causes);
    let instant = at("2030-01-01T00:10:00Z");
    again.trigger = Trigger::Retry { of: second.id, due_at: second.trigger.due_at(), at: instant };
    [first, pay, second, third, again]
}

#[tokio::test]
async fn a_chain_has_what_led_to_a_run_and_what_followed_in_the_order_of_recording() {
    let fixture = scoped().await;
    add(&fixture, chain());
    add(&fixture, [run(6, "bill-9", over(Verdict::Succeeded), Vec::new())]);
    for p in PREFIXES {
        let told = ask(&fixture, "admin", &format!("{p}/chain/j1-m4")).await.json();
        assert_eq!(told["root"], json!(["j1-m1"]));
        assert_eq!(told["asked"], "j1-m4");
        assert_eq!(told["truncated"], false);
        let steps = told["steps"].as_array().unwrap();
        let ids: Vec<&str> = steps.iter().map(|step| step["run"].as_str().unwrap()).collect();
        assert_eq!(ids, ["j1-m1", "j1-m2", "j1-m3", "j1-m4", "j1-m5"]);
        assert_eq!(
            steps[0],
            json!({
                "run": "j1-m1", "job": "bill-1", "state": "ended", "verdict": "succeeded",
                "dueAt": "1970-01-01T00:00:00.001Z", "createdAt": "2030-01-01T00:00:00.000Z",
                "startedAt": "2030-01-01T00:00:01.500Z", "endedAt": "2030-01-01T00:00:02.000Z",
                "waitedMs": 1_500, "tookMs": 500, "causes": [], "retryOf": null,
                "triggered": ["j1-m2", "j1-m3", "j1-m5"],
            })
        );
        assert_eq!(steps[4]["retryOf"], "j1-m3");
        assert_eq!(steps[4]["state"], "pending");
        for key in ["verdict", "startedAt", "endedAt", "waitedMs", "tookMs"] {
            assert!(steps[4][key].is_null(), "{key}");
        }
        let unknown = ask(&fixture, "admin", &format!("{p}/chain/j1-m9")).await;
        assert_eq!(unknown.message(404), "run `j1-m9` not found");
    }
}

#[tokio::test]
async fn runs_out_of_scope_are_left_out_of_a_chain_with_what_only_they_lead_to() {
    let fixture = scoped().await;
    add(&fixture, chain());
    let ids = async |asked: &str| -> (Value, Value) {
        let told = ask(&fixture, "ed", &format!("/scheduler/chain/{asked}")).await.json();
        let steps = told["steps"].as_array().unwrap();
        (told["root"].clone(), steps.iter().map(|step| step["run"].clone()).collect())
    };
    let (root, steps) = ids("j1-m3").await;
    assert_eq!((root, steps), (json!(["j1-m1"]), json!(["j1-m1", "j1-m3", "j1-m5"])));
    assert_eq!(ids("j1-m4").await, (json!(["j1-m4"]), json!(["j1-m4"])));
}
