//! What is said on the wire: calls, events, and what they carry, in the JSON of Mesos' v1 scheduler API.
//!
//! Only what Chronode says or reads is mirrored; unknown fields are passed over, as a newer master may say more. Whether
//! a value makes sense is for those who use it: a missing field is `None`, an unknown word is one of the `Other`s.
//!
//! Source: the messages of Apache Mesos 1.11 (`mesos/v1/mesos.proto`, `mesos/v1/scheduler/scheduler.proto`), and the
//! exchanges recorded in `tests/mesos/traces`.

mod call;
mod event;
mod offer;
mod task;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use call::{
    Accept, Acknowledge, Call, CallType, Capability, Decline, Filters, FrameworkInfo,
    InverseAnswer, Kill, Launch, Operation, Reconcile, ReconcileTask, Roles, Subscribe,
    UpdateFramework,
};
pub use event::{
    Event, EventType, Failure, InverseOffers, MasterInfo, Message, Offers, Rescind, RescindInverse,
    Subscribed, Update,
};
pub use offer::{
    Address, AllocationInfo, Attribute, DiskInfo, DurationInfo, InverseOffer, Label, Labels, Offer,
    Range, Ranges, Reservation, Resource, Scalar, Set, Text, TimeInfo, Unavailability, Url,
    ValueType,
};
pub use task::{
    CommandInfo, ContainerInfo, ContainerStatus, Docker, DockerImage, DockerVolume, Environment,
    ExecutorInfo, Image, IpAddress, KillPolicy, MesosContainer, NetworkInfo, Parameter, Parameters,
    PortMapping, TaskInfo, TaskState, TaskStatus, Uri, Variable, Volume, VolumeSource,
};

/// A name that stands in an object of its own, as all ids do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Id {
    /// The name.
    pub value: String,
}

impl Id {
    /// The id of that name.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: value.into() }
    }
}

/// Serialises an enum as one of the words of the protocol; whatever word is unknown becomes `Other`.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
        pub enum $name {
            $($(#[$word_doc])* $variant,)*
            /// A word that is not known here.
            #[default]
            Other,
        }

        impl $name {
            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other => "UNKNOWN",
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Ok(match &*word {
                    $($word => Self::$variant,)*
                    _ => Self::Other,
                })
            }
        }
    };
}
use words;
