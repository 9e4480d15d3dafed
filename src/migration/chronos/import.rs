//! Jobs of Chronos → bodies for our door, each with what was found.
//!
//! The bodies are for job files and for `/scheduler`, which read alike. What the generation of the server decided, and
//! this door would decide otherwise, is written out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::when::{self, Beside};
use super::{body, family, joda};
use crate::jobspec;
use crate::migration::finding::{Finding, Weight, worst};
use crate::migration::imported::{Imported, Upcoming, is_selected};
use crate::model::{Dialect, Duration, NameRule, Timestamp};
use crate::schedule::{ZoneDb, parse_period};

/// What the launchers of the Chronode that the jobs move to can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Abilities {
    /// Starts containers.
    pub containers: bool,
    /// Starts custom executors.
    pub executors: bool,
}

/// What the Chronode that the jobs move to says of the users that they name, as it would say it of the jobs. Of a user
/// who is not among them it is not known.
pub type Users = BTreeMap<String, Result<(), UserRefusal>>;

/// Why a command may not run as a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRefusal {
    /// A sentence.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// How jobs are translated.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// Which generation of Chronos the jobs come from.
    pub generation: Dialect,
    /// Whether they are to be planned, recorded and compared, but not started.
    pub shadow: bool,
    /// What they move to.
    pub abilities: Abilities,
    /// Who commands may run as there.
    pub users: &'a Users,
    /// The present.
    pub now: Timestamp,
    /// Zone data to calculate with.
    pub zones: &'a ZoneDb,
}

/// All of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// Parents before their children; what cannot be carried at the end.
    pub jobs: Vec<Imported>,
    /// What holds for all of them and is told once.
    pub general: Vec<Finding>,
}

/// Translates jobs as `GET P/jobs` prints them or as ZooKeeper has them. Those whose name `only` does not select are
/// left out.
#[must_use]
pub fn import(jobs: &[Value], only: &str, settings: &Settings<'_>) -> Import {
    let all: BTreeSet<&str> = jobs.iter().filter_map(|job| job["name"].as_str()).collect();
    let is_wanted = |job: &&Value| job["name"].as_str().is_none_or(|name| is_selected(only, name));
    let mut imported: Vec<Imported> =
        jobs.iter().filter(is_wanted).map(|job| translate(job, settings)).collect();
    family::mark_twins(&mut imported);
    family::judge_parents(&mut imported, &all);
    let jobs = family::in_order(imported);
    Import { jobs, general: general(settings.generation) }
}

fn translate(original: &Value, settings: &Settings<'_>) -> Imported {
    let mut found = Vec::new();
    let name = match &original["name"] {
        Value::String(name) => name.clone(),
        Value::Number(name) => name.to_string(),
        _ => "(a job without a name)".to_owned(),
    };
    let mut upcoming = None;
    let body = match original.as_object() {
        Some(object) => write(object, settings, &mut upcoming, &mut found),
        None => {
            let finding =
                Finding::new(Weight::NotCarried, "", "has it in its list", "cannot read it");
            found.push(finding.because("it is no JSON object"));
            None
        }
    };
    let body = body.filter(|_| worst(&found) != Weight::NotCarried);
    Imported { name, place: None, original: original.clone(), body, findings: found, upcoming }
}

/// The body, or `None` after a finding that there is none.
fn write(
    object: &Map<String, Value>,
    settings: &Settings<'_>,
    upcoming: &mut Option<Upcoming>,
    found: &mut Vec<Finding>,
) -> Option<Map<String, Value>> {
    let mut out = Map::new();
    for (field, value) in object.iter().filter(|(_, value)| !value.is_null()) {
        if !body::is_known(field) {
            found.push(unknown(field));
        } else if body::knows(settings.generation, field) && !body::is_default(field, value) {
            out.insert(field.clone(), value.clone());
        }
    }
    policy(object, settings.generation, &mut out, found);
    stats(&mut out, found);
    downloads(object, settings.generation, &mut out, found);
    command(object, found);
    environment(object, found);
    launcher(object, settings.abilities, found);
    user(object, settings.users, found);
    let is_carried = when(object, settings, &mut out, upcoming, found);
    if settings.shadow {
        out.insert("shadow".to_owned(), true.into());
    }
    if !is_carried {
        return None;
    }
    check(&out, settings, found);
    Some(out)
}

fn unknown(field: &str) -> Finding {
    Finding::new(
        Weight::Changes,
        field,
        "has a field that neither generation knows; a fork may",
        "does not know it, and leaves it out",
    )
    .remedy("look up what it does there, and whether a field of Chronode does it")
}

/// Lateness, overlap, and what becomes of runs that were missed.
fn policy(
    object: &Map<String, Value>,
    generation: Dialect,
    out: &mut Map<String, Value>,
    found: &mut Vec<Finding>,
) {
    match generation {
        Dialect::V0 => {
            if object.get("async") == Some(&Value::Bool(true)) {
                found.push(
                    Finding::new(
                        Weight::Changes,
                        "async",
                        "starts the next run when it is due, whether or not the last has reported its end",
                        "has the run go on until it reports its end, and the next one by `overlap`",
                    )
                    .because("a run that is not over is in the way of the next")
                    .remedy(
                        "give the job a `timeout`, so that one that never reports does not go on for ever",
                    ),
                );
            }
            let epsilon = object.get("epsilon").and_then(Value::as_str).unwrap_or_default();
            if !epsilon.is_empty() && span(epsilon).is_none_or(|span| span.is_negative()) {
                out.shift_remove("epsilon");
                found.push(
                    Finding::new(
                        Weight::Changes,
                        "epsilon",
                        &format!("has the lateness `{}`", epsilon.escape_debug()),
                        "takes only a period of a fixed length; the job gets `--task_epsilon`",
                    )
                    .remedy("write how late a run may start, such as `PT5M`"),
                );
            }
        }
        Dialect::V1 => {
            // What Chronos 3 does, and what our own `/v1` door would say.
            if out.get("concurrent") != Some(&Value::Bool(true)) {
                out.shift_remove("concurrent");
                out.insert("overlap".to_owned(), "queue".into());
            }
            out.insert("catchUp".to_owned(), "latest".into());
        }
    }
}

fn span(text: &str) -> Option<Duration> {
    parse_period(text).ok()
}

/// Chronos stores what a client sent; a date that is none breaks its own summary.
fn stats(out: &mut Map<String, Value>, found: &mut Vec<Finding>) {
    for field in ["lastSuccess", "lastError"] {
        let is_date = |text: &str| text.parse::<Timestamp>().is_ok();
        let is_odd = out.get(field).is_some_and(|value| !value.as_str().is_some_and(is_date));
        if is_odd {
            out.shift_remove(field);
            let finding = Finding::new(
                Weight::Changes,
                field,
                "has a text that is no date, and its summary of all jobs fails because of it",
                "leaves it out",
            );
            found.push(finding);
        }
    }
    for field in ["successCount", "errorCount", "errorsSinceLastSuccess"] {
        if out.get(field).and_then(Value::as_i64).is_some_and(|count| count < 0) {
            out.shift_remove(field);
            let finding =
                Finding::new(Weight::Changes, field, "has a negative count", "begins at 0");
            found.push(finding);
        }
    }
}

/// `fetch` and `uris`, which its list shows as copies of each other.
fn downloads(
    object: &Map<String, Value>,
    generation: Dialect,
    out: &mut Map<String, Value>,
    found: &mut Vec<Finding>,
) {
    let list =
        |field: &str| object.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    let (fetch, uris) = (list("fetch"), list("uris"));
    let addresses: Vec<&Value> = fetch.iter().filter_map(|item| item.get("uri")).collect();
    if uris.is_empty() {
        return;
    }
    if !fetch.is_empty() && addresses.iter().copied().eq(uris.iter()) {
        out.shift_remove("uris");
        return;
    }
    // Before 2.5 nobody had heard of `fetch`, and archives were unpacked.
    let extracts = match generation {
        Dialect::V0 => !object.contains_key("fetch"),
        Dialect::V1 => true,
    };
    if extracts && fetch.is_empty() {
        return;
    }
    let item =
        |uri: &Value| json!({"uri": uri, "executable": false, "cache": false, "extract": extracts});
    let others = uris.iter().filter(|uri| !addresses.contains(uri)).map(item);
    let all: Vec<Value> = fetch.iter().cloned().chain(others).collect();
    out.shift_remove("uris");
    out.insert("fetch".to_owned(), Value::Array(all));
    let chronos = match (extracts, fetch.is_empty()) {
        (false, true) => "downloads `uris` without unpacking archives",
        (_, _) => "downloads both `fetch` and `uris`",
    };
    found.push(Finding::new(Weight::Same, "uris", chronos, "has each of them once, in `fetch`"));
}

/// What is read as a command, and how arguments reach it.
fn command(object: &Map<String, Value>, found: &mut Vec<Finding>) {
    let command = object.get("command").and_then(Value::as_str).unwrap_or_default();
    let is_address = ["http://", "https://", "ftp://"].iter().any(|head| command.starts_with(head));
    if !is_address && (command.starts_with("http") || command.starts_with("ftp")) {
        found.push(
            Finding::new(
                Weight::Changes,
                "command",
                "takes a command that begins with `http` or `ftp` for a download",
                "takes only `http://`, `https://` and `ftp://` for one, and runs this command",
            )
            .remedy("nothing, if the command is meant"),
        );
    }
    let texts = object.get("arguments").and_then(Value::as_array).into_iter().flatten();
    let arguments: Vec<&str> = texts.filter_map(Value::as_str).collect();
    if arguments.is_empty() {
        return;
    }
    if object.get("shell") == Some(&Value::Bool(false)) {
        found.push(
            Finding::new(
                Weight::Changes,
                "arguments",
                "pastes them into the name of the program as well, which then is not found",
                "gives them to the program",
            )
            .remedy("nothing, if the job is meant to work"),
        );
    } else if !arguments.iter().all(|argument| body::is_plain_argument(argument)) {
        found.push(
            Finding::new(
                Weight::Changes,
                "arguments",
                "pastes them into the command text without `;`, where the shell splits and interprets them",
                "gives each to the command as one argument, as it is",
            )
            .because("data that becomes program text is a hole")
            .remedy("move what the shell is to interpret into `command`"),
        );
    }
}

fn environment(object: &Map<String, Value>, found: &mut Vec<Finding>) {
    let variables = object.get("environmentVariables").and_then(Value::as_array);
    let mut seen = BTreeSet::new();
    for name in variables.into_iter().flatten().filter_map(|item| item["name"].as_str()) {
        if !seen.insert(name) {
            found.push(
                Finding::new(
                    Weight::Same,
                    "environmentVariables",
                    &format!("hands on `{}` twice", name.escape_debug()),
                    "has the last one count",
                )
                .remedy("remove the others"),
            );
        }
    }
}

/// What only some launchers can do.
fn launcher(object: &Map<String, Value>, abilities: Abilities, found: &mut Vec<Finding>) {
    // Chronos 3 ignores a container that names no image.
    let has_container = object
        .get("container")
        .is_some_and(|it| it["image"].as_str().is_some_and(|it| !it.is_empty()));
    if has_container && !abilities.containers {
        found.push(
            Finding::new(
                Weight::NotCarried,
                "container",
                "has Mesos start the command in a container",
                "refuses it: the local launcher has no containerizer",
            )
            .remedy("leave `container` out and start the container in `command`, as with `docker run --rm`"),
        );
    }
    let executor = object.get("executor").and_then(Value::as_str).unwrap_or_default();
    if !executor.is_empty() && !abilities.executors {
        found.push(
            Finding::new(
                Weight::NotCarried,
                "executor",
                "has Mesos start a custom executor",
                "refuses it: the local launcher runs no custom executors",
            )
            .remedy("leave `executor` out and give a `command`"),
        );
    }
    let constraints = object.get("constraints").and_then(Value::as_array).into_iter().flatten();
    let attributes: BTreeSet<&str> =
        constraints.filter_map(|it| it[0].as_str()).filter(|it| *it != "hostname").collect();
    for attribute in attributes {
        found.push(
            Finding::new(
                Weight::Same,
                "constraints",
                &format!("compares with the attribute `{}` of Mesos' agents", attribute.escape_debug()),
                "compares with the attributes of its own machine",
            )
            .remedy("give the machine its attributes with `--attributes`, or the job never starts there"),
        );
    }
}

/// Whom the command runs as. Nearly every job of Chronos names somebody, because its `--user` is written into each.
fn user(object: &Map<String, Value>, users: &Users, found: &mut Vec<Finding>) {
    let Some(user) = object.get("runAsUser").and_then(Value::as_str) else { return };
    let shown = user.escape_debug();
    let chronos = match user {
        "" => "has Mesos run it as the user of its `--user`".to_owned(),
        _ => format!("has Mesos run it as `{shown}`"),
    };
    let finding = match users.get(user) {
        Some(Ok(())) => return,
        Some(Err(UserRefusal { message, remedy })) => {
            let refused = format!("refuses it: {message}");
            Finding::new(Weight::NotCarried, "runAsUser", &chronos, &refused).remedy(remedy)
        }
        // Nobody is named: only a list of users can be against it.
        None if user.is_empty() => return,
        None => Finding::new(
            Weight::Same,
            "runAsUser",
            &chronos,
            &format!(
                "takes it only where it runs as root, or as `{shown}` itself, and where its `--run_as` does not leave \
                 `{shown}` out"
            ),
        )
        .because("nobody has asked the Chronode that it moves to; `--load` does")
        .remedy(&format!(
            "run Chronode so that it may start commands as `{shown}`, or change `runAsUser`"
        )),
    };
    found.push(finding);
}

/// Schedule or parents. Whether the job can be carried, as far as that is concerned.
fn when(
    object: &Map<String, Value>,
    settings: &Settings<'_>,
    out: &mut Map<String, Value>,
    upcoming: &mut Option<Upcoming>,
    found: &mut Vec<Finding>,
) -> bool {
    // Parents win, as in Chronos, which has no job with both.
    if object.get("parents").is_some_and(|parents| !parents.is_null()) {
        out.shift_remove("schedule");
        out.shift_remove("scheduleTimeZone");
        return true;
    }
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    let schedule = text("schedule");
    if schedule.is_empty() {
        let finding = Finding::new(
            Weight::NotCarried,
            "schedule",
            "has neither a schedule nor parents for it",
            "would run it once, at once",
        );
        found.push(finding.remedy("give it a schedule or parents, or leave it where it is"));
        return false;
    }
    let is_disabled = object.get("disabled") == Some(&Value::Bool(true));
    let epsilon = span(text("epsilon")).unwrap_or(Duration::from_secs(60));
    let beside = Beside { generation: settings.generation, is_disabled, epsilon };
    let moved = when::translate(schedule, text("scheduleTimeZone"), beside, settings, found);
    let Some(moved) = moved else { return false };
    if joda::read(schedule).is_some_and(|interval| interval.count == Some(0)) {
        out.insert("disabled".to_owned(), true.into());
    }
    out.insert("schedule".to_owned(), moved.text.into());
    if moved.zone.is_empty() {
        out.shift_remove("scheduleTimeZone");
    } else {
        out.insert("scheduleTimeZone".to_owned(), moved.zone.into());
    }
    *upcoming = moved.upcoming;
    true
}

/// Whether our reader takes what was written.
fn check(out: &Map<String, Value>, settings: &Settings<'_>, found: &mut Vec<Finding>) {
    let period = |text: &str| parse_period(text).map_err(|error| error.to_string());
    let body = Value::Object(out.clone());
    match jobspec::read_as(&body, Dialect::V0, NameRule::Blanks, &period) {
        Ok(reading) => {
            let inner = reading.unknown.into_iter().map(|it| unknown(&it.field));
            let warned = reading
                .warnings
                .into_iter()
                .map(|it| Finding::new(Weight::Changes, &it.field, "has it as it is", &it.message));
            found.extend(inner.chain(warned));
        }
        Err(problems) => {
            let refused = problems.into_iter().map(|problem| {
                Finding::new(Weight::NotCarried, &problem.field, "accepts it", &problem.message)
                    .remedy(&problem.remedy)
            });
            found.extend(refused);
        }
    }
    let generation = settings.generation;
    if generation == Dialect::V1
        && out.get("name").and_then(Value::as_str).is_some_and(|it| it.contains([' ', '#']))
    {
        found.push(Finding::new(
            Weight::Same,
            "name",
            "has a name that only 2.x lets in, and 3.x cannot run",
            "runs it; the name can be given through `/scheduler` alone",
        ));
    }
}

/// What is otherwise with every job.
fn general(generation: Dialect) -> Vec<Finding> {
    let tell = |field: &str, chronos: &str, chronode: &str| {
        Finding::new(Weight::Changes, field, chronos, chronode)
    };
    let mut told = vec![
        tell(
            "retries",
            "does not retry a job whose last result was a failure",
            "always retries as often as `retries` says",
        ),
        tell(
            "parents",
            "counts successes of parents in memory, and loses them when it restarts",
            "runs a child once for each round in which every parent has a new success, across restarts",
        ),
        tell(
            "cpus, mem, disk",
            "has Mesos give a command no more than this",
            "limits commands on its own machine only where it is asked to",
        ),
    ];
    match generation {
        Dialect::V0 => told.push(tell(
            "schedule",
            "loses a run whose predecessor still runs, and one that is later than `epsilon`, in silence",
            "loses them too, as `overlap: skip` and `catchUp: none` say, but records each with the reason",
        )),
        Dialect::V1 => told.push(tell(
            "schedule",
            "starts whatever was missed once, however late",
            "does the same with `catchUp: latest` and `overlap: queue`, which each job gets",
        )),
    }
    told
}
