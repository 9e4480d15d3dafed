//! A real ZooKeeper: started on a free port with its own data directory, ended by its pid.

#![allow(dead_code, reason = "each test binary uses a part of this")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use zookeeper_client::{Acls, Client, CreateMode};

use crate::common::wait_for;

/// Where Debian puts it.
const JAR: &str = "/usr/share/java/zookeeper.jar";

/// A server.
#[derive(Debug)]
pub(crate) struct ZooKeeper {
    child: Child,
    pub(crate) hosts: String,
    runtime: tokio::runtime::Runtime,
    directory: tempfile::TempDir,
}

impl ZooKeeper {
    /// Starts one and waits until it answers. Another port is tried when somebody else has taken the free one meanwhile.
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        fs::create_dir(&data).unwrap();
        let started = wait_for("ZooKeeper to start", || {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let file = directory.path().join("zoo.cfg");
            let settings = format!(
                "tickTime=500\ndataDir={}\nclientPort={port}\nclientPortAddress=127.0.0.1\n\
                 admin.enableServer=false\n4lw.commands.whitelist=ruok\n",
                data.display()
            );
            fs::write(&file, settings).unwrap();
            let mut child = spawn(&file);
            let hosts = format!("127.0.0.1:{port}");
            let is_up = wait_for("ZooKeeper to answer or to end", || {
                if is_well(&hosts) {
                    return Some(true);
                }
                child.try_wait().unwrap().map(|_| false)
            });
            is_up.then_some((child, hosts))
        });
        let (child, hosts) = started;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        Self { child, hosts, runtime, directory }
    }

    /// Writes nodes, with all folders above them. With a login only it may read them.
    pub(crate) fn write(&self, login: Option<&str>, nodes: &[(&str, Vec<u8>)]) {
        self.runtime.block_on(async {
            let mut connector = Client::connector().with_session_timeout(Duration::from_secs(10));
            if let Some(login) = login {
                connector = connector.with_auth("digest", login.as_bytes());
            }
            let client = connector.connect(&self.hosts).await.unwrap();
            let open = CreateMode::Persistent.with_acls(Acls::anyone_all());
            let own = CreateMode::Persistent.with_acls(if login.is_some() {
                Acls::creator_all()
            } else {
                Acls::anyone_all()
            });
            for (path, data) in nodes {
                let (folder, _) = path.rsplit_once('/').unwrap();
                client.mkdir(folder, &open).await.unwrap();
                client.create(path, data, &own).await.unwrap();
            }
        });
    }
}

impl ZooKeeper {
    /// Ends it, as a machine that loses its power does.
    pub(crate) fn kill(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again after [`Self::kill`], with what it had, at the same port.
    pub(crate) fn restart(&mut self) {
        let file = self.directory.path().join("zoo.cfg");
        wait_for("ZooKeeper to have its port again", || {
            self.child = spawn(&file);
            wait_for("ZooKeeper to answer or to end", || {
                if is_well(&self.hosts) {
                    return Some(true);
                }
                self.child.try_wait().unwrap().map(|_| false)
            })
            .then_some(())
        });
    }

    /// Takes a node away.
    pub(crate) fn delete(&self, path: &str) {
        self.runtime.block_on(async {
            let client = Client::connect(&self.hosts).await.unwrap();
            client.delete(path, None).await.unwrap();
        });
    }

    /// Writes something else into a node.
    pub(crate) fn change(&self, path: &str, data: &[u8]) {
        self.runtime.block_on(async {
            let client = Client::connect(&self.hosts).await.unwrap();
            client.set_data(path, data, None).await.unwrap();
        });
    }
}

impl Drop for ZooKeeper {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(file: &Path) -> Child {
    Command::new("java")
        .args(["-Xmx128m", "-cp", JAR, "org.apache.zookeeper.server.quorum.QuorumPeerMain"])
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("java runs; `tests/run` installs it with zookeeper")
}

/// Whether it is ZooKeeper that answers there: somebody else may have taken the port, and may wait for more.
fn is_well(hosts: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(hosts) else { return false };
    let mut said = String::new();
    // Who is slow is asked again.
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    stream.write_all(b"ruok").is_ok() && stream.read_to_string(&mut said).is_ok() && said == "imok"
}

/// The bytes of a node of Mesos' state library: its fields 1, 2 and 3, each with its length before it.
pub(crate) fn entry(name: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (field, content) in [(1_u8, name.as_bytes()), (2, &[7; 16][..]), (3, value)] {
        bytes.push(field << 3 | 2);
        let mut length = content.len();
        while length >= 0x80 {
            bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        bytes.push(u8::try_from(length).unwrap());
        bytes.extend_from_slice(content);
    }
    bytes
}
