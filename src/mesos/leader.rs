//! Which master is asked: what `--master` says, who leads by the znodes, and where a redirect leads.

use std::fmt;

/// Who is asked for the leading master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Masters {
    /// Masters at known addresses, asked in turn; who does not lead says who does.
    At(Vec<String>),
    /// Those that have themselves written in ZooKeeper.
    ZooKeeper(Ensemble),
}

/// Where in ZooKeeper the masters are written.
#[derive(Clone, PartialEq, Eq)]
pub struct Ensemble {
    /// `host:port,host:port`.
    pub hosts: String,
    /// The path of the masters' `--zk`, such as `/mesos`.
    pub path: String,
    /// `user:password` for the scheme `digest`. Never shown.
    pub login: Option<String>,
}

impl fmt::Debug for Ensemble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "zk://{}{}", self.hosts, self.path)
    }
}
