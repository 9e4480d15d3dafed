//! What whoever talks to a cluster counts, as it stands when somebody asks.

use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;

use crate::model::ClusterCounts;

impl ClusterCounts {
    /// The counts with a name and a sentence each. Names are those of Prometheus without what is before and behind them.
    #[must_use]
    pub const fn all(&self) -> [(&'static str, &'static str, u64); 14] {
        let Self {
            subscriptions,
            lost_connections,
            offers,
            declined_offers,
            rescinds,
            accepts,
            launches,
            kills,
            updates,
            acknowledgements,
            revives,
            suppressions,
            reconciliations,
            refused_calls,
        } = *self;
        [
            ("subscriptions", "Subscriptions that began.", subscriptions),
            ("lost_connections", "Subscriptions that were lost.", lost_connections),
            ("offers", "Offers that came.", offers),
            ("declined_offers", "Offers that were declined.", declined_offers),
            ("rescinds", "Offers that the master took back.", rescinds),
            ("accepts", "Calls that accept offers.", accepts),
            ("launches", "Tasks in calls that accept offers.", launches),
            ("kills", "Calls that end a task.", kills),
            ("updates", "Updates of tasks that came.", updates),
            ("acknowledgements", "Updates that were acknowledged.", acknowledgements),
            ("revives", "Calls that ask for offers again.", revives),
            ("suppressions", "Calls that ask for no offers.", suppressions),
            ("reconciliations", "Calls that ask what became of tasks.", reconciliations),
            ("refused_calls", "Calls that the master refused.", refused_calls),
        ]
    }
}

type Source = Box<dyn Fn() -> ClusterCounts + Send + Sync>;

/// Where the counts come from, if there is a cluster.
#[derive(Clone, Default)]
pub(super) struct Cluster(Arc<OnceLock<Source>>);

impl Cluster {
    /// The first source counts.
    pub(super) fn watch(&self, source: Source) {
        let _ = self.0.set(source);
    }

    pub(super) fn counts(&self) -> Option<ClusterCounts> {
        self.0.get().map(|source| source())
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cluster").field(&self.counts()).finish()
    }
}

/// Series that are there only where there is a cluster.
impl Collector for Cluster {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(counts) = self.counts() else { return Ok(()) };
        for (name, help, count) in counts.all() {
            let counter = ConstCounter::new(count);
            let name = format!("mesos_{name}");
            let metric = encoder.encode_descriptor(&name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        Ok(())
    }
}
