//! Jobs of ours → lines of a crontab, for the way back.
//!
//! A setting of a table holds for every line below it and cannot be taken back, so lines with few settings come first,
//! and a line for which something above it must not hold says so itself.

use std::collections::BTreeMap;

use serde_json::Value;

use super::command::{PATH, SHELL, plain_command, quote};
use super::table::Split;
use crate::migration::finding::{Finding, Weight, worst};
use crate::schedule::{DebianReading, as_debian_reads, is_interval};

/// For whom the table is.
#[derive(Debug, Clone)]
pub struct Target<'a> {
    /// Whether lines name their user, as in `/etc/cron.d`; else it is the table of `user`.
    pub is_system: bool,
    /// Who runs the jobs that name nobody, and whose the table is.
    pub user: Option<&'a str>,
    /// The machine: jobs that are bound to another one are left out.
    pub host: Option<&'a str>,
    /// The zone of its clock.
    pub zone: &'a str,
}

/// A job, on its way back.
#[derive(Debug, Clone)]
pub struct Exported {
    /// Its name.
    pub name: String,
    /// Its line; `None` if cron cannot do what it says.
    pub line: Option<String>,
    /// What cron does otherwise.
    pub findings: Vec<Finding>,
}

impl Exported {
    /// What its findings come to.
    #[must_use]
    pub fn weight(&self) -> Weight {
        worst(&self.findings)
    }
}

/// Fields that cron has nothing like, with what it does instead. Of a value that stands here nothing is to be told.
const POLICIES: [(&str, &[&str], &str); 20] = [
    ("retries", &["0", "-1"], "never tries again"),
    ("overlap", &["allow"], "starts a command also while the one before it still runs"),
    ("catchUp", &["none"], "leaves out what was due while it was down"),
    ("concurrent", &["true"], "starts a command also while the one before it still runs"),
    ("maxCompletionTime", &["0"], "lets a command run for ever"),
    ("timeout", &[], "lets a command run for ever"),
    ("jitter", &[], "starts everything at the full minute"),
    ("calendars", &[], "knows no calendars"),
    ("notBefore", &[], "knows no bounds"),
    ("notAfter", &[], "knows no bounds"),
    ("dst", &[], "has its own rule for changes of clock"),
    ("startBy", &[], "tells nobody of what is late"),
    ("finishBy", &[], "tells nobody of what is late"),
    ("maxLateness", &[], "tells nobody of what is late"),
    ("expectedDuration", &[], "tells nobody of what takes long"),
    ("disableAfterFailures", &[], "never stops starting a command"),
    ("onUnknown", &[], "knows nothing of what became of a command"),
    ("priority", &["normal"], "starts everything at once"),
    ("ports", &[], "gives no ports"),
    ("runbook", &[], "has no place for it"),
];

/// Fields that say how a command comes to run; without them it would be another command.
const NEEDED: [(&str, &str); 7] = [
    ("parents", "knows no jobs that follow others"),
    ("fetch", "downloads nothing"),
    ("uris", "downloads nothing"),
    ("container", "starts no containers"),
    ("executor", "starts no executors"),
    ("async", "hears nothing from commands"),
    ("arguments", "gives commands no arguments beside their text"),
];

/// A line and the settings that it needs.
struct Line {
    index: usize,
    comment: String,
    settings: BTreeMap<String, String>,
    user: String,
    when: String,
    command: String,
    is_disabled: bool,
}

/// Translates jobs as `GET P/jobs` prints them: the text of the table, and what is to be told of each job.
#[must_use]
pub fn export(jobs: &[Value], target: &Target<'_>) -> (String, Vec<Exported>) {
    let mut told = Vec::new();
    let mut lines = Vec::new();
    for job in jobs.iter().filter(|job| is_here(job, target.host)) {
        let mut findings = Vec::new();
        let line = translate(job, target, told.len(), &mut findings);
        let name = job["name"].as_str().unwrap_or_default().to_owned();
        told.push(Exported { name, line: None, findings });
        lines.extend(line);
    }
    // Those that need least come first; then those that need the same are together.
    lines.sort_by(|one, other| {
        (one.settings.len(), &one.settings, one.index).cmp(&(
            other.settings.len(),
            &other.settings,
            other.index,
        ))
    });
    let mut text = String::new();
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for line in lines {
        let index = line.index;
        let printed = print(line, target, &mut known, &mut text);
        told[index].line = Some(printed);
    }
    (text, told)
}

/// Whether a job may run on the machine.
fn is_here(job: &Value, host: Option<&str>) -> bool {
    let Some(host) = host else { return true };
    let list = job["constraints"].as_array().into_iter().flatten();
    list.filter(|it| it[0] == "hostname").all(|it| match (it[1].as_str(), it[2].as_str()) {
        (Some("EQUALS"), Some(name)) => name == host,
        (Some("LIKE"), Some(pattern)) => {
            pattern.split('|').any(|name| name.replace(r"\.", ".") == host)
        }
        _ => true,
    })
}

fn refused(field: &str, cron: &str, chronode: &str, remedy: &str) -> Finding {
    Finding::new(Weight::NotCarried, field, cron, chronode).remedy(remedy)
}

fn translate(
    job: &Value,
    target: &Target<'_>,
    index: usize,
    found: &mut Vec<Finding>,
) -> Option<Line> {
    needs(job, found);
    policies(job, found);
    let when = schedule(job, target, found);
    let user = user(job, target, found);
    let mut settings = settings(job, found);
    let command = command(job, &mut settings, found);
    constraints(job, target, found);
    if worst(found) == Weight::NotCarried {
        return None;
    }
    let is_disabled = job["disabled"] == true;
    if is_disabled {
        found.push(Finding::new(
            Weight::Same,
            "disabled",
            "has the line as a comment",
            "has the job disabled",
        ));
    }
    let comment = job["description"].as_str().unwrap_or_default().to_owned();
    Some(Line {
        index,
        comment,
        settings,
        user: user?,
        when: when?,
        command: command?,
        is_disabled,
    })
}

/// Whether a field says anything.
fn says(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

fn needs(job: &Value, found: &mut Vec<Finding>) {
    for (field, cron) in NEEDED {
        let is_for_program = field == "arguments" && job["shell"] == false;
        if says(&job[field]) && !is_for_program {
            let remedy = "leave the job here, or change it so that its command alone does it";
            found.push(refused(field, cron, &format!("has `{field}`"), remedy));
        }
    }
}

fn policies(job: &Value, found: &mut Vec<Finding>) {
    for (field, plain, cron) in POLICIES {
        let value = &job[field];
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if says(value) && !plain.contains(&text.as_str()) {
            let chronode = format!("has `{field}` at {}", text.escape_debug());
            found.push(Finding::new(Weight::Changes, field, cron, &chronode));
        }
    }
    // What is not printed is the default, which is another one than cron's.
    if job.get("overlap").is_none_or(Value::is_null) && job["concurrent"] != true {
        found.push(Finding::new(
            Weight::Changes,
            "overlap",
            "starts a command also while the one before it still runs",
            "skips what is due while the one before it still runs",
        ));
    }
}

fn schedule(job: &Value, target: &Target<'_>, found: &mut Vec<Finding>) -> Option<String> {
    let text = job["schedule"].as_str()?;
    if is_interval(text) {
        let chronode = format!("is due at `{}`", text.escape_debug());
        let remedy = "write the schedule as a line of cron first, such as `30 2 * * *`";
        found.push(refused("schedule", "counts no periods from a start", &chronode, remedy));
        return None;
    }
    match as_debian_reads(text) {
        Ok(DebianReading::Same) => {}
        Ok(DebianReading::Means(_) | DebianReading::Never(_)) | Err(_) => {
            let cron = format!("reads `{}` otherwise, or not at all", text.escape_debug());
            let remedy = "write it without seconds, `H`, `L`, `W`, `#` and `?`";
            found.push(refused("schedule", &cron, "has them", remedy));
            return None;
        }
    }
    let zone = job["scheduleTimeZone"].as_str().filter(|zone| !zone.is_empty()).unwrap_or("UTC");
    if text != "@reboot" && zone != target.zone && !(is_utc(zone) && is_utc(target.zone)) {
        let cron = format!("goes by the machine's clock, in {}", target.zone);
        let chronode = format!("goes by {}", zone.escape_debug());
        found.push(refused(
            "scheduleTimeZone",
            &cron,
            &chronode,
            "give the machine's zone with `--zone`",
        ));
        return None;
    }
    Some(text.to_owned())
}

fn is_utc(zone: &str) -> bool {
    matches!(
        zone,
        "UTC" | "Etc/UTC" | "Etc/UCT" | "Etc/Universal" | "Etc/Zulu" | "UCT" | "Universal" | "Zulu"
    )
}

fn user(job: &Value, target: &Target<'_>, found: &mut Vec<Finding>) -> Option<String> {
    let named = job["runAsUser"].as_str().filter(|user| !user.is_empty());
    match (named, target.user, target.is_system) {
        (Some(user), _, true) => Some(user.to_owned()),
        (None, Some(user), _) => Some(user.to_owned()),
        (Some(user), Some(owner), false) if user == owner => Some(user.to_owned()),
        (Some(user), _, false) => {
            let chronode = format!("runs it as `{}`", user.escape_debug());
            found.push(refused(
                "runAsUser",
                "runs everything in this table as one user",
                &chronode,
                "leave `--table` out, for a table whose lines name their users",
            ));
            None
        }
        (None, None, _) => {
            found.push(refused(
                "runAsUser",
                "wants to know who runs it",
                "runs it as the user that it runs as itself",
                "name that user with `--user`",
            ));
            None
        }
    }
}

/// The settings above the line.
fn settings(job: &Value, found: &mut Vec<Finding>) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    for variable in job["environmentVariables"].as_array().into_iter().flatten() {
        let text = |field: &str| variable[field].as_str().unwrap_or_default().to_owned();
        let (name, value) = (text("name"), text("value"));
        let field = format!("environmentVariables.{name}");
        if variable["secret"] == true {
            found.push(refused(
                &field,
                "has it in its table for all to read",
                "keeps it secret",
                "give the command its secret in a file",
            ));
        } else if name.contains(['=', '\n', '"', '\''])
            || value.contains('\n')
            || (value.contains('"') && value.contains('\''))
        {
            found.push(refused(
                &field,
                "has one line for a setting, and one kind of quotes",
                "has what does not fit in there",
                "set it in the command",
            ));
        } else {
            settings.insert(name, value);
        }
    }
    if let (None, Some(owner)) =
        (settings.get("MAILTO"), job["owner"].as_str().filter(|it| !it.is_empty()))
    {
        settings.insert("MAILTO".to_owned(), owner.to_owned());
    }
    settings
}

fn command(
    job: &Value,
    settings: &mut BTreeMap<String, String>,
    found: &mut Vec<Finding>,
) -> Option<String> {
    let text = job["command"].as_str().unwrap_or_default();
    if let Some(plain) = plain_command(text).filter(|_| job["shell"] != false) {
        if plain.shell != SHELL {
            settings.insert("SHELL".to_owned(), plain.shell);
        }
        return escaped(&plain.split, found);
    }
    let command = if job["shell"] == false {
        let arguments = job["arguments"].as_array().into_iter().flatten();
        let words = [text].into_iter().chain(arguments.filter_map(Value::as_str));
        words.map(quote).collect::<Vec<_>>().join(" ")
    } else {
        text.trim_end_matches('\n').to_owned()
    };
    if command.is_empty() {
        found.push(refused("command", "runs a command", "has none", "give the job a command"));
        return None;
    }
    found.push(Finding::new(
        Weight::Changes,
        "command",
        "starts it in the home of its user",
        "starts it in a directory of its own, which is kept with its output",
    ));
    escaped(&Split { command, input: None }, found)
}

/// A command in one line, with its `%`.
fn escaped(split: &Split, found: &mut Vec<Finding>) -> Option<String> {
    if split.command.contains('\n') {
        found.push(refused(
            "command",
            "has one line for a command",
            "has one of several lines",
            "put it into a script, and run that",
        ));
        return None;
    }
    let mut line = String::new();
    let mut chars = split.command.chars().peekable();
    while let Some(c) = chars.next() {
        // Cron takes a backslash away before another one and before `%`, and only there.
        let is_taken = match (c, chars.peek()) {
            ('%', _) | ('\\', Some('\\' | '%')) => true,
            ('\\', None) => split.input.is_some(),
            _ => false,
        };
        line.push_str(if is_taken { "\\" } else { "" });
        line.push(c);
    }
    if let Some(input) = &split.input {
        // A line break at the end comes by itself, but not after another one, nor after nothing.
        let stripped = input.strip_suffix('\n').unwrap_or(input);
        let lines = if stripped.is_empty() || stripped.ends_with('\n') { input } else { stripped };
        if lines.contains("\\\n") {
            found.push(refused(
                "command",
                "cannot write a line that ends with a backslash",
                "has such a line in what the command reads",
                "put it into a file, and have the command read that",
            ));
            return None;
        }
        line.push('%');
        line.push_str(&lines.replace('%', r"\%").replace('\n', "%"));
    }
    Some(line)
}

fn constraints(job: &Value, target: &Target<'_>, found: &mut Vec<Finding>) {
    let list = job["constraints"].as_array().into_iter().flatten();
    let others = list.filter(|it| it[0] != "hostname" || target.host.is_none()).count();
    if others > 0 {
        found.push(
            Finding::new(
                Weight::Changes,
                "constraints",
                "runs the line on every machine that has the table",
                "runs it where its constraints hold",
            )
            .remedy("name the machine with `--host`, and make a table for each"),
        );
    }
}

/// Writes the settings that are missing, and the line; returns the line.
fn print(
    line: Line,
    target: &Target<'_>,
    known: &mut BTreeMap<String, String>,
    text: &mut String,
) -> String {
    let Line { comment, settings, user, when, command, is_disabled, .. } = line;
    let mut missing = String::new();
    let mut unset = Vec::new();
    for (name, value) in &settings {
        if known.get(name) != Some(value) {
            missing.push_str(&format!("{name}={}\n", quoted(value)));
            known.insert(name.clone(), value.clone());
        }
    }
    // What cron has without them, where something above says otherwise.
    for (name, plain) in [("PATH", PATH), ("SHELL", SHELL), ("MAILTO", user.as_str())] {
        let is_other = known.get(name).is_some_and(|value| value != plain);
        if is_other && !settings.contains_key(name) {
            missing.push_str(&format!("{name}={}\n", quoted(plain)));
            known.insert(name.to_owned(), plain.to_owned());
        }
    }
    let is_default = |name: &str| matches!(name, "PATH" | "SHELL" | "MAILTO");
    for name in known.keys().filter(|name| !settings.contains_key(*name) && !is_default(name)) {
        unset.push(name.clone());
    }
    if !missing.is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&missing);
    }
    for said in comment.lines() {
        text.push_str(&format!("# {said}\n"));
    }
    let unset =
        if unset.is_empty() { String::new() } else { format!("unset {}; ", unset.join(" ")) };
    let user = if target.is_system { format!("{user} ") } else { String::new() };
    let printed = format!("{when} {user}{unset}{command}");
    text.push_str(if is_disabled { "# " } else { "" });
    text.push_str(&printed);
    text.push('\n');
    printed
}

/// A value in quotes that it does not have itself.
fn quoted(value: &str) -> String {
    let quote = if value.contains('"') { '\'' } else { '"' };
    format!("{quote}{value}{quote}")
}
