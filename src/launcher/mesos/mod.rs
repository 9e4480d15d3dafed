//! The launcher on other machines: a framework of Apache Mesos.
//!
//! * [`book`] decides, without input or output, what is said to the master and what is told to whoever listens.
//! * [`convert`]: our vocabulary and that of Mesos; [`verdict`]: what an update says of a task.
//! * [`MesosLauncher`] joins the book and a client that speaks with the master.

pub mod book;
pub mod convert;
mod joint;
pub mod verdict;

use tokio::sync::mpsc::{Receiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use self::book::{Book, Terms};
use self::joint::Joint;
use super::{Launcher, Notice, Order};
use crate::mesos::client::{Client, ClientConfig, Heard, Subscription};
use crate::mesos::transport::AccessError;
use crate::mesos::wire::Call;
use crate::model::ClusterCounts;

/// Runs tasks on the agents of a Mesos cluster. Dropping it leaves them alone: within the framework's fail-over time
/// another process takes them up.
#[derive(Debug)]
pub struct MesosLauncher {
    orders: UnboundedSender<Order>,
    figures: watch::Receiver<ClusterCounts>,
}

impl MesosLauncher {
    /// Starts a client, and carries orders to it and what it hears to `notices`; `Connected` or `Disconnected` will tell.
    /// The roles of `terms` are those that the framework subscribes with.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// If TLS cannot be used with the certificates that were given. Everything else is told by `Disconnected`.
    pub fn start(
        config: ClientConfig,
        terms: Terms,
        notices: UnboundedSender<Notice>,
    ) -> Result<Self, AccessError> {
        let (client, heard) = Client::start(config)?;
        let say = move |subscription, call| client.call(subscription, call);
        Ok(Self::join(terms, say, heard, notices))
    }

    /// As [`Self::start`], with a client that was started: its `call` is `say`.
    ///
    /// Must be called within a tokio runtime.
    #[must_use]
    pub fn join(
        terms: Terms,
        say: impl FnMut(Subscription, Call) + Send + 'static,
        heard: Receiver<Heard>,
        notices: UnboundedSender<Notice>,
    ) -> Self {
        let (orders, incoming) = unbounded_channel();
        let (tell_figures, figures) = watch::channel(ClusterCounts::default());
        let book = Book::new(terms);
        let joint = Joint::new(book, say, notices, tell_figures);
        tokio::spawn(joint.run(incoming, heard));
        Self { orders, figures }
    }

    /// What was counted so far.
    #[must_use]
    pub fn figures(&self) -> ClusterCounts {
        *self.figures.borrow()
    }
}

impl Launcher for MesosLauncher {
    fn perform(&self, order: Order) {
        // Its other end goes only with us or with the runtime; after that nobody is left to be told.
        let _ = self.orders.send(order);
    }
}
