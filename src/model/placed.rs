//! Where an attempt is, on a machine that is not the scheduler's own.

use super::FrameworkId;

/// The place of an attempt as it was offered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placed {
    /// The agent's host name.
    pub hostname: String,
    /// What the agent's attributes were that the job's constraints compare among its runs (UNIQUE, CLUSTER), by name.
    pub values: Vec<(String, String)>,
    /// Where the files of the attempt are.
    pub sandbox: Option<Sandbox>,
}

/// Where an agent keeps the files of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// How the agent is reached, such as `http://10.0.0.7:5051`; empty if its offer did not say.
    pub agent: String,
    /// The directory as the agent knows it, without a slash at the end.
    pub directory: String,
}

impl Sandbox {
    /// Where an agent at `agent` keeps the files of that executor of that framework: of a task without an executor of its
    /// own, the executor has the task's name. A virtual path, which every agent knows.
    #[must_use]
    pub fn of(agent: &str, framework: &FrameworkId, executor: &str) -> Self {
        let directory = format!("{}{executor}/runs/latest", Self::prefix(framework));
        Self { agent: agent.to_owned(), directory }
    }

    /// Whether it belongs to that framework.
    #[must_use]
    pub fn is_of(&self, framework: &FrameworkId) -> bool {
        self.directory.starts_with(&Self::prefix(framework))
    }

    fn prefix(framework: &FrameworkId) -> String {
        format!("/frameworks/{framework}/executors/")
    }
}
