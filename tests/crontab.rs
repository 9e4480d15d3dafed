//! Tables of cron under Debian's own cron and here: start for start, environment for environment, input for input.
//!
//! The daemon is the real one, with a clock that is put forward instead of waiting (`differential/clock_shim.c`). What
//! it runs are probes, which write down what they find; the same table is then imported into a real server, and what the
//! probes find there must be the same.

mod common;
#[path = "differential/shim.rs"]
mod shim;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use chronode::model::Timestamp;
use common::{Place, Server};
use serde_json::{Value, json};

const DAEMON: &str = "/usr/sbin/cron";
const DAY: i64 = 86_400;
/// 2026-01-01T00:00:00Z.
const BEGIN: i64 = 1_767_225_600;

/// The binary as a client, with nothing set that would make it find another server.
fn chronode(args: &[&str]) -> Output {
    Command::new(common::program()).args(args).env_remove("CHRONODE_SERVER").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Files of a machine, in a directory.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        for folder in ["var/spool/cron/crontabs", "etc/cron.d", "var/run", "run"] {
            fs::create_dir_all(machine.path(folder)).unwrap();
        }
        machine.write("etc/crontab", "");
        machine.write("etc/timezone", "Europe/Berlin\n");
        machine
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.0.path().join(inside)
    }

    fn write(&self, inside: &str, text: &str) {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn shown(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    /// Has cron live through a stretch of time with these files; what it said.
    fn live(&self, end: i64, executes: bool) -> Log {
        assert!(
            Path::new(DAEMON).exists(),
            "there is no {DAEMON}: run tests/run, which installs it"
        );
        let log = self.path("log");
        let mut command = Command::new(DAEMON);
        command.arg("-f").env_clear().env("TZ", ":/usr/share/zoneinfo/Europe/Berlin");
        command
            .env("LD_PRELOAD", shim::path())
            .env("SHIM_LOG", &log)
            .env("SHIM_ROOT", self.0.path());
        command.env("SHIM_BEGIN", BEGIN.to_string()).env("SHIM_END", end.to_string());
        if executes {
            command.env("SHIM_EXECUTE", "1");
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        Log(fs::read_to_string(log).unwrap())
    }
}

struct Log(String);

impl Log {
    /// The minutes, in seconds since 1970, in which a command was started.
    fn starts(&self, command: &str) -> BTreeSet<i64> {
        let end = format!(" CMD ({command})");
        let lines = self.0.lines().filter(|line| line.ends_with(&end));
        lines
            .map(|line| line.split_once(' ').unwrap().0.parse::<i64>().unwrap().div_euclid(60) * 60)
            .collect()
    }

    /// The tables that it ignored.
    fn ignored(&self) -> BTreeSet<String> {
        let lines =
            self.0.lines().filter(|line| line.contains("this crontab file will be ignored"));
        lines
            .map(|line| {
                line.split_once("(*system*").unwrap().1.split_once(')').unwrap().0.to_owned()
            })
            .collect()
    }
}

/// When a stored job is due, up to an instant.
fn due(server: &Server, name: &str, end: i64) -> BTreeSet<i64> {
    // The daemon begins in the middle of its first minute.
    let from = Timestamp::from_second(BEGIN).unwrap();
    let page = server.get(&format!("/scheduler/preview?job={name}&count=1000&from={from}"));
    let list = page["next"].as_array().unwrap();
    let instants =
        list.iter().map(|it| it["utc"].as_str().unwrap().parse::<Timestamp>().unwrap().as_second());
    instants.filter(|at| *at < end).collect()
}

/// Writes down what a command finds: `D` is where.
fn probe(directory: &Path, tag: &str) -> String {
    let to = format!("{}/now/{tag}", directory.display());
    format!(
        "/usr/bin/env -0 > {to}.environment; /bin/cat > {to}.input; pwd > {to}.directory; /usr/bin/readlink /proc/$$/exe > {to}.shell; umask > {to}.umask"
    )
}

/// What the probes have written, by file.
fn found(directory: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let text = text(&fs::read(&path).unwrap());
            let text = if name.ends_with(".environment") { own(&text) } else { text };
            (name, text)
        })
        .collect()
}

/// An environment without what only one of the two sets, or the shell itself.
fn own(text: &str) -> String {
    let others = [
        "PWD=",
        "OLDPWD=",
        "SHLVL=",
        "_=",
        "CHRONODE_",
        "CHRONOS_",
        "MESOS_",
        "mesos_task_id=",
        "HOST=",
        "LANG=",
        "USER=root",
        "USER=nobody",
    ];
    let mut variables: Vec<&str> = text
        .split_terminator('\0')
        .filter(|it| !others.iter().any(|other| it.starts_with(other)))
        .collect();
    variables.sort_unstable();
    variables.join("\n")
}

#[test]
fn commands_find_the_same_here_and_there() {
    let machine = Machine::new();
    let probes = machine.path("probes");
    for side in ["cron", "chronode"] {
        fs::create_dir_all(probes.join(side)).unwrap();
        fs::set_permissions(probes.join(side), fs::Permissions::from_mode(0o777)).unwrap();
    }
    for directory in [machine.0.path(), probes.as_path()] {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let is_now = |side: &str| {
        let _ = fs::remove_file(probes.join("now"));
        symlink(probes.join(side), probes.join("now")).unwrap();
    };
    let p = |tag: &str| probe(&probes, tag);
    let printed = format!("{}/now/printed", probes.display());
    machine.write(
        "etc/crontab",
        &format!(
            "MAILTO=\"\"\n# What it is for\n0 0 * * * root {}\n1 0 * * * root {}%one%two\\%three%%end\\\n2 0 * * * root {}%\n\
             A = x y  \nB=\"  q # w \"\nC='it'\nD=a\"b\"c\nHOME=/tmp\n3 0 * * * root {}\n4 0 * * * nobody {}\n\
             PATH=/opt/bin:/usr/bin:/bin\nSHELL=/bin/bash\nLOGNAME=who\nUSER=me\nTZ=Asia/Tokyo\n5 0 * * * root {}\n\
             6 0 * * * root {}%line\n7 0 * * * root printf '\\%s|' 'a\\b' \"c\\\\d\" e\\\\f \\\\\\% 'it'\"'\"'s' $0 > {printed}\n",
            p("plain"), p("input"), p("empty"), p("home"), p("nobody"), p("bash"), p("bash-input"),
        ),
    );
    machine.write("etc/cron.d/boot", &format!("MAILTO=\"\"\n@reboot root {}\n", p("boot")));
    machine
        .write("var/spool/cron/crontabs/root", &format!("MAILTO=\"\"\n8 0 * * * {}\n", p("user")));

    is_now("cron");
    let log = machine.live(BEGIN + DAY, true);
    assert_eq!(log.ignored(), BTreeSet::new(), "{}", log.0);

    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let output = chronode(&[
        "import",
        "crontab",
        machine.shown(),
        "--load",
        "--server",
        &server.url,
        "--json",
    ]);
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["summary"]["identical"], 10, "{report:#}");
    is_now("chronode");
    for job in report["jobs"].as_array().unwrap() {
        let name = job["name"].as_str().unwrap();
        let output = chronode(&["job", "run", name, "--wait", "--server", &server.url]);
        assert!(output.status.success(), "{name}: {output:?}");
    }
    let (there, here) = (found(&probes.join("cron")), found(&probes.join("chronode")));
    assert_eq!(there.len(), 9 * 5 + 1, "{:?}", there.keys());
    assert_eq!(there, here);
    assert_eq!(there["input.input"], "one\ntwo%three\n\nend\\\n");
    assert_eq!(
        there["bash.shell"].trim_end(),
        fs::canonicalize("/bin/bash").unwrap().to_str().unwrap()
    );
}

/// Fields as people mistype them: most of them are read by nobody, some by cron alone.
fn odd_fields(random: &mut u64, pieces: &[&str]) -> String {
    let mut draw = |count: usize| {
        // Knuth's MMIX generator: the same fields every time.
        *random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*random >> 33).unwrap() % count
    };
    (0..1 + draw(4)).map(|_| pieces[draw(pieces.len())]).collect()
}

#[test]
fn whatever_cron_takes_starts_when_cron_starts_it() {
    const LINES: usize = 120;
    const DAYS: i64 = 12;
    let machine = Machine::new();
    let mut lines: Vec<String> = [
        "0 12 * * 5#2",
        "0~30 2 * * *",
        "0 1.5 * * *",
        "*x 2 * * *",
        "0 22-2,5 * * *",
        "0 22-2 * * *",
        "0 0 31-1 * 1",
        "0 0 1 * fri-mon",
        "0 0 3 * 1",
        "0 0 */3 * 1",
        "0 0 1-31/3 * 1",
        "5/15 * * * *",
        "*/61 1 * * *",
        "0 0 * * 7",
        "0 0 30 2 *",
        "0 0 L * *",
        "0 4 ? * *",
        "H 4 * * *",
        "0 0 * * sun-tue",
        "0 0 * jan-mar 6-7",
        "@daily",
        "@midnight",
        "@hourly",
        "@weekly",
        "@Daily",
        "@every_minute",
        "00 007 * * *",
        "0 0,,1 * * *",
        "0 0 0 * *",
        "1-10/3 2 * * *",
        "0 2-4/0 * * *",
        "0 5-5 * * *",
        "0 0 * 13 *",
        "0 0 * * 8",
        "0 0 1 1 mond",
    ]
    .map(str::to_owned)
    .to_vec();
    let mut random = 17;
    while lines.len() < LINES {
        let hours = ["1", "3", "7", "22", "-", ",", "/2", "*", "#", "~", "."];
        let days = ["1", "2", "5", "12", "-", ",", "/3", "*", "*", "#", "mon", "W"];
        let hour = odd_fields(&mut random, &hours);
        let day = odd_fields(&mut random, &days);
        let weekday = odd_fields(
            &mut random,
            &["0", "1", "6", "7", "-", ",", "/2", "*", "fri", "SUN", "#", "L"],
        );
        lines.push(format!("30 {hour} {day} * {weekday}"));
    }
    for (index, line) in lines.iter().enumerate() {
        machine.write(
            &format!("etc/cron.d/t{index:03}"),
            &format!("MAILTO=\"\"\n{line} root job{index}\n"),
        );
    }
    let end = BEGIN + DAYS * DAY;
    let log = machine.live(end, false);
    let ignored = log.ignored();

    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let output = chronode(&[
        "import",
        "crontab",
        machine.shown(),
        "--load",
        "--server",
        &server.url,
        "--json",
    ]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let jobs: BTreeMap<&str, &Value> = report["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| {
            (
                job["original"]["table"]
                    .as_str()
                    .or(job["body"]["labels"]["crontab"].as_str())
                    .unwrap(),
                job,
            )
        })
        .collect();
    let mut counts = (0, 0, 0);
    for (index, line) in lines.iter().enumerate() {
        let job = jobs[format!("/etc/cron.d/t{index:03}").as_str()];
        let there = log.starts(&format!("job{index}"));
        let is_ignored = ignored.contains(&format!("t{index:03}"));
        let name = job["name"].as_str().unwrap();
        if job["verdict"] == "not-carried" {
            assert!(there.is_empty(), "`{line}` is not carried, and cron starts it: {job:#}");
            let says_ignored = job["findings"].to_string().contains("ignores the whole table");
            assert_eq!(says_ignored, is_ignored, "`{line}`: {job:#}");
            counts.0 += 1;
            continue;
        }
        assert!(!is_ignored, "`{line}` is carried, and cron ignores it: {job:#}");
        assert_eq!(due(&server, name, end), there, "`{line}`: {job:#}");
        counts.1 += usize::from(!there.is_empty());
        counts.2 += usize::from(job["findings"].to_string().contains(" as `"));
    }
    // Enough of each kind that the test means something.
    assert!(counts.0 > 20 && counts.1 > 20 && counts.2 > 8, "{counts:?}");
}

#[test]
fn machines_are_imported_as_files_shadowed_compared_and_cut_over_one_by_one() {
    let (web1, web2) = (Machine::new(), Machine::new());
    let line = "MAILTO=ops@example.org\n# Says hello\n*/10 * * * * root /bin/echo hello\n";
    for machine in [&web1, &web2] {
        machine.write("etc/crontab", line);
    }
    web2.write("etc/cron.d/more", "MAILTO=nobody\n5 * * * * nobody /bin/true\n");
    web2.write("etc/cron.d/more.dpkg-old", "5 * * * * nobody /bin/false\n");
    let place = Place::new();
    let server = Server::start(&place.data(), &["--hostname", "web1"]);
    let hosts = [format!("--host=web1={}", web1.shown()), format!("--host=web2={}", web2.shown())];
    let import = |more: &[&str]| {
        let mut words = vec!["import", "crontab", &hosts[0], &hosts[1], "--server", &server.url];
        words.extend(more);
        chronode(&words)
    };

    // Told, and nothing else.
    let output = import(&[]);
    let told = text(&output.stdout);
    assert!(told.contains("cron at web1, web2: 3 jobs"), "{told}");
    assert!(told.contains("needs Mesos agents on web1, web2, of these very names"), "{told}");
    assert!(
        told.contains("3 jobs: 2 identical, 1 changed, 0 not carried; nothing is written"),
        "{told}"
    );
    assert!(
        text(&output.stderr)
            .contains("more.dpkg-old is left out, as cron does, because of its name"),
        "{output:?}"
    );
    assert_eq!(server.get("/scheduler/jobs").as_array().unwrap().len(), 0);

    // Files, which a second time are there already.
    let files = place.file("files");
    let to_files = ["--out", files.to_str().unwrap()];
    assert!(import(&to_files).status.success());
    let file = fs::read_to_string(files.join("web1.crontab.echo.yaml")).unwrap();
    assert!(file.starts_with("# From cron at web1:/etc/crontab, line 3.\n"), "{file}");
    assert!(text(&import(&to_files).stdout).contains("0 written, 3 there already"));

    // Loaded beside the living cron: planned, compared with its log, and cut over for one machine.
    let output = import(&["--load", "--shadow", "--mail-domain", "example.org"]);
    assert!(output.status.success(), "{output:?}");
    let job = server.get("/scheduler/job/web2.more.true");
    assert_eq!((&job["shadow"], &job["owner"]), (&json!(true), &json!("nobody@example.org")));
    let minute = |at: i64| Timestamp::from_second(at.div_euclid(600) * 600 + 1).unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "seconds of this century")]
    let now = common::wall_secs() as i64;
    let lines: Vec<String> = (1..=6)
        .map(|count| {
            format!("{} web1 CRON[7]: (root) CMD (/bin/echo hello)", minute(now + count * 600))
        })
        .collect();
    let log = place.file("cron.log");
    let compare = |lines: &[String]| {
        let end = format!(
            "{} web1 CRON[7]: pam_unix(cron:session): session closed",
            minute(now + 6 * 600)
        );
        fs::write(&log, format!("{}\n{end}\n", lines.join("\n"))).unwrap();
        chronode(&[
            "shadow",
            "compare-cron",
            log.to_str().unwrap(),
            "--host",
            "web1",
            "--server",
            &server.url,
        ])
    };
    let output = compare(&lines);
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output.stdout).contains("agrees"), "{output:?}");
    let output = compare(&lines[..5]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("cron did not start 1: "), "{output:?}");

    let at = "2030-01-01T00:00:00Z";
    let output = chronode(&[
        "shadow",
        "cut-over",
        "--at",
        at,
        "--label",
        "host=web1",
        "--server",
        &server.url,
    ]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        server.get("/scheduler/job/web1.crontab.echo")["shadow"],
        json!({"until": "2030-01-01T00:00:00Z"})
    );
    assert_eq!(server.get("/scheduler/job/web2.crontab.echo")["shadow"], json!(true));
    let output = chronode(&[
        "shadow",
        "cut-over",
        "--at",
        at,
        "--label",
        "host=web9",
        "--server",
        &server.url,
    ]);
    assert!(
        text(&output.stderr).contains("no job that is only planned has host=web9"),
        "{output:?}"
    );

    // And the way back.
    let output = chronode(&[
        "export",
        "crontab",
        "--host",
        "web2",
        "--zone",
        "Europe/Berlin",
        "--server",
        &server.url,
    ]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        text(&output.stdout),
        "MAILTO=\"nobody\"\nPATH=\"/usr/bin:/bin\"\n5 * * * * nobody /bin/true\n\n\
         MAILTO=\"ops@example.org\"\n# Says hello\n*/10 * * * * root /bin/echo hello\n"
    );
}

#[test]
fn what_cannot_be_read_is_told_with_what_to_do() {
    let empty = tempfile::tempdir().unwrap();
    let path = empty.path().to_str().unwrap();
    for (args, code, expected) in [
        (
            vec!["import", "crontab", path],
            1,
            "has no `etc/crontab`, no `etc/cron.d` and no `var/spool/cron`: give the directory",
        ),
        (
            vec!["import", "crontab", "/nowhere/at/all"],
            1,
            "cannot read `/nowhere/at/all`: No such file or directory",
        ),
        (
            vec!["import", "crontab", "--host", "web1", path],
            2,
            "--host: `web1` names no machine: write it as `web1=PATH`",
        ),
        (vec!["import", "crontab", "/etc/crontab", "--zone", "Mars/Olympus"], 2, "--zone: "),
        (
            vec!["import", "crontab", &format!("nobody:{path}")],
            2,
            "is a directory, and a user has one table: leave `nobody:` out",
        ),
    ] {
        let output = chronode(&args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
        assert!(text(&output.stderr).contains(expected), "{args:?}: {output:?}");
    }
}
