//! A machine to install packages on: this one, copied on write, with processes, mounts and a network of its own.

use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use super::common::{PATIENCE, first_child, wait_for};
use super::root;

/// What it is, until it is dropped: then nothing of it is left.
pub(crate) struct Machine {
    holder: Child,
    /// Its first process, as seen from outside.
    first: u32,
    /// What its services say.
    pub(crate) supervisor: UnixDatagram,
    _work: tempfile::TempDir,
}

impl Machine {
    pub(crate) fn boot() -> Self {
        let work = tempfile::tempdir().unwrap();
        let mut holder = Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--fork", "--kill-child"])
            .arg(root().join("tests/packages/boot"))
            .arg(work.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "up\n", "the machine has not come up");
        let first = wait_for("its first process", || first_child(holder.id()));
        // A socket is reached by its path, wherever it was made.
        let socket = PathBuf::from(format!("/proc/{first}/root/run/notify"));
        let supervisor = UnixDatagram::bind(&socket).unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(&socket, open).unwrap();
        supervisor.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { holder, first, supervisor, _work: work }
    }

    /// A path there, as seen from outside.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        Path::new(&format!("/proc/{}/root{path}", self.first)).to_owned()
    }

    /// What a file there has in it.
    pub(crate) fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        std::fs::write(self.path(path), text).unwrap();
    }

    /// Runs a shell text there, as root.
    pub(crate) fn try_run(&self, text: &str) -> Output {
        Command::new("nsenter")
            .args(["--target", &self.first.to_string()])
            .args(["--mount", "--net", "--pid", "--root", "sh", "-c"])
            // The directory of who asks is not there.
            .arg(format!("cd /\n{text}"))
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("CHRONODE_TOKEN_FILE", "/etc/chronode/admin.token")
            .output()
            .unwrap()
    }

    /// The same, which must succeed. What it prints.
    pub(crate) fn run(&self, text: &str) -> String {
        let output = self.try_run(text);
        assert!(output.status.success(), "{text}: {output:?}\n{}", self.journal());
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the service has printed.
    pub(crate) fn journal(&self) -> String {
        std::fs::read_to_string(self.path("/run/journal")).unwrap_or_default()
    }

    /// What the service says next, but for its signs of life.
    pub(crate) fn hears(&self) -> String {
        let mut bytes = [0; 4_096];
        loop {
            let length = self.supervisor.recv(&mut bytes).unwrap();
            let told = String::from_utf8(bytes[..length].to_vec()).unwrap();
            if told != "WATCHDOG=1" {
                return told.lines().next().unwrap_or_default().to_owned();
            }
        }
    }

    /// What has been asked of services since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        let log = self.path("/run/systemctl.log");
        let asked = std::fs::read_to_string(&log).unwrap_or_default();
        let _ = std::fs::remove_file(log);
        let verbs = ["start", "stop", "restart"];
        let words = asked.lines().flat_map(|line| line.split(' '));
        words.filter(|word| verbs.contains(word)).map(str::to_owned).collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Its first process goes with it, and with that everything there.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
