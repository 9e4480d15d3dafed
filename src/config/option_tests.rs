//! Options from all sources, against the parser of the program.

mod listening;
mod mesos;
mod notifications;
mod written;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use clap::{Args, Command, Parser};

use super::chronos::{FLAGS, Fate, Form};
use super::resolve::{Resolution, Typed};
use super::table::{Table, variable};
use super::{Config, ServeFlags};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    typed: Typed,
}

fn resolution(args: &[&str], env: &[(&str, &str)]) -> Resolution {
    let line = Line::try_parse_from(std::iter::once(&"serve").chain(args)).unwrap();
    let env: BTreeMap<&str, &str> = env.iter().copied().collect();
    line.typed.resolve_with(&|name| env.get(name).map(OsString::from))
}

fn config(resolution: &Resolution) -> Config {
    let (config, problems) = resolution.config("host.example");
    assert_eq!(problems, Vec::<String>::new());
    config.unwrap()
}

fn problems(resolution: &Resolution) -> Vec<String> {
    resolution.config("host.example").1
}

/// A file of options and a directory of them.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("conf")).unwrap();
        Self(place)
    }

    fn file(&self, text: &str) -> String {
        let path = self.0.path().join("chronode.yaml");
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn directory(&self, files: &[(&str, &str)]) -> String {
        let path = self.0.path().join("conf");
        for (name, text) in files {
            fs::write(path.join(name), text).unwrap();
        }
        path.to_str().unwrap().to_owned()
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Sources in their order, the strongest first.
const SOURCES: [&str; 5] = ["flag", "variable", "file", "directory", "PORT0"];

/// The port that holds where these sources have one each: 1001 for the flag, 1002 for the variable, and so on.
fn port_from(sources: &[&str]) -> u16 {
    let place = Place::new();
    let file = place.file("http_port: 1003\n");
    let directory = place.directory(&[("http_port", "1004\n")]);
    let (mut args, mut env) = (Vec::new(), Vec::new());
    for source in sources {
        match *source {
            "flag" => args.extend(["--http_port", "1001"]),
            "variable" => env.push(("CHRONODE_HTTP_PORT", "1002")),
            "file" => args.extend(["--config", &file]),
            "directory" => env.push(("CHRONODE_CONFIG_DIR", directory.as_str())),
            "PORT0" => env.push(("PORT0", "1005")),
            other => panic!("no source {other}"),
        }
    }
    config(&resolution(&args, &env)).listen.port()
}

#[test]
fn of_two_sources_the_stronger_one_holds() {
    assert_eq!(port_from(&[]), 4400);
    for (index, strong) in SOURCES.iter().enumerate() {
        let expected = 1001 + u16::try_from(index).unwrap();
        assert_eq!(port_from(&[strong]), expected, "{strong} before the default");
        for weak in &SOURCES[index + 1..] {
            assert_eq!(port_from(&[strong, weak]), expected, "{strong} before {weak}");
        }
    }
}

#[test]
fn a_problem_is_told_with_the_place_where_the_value_was_given() {
    let place = Place::new();
    let file = place.file("# comment\nhttp_port: 70000\ntask_epsilon: soon\n");
    let directory = place.directory(&[("mesos_task_cpu", "0"), ("log", "loud\n")]);
    let sources = ["--config", &file, "--config_dir", &directory];
    let args = [&sources[..], &["--attributes", "rack"]].concat();
    let found = problems(&resolution(&args, &[("CHRONODE_HISTORY_DAYS", "0")]));
    let expected = [
        format!("{file}:2: http_port `70000`: 70000 is not in 0..=65535"),
        format!("{file}:3: task_epsilon `soon`: give a whole number"),
        format!("{directory}/log `loud`: give one of `auto`, `human`, `json`"),
        "--attributes `rack`: write `name:value;name:value`".to_owned(),
        format!("{directory}/mesos_task_cpu `0`: give an amount above 0"),
        "CHRONODE_HISTORY_DAYS `0`: give at least 1".to_owned(),
    ];
    assert_eq!(sorted(found), sorted(expected.to_vec()), "all of them, not the first alone");
}

fn sorted(mut sentences: Vec<String>) -> Vec<String> {
    sentences.sort();
    sentences
}

#[test]
fn what_a_file_of_options_may_not_say() {
    for (text, expected) in [
        ("htp_port: 1\n", ":1: there is no option `htp_port`; did you mean `http_port`?"),
        ("\nhttp-port: 1\n", ":2: there is no option `http-port`; did you mean `http_port`?"),
        ("zzz:\n", ":1: there is no option `zzz`; `chronode serve --help` lists all"),
        ("jobs:\n", ":1: `jobs` has no value"),
        ("jobs: [a, b]\n", ":1: the value of `jobs` has to be one text"),
        ("log: {form: json}\n", ":1: the value of `log` has to be one text"),
        ("drain: 1\ndrain: 2\n", ":2: "),
        ("- drain\n", ":1: write lines of the form `name: value`"),
        ("drain\n", ":1: write lines of the form `name: value`"),
        ("drain: 1\n---\nlog: json\n", ":3: a second document begins here"),
        ("drain: 1\njobs: *x\n", ":2: "),
        ("config: other.yaml\n", "can be given on the command line and as CHRONODE_CONFIG only"),
        ("insecure: maybe\n", ":1: insecure `maybe`: give `true` or `false`"),
    ] {
        let place = Place::new();
        let file = place.file(text);
        let found = problems(&resolution(&["--config", &file], &[]));
        assert_eq!(found.len(), 1, "{text:?}: {found:?}");
        assert!(found[0].starts_with(&file), "{text:?}: {found:?}");
        assert!(found[0].contains(expected), "{text:?}: {found:?}");
    }
}

#[test]
fn a_file_of_options_says_what_the_command_line_would() {
    let place = Place::new();
    let file = place.file(
        "http_address: 0.0.0.0\ninsecure: yes\nhttp_port: 4401 # comment\nattributes: \"rack:r1;disk:ssd\"\n\
         mesos_task_cpu: 1.50\nhostname: '007'\n",
    );
    let config = config(&resolution(&["--config", &file], &[]));
    assert_eq!(config.listen.to_string(), "0.0.0.0:4401");
    assert_eq!(config.attributes["rack"], "r1");
    assert_eq!(config.hostname, "007");
    for text in ["", "# nothing\n", "---\n"] {
        let file = place.file(text);
        assert_eq!(problems(&resolution(&["--config", &file], &[])), Vec::<String>::new());
    }
}

#[test]
fn sources_that_cannot_be_read_are_named() {
    let place = Place::new();
    let missing = place.path().join("missing").to_str().unwrap().to_owned();
    for flag in ["--config", "--config_dir"] {
        let found = problems(&resolution(&[flag, &missing], &[]));
        let expected = format!("{flag} `{missing}`: cannot be read: ");
        assert!(found[0].starts_with(&expected), "{found:?}");
    }
    let file = place.file(&"#".repeat(1024 * 1024 + 1));
    let found = problems(&resolution(&["--config", &file], &[]));
    assert_eq!(
        found,
        [format!("--config `{file}`: is larger than 1 MiB; this is no file of options")]
    );
    fs::write(place.path().join("conf/hostname"), b"\xff").unwrap();
    fs::create_dir(place.path().join("conf/jobs")).unwrap();
    let found = problems(&resolution(&["--config_dir", &place.directory(&[])], &[]));
    assert!(found[0].contains("conf/hostname: cannot be read: "), "{found:?}");
    assert!(found[1].contains("conf/jobs: cannot be read: "), "{found:?}");
}

#[test]
fn a_directory_is_read_as_the_packages_of_chronos_read_theirs() {
    let place = Place::new();
    let directory = place.directory(&[
        ("http_port", "4400\n"),
        ("hostname", "  node7.example \n\n"),
        ("?insecure", ""),
        ("mail_server", ""),
        (".hidden", "nonsense"),
    ]);
    let from_package = resolution(&["--config_dir", &directory], &[]);
    let read = config(&from_package);
    assert_eq!((read.listen.port(), read.hostname.as_str()), (4400, "node7.example"));
    let open = ["--config_dir", &directory, "--http_address", "0.0.0.0"];
    config(&resolution(&open, &[]));

    for (name, text, is_on) in [
        ("insecure", "", true),
        ("insecure", "true\n", true),
        ("insecure", "false\n", false),
        ("?no-insecure", "", false),
        ("?no_insecure", "\n", false),
    ] {
        let place = Place::new();
        let directory = place.directory(&[(name, text)]);
        let args = ["--config_dir", &directory, "--http_address", "0.0.0.0"];
        let found = problems(&resolution(&args, &[]));
        assert_eq!(found.is_empty(), is_on, "{name} {text:?}: {found:?}");
    }
}

#[test]
fn what_a_directory_may_not_have() {
    for (files, expected) in [
        (
            &[("http_prt", "1")][..],
            "http_prt: there is no option `http_prt`; did you mean `http_port`?",
        ),
        (&[("http_port~", "1")], "did you mean `http_port`?"),
        (&[("?http_port", "")], "call the file `http_port` and write the value into it"),
        (&[("?insecure", "false")], "has to be empty; call it `insecure`"),
        (&[("?insecure", ""), ("insecure", "false")], "is given by "),
        (&[("?nonsense", "")], "there is no option `nonsense`"),
        (&[("http_port", "")], "give a whole number"),
        (&[("config_dir", "/x")], "as CHRONODE_CONFIG_DIR only"),
    ] {
        let place = Place::new();
        let directory = place.directory(files);
        let found = problems(&resolution(&["--config_dir", &directory], &[]));
        assert_eq!(found.len(), 1, "{files:?}: {found:?}");
        assert!(found[0].starts_with(&directory), "{files:?}: {found:?}");
        assert!(found[0].contains(expected), "{files:?}: {found:?}");
    }
}

#[test]
fn variables_are_read_and_empty_ones_are_none() {
    let read = config(&resolution(&[], &[("CHRONODE_HOSTNAME", "n1"), ("CHRONODE_HTTP_PORT", "")]));
    assert_eq!((read.hostname.as_str(), read.listen.port()), ("n1", 4400));
    assert_eq!(config(&resolution(&[], &[("PORT0", "")])).listen.port(), 4400);
    let found = problems(&resolution(&[], &[("PORT0", "tcp://10.0.0.1:80")]));
    assert_eq!(found, ["PORT0 `tcp://10.0.0.1:80`: give a whole number"]);
    let found = problems(&resolution(&[], &[("CHRONODE_MESOS_TASK_CPU", "few")]));
    assert_eq!(found, ["CHRONODE_MESOS_TASK_CPU `few`: give a number"]);
    let found = problems(&resolution(&[], &[("CHRONODE_INSECURE", "perhaps")]));
    assert_eq!(found, ["CHRONODE_INSECURE `perhaps`: give `true` or `false`"]);
}

#[test]
fn a_switch_takes_a_value_only_behind_an_equals_sign() {
    let open = |switch: &[&str], env: &[(&str, &str)]| {
        let args = [&["--http_address", "0.0.0.0"], switch].concat();
        problems(&resolution(&args, env)).is_empty()
    };
    assert!(open(&["--insecure"], &[]));
    assert!(open(&["--insecure=true"], &[]));
    assert!(open(&["--insecure=yes"], &[]));
    assert!(!open(&["--insecure=false"], &[]));
    assert!(!open(&["--insecure=false"], &[("CHRONODE_INSECURE", "1")]));
    assert!(open(&[], &[("CHRONODE_INSECURE", "true")]));
    assert!(Line::try_parse_from(["serve", "--insecure", "true"]).is_err());
    assert!(Line::try_parse_from(["serve", "--insecure=perhaps"]).is_err());
}

#[test]
fn one_letter_forms_are_not_accepted() {
    for letter in ('a'..='z').chain('A'..='Z').filter(|c| *c != 'h') {
        let args = ["serve".to_owned(), format!("-{letter}")];
        assert!(Line::try_parse_from(args).is_err(), "{letter}");
    }
}

#[test]
fn every_option_has_its_variable_a_heading_and_a_spelling_with_hyphens() {
    for arg in ServeFlags::augment_args(Command::new("serve")).get_arguments() {
        let name = arg.get_long().expect("every option is a flag");
        let declared = arg.get_env().unwrap().to_str().unwrap();
        // Those that Chronos read are read too.
        assert!(declared == variable(name) || declared.starts_with("MESOSPHERE_"), "{declared}");
    }
    let table = Table::new();
    for row in table.rows() {
        assert_ne!(row.heading(), "Other", "--{}: say help_heading", row.name);
        assert!(!row.help().is_empty(), "--{}", row.name);
        let hyphened = format!("--{}", row.name.replace('_', "-"));
        let value = if row.is_switch() { "true" } else { "1" };
        let parsed = Line::try_parse_from(["serve".to_owned(), format!("{hyphened}={value}")]);
        let kind = parsed.err().map(|error| error.kind());
        let is_known = kind != Some(clap::error::ErrorKind::UnknownArgument);
        assert!(is_known, "{hyphened}");
    }
}

/// Every flag in the sources and documents of Chronos 2.3.4 to 3.0.2 and its last state.
const CHRONOS: &[&str] = &[
    "job_history_limit",
    "master",
    "user",
    "failover_timeout",
    "schedule_horizon",
    "cluster_name",
    "zk_hosts",
    "hostname",
    "leader_max_idle_time",
    "zk_timeout",
    "zk_path",
    "zk_auth",
    "mail_server",
    "mail_user",
    "mail_password",
    "mail_from",
    "mail_ssl",
    "raven_dsn",
    "slack_url",
    "mattermost_url",
    "http_notification_url",
    "http_notification_credentials",
    "failure_retry",
    "disable_after_failures",
    "mesos_task_mem",
    "mesos_task_cpu",
    "mesos_task_disk",
    "mesos_checkpoint",
    "mesos_role",
    "task_epsilon",
    "mesos_framework_name",
    "webui_url",
    "reconciliation_interval",
    "mesos_authentication_principal",
    "mesos_authentication_secret_file",
    "revive_offers_for_new_jobs",
    "decline_offer_duration",
    "min_revive_offers_interval",
    "disable_http",
    "http_address",
    "http_port",
    "https_address",
    "https_port",
    "ssl_keystore_path",
    "ssl_keystore_password",
    "http_credentials",
    "http_realm",
    "http_compression",
    "disable_http_compression",
    "assets_path",
    "cassandra_contact_points",
    "cassandra_port",
    "cassandra_user",
    "cassandra_password",
    "cassandra_keyspace",
    "cassandra_table",
    "cassandra_stat_count_table",
    "cassandra_consistency",
    "cassandra_ttl",
    "graphite_host_port",
    "graphite_reporting_interval",
    "graphite_group_prefix",
];

#[test]
fn every_flag_of_chronos_has_its_fate_and_no_other_has() {
    let listed: Vec<_> = FLAGS.iter().map(|flag| flag.name).collect();
    assert_eq!(
        sorted(listed.iter().map(ToString::to_string).collect()),
        sorted(CHRONOS.iter().map(ToString::to_string).collect())
    );
    let typed = ServeFlags::augment_args(Command::new("serve"));
    for flag in FLAGS {
        let is_typed = typed.get_arguments().any(|arg| arg.get_long() == Some(flag.name));
        assert_eq!(is_typed, matches!(flag.fate, Fate::Kept | Fate::Changed(_)), "--{}", flag.name);
    }
}

/// A value of the type of a flag that is not its default, and one of another type.
fn values(form: Form, default: &str) -> (&'static str, Option<&'static str>) {
    match (form, default) {
        (Form::Switch, "true") => ("false", Some("perhaps")),
        (Form::Switch, _) => ("true", Some("perhaps")),
        (Form::Count, _) => ("77", Some("many")),
        (Form::Text | Form::Secret, _) => ("zk://zk.example:2181/path", None),
    }
}

#[test]
fn flags_with_nothing_to_do_are_accepted_with_a_warning_and_checked() {
    let mut count = 0;
    for flag in FLAGS {
        let Fate::Idle(form, reason) = flag.fate else { continue };
        count += 1;
        let (value, wrong) = values(form, flag.default);
        let accepted = resolution(&[&format!("--{}={value}", flag.name)], &[]);
        config(&accepted);
        let expected = format!("--{} has nothing to do: {reason}", flag.name);
        assert_eq!(accepted.warnings()[0], expected);
        if let Some(wrong) = wrong {
            assert!(
                Line::try_parse_from(["serve".to_owned(), format!("--{}={wrong}", flag.name)])
                    .is_err()
            );
            let found = problems(&resolution(&[], &[(&variable(flag.name), wrong)]));
            assert!(
                found[0].starts_with(&format!("{} `{wrong}`: ", variable(flag.name))),
                "{found:?}"
            );
        }
    }
    assert!(count >= 15, "{count}");
}

#[test]
fn what_a_flag_asks_for_that_is_not_there_is_refused_with_a_sentence() {
    let mut count = 0;
    for flag in FLAGS {
        let Fate::Absent { form, harmless, lacks } = flag.fate else { continue };
        count += 1;
        let (value, wrong) = values(form, harmless);
        let found = problems(&resolution(&[&format!("--{}={value}", flag.name)], &[]));
        let shown = if form == Form::Secret { "***" } else { value };
        assert_eq!(found, [format!("--{} `{shown}`: {}", flag.name, lacks.sentence)]);
        assert!(lacks.sentence.contains("leave it out"), "{}", lacks.sentence);
        let silent = resolution(&[&format!("--{}={harmless}", flag.name)], &[]);
        config(&silent);
        assert!(silent.warnings().is_empty(), "--{}: {:?}", flag.name, silent.warnings());
        if let Some(wrong) = wrong {
            assert!(
                Line::try_parse_from(["serve".to_owned(), format!("--{}={wrong}", flag.name)])
                    .is_err()
            );
        }
    }
    assert!(count >= 7, "{count}");
}

#[test]
fn hosts_are_names_and_addresses_without_scheme_and_port() {
    let flag = "--http_allowed_host";
    let read = config(&resolution(&[flag, "cron.example, n_1 ,10.0.0.1,[2001:db8::1]"], &[]));
    let expected = ["cron.example", "n_1", "10.0.0.1", "[2001:db8::1]"];
    assert_eq!(read.security.allowed_hosts, expected);
    assert_eq!(config(&resolution(&[], &[])).security.allowed_hosts, [] as [&str; 0]);
    for wrong in ["*", "https://a.example", "a.example:4400", "a..b", "-a", "a b", "[10.0.0.1]"] {
        let found = problems(&resolution(&[&format!("{flag}={wrong}")], &[]));
        assert_eq!(found.len(), 1, "{wrong}: {found:?}");
        let told = &found[0];
        assert!(told.contains("http_allowed_host") && told.contains("cron.example"), "{told}");
    }
}

#[test]
fn a_kept_flag_means_what_it_meant() {
    let read = config(&resolution(
        &[
            "--user",
            "nobody",
            "--hostname",
            "h",
            "--task_epsilon",
            "7",
            "--failure_retry",
            "2500",
            "--disable_after_failures",
            "3",
            "--mesos_task_cpu",
            "0.5",
            "--mesos_task_mem",
            "64",
            "--mesos_task_disk",
            "32",
            "--http_address",
            "127.0.0.2",
            "--http_port",
            "4401",
        ],
        &[],
    ));
    assert_eq!(read.user.as_deref(), Some("nobody"));
    assert_eq!(read.hostname, "h");
    assert_eq!(read.defaults.epsilon.as_secs(), 7);
    assert_eq!(read.retry_delay.as_millis(), 2_500);
    assert_eq!(read.disable_after_failures, 3);
    assert_eq!(read.defaults.resources.cpus.to_string(), "0.5");
    assert_eq!(read.defaults.resources.mem.to_string(), "64.0");
    assert_eq!(read.defaults.resources.disk.to_string(), "32.0");
    assert_eq!(read.listen.to_string(), "127.0.0.2:4401");
}

fn print(resolution: &Resolution) -> String {
    let mut out = Vec::new();
    resolution.print(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn what_is_shown_can_be_read_again() {
    let place = Place::new();
    let typed = [
        "--http_port",
        "4401",
        "--attributes",
        "rack:r1;note:a #b",
        "--log=json",
        "--master",
        "local",
    ];
    let first =
        resolution(&typed, &[("CHRONODE_HOSTNAME", "null"), ("CHRONODE_DATA", "/with space/'q\"")]);
    let shown = print(&first);
    let file = place.file(&shown);
    let second = resolution(&["--config", &file], &[]);
    assert_eq!(config(&first), config(&second), "{shown}");
    for line in [
        "http_port: 4401                           # command line",
        "hostname: \"null\"                          # CHRONODE_HOSTNAME",
        "history_days: 90                          # default",
        "# jobs:                                   # not set",
        "master: local                             # command line",
    ] {
        assert!(shown.lines().any(|found| found == line), "{line}\n{shown}");
    }
    assert!(!shown.contains("zk_hosts"), "only what was given of what has no meaning: {shown}");
    let again = print(&second);
    assert!(again.contains(&format!("# config: {file}")), "{again}");
    assert!(again.contains(&format!("  # {file}:")), "{again}");
}

#[test]
fn secrets_are_shown_to_nobody() {
    use std::os::unix::fs::PermissionsExt;
    let on_line = resolution(&["--cassandra_password", "hush"], &[]);
    assert!(print(&on_line).contains("cassandra_password: \"***\""), "{}", print(&on_line));
    assert!(!print(&on_line).contains("hush"));
    let is_exposed = |found: &Resolution| {
        let told =
            found.warnings().iter().find(|warning| warning.contains("everybody on this machine"));
        told.cloned().unwrap_or_default()
    };
    assert_eq!(is_exposed(&resolution(&["--cassandra_password", "@/file"], &[])), "");
    assert!(is_exposed(&on_line).contains("give it as CHRONODE_CASSANDRA_PASSWORD"));
    assert_eq!(is_exposed(&resolution(&[], &[("CHRONODE_CASSANDRA_PASSWORD", "hush")])), "");

    let place = Place::new();
    let file = place.file("cassandra_password: hush\n");
    for (mode, is_told) in [(0o644, true), (0o640, false)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let told = is_exposed(&resolution(&["--config", &file], &[]));
        assert_eq!(told.contains(&format!("chmod o-r {file}")), is_told, "{mode:o}: {told}");
    }
}
