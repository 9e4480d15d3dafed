//! A real `chronode serve` for black-box tests: started on a free port with its own data directory, killed at the end.
//!
//! Nothing here sleeps to be right: every wait is for a condition, with a time-out that only a failure reaches.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses a part of this, as a module of its own"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};

/// Longer than anything takes on the slowest machine; only a failing test waits this long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `condition` gives something.
///
/// # Panics
///
/// After [`PATIENCE`], with `what`.
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let begun = boot();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(boot() - begun < PATIENCE, "waited too long for {what}");
        pause(Duration::from_millis(20));
    }
}

/// The boot clock.
pub fn boot() -> Duration {
    let at = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(at.tv_sec.unsigned_abs(), u32::try_from(at.tv_nsec).unwrap())
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a test looks at the clock from outside")]
pub fn wall_secs() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
}

#[expect(clippy::disallowed_methods, reason = "between two looks at a condition")]
pub fn pause(span: Duration) {
    std::thread::sleep(span);
}

/// The program under test: the one built with the tests, or another one for figures that are to be published.
pub fn program() -> String {
    #[expect(clippy::disallowed_methods, reason = "a long run measures the release build")]
    let given = std::env::var("CHRONODE_PROGRAM");
    given.unwrap_or_else(|_| env!("CARGO_BIN_EXE_chronode").to_owned())
}

/// A running scheduler.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pub url: String,
    pub data: PathBuf,
    pub banner: Vec<String>,
    log: Arc<Mutex<String>>,
}

/// How a scheduler that did not come up ended.
#[derive(Debug)]
pub struct Refused {
    pub status: ExitStatus,
    pub log: String,
}

impl Server {
    /// Starts `chronode serve` on `data` and waits until it listens.
    ///
    /// # Panics
    ///
    /// If it does not come up.
    pub fn start(data: &Path, args: &[&str]) -> Self {
        match Self::try_start(data, args, &[]) {
            Ok(server) => server,
            Err(refused) => panic!("it did not start: {refused:?}"),
        }
    }

    /// Starts `chronode serve` where the machine says that its present life has the id in this file.
    ///
    /// # Panics
    ///
    /// If it does not come up, as for somebody who may not mount.
    pub fn start_in_boot(data: &Path, boot_id: &Path) -> Self {
        // In a mount namespace of its own: nobody else sees what is mounted in there.
        const MOUNT: &str = "mount --bind \"$0\" /proc/sys/kernel/random/boot_id && exec \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", MOUNT]).arg(boot_id).arg(program());
        match Self::try_command(command, data, &[], &[]) {
            Ok(server) => server,
            Err(refused) => panic!("it did not start: {refused:?}"),
        }
    }

    /// Starts `chronode serve` with more environment, or says how it ended.
    pub fn try_start(data: &Path, args: &[&str], env: &[(&str, &str)]) -> Result<Self, Refused> {
        Self::try_command(Command::new(program()), data, args, env)
    }

    pub fn try_command(
        mut command: Command,
        data: &Path,
        args: &[&str],
        env: &[(&str, &str)],
    ) -> Result<Self, Refused> {
        let mut child = command
            .arg("serve")
            .args(["--data", data.to_str().unwrap(), "--http_port", "0"])
            .args(args)
            .env_remove("CHRONODE_FAILPOINT")
            // A supervisor of the tests is not one of what they start.
            .env_remove("NOTIFY_SOCKET")
            .env("CHRONODE_LOG", "human")
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().unwrap();
        let collected = log.clone();
        let collector = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = collected.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut banner = Vec::new();
        let mut line = String::new();
        while stdout.read_line(&mut line).unwrap() > 0 {
            banner.push(line.trim_end().to_owned());
            line.clear();
            // The last thing it prints is what runs next.
            if banner.last().is_some_and(|line| line.starts_with("  next")) {
                break;
            }
        }
        let url = banner
            .first()
            .and_then(|line| line.split_once("listening on "))
            .map(|(_, url)| url.to_owned());
        let Some(url) = url else {
            let status = child.wait().unwrap();
            collector.join().unwrap();
            let log = log.lock().unwrap().clone();
            return Err(Refused { status, log });
        };
        // What else it prints must not block it.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        Ok(Self { child, url, data: data.to_owned(), banner, log })
    }

    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Ends it as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end and waits for that.
    pub fn terminate(mut self) -> ExitStatus {
        self.signal(rustix::process::Signal::TERM);
        self.child.wait().unwrap()
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
    }

    /// Whether it has ended already.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        let child = &mut self.child;
        wait_for("the scheduler to end", || child.try_wait().unwrap())
    }

    /// Whether it was ended by this signal.
    pub fn was_killed(status: ExitStatus) -> bool {
        status.signal() == Some(9)
    }

    /// GET, which must succeed.
    pub fn get(&self, path: &str) -> Value {
        let response = self.request("GET", path, None);
        assert_eq!(response.status, 200, "{path}: {}", response.body);
        serde_json::from_str(&response.body).unwrap()
    }

    /// GET of text, which must succeed.
    pub fn text(&self, path: &str) -> String {
        let response = self.request("GET", path, None);
        assert_eq!(response.status, 200, "{path}: {}", response.body);
        response.body
    }

    /// Posts a job, which must be accepted.
    pub fn post(&self, job: &Value) {
        let response = self.request("POST", "/scheduler/iso8601", Some(job));
        assert_eq!(response.status, 204, "{job}: {}", response.body);
    }

    /// Any request.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Response {
        request(&format!("{}{path}", self.url), method, body)
    }

    /// The entries of the history of a job, newest first.
    pub fn runs(&self, job: &str) -> Vec<Value> {
        let answer = self.get(&format!("/scheduler/runs?job={job}&limit=1000"));
        answer["runs"].as_array().unwrap().clone()
    }

    /// Waits until the newest entry of the job's history is a run that is over, and returns it.
    pub fn ended_run(&self, job: &str) -> Value {
        wait_for(&format!("a run of {job} to end"), || {
            self.runs(job).into_iter().find(|run| run["state"] == "ended")
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            #[expect(clippy::print_stderr, reason = "what a failing test needs")]
            {
                eprintln!("--- log of the scheduler\n{}", self.log());
            }
        }
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub body: String,
    pub headers: Vec<(String, String)>,
}

/// Any request to anywhere.
pub fn request(url: &str, method: &str, body: Option<&Value>) -> Response {
    let client = client();
    let method = method.parse().unwrap();
    let mut request = client.request(method, url);
    if let Some(body) = body {
        request = request.header("Content-Type", "application/json").body(body.to_string());
    }
    let response = request.send().unwrap();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("").to_owned()))
        .collect();
    Response { status: response.status().as_u16(), headers, body: response.text().unwrap() }
}

fn client() -> &'static reqwest::blocking::Client {
    static CLIENT: OnceLock<reqwest::blocking::Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        // Already installed is fine: it is the same for the whole process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::blocking::Client::builder().timeout(PATIENCE).build().unwrap()
    })
}

/// A fresh directory for state, mode 0700, and one beside it that jobs write into.
#[derive(Debug)]
pub struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// A file that jobs append to.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The lines that jobs have appended.
    pub fn lines(&self, name: &str) -> Vec<String> {
        fs::read_to_string(self.file(name)).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// The pid of the keeper of this place's data, if there is one.
    pub fn keeper(&self) -> Option<rustix::process::Pid> {
        let data = self.data();
        processes().into_iter().find_map(|(pid, command)| {
            let is_keeper = command.iter().any(|word| word == "keeper")
                && command.iter().any(|word| Path::new(word) == data);
            if is_keeper { Some(pid) } else { None }
        })
    }

    /// Ends the keeper as `kill -9` does, and waits until it is gone.
    pub fn kill_keeper(&self) {
        let pid = self.keeper().expect("a keeper runs");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        wait_for("the keeper to be gone", || (self.keeper() != Some(pid)).then_some(()));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The keeper outlives the scheduler on purpose; a test must not leave one behind.
        if let Some(pid) = self.keeper() {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

/// All processes with their command lines.
fn processes() -> Vec<(rustix::process::Pid, Vec<String>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let mut text = String::new();
        let read = fs::File::open(entry.path().join("cmdline"))
            .and_then(|mut file| file.read_to_string(&mut text));
        if read.is_ok()
            && let Some(pid) = rustix::process::Pid::from_raw(pid)
        {
            found.push((pid, text.split('\0').map(str::to_owned).collect()));
        }
    }
    found
}

/// A job that appends one line to `file` when it starts, then runs `then`.
pub fn logging_job(name: &str, schedule: &str, file: &Path, then: &str) -> Value {
    let command = format!(
        "echo \"$CHRONODE_RUN_ID $CHRONODE_ATTEMPT $CHRONODE_DUE $(date +%s.%N)\" >> {}; {then}",
        file.display()
    );
    json!({"name": name, "schedule": schedule, "command": command, "retries": 0, "owner": "",
           "runAsUser": ""})
}

/// The first child that a process has, if it has one: what `unshare --fork` has started.
pub fn first_child(pid: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}
