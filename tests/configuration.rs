//! Options of the real program: from every source, with what is refused, warned of and shown.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use common::{Place, Server, program};

/// Runs a command of the program with nothing but this environment.
fn chronode(args: &[&str], env: &[(&str, &str)]) -> Output {
    Command::new(program()).args(args).env_clear().envs(env.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Writes a file below the place and returns its path.
fn write(place: &Place, name: &str, content: &str) -> String {
    let path = place.file(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn show_tells_every_value_and_where_it_came_from() {
    let place = Place::new();
    let file = write(&place, "chronode.yaml", "task_epsilon: 120\nkill_grace: 9\ndrain: 3\n");
    let kill_grace = write(&place, "conf/kill_grace", "10\n");
    let history = write(&place, "conf/history_days", "7\n");
    let directory = place.file("conf");
    let args = [
        "config",
        "show",
        "--config",
        &file,
        "--config_dir",
        directory.to_str().unwrap(),
        "--drain",
        "4",
    ];
    let output = chronode(&args, &[("CHRONODE_TASK_EPSILON", "90"), ("PORT0", "31007")]);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{shown}{}", text(&output.stderr));
    let origin = |option: &str| {
        let line = shown.lines().find(|line| line.starts_with(&format!("{option}: ")));
        let (value, origin) = line.unwrap().split_once("  # ").unwrap();
        (value.trim().to_owned(), origin.to_owned())
    };
    for (option, value, from) in [
        ("drain", "4", "command line"),
        ("task_epsilon", "90", "CHRONODE_TASK_EPSILON"),
        ("kill_grace", "9", &format!("{file}:2")),
        ("history_days", "7", &history),
        ("http_port", "31007", "PORT0"),
        ("history_total", "1000000", "default"),
    ] {
        assert_eq!(origin(option), (format!("{option}: {value}"), from.to_owned()), "{shown}");
    }
    assert!(!shown.contains(&kill_grace), "{shown}");
}

#[test]
fn check_says_everything_that_is_wrong_and_starts_nothing() {
    let place = Place::new();
    let data = place.data().to_str().unwrap().to_owned();
    let right = ["config", "check", "--data", &data, "--schedule_horizon", "60"];
    let output = chronode(&right, &[]);
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told}{}", text(&output.stderr));
    assert!(told.contains("warning: --schedule_horizon has nothing to do: "), "{told}");
    assert!(told.ends_with("the configuration is right\n"), "{told}");

    let wrong = "http_address: 0.0.0.0\nlog_level: '=='\nhttp_prt: 1\nmaster: zk://m:2181\n";
    let file = write(&place, "chronode.yaml", wrong);
    let args = ["config", "check", "--data", &data, "--config", &file, "--jobs", "/nonexistent"];
    let output = chronode(&args, &[("CHRONODE_ZONE_DATA", "/nonexistent")]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    let told = text(&output.stderr);
    for expected in [
        "chronode: the configuration has 6 problems:\n",
        &format!("{file}:1: http_address `0.0.0.0`: others can reach this address"),
        &format!("{file}:2: log_level `==`: write `info`"),
        &format!("{file}:3: there is no option `http_prt`; did you mean `http_port`?"),
        &format!("{file}:4: master `zk://m:2181`: the path of the masters in ZooKeeper is missing"),
        "--jobs: cannot read the job directory `/nonexistent`",
        "CHRONODE_ZONE_DATA: the zone data in `/nonexistent` cannot be read",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    assert!(!place.data().exists(), "nothing was started");

    // What is shown to a cluster is read, too.
    let secret = write(&place, "secret", "s3cret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let cluster = ["--master", "10.0.0.1:5050", "--mesos_authentication_principal", "chronos"];
    let files = ["--mesos_authentication_secret_file", &secret, "--mesos_ca_file", "/nonexistent"];
    let output = chronode(&[&["config", "check"][..], &cluster, &files].concat(), &[]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(
        told.contains("--mesos_authentication_secret_file") && told.contains(&secret),
        "{told}"
    );
    assert!(!told.contains("s3cret"), "{told}");

    // What can be read is shown all the same.
    let output = chronode(&["config", "show", "--config", &file], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("http_address: 0.0.0.0"), "{output:?}");
    assert!(text(&output.stderr).contains("http_prt"), "{output:?}");
}

#[test]
fn a_scheduler_starts_from_the_files_of_a_package_and_warns_of_what_has_nothing_to_do() {
    let place = Place::new();
    let hostname = write(&place, "conf/hostname", "node7.example\n");
    let directory = place.file("conf").to_str().unwrap().to_owned();
    // The port of the package loses against the one on the command line.
    write(&place, "conf/http_port", "4400\n");
    write(&place, "conf/cassandra_port", "9042\n");
    write(&place, "conf/?http_compression", "");
    let file = write(&place, "chronode.yaml", "attributes: rack:r1\nmaster: local\n");
    let args = ["--config", &file, "--config_dir", &directory, "--leader_max_idle_time", "5000"];
    let server = Server::start(&place.data(), &args);
    let info = server.get("/scheduler/info");
    assert!(info.to_string().contains("node7.example"), "{hostname}: {info}");
    let log = server.log();
    for expected in [
        format!("{directory}/cassandra_port has nothing to do: the history of runs is built in"),
        format!("{directory}/?http_compression has nothing to do: "),
        "--leader_max_idle_time has nothing to do: ".to_owned(),
    ] {
        assert!(log.contains(&expected), "{expected}\n{log}");
    }
    assert_eq!(log.matches("has nothing to do").count(), 3, "{log}");
}

#[test]
fn what_the_release_cannot_do_is_refused_before_anything_is_started() {
    let place = Place::new();
    for (args, env, expected) in [
        (&["--master", "zk://m:2181"][..], &[][..], "--master `zk://m:2181`: the path of"),
        (
            &["--zk_hosts", "localhost:2181"],
            &[],
            "--zk_hosts `localhost:2181`: this release keeps its state",
        ),
        (
            &["--graphite_host_port", "graphite:2003"],
            &[],
            "--graphite_host_port `graphite:2003`: this release reports nothing",
        ),
        (&["--mail_server", "mail:25"], &[], "--mail_server `mail:25`: name the sender too"),
        (
            &["--slack_url_file", "/nonexistent"],
            &[],
            "--slack_url_file: cannot read `/nonexistent`: ",
        ),
        (&[], &[("CHRONODE_MAIL_PASSWORD", "hush")], "CHRONODE_MAIL_PASSWORD `***`: "),
        (&["--config", "/nonexistent.yaml"], &[], "--config `/nonexistent.yaml`: cannot be read: "),
    ] {
        let refused = Server::try_start(&place.data(), args, env).unwrap_err();
        assert_eq!(refused.status.code(), Some(1), "{args:?}");
        assert!(refused.log.contains(expected), "{args:?}: {}", refused.log);
        assert!(!refused.log.contains("hush"), "{}", refused.log);
    }
    // A value of the wrong type, or no flag at all, is a mistake on the command line.
    for args in [&["--cassandra_port", "many"][..], &["--zk_host", "z"]] {
        let refused = Server::try_start(&place.data(), args, &[]).unwrap_err();
        assert_eq!(refused.status.code(), Some(2), "{args:?}: {}", refused.log);
        assert!(refused.log.contains(args[0]), "{args:?}: {}", refused.log);
    }
    assert!(!place.data().exists());
}

#[test]
fn help_has_headings_and_the_short_one_only_what_has_a_meaning() {
    let long = chronode(&["serve", "--help"], &[]);
    let short = chronode(&["serve", "-h"], &[]);
    let (long, short) = (text(&long.stdout), text(&short.stdout));
    for heading in
        ["Listening:", "State:", "History:", "Defaults of jobs:", "Notifications:", "Log:"]
    {
        assert!(long.contains(heading) && short.contains(heading), "{heading}\n{long}");
    }
    assert!(long.contains("Flags of Chronos that have nothing to do here:"), "{long}");
    assert!(long.contains("--cassandra_port") && !short.contains("cassandra"), "{short}");
    assert!(long.contains("CHRONODE_HTTP_PORT"), "{long}");
}
