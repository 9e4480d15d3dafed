//! What is counted of changes that were committed.

use std::sync::Arc;

use super::*;
use crate::api::testing::{at, attempt, ended, name, over, run, running, stretch};
use crate::engine::{Abilities, Launcher, Recovered, Settings};
use crate::model::{Defaults, Exit, Incarnation, Progress, Stretch};
use crate::schedule::ZoneDb;

fn metrics() -> Metrics {
    Metrics::new(|| BootInstant(Duration::from_secs(5)))
}

fn empty() -> State {
    let settings = Settings {
        defaults: Defaults::default(),
        retry_delay: Duration::ZERO,
        disable_after_failures: 0,
        max_jobs: 200_000,
        kill_grace: Duration::ZERO,
        abilities: Abilities {
            only_user: None,
            run_as: None,
            containers: false,
            executors: false,
            ports: false,
        },
        alerts: crate::alerts::Terms::default(),
        zones: ZoneDb::bundled(),
        machine: Err("nobody knows".to_owned()),
    };
    State::recover(Arc::new(settings), Recovered::default())
}

/// As the read view follows a batch.
fn commit(metrics: &Metrics, state: &mut State, changes: &[Change]) {
    for change in changes {
        metrics.follow(state, change);
    }
    for change in changes {
        state.apply(change);
    }
}

fn scheduled(state: RunState, attempts: Vec<Attempt>) -> Change {
    let (due_at, opens_at) = (at("2030-01-01T00:00:00Z"), at("2030-01-01T00:00:01Z"));
    let trigger = Trigger::Schedule { due_at, opens_at };
    Change::RunStored(Box::new(Run { trigger, ..run(1, "a", state, attempts) }))
}

fn has(metrics: &Metrics, lines: &[&str]) {
    let printed = metrics.print(&Levels::default());
    for line in lines {
        assert!(printed.lines().any(|found| found == *line), "{line}\n{printed}");
    }
}

#[test]
fn a_run_is_counted_once_however_often_it_is_stored() {
    let (metrics, mut state) = (metrics(), empty());
    let launching = attempt(0, AttemptState::Launching);
    for change in [
        scheduled(RunState::Pending { deadline: None }, Vec::new()),
        scheduled(RunState::Active, vec![launching]),
        scheduled(RunState::Active, vec![attempt(0, running())]),
        scheduled(RunState::Active, vec![attempt(0, running())]),
        scheduled(RunState::Active, vec![attempt(0, ended(Exit::Code(1))), attempt(1, running())]),
        scheduled(
            over(Verdict::Succeeded),
            vec![attempt(0, ended(Exit::Code(1))), attempt(1, ended(Exit::Code(0)))],
        ),
    ] {
        commit(&metrics, &mut state, &[change]);
    }
    has(
        &metrics,
        &[
            r#"chronode_runs_total{verdict="succeeded"} 1"#,
            r#"chronode_runs_total{verdict="failed"} 0"#,
            "chronode_attempts_total 2",
            // The first attempt alone, after its window opened: due a second before.
            "chronode_start_lateness_seconds_count 1",
            "chronode_start_lateness_seconds_sum 0.5",
            // Given away as soon as it opened.
            "chronode_launch_lateness_seconds_count 1",
            "chronode_launch_lateness_seconds_sum 0.0",
            "chronode_attempt_duration_seconds_count 2",
            "chronode_attempt_duration_seconds_sum 1.0",
        ],
    );
    let counts = metrics.counts();
    assert_eq!((counts.lateness.count, counts.lateness.max), (1, 500));
    assert_eq!((counts.durations.count, counts.durations.max), (2, 500));
}

#[test]
fn a_run_that_starts_and_ends_within_one_batch_counts_as_any_other() {
    let (metrics, mut state) = (metrics(), empty());
    let ended = scheduled(over(Verdict::Succeeded), vec![attempt(0, ended(Exit::Code(0)))]);
    commit(&metrics, &mut state, &[ended]);
    has(&metrics, &["chronode_attempts_total 1", "chronode_start_lateness_seconds_count 1"]);
}

#[test]
fn each_occurrence_of_a_stretch_is_counted_once() {
    let (metrics, mut state) = (metrics(), empty());
    let record = {
        let memory = crate::api::testing::record("b");
        crate::model::JobRecord { incarnation: Incarnation(1), ..memory }
    };
    let decided_through = record.progress.decided_through;
    let extended = |count: u64| {
        let stretch = Stretch { count, ..stretch(6, "b") };
        let progress = Progress {
            decided_through,
            stretch: Some(stretch.clone()),
            boot_id: None,
            rounds: Vec::new(),
        };
        // The progress may come first in a batch.
        [
            Change::Progressed { incarnation: Incarnation(1), progress },
            Change::StretchStored(stretch),
        ]
    };
    commit(&metrics, &mut state, &[Change::JobStored(Box::new(record))]);
    commit(&metrics, &mut state, &extended(6));
    commit(&metrics, &mut state, &extended(7));
    commit(&metrics, &mut state, &extended(10));
    has(&metrics, &[r#"chronode_runs_total{verdict="missed"} 10"#]);
}

#[test]
fn levels_are_those_of_the_state() {
    let mut state = empty();
    assert_eq!(Levels::of(&state), Levels::default());
    state.apply(&Change::OffersSet(Launcher::Connected(Vec::new())));
    state.apply(&Change::TermBegan(crate::model::Term(4)));
    let mut high = crate::api::testing::record("b");
    high.job.priority = crate::model::Priority::High;
    high.job.disabled = true;
    state.apply(&Change::JobStored(Box::new(high)));
    let wanted = RunState::Pending { deadline: None };
    let mut stray = run(2, "c", wanted.clone(), Vec::new());
    stray.id = crate::model::RunId::manual(Incarnation(9), 2);
    for run in [
        run(1, "b", wanted, Vec::new()),
        stray,
        run(3, "b", RunState::Queued, Vec::new()),
        run(4, "b", RunState::Active, vec![attempt(0, running())]),
    ] {
        state.apply(&Change::RunStored(Box::new(run)));
    }
    let levels = Levels::of(&state);
    let expected = Levels {
        jobs: 1,
        jobs_disabled: 1,
        runs_queued: 1,
        runs_pending: 2,
        runs_active: 1,
        runs_waiting: 0,
        runs_reporting: 0,
        queue: 1,
        queue_high: 1,
        is_launcher_connected: true,
        term: 4,
    };
    assert_eq!((levels, levels.live()), (expected, 4));
    assert_eq!(name("b").as_str(), state.jobs().next().unwrap().job.name.as_str());
}

#[test]
fn a_launch_is_as_late_as_it_was_given_away_and_retries_are_not_late() {
    let (metrics, mut state) = (metrics(), empty());
    let mut late = attempt(0, AttemptState::Launching);
    late.launched_at = at("2030-01-01T00:00:03Z");
    let mut again = attempt(1, AttemptState::Launching);
    again.launched_at = at("2030-01-01T00:01:00Z");
    let over = Attempt { launched_at: late.launched_at, ..attempt(0, ended(Exit::Code(1))) };
    for attempts in [vec![], vec![late.clone()], vec![late], vec![over.clone()], vec![over, again]]
    {
        commit(&metrics, &mut state, &[scheduled(RunState::Active, attempts)]);
    }
    let lines =
        ["chronode_launch_lateness_seconds_count 1", "chronode_launch_lateness_seconds_sum 2.0"];
    has(&metrics, &lines);
    let counts = metrics.counts();
    assert_eq!((counts.launch_lateness.count, counts.launch_lateness.max), (1, 2_000));
}

#[test]
fn a_cluster_is_told_of_where_there_is_one() {
    let metrics = metrics();
    assert!(!metrics.print(&Levels::default()).contains("mesos"));
    assert_eq!(metrics.counts().cluster, None);
    let counts =
        || ClusterCounts { offers: 7, launches: 3, revives: 2, ..ClusterCounts::default() };
    metrics.watch_cluster(counts);
    metrics.watch_cluster(ClusterCounts::default);
    has(
        &metrics,
        &[
            "# HELP chronode_mesos_offers Offers that came.",
            "# TYPE chronode_mesos_offers counter",
            "chronode_mesos_offers_total 7",
            "chronode_mesos_launches_total 3",
            "chronode_mesos_revives_total 2",
            "chronode_mesos_lost_connections_total 0",
        ],
    );
    assert_eq!(metrics.counts().cluster, Some(counts()));
    let names: std::collections::BTreeSet<_> =
        counts().all().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names.len(), counts().all().len());
}

#[test]
fn commits_and_failures_are_counted() {
    let metrics = metrics();
    metrics.committed(BootInstant(Duration::from_secs(4)), 3);
    metrics.committed(BootInstant(Duration::from_secs(5)), 2);
    metrics.store_failed(Doing::Load);
    has(
        &metrics,
        &[
            "chronode_commits_total 2",
            "chronode_commit_changes_total 5",
            "chronode_commit_seconds_sum 1.0",
            r#"chronode_store_errors_total{doing="load"} 1"#,
            r#"chronode_store_errors_total{doing="commit"} 0"#,
        ],
    );
    let counts = metrics.counts();
    assert_eq!((counts.commits, counts.store_errors), (2, 1));
}
