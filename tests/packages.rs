//! What is in `packaging/`, and the image: the Debian package on a machine of its own, the examples by the programs that
//! they are for, and the scheduler as the first process of a container.

mod common;
#[path = "packages/machine.rs"]
mod machine;
#[path = "packages/proxies.rs"]
mod proxies;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{Place, Server, first_child, wait_for};
use machine::Machine;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn chronode(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chronode")).args(words).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Builds the package of the program under test, as of that version.
fn package(out: &Path, version: &str) -> PathBuf {
    let output = Command::new(root().join("packaging/deb"))
        .args(["--binary", env!("CARGO_BIN_EXE_chronode"), "--out"])
        .arg(out)
        .args(["--version", version, "--compression", "none"])
        .env("SOURCE_DATE_EPOCH", "1795800000")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let built = fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path());
    let of_version = format!("chronode_{version}_");
    let mut built =
        built.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&of_version));
    built.next().unwrap()
}

/// From nothing to purged: the files, whom they belong to, the service by its unit's own lines, and an upgrade in the
/// middle of a command.
#[test]
fn the_debian_package_installs_runs_upgrades_under_a_command_and_goes() {
    if !rustix::process::geteuid().is_root() {
        // Only root has machines to give away; the continuous build is root.
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let machine = Machine::boot();
    for version in ["1.0.0", "1.0.1"] {
        let built = package(out.path(), version);
        // The same sources give the same package.
        let bytes = fs::read(&built).unwrap();
        assert!(fs::read(package(out.path(), version)).unwrap() == bytes, "{version}");
        fs::copy(built, machine.path(&format!("/tmp/{version}.deb"))).unwrap();
    }
    let install = |version: &str| {
        // Without what rebuilds the machine's other indexes.
        machine.run(&format!("dpkg --force-unsafe-io --no-triggers -i /tmp/{version}.deb 2>&1"))
    };
    let modes = |paths: &str| machine.run(&format!("stat -c '%a %U:%G %n' {paths}"));

    install("1.0.0");
    assert_eq!(machine.asked(), ["start"]);
    assert_eq!(machine.hears(), "READY=1", "{}", machine.journal());
    let owners = "755 root:root /usr/bin/chronode\n644 root:root /usr/lib/systemd/system/chronode.service\n\
         750 root:chronode /etc/chronode\n750 root:chronode /etc/chronode/jobs\n\
         640 root:chronode /etc/chronode/chronode.yaml\n600 chronode:chronode /etc/chronode/credentials\n\
         600 root:root /etc/chronode/admin.token\n700 chronode:chronode /var/lib/chronode\n";
    let paths: Vec<&str> = owners.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    assert_eq!(modes(&paths.join(" ")), owners);
    let status = machine.run("cat /proc/$(cat /run/main)/status");
    let uid = machine.run("id -u chronode");
    assert!(status.contains(&format!("Uid:\t{}", uid.trim())), "{status}");
    machine.run("chronode health && chronode config check --config /etc/chronode/chronode.yaml");
    // Nobody is let in without the token.
    let turned_away = machine.try_run("env -u CHRONODE_TOKEN_FILE chronode job list");
    assert!(told(&turned_away).contains("credentials"), "{turned_away:?}");

    let command = "echo begun; until [ -e /tmp/release ]; do sleep 0.02; done; id -un; umask";
    let job = json!({"name": "a", "schedule": "R/2099-01-01T00:00:00Z/P1D", "command": command,
                     "retries": 0});
    machine.write("/tmp/job.json", &job.to_string());
    let run = machine.run("chronode job put /tmp/job.json >/dev/null && chronode run now a");
    let run = run.split_whitespace().last().unwrap().to_owned();
    let show = || -> Value {
        serde_json::from_str(&machine.run(&format!("chronode run show {run} --json"))).unwrap()
    };
    wait_for("it to run", || {
        machine.run(&format!("chronode logs {run}")).contains("begun").then_some(())
    });
    let main = || machine.text("/run/main");

    // Killed, and started again.
    machine.run("kill -9 $(cat /run/main); systemctl start chronode.service");
    assert_eq!(machine.hears(), "READY=1", "{}", machine.journal());
    assert_eq!(show()["state"], "active");

    // Upgraded: the file of options is as the administrator left it, and the command goes on under the keeper of before.
    machine
        .run("echo '# mine' >>/etc/chronode/chronode.yaml; chmod 0600 /etc/chronode/credentials");
    let (before, token) = (main(), machine.text("/etc/chronode/admin.token"));
    machine.asked();
    install("1.0.1");
    assert_eq!(machine.asked(), ["restart"]);
    assert_eq!([machine.hears(), machine.hears()], ["STOPPING=1", "READY=1"]);
    assert_ne!(main(), before);
    assert!(machine.run("dpkg -s chronode").contains("\nVersion: 1.0.1\n"));
    assert!(machine.text("/etc/chronode/chronode.yaml").ends_with("# mine\n"));
    assert_eq!(machine.text("/etc/chronode/admin.token"), token);
    let keeper = machine.run("readlink /proc/$(cat /var/lib/chronode/keeper.lock)/exe");
    assert_eq!(keeper, "/usr/bin/chronode (deleted)\n");
    assert_eq!(show()["state"], "active");
    machine.write("/tmp/release", "");
    let ended = wait_for("it to end", || Some(show()).filter(|run| run["state"] == "ended"));
    assert_eq!(ended["verdict"], "succeeded", "{ended}");
    // Commands have the service's user, and the umask that cron gives.
    let output = machine.run(&format!("chronode logs {run}"));
    assert_eq!(output, "begun\nchronode\n0022\n");

    // Backed up while it runs, and restored into an empty directory, by the document's own lines.
    let listed = || {
        ["job list", "run list", "job history a"]
            .map(|words| machine.run(&format!("chronode {words} --json")))
    };
    let [backup, restore] = shell_of("## Backup and restore");
    let before = listed();
    machine.run(&backup);
    machine.run("chronode job delete a");
    assert_ne!(listed(), before);
    machine.run(&restore);
    assert_eq!([machine.hears(), machine.hears()], ["STOPPING=1", "READY=1"]);
    assert_eq!(listed(), before);
    // A copy that root makes while nobody uses the data leaves nothing that is in the service's way.
    machine
        .run(&format!("systemctl stop chronode.service\n{backup}systemctl start chronode.service"));
    assert_eq!([machine.hears(), machine.hears()], ["STOPPING=1", "READY=1"]);
    machine.asked();

    machine.run("dpkg --no-triggers -r chronode");
    assert_eq!(machine.asked(), ["stop"]);
    assert_eq!(machine.hears(), "STOPPING=1");
    machine.run("test -e /var/lib/chronode/chronode.db && test -e /etc/chronode/chronode.yaml");
    machine.write("/etc/chronode/mine", "");
    machine.run("dpkg --no-triggers --purge chronode");
    let left = machine.run("ls -d /etc/chronode/* /var/lib/chronode 2>/dev/null || true");
    assert_eq!(left, "/etc/chronode/mine\n");
    assert!(!machine.try_run("dpkg -s chronode").status.success());
}

/// The blocks of shell text in a section of the guide to operation.
fn shell_of<const COUNT: usize>(heading: &str) -> [String; COUNT] {
    let text = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let (_, section) = text.split_once(&format!("\n{heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.map(str::to_owned).collect::<Vec<_>>().try_into().unwrap()
}

/// Whoever goes back to an older release must not lose what the newer one has written.
#[test]
fn a_database_of_a_later_release_is_refused_and_left_as_it_is() {
    let place = Place::new();
    assert!(Server::start(&place.data(), &[]).terminate().success());
    let path = place.data().join("chronode.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let layout: u32 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    connection.pragma_update(None, "user_version", layout + 1).unwrap();
    drop(connection);
    let before = fs::read(&path).unwrap();
    let refused = Server::try_start(&place.data(), &[], &[]).unwrap_err();
    assert_eq!(refused.status.code(), Some(1));
    let expected = format!(
        "was written by a newer Chronode (its layout is {}, this one knows {layout}): use that version, or restore a \
         backup made before the upgrade",
        layout + 1
    );
    assert!(refused.log.contains(&expected), "{}", refused.log);
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// systemd itself reads the unit and each of its drop-ins, and says how exposed a service is by it.
#[test]
fn systemd_reads_the_unit_and_what_hardens_it() {
    let place = tempfile::tempdir().unwrap();
    let unit = fs::read_to_string(root().join("packaging/debian/chronode.service")).unwrap();
    // It wants the program to be there.
    let unit = unit.replace("/usr/bin/chronode", env!("CARGO_BIN_EXE_chronode"));
    let exposure = |drop_in: Option<&str>| -> f64 {
        let path = place.path().join("chronode.service");
        let more = drop_in.map(|name| {
            let path = root().join("packaging/examples/systemd").join(name);
            fs::read_to_string(path).unwrap()
        });
        fs::write(&path, format!("{unit}\n{}", more.unwrap_or_default())).unwrap();
        let analyze = |words: &[&str]| {
            let output = Command::new("systemd-analyze")
                .args(words)
                .arg(&path)
                // Else other units of this machine are complained of too.
                .env(
                    "SYSTEMD_UNIT_PATH",
                    format!("{}:/usr/lib/systemd/system", place.path().display()),
                )
                .output()
                .expect("tests/run installs systemd");
            assert!(output.status.success(), "{drop_in:?}: {output:?}");
            let said = told(&output);
            (String::from_utf8(output.stdout).unwrap(), said)
        };
        let (_, complaints) = analyze(&["verify", "--man=no", "--recursive-errors=no"]);
        assert!(!complaints.contains("chronode"), "{complaints}");
        let (text, _) = analyze(&["security", "--offline=true", "--no-pager"]);
        let line = text.lines().find_map(|line| line.split_once("level for chronode.service: "));
        line.unwrap().1.split(' ').next().unwrap().parse().unwrap()
    };
    let (plain, strict, as_root) =
        (exposure(None), exposure(Some("strict.conf")), exposure(Some("root.conf")));
    assert!(strict < 3.0 && strict < plain && plain < as_root, "{strict} {plain} {as_root}");
    for line in ["Type=notify", "KillMode=process", "OOMPolicy=continue", "TasksMax=infinity"] {
        assert!(unit.lines().any(|it| it == line), "{line}");
    }
    // Emptied at every restart, under commands that go on.
    assert!(!unit.contains("\nPrivateTmp"));
}

#[test]
fn each_example_is_a_right_configuration() {
    let place = tempfile::tempdir().unwrap();
    let own = place.path().to_str().unwrap();
    for name in ["credentials", "mesos.secret"] {
        fs::write(place.path().join(name), "secret").unwrap();
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(place.path().join(name), private).unwrap();
    }
    fs::create_dir(place.path().join("jobs")).unwrap();
    for example in [
        "debian/chronode.yaml",
        "examples/one-machine/chronode.yaml",
        "examples/mesos/chronode.yaml",
        "examples/behind-a-proxy/chronode.yaml",
    ] {
        let text = fs::read_to_string(root().join("packaging").join(example)).unwrap();
        // What is only proposed is right too.
        let proposed = text.replace("\n#mail", "\nmail").replace("\n#operators", "\noperators");
        for text in [&text, &proposed] {
            let path = place.path().join("chronode.yaml");
            fs::write(&path, text.replace("/etc/chronode", own)).unwrap();
            let output = chronode(&["config", "check", "--config", path.to_str().unwrap()]);
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(said, "the configuration is right\n", "{example}: {}", told(&output));
        }
    }
}

/// The first process of a container of its own.
struct Container {
    server: Server,
    first: u32,
}

impl Container {
    fn start(place: &Place, args: &[&str]) -> Self {
        let mut unshare = Command::new("unshare");
        unshare.args([
            "--pid",
            "--fork",
            "--mount-proc",
            "--kill-child",
            common::program().as_str(),
        ]);
        let server = Server::try_command(unshare, &place.data(), args, &[]).unwrap();
        let outside = server.pid().as_raw_nonzero().get().cast_unsigned();
        Self { first: first_child(outside).unwrap(), server }
    }

    /// As `docker stop` or `docker kill` do it.
    fn signal(&self, signal: Signal) {
        kill_process(pid(self.first), signal).unwrap();
    }

    /// The scheduler, which the first process has started.
    fn scheduler(&self) -> u32 {
        first_child(self.first).unwrap()
    }
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(number.cast_signed()).unwrap()
}

fn field(pid: u32, name: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":\t"));
    line.map(str::to_owned)
}

#[test]
fn as_the_first_process_it_reaps_orphans_passes_signals_on_and_drains() {
    if !rustix::process::geteuid().is_root() {
        // Only root may make namespaces everywhere.
        return;
    }
    let place = Place::new();
    let container = Container::start(&place, &["--drain", "600"]);
    let server = &container.server;
    assert_eq!(field(container.first, "NSpid").unwrap().split('\t').next_back(), Some("1"));
    let warned = "Chronode is the first process of its container";
    wait_for("the warning", || server.log().contains(warned).then_some(()));
    let healthy = |url: &str| chronode(&["health", "--server", url]);
    let output = healthy(&server.url);
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!((output.status.code(), said), (Some(0), format!("{} is healthy\n", server.url)));

    // A command leaves somebody behind, who then loses the keeper, and belongs to the first process from then on.
    let (orphan, gate) = (place.file("orphan"), place.file("gate"));
    let command = format!(
        "setsid sh -c 'echo $$ >{0}.new; mv {0}.new {0}; until [ -e {1} ]; do sleep 0.02; done' </dev/null >/dev/null 2>&1 &",
        orphan.display(),
        gate.display()
    );
    server
        .post(&json!({"name": "leaves", "schedule": "R1//PT1M", "command": command, "retries": 0}));
    assert_eq!(server.ended_run("leaves")["verdict"], "succeeded");
    let inside = wait_for("the orphan", || fs::read_to_string(&orphan).ok());
    let orphan = wait_for("it to be found", || {
        let numbers = fs::read_dir("/proc").unwrap().flatten();
        let mut numbers =
            numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        numbers.find(|&number| {
            let within = field(number, "NSpid").unwrap_or_default();
            within.contains('\t')
                && within.ends_with(&format!("\t{}", inside.trim()))
                && fs::read_link(format!("/proc/{number}/ns/pid")).ok()
                    == fs::read_link(format!("/proc/{}/ns/pid", container.first)).ok()
        })
    });
    let parent = || field(orphan, "PPid");
    assert_ne!(parent(), Some(container.first.to_string()), "the keeper has it");
    place.kill_keeper();
    wait_for("the first process to have it", || {
        (parent() == Some(container.first.to_string())).then_some(())
    });
    fs::write(&gate, "").unwrap();
    // A zombie would be there for ever.
    wait_for("it to be reaped", || field(orphan, "State").is_none().then_some(()));

    // SIGHUP reaches the scheduler; SIGTERM has it wait for what runs.
    container.signal(Signal::HUP);
    wait_for("SIGHUP", || server.log().contains("SIGHUP: ").then_some(()));
    let (running, gate) = (place.file("running"), place.file("gate-2"));
    let command = format!(
        "touch {}; until [ -e {} ]; do sleep 0.02; done",
        running.display(),
        gate.display()
    );
    server.post(&json!({"name": "runs", "schedule": "R1//PT1M", "command": command, "retries": 0}));
    wait_for("it to run", || running.exists().then_some(()));
    container.signal(Signal::TERM);
    wait_for("the drain", || server.log().contains("SIGTERM: stopping").then_some(()));
    assert_eq!(server.log().matches("again: not waiting").count(), 0);
    assert_eq!(healthy(&server.url).status.code(), Some(0), "it drains, and is well");
    fs::write(&gate, "").unwrap();
    let Container { mut server, .. } = container;
    assert!(server.wait().success());
    let output = healthy(&server.url);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("cannot reach"), "{output:?}");
    drop(server);

    // The next start knows how it ended; and a scheduler that is killed ends the container with what that says.
    let mut container = Container::start(&place, &[]);
    assert_eq!(container.server.ended_run("runs")["verdict"], "succeeded");
    kill_process(pid(container.scheduler()), Signal::KILL).unwrap();
    let status = container.server.wait();
    assert_eq!((status.code(), status.signal()), (Some(137), None));
}
