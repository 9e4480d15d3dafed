//! Reading what Chronos keeps in ZooKeeper: `J_*` are its jobs, `T_*` the tasks that 2.x has waiting.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;
use zookeeper_client::{Client, Error};

use super::{Generation, Pending, Source};
use crate::cli::CliError;
use crate::migration::Imported;
use crate::migration::chronos::read_entry;
use crate::model::{Dialect, Timestamp};

/// Where Chronos keeps its state if nobody says.
const PATH_DEFAULT: &str = "/chronos/state";

/// Asked at once. Answers come in order, so more would only wait.
const AT_ONCE: usize = 64;

/// How long a server may be silent.
const SESSION_TIME: Duration = Duration::from_secs(10);

/// Reads all jobs.
pub(super) fn read(
    url: &str,
    login: Option<&str>,
    timeout: u64,
    generation: Generation,
) -> Result<Source, CliError> {
    let address = Address::parse(url)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::Failed(format!("cannot start: {error}")))?;
    let limit = Duration::from_secs(timeout);
    let nodes = runtime.block_on(async {
        match tokio::time::timeout(limit, address.nodes(login)).await {
            Ok(nodes) => nodes,
            Err(_) => Err(CliError::Failed(format!(
                "{} has not answered in {timeout} s: check the addresses, and try again with a longer `--timeout` if \
                 it is slow",
                address.shown
            ))),
        }
    })?;
    Ok(sort(address.shown, nodes, generation))
}

/// `zk://host:port,host:port/path`.
struct Address {
    hosts: String,
    path: String,
    shown: String,
}

impl Address {
    fn parse(url: &str) -> Result<Self, CliError> {
        let usage = |why: &str| {
            CliError::Usage(format!(
                "{why}: write the address as `zk://host:2181,host:2181/chronos/state`"
            ))
        };
        let rest =
            url.strip_prefix("zk://").ok_or_else(|| usage("it does not begin with `zk://`"))?;
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        if hosts.contains('@') {
            return Err(usage(
                "a login in the address is not read; give it with `--zk_auth user:password`",
            ));
        }
        if hosts.is_empty() || hosts.split(',').any(str::is_empty) {
            return Err(usage("a host is missing"));
        }
        let path = path.trim_end_matches('/');
        let path = if path.is_empty() { PATH_DEFAULT.to_owned() } else { format!("/{path}") };
        let shown = format!("zk://{hosts}{path}");
        Ok(Self { hosts: hosts.to_owned(), path, shown })
    }

    /// Names and contents of all nodes of jobs and tasks.
    async fn nodes(&self, login: Option<&str>) -> Result<Vec<(String, Vec<u8>)>, CliError> {
        let mut connector = Client::connector()
            .with_session_timeout(SESSION_TIME)
            .with_readonly(true)
            .with_fail_eagerly();
        if let Some(login) = login {
            connector = connector.with_auth("digest", login.as_bytes());
        }
        let client = connector.connect(&self.hosts).await.map_err(|error| {
            CliError::Failed(format!(
                "cannot reach ZooKeeper at {}: {error}; is it running there?",
                self.shown
            ))
        })?;
        let (folder, names) = self.folder(&client).await?;
        let wanted = names.into_iter().filter(|it| it.starts_with("J_") || it.starts_with("T_"));
        let mut reads = stream::iter(wanted.map(|name| {
            let data = client.get_data(&format!("{folder}/{name}"));
            async move { (name, data.await) }
        }))
        .buffered(AT_ONCE);
        let mut nodes = Vec::new();
        while let Some((name, data)) = reads.next().await {
            match data {
                Ok((data, _)) => nodes.push((name, data)),
                // Deleted since it was listed: Chronos runs.
                Err(Error::NoNode) => {}
                Err(error) => return Err(self.failed(&format!("{folder}/{name}"), &error)),
            }
        }
        nodes.sort();
        Ok(nodes)
    }

    /// Where the entries are: below `state` in the path that Chronos is given, which is often given as one more or less.
    async fn folder(&self, client: &Client) -> Result<(String, Vec<String>), CliError> {
        let candidates = [
            format!("{}/state", self.path),
            format!("{}/state/state", self.path),
            self.path.clone(),
        ];
        let mut empty = None;
        for folder in candidates {
            match client.list_children(&folder).await {
                Ok(names) if names.iter().any(|name| name.starts_with("J_")) => {
                    return Ok((folder, names));
                }
                Ok(names) => {
                    // With no jobs in it, the framework's id or tasks still show that it is the one.
                    let is_state =
                        names.iter().any(|it| it.starts_with("T_") || it.contains("ramework"));
                    if is_state && empty.is_none() {
                        empty = Some((folder, names));
                    }
                }
                Err(Error::NoNode) => {}
                Err(error) => return Err(self.failed(&folder, &error)),
            }
        }
        empty.ok_or_else(|| {
            CliError::Failed(format!(
                "there is no state of Chronos at {}: give the path of Chronos' `--zk_path`, which is `{PATH_DEFAULT}` \
                 unless somebody chose another",
                self.shown
            ))
        })
    }

    fn failed(&self, node: &str, error: &Error) -> CliError {
        let remedy = match error {
            Error::NoAuth | Error::AuthFailed => {
                "give the login of Chronos' `--zk_auth` with `--zk_auth user:password`"
            }
            _ => "try again when it is well",
        };
        CliError::Failed(format!(
            "cannot read `{}` of {}: {error}; {remedy}",
            node.escape_debug(),
            self.shown
        ))
    }
}

/// Jobs, tasks, and what is neither.
fn sort(shown: String, nodes: Vec<(String, Vec<u8>)>, generation: Generation) -> Source {
    let (mut jobs, mut broken, mut pending) = (Vec::new(), Vec::new(), Vec::new());
    for (node, data) in nodes {
        let job = read_entry(&data).map_err(|error| error.to_string()).and_then(|entry| {
            serde_json::from_slice::<Value>(&entry.value)
                .map_err(|error| format!("its value is no JSON ({error})"))
        });
        match (node.strip_prefix("J_"), node.strip_prefix("T_"), job) {
            (Some(_), _, Ok(job)) => jobs.push(job),
            (Some(name), _, Err(why)) => {
                broken.push(Imported::unreadable(name, &format!("in the node `{node}`, {why}")));
            }
            (None, Some(task), job) => pending.push(waiting(task, job.unwrap_or_default())),
            (None, None, _) => {}
        }
    }
    let generation = generation.dialect().unwrap_or_else(|| generation_of(&jobs));
    Source { shown, generation, jobs, broken, pending }
}

/// Only 3.x writes `concurrent`; jobs that an older one left there may still be without it.
fn generation_of(jobs: &[Value]) -> Dialect {
    if jobs.iter().any(|job| job.get("concurrent").is_some()) { Dialect::V1 } else { Dialect::V0 }
}

/// `ct:<due, ms>:<attempt>:<job>:<arguments>`, told and not acted upon.
fn waiting(task: &str, job: Value) -> Pending {
    let mut parts = task.splitn(5, ':').skip(1);
    let due_at = parts.next().and_then(|millis| millis.parse().ok());
    let named = parts.nth(1).unwrap_or_default();
    Pending {
        task: task.to_owned(),
        job: job["name"].as_str().unwrap_or(named).to_owned(),
        due_at: due_at.and_then(|millis| Timestamp::from_millisecond(millis).ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_chronos() {
        let parsed = |url: &str| Address::parse(url).map(|it| (it.hosts, it.path)).ok();
        let pair = |hosts: &str, path: &str| Some((hosts.to_owned(), path.to_owned()));
        assert_eq!(parsed("zk://a:1,b/chronos"), pair("a:1,b", "/chronos"));
        assert_eq!(parsed("zk://a/chronos/state/"), pair("a", "/chronos/state"));
        assert_eq!(parsed("zk://a"), pair("a", "/chronos/state"));
        for url in ["", "a:2181", "http://a", "zk://", "zk:///x", "zk://a,,b/x", "zk://u:p@a/x"] {
            assert_eq!(parsed(url), None, "{url}");
        }
    }

    #[test]
    fn a_waiting_task_is_told_by_its_id() {
        let it = waiting("ct:1420843781398:0:sample-name:-a 1:2", Value::Null);
        assert_eq!(
            (it.job.as_str(), it.due_at.unwrap().as_millisecond()),
            ("sample-name", 1_420_843_781_398)
        );
        let it = waiting("odd", Value::Null);
        assert_eq!((it.job.as_str(), it.due_at), ("", None));
    }
}
