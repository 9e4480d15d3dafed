//! What a scheduler says to a master.

use serde::{Deserialize, Serialize};

use super::{Id, Offer, TaskInfo, words};

words! {
    /// Which call it is.
    CallType {
        /// Begin or take up the stream of events.
        Subscribe = "SUBSCRIBE",
        /// End the framework and all its tasks.
        Teardown = "TEARDOWN",
        /// Use offers.
        Accept = "ACCEPT",
        /// Give offers back.
        Decline = "DECLINE",
        /// Agree to planned maintenance.
        AcceptInverseOffers = "ACCEPT_INVERSE_OFFERS",
        /// Ask for planned maintenance to be put off.
        DeclineInverseOffers = "DECLINE_INVERSE_OFFERS",
        /// Lift filters, and the suppression of offers.
        Revive = "REVIVE",
        /// Want no more offers.
        Suppress = "SUPPRESS",
        /// Stop a task.
        Kill = "KILL",
        /// An update is on record.
        Acknowledge = "ACKNOWLEDGE",
        /// What became of tasks?
        Reconcile = "RECONCILE",
        /// Change what the master knows of the framework.
        UpdateFramework = "UPDATE_FRAMEWORK",
    }
}

/// A call. Which of the other fields is there goes with `kind`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Call {
    /// Who calls; absent in the very first SUBSCRIBE only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub framework_id: Option<Id>,
    /// Which call.
    #[serde(rename = "type", default)]
    pub kind: CallType,
    /// With SUBSCRIBE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscribe: Option<Subscribe>,
    /// With ACCEPT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept: Option<Accept>,
    /// With DECLINE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline: Option<Decline>,
    /// With `ACCEPT_INVERSE_OFFERS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_inverse_offers: Option<InverseAnswer>,
    /// With `DECLINE_INVERSE_OFFERS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline_inverse_offers: Option<InverseAnswer>,
    /// With REVIVE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revive: Option<Roles>,
    /// With SUPPRESS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppress: Option<Roles>,
    /// With KILL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kill: Option<Kill>,
    /// With ACKNOWLEDGE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledge: Option<Acknowledge>,
    /// With RECONCILE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile: Option<Reconcile>,
    /// With `UPDATE_FRAMEWORK`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_framework: Option<UpdateFramework>,
}

/// SUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Subscribe {
    /// Who subscribes.
    pub framework_info: FrameworkInfo,
    /// Roles that want no offers for now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressed_roles: Vec<String>,
}

/// What the master knows of a framework.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FrameworkInfo {
    /// Whom commands run as that do not say.
    pub user: String,
    /// Shown to people.
    pub name: String,
    /// The same as [`Call::framework_id`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// Seconds for which the tasks live on without a scheduler.
    #[serde(default)]
    pub failover_timeout: f64,
    /// Whether agents keep tasks on record, so that they outlive the agent's own process.
    #[serde(default)]
    pub checkpoint: bool,
    /// The roles whose resources it is offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Where the scheduler runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The name it has logged in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webui_url: Option<String>,
    /// What it can handle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<Capability>,
}

/// Something that a framework can handle: `PARTITION_AWARE`, `MULTI_ROLE`, …
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Capability {
    /// Its name. A master writes one that it does not know itself as nothing.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// ACCEPT.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Accept {
    /// The offers; all of one agent.
    pub offer_ids: Vec<Id>,
    /// What is done with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<Operation>,
    /// For what is left of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// What is done with accepted offers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Operation {
    /// `LAUNCH`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launch: Option<Launch>,
}

/// The tasks that are launched.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Launch {
    /// Them.
    pub task_infos: Vec<TaskInfo>,
}

/// For how long resources are not offered again.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Filters {
    /// Seconds; absent is 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuse_seconds: Option<f64>,
}

/// DECLINE.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Decline {
    /// The offers, of any agents.
    pub offer_ids: Vec<Id>,
    /// For how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// `ACCEPT_INVERSE_OFFERS` or `DECLINE_INVERSE_OFFERS`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct InverseAnswer {
    /// The inverse offers.
    pub inverse_offer_ids: Vec<Id>,
    /// For how long they are not made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The roles of REVIVE or SUPPRESS; none are all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Roles {
    /// Them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// KILL. With a wrong agent it has no effect and no answer; without one it works.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Kill {
    /// The task.
    pub task_id: Id,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Id>,
    /// How long between asking and forcing. Only agents with `--http_command_executor` heed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kill_policy: Option<super::KillPolicy>,
}

/// ACKNOWLEDGE.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Acknowledge {
    /// The agent that said it.
    pub agent_id: Id,
    /// Of which task.
    pub task_id: Id,
    /// Which update, in base64.
    pub uuid: String,
}

/// RECONCILE. Without tasks it asks for all that live.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reconcile {
    /// The tasks.
    #[serde(default)]
    pub tasks: Vec<ReconcileTask>,
}

/// A task that is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReconcileTask {
    /// It.
    pub task_id: Id,
    /// Where it should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Id>,
}

/// `UPDATE_FRAMEWORK`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct UpdateFramework {
    /// What the framework is from now on.
    pub framework_info: FrameworkInfo,
    /// Roles that want no offers for now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressed_roles: Vec<String>,
}

impl Call {
    /// A call of that kind by that framework, with nothing in it yet.
    #[must_use]
    pub fn of(kind: CallType, framework_id: Option<Id>) -> Self {
        Self { framework_id, kind, ..Self::default() }
    }

    /// DECLINE of these offers for so many seconds.
    #[must_use]
    pub fn decline(framework_id: Id, offers: &[Offer], refuse_seconds: f64) -> Self {
        let decline = Decline {
            offer_ids: offers.iter().map(|offer| offer.id.clone()).collect(),
            filters: Some(Filters { refuse_seconds: Some(refuse_seconds) }),
        };
        Self { decline: Some(decline), ..Self::of(CallType::Decline, Some(framework_id)) }
    }
}
