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

use std::fmt;

use crate::model::{Duration, Launch, Offer, TaskId, TaskReport, Term};

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
    Reconcile(Vec<TaskId>),
    /// What was reported of these, their end or the doubt about it, is committed: forget them.
    Acknowledge(Vec<TaskId>),
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
    },
    /// Nothing can be ordered until the next `Connected`. Tasks go on running meanwhile.
    Disconnected {
        /// Why, as a sentence naming the remedy where there is one.
        reason: String,
    },
    /// What became of a task; may come at any time and more than once.
    Report(TaskReport),
}
