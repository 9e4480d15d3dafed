//! The local launcher and its keeper, black box: real processes, a real keeper, every observation by notice or by what
//! a run leaves behind. No test sleeps to be right; each waits for a notice or a fact, with a time-out.

#![allow(clippy::print_stdout, reason = "a test that cannot run here says so, and one measures")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration as StdDuration;

use chronode::launcher::local::output::{OutputReader, Stream};
use chronode::launcher::local::{Isolation, LocalConfig, LocalLauncher};
use chronode::launcher::{Launcher, Notice, Order};
use chronode::model::{
    AgentId, Attribute, BootInstant, Command, Duration, Exit, Fetch, Incarnation, Launch, OfferId,
    OfferKind, Question, Resources, RunId, Scalar, TaskId, TaskReport, TaskStatus, Term,
};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Longer than anything here takes on a busy machine.
const PATIENCE: StdDuration = StdDuration::from_secs(60);

/// One data directory with a launcher on it.
struct Rig {
    data: tempfile::TempDir,
    launcher: Option<LocalLauncher>,
    notices: UnboundedReceiver<Notice>,
    /// Every report since the last connection.
    reports: Vec<TaskReport>,
    config: LocalConfig,
}

impl Rig {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut LocalConfig)) -> Self {
        Self::within(tempfile::tempdir().unwrap(), change).await
    }

    async fn within(data: tempfile::TempDir, change: impl FnOnce(&mut LocalConfig)) -> Self {
        let executable = PathBuf::from(env!("CARGO_BIN_EXE_chronode"));
        let mut config = LocalConfig::new(data.path().to_owned(), executable, "here".into());
        change(&mut config);
        let mut rig =
            Self { data, launcher: None, notices: unbounded_channel().1, reports: vec![], config };
        rig.connect().await;
        rig
    }

    /// A new launcher on the same directory, as after a restart of the scheduler.
    async fn connect(&mut self) {
        self.launcher = None;
        let (sender, notices) = unbounded_channel();
        self.notices = notices;
        self.reports.clear();
        self.launcher = Some(LocalLauncher::start(self.config.clone(), sender).unwrap());
        self.connected().await;
    }

    async fn connected(&mut self) {
        loop {
            match self.next().await {
                Notice::Connected { .. } => return self.reports.clear(),
                Notice::Offered(_)
                | Notice::Withdrawn(_)
                | Notice::AgentLost(_)
                | Notice::Disconnected { .. }
                | Notice::Report(_) => {}
            }
        }
    }

    async fn next(&mut self) -> Notice {
        tokio::time::timeout(PATIENCE, self.notices.recv())
            .await
            .expect("a notice comes in time")
            .expect("the launcher lives")
    }

    fn perform(&self, order: Order) {
        self.launcher.as_ref().unwrap().perform(order);
    }

    fn launch(&self, launch: Launch) -> TaskId {
        let task_id = launch.task_id.clone();
        self.perform(Order::Launch(Box::new(launch)));
        task_id
    }

    fn kill(&self, task_id: &TaskId, grace_ms: i64) {
        let grace = Duration::from_millis(grace_ms);
        self.perform(Order::Kill { task_id: task_id.clone(), grace });
    }

    fn reconcile(&mut self, task_id: &TaskId) {
        self.reports.clear();
        self.perform(reconcile(std::slice::from_ref(task_id)));
    }

    /// The first report about the task that is wanted, of those that came and those that come.
    async fn report(
        &mut self,
        task_id: &TaskId,
        is_wanted: impl Fn(&TaskStatus) -> bool,
    ) -> TaskStatus {
        let mut index = 0;
        loop {
            while let Some(report) = self.reports.get(index) {
                if report.task_id == *task_id && is_wanted(&report.status) {
                    return report.status.clone();
                }
                index += 1;
            }
            match self.next().await {
                Notice::Report(report) => self.reports.push(report),
                Notice::Connected { .. }
                | Notice::Offered(_)
                | Notice::Withdrawn(_)
                | Notice::AgentLost(_)
                | Notice::Disconnected { .. } => {}
            }
        }
    }

    async fn running(&mut self, task_id: &TaskId) {
        self.report(task_id, |status| matches!(status, TaskStatus::Running { .. })).await;
    }

    async fn any(&mut self, task_id: &TaskId) -> TaskStatus {
        self.report(task_id, |_| true).await
    }

    async fn end(&mut self, task_id: &TaskId) -> Exit {
        match self.report(task_id, |status| !matches!(status, TaskStatus::Running { .. })).await {
            TaskStatus::Ended { exit, .. } => exit,
            other => panic!("{task_id} did not end but is {other:?}"),
        }
    }

    async fn run(&mut self, launch: Launch) -> Exit {
        let task_id = self.launch(launch);
        self.end(&task_id).await
    }

    async fn reason(&mut self, launch: Launch) -> String {
        match self.run(launch).await {
            Exit::CouldNotStart { reason } => reason,
            other => panic!("it started: {other:?}"),
        }
    }

    fn directory(&self, n: i64) -> PathBuf {
        self.data.path().join(format!("runs/j1/{}/0", run_id(n)))
    }

    fn output(&self, n: i64, stream: Stream) -> String {
        let reader = OutputReader::new(self.data.path()).unwrap();
        let mut text = vec![];
        loop {
            let piece = reader.read(run_id(n), 0, stream, text.len() as u64, 1 << 20).unwrap();
            assert_eq!(piece.omitted, 0);
            if piece.bytes.is_empty() {
                return String::from_utf8(text).unwrap();
            }
            text.extend(piece.bytes);
        }
    }

    fn stdout(&self, n: i64) -> String {
        self.output(n, Stream::Stdout)
    }

    fn keeper_pid(&self) -> Option<i32> {
        fs::read_to_string(self.data.path().join("keeper.lock")).ok()?.trim().parse().ok()
    }

    fn kill_keeper(&self) {
        if let Some(pid) = self.keeper_pid().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    /// Waits until the run has left this file behind.
    async fn left_behind(&self, n: i64, name: &str) -> String {
        let path = self.directory(n).join(name);
        until(|| fs::read_to_string(&path).ok().filter(|text| text.ends_with('\n'))).await
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.launcher = None;
        self.kill_keeper();
    }
}

/// Waits for a fact outside of the launcher.
async fn until<T>(mut fact: impl FnMut() -> Option<T>) -> T {
    let mut ticks = tokio::time::interval(StdDuration::from_millis(5));
    let wait = async {
        loop {
            if let Some(found) = fact() {
                return found;
            }
            ticks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("it becomes true in time")
}

fn lives(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

fn run_id(n: i64) -> RunId {
    RunId::manual(Incarnation(1), n)
}

fn reconcile(tasks: &[TaskId]) -> Order {
    let question = |task_id: &TaskId| Question {
        task_id: task_id.clone(),
        agent: AgentId::new("here"),
        was_seen: false,
    };
    Order::Reconcile(tasks.iter().map(question).collect())
}

fn launch(n: i64, command: Command) -> Launch {
    Launch {
        term: Term(1),
        task_id: TaskId::from_text(format!("ct:{n}:0:job:")),
        run_id: run_id(n),
        attempt: 0,
        offers: vec![OfferId::new("local")],
        agent: AgentId::new("here"),
        command,
        environment: vec![],
        user: None,
        fetch: vec![],
        resources: Resources::default(),
        kill_grace: Duration::from_secs(1),
        not_after: None,
        cluster: None,
    }
}

fn shell(n: i64, text: &str) -> Launch {
    launch(n, Command::Shell { text: text.into(), arguments: vec![] })
}

fn program(n: i64, program: &str, arguments: &[&str]) -> Launch {
    let arguments = arguments.iter().map(ToString::to_string).collect();
    launch(n, Command::Program { program: program.into(), arguments })
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

// ---- one command ----------------------------------------------------------------------------

#[tokio::test]
async fn the_machine_is_offered_once_whole() {
    for (metered, kind) in [(false, OfferKind::Unmetered), (true, OfferKind::Standing)] {
        let data = tempfile::tempdir().unwrap();
        let executable = PathBuf::from(env!("CARGO_BIN_EXE_chronode"));
        let mut config = LocalConfig::new(data.path().to_owned(), executable, "me".into());
        config.attributes.insert("rack".into(), "7".into());
        config.metered = metered;
        let (sender, mut notices) = unbounded_channel();
        let _launcher = LocalLauncher::start(config, sender).unwrap();
        let notice = tokio::time::timeout(PATIENCE, notices.recv()).await.unwrap().unwrap();
        let Notice::Connected { offers, .. } = notice else { panic!("{notice:?}") };
        let [offer] = offers.as_slice() else { panic!("{offers:?}") };
        assert_eq!((offer.hostname.as_str(), offer.kind), ("me", kind));
        assert_eq!(offer.attributes, [Attribute::text("rack", "7")]);
        assert!(offer.resources.cpus > Scalar::ZERO && offer.resources.mem > Scalar::ZERO);
    }
}

#[tokio::test]
async fn exit_codes_and_signals_are_told_exactly() {
    let mut rig = Rig::new().await;
    assert_eq!(rig.run(shell(1, "exit 0")).await, Exit::Code(0));
    assert_eq!(rig.run(shell(2, "exit 77")).await, Exit::Code(77));
    assert_eq!(rig.run(shell(3, "kill -USR1 $$")).await, Exit::Signal(10));
    assert_eq!(rig.run(shell(4, "kill -9 $$")).await, Exit::Signal(9));
    assert_eq!(rig.run(shell(5, "no-such-program-here")).await, Exit::Code(127));
    assert_eq!(rig.run(program(6, "false", &[])).await, Exit::Code(1));
}

#[tokio::test]
async fn arguments_are_never_read_as_shell_text() {
    let mut rig = Rig::new().await;
    let hostile = ["$(touch pwned)", "a b", "'\"`;&|<>*?~", "", "line\nbreak", "-n", "é\u{1F600}"];
    let expected: String = hostile.iter().map(|argument| format!("[{argument}]")).collect();
    let arguments: Vec<String> = hostile.iter().map(ToString::to_string).collect();
    let text = r"printf '[%s]'".to_owned();
    let exit = rig.run(launch(1, Command::Shell { text, arguments })).await;
    assert_eq!((exit, rig.stdout(1)), (Exit::Code(0), expected.clone()));
    let mut all = vec!["[%s]"];
    all.extend(hostile);
    assert_eq!(rig.run(program(2, "/usr/bin/printf", &all)).await, Exit::Code(0));
    assert_eq!(rig.stdout(2), expected);
    assert!(!rig.directory(1).join("pwned").exists() && !rig.directory(2).join("pwned").exists());
}

#[tokio::test]
async fn the_environment_is_complete_and_nothing_else() {
    let mut rig = Rig::with(|config| {
        config.path = "/usr/bin:/bin".into();
        config.lang = Some("C.UTF-8".into());
    })
    .await;
    let mut launch = program(1, "env", &["-0"]);
    launch.environment = vec![
        ("A".into(), "1\n=2".into()),
        ("HOME".into(), "/over".into()),
        ("B".into(), "".into()),
    ];
    assert_eq!(rig.run(launch).await, Exit::Code(0));
    let output = rig.stdout(1);
    let mut found: Vec<&str> = output.split_terminator('\0').collect();
    found.sort_unstable();
    let directory = fs::canonicalize(rig.directory(1)).unwrap();
    let user = if is_root() {
        "root".to_owned()
    } else {
        std::env::vars().find(|(name, _)| name == "USER").unwrap().1
    };
    let mut expected = vec![
        "A=1\n=2".to_owned(),
        "B=".to_owned(),
        "CHRONODE_ATTEMPT=0".to_owned(),
        format!("CHRONODE_RUN_ID={}", run_id(1)),
        "HOME=/over".to_owned(),
        "LANG=C.UTF-8".to_owned(),
        format!("LOGNAME={user}"),
        format!("MESOS_SANDBOX={}", directory.display()),
        "PATH=/usr/bin:/bin".to_owned(),
        format!("PWD={}", directory.display()),
        "SHELL=/bin/sh".to_owned(),
        format!("USER={user}"),
    ];
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_command_gets_its_own_session_directory_and_no_descriptors() {
    let mut rig = Rig::new().await;
    // No pipes: the shell would hold their ends for a moment. And it blocks signals while it starts something.
    let text = "pwd; stat -c '%a' .; umask; readlink /proc/$$/fd/0; echo $$; cut -d' ' -f5,6 /proc/$$/stat; \
                ls /proc/$$/fd; exec grep -E '^Sig(Blk|Ign):' /proc/self/status";
    assert_eq!(rig.run(shell(1, text)).await, Exit::Code(0));
    let output = rig.stdout(1);
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(Path::new(lines[0]), fs::canonicalize(rig.directory(1)).unwrap());
    assert_eq!(lines[1..4], ["700", "0022", "/dev/null"]);
    // Group and session are its own number.
    assert_eq!(lines[5], format!("{0} {0}", lines[4]));
    assert_eq!(lines[6..9], ["0", "1", "2"]);
    // Nothing blocked, nothing ignored but what the C library ignores for itself: 32 and 33.
    assert_eq!(lines[9..].len(), 2, "{output}");
    for mask in &lines[9..] {
        let mask = u64::from_str_radix(mask.split_ascii_whitespace().last().unwrap(), 16).unwrap();
        assert_eq!(mask & !0x1_8000_0000, 0, "{output}");
    }
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let mut rig = Rig::new().await;
    let script = rig.data.path().join("script");
    fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    let script = script.to_str().unwrap().to_owned();
    let reason = rig.reason(program(1, "no-such-program", &[])).await;
    assert!(reason.contains("no-such-program") && reason.contains("/usr/bin"), "{reason}");
    let reason = rig.reason(program(2, "/no/such/program", &[])).await;
    assert!(reason.contains("correct the path"), "{reason}");
    let reason = rig.reason(program(3, &script, &[])).await;
    assert!(reason.contains("chmod +x"), "{reason}");
    std::os::unix::fs::chown(&script, None, None).unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let reason = rig.reason(program(4, &script, &[])).await;
    assert!(reason.contains("interpreter"), "{reason}");
    let reason = rig.reason(program(5, "echo", &[&"x".repeat(200_000)])).await;
    assert!(reason.contains("128 KiB"), "{reason}");
    let mut launch = shell(6, "true");
    launch.user = Some("no-such-user".into());
    let reason = rig.reason(launch).await;
    assert!(reason.contains("no user `no-such-user`"), "{reason}");
    let mut launch = shell(7, "true");
    launch.environment = vec![("A=B".into(), "c".into())];
    let reason = rig.reason(launch).await;
    assert!(reason.contains("A=B"), "{reason}");
}

#[tokio::test]
async fn another_user_gets_its_ids_groups_and_directory() {
    if !is_root() {
        println!("SKIPPED: only root can start commands as others");
        return;
    }
    let mut rig = Rig::new().await;
    let mut launch =
        shell(1, "id -u; id -G; cd \"$MESOS_SANDBOX\" && echo x > y && stat -c %U y; echo $HOME");
    launch.user = Some("daemon".into());
    let exit = rig.run(launch).await;
    assert_eq!(exit, Exit::Code(0), "{}", rig.output(1, Stream::Stderr));
    assert_eq!(rig.stdout(1), "1\n1\ndaemon\n/usr/sbin\n");
    let mut launch = shell(2, &format!("cat {}/keeper.journal", rig.data.path().display()));
    launch.user = Some("daemon".into());
    assert_eq!(rig.run(launch).await, Exit::Code(1));
}

// ---- output ---------------------------------------------------------------------------------

#[tokio::test]
async fn output_is_capped_in_the_middle() {
    let mut rig = Rig::with(|config| config.output_cap_bytes = 20_000).await;
    let text = "yes 123456789 | head -c 1000000; printf END; echo err >&2";
    assert_eq!(rig.run(shell(1, text)).await, Exit::Code(0));
    let path = rig.directory(1).join("stdout");
    let marker = "\n[chronode: 980003 bytes omitted]\n";
    let shown = until(|| {
        let tail = rig.directory(1).join("stdout.tail").exists();
        fs::read_to_string(&path).ok().filter(|text| !tail && text.contains(marker))
    })
    .await;
    assert_eq!(shown.len(), 20_000 + marker.len());
    assert!(shown.starts_with("123456789\n") && shown.ends_with("END"));
    let reader = OutputReader::new(rig.data.path()).unwrap();
    let piece = reader.read(run_id(1), 0, Stream::Stdout, 10_000, 100).unwrap();
    assert_eq!((piece.position, piece.omitted, piece.total), (990_003, 980_003, 1_000_003));
    assert_eq!(rig.output(1, Stream::Stderr), "err\n");
    // A silent run leaves nothing.
    assert_eq!(rig.run(shell(2, "true")).await, Exit::Code(0));
    assert_eq!(fs::read_dir(rig.directory(2)).unwrap().count(), 0);
}

#[tokio::test]
async fn output_can_be_read_while_it_is_written() {
    let mut rig = Rig::new().await;
    let text = "echo first; while [ ! -e go ]; do sleep 0.01; done; echo second";
    let task = rig.launch(shell(1, text));
    until(|| (rig.stdout(1) == "first\n").then_some(())).await;
    fs::write(rig.directory(1).join("go"), "").unwrap();
    assert_eq!(rig.end(&task).await, Exit::Code(0));
    assert_eq!(rig.stdout(1), "first\nsecond\n");
}

#[tokio::test]
async fn a_planted_link_is_not_followed() {
    let mut rig = Rig::new().await;
    let victim = rig.data.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    let text = format!("ln -s {} stdout; echo gotcha", victim.display());
    assert_eq!(rig.run(shell(1, &text)).await, Exit::Code(0));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert_eq!(rig.stdout(1), "gotcha\n");
}

// ---- trees and kills ------------------------------------------------------------------------

#[tokio::test]
async fn a_daemon_outlives_a_normal_end_and_its_output_goes_on() {
    let mut rig = Rig::new().await;
    let text = "(trap '' HUP; while [ ! -e go ]; do sleep 0.01; done; echo later; exec sleep 300) & \
                echo $! > pid; echo now";
    assert_eq!(rig.run(shell(1, text)).await, Exit::Code(0));
    assert_eq!(rig.stdout(1), "now\n");
    let pid: i32 = rig.left_behind(1, "pid").await.trim().parse().unwrap();
    assert!(lives(pid));
    fs::write(rig.directory(1).join("go"), "").unwrap();
    until(|| (rig.stdout(1) == "now\nlater\n").then_some(())).await;
    assert!(lives(pid));
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    // The keeper adopted it, so the keeper buries it.
    until(|| (!Path::new(&format!("/proc/{pid}")).exists()).then_some(())).await;
}

#[tokio::test]
async fn a_kill_ends_the_whole_tree_daemons_included() {
    let mut rig = Rig::new().await;
    let text = "sleep 300 & echo $! > child; \
                setsid sh -c 'setsid sleep 300 & echo $! > daemon' & \
                sh -c 'trap \"\" TERM; echo $$ > stubborn; while :; do sleep 1; done' & \
                wait";
    let task = rig.launch(shell(1, text));
    rig.running(&task).await;
    let mut pids = vec![];
    for name in ["child", "daemon", "stubborn"] {
        pids.push(rig.left_behind(1, name).await.trim().parse::<i32>().unwrap());
    }
    assert!(pids.iter().all(|&pid| lives(pid)));
    // Somebody else's, although it looks alike.
    let mut stranger = std::process::Command::new("sleep")
        .arg("300")
        .env("CHRONODE_RUN_ID", run_id(1).to_string())
        .env("CHRONODE_ATTEMPT", "0")
        .spawn()
        .unwrap();
    rig.kill(&task, 300);
    assert_eq!(rig.end(&task).await, Exit::Killed);
    assert!(!pids.iter().any(|&pid| lives(pid)), "{pids:?}");
    assert!(stranger.try_wait().unwrap().is_none());
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn term_comes_first_and_stopped_or_deaf_jobs_die_all_the_same() {
    let mut rig = Rig::new().await;
    let polite = rig
        .launch(shell(1, "trap 'echo bye; exit 0' TERM; echo > up; while :; do sleep 0.05; done"));
    rig.left_behind(1, "up").await;
    rig.kill(&polite, 60_000);
    assert_eq!(rig.end(&polite).await, Exit::Killed);
    assert_eq!(rig.stdout(1), "bye\n");
    let deaf = rig.launch(shell(2, "trap '' TERM; echo > up; while :; do sleep 0.05; done"));
    rig.left_behind(2, "up").await;
    rig.kill(&deaf, 100);
    assert_eq!(rig.end(&deaf).await, Exit::Killed);
    let stopped = rig.launch(shell(3, "echo > up; kill -STOP $$"));
    rig.left_behind(3, "up").await;
    rig.kill(&stopped, 60_000);
    assert_eq!(rig.end(&stopped).await, Exit::Killed);
}

#[tokio::test]
async fn a_kill_before_the_start_prevents_it() {
    let mut rig = Rig::new().await;
    let mut tasks = vec![];
    for n in 0..50 {
        let task = rig.launch(shell(n, "echo > ran; sleep 300"));
        rig.kill(&task, 0);
        tasks.push(task);
    }
    for task in &tasks {
        assert_eq!(rig.end(task).await, Exit::Killed);
    }
    let mut prevented = 0;
    for (n, task) in (0..).zip(&tasks) {
        rig.reconcile(task);
        let TaskStatus::Ended { exit: Exit::Killed, started_at, .. } = rig.any(task).await else {
            panic!("{:?}", rig.reports);
        };
        if started_at.is_none() {
            assert!(!rig.directory(n).join("ran").exists(), "{task}");
            prevented += 1;
        }
    }
    // Which ones were still waiting for a starter is the machine's affair.
    assert!(prevented > 0);
    // Of an unknown task a kill tells the status.
    let unknown = TaskId::from_text("unknown");
    rig.kill(&unknown, 0);
    assert_eq!(rig.any(&unknown).await, TaskStatus::NeverLaunched);
}

// ---- once and only once ---------------------------------------------------------------------

#[tokio::test]
async fn a_repeated_launch_starts_once() {
    let mut rig = Rig::new().await;
    let counted = || shell(1, "echo x >> ../../../../count; read y < /dev/null; sleep 0.2");
    for _ in 0..5 {
        rig.launch(counted());
    }
    let task = counted().task_id;
    assert_eq!(rig.end(&task).await, Exit::Code(0));
    rig.reports.clear();
    rig.launch(counted());
    assert_eq!(rig.end(&task).await, Exit::Code(0));
    rig.perform(Order::Acknowledge(vec![task.clone()]));
    rig.reports.clear();
    rig.launch(counted());
    let TaskStatus::InDoubt { .. } = rig.any(&task).await else { panic!() };
    assert_eq!(fs::read_to_string(rig.data.path().join("count")).unwrap(), "x\n");
}

#[tokio::test]
async fn launches_of_an_old_term_or_past_their_time_never_happen() {
    let mut rig = Rig::new().await;
    let mut newer = shell(1, "true");
    newer.term = Term(5);
    assert_eq!(rig.run(newer).await, Exit::Code(0));
    let mut older = shell(2, "echo > ran");
    older.term = Term(4);
    let older = rig.launch(older);
    assert_eq!(rig.any(&older).await, TaskStatus::NeverLaunched);
    let mut late = shell(3, "echo > ran");
    late.term = Term(5);
    late.not_after = Some(BootInstant(Duration::from_millis(1)));
    let task = rig.launch(late.clone());
    assert_eq!(rig.any(&task).await, TaskStatus::NeverLaunched);
    // Asking again is safe and works.
    rig.reports.clear();
    late.not_after = None;
    assert_eq!(rig.run(late).await, Exit::Code(0));
    // The term outlives the keeper.
    rig.kill_keeper();
    rig.connected().await;
    let mut older = shell(4, "true");
    older.term = Term(4);
    let older = rig.launch(older);
    assert_eq!(rig.any(&older).await, TaskStatus::NeverLaunched);
}

#[tokio::test]
async fn a_new_scheduler_learns_what_happened_meanwhile() {
    let mut rig = Rig::new().await;
    let ends = rig.launch(shell(1, "while [ ! -e go ]; do sleep 0.01; done; exit 5"));
    let goes_on = rig.launch(shell(2, "while [ ! -e go ]; do sleep 0.01; done; exit 6"));
    rig.running(&ends).await;
    rig.running(&goes_on).await;
    let keeper = rig.keeper_pid();
    rig.launcher = None;
    fs::write(rig.directory(1).join("go"), "").unwrap();
    let journal = rig.data.path().join("keeper.journal");
    until(|| fs::read_to_string(&journal).unwrap().contains("\"ended\"").then_some(())).await;
    rig.connect().await;
    assert_eq!(rig.keeper_pid(), keeper);
    // Told without being asked.
    assert_eq!(rig.end(&ends).await, Exit::Code(5));
    rig.reconcile(&goes_on);
    let TaskStatus::Running { .. } = rig.any(&goes_on).await else { panic!() };
    let never = TaskId::from_text("never");
    rig.reconcile(&never);
    assert_eq!(rig.any(&never).await, TaskStatus::NeverLaunched);
    fs::write(rig.directory(2).join("go"), "").unwrap();
    assert_eq!(rig.end(&goes_on).await, Exit::Code(6));
}

#[tokio::test]
async fn an_end_is_repeated_until_it_is_acknowledged() {
    let mut rig = Rig::with(|config| config.repeat_every = Duration::from_millis(20)).await;
    let task = rig.launch(shell(1, "exit 3"));
    for _ in 0..3 {
        assert_eq!(rig.end(&task).await, Exit::Code(3));
        rig.reports.clear();
    }
    rig.perform(Order::Acknowledge(vec![task.clone()]));
    rig.connect().await;
    let never = TaskId::from_text("never");
    rig.reconcile(&never);
    rig.any(&never).await;
    assert!(rig.reports.iter().all(|report| report.task_id != task), "{:?}", rig.reports);
}

#[tokio::test]
async fn after_the_keepers_death_nothing_is_made_up_and_nothing_started_twice() {
    let mut rig = Rig::new().await;
    let text = |n: i64| {
        format!(
            "echo x >> ../../../../count{n}; echo $$ > pid; while [ ! -e go ]; do sleep 0.01; done"
        )
    };
    let known = rig.launch(shell(1, "exit 4"));
    assert_eq!(rig.end(&known).await, Exit::Code(4));
    let lost = rig.launch(shell(2, &text(2)));
    let lives_on = rig.launch(shell(3, &text(3)));
    let killed = rig.launch(shell(4, &text(4)));
    for n in [2, 3, 4] {
        rig.left_behind(n, "pid").await;
    }
    for task in [&lost, &lives_on, &killed] {
        rig.running(task).await;
    }
    let lost_pid: i32 = rig.left_behind(2, "pid").await.trim().parse().unwrap();
    rig.kill_keeper();
    kill_process(Pid::from_raw(lost_pid).unwrap(), Signal::KILL).unwrap();
    rig.connected().await;
    assert_eq!(rig.end(&known).await, Exit::Code(4));
    rig.perform(reconcile(&[lost.clone(), lives_on.clone(), killed.clone()]));
    let TaskStatus::InDoubt { reason, is_final: true } = rig.any(&lost).await else { panic!() };
    assert!(reason.contains("keeper was gone"), "{reason}");
    rig.running(&lives_on).await;
    rig.running(&killed).await;
    for n in [2, 3, 4] {
        rig.launch(shell(n, &text(n)));
    }
    rig.kill(&killed, 5_000);
    assert_eq!(rig.end(&killed).await, Exit::Killed);
    fs::write(rig.directory(3).join("go"), "").unwrap();
    let ended = |status: &TaskStatus| matches!(status, TaskStatus::InDoubt { .. });
    rig.report(&lives_on, ended).await;
    for n in [2, 3, 4] {
        let count = fs::read_to_string(rig.data.path().join(format!("count{n}"))).unwrap();
        assert_eq!(count, "x\n", "{n}");
    }
}

#[tokio::test]
async fn a_keeper_killed_at_any_moment_starts_nothing_twice() {
    let mut rig = Rig::new().await;
    let text = |n: i64| format!("echo {n} >> ../../../../ran");
    let count = 60;
    for round in 0..6 {
        for n in 0..count {
            rig.launch(shell(n, &text(n)));
        }
        // Somewhere in the middle: after a different number of starts each time.
        for n in 0..round * 4 {
            rig.report(&shell(n, "").task_id, |_| true).await;
        }
        rig.kill_keeper();
        rig.connected().await;
    }
    let all: Vec<TaskId> = (0..count).map(|n| shell(n, "").task_id).collect();
    // In doubt or ended, whoever has a claim; the rest was never launched and is now.
    rig.reports.clear();
    rig.perform(reconcile(&all));
    for (n, task) in (0..count).zip(&all) {
        match rig.report(task, |status| !matches!(status, TaskStatus::Running { .. })).await {
            TaskStatus::NeverLaunched => {
                rig.reports.clear();
                assert_eq!(rig.run(shell(n, &text(n))).await, Exit::Code(0));
                rig.reports.clear();
                rig.perform(reconcile(&all));
            }
            TaskStatus::Ended { .. } | TaskStatus::InDoubt { .. } => {}
            TaskStatus::Staged | TaskStatus::Running { .. } => unreachable!("not wanted"),
        }
    }
    let ran = fs::read_to_string(rig.data.path().join("ran")).unwrap();
    let mut lines: Vec<&str> = ran.lines().collect();
    lines.sort_unstable();
    let distinct = lines.len();
    lines.dedup();
    assert_eq!(lines.len(), distinct, "something ran twice: {ran}");
}

#[tokio::test]
async fn another_boot_leaves_doubt_until_it_is_settled() {
    let mut rig = Rig::new().await;
    let task = rig.launch(shell(1, "echo $$ > up; exec sleep 300"));
    let pid: i32 = rig.left_behind(1, "up").await.trim().parse().unwrap();
    rig.running(&task).await;
    rig.kill_keeper();
    rig.launcher = None;
    // As if the machine had been restarted since.
    let journal = rig.data.path().join("keeper.journal");
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replace(boot.trim(), "11111111-2222-3333-4444-555555555555")).unwrap();
    rig.connect().await;
    let unknown = TaskId::from_text("unknown");
    rig.perform(reconcile(&[task.clone(), unknown.clone()]));
    let TaskStatus::InDoubt { reason, is_final: true } = rig.any(&task).await else { panic!() };
    assert!(reason.contains("restarted"), "{reason}");
    let TaskStatus::InDoubt { reason, is_final: true } = rig.any(&unknown).await else { panic!() };
    assert!(reason.contains("restarted"), "{reason}");
    // All that was believed live has been asked about: whatever is unknown now is younger than the boot.
    let other = TaskId::from_text("other");
    rig.reconcile(&other);
    assert_eq!(rig.any(&other).await, TaskStatus::NeverLaunched);
    rig.reconcile(&unknown);
    let TaskStatus::InDoubt { .. } = rig.any(&unknown).await else { panic!() };
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

// ---- the keeper itself ----------------------------------------------------------------------

#[tokio::test]
async fn signals_do_not_move_the_keeper_and_the_newest_connection_counts() {
    let mut rig = Rig::new().await;
    let task = rig.launch(shell(1, "while [ ! -e go ]; do sleep 0.01; done"));
    rig.running(&task).await;
    let pid = rig.keeper_pid().unwrap();
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }
    rig.reconcile(&task);
    rig.running(&task).await;
    assert_eq!(rig.launcher.as_ref().unwrap().live(), Some(1));
    fs::write(rig.directory(1).join("go"), "").unwrap();
    assert_eq!(rig.end(&task).await, Exit::Code(0));
    tokio::time::timeout(PATIENCE, rig.launcher.as_ref().unwrap().drained()).await.unwrap();
    assert_eq!(rig.keeper_pid(), Some(pid));
}

#[tokio::test]
async fn a_second_keeper_leaves_at_once_and_an_idle_one_by_itself() {
    let mut rig = Rig::new().await;
    let pid = rig.keeper_pid().unwrap();
    let second = tokio::process::Command::new(env!("CARGO_BIN_EXE_chronode"))
        .arg("keeper")
        .arg(rig.data.path())
        .output();
    let second = tokio::time::timeout(PATIENCE, second).await.unwrap().unwrap();
    assert!(second.status.success());
    assert_eq!(rig.keeper_pid(), Some(pid));
    rig.launcher = None;
    until(|| (!lives(pid)).then_some(())).await;
    assert!(!rig.data.path().join("keeper.sock").exists());
    rig.connect().await;
    assert_ne!(rig.keeper_pid(), Some(pid));
}

#[tokio::test]
async fn a_stranger_version_is_told_so() {
    use std::io::{BufRead, BufReader, Write};
    let rig = Rig::new().await;
    let stream = std::os::unix::net::UnixStream::connect(rig.data.path().join("keeper.sock"));
    let mut stream = stream.unwrap();
    stream.write_all(b"{\"hello\":{\"version\":99,\"settings\":7}}\n").unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    assert!(line.contains("version 99") && line.contains("refused"), "{line}");
    let mode = fs::metadata(rig.data.path().join("keeper.sock")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777, 0o700);
}

#[tokio::test]
async fn a_long_path_to_the_data_directory_works() {
    let data = tempfile::tempdir().unwrap();
    let long = data.path().join("d".repeat(100)).join("e".repeat(100));
    let mut rig = Rig::within(data, |config| config.data_dir = long.clone()).await;
    assert_eq!(rig.run(shell(1, "exit 9")).await, Exit::Code(9));
    let pid = fs::read_to_string(long.join("keeper.lock")).unwrap().trim().parse().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_thousand_at_once_all_end() {
    let mut rig = Rig::new().await;
    let tasks: Vec<TaskId> = (0..1_000).map(|n| rig.launch(shell(n, "exit 0"))).collect();
    for task in &tasks {
        assert_eq!(rig.end(task).await, Exit::Code(0));
    }
    tokio::time::timeout(PATIENCE, rig.launcher.as_ref().unwrap().drained()).await.unwrap();
}

// ---- downloads ------------------------------------------------------------------------------

fn fetch(uri: &str) -> Fetch {
    Fetch {
        uri: uri.into(),
        executable: false,
        cache: false,
        extract: true,
        output_file: String::new(),
    }
}

async fn server() -> String {
    let routes = axum::Router::new()
        .route("/script", axum::routing::get(|| async { "#!/bin/sh\necho fetched \"$@\"\n" }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

#[tokio::test]
async fn downloads_come_before_the_command() {
    let mut rig = Rig::new().await;
    let base = server().await;
    let mut run = program(1, "./tool", &["a b"]);
    let mut script = fetch(&format!("{base}/script"));
    (script.executable, script.output_file) = (true, "tool".into());
    run.fetch = vec![script];
    assert_eq!(rig.run(run).await, Exit::Code(0), "{}", rig.output(1, Stream::Stderr));
    assert_eq!(rig.stdout(1), "fetched a b\n");

    let source = tempfile::tempdir().unwrap();
    fs::write(source.path().join("inside"), "packed").unwrap();
    let archive = source.path().join("a.tar.gz");
    let made = std::process::Command::new("tar")
        .arg("-czf")
        .arg(&archive)
        .args(["-C", source.path().to_str().unwrap(), "inside"])
        .status();
    assert!(made.unwrap().success());
    let plain = source.path().join("plain.gz");
    fs::copy(&archive, &plain).unwrap();
    let mut run = shell(
        2,
        "cat inside; ls -d inside kept.zip plain plain.gz; readlink /proc/$$/fd/0; ls /proc/$$/fd",
    );
    run.fetch = vec![
        fetch(&format!("file://{}", archive.display())),
        fetch(plain.to_str().unwrap()),
        Fetch { extract: false, output_file: "kept.zip".into(), ..fetch(plain.to_str().unwrap()) },
    ];
    assert_eq!(rig.run(run).await, Exit::Code(0), "{}", rig.output(2, Stream::Stderr));
    let expected = "packedinside\nkept.zip\nplain\nplain.gz\n/dev/null\n0\n1\n2\n";
    assert_eq!(rig.stdout(2), expected);
}

#[tokio::test]
async fn a_failed_download_is_why_it_could_not_start() {
    let mut rig = Rig::new().await;
    let base = server().await;
    for (n, uri, expected) in [
        (1, format!("{base}/absent"), "404"),
        (2, "http://127.0.0.1:1/x".into(), "refused"),
        (3, "/no/such/file".into(), "No such file"),
        (4, "ftp://h/x".into(), "only `http`"),
        (5, "hdfs.jar".into(), "only `http`"),
        (6, "/etc".into(), "no plain file"),
    ] {
        let mut run = shell(n, "echo > ran");
        run.fetch = vec![fetch(&uri)];
        let reason = rig.reason(run).await;
        assert!(reason.contains(&uri) && reason.contains(expected), "{reason}");
        assert!(rig.output(n, Stream::Stderr).contains(expected));
        assert!(!rig.directory(n).join("ran").exists());
    }
    let mut run = program(7, "./absent", &[]);
    run.fetch = vec![fetch(&format!("{base}/script"))];
    let reason = rig.reason(run).await;
    assert!(reason.contains("./absent"), "{reason}");
}

#[tokio::test]
async fn a_download_can_be_killed() {
    let mut rig = Rig::new().await;
    // Accepts and never answers.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut run = shell(1, "true");
    run.fetch = vec![fetch(&format!("http://{}/x", listener.local_addr().unwrap()))];
    let task = rig.launch(run);
    rig.running(&task).await;
    let _held = tokio::time::timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    rig.kill(&task, 5_000);
    let status = rig.report(&task, |status| matches!(status, TaskStatus::Ended { .. })).await;
    let TaskStatus::Ended { exit: Exit::Killed, started_at: None, .. } = status else {
        panic!("{status:?}")
    };
}

// ---- isolation ------------------------------------------------------------------------------

#[tokio::test]
async fn a_run_is_held_to_its_memory_and_processes() {
    let data = tempfile::tempdir().unwrap();
    let executable = PathBuf::from(env!("CARGO_BIN_EXE_chronode"));
    let mut config = LocalConfig::new(data.path().to_owned(), executable, "here".into());
    config.isolation = Isolation::Cgroup { cpu_quota: true, pids_max: 20 };
    let isolation = config.isolation;
    if let Err(error) = LocalLauncher::start(config, unbounded_channel().0) {
        println!("SKIPPED: NO CGROUPS HERE: {error}");
        return;
    }
    let mut rig = Rig::with(|config| config.isolation = isolation).await;
    let limited = |mut launch: Launch| {
        launch.resources.mem = Scalar::from_thousandths(32_000);
        launch.resources.cpus = Scalar::from_thousandths(500);
        launch
    };
    // The group is told before: whom the kernel ends besides the hungry one is its choice.
    let hungry = "head -c 200000000 /dev/zero | tail -c 150000000 > /dev/null";
    rig.run(limited(shell(1, &format!("grep -E 'memory|pids' /proc/self/cgroup; {hungry}")))).await;
    let stdout = rig.stdout(1);
    assert!(stdout.contains("chronode/"), "{stdout}");
    let stderr = rig.output(1, Stream::Stderr);
    assert!(stderr.contains("more than its 32.0 MiB of memory"), "{stdout}{stderr}");
    assert_eq!(rig.run(limited(shell(2, "head -c 1000 /dev/zero | wc -c"))).await, Exit::Code(0));
    // A fork bomb of a kind: more processes than allowed.
    let bomb = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do sleep 300 & done";
    let exit = rig.run(limited(shell(3, &format!("{bomb}; true")))).await;
    assert_ne!(exit, Exit::Code(0));
    // Its daemons live on, in a group that is kept for them; a kill finds them by the group alone.
    let text = "env -i setsid sh -c 'echo $$ > daemon; exec sleep 300' & wait; sleep 300";
    let task = rig.launch(limited(shell(4, text)));
    rig.running(&task).await;
    let daemon: i32 = rig.left_behind(4, "daemon").await.trim().parse().unwrap();
    rig.kill(&task, 1_000);
    assert_eq!(rig.end(&task).await, Exit::Killed);
    assert!(!lives(daemon));
    let groups = Path::new("/sys/fs/cgroup/pids/chronode");
    let names = || -> Vec<String> {
        let entries = fs::read_dir(groups).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    let inode = std::os::unix::fs::MetadataExt::ino(&fs::metadata(rig.data.path()).unwrap());
    let ours = || names().into_iter().filter(|name| name.contains(&format!("-{inode:x}-"))).count();
    if groups.exists() {
        // That of the bomb, whose sleepers live.
        until(|| (ours() == 1).then_some(())).await;
    }
    let bomb: Vec<i32> = names()
        .iter()
        .filter(|name| name.contains(&format!("-{inode:x}-")))
        .flat_map(|name| {
            let procs = fs::read_to_string(groups.join(name).join("cgroup.procs")).unwrap();
            procs.lines().map(|line| line.parse().unwrap()).collect::<Vec<i32>>()
        })
        .collect();
    for pid in bomb {
        let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
    }
    if groups.exists() {
        until(|| (ours() == 0).then_some(())).await;
    }
}

#[tokio::test]
async fn a_machine_without_processes_to_give_is_waited_for_a_while() {
    let rig = Rig::new().await;
    let group = PathBuf::from(format!("/sys/fs/cgroup/pids/chronode-test-{}", std::process::id()));
    if fs::create_dir(&group).is_err() {
        println!("SKIPPED: NO PIDS CONTROLLER OF THE FIRST GENERATION HERE");
        return;
    }
    let mut rig = rig;
    let keeper = rig.keeper_pid().unwrap();
    fs::write(group.join("cgroup.procs"), keeper.to_string()).unwrap();
    fs::write(group.join("pids.max"), "1").unwrap();
    let reason = rig.reason(shell(1, "true")).await;
    assert!(reason.contains("limit on processes"), "{reason}");
    let killed = rig.launch(shell(2, "true"));
    let waits = rig.launch(shell(3, "true"));
    let refused = || fs::read_to_string(group.join("pids.events")).unwrap();
    let before = refused();
    until(|| (refused() != before).then_some(())).await;
    rig.kill(&killed, 0);
    assert_eq!(rig.end(&killed).await, Exit::Killed);
    fs::write(group.join("pids.max"), "max").unwrap();
    assert_eq!(rig.end(&waits).await, Exit::Code(0));
    rig.kill_keeper();
    until(|| fs::remove_dir(&group).ok()).await;
}

// ---- speed ----------------------------------------------------------------------------------

/// Prints how long `count` runs of `sh -c true` take here and in a bare loop with as many starters; asserts nothing
/// of it. Run alone with `--nocapture` on a quiet machine for a figure that means something.
#[tokio::test]
async fn launch_rate_against_a_bare_loop() {
    let count = 1_000;
    let mut rig = Rig::new().await;
    for round in 0..1 {
        let begun = chronode::clock::boot();
        let workers: Vec<_> = (0..2)
            .map(|_| {
                std::thread::spawn(move || {
                    for _ in 0..count / 2 {
                        let mut shell = std::process::Command::new("/bin/sh");
                        assert!(shell.args(["-c", "true"]).status().unwrap().success());
                    }
                })
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        let bare = chronode::clock::boot().since(begun).as_secs_f64();

        let begun = chronode::clock::boot();
        let tasks: Vec<TaskId> =
            (0..count).map(|n| rig.launch(shell(round * count + n, "true"))).collect();
        let mut ended = std::collections::BTreeSet::new();
        while ended.len() < tasks.len() {
            if let Notice::Report(TaskReport { task_id, status: TaskStatus::Ended { .. } }) =
                rig.next().await
            {
                ended.insert(task_id);
            }
        }
        let ours = chronode::clock::boot().since(begun).as_secs_f64();
        println!(
            "{count} × `sh -c true`: bare {bare:.3} s ({:.0}/s), launcher {ours:.3} s ({:.0}/s), ratio {:.2}",
            count as f64 / bare,
            count as f64 / ours,
            ours / bare
        );
        rig.perform(Order::Acknowledge(tasks));
    }
}
