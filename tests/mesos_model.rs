//! The model of a master against the recordings of a real one: the recorded calls go in, and what comes out must be
//! what was recorded.
//!
//! Ids of frameworks, agents and offers are compared as they are: the model counts from where the recorded master
//! stood. Modulo: uuids and ids of containers (each must stand for the same one throughout), timestamps, sentences that
//! name paths of the agent, and the order of what the README says may overtake each other: answers and events, and
//! events of the same moment. How long executors took to start and commands to end is taken from the recording; what
//! comes of it is not.

#![allow(clippy::print_stdout, reason = "figures, and what a seed that is played again does")]

#[path = "mesos/model/mod.rs"]
mod model;
#[path = "mesos/replay/mod.rs"]
mod replay;

use replay::{Act, Left, Replay};

/// Replays a recording, and checks how much of it was left out.
fn play(name: &str, left: &[Left], acts: &[(u64, Act)]) {
    Replay::new(name, left, acts).play();
}

#[test]
fn subscribe() {
    play("subscribe", &[], &[]);
}

#[test]
fn task_finished() {
    play("task_finished", &[], &[]);
}

#[test]
fn task_failed() {
    play("task_failed", &[], &[]);
}

#[test]
fn kill() {
    play("kill", &[], &[]);
}

#[test]
fn kill_without_capabilities() {
    play("kill_without_capabilities", &[], &[]);
}

#[test]
fn kill_policy_http_executor() {
    play("kill_policy_http_executor", &[], &[(0, Act::HeedsPolicies)]);
}

#[test]
fn unacknowledged_updates() {
    play("unacknowledged_updates", &[Left::Operator(3)], &[(0, Act::KeepsItsOwnTime)]);
}

#[test]
fn decline_suppress_revive() {
    play("decline_suppress_revive", &[], &[]);
}

#[test]
fn reconcile() {
    play("reconcile", &[], &[]);
}

#[test]
fn launch_rejected() {
    play("launch_rejected", &[], &[]);
}

#[test]
fn two_agents_and_rescind() {
    play(
        "two_agents_and_rescind",
        &[],
        &[(0, Act::SecondAgent), (240, Act::Starts(1)), (7_424, Act::Leaves(1))],
    );
}

#[test]
fn filters_and_resubscription() {
    // The cut by the client of E is recorded as the stream's end; one line is a summary of GET_TASKS.
    play("filters_and_resubscription", &[Left::Operator(1)], &[(0, Act::Ports(31_000, 31_999))]);
}

#[test]
fn framework_failover() {
    play("framework_failover", &[Left::Operator(2)], &[]);
}

#[test]
fn disconnect_without_failover_timeout() {
    play("disconnect_without_failover_timeout", &[Left::Operator(1)], &[]);
}

#[test]
fn failover_timeout_expires() {
    play("failover_timeout_expires", &[], &[]);
}

#[test]
fn executor_killed() {
    play(
        "executor_killed",
        &[],
        &[(1_190, Act::ExecutorDies("victim")), (2_232, Act::ShellDies("shell"))],
    );
}

#[test]
fn agent_unreachable() {
    play(
        "agent_unreachable",
        &[Left::Operator(1)],
        &[(0, Act::PingTimeout(3_240)), (1_660, Act::Dies(0)), (9_078, Act::Starts(0))],
    );
}

#[test]
fn agent_restart_in_time() {
    play(
        "agent_restart_in_time",
        &[],
        &[(0, Act::PingTimeout(5_000)), (1_230, Act::Dies(0)), (4_070, Act::Starts(0))],
    );
}

#[test]
fn agent_comes_back_as_new() {
    play(
        "agent_comes_back_as_new",
        &[],
        &[(0, Act::PingTimeout(3_240)), (1_168, Act::MachineDies(0)), (1_935, Act::Starts(0))],
    );
}

#[test]
fn agent_gone_drain() {
    play("agent_gone_drain", &[Left::Operator(1)], &[]);
}

#[test]
fn maintenance() {
    play("maintenance", &[Left::Operator(2)], &[]);
}

#[test]
fn master_failover_quorum_2() {
    // Answers of masters that do not lead, without their requests, and contents of znodes: the fake master's business.
    play(
        "master_failover_quorum_2",
        &[Left::Operator(1), Left::Elsewhere(4), Left::Znodes(3)],
        &[(1_400, Act::MasterDies), (12_990, Act::MasterLeads(533))],
    );
}

#[test]
fn zookeeper_leader() {
    play(
        "zookeeper_leader",
        &[Left::Elsewhere(17), Left::Znodes(16)],
        &[(0, Act::NoRegistry), (6_720, Act::MasterDies), (15_326, Act::MasterLeads(328))],
    );
}

#[test]
fn hundred_tasks() {
    play("hundred_tasks", &[Left::Offers(2), Left::Http(1)], &[(0, Act::Loaded)]);
}

#[test]
fn http_errors() {
    // Left out: a header of protobuf, what the HTTP layer says itself (the fake master's), and fields that are not
    // mirrored: `role` of old frameworks.
    play("http_errors", &[Left::Http(11)], &[]);
}

#[test]
fn http_basic_auth() {
    // Left out: who logs in is the fake master's business.
    play("http_basic_auth", &[Left::Http(5), Left::Operator(1)], &[(0, Act::OfferTimeout(4_000))]);
}

#[test]
fn sandbox() {
    // Left out: the files of the agent, which the fake master serves.
    play("sandbox", &[Left::Operator(26)], &[]);
}
