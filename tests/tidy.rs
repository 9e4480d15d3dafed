//! The house rules that no compiler checks: who may name whom, what pure code never touches, how a file begins.
//!
//! Reads the sources as text. What looks like a name in a comment or a string is not one: both are cut out first.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each top module may name of the crate, besides itself. Those that are wired together name no other edge.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("schedule", &["model"]),
    ("placement", &["model"]),
    ("graph", &["model"]),
    // Who is told of what; how it is sent is another's.
    ("alerts", &["model"]),
    // Numbers and lengths.
    ("layout", &[]),
    ("jobspec", &["model", "schedule"]),
    ("migration", &["model", "schedule", "jobspec"]),
    // Files of jobs, wherever they are wanted.
    ("jobset", &["model", "schedule", "jobspec"]),
    ("engine", &["model", "schedule", "graph", "placement", "alerts"]),
    ("store", &["model", "engine", "alerts", "failpoint"]),
    // A protocol: what is said, not why.
    ("mesos", &["model", "clock"]),
    ("launcher", &["model", "mesos", "clock", "failpoint"]),
    // Renders and sends; who is told of what, and when again, is decided elsewhere.
    ("notify", &["model", "clock"]),
    // Follows committed changes; who feeds it hands it in.
    ("metrics", &["model", "engine"]),
    // The doors hand requests to the loop and read its view; the page stands in front of them.
    (
        "api",
        &["model", "schedule", "engine", "alerts", "jobspec", "layout", "metrics", "audit", "web"],
    ),
    // Files and nothing else.
    ("web", &[]),
    // A schedule that is typed is read where it is typed.
    ("cli", &["model", "schedule", "jobspec", "jobset", "migration", "clock"]),
    ("audit", &["model", "clock"]),
    ("clock", &["model"]),
    ("failpoint", &[]),
    (
        "driver",
        &["model", "alerts", "engine", "store", "launcher", "metrics", "clock", "failpoint"],
    ),
];

/// Wiring: it builds everything, so it may name everything.
const WIRING: &[&str] = &["app", "config", "main", "lib"];

/// Pure modules: they calculate and decide, and touch nothing outside.
const PURE: &[&str] = &[
    "model",
    "schedule",
    "graph",
    "layout",
    "placement",
    "alerts",
    "jobspec",
    "migration",
    "engine",
];

/// What pure modules never name.
const OUTSIDE: &[&str] = &[
    "tokio",
    "axum",
    "rusqlite",
    "reqwest",
    "hyper",
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::thread",
    "HashMap",
    "HashSet",
    "SystemTime",
    "Instant::now",
];

/// Exceptions, each with its reason.
const MAY_TOUCH: &[(&str, &str, &str)] = &[(
    "schedule/zone_files.rs",
    "std::fs",
    "reads the host's zone data, once, when a snapshot is made",
)];

/// Files longer than [`LINES_MAX`], with what they may have at most. None may be added, none may grow.
const LINES_MAX: usize = 600;
const LONG: &[(&str, usize)] = &[
    ("schedule/interval_tests.rs", 900),
    ("schedule/cron/tests.rs", 900),
    ("store/codec/job.rs", 820),
    ("store/sqlite/tests.rs", 1_200),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file: its path below `src`, and its text.
fn sources() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    assert!(found.len() > 20, "the sources were not found");
    found
}

/// The top module that a file belongs to.
fn top(name: &str) -> &str {
    name.split(['/', '.']).next().unwrap_or(name)
}

/// Whether a file holds tests alone, which may reach for what the code may not.
fn is_test(name: &str) -> bool {
    let stem = name.trim_end_matches(".rs");
    stem.split('/').any(|part| {
        part == "tests"
            || part.ends_with("_tests")
            || matches!(part, "testing" | "arbitrary" | "conformance")
    })
}

/// The code of a file without comments, texts and the tests at its end, each line with its number.
fn code(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim() == "#[cfg(test)]"
            && text.lines().nth(index + 1).is_some_and(|l| l.starts_with("mod tests {"))
        {
            break;
        }
        let line = without_texts(line);
        let line = line.split("//").next().unwrap_or_default();
        found.push((index + 1, line.to_owned()));
    }
    found
}

fn without_texts(line: &str) -> String {
    let mut kept = String::new();
    let mut in_text = false;
    let mut escaped = false;
    for c in line.chars() {
        match (in_text, c, escaped) {
            (_, '"', false) => in_text = !in_text,
            (false, _, _) => kept.push(c),
            (true, _, _) => {}
        }
        escaped = in_text && c == '\\' && !escaped;
    }
    kept
}

/// The modules that a line names of its own crate.
fn named(line: &str) -> Vec<String> {
    let is_name = |c: &char| c.is_alphanumeric() || *c == '_';
    let paths = line.match_indices("crate::").map(|(at, word)| &line[at + word.len()..]);
    let mut found: Vec<String> = Vec::new();
    for path in paths {
        // `use crate::{a::B, c};` names several at once.
        let heads = path.strip_prefix('{').map_or(vec![path], |list| list.split(',').collect());
        let heads = heads.into_iter().map(|head| head.trim().chars().take_while(is_name).collect());
        found.extend(heads.filter(|head: &String| !head.is_empty()));
    }
    found
}

fn judge(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

#[test]
fn modules_name_only_what_they_may() {
    let tops: Vec<&str> =
        MAY_NAME.iter().map(|(top, _)| *top).chain(WIRING.iter().copied()).collect();
    let mut violations = Vec::new();
    for (name, text) in sources() {
        let own = top(&name).to_owned();
        if !tops.contains(&own.as_str()) {
            violations.push(format!("src/{name}: say in tests/tidy.rs what `{own}` may name"));
        }
        let Some((_, allowed)) = MAY_NAME.iter().find(|(top, _)| *top == own) else { continue };
        if is_test(&name) {
            continue;
        }
        for (number, line) in code(&text) {
            for other in named(&line).iter().filter(|other| tops.contains(&other.as_str())) {
                if *other != own && !allowed.contains(&other.as_str()) {
                    violations
                        .push(format!("src/{name}:{number}: `{own}` must not name `{other}`"));
                }
            }
        }
    }
    judge(&violations);
}

#[test]
fn pure_modules_touch_nothing_outside() {
    let mut violations = Vec::new();
    for (name, text) in sources() {
        if !PURE.contains(&top(&name)) || is_test(&name) {
            continue;
        }
        for (number, line) in code(&text) {
            for word in OUTSIDE.iter().filter(|word| names_word(&line, word)) {
                let is_known = MAY_TOUCH
                    .iter()
                    .any(|(file, allowed, _)| name.starts_with(file) && allowed == word);
                if !is_known {
                    violations.push(format!("src/{name}:{number}: a pure module names `{word}`"));
                }
            }
        }
    }
    judge(&violations);
}

/// Whether `word` stands in `line` as a word of its own.
fn names_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[test]
fn exceptions_are_still_needed() {
    let sources = sources();
    let is_needed = |file: &str, word: &str| {
        let mut under = sources.iter().filter(|(name, _)| name.starts_with(file));
        under.any(|(_, text)| code(text).iter().any(|(_, line)| names_word(line, word)))
    };
    let stale = MAY_TOUCH.iter().filter(|(file, word, _)| !is_needed(file, word));
    judge(
        &stale
            .map(|(file, word, _)| format!("src/{file} does not name `{word}`"))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn every_file_says_what_it_is() {
    let silent = sources().into_iter().filter(|(_, text)| !text.starts_with("//!"));
    judge(
        &silent
            .map(|(name, _)| format!("src/{name} does not begin with `//!`"))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn nothing_is_left_to_be_done() {
    let mut violations = Vec::new();
    for (name, text) in sources() {
        for (index, line) in text.lines().enumerate() {
            let words = ["TODO", "XXX", "dbg!(", "todo!(", "unimplemented!("];
            // A FIXME that names an issue may stay: somebody else can find out about it.
            let is_bare = line.contains("FIXME") && !line.contains("FIXME(#");
            if is_bare || words.iter().any(|word| line.contains(word)) {
                violations.push(format!("src/{name}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    judge(&violations);
}

/// A random order must not reach a decision; clippy knows the types, this sees that it is asked.
#[test]
fn pure_modules_deny_types_without_an_order() {
    let sources = sources();
    let lacks = |top: &&&str| {
        let head = sources.get(&format!("{top}/mod.rs")).map_or("", String::as_str);
        !head.contains("#![deny(clippy::disallowed_types)]")
    };
    let lacking = PURE.iter().filter(lacks);
    judge(&lacking.map(|top| format!("src/{top}/mod.rs does not deny them")).collect::<Vec<_>>());
}

#[test]
fn no_file_grows_without_end() {
    let mut violations = Vec::new();
    let sources = sources();
    for (name, text) in &sources {
        let lines = text.lines().count();
        let allowed =
            LONG.iter().find(|(file, _)| file == name).map_or(LINES_MAX, |(_, lines)| *lines);
        if lines > allowed {
            violations.push(format!(
                "src/{name} has {lines} lines: at most {allowed}; what is its second concern?"
            ));
        }
    }
    for (file, _) in LONG {
        if sources.get(*file).is_none_or(|text| text.lines().count() <= LINES_MAX) {
            violations.push(format!("src/{file} is no longer long: take it off the list"));
        }
    }
    judge(&violations);
}
