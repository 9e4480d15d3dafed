//! Jobs of ours → bodies that a real Chronos accepts, in the order in which it must get them.
//!
//! What Chronos has no word for is told. Where leaving it out would make the job run when it must not, there is no body.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::order::{self, Family};
use super::{body, cron, joda, walk};
use crate::jobspec;
use crate::migration::finding::{Finding, Weight, worst};
use crate::migration::same;
use crate::model::{
    CatchUp, ContainerType, Defaults, Dialect, Duration, Job, Join, NameRule, Network, Overlap,
    Period, Priority, SECRET_SHOWN, ScheduleTerms, Timestamp, TriggerRule, When,
};
use crate::schedule::{Schedule, ZoneDb, is_interval, parse_period};

/// A job as it leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// Its name.
    pub name: String,
    /// Where its body is to be posted, such as `/scheduler/iso8601`.
    pub endpoint: &'static str,
    /// What to post; `None` if Chronos cannot have the job.
    pub body: Option<Map<String, Value>>,
    /// What is lost or otherwise.
    pub findings: Vec<Finding>,
}

impl Exported {
    /// What its findings come to.
    #[must_use]
    pub fn weight(&self) -> Weight {
        worst(&self.findings)
    }
}

/// All of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// Parents before their children; what cannot be exported at the end.
    pub jobs: Vec<Exported>,
}

/// Translates jobs as our own `GET P/job/{name}` of the prefix of `generation` prints them.
#[must_use]
pub fn export(jobs: &[Value], generation: Dialect, now: Timestamp, zones: &ZoneDb) -> Export {
    let mut exported: BTreeMap<String, Exported> = BTreeMap::new();
    for job in jobs {
        let job = translate(job, generation, now, zones);
        exported.insert(job.name.clone(), job);
    }
    let parents: BTreeMap<String, Vec<String>> = exported
        .iter()
        .map(|(name, job)| (name.clone(), job.body.as_ref().map(parents_of).unwrap_or_default()))
        .collect();
    let family: Family<'_> = parents
        .iter()
        .map(|(name, parents)| (name.as_str(), parents.iter().map(String::as_str).collect()))
        .collect();
    let order = order::sort(&family);
    let mut jobs = Vec::with_capacity(exported.len());
    let mut left = Vec::new();
    let mut there: BTreeSet<&str> = BTreeSet::new();
    // Nothing of ours is cyclic; if it were, it would stand at the end without a body.
    for name in order.sorted.into_iter().chain(order.cyclic).chain(order.behind) {
        let Some(mut job) = exported.remove(name) else { continue };
        let missing = family[name].iter().find(|parent| !there.contains(*parent));
        if let (Some(parent), true) = (missing, job.body.is_some()) {
            job.body = None;
            job.findings.push(
                refused(
                    "parents",
                    "refuses a job whose parent it does not have",
                    "runs it after its parents",
                )
                .because(&format!("`{}` is not exported", parent.escape_debug()))
                .remedy("see what is said about the parent"),
            );
        }
        if job.body.is_some() {
            there.insert(name);
            jobs.push(job);
        } else {
            left.push(job);
        }
    }
    left.sort_by(|a, b| a.name.cmp(&b.name));
    jobs.extend(left);
    Export { jobs }
}

fn parents_of(body: &Map<String, Value>) -> Vec<String> {
    let parents = body.get("parents").and_then(Value::as_array).into_iter().flatten();
    parents.filter_map(|parent| parent.as_str().map(str::to_owned)).collect()
}

/// Where a job of this kind is posted.
const fn endpoint(generation: Dialect, has_parents: bool) -> &'static str {
    match (generation, has_parents) {
        (Dialect::V0, false) => "/scheduler/iso8601",
        (Dialect::V0, true) => "/scheduler/dependency",
        (Dialect::V1, false) => "/v1/scheduler/iso8601",
        (Dialect::V1, true) => "/v1/scheduler/dependency",
    }
}

fn changes(field: &str, chronos: &str, chronode: &str) -> Finding {
    Finding::new(Weight::Changes, field, chronos, chronode)
}

fn refused(field: &str, chronos: &str, chronode: &str) -> Finding {
    Finding::new(Weight::NotCarried, field, chronos, chronode)
}

fn translate(printed: &Value, generation: Dialect, now: Timestamp, zones: &ZoneDb) -> Exported {
    let mut found = Vec::new();
    let name = printed["name"].as_str().unwrap_or_default().to_owned();
    let has_parents = printed.get("parents").is_some_and(Value::is_array);
    let endpoint = endpoint(generation, has_parents);
    let period = |text: &str| parse_period(text).map_err(|error| error.to_string());
    let job = match jobspec::read_as(printed, generation, NameRule::Blanks, &period) {
        Ok(reading) => reading.draft.resolve(None, generation, &Defaults::default()),
        Err(problems) => {
            let told = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            found.push(refused(
                "",
                "is not asked",
                &format!("prints what it does not read: {told}"),
            ));
            return Exported { name, endpoint, body: None, findings: found };
        }
    };
    let mut out = Map::new();
    for (field, value) in printed.as_object().into_iter().flatten() {
        if body::knows(generation, field) {
            out.insert(field.clone(), value.clone());
        } else if !matches!(field.as_str(), "nextDue" | "remaining" | "waitsFor") {
            found.extend(ours(field, value, &job, generation, now));
        }
    }
    names(&job, generation, &mut found);
    downloads(&job, generation, &mut out, &mut found);
    secrets(printed, &mut out, &mut found);
    lateness(&job, generation, &mut found);
    arguments(&job, &mut found);
    container(&job, generation, &mut found);
    constraints(&job, &mut found);
    match &job.when {
        When::Schedule(terms) => {
            schedule(&job, terms, Target { generation, now, zones }, &mut out, &mut found);
        }
        When::Parents(terms) => {
            let rule = terms.rule;
            if rule != TriggerRule::default() {
                found.push(
                    refused(
                        "triggerRule",
                        "starts a job when all its parents have succeeded, and never otherwise",
                        &format!("starts it by the rule `{}`", rule.as_str()),
                    )
                    .remedy(
                        "have the parents' commands end as the job needs it, and take the rule off",
                    ),
                );
            }
            if terms.join != Join::default() {
                found.push(changes(
                    "join",
                    "takes successes of parents together whenever they came",
                    "takes only those together that are for the same due instant",
                ));
            }
        }
    }
    let body = Some(out).filter(|_| worst(&found) != Weight::NotCarried);
    Exported { name, endpoint, body, findings: found }
}

/// A field that only we have.
fn ours(
    field: &str,
    value: &Value,
    job: &Job,
    generation: Dialect,
    now: Timestamp,
) -> Option<Finding> {
    match field {
        // Told with what they mean for runs.
        "overlap" | "catchUp" => None,
        // Told with parents.
        "triggerRule" | "join" => None,
        "notBefore" | "notAfter" | "calendars" => Some(
            refused(
                field,
                "would start the job at times at which it must not run",
                "leaves these times out",
            )
            .remedy("have the command itself look at the date and end at once"),
        ),
        "timeout" => Some(
            changes(
                field,
                "lets an attempt run for as long as it likes",
                &format!("stops an attempt after {} seconds", job.max_completion_secs),
            )
            .remedy("put `timeout` in front of the command"),
        ),
        "priority" => match job.priority {
            Priority::Low => Some(changes(field, "knows two priorities", "has a low one for it")),
            // Never printed.
            Priority::Normal | Priority::High => None,
        },
        // From some instant on it is started here.
        "shadow" if !job.shadow.covers(now) => None,
        "shadow" => Some(
            refused(field, "would start it", "does not start it: it is a shadow")
                .remedy("cut it over first, or leave it to the Chronos that runs it"),
        ),
        _ => {
            let door = match generation {
                Dialect::V0 => "2.x",
                Dialect::V1 => "3.x",
            };
            Some(changes(
                field,
                &format!("has nothing like it in {door}"),
                &format!("has `{field}`: {value}"),
            ))
        }
    }
}

fn names(job: &Job, generation: Dialect, found: &mut Vec<Finding>) {
    let name = job.name.as_str();
    match generation {
        Dialect::V1 if name.contains([' ', '#']) => found.push(
            refused("name", "refuses names with blanks and `#` in 3.x", "has such a name")
                .remedy("store the job under another name first"),
        ),
        Dialect::V0 if name.contains('.') => found.push(
            Finding::new(
                Weight::Same,
                "name",
                "refuses names with dots before 2.5",
                "has such a name",
            )
            .remedy("nothing, for 2.5"),
        ),
        Dialect::V0 | Dialect::V1 => {}
    }
}

/// Chronos drops a constraint with an operator that it does not know, and says nothing.
fn constraints(job: &Job, found: &mut Vec<Finding>) {
    let ours = job.constraints.iter().find(|constraint| constraint.operator.compares_runs());
    if let Some(ours) = ours {
        let word = ours.operator.as_str();
        found.push(
            refused(
                "constraints",
                &format!("leaves a constraint with {word} out, and starts the job anywhere"),
                "compares where the live runs of the job are",
            )
            .remedy("take the constraint off, or name the place with `EQUALS` or `LIKE`"),
        );
    }
}

/// One of the two lists only, or Chronos refuses the job; and archives unpacked as they are here.
fn downloads(
    job: &Job,
    generation: Dialect,
    out: &mut Map<String, Value>,
    found: &mut Vec<Finding>,
) {
    if !job.fetch.is_empty() {
        out.insert("uris".to_owned(), json!([]));
        return;
    }
    out.insert("fetch".to_owned(), json!([]));
    if job.uris.is_empty() || generation == Dialect::V1 {
        return;
    }
    let item =
        |uri: &String| json!({"uri": uri, "executable": false, "cache": false, "extract": true});
    out.insert("fetch".to_owned(), job.uris.iter().map(item).collect());
    out.insert("uris".to_owned(), json!([]));
    found.push(Finding::new(
        Weight::Same,
        "uris",
        "does not unpack what `uris` names in 2.5",
        "unpacks it; it is exported as `fetch`, which says so",
    ));
}

fn secrets(printed: &Value, out: &mut Map<String, Value>, found: &mut Vec<Finding>) {
    let Some(variables) = out.get_mut("environmentVariables").and_then(Value::as_array_mut) else {
        return;
    };
    variables.retain(|variable| {
        let is_secret = variable["secret"] == true && variable["value"] == SECRET_SHOWN;
        !is_secret
    });
    for variable in printed["environmentVariables"].as_array().into_iter().flatten() {
        if variable["secret"] == true {
            let name = variable["name"].as_str().unwrap_or_default();
            found.push(
                changes(
                    "environmentVariables",
                    "keeps no secrets and shows every value to everybody",
                    &format!(
                        "never prints the value of `{}`, so it is left out",
                        name.escape_debug()
                    ),
                )
                .remedy("give the command its secret in another way"),
            );
        }
    }
}

/// What becomes of runs that are late or meet each other.
fn lateness(job: &Job, generation: Dialect, found: &mut Vec<Finding>) {
    let overlap = match (generation, job.overlap) {
        (Dialect::V0, Overlap::Skip)
        | (Dialect::V1, Overlap::Queue { max: 1 } | Overlap::Allow { max: None }) => None,
        (Dialect::V0, _) => Some("drops a run whose predecessor still runs"),
        (Dialect::V1, Overlap::Allow { max: Some(_) }) => {
            Some("starts any number of runs beside each other")
        }
        (Dialect::V1, Overlap::Skip | Overlap::Queue { .. } | Overlap::Replace) => {
            Some("starts a run late when its predecessor has ended, however many were due")
        }
    };
    if let Some(chronos) = overlap {
        let word = match job.overlap {
            Overlap::Skip => "skips it and records that".to_owned(),
            Overlap::Queue { max } => format!("lets {max} wait"),
            Overlap::Replace => "stops the predecessor".to_owned(),
            Overlap::Allow { max: None } => "starts it beside the other".to_owned(),
            Overlap::Allow { max: Some(max) } => format!("starts it beside the other, up to {max}"),
        };
        found.push(changes("overlap", chronos, &word));
    }
    if matches!(job.when, When::Parents(_)) {
        return;
    }
    let catch_up = match (generation, job.catch_up) {
        (Dialect::V0, CatchUp::None) | (Dialect::V1, CatchUp::Latest) => None,
        (Dialect::V0, CatchUp::Latest | CatchUp::All { .. }) => {
            Some("loses what is later than `epsilon`")
        }
        (Dialect::V1, CatchUp::None) => Some("starts whatever was missed once, however late"),
        (Dialect::V1, CatchUp::All { .. }) => Some("starts one run for all that were missed"),
    };
    if let Some(chronos) = catch_up {
        let word = match job.catch_up {
            CatchUp::None => "starts nothing that was missed".to_owned(),
            CatchUp::Latest => "starts the latest that was missed".to_owned(),
            CatchUp::All { max } => format!("starts up to {max} that were missed"),
        };
        found.push(changes("catchUp", chronos, &word));
    }
    if generation == Dialect::V1 && job.epsilon.span != Duration::from_secs(60) {
        let Period { text, span: _ } = &job.epsilon;
        found.push(changes(
            "epsilon",
            "has no lateness in 3.x: whatever is due is started",
            &format!("starts nothing by its schedule that is later than `{text}`"),
        ));
    }
    if generation == Dialect::V1 && job.max_completion_secs > 0 {
        found.push(changes(
            "maxCompletionTime",
            "reads it only in its last revision; 3.0.2 lets an attempt run for as long as it likes",
            &format!("stops an attempt after {} seconds", job.max_completion_secs),
        ));
    }
}

fn arguments(job: &Job, found: &mut Vec<Finding>) {
    if job.arguments.is_empty() {
        return;
    }
    if !job.shell {
        found.push(
            changes(
                "arguments",
                "pastes them into the name of the program as well, which then is not found",
                "gives them to the program",
            )
            .remedy("write them into `command`, and `shell` as true"),
        );
    } else if !job.arguments.iter().all(|argument| body::is_plain_argument(argument)) {
        found.push(
            changes(
                "arguments",
                "pastes them into the command text without `;`, where the shell splits and interprets them",
                "gives each to the command as one argument, as it is",
            )
            .remedy("write them into `command`, quoted as the shell needs it"),
        );
    }
}

/// What 2.x has no word for in a container.
fn container(job: &Job, generation: Dialect, found: &mut Vec<Finding>) {
    let Some(container) = &job.container else { return };
    if generation == Dialect::V1 {
        return;
    }
    let mut lost = Vec::new();
    if container.kind == ContainerType::Mesos {
        lost.push("type");
    }
    if container.network == Network::User {
        lost.push("network");
    }
    if !container.network_infos.is_empty() || !container.network_name.is_empty() {
        lost.push("networkInfos");
    }
    if container.volumes.iter().any(|volume| volume.external.is_some()) {
        lost.push("volumes");
    }
    for key in lost {
        found.push(
            refused(
                &format!("container.{key}"),
                "refuses it, or starts the container without it, in 2.x",
                "has it in the job",
            )
            .remedy("export for 3.x with `--dialect v1`"),
        );
    }
}

/// Where a job goes, and when.
#[derive(Clone, Copy)]
struct Target<'a> {
    generation: Dialect,
    now: Timestamp,
    zones: &'a ZoneDb,
}

fn schedule(
    job: &Job,
    terms: &ScheduleTerms,
    target: Target<'_>,
    out: &mut Map<String, Value>,
    found: &mut Vec<Finding>,
) {
    // The rest of the terms is told by field: what is compared is the schedule alone.
    let plain = ScheduleTerms {
        spread_by: terms.spread_by.clone(),
        ..ScheduleTerms::plain(&terms.text, &terms.zone)
    };
    let parsed = Schedule::of(job.name.as_str(), &plain, target.now, target.zones);
    let schedule = match parsed {
        Ok(schedule) => schedule,
        Err(error) => {
            found.push(refused("schedule", "is not asked", &error.to_string()));
            return;
        }
    };
    let zone = schedule.zone();
    if !is_interval(&terms.text) {
        match cron::convert(&schedule, target.now, target.zones) {
            Ok(cron::Converted { start, period }) => {
                let text = format!("R/{}/{}", zone.print(start), period.print());
                found.push(Finding::new(
                    Weight::Same,
                    "schedule",
                    &format!("reads no cron expressions; it gets `{text}`"),
                    &format!("has `{}`, which is due at the same instants", terms.text),
                ));
                out.insert("schedule".to_owned(), text.into());
                out.insert("scheduleTimeZone".to_owned(), named(zone.name()).into());
            }
            Err(why) => found.push(
                refused(
                    "schedule",
                    "reads no cron expressions",
                    &format!("has `{}`: {}", terms.text, schedule.description()),
                )
                .because(&why)
                .remedy("write repeating intervals, one job for each, or leave the job here"),
            ),
        }
        return;
    }
    let text = terms.text.trim();
    out.insert("schedule".to_owned(), text.into());
    let Some(interval) = joda::read(text) else {
        found.push(refused("schedule", "cannot read it", &format!("has `{text}`")));
        return;
    };
    begin_later(&schedule, interval, target, out, found);
}

/// A zone as Chronos names it: those without a name are in the text.
fn named(zone: &str) -> &str {
    if zone.starts_with(['+', '-']) { "" } else { zone }
}

/// A start that is past would make 3.x start the job at once, or be refused, and 2.x count what is past; and what adds
/// the period to the last run goes other ways than what counts from the start.
fn begin_later(
    schedule: &Schedule,
    interval: joda::Interval<'_>,
    target: Target<'_>,
    out: &mut Map<String, Value>,
    found: &mut Vec<Finding>,
) {
    let Target { generation, now, zones } = target;
    let before = now.checked_sub(Duration::from_nanos(1)).unwrap_or(now);
    let zone = schedule.zone();
    let Some(next) = schedule.next_after(before) else {
        // Over: said with a count of 0, in which nothing is due whatever the start is.
        if interval.count != Some(0) {
            out.insert(
                "schedule".to_owned(),
                format!("R0/{}/{}", interval.start, interval.period.print()).into(),
            );
            found.push(Finding::new(
                Weight::Same,
                "schedule",
                "would start it at once, or count what is past; it gets `R0`",
                "has nothing left to start",
            ));
        }
        return;
    };
    let is_past = schedule.next_after(Timestamp::MIN).is_some_and(|first| first < now);
    if is_past && !interval.start.is_empty() {
        let left = match schedule.remaining_after(before) {
            crate::schedule::Remaining::Unlimited => String::new(),
            crate::schedule::Remaining::Count(left) => left.to_string(),
        };
        let text = format!("R{left}/{}/{}", zone.print(next), interval.period.print());
        found.push(Finding::new(
            Weight::Same,
            "schedule",
            &format!("counts from the last run; it gets `{text}`, which begins with the next one"),
            "counts from the start, which is past",
        ));
        out.insert("schedule".to_owned(), text.into());
    } else if generation == Dialect::V1 && next.as_second() < 1 {
        found.push(refused("schedule", "refuses a start before 1970", "has one"));
    }
    let ours: Vec<Timestamp> = same::occurrences(schedule, now).collect();
    let steps = walk::Walk::new(zone, next, interval.period, zones);
    let parted = steps.and_then(|steps| {
        let theirs: Vec<Timestamp> = steps.from(next).take(ours.len()).collect();
        ours.iter()
            .zip(theirs)
            .find(|(ours, theirs)| *ours != theirs)
            .map(|(ours, theirs)| (*ours, theirs))
    });
    if let Some((ours, theirs)) = parted {
        found.push(
            changes(
                "schedule",
                &format!("is due at {}", zone.print(theirs)),
                &format!("is due at {} instead", zone.print(ours)),
            )
            .because("Chronos adds the period to the last run; Chronode counts from the start"),
        );
    }
}
