//! Watches who leads: masters have themselves written in ZooKeeper, and the one with the lowest number leads.
//!
//! What was read counts while the connection lasts. Without one nobody is known to lead, which is told with its reason;
//! a session that is over is followed by another, after a wait that grows.

use tokio::sync::watch;
use zookeeper_client::{Client, Error, SessionState, StateWatcher};

use super::leader::{Ensemble, leading};
use super::wire::MasterInfo;
use crate::clock;
use crate::model::Duration;

/// How long a session outlives its connection. As the masters' own default.
const SESSION_TIME: std::time::Duration = std::time::Duration::from_secs(10);

/// Between sessions: the first wait and the longest.
const WAIT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// Who leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leader {
    /// This one.
    Known(Box<MasterInfo>),
    /// Nobody who is known here.
    Unknown {
        /// A sentence, with its remedy if there is one.
        reason: String,
    },
}

/// Watches until the receiver is dropped. To be called within a runtime.
#[must_use]
pub fn watch(ensemble: Ensemble) -> watch::Receiver<Leader> {
    let reason = format!("ZooKeeper at {ensemble} has not answered yet");
    let (sender, receiver) = watch::channel(Leader::Unknown { reason });
    let watcher = Watcher { ensemble, sender };
    tokio::spawn(watcher.run());
    receiver
}

struct Watcher {
    ensemble: Ensemble,
    sender: watch::Sender<Leader>,
}

impl Watcher {
    async fn run(self) {
        let mut wait = WAIT.0;
        loop {
            let reason = tokio::select! {
                () = self.sender.closed() => return,
                reason = self.session(&mut wait) => reason,
            };
            self.tell(Leader::Unknown { reason });
            tokio::select! {
                () = self.sender.closed() => return,
                () = clock::pause(wait) => {}
            }
            wait = wait.saturating_mul(2).min(WAIT.1);
        }
    }

    /// Who listens hears it only if it is news.
    fn tell(&self, leader: Leader) {
        self.sender.send_if_modified(|known| {
            let is_news = *known != leader;
            *known = leader;
            is_news
        });
    }

    /// Watches for one session, and says why it is over.
    async fn session(&self, wait: &mut Duration) -> String {
        let mut connector =
            Client::connector().with_session_timeout(SESSION_TIME).with_fail_eagerly();
        if let Some(login) = &self.ensemble.login {
            connector = connector.with_auth("digest", login.as_bytes());
        }
        let client = match connector.connect(&self.ensemble.hosts).await {
            Ok(client) => client,
            Err(error) => return self.failed(&error),
        };
        let mut state = client.state_watcher();
        loop {
            let looked = tokio::select! {
                looked = self.look(&client) => looked,
                over = self.disconnected(&mut state) => match over {
                    Some(reason) => return reason,
                    None => continue,
                },
            };
            let changed = match looked {
                Ok(changed) => changed,
                Err(error) => return self.failed(&error),
            };
            *wait = WAIT.0;
            tokio::select! {
                () = changed => {}
                over = self.disconnected(&mut state) => if let Some(reason) = over {
                    return reason;
                },
            }
        }
    }

    /// Reads who leads and tells it. What comes back ends when it is to be read again.
    async fn look(&self, client: &Client) -> Result<impl Future<Output = ()> + use<>, Error> {
        let path = &self.ensemble.path;
        let nobody = |why: &str| Leader::Unknown {
            reason: format!("no master leads: {why} at {}", self.ensemble),
        };
        let mut watchers = Vec::new();
        let leader = match client.list_and_watch_children(path).await {
            Ok((names, watcher)) => {
                watchers.push(watcher);
                match leading(names.iter().map(String::as_str)) {
                    None => Some(nobody("none has itself written in ZooKeeper")),
                    Some(name) => {
                        match client.get_and_watch_data(&format!("{path}/{name}")).await {
                            Ok((data, _, watcher)) => {
                                watchers.push(watcher);
                                Some(read(&data, name))
                            }
                            // Gone since: the watcher of the children tells in a moment.
                            Err(Error::NoNode) => None,
                            Err(error) => return Err(error),
                        }
                    }
                }
            }
            Err(Error::NoNode) => match client.check_and_watch_stat(path).await? {
                (None, watcher) => {
                    watchers.push(watcher);
                    Some(nobody(
                        "ZooKeeper has no such node; is that the path of the masters' `--zk`?",
                    ))
                }
                // Made since: there is something to read at once.
                (Some(_), _) => None,
            },
            Err(error) => return Err(error),
        };
        if let Some(leader) = leader {
            self.tell(leader);
        }
        Ok(async move {
            let waits = watchers.into_iter().map(|watcher| Box::pin(watcher.changed()));
            let waits: Vec<_> = waits.collect();
            if !waits.is_empty() {
                futures_util::future::select_all(waits).await;
            }
        })
    }

    /// Waits until the connection was lost, and is there again (`None`) or not to be had any more (why).
    async fn disconnected(&self, state: &mut StateWatcher) -> Option<String> {
        loop {
            match state.changed().await {
                SessionState::Disconnected => self.tell(Leader::Unknown {
                    reason: format!("the connection to ZooKeeper at {} is lost", self.ensemble),
                }),
                SessionState::SyncConnected | SessionState::ConnectedReadOnly => return None,
                SessionState::AuthFailed => return Some(self.failed(&Error::AuthFailed)),
                SessionState::Expired => return Some(self.failed(&Error::SessionExpired)),
                SessionState::Closed => return Some(self.failed(&Error::ClientClosed)),
            }
        }
    }

    fn failed(&self, error: &Error) -> String {
        let at = &self.ensemble;
        match error {
            Error::NoAuth | Error::AuthFailed => format!(
                "ZooKeeper does not let us read {at}: give a login that may, with `--master zk://user:password@…`"
            ),
            Error::NoHosts | Error::Timeout | Error::ConnectionLoss | Error::SessionExpired => {
                format!("cannot reach ZooKeeper at {at}: {error}; is it running there?")
            }
            other => format!("cannot read who leads from ZooKeeper at {at}: {other}"),
        }
    }
}

/// What a master has written of itself.
fn read(data: &[u8], name: &str) -> Leader {
    match serde_json::from_slice::<MasterInfo>(data) {
        Ok(info) => Leader::Known(Box::new(info)),
        Err(error) => Leader::Unknown {
            reason: format!(
                "the leading master has written in `{name}` what cannot be read ({error}); is it of Mesos 1.0 or later?"
            ),
        },
    }
}
