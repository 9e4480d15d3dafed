//! What a master says to a scheduler.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Address, Id, InverseOffer, Offer, TaskStatus, words};

words! {
    /// Which event it is.
    EventType {
        /// The stream has begun.
        Subscribed = "SUBSCRIBED",
        /// There are offers.
        Offers = "OFFERS",
        /// Maintenance is planned.
        InverseOffers = "INVERSE_OFFERS",
        /// An offer is void.
        Rescind = "RESCIND",
        /// An inverse offer is void.
        RescindInverseOffer = "RESCIND_INVERSE_OFFER",
        /// What became of a task.
        Update = "UPDATE",
        /// An executor says something.
        Message = "MESSAGE",
        /// An agent or an executor is gone.
        Failure = "FAILURE",
        /// The framework cannot go on.
        Error = "ERROR",
        /// The master lives.
        Heartbeat = "HEARTBEAT",
    }
}

/// An event. Which of the other fields is there goes with `kind`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Event {
    /// Which event.
    #[serde(rename = "type", default)]
    pub kind: EventType,
    /// With SUBSCRIBED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscribed: Option<Subscribed>,
    /// With OFFERS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offers: Option<Offers>,
    /// With `INVERSE_OFFERS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inverse_offers: Option<InverseOffers>,
    /// With RESCIND.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescind: Option<Rescind>,
    /// With `RESCIND_INVERSE_OFFER`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescind_inverse_offer: Option<RescindInverse>,
    /// With UPDATE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<Update>,
    /// With MESSAGE; nothing is done with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<serde_json::Value>,
    /// With FAILURE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// With ERROR.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Message>,
}

impl Event {
    /// What can be read of a record that is no event as we know them: all offers, of those that are not understood their
    /// names alone, so that they are given back; and of an update whose it is and how it is acknowledged. `None` if there
    /// is nothing of either.
    #[must_use]
    pub fn understood_in_part(record: &[u8]) -> Option<Self> {
        let event: Value = serde_json::from_slice(record).ok()?;
        let part = |value: &Value| serde_json::from_value(value.clone()).ok();
        let id = |value: &Value| serde_json::from_value::<Id>(value.clone()).ok();
        if event["type"] == EventType::Offers.as_str() {
            let offers = event["offers"]["offers"].as_array()?.iter().filter_map(|offer| {
                part(offer).or_else(|| {
                    let (id, agent_id) = (id(&offer["id"])?, id(&offer["agent_id"])?);
                    Some(Offer { id, agent_id, ..Offer::default() })
                })
            });
            let offers = Some(Offers { offers: offers.collect() });
            return Some(Self { kind: EventType::Offers, offers, ..Self::default() });
        }
        let status = &event["update"]["status"];
        let status = TaskStatus {
            task_id: id(&status["task_id"])?,
            agent_id: id(&status["agent_id"]),
            uuid: status["uuid"].as_str().map(str::to_owned),
            ..TaskStatus::default()
        };
        Some(Self { kind: EventType::Update, update: Some(Update { status }), ..Self::default() })
    }
}

/// SUBSCRIBED.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Subscribed {
    /// What the framework is called, from now on and for ever.
    pub framework_id: Id,
    /// Seconds between heartbeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat_interval_seconds: Option<f64>,
    /// Who leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master_info: Option<MasterInfo>,
}

/// A master, as it is told to frameworks and in ZooKeeper.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MasterInfo {
    /// Its id, new with each start.
    #[serde(default)]
    pub id: String,
    /// Where it listens. `ip` beside it is a number in an order of bytes of its own, and not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// The host it announces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Its port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Its release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// OFFERS.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Offers {
    /// They.
    #[serde(default)]
    pub offers: Vec<Offer>,
}

/// `INVERSE_OFFERS`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct InverseOffers {
    /// They.
    #[serde(default)]
    pub inverse_offers: Vec<InverseOffer>,
}

/// RESCIND.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rescind {
    /// The offer.
    pub offer_id: Id,
}

/// `RESCIND_INVERSE_OFFER`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RescindInverse {
    /// The inverse offer.
    pub inverse_offer_id: Id,
}

/// UPDATE.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Update {
    /// What became of the task.
    pub status: TaskStatus,
}

/// FAILURE: of the executor if one is named, else of the agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Failure {
    /// The agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Id>,
    /// The executor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executor_id: Option<Id>,
    /// How the executor ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
}

/// ERROR.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Message {
    /// The sentence.
    #[serde(default)]
    pub message: String,
}
