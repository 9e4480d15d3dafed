//! The vocabulary: plain data, and the constructors that keep it valid.
//!
//! Names nothing else in the crate and does no input or output. Wire forms of these types live beside their wires
//! (`jobspec`, `store::codec`, `launcher::local::protocol`), so there is no serde here.

#![deny(clippy::disallowed_types)]

mod alert;
mod cluster_counts;
mod constraint;
mod draft;
mod ids;
mod intervention;
mod job;
pub mod limits;
mod objective;
mod offer;
mod order;
mod origin;
mod placed;
mod record;
mod request;
mod resources;
mod run;
mod scope;
mod status;
mod task;
mod terms;
mod time;

pub use alert::{
    Address, Alert, AlertId, AlertJob, AlertKind, AlertRun, Delivery, Incident, IncidentId,
    IncidentKey, Notification, NotificationId, NotificationKind, Silence,
};
pub use cluster_counts::ClusterCounts;
pub use constraint::{Constraint, Operator};
pub use draft::{Defaults, JobDraft, SECRET_SHOWN};
pub use ids::{
    AgentId, FrameworkId, Incarnation, JobName, NameError, NameRule, OfferId, RunId, TaskId, Term,
};
pub use intervention::{
    Ask, Backfill, BackfillId, BackfillState, Intervention, Interventions, Pause, PauseScope,
    RunVerb, Skip,
};
pub use job::{
    Backoff, CatchUp, Container, ContainerType, Dialect, EnvVar, ExternalVolume, Fetch, Fitness,
    Job, Join, Network, NetworkInfo, NetworkProtocol, OnUnknown, Overlap, ParentTerms, Period,
    PortMapping, Priority, Property, RetryEnds, RetryTerms, Shadow, TriggerRule, UnknownThen,
    Volume, VolumeMode, When,
};
pub use objective::{Deadline, Label, Objectives};
pub use offer::{Attribute, AttributeValue, Offer, OfferKind};
pub use order::{ParentsFirst, parents_first};
pub use origin::{Drift, Origin, SourceError, SourceName};
pub use placed::{Placed, Sandbox};
pub use record::{Contribution, JobRecord, JobStats, JobVersion, Progress, Round, Source};
pub use request::{Answer, AnsweredRequest, ApplyOutcome, Became, RequestKey};
pub use resources::{Resources, Scalar};
pub use run::{
    Alarm, Attempt, AttemptState, HistoryEntry, Outcome, Run, RunState, Signal, StopReason,
    Stretch, Trigger, Verdict,
};
pub use scope::{Pattern, Scope};
pub use status::JobStatus;
pub use task::{ClusterTerms, Command, Exit, Launch, Question, TaskReport, TaskStatus};
pub use terms::{Calendar, CalendarUse, DstPolicy, FoldPolicy, GapPolicy, ScheduleTerms};
pub use time::{
    BootInstant, Duration, Now, Timestamp, just_before, millis_since_epoch, timestamp_from_millis,
    whole_millis,
};
