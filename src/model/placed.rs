//! Where an attempt is, on a machine that is not the scheduler's own.

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
    /// How the agent is reached, such as `http://10.0.0.7:5051`.
    pub agent: String,
    /// The directory as the agent knows it, without a slash at the end.
    pub directory: String,
}
