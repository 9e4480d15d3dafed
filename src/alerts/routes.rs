//! Who is told of what: rules from alerts to addresses.

use std::collections::BTreeSet;

use crate::model::{Address, AlertJob, AlertKind};

use super::Terms;

/// Who is told of what.
///
/// An alert goes to the targets of every rule that it meets, in order, until one of these says [`Rule::stop`]. An alert
/// that meets none goes to nobody. Without any rules, each channel that [is a default](ChannelUse::is_default) gets
/// every alert that is told unasked: one for each owner, or one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routes {
    /// The rules, in the order in which they are asked.
    pub rules: Vec<Rule>,
    /// The channels that there are.
    pub channels: Vec<ChannelUse>,
}

/// How a channel is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelUse {
    /// Its name.
    pub name: String,
    /// Whether each recipient gets a message, as with mail; otherwise it reaches whom it reaches.
    pub per_owner: bool,
    /// Whether it gets every alert when there are no rules.
    pub is_default: bool,
}

/// Which alerts go where. A condition that is not there is met.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    /// One of the job's owners, in capitals or not.
    pub owner: Option<String>,
    /// A label that the job has, and what it says there.
    pub label: Option<(String, Option<String>)>,
    /// How the job's name begins.
    pub prefix: Option<String>,
    /// What the alert says. Without it: all about jobs but [`AlertKind::Retried`].
    pub kinds: Option<BTreeSet<AlertKind>>,
    /// Where they go.
    pub to: Vec<RouteTarget>,
    /// Whether rules after this one are not asked.
    pub stop: bool,
}

/// A channel, and whom a message is to reach there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTarget {
    /// The name of the channel. There is nobody on one that is not there.
    pub channel: String,
    /// Whom; `None` for the owners of the job. A channel that is not per owner reaches whom it reaches.
    pub recipients: Option<Vec<String>>,
}

impl Rule {
    /// Whether it says where this goes.
    fn is_met(&self, kind: AlertKind, job: Option<&AlertJob>) -> bool {
        let is_told = self.kinds.as_ref().map_or(is_told_unasked(kind), |set| set.contains(&kind));
        let asks_job = self.owner.is_some() || self.label.is_some() || self.prefix.is_some();
        is_told && job.map_or(!asks_job, |job| self.is_met_by(job))
    }

    fn is_met_by(&self, job: &AlertJob) -> bool {
        let Self { owner, label, prefix, kinds: _, to: _, stop: _ } = self;
        let is_owner = |owner: &String| {
            let owner = owner.trim().to_lowercase();
            owners(&job.owner).iter().any(|other| other.to_lowercase() == owner)
        };
        let has_label = |(name, value): &(String, Option<String>)| {
            let mut labels = job.labels.iter();
            labels.any(|(n, v)| n == name && value.as_ref().is_none_or(|value| v == value))
        };
        owner.as_ref().is_none_or(is_owner)
            && label.as_ref().is_none_or(has_label)
            && prefix.as_ref().is_none_or(|start| job.name.as_str().starts_with(start.as_str()))
    }
}

/// Whether a kind goes where no rule names kinds.
const fn is_told_unasked(kind: AlertKind) -> bool {
    !kind.is_about_the_scheduler() && !matches!(kind, AlertKind::Retried)
}

/// The owners of a job, of text with commas between them: without blanks around them, each once.
fn owners(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    let mut seen = BTreeSet::new();
    for owner in text.split(',').map(str::trim).filter(|owner| !owner.is_empty()) {
        if seen.insert(owner.to_lowercase()) {
            found.push(owner);
        }
    }
    found
}

/// Where an alert goes, on `terms`.
///
/// Alerts about the scheduler go where rules name their kind; if none does, to the operators and, if there are no rules
/// at all, to the default channels that need no recipient.
pub(super) fn addresses(
    terms: &Terms,
    kind: AlertKind,
    job: Option<&AlertJob>,
) -> BTreeSet<Address> {
    let Routes { rules, channels } = &terms.routes;
    let mut found = BTreeSet::new();
    let mut is_named = false;
    for rule in rules.iter().filter(|rule| rule.is_met(kind, job)) {
        is_named = true;
        for target in &rule.to {
            resolve(&terms.routes, target, job, &mut found);
        }
        if rule.stop {
            break;
        }
    }
    if rules.is_empty() && (is_told_unasked(kind) || kind.is_about_the_scheduler()) {
        for channel in channels.iter().filter(|channel| channel.is_default) {
            let target = RouteTarget { channel: channel.name.clone(), recipients: None };
            resolve(&terms.routes, &target, job, &mut found);
        }
    }
    if kind.is_about_the_scheduler() && !is_named {
        for target in &terms.operators {
            resolve(&terms.routes, target, job, &mut found);
        }
    }
    found
}

fn resolve(
    routes: &Routes,
    target: &RouteTarget,
    job: Option<&AlertJob>,
    found: &mut BTreeSet<Address>,
) {
    let Some(channel) = routes.channels.iter().find(|channel| channel.name == target.channel)
    else {
        return;
    };
    let address = |recipient: &str| Address {
        channel: channel.name.clone(),
        recipient: recipient.to_owned(),
    };
    match (&target.recipients, job) {
        _ if !channel.per_owner => {
            found.insert(address(""));
        }
        (Some(recipients), _) => {
            let named = recipients.iter().map(|one| one.trim()).filter(|one| !one.is_empty());
            found.extend(named.map(address));
        }
        (None, Some(job)) => found.extend(owners(&job.owner).into_iter().map(address)),
        (None, None) => {}
    }
}
