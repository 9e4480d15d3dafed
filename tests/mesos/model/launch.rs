//! ACCEPT: which launches a master takes, and what it says of the others.

use chronode::mesos::wire::{Accept, Resource, TaskInfo, TaskState};

use super::Cluster;
use super::master::{Known, Open, word};
use super::stock::Stock;

impl Cluster {
    /// ACCEPT of offers by a framework.
    pub(crate) fn accept(&mut self, framework: &str, accept: &Accept) {
        let tasks: Vec<TaskInfo> = accept
            .operations
            .iter()
            .filter_map(|operation| operation.launch.as_ref())
            .flat_map(|launch| launch.task_infos.clone())
            .collect();
        let refuse = accept.filters.and_then(|filters| filters.refuse_seconds);
        let ids: Vec<&str> = accept.offer_ids.iter().map(|id| id.value.as_str()).collect();
        match self.aggregate(framework, &ids) {
            Ok(open) => self.launch_on(framework, open, tasks, refuse),
            Err(sentence) => {
                for id in ids {
                    let of = self.lead().offers.get(id).map(|open| open.framework.clone());
                    if of.as_deref() == Some(framework) {
                        self.lead().offers.remove(id);
                    }
                }
                for task in tasks {
                    let Some(known) = self.framework(framework) else { return };
                    let state = known.state(TaskState::Dropped);
                    let sentence = format!("Task launched with invalid offers: {sentence}");
                    let reason = "REASON_INVALID_OFFERS";
                    let agent = Some(task.agent_id.value.as_str());
                    self.tell(
                        framework,
                        word(&task.task_id.value, state, reason, &sentence, agent),
                    );
                }
            }
        }
    }

    /// The sum of the offers, which are used up, or why they cannot be taken together.
    fn aggregate(&mut self, framework: &str, ids: &[&str]) -> Result<Open, String> {
        let offers = &self.lead().offers;
        let mut sum: Option<Open> = None;
        for (index, id) in ids.iter().enumerate() {
            if ids[..index].contains(id) {
                return Err(format!("Duplicate offer {id} in offer list"));
            }
            let Some(open) = offers.get(*id).filter(|open| open.framework == framework) else {
                return Err(format!("Offer {id} is no longer valid"));
            };
            match &mut sum {
                None => sum = Some(open.clone()),
                Some(sum) if sum.agent != open.agent => {
                    return Err(format!(
                        "Aggregated offers must belong to one single agent. Offer {id} uses agent {} and agent {}",
                        open.agent, sum.agent
                    ));
                }
                Some(sum) if sum.role != open.role => {
                    return Err(format!(
                        "Aggregated offers must be allocated to the same role. Offer {id} uses role {} but another is using role {}",
                        open.role, sum.role
                    ));
                }
                Some(sum) => sum.stock.add(&open.stock),
            }
        }
        let sum = sum.ok_or_else(|| "No offers specified".to_owned())?;
        for id in ids {
            self.lead().offers.remove(*id);
        }
        Ok(sum)
    }

    fn launch_on(
        &mut self,
        framework: &str,
        open: Open,
        tasks: Vec<TaskInfo>,
        refuse: Option<f64>,
    ) {
        let mut rest = open.stock.clone();
        for mut task in tasks {
            let id = task.task_id.value.clone();
            match self.check(framework, &open, &rest, &task) {
                Err(sentence) => {
                    let agent = Some(task.agent_id.value.clone());
                    let reason = "REASON_TASK_INVALID";
                    let status = word(&id, TaskState::Error, reason, &sentence, agent.as_deref());
                    self.tell(framework, status);
                }
                Ok(stock) => {
                    rest.subtract(&stock);
                    allocate(&mut task, &open.role);
                    self.launch(framework, &open.agent, task, stock);
                }
            }
        }
        self.give_back(framework, &open.agent, &open.role, &rest, refuse);
    }

    fn launch(&mut self, framework: &str, agent: &str, task: TaskInfo, stock: Stock) {
        let id = task.task_id.value.clone();
        let known = Known {
            agent: agent.to_owned(),
            stock,
            latest: TaskState::Staging,
            shown: TaskState::Staging,
        };
        let Some(of) = self.framework(framework) else { return };
        of.tasks.insert(id, known);
        let (checkpoint, killing) = (of.info.checkpoint, of.can("TASK_KILLING_STATE"));
        let machine = self.lead().members.get(agent).map(|member| member.machine);
        if let Some(machine) = machine.filter(|machine| self.is_online(*machine)) {
            self.deliver_launch(machine, framework, checkpoint, killing, task);
        }
    }

    /// What the task takes, or why it is refused.
    fn check(
        &mut self,
        framework: &str,
        open: &Open,
        rest: &Stock,
        task: &TaskInfo,
    ) -> Result<Stock, String> {
        check_id(&task.task_id.value)?;
        let id = &task.task_id.value;
        if self.framework(framework).is_some_and(|known| known.tasks.contains_key(id)) {
            return Err(format!("Task has duplicate ID: {id}"));
        }
        if task.agent_id.value != open.agent {
            return Err(format!(
                "Task uses invalid agent {} while agent {} is expected",
                task.agent_id.value, open.agent
            ));
        }
        if task.command.is_some() == task.executor.is_some() {
            return Err("Task should have at least one (but not both) of CommandInfo or ExecutorInfo present".to_owned());
        }
        let grace = task.kill_policy.and_then(|policy| policy.grace_period);
        if grace.is_some_and(|grace| grace.nanoseconds < 0) {
            return Err("Task's 'kill_policy.grace_period' must be non-negative".to_owned());
        }
        if task.max_completion_time.is_some_and(|time| time.nanoseconds < 0) {
            return Err("Task's `max_completion_time` must be non-negative".to_owned());
        }
        let environment = task.command.as_ref().and_then(|command| command.environment.as_ref());
        for variable in environment.iter().flat_map(|environment| &environment.variables) {
            if variable.value.is_none() {
                return Err(format!(
                    "Task's `CommandInfo` is invalid: Environment variable '{}' of type 'VALUE' must have a value set",
                    variable.name
                ));
            }
        }
        if task.resources.is_empty() {
            return Err("Task uses no resources".to_owned());
        }
        let negative = |resource: &&Resource| resource.scalar.is_some_and(|s| s.value < 0.0);
        if let Some(resource) = task.resources.iter().find(negative) {
            let value = resource.scalar.map_or(0.0, |scalar| scalar.value);
            return Err(format!(
                "Resource '{}:{value}' is invalid: Invalid scalar resource: value <= 0",
                resource.name
            ));
        }
        let mut wanted = Stock::of(&task.resources, &open.role);
        if let Some(executor) = &task.executor {
            wanted.add(&Stock::of(&executor.resources, &open.role));
        }
        if !rest.contains(&wanted) {
            let order: Vec<&str> =
                task.resources.iter().map(|resource| resource.name.as_str()).collect();
            return Err(format!(
                "Total resources {} required by task and its executor is more than available {}",
                wanted.sentence(&order),
                rest.sentence(&["ports", "cpus", "mem", "disk"])
            ));
        }
        Ok(wanted)
    }
}

/// Fills in whom the resources are allocated to.
fn allocate(task: &mut TaskInfo, role: &str) {
    let executor = task.executor.iter_mut().flat_map(|executor| &mut executor.resources);
    for resource in task.resources.iter_mut().chain(executor) {
        let info = resource.allocation_info.get_or_insert_default();
        info.role.get_or_insert_with(|| role.to_owned());
    }
}

fn check_id(id: &str) -> Result<(), String> {
    if id.is_empty() {
        return Err("ID must not be empty".to_owned());
    }
    if id.len() > 255 {
        return Err("ID must not be greater than 255 characters".to_owned());
    }
    if id == "." || id == ".." {
        return Err(format!("'{id}' is disallowed"));
    }
    if id.chars().any(|c| c == '/' || c == '\\' || c.is_ascii_control()) {
        return Err(format!("'{id}' contains invalid characters"));
    }
    Ok(())
}
