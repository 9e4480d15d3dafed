//! What a job says of where its runs go, and what is short.

use expect_test::expect;

use super::*;

fn allowed(constraints: Option<Vec<Constraint>>, fitness: Fitness) -> JobDraft {
    let mut job = hourly();
    job.overlap = Some(Overlap::Allow { max: None });
    job.cpus = Some(Scalar::from_thousandths(1_000));
    job.constraints = constraints;
    job.placement = Some(fitness);
    job
}

/// Where the live attempts are, in the order of their runs.
fn agents(desk: &Desk) -> Vec<String> {
    let mut runs: Vec<&Run> = desk.state.runs().collect();
    runs.sort_by_key(|run| run.sequence);
    let live = runs.into_iter().filter_map(Run::live_attempt);
    live.map(|attempt| attempt.agent.to_string()).collect()
}

fn three() -> [Offer; 3] {
    ["a1", "a2", "a3"].map(|agent| offered(&format!("o-{agent}"), agent, amounts(8, 10_000, 0)))
}

#[test]
fn unique_holds_within_one_look_and_across_looks_and_restarts() {
    let mut desk = cluster();
    desk.put(allowed(constrained("rack", Operator::Unique, ""), Fitness::Pack));
    for _ in 0..2 {
        let _ = desk.run_of("job");
    }
    let _ = offer_all(&mut desk, three());
    assert_eq!(agents(&desk), ["a1", "a2"]);
    let placed = desk.state.runs().find_map(Run::live_attempt).unwrap().placed.clone().unwrap();
    assert_eq!(placed.values, [("rack".to_owned(), "r-1".to_owned())]);
    desk.restart();
    let _ = join(&mut desk);
    // Nothing is placed before the attempts were heard of.
    desk.jump("00:00:05");
    for _ in 0..2 {
        let _ = desk.run_of("job");
    }
    let _ = offer_all(&mut desk, three());
    assert_eq!(agents(&desk), ["a1", "a2", "a3"]);
    assert!(told(&desk).contains("another live run of the job is where rack is r-2 (UNIQUE)"));
}

/// The constraint is newer than the attempt; what its agent is, is known from what it offers.
#[test]
fn unique_knows_where_older_attempts_are_from_what_their_agents_offer() {
    let mut desk = cluster();
    desk.put(allowed(None, Fitness::Pack));
    let _ = desk.run_of("job");
    let [first, second, _] = three();
    let _ = offer_all(&mut desk, [first.clone()]);
    desk.put(allowed(constrained("rack", Operator::Unique, ""), Fitness::Pack));
    let _ = desk.run_of("job");
    assert_eq!(offer_all(&mut desk, [first]), "release 1");
    let _ = offer_all(&mut desk, [second.clone()]);
    assert_eq!(agents(&desk), ["a1", "a2"]);
    // Of an agent that nobody knows any longer it cannot be said.
    let _ = desk.handle(&Event::AgentLost(AgentId::new("a1")));
    let _ = desk.run_of("job");
    let _ = offer_all(&mut desk, [three()[2].clone()]);
    assert!(
        told(&desk).contains("what `rack` is where another live run of the job is cannot be said")
    );
}

#[test]
fn cluster_keeps_the_live_runs_of_a_job_together() {
    let mut desk = cluster();
    desk.put(allowed(constrained("rack", Operator::Cluster, ""), Fitness::Spread));
    for _ in 0..3 {
        let _ = desk.run_of("job");
    }
    let _ = offer_all(&mut desk, three());
    assert_eq!(agents(&desk), ["a1", "a1", "a1"]);
}

#[test]
fn spread_goes_where_the_fewest_runs_of_the_job_are_and_pack_where_the_least_room_is() {
    for (fitness, expected) in
        [(Fitness::Spread, ["a1", "a2", "a3", "a1"]), (Fitness::Pack, ["a1"; 4])]
    {
        let mut desk = cluster();
        desk.put(allowed(None, fitness));
        for _ in 0..4 {
            let _ = desk.run_of("job");
        }
        let _ = offer_all(&mut desk, three());
        assert_eq!(agents(&desk), expected, "{fitness:?}");
    }
}

/// The one agent there is has one host name.
#[test]
fn unique_and_cluster_work_on_the_own_machine() {
    for (operator, count) in [(Operator::Unique, 1), (Operator::Cluster, 2)] {
        let mut desk = Desk::new();
        desk.put(allowed(constrained("hostname", operator, ""), Fitness::Pack));
        for _ in 0..2 {
            let _ = desk.run_of("job");
        }
        assert_eq!(agents(&desk).len(), count, "{operator:?}");
        let placed = desk.state.runs().find_map(Run::live_attempt).unwrap().placed.clone().unwrap();
        assert_eq!(placed.values, [("hostname".to_owned(), "one".to_owned())]);
        assert_eq!(placed.sandbox, None);
    }
}

#[test]
fn more_runs_than_one_step_places_leave_no_offer_behind() {
    let mut desk = cluster();
    let mut job = allowed(None, Fitness::Pack);
    job.when = When::Schedule(ScheduleTerms::plain("R5200/2026-01-01T01:00:00Z/PT1S", ""));
    job.epsilon = epsilon(7_200);
    job.cpus = Some(Scalar::from_thousandths(1));
    job.mem = Some(Scalar::from_thousandths(1));
    job.disk = Some(Scalar::from_thousandths(1));
    desk.put(job);
    let _ = desk.wake("02:30:00");
    let offers =
        (0..40).map(|i| offered(&format!("o{i:02}"), &format!("a{i:02}"), amounts(100, 10_000, 0)));
    let decision = desk.handle(&Event::Offered(offers.collect()));
    nothing_is_held(&desk);
    let launches = decision.effects.iter().filter(|it| matches!(it, Effect::Launch(_))).count();
    assert_eq!(launches, 5_200);
}

fn short_of(desk: &Desk, scope: &Scope) -> String {
    let found = shortfall(&desk.state, desk.now.wall, scope);
    let Shortfall { agents, waiting, runs, missing, wants } = found;
    let mut lines = format!(
        "{runs} of {waiting} find no place on {agents} agents; missing {} cpus, {} mem, {} ports\n",
        missing.cpus, missing.mem, missing.ports
    );
    for Short { resources, runs, jobs, unmet, largest, lacking, text, constraints: _ } in wants {
        let jobs: Vec<String> = jobs.iter().map(ToString::to_string).collect();
        let unmet = unmet.map(|it| format!(" unmet {} {}", it.attribute, it.value));
        let largest = largest.map(|it| format!(" {it} lacks {} cpus", lacking.cpus));
        lines += &format!(
            "{runs} × {} cpus of {}:{}{} {text}\n",
            resources.cpus,
            jobs.join(","),
            unmet.unwrap_or_default(),
            largest.unwrap_or_default()
        );
    }
    lines
}

#[test]
fn the_shortfall_says_what_capacity_is_missing() {
    let mut desk = cluster();
    expect!["0 of 0 find no place on 0 agents; missing 0.0 cpus, 0.0 mem, 0.0 ports\n"]
        .assert_eq(&short_of(&desk, &Scope::All).replace("0 ports", "0.0 ports"));
    let put = |desk: &mut Desk, job: &str, cpus: u64, runs: usize, constraints| {
        let mut draft = allowed(constraints, Fitness::Pack);
        draft.name = name(job);
        draft.cpus = Some(Scalar::from_thousandths(cpus * 1_000));
        desk.put(draft);
        for _ in 0..runs {
            let _ = desk.run_of(job);
        }
    };
    put(&mut desk, "huge", 16, 2, None);
    put(&mut desk, "many", 2, 5, None);
    put(&mut desk, "far", 1, 1, constrained("rack", Operator::Equals, "r-9"));
    expect![[r#"
        8 of 8 find no place on 0 agents; missing 43.0 cpus, 1024.0 mem, 0 ports
        5 × 2.0 cpus of many: no agent is known
        2 × 16.0 cpus of huge: no agent is known
        1 × 1.0 cpus of far: no agent is known
    "#]]
    .assert_eq(&short_of(&desk, &Scope::All));
    // They take what there is: of `many` three.
    let words = offer_all(
        &mut desk,
        [offered("o1", "a1", amounts(6, 10_000, 0)), offered("o2", "a2", amounts(1, 10_000, 0))],
    );
    assert_eq!(words, "launch #0, launch #0, launch #0, release 1");
    expect![[r#"
        5 of 5 find no place on 2 agents; missing 36.0 cpus, 512.0 mem, 0 ports
        2 × 2.0 cpus of many: a2 lacks 1.0 cpus a2.example, which comes closest: needs 2 cpus, it offers 1
        2 × 16.0 cpus of huge: a2 lacks 15.0 cpus a2.example, which comes closest: needs 16 cpus, it offers 1
        1 × 1.0 cpus of far: unmet rack r-9 rack EQUALS r-9 matches no agent
    "#]]
    .assert_eq(&short_of(&desk, &Scope::All));
    let _ = offer_all(&mut desk, [offered("o3", "a3", amounts(1, 10_000, 0))]);
    // Who sees one job is told of that alone.
    let only = Scope::Only(vec![crate::model::Pattern::parse("far").unwrap()]);
    expect![[r#"
        1 of 1 find no place on 3 agents; missing 0.0 cpus, 0.0 mem, 0 ports
        1 × 1.0 cpus of far: unmet rack r-9 rack EQUALS r-9 matches no agent
    "#]]
    .assert_eq(&short_of(&desk, &only));
    assert_eq!(desk.state.job(&name("far")).unwrap().incarnation, Incarnation(3));
}

#[test]
fn where_one_fits_and_not_all_the_shortfall_says_so() {
    let mut desk = cluster();
    let _ = offer_all(&mut desk, [offered("o1", "a1", amounts(3, 10_000, 0))]);
    let mut job = allowed(None, Fitness::Pack);
    job.cpus = Some(Scalar::from_thousandths(2_000));
    desk.put(job);
    for _ in 0..3 {
        let _ = desk.run_of("job");
    }
    expect![[r#"
        2 of 3 find no place on 1 agents; missing 4.0 cpus, 256.0 mem, 0 ports
        2 × 2.0 cpus of job: there is room for one of them, and not for all
    "#]]
    .assert_eq(&short_of(&desk, &Scope::All));
}
