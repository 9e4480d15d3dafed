//! `chronode explain` and `chronode chain`, against the real API.

use expect_test::expect;

use super::{Fixture, JOB, put, type_in};
use crate::api::testing::{attempt, ended, over, run};
use crate::model::{Exit, HistoryEntry, RunState, Trigger, Verdict};

#[tokio::test]
async fn a_run_or_a_job_is_explained_in_sentences() {
    let fixture = Fixture::start().await;
    put(&fixture, JOB).await;
    let failed = run(1, "night ly", over(Verdict::Failed), vec![attempt(0, ended(Exit::Code(3)))]);
    fixture.memory.world().history.push(HistoryEntry::Run(failed));
    let of_job = type_in(&fixture, &["explain", "night ly"]).await;
    expect![[r#"
        it is next due 2030-01-02T00:00:00.000Z
        its last run, j1-m1 for 1970-01-01T00:00:00.001Z, failed 2030-01-01T00:00:02.000Z
    "#]]
    .assert_eq(&of_job.out);
    let of_run = type_in(&fixture, &["explain", "j1-m1"]).await;
    expect![[r#"
        somebody asked for it 1970-01-01T00:00:00.001Z
        it failed 2030-01-01T00:00:02.000Z
        it started 1893456000 s late: 1893455999 s until Chronode came to decide it (it was down, suspended or busy), 1 s until it could be started (no agent had room, it was paused, or the launcher was out of reach)
        it went to local, the first agent with room: the job has no constraints
    "#]].assert_eq(&of_run.out);
    let json = type_in(&fixture, &["explain", "j1-m1", "--json"]).await.out;
    assert!(json.starts_with(r#"{"run":"j1-m1","job":"night ly","reasons":[{"code":"#), "{json}");
    // A job may be called like a run that is not there.
    put(&fixture, &JOB.replace("night ly", "j1-m9")).await;
    let of_job = type_in(&fixture, &["explain", "j1-m9", "--json"]).await.out;
    assert!(of_job.starts_with(r#"{"job":"j1-m9""#), "{of_job}");
    let unknown = type_in(&fixture, &["explain", "j1-m8"]).await.failure();
    assert!(unknown.starts_with("run `j1-m8` not found"), "{unknown}");
    let unknown = type_in(&fixture, &["explain", "nobody"]).await.failure();
    assert_eq!(unknown, "there is no job `nobody`");
}

#[tokio::test]
async fn a_chain_is_a_table_of_its_runs() {
    let fixture = Fixture::start().await;
    let first = run(1, "extract", over(Verdict::Succeeded), vec![attempt(0, ended(Exit::Code(0)))]);
    let mut second = run(2, "load", over(Verdict::Failed), vec![attempt(0, ended(Exit::Code(3)))]);
    second.causes = vec![first.id];
    let mut third = run(3, "load", RunState::Pending { deadline: None }, Vec::new());
    third.causes.clone_from(&second.causes);
    let at = "2030-01-01T00:10:00Z".parse().unwrap();
    third.trigger = Trigger::Retry { of: second.id, due_at: second.trigger.due_at(), at };
    for run in [first, second, third] {
        fixture.memory.world().history.push(HistoryEntry::Run(run));
    }
    let chain = type_in(&fixture, &["chain", "j1-m2"]).await;
    expect![[r#"
           RUN    JOB      DUE                       STATE      STARTED                   WAITED   TOOK     AFTER
           j1-m1  extract  1970-01-01T00:00:00.001Z  succeeded  2030-01-01T00:00:01.500Z  1.500 s  0.500 s  -
        *  j1-m2  load     1970-01-01T00:00:00.002Z  failed     2030-01-01T00:00:01.500Z  1.500 s  0.500 s  j1-m1
           j1-m3  load     1970-01-01T00:00:00.002Z  pending    -                         -        -        retry of j1-m2

        3 runs: 1 failed, 1 pending, 1 succeeded
    "#]].assert_eq(&chain.out);
    assert_eq!(chain.err, "");
    let json = type_in(&fixture, &["chain", "j1-m2", "--json"]).await.out;
    assert!(json.starts_with(r#"{"root":["j1-m1"],"asked":"j1-m2","truncated":false"#), "{json}");
    let unknown = type_in(&fixture, &["chain", "j1-m8"]).await.failure();
    assert!(unknown.starts_with("run `j1-m8` not found"), "{unknown}");
}
