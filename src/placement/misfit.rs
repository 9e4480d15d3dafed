//! Why a run does not fit on an agent, as data and as sentences.

use crate::model::{AgentId, Constraint, Operator, Resources, Scalar, Timestamp};

/// Why a run does not fit on an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The agent.
    pub agent: AgentId,
    /// Its host name.
    pub hostname: String,
    /// What is against it.
    pub lack: Lack,
}

/// What is against an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// It does not meet a constraint, whatever else runs where.
    Constraint {
        /// Which.
        constraint: Constraint,
        /// What it has of the attribute, if it has it.
        has: Option<String>,
    },
    /// Other live runs of the job keep it off (UNIQUE, CLUSTER).
    Beside {
        /// Which constraint says so.
        constraint: Constraint,
        /// What the agent has of the attribute.
        has: Option<String>,
        /// What it is where the other runs are; `None` if that is not known of one of them.
        elsewhere: Option<String>,
    },
    /// It has too little.
    Room {
        /// What is wanted.
        wanted: Resources,
        /// What is free, or offered.
        free: Resources,
    },
    /// It is kept free for a run that has waited for long.
    KeptFree,
    /// It is to be out of service before the run would certainly be over.
    Unavailable {
        /// From when on.
        from: Timestamp,
    },
}

impl Misfit {
    /// The sentence on what is against the agent, without its name: `needs 4 cpus, it offers 2`.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.lack {
            Lack::Constraint { constraint, has } => {
                let Constraint { attribute, operator, value } = constraint;
                let has = match has {
                    Some(has) => format!("does not match {has}"),
                    None => format!("asks for `{attribute}`, which it does not have"),
                };
                let blank = if value.is_empty() { "" } else { " " };
                format!("{attribute} {}{blank}{value} {has}", operator.as_str())
            }
            Lack::Beside { constraint, has, elsewhere } => beside(constraint, has, elsewhere),
            Lack::Room { wanted, free } => lacking(wanted, free)
                .into_iter()
                .map(|Lacking { unit, wanted, free }| {
                    format!("needs {} {unit}, it offers {}", short(&wanted), short(&free))
                })
                .collect::<Vec<_>>()
                .join(" and "),
            Lack::KeptFree => "it is kept free for a run that has waited for long".to_owned(),
            Lack::Unavailable { from } => {
                format!(
                    "it is to be out of service from {from:.3} on, and the run might still be going on then"
                )
            }
        }
    }

    /// The same as a clause that names the agent, for a sentence about several.
    #[must_use]
    pub fn clause(&self) -> String {
        let hostname = &self.hostname;
        match &self.lack {
            Lack::Constraint { constraint, has: _ } => format!(
                "{hostname} does not meet `{} {} {}`",
                constraint.attribute,
                constraint.operator.as_str(),
                constraint.value
            ),
            Lack::Room { wanted, free } => {
                let parts: Vec<String> = lacking(wanted, free)
                    .into_iter()
                    .map(|it| format!("{} {} of the {} wanted", it.free, it.unit, it.wanted))
                    .collect();
                format!("{hostname} has free only {}", parts.join(" and "))
            }
            Lack::KeptFree => {
                format!("{hostname} is kept free for a run that has waited for long")
            }
            Lack::Beside { .. } | Lack::Unavailable { .. } => {
                format!("{hostname} is out: {}", self.text())
            }
        }
    }
}

fn beside(constraint: &Constraint, has: &Option<String>, elsewhere: &Option<String>) -> String {
    let Constraint { attribute, operator, value: _ } = constraint;
    let word = operator.as_str();
    let Some(elsewhere) = elsewhere else {
        return format!(
            "what `{attribute}` is where another live run of the job is cannot be said ({word})"
        );
    };
    match (operator, has) {
        (Operator::Cluster, Some(has)) => format!(
            "the live runs of the job are where {attribute} is {elsewhere}, and here it is {has} ({word})"
        ),
        (Operator::Cluster, None) => format!(
            "the live runs of the job are where {attribute} is {elsewhere}, and it has no `{attribute}` ({word})"
        ),
        (Operator::Unique | Operator::Equals | Operator::Like | Operator::Unlike, _) => {
            format!("another live run of the job is where {attribute} is {elsewhere} ({word})")
        }
    }
}

/// One kind of resource of which there is too little.
struct Lacking {
    unit: &'static str,
    wanted: String,
    free: String,
}

/// The kinds of which `free` has less than `wanted`.
fn lacking(wanted: &Resources, free: &Resources) -> Vec<Lacking> {
    let scalar = |unit, wanted: Scalar, free: Scalar| {
        (free < wanted).then(|| Lacking {
            unit,
            wanted: wanted.to_string(),
            free: free.to_string(),
        })
    };
    let ports = (free.ports < wanted.ports).then(|| Lacking {
        unit: "ports",
        wanted: wanted.ports.to_string(),
        free: free.ports.to_string(),
    });
    let all = [
        scalar("cpus", wanted.cpus, free.cpus),
        scalar("MiB of memory", wanted.mem, free.mem),
        scalar("MiB of disk", wanted.disk, free.disk),
        ports,
    ];
    all.into_iter().flatten().collect()
}

/// A number without a decimal point where there is nothing behind it, as people write it.
fn short(amount: &str) -> &str {
    amount.strip_suffix(".0").unwrap_or(amount)
}
