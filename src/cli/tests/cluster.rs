//! `chronode agents`, `shortfall`, `run files`, and why a run fits nowhere.

use expect_test::expect;
use serde_json::{Value, json};

use super::verbs::is_said;
use super::{Fixture, type_in};
use crate::api::testing::{Written, attempt, ended, over, run};
use crate::model::{Exit, HistoryEntry, Verdict};

fn agent() -> Value {
    json!({
        "name": "S1", "hostname": "n1.example.org", "problem": null, "limited": true, "runs": 2,
        "cpus": {"total": null, "used": 2.0}, "mem": {"total": null, "used": 512.5},
        "disk": {"total": null, "used": 0.0}, "ports": {"total": null, "used": 1},
        "attributes": [
            {"name": "rack", "kind": "text", "value": "r7"}, {"name": "weight", "kind": "scalar", "value": 2.0},
            {"name": "zones", "kind": "set", "value": ["a", "b"]}, {"name": "slots", "kind": "ranges", "value": null},
        ],
        "offer": {
            "offered": {"cpus": 4.0, "mem": 1_024.0, "disk": 0.0, "ports": 9},
            "left": {"cpus": 2.0, "mem": 512.0, "disk": 0.0, "ports": 8},
            "at": "T", "fate": "nothingFits", "runs": 0, "job": "a", "run": "j1-m1",
            "reason": "needs 4 cpus, it offers 2\u{1b}",
        },
        "unavailableFrom": null,
    })
}

#[test]
fn agents_are_a_table() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut agent = agent();
        change(&mut agent);
        agent["attributes"] = json!([]);
        agent
    };
    let agents = json!([
        agent(),
        with(&|it| it["offer"]["fate"] = "notWanted".into()),
        with(&|it| {
            it["offer"]["fate"] = "used".into();
            it["offer"]["runs"] = 1.into();
            it["unavailableFrom"] = "U".into();
        }),
        with(&|it| it["offer"]["reason"] = Value::Null),
        with(&|it| it["offer"]["fate"] = "open".into()),
        with(&|it| {
            it["offer"] = Value::Null;
            it["problem"] = "it offers nothing at the moment".into();
        }),
    ]);
    let told = json!({
        "total": 6, "agents": agents, "launcher": "mesos", "framework": "f-1", "master": "zk://m1/mesos", "problem": null,
        "leader": "n1:4400",
    });
    is_said(
        &["agents", "--search=rack r7", "--limit=5"],
        told,
        &expect![[r#"
        > GET /agents?limit=5&search=rack%20r7
        launcher   mesos
        framework  f-1
        master     zk://m1/mesos

        AGENT  HOST            RUNS  CPUS            MEM                   DISK            PORTS           ATTRIBUTES                              OFFER
        S1     n1.example.org  2     2 used, 2 left  512.5 used, 512 left  0 used, 0 left  1 used, 8 left  rack=r7 weight=2 zones={a,b} slots=[…]  T: declined, run j1-m1 of a: needs 4 cpus, it offers 2\u{1b}
        S1     n1.example.org  2     2 used, 2 left  512.5 used, 512 left  0 used, 0 left  1 used, 8 left  -                                       T: declined, nothing waited
        S1     n1.example.org  2     2 used, 2 left  512.5 used, 512 left  0 used, 0 left  1 used, 8 left  -                                       T: 1 run placed on it; out of service from U on
        S1     n1.example.org  2     2 used, 2 left  512.5 used, 512 left  0 used, 0 left  1 used, 8 left  -                                       T: declined, nothing that waits fits
        S1     n1.example.org  2     2 used, 2 left  512.5 used, 512 left  0 used, 0 left  1 used, 8 left  -                                       open
        S1     n1.example.org  2     2 used          512.5 used            0 used          1 used          -                                       it offers nothing at the moment
        ! 6 in all: see more of them with `--search` or a larger `--limit`
    "#]],
    );
    let local = json!({
        "name": "local", "hostname": "n1", "problem": null, "limited": false, "runs": 0,
        "cpus": {"total": 4.0, "used": 1.0}, "mem": {"total": 100.0, "used": 0.0},
        "disk": {"total": 0.0, "used": 0.0}, "ports": {"total": 0, "used": 0},
        "attributes": [], "offer": null, "unavailableFrom": null,
    });
    let mut limited = local.clone();
    limited["limited"] = true.into();
    let told = json!({"agents": [local, limited], "launcher": "local", "framework": null, "master": null, "problem": null});
    is_said(
        &["agents"],
        told,
        &expect![[r#"
        > GET /agents?limit=200
        launcher   local

        AGENT  HOST  RUNS  CPUS                   MEM                      DISK                   PORTS                  ATTRIBUTES  OFFER
        local  n1    0     1 used of 4, no limit  0 used of 100, no limit  0 used of 0, no limit  0 used of 0, no limit  -           -
        local  n1    0     1 used of 4            0 used of 100            0 used of 0            0 used of 0            -           -
    "#]],
    );
    let told = json!({"agents": [], "launcher": "mesos", "framework": null, "master": "h:1", "problem": "no route"});
    is_said(
        &["agents"],
        told,
        &expect![[r#"
        > GET /agents?limit=200
        launcher   mesos
        master     h:1

        no agent is known
        ! the launcher cannot be reached: no route
    "#]],
    );
}

#[test]
fn what_is_missing_is_a_table() {
    let of = |cpus: f64, ports: u32| json!({"cpus": cpus, "mem": 0.0, "disk": 0.0, "ports": ports});
    let told = json!({
        "agents": 3, "waiting": 9, "runs": 4, "missing": of(24.0, 2), "problem": null,
        "wants": [
            {
                "resources": of(6.0, 0), "constraints": [["rack", "LIKE", "r-[12]"], ["hostname", "UNIQUE", ""]],
                "runs": 3, "jobs": ["a", "b"], "unmet": null, "largest": "S1", "lacking": of(2.0, 0),
                "text": "n1, which comes closest: needs 6 cpus, it offers 4",
            },
            {
                "resources": of(0.0, 0), "constraints": [], "runs": 1, "jobs": ["c"], "unmet": null, "largest": null,
                "lacking": of(0.0, 0), "text": "no agent is known",
            },
        ],
    });
    is_said(
        &["shortfall"],
        told,
        &expect![[r#"
        > GET /shortfall
        4 of the 9 runs that wait find no place on the 3 agents that are known
        missing: 24 cpus, 2 ports

        RUNS  EACH WANTS  WHERE                              JOBS  WHY NOT
        3     6 cpus      rack LIKE r-[12], hostname UNIQUE  a, b  n1, which comes closest: needs 6 cpus, it offers 4
        1     -           anywhere                           c     no agent is known
    "#]],
    );
    let told = json!({"agents": 3, "waiting": 1, "runs": 0, "missing": of(0.0, 0), "wants": [], "problem": "gone"});
    is_said(
        &["shortfall"],
        told,
        &expect![[r#"
        > GET /shortfall
        nothing is missing: 1 runs wait, 3 agents are known
        ! the launcher cannot be reached: gone
    "#]],
    );
}

#[test]
fn why_a_run_fits_on_no_agent_is_a_table() {
    let reason = |code: &str, text: &str| json!({"code": code, "text": text});
    let told = json!({
        "run": "j1-m1", "job": "a",
        "reasons": [
            reason("scheduled", "the schedule named T"), reason("noRoom", "no agent has room for it"),
            reason("misfit", "n1: needs 4 cpus, it offers 2"), reason("moreMisfits", "it fits on none of 7"),
        ],
        "agents": [{"agent": "S1", "hostname": "n1", "reason": "needs 4 cpus, it offers 2"}],
        "agentsLeftOut": 7,
    });
    is_said(
        &["explain", "j1-m1"],
        told,
        &expect![[r#"
        > GET /run/j1-m1/explain
        the schedule named T
        no agent has room for it

        HOST  AGENT  WHY NOT
        n1    S1     needs 4 cpus, it offers 2
        ! it fits on none of 7 further agents either
    "#]],
    );
}

#[tokio::test]
async fn files_of_an_attempt_are_listed_and_printed_and_what_is_gone_is_said() {
    let fixture = Fixture::start().await;
    let attempts = vec![attempt(0, ended(Exit::Code(0)))];
    let over = run(1, "a", over(Verdict::Succeeded), attempts);
    let id = over.id;
    fixture.memory.world().history.push(HistoryEntry::Run(over));
    let empty = type_in(&fixture, &["run", "files", "j1-m1"]).await;
    assert_eq!(empty.out, "there are no files\n");
    for (path, text) in [("out\u{1b}.csv", "a;b\n"), ("logs/x y.txt", "deep")] {
        let mut world = fixture.memory.world();
        world.files.insert((id, 0, path.to_owned()), Ok(Written::all(text)));
    }
    let listed = type_in(&fixture, &["run", "files", "j1-m1"]).await;
    expect![[r#"
        MODE        OWNER  BYTES  MODIFIED  PATH
        -rw-r--r--  root   4      -         out\u{1b}.csv
    "#]]
    .assert_eq(&listed.out);
    let deep = type_in(&fixture, &["run", "files", "j1-m1", "logs", "--attempt=0", "--json"]).await;
    assert!(deep.out.contains(r#""path":"logs/x y.txt""#), "{}", deep.out);
    let printed = type_in(&fixture, &["run", "file", "j1-m1", "logs/x y.txt"]).await;
    assert_eq!(printed.out, "deep");
    let wrong = type_in(&fixture, &["run", "file", "j1-m1", "../x"]).await.failure();
    assert!(wrong.starts_with("`path` is no path inside the directory of a run"), "{wrong}");
    let gone = Err((std::io::ErrorKind::HostUnreachable, "agent n1 cannot be reached"));
    fixture.memory.world().files.insert((id, 0, "z".to_owned()), gone);
    for words in [["run", "files", "j1-m1"].as_slice(), &["run", "file", "j1-m1", "z"]] {
        let said = type_in(&fixture, words).await.failure();
        assert!(said.starts_with("agent n1 cannot be reached"), "{said}");
    }
}
