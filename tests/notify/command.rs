//! Command hooks: real programs.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use chronode::notify::{Channel, ChannelConfig, CommandConfig};

use tokio::sync::oneshot;

use super::sample::{failure, failures, letter};

/// Longer than anything takes; only a failing test waits this long.
const PATIENCE: Duration = Duration::from_secs(60);

struct Script {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Script {
    fn new(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tell");
        fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        Self { folder, path }
    }

    fn config(&self, arguments: &[&str]) -> CommandConfig {
        // `sh` reads it, so that nothing depends on when a file that was written may be executed.
        let path = self.path.to_str().unwrap();
        let argv = ["/bin/sh", path].iter().chain(arguments).map(|&text| text.to_owned()).collect();
        CommandConfig {
            environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            ..CommandConfig::new(argv)
        }
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}

fn channel(config: CommandConfig) -> Channel {
    Channel::new("tell", ChannelConfig::Command(config)).unwrap()
}

#[tokio::test]
async fn a_command_gets_the_webhook_its_arguments_and_little_else() {
    let script = Script::new(
        "cd \"$1\" && cat >body && env | sort >environment && pwd >folder && printf '%s|' \"$@\" >arguments && echo done",
    );
    let folder = script.folder.path().to_str().unwrap().to_owned();
    let channel = channel(script.config(&[&folder, "a b", "$(touch x)", ""]));
    assert_eq!((channel.kind(), channel.to().as_str()), ("command", "/bin/sh"));
    assert_eq!(channel.send(&failure()).await.unwrap(), "ended with code 0; it said `done`");
    let body: serde_json::Value = serde_json::from_str(&script.read("body")).unwrap();
    assert_eq!(body, chronode::notify::render::webhook(&failure()));
    assert_eq!(script.read("arguments"), format!("{folder}|a b|$(touch x)||"));
    let environment = script.read("environment");
    let names: Vec<&str> = environment.lines().filter_map(|line| line.split('=').next()).collect();
    let given =
        ["CHRONODE_ALERT", "CHRONODE_JOB", "CHRONODE_KIND", "CHRONODE_NOTIFICATION", "PATH"];
    // What a shell sets of itself.
    let own = ["OLDPWD", "PWD", "SHLVL", "_"];
    assert!(given.iter().all(|name| names.contains(name)), "{environment}");
    assert!(names.iter().all(|name| given.contains(name) || own.contains(name)), "{environment}");
    for line in ["CHRONODE_NOTIFICATION=n12", "CHRONODE_KIND=alert", "CHRONODE_JOB=nightly-report"]
    {
        assert!(environment.lines().any(|found| found == line), "{environment}");
    }
}

#[tokio::test]
async fn any_end_but_a_good_one_is_tried_again() {
    for (lines, told) in [
        ("echo 'no route' >&2; exit 3", "`/bin/sh` ended with code 3; it said `no route`"),
        ("kill -TERM $$", "`/bin/sh` was ended by signal 15"),
    ] {
        let error = channel(Script::new(lines).config(&[])).send(&failure()).await.unwrap_err();
        assert!(!error.is_final, "{error}");
        assert_eq!(error.problem, told);
    }
    let missing = CommandConfig::new(vec!["/nowhere/at/all".to_owned()]);
    let error = channel(missing).send(&failure()).await.unwrap_err();
    assert!(
        !error.is_final && error.problem.starts_with("cannot start `/nowhere/at/all`: "),
        "{error}"
    );
}

/// A pipe with a name, and a thread that reads it to its end: the death of whoever has opened it for writing.
fn pipe(script: &Script) -> (oneshot::Receiver<()>, oneshot::Receiver<String>) {
    let path = script.folder.path().join("alive");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let (opened, is_open) = oneshot::channel();
    let (ended, is_ended) = oneshot::channel();
    std::thread::spawn(move || {
        let mut file = fs::File::open(path).unwrap();
        // Nobody may be interested.
        let _ = opened.send(());
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        let _ = ended.send(text);
    });
    (is_open, is_ended)
}

async fn soon<T>(future: oneshot::Receiver<T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it ends").unwrap()
}

#[tokio::test]
async fn a_command_that_is_not_over_in_time_is_killed_with_what_it_started() {
    let script = Script::new("sleep 1000 >\"$1/alive\" & wait");
    let folder = script.folder.path().to_str().unwrap().to_owned();
    let (_, is_ended) = pipe(&script);
    let config = CommandConfig { time_max: Duration::from_secs(5), ..script.config(&[&folder]) };
    let error = channel(config).send(&failure()).await.unwrap_err();
    assert!(!error.is_final, "{error}");
    assert_eq!(error.problem, "`/bin/sh` was killed, because it was not over after 5 s");
    assert_eq!(soon(is_ended).await, "");
}

#[tokio::test]
async fn a_command_whose_sender_goes_away_does_not_go_on() {
    let script = Script::new("sleep 1000 >\"$1/alive\" & wait");
    let folder = script.folder.path().to_str().unwrap().to_owned();
    let (is_open, is_ended) = pipe(&script);
    let channel = channel(script.config(&[&folder]));
    let letter = failure();
    tokio::select! {
        sent = channel.send(&letter) => panic!("{sent:?}"),
        () = soon(is_open) => {}
    }
    assert_eq!(soon(is_ended).await, "");
}

#[tokio::test]
async fn a_command_need_not_read_and_may_say_much() {
    // More than a pipe holds, both ways.
    let script = Script::new(
        "i=0; while [ $i -lt 3000 ]; do echo 'a line of forty characters, or nearly so'; i=$((i+1)); done",
    );
    let large = letter(chronode::model::NotificationKind::Digest, failures(500));
    let said = channel(script.config(&[])).send(&large).await.unwrap();
    assert!(said.starts_with("ended with code 0; it said `a line of forty"), "{said}");
    assert!(said.len() < 400, "{said}");
}

#[tokio::test]
async fn what_a_command_leaves_behind_is_not_waited_for() {
    let script = Script::new("sleep 1000 & echo $! >\"$1/left\"; echo told");
    let folder = script.folder.path().to_str().unwrap().to_owned();
    let said = channel(script.config(&[&folder])).send(&failure()).await.unwrap();
    assert_eq!(said, "ended with code 0; it said `told`");
    let left: i32 = script.read("left").trim().parse().unwrap();
    let left = rustix::process::Pid::from_raw(left).unwrap();
    rustix::process::kill_process(left, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn a_command_is_a_program_by_its_whole_path() {
    for argv in [vec![], vec![""], vec!["tell"], vec!["./tell"], vec!["/bin/tell", "a\0b"]] {
        let argv: Vec<String> = argv.into_iter().map(str::to_owned).collect();
        let config = CommandConfig::new(argv.clone());
        let error = Channel::new("tell", ChannelConfig::Command(config)).unwrap_err().to_string();
        assert!(error.contains("whole path") || error.contains("NUL"), "{argv:?}: {error}");
    }
    let secret = CommandConfig::new(vec!["/bin/tell".to_owned(), "--token=s3cret".to_owned()]);
    assert!(!format!("{secret:?}").contains("s3cret"));
}
