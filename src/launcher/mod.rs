//! Where commands are run: the seam between the driver and what starts, stops and watches tasks.
//!
//! A launcher takes [`Order`]s and tells [`Notice`]s; it decides nothing. Two promises carry the rest of the house:
//! a task id is started at most once, ever, and the end of a task is told again until it is acknowledged.
//!
//! On every connection, the first included, a launcher sends [`Notice::Connected`] and then every report that is not
//! acknowledged yet. Whoever listens then asks with [`Order::Reconcile`] about all that it believes live, before it
//! orders any launch. An order given while there is no connection may be lost, a launch always is; the answers to that
//! [`Order::Reconcile`] tell.

pub mod local;
pub mod mesos;

use std::fmt;

use crate::model::{
    AgentId, Duration, FrameworkId, Launch, Offer, OfferId, Question, TaskId, TaskReport, Term,
};

/// Something that runs tasks.
pub trait Launcher: Send + Sync + fmt::Debug {
    /// Hands the order over; never blocks, never fails: what becomes of it is told by notices.
    fn perform(&self, order: Order);
}

/// What a launcher is asked to do. Orders of one connection take effect in the order in which they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Start this attempt, once. For a task id that was launched before, tell its present status instead.
    Launch(Box<Launch>),
    /// Stop the task and everything that it started; if it has not started yet, see that it never does.
    Kill {
        /// The task.
        task_id: TaskId,
        /// How long between asking the processes to end and ending them.
        grace: Duration,
    },
    /// Tell of each of these what became of it.
    Reconcile(Vec<Question>),
    /// What was reported of these, their end or the doubt about it, is committed: forget them.
    Acknowledge(Vec<TaskId>),
    /// Take these offers back: nothing is placed on them.
    Release(Vec<OfferId>),
    /// Take all offers back that were told and not used: whoever knew them has forgotten them.
    ReleaseAll,
    /// Whether anything waits for an offer, so that more are of use.
    Demand(bool),
    /// All notices up to this many, counted since the launcher was started, are decided and committed, and all orders
    /// that follow from them have been given.
    Settled {
        /// How many.
        notices: u64,
    },
}

/// What a launcher tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Orders can be given. Replaces all offers of this launcher.
    Connected {
        /// What can be placed where.
        offers: Vec<Offer>,
        /// The latest term whose orders it has obeyed. It drops launches of earlier ones.
        term: Term,
        /// What the launcher is to the cluster that it works for; `None` for one that needs no cluster.
        framework: Option<FrameworkId>,
    },
    /// There are these offers besides those that were told. Only while connected.
    Offered(Vec<Offer>),
    /// These offers are void, or were never heard of.
    Withdrawn(Vec<OfferId>),
    /// An agent is gone, as far as the launcher can say: its offers are void. What runs there is told by reports.
    AgentLost(AgentId),
    /// Nothing can be ordered until the next `Connected`. Tasks go on running meanwhile.
    Disconnected {
        /// Why, as a sentence naming the remedy where there is one.
        reason: String,
    },
    /// What became of a task; may come at any time and more than once.
    Report(TaskReport),
}
