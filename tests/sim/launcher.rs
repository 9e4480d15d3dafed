//! The way to the launcher and back: one connection at a time, on which orders keep their order and reports do not.
//!
//! The newest connection is the scheduler's. What an older one still had to say is not heard, and its process is not
//! given another: whoever connects looks first whether a later term has begun.

use chronode::engine::{Effect, Event};
use chronode::model::{Exit, Launch, RunId, TaskId, TaskReport, TaskStatus};

use super::figure::Fault;
use super::house::ProcessId;
use super::plan::{MINUTE, SECOND};
use super::spec::Spec;
use super::world::{Happening, World, say};
use super::{i2_no_double_launch, i3_in_time, i5_no_lost_status, i7_single_writer, overlap};

/// A connection between a process and the keeper.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Connection {
    number: u64,
    pub(crate) process: ProcessId,
    /// When the last order arrives: they keep their order.
    last_order_at: i64,
    /// When the last denial arrives: no later report overtakes it.
    no_report_before: i64,
}

impl World {
    pub(crate) fn is_connected(&self, process: ProcessId) -> bool {
        self.connection.is_some_and(|connection| connection.process == process)
    }

    pub(crate) fn connect(&mut self) {
        let Some(leader) = self.house.leader() else { return };
        if !self.keeper.is_up || self.is_connected(leader) {
            return;
        }
        self.disconnect("another scheduler is connected");
        self.connections += 1;
        self.connection = Some(Connection {
            number: self.connections,
            process: leader,
            last_order_at: self.time,
            no_report_before: self.time,
        });
        if let Some(process) = self.house.process(leader) {
            self.keeper.obeyed = process.term;
        }
        say!(self, "the launcher is connected");
        let offers = super::house::offers(self.plan.agents);
        self.house.tell_launcher(leader, Ok(offers));
        for task_id in self.keeper.unacknowledged() {
            self.report(&task_id);
        }
    }

    /// What is on its way either way is lost.
    pub(crate) fn disconnect(&mut self, why: &str) {
        let Some(connection) = self.connection.take() else { return };
        for _ in self.orders_on_their_way(connection) {
            self.count(Fault::OrderLost);
        }
        say!(self, "{why}");
        self.house.tell_launcher(connection.process, Err(why.to_owned()));
    }

    /// A process is gone. What it ordered last may still arrive; then the launcher sees the connection end.
    pub(crate) fn hang_up(&mut self, process: ProcessId) {
        let Some(connection) = self.connection.filter(|connection| connection.process == process)
        else {
            return;
        };
        // The first of them, perhaps not all: the launcher reads what it was sent in order.
        let orders = self.orders_on_their_way(connection);
        let count = self.rng.between(0, i64::try_from(orders.len()).expect("few"));
        for (index, key) in (0..).zip(orders) {
            let happening = self.agenda.remove(&key).expect("it was just seen");
            if index < count {
                self.happen(happening);
            } else {
                self.count(Fault::OrderLost);
            }
        }
        self.connection = None;
    }

    fn orders_on_their_way(&self, connection: Connection) -> Vec<(i64, u64)> {
        let is_order = |happening: &Happening| matches!(happening, Happening::OrderArrives { connection: number, .. } if *number == connection.number);
        self.agenda
            .iter()
            .filter_map(|(key, happening)| is_order(happening).then_some(*key))
            .collect()
    }

    pub(crate) fn keeper_dies(&mut self) {
        if !self.keeper.is_up {
            return;
        }
        self.count(Fault::KeeperDeath);
        self.disconnect("the keeper died");
        self.keeper.is_up = false;
        for task_id in self.keeper.running().clone() {
            if self.rng.chance(50) {
                say!(self, "nobody knows any more what becomes of {task_id}");
                self.keeper.forget(&task_id);
            }
        }
        let delay = self.rng.pick(self.plan.deaths);
        self.after(delay, Happening::KeeperIsBack);
    }

    /// Some of what there is, and for a while what comes, is out of the launcher's sight: a machine cannot be reached. The
    /// tasks go on or end all the same; some are never heard of again.
    pub(crate) fn out_of_sight(&mut self) {
        let absence = self.rng.pick(self.plan.absences);
        self.dark_until = self.time + absence;
        for task_id in self.keeper.seen() {
            if self.rng.chance(50) {
                continue;
            }
            self.count(Fault::OutOfSight);
            say!(self, "{task_id} is out of sight");
            self.keeper.hide(&task_id);
            if self.rng.chance(80) {
                self.after(absence, Happening::ComesInSight(task_id.clone(), None));
            }
            // Or somebody hears of it when he asks.
            if self.rng.chance(70) {
                self.report(&task_id);
            }
        }
    }

    /// A launch arrives where nobody can see what becomes of it. Whether it did.
    fn launch_out_of_sight(&mut self, launch: &Launch) -> bool {
        if self.time >= self.dark_until || !self.has_faults || self.rng.chance(50) {
            return false;
        }
        let task_id = &launch.task_id;
        self.count(Fault::LaunchOutOfSight);
        self.keeper.hide(task_id);
        self.record.unseen.insert(launch.run_id);
        let kind = self.rng.between(0, 2);
        let late = if kind == 0 {
            say!(self, "nobody sees that {task_id} starts");
            self.start_task(launch, false);
            None
        } else if kind == 1 {
            say!(self, "nobody sees that {task_id} does not start");
            None
        } else {
            say!(self, "nobody sees {task_id} on its way");
            Some(Box::new(launch.clone()))
        };
        if late.is_some() || self.rng.chance(80) {
            let absence = self.rng.pick(self.plan.absences);
            self.after(absence, Happening::ComesInSight(task_id.clone(), late));
        }
        true
    }

    /// A task can be seen again, or a launch arrives at last.
    pub(crate) fn comes_in_sight(&mut self, task_id: &TaskId, late: Option<&Launch>) {
        if !self.keeper.show(task_id) {
            return;
        }
        say!(self, "{task_id} is in sight");
        if let Some(launch) = late {
            self.count(Fault::LaunchLate);
            self.start_task(launch, true);
        }
        // A denial is an answer: nobody has asked.
        if self.keeper.knows(task_id) {
            self.report(task_id);
        }
    }

    /// Hands an effect to the launcher; it takes a moment, and orders of one connection keep their order.
    pub(crate) fn order(&mut self, process: ProcessId, order: Effect) {
        let delay = self.rng.between(50, 20_000);
        let Some(connection) =
            self.connection.as_mut().filter(|connection| connection.process == process)
        else {
            return;
        };
        let at = (self.time + delay).max(connection.last_order_at);
        connection.last_order_at = at;
        let connection = connection.number;
        self.after(at - self.time, Happening::OrderArrives { connection, order });
    }

    pub(crate) fn order_arrives(&mut self, number: u64, order: Effect) {
        let is_heard = self.connection.is_some_and(|connection| connection.number == number);
        if is_heard && self.keeper.is_up {
            self.carry_out(order);
        }
    }

    pub(crate) fn report_arrives(&mut self, number: u64, report: TaskReport) {
        let Some(connection) = self.connection.filter(|connection| connection.number == number)
        else {
            return;
        };
        say!(self, "the launcher says {} {:?}", report.task_id, report.status);
        self.house.tell(connection.process, Event::Task(report));
    }

    fn carry_out(&mut self, order: Effect) {
        match order {
            Effect::Launch(launch) => self.launch(&launch),
            Effect::Kill { task_id, grace } => {
                say!(self, "kill {task_id}");
                self.record.played.stopped_unseen += u64::from(self.keeper.is_hidden(&task_id));
                match self.keeper.tell(&task_id) {
                    TaskStatus::Running { .. } => {
                        let grace = i64::try_from(grace.as_micros()).expect("short");
                        let delay = self.rng.between(0, grace);
                        self.after(delay, Happening::TaskEnds(task_id, Exit::Killed));
                    }
                    TaskStatus::Ended { .. }
                    | TaskStatus::Staged
                    | TaskStatus::NeverLaunched
                    | TaskStatus::InDoubt { .. } => self.report(&task_id),
                }
            }
            Effect::Reconcile(questions) => {
                for question in questions {
                    self.report(&question.task_id);
                }
            }
            Effect::Release(_) | Effect::Demand(_) => {}
            Effect::Acknowledge(task_id) => {
                if let Some(known) = self.keeper.acknowledge(&task_id) {
                    i5_no_lost_status::check_acknowledged(&mut self.record, &task_id, &known);
                }
            }
            Effect::Reply(..) => panic!("a reply is no order"),
        }
    }

    fn launch(&mut self, launch: &Launch) {
        let task_id = &launch.task_id;
        if self.keeper.tell(task_id) == TaskStatus::NeverLaunched {
            i7_single_writer::check_launch(&mut self.record, launch, self.keeper.obeyed);
            if self.launch_out_of_sight(launch) {
                // What becomes of it is seen later, if ever.
            } else if self.rng.chance(2) {
                say!(self, "cannot start {task_id}");
                let at = self.wall();
                self.keeper.refuse(task_id, at);
            } else {
                self.start_task(launch, false);
            }
        }
        self.report(task_id);
    }

    fn start_task(&mut self, launch: &Launch, is_late: bool) {
        let task_id = &launch.task_id;
        say!(self, "start {task_id}");
        let at = self.wall();
        self.keeper.start(launch, at, is_late);
        i2_no_double_launch::check_start(&mut self.record, &self.keeper, task_id);
        overlap::check_start(&mut self.record, &self.keeper, task_id);
        let due_at = self.keeper.truth[task_id].told.due;
        let opens_at = self.record.opens.get(&launch.run_id).copied().unwrap_or(due_at);
        let latest = self.latest_wall.max(self.record.latest_believed);
        i3_in_time::check_start(&mut self.record, task_id, opens_at, latest);
        self.decide_end(task_id, launch.run_id);
    }

    fn decide_end(&mut self, task_id: &TaskId, run_id: RunId) {
        let specs: Vec<Spec> = self.record.spec_of(run_id.incarnation).cloned().collect();
        let spec = specs.last().expect("only a stored job is launched");
        let exit = if !self.rng.chance(spec.fails_percent) {
            Exit::Code(0)
        } else {
            Exit::Code(self.rng.pick(&[1, 2, 127]))
        };
        let exit =
            if exit != Exit::Code(0) && self.rng.chance(20) { Exit::Signal(9) } else { exit };
        let delay = self.rng.between(1_000, spec.longest);
        self.after(delay, Happening::TaskEnds(task_id.clone(), exit));
    }

    /// The launcher says what it knows of a task, if anybody hears it.
    pub(crate) fn report(&mut self, task_id: &TaskId) {
        let Some(mut connection) = self.connection.filter(|_| self.keeper.is_up) else { return };
        let status = self.keeper.tell(task_id);
        if let TaskStatus::InDoubt { .. } = status {
            self.keeper.doubted.insert(task_id.clone());
        }
        let faults = self.plan.faults.clone();
        let mut delay = self.rng.between(50, 20_000);
        let mut times = 1;
        let is_denial = status == TaskStatus::NeverLaunched;
        if self.has_faults && !is_denial {
            // A denial is an answer: it comes once for each question, and at once. One that came after the state had
            // been loaded anew could be taken for the answer to the question asked then.
            if self.rng.chance(faults.dropped_percent) {
                return self.count(Fault::ReportDropped);
            }
            if self.rng.chance(faults.doubled_percent) {
                self.count(Fault::ReportDoubled);
                times += 1;
            }
            if self.rng.chance(faults.late_percent) {
                self.count(Fault::ReportLate);
                delay += self.rng.between(SECOND, MINUTE);
            }
        }
        for _ in 0..times {
            let at = (self.time + delay).max(connection.no_report_before);
            if is_denial {
                connection.no_report_before = at;
            }
            let report = TaskReport { task_id: task_id.clone(), status: status.clone() };
            let connection = connection.number;
            self.after(at - self.time, Happening::ReportArrives { connection, report });
        }
        self.connection = Some(connection);
    }
}
