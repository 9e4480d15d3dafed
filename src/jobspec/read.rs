//! A JSON object → what it asks for.
//!
//! Every field is read whatever became of the others, so that all problems are told at once. What a field that is not
//! there becomes is not decided here.

use serde_json::Value;

use super::fields::{Findings, Object, Spelling, TextRule, shown, text_of};
use super::{
    PeriodReader, Problem, Reading, container, download, known, objective, policy, schedule_fields,
};
use crate::model::limits::{
    COMMAND_BYTES_MAX, ENVIRONMENT_BYTES_MAX, PATTERN_BYTES_MAX, PATTERN_NESTING_MAX,
    PATTERNS_BYTES_MAX, RETRIES_MAX,
};
use crate::model::{
    Constraint, Dialect, EnvVar, JobDraft, JobName, JobStats, NameRule, Operator, Timestamp,
};

/// How many constraints a job may have. Each may be an expression to compile, which takes milliseconds at worst.
pub(super) const CONSTRAINTS_MAX: usize = 100;

/// Reads a job as the door `dialect` understands it.
///
/// # Errors
///
/// Every [`Problem`] of the body, at least one.
pub fn read(
    value: &Value,
    dialect: Dialect,
    parse_period: PeriodReader<'_>,
) -> Result<Reading, Vec<Problem>> {
    read_as(value, dialect, dialect.name_rule(), parse_period)
}

/// Like [`read`] with the names of another rule. Chronos checks the name of a new job only; a door that knows the
/// name already lets its job be replaced although it would not let it be created.
///
/// # Errors
///
/// Every [`Problem`] of the body, at least one.
pub fn read_as(
    value: &Value,
    dialect: Dialect,
    names: NameRule,
    parse_period: PeriodReader<'_>,
) -> Result<Reading, Vec<Problem>> {
    read_spelled(value, Door { dialect, names, parse_period }, Spelling::Json)
}

/// Reads a job that comes from a job file, in the spelling of those.
///
/// # Errors
///
/// Every [`Problem`] of the body, at least one.
pub fn read_from_file(
    value: &Value,
    names: NameRule,
    parse_period: PeriodReader<'_>,
) -> Result<Reading, Vec<Problem>> {
    read_spelled(value, Door { dialect: Dialect::V0, names, parse_period }, Spelling::Yaml)
}

/// How a door reads.
#[derive(Clone, Copy)]
pub(super) struct Door<'a> {
    pub(super) dialect: Dialect,
    pub(super) names: NameRule,
    pub(super) parse_period: PeriodReader<'a>,
}

pub(super) fn read_spelled(
    value: &Value,
    door: Door<'_>,
    spelling: Spelling,
) -> Result<Reading, Vec<Problem>> {
    let mut found = Findings::new(spelling);
    let draft = read_draft(value, door, &mut found);
    match draft {
        Some(draft) if found.problems.is_empty() => {
            Ok(Reading { draft, unknown: found.unknown, warnings: found.warnings })
        }
        Some(_) | None => Err(found.problems),
    }
}

/// The draft, or `None` after a problem was noted. A draft may come with problems; then it is not to be used.
fn read_draft(value: &Value, door: Door<'_>, found: &mut Findings) -> Option<JobDraft> {
    let body = &Object::of(value, "", known::JOB, found)?;
    let free = |key, found: &mut Findings| body.text(key, TextRule::FREE, found);
    let name = name(body, door.names, found);
    let when = schedule_fields::when(body, door.parse_period, found);
    let command = body.text("command", TextRule::PROCESS.at_most(COMMAND_BYTES_MAX), found);
    let shell = body.flag("shell", found);
    let epsilon = schedule_fields::epsilon(body, door.parse_period, found);
    let executor = body.text("executor", TextRule::PROCESS, found);
    let executor_flags = free("executorFlags", found);
    let task_info_data = free("taskInfoData", found);
    // Negative means none and is kept as typed.
    let retries = body.whole("retries", i64::MIN..=RETRIES_MAX, found);
    let retry = policy::retry(body, door.parse_period, found);
    // Goes into the head of mails, where a line break would begin another header.
    let owner = body.text("owner", TextRule::LINE, found);
    let owner_name = free("ownerName", found);
    let description = free("description", found);
    let is_async = body.flag("async", found);
    let stats = stats(body, found);
    let cpus = body.amount("cpus", found);
    let disk = body.amount("disk", found);
    let mem = body.amount("mem", found);
    let disabled = body.flag("disabled", found);
    let soft_error = body.flag("softError", found);
    let data_processing = body.flag("dataProcessingJobType", found);
    let (fetch, uris) = download::read(body, door.dialect, found);
    let environment = body.list("environmentVariables", found, variable);
    let arguments = body.list("arguments", found, |item, path, found| {
        text_of(item, path, TextRule::PROCESS, found)
    });
    check_execve(environment.as_deref(), arguments.as_deref(), found);
    let priority = policy::priority(body, found);
    let run_as_user = body.text("runAsUser", TextRule::LINE, found);
    let concurrent = body.flag("concurrent", found);
    let max_completion_secs = policy::completion_secs(body, door.parse_period, found);
    let kill_grace = policy::kill_grace(body, door.parse_period, found);
    let disable_after_failures = policy::disable_after_failures(body, found);
    let on_unknown = policy::on_unknown(body, door.parse_period, found);
    let container = container::read(body, door.dialect, found);
    let mut pattern_bytes = 0;
    let constraints =
        body.short_list("constraints", CONSTRAINTS_MAX, found, |item, path, found| {
            constraint(item, path, &mut pattern_bytes, found)
        });
    let ports = policy::ports(body, found);
    let placement = policy::placement(body, found);
    let overlap = policy::overlap(body, found);
    let catch_up = policy::catch_up(body, found);
    let shadow = policy::shadow(body, found);
    let objectives = objective::read(body, door.parse_period, found);
    let runbook = objective::runbook(body, found);
    let labels = objective::labels(body, found);
    Some(JobDraft {
        name: name?,
        when: when?,
        command,
        shell,
        epsilon,
        executor,
        executor_flags,
        task_info_data,
        retries,
        retry,
        owner,
        owner_name,
        description,
        is_async,
        cpus,
        mem,
        disk,
        ports,
        disabled,
        soft_error,
        data_processing,
        fetch,
        uris,
        environment,
        arguments,
        priority,
        run_as_user,
        concurrent,
        max_completion_secs,
        kill_grace,
        disable_after_failures,
        on_unknown,
        container,
        constraints,
        placement,
        overlap,
        catch_up,
        shadow,
        objectives,
        runbook,
        labels,
        stats,
    })
}

fn name(body: &Object<'_>, names: NameRule, found: &mut Findings) -> Option<JobName> {
    if body.get("name").is_none() {
        found.refuse("name", "`name` is missing".to_owned(), "give the job a name");
        return None;
    }
    let text = body.text("name", TextRule::FREE, found)?;
    let remedy = match names {
        NameRule::Blanks => "use letters, digits, `_`, `.`, `-`, `#` and blanks",
        NameRule::NoBlanks => "use letters, digits, `_`, `.` and `-`",
    };
    JobName::parse(&text, names)
        .map_err(|error| found.refuse("name", error.to_string(), remedy))
        .ok()
}

fn variable(item: &Value, path: &str, found: &mut Findings) -> Option<EnvVar> {
    let item = Object::of(item, path, known::ENVIRONMENT, found)?;
    let name = item.required_text("name", TextRule::PROCESS, found);
    if let Some(name) = name.as_deref().filter(|name| name.is_empty() || name.contains('=')) {
        let path = item.path_of("name");
        // What follows the `=` may be a secret.
        let told = if name.is_empty() { "is empty" } else { "contains a `=`" };
        let message = format!("`{path}` {told}, which no variable can be called");
        found.refuse(&path, message, "give it a name without `=`");
    }
    let value = item.required_text("value", TextRule::PROCESS, found);
    let secret = item.flag("secret", found).unwrap_or(false);
    Some(EnvVar { name: name?, value: value?, secret })
}

/// Reads variables for a run alone, given as `environment`: as a job's `environmentVariables`, but what is unknown in
/// them is refused.
///
/// # Errors
///
/// Every problem found; none repeats a value, which may be a secret.
pub fn read_environment(value: &Value) -> Result<Vec<EnvVar>, Vec<Problem>> {
    const FIELD: &str = "environment";
    let mut found = Findings::new(Spelling::Json);
    let whole = serde_json::json!({FIELD: value});
    let body = Object::of(&whole, "", &[FIELD], &mut found);
    let read = body.and_then(|body| body.list(FIELD, &mut found, variable)).unwrap_or_default();
    for unknown in std::mem::take(&mut found.unknown) {
        let message = format!("unknown field `{}`", unknown.field);
        found.refuse(&unknown.field, message, "a variable has `name`, `value` and `secret`");
    }
    let bytes: usize = read.iter().map(|it| it.name.len() + it.value.len()).sum();
    if bytes > ENVIRONMENT_BYTES_MAX {
        let message =
            format!("`{FIELD}` has {bytes} bytes; at most {ENVIRONMENT_BYTES_MAX} are allowed");
        found.refuse(FIELD, message, "shorten it");
    }
    if found.problems.is_empty() { Ok(read) } else { Err(found.problems) }
}

/// Refuses what `execve` would refuse, with some room left for the variables of our own.
fn check_execve(
    environment: Option<&[EnvVar]>,
    arguments: Option<&[String]>,
    found: &mut Findings,
) {
    let variables = environment.unwrap_or_default().iter();
    let bytes = variables.map(|v| v.name.len() + v.value.len()).sum::<usize>()
        + arguments.unwrap_or_default().iter().map(String::len).sum::<usize>();
    if bytes > ENVIRONMENT_BYTES_MAX {
        let message = format!(
            "`environmentVariables` and `arguments` have {bytes} bytes; at most \
             {ENVIRONMENT_BYTES_MAX} are allowed"
        );
        found.refuse("environmentVariables", message, "shorten them, or fetch a file");
    }
}

/// `[attribute, operator, value]`.
///
/// DIFFERENCE: Chronos silently drops a constraint with an operator that it does not know, so that the job runs where
/// it must not.
///
/// `pattern_bytes` counts the bytes of the regular expressions of all constraints of the job.
fn constraint(
    item: &Value,
    path: &str,
    pattern_bytes: &mut usize,
    found: &mut Findings,
) -> Option<Constraint> {
    const REMEDY: &str = "write `[attribute, operator, value]`";
    let nothing = Value::from("");
    let compares_runs =
        |word: &Value| word.as_str().and_then(Operator::parse).is_some_and(Operator::compares_runs);
    let (attribute, operator, value) = match item.as_array().map(Vec::as_slice) {
        Some([attribute, operator, value]) => (attribute, operator, value),
        // What compares runs with each other needs no value.
        Some([attribute, operator]) if compares_runs(operator) => (attribute, operator, &nothing),
        Some(parts) => {
            let message = format!("`{path}` has {} parts instead of three", parts.len());
            found.refuse(path, message, REMEDY);
            return None;
        }
        None => {
            found.refuse(path, format!("`{path}` is no list"), REMEDY);
            return None;
        }
    };
    let mut text = |part, index| text_of(part, &format!("{path}[{index}]"), TextRule::FREE, found);
    let (attribute, word, value) = (text(attribute, 0), text(operator, 1), text(value, 2));
    let word = word?;
    let Some(operator) = Operator::parse(&word) else {
        let path = format!("{path}[1]");
        let message = format!("`{path}` is `{}`, which is no operator", shown(&word));
        found.refuse(&path, message, "write `EQUALS`, `LIKE`, `UNLIKE`, `UNIQUE` or `CLUSTER`");
        return None;
    };
    let constraint = Constraint { attribute: attribute?, operator, value: value? };
    match operator {
        Operator::Equals | Operator::Cluster => {}
        Operator::Unique if constraint.value.is_empty() => {}
        Operator::Unique => {
            let message =
                format!("`{path}[2]` is `{}`, but UNIQUE takes no value", shown(&constraint.value));
            found.refuse(&format!("{path}[2]"), message, "leave the value out, or write `CLUSTER`");
            return None;
        }
        Operator::Like | Operator::Unlike => {
            check_pattern(&constraint.value, &format!("{path}[2]"), pattern_bytes, found);
        }
    }
    Some(constraint)
}

/// Refuses a text that is no regular expression, or a costly one, before it is stored. How long it is, alone and with
/// those before it, is judged before it is read.
fn check_pattern(pattern: &str, path: &str, bytes_before: &mut usize, found: &mut Findings) {
    let bytes = pattern.len();
    if bytes > PATTERN_BYTES_MAX {
        let message = format!(
            "`{path}` is a regular expression of {bytes} bytes; at most {PATTERN_BYTES_MAX} are allowed"
        );
        found.refuse(path, message, "shorten it, or give the agents an attribute for what it says");
        return;
    }
    let is_room_left = *bytes_before <= PATTERNS_BYTES_MAX;
    *bytes_before += bytes;
    if *bytes_before > PATTERNS_BYTES_MAX {
        // Said of the first one that is too much; the others are not looked at either.
        if is_room_left {
            let message = format!(
                "the regular expressions of `constraints` have more than {PATTERNS_BYTES_MAX} bytes up to `{path}`"
            );
            found.refuse("constraints", message, "leave some out, or shorten them");
        }
        return;
    }
    // The form and size in which it will be used: see `placement::Conditions`.
    let parses = regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(1 << 20)
        .nest_limit(PATTERN_NESTING_MAX)
        .build();
    if let Err(error) = parses {
        let text = error.to_string();
        let why = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        let shown = shown(pattern);
        let message = format!("`{path}` is `{shown}`, which is no regular expression ({why})");
        found.refuse(path, message, "correct it; `.` `*` `+` `?` `(` `[` `{` `|` are special");
    }
}

/// Counts and dates, which a client may bring along when it moves a job from another server.
fn stats(body: &Object<'_>, found: &mut Findings) -> JobStats {
    JobStats {
        success_count: body.count("successCount", found).unwrap_or_default(),
        error_count: body.count("errorCount", found).unwrap_or_default(),
        errors_since_last_success: body.count("errorsSinceLastSuccess", found).unwrap_or_default(),
        last_success: date(body, "lastSuccess", found),
        last_error: date(body, "lastError", found),
    }
}

/// A date or nothing, kept as typed. DIFFERENCE: Chronos keeps any text, and its summary then fails for all jobs.
fn date(body: &Object<'_>, key: &str, found: &mut Findings) -> String {
    let text = body.text(key, TextRule::LINE, found).unwrap_or_default();
    if !text.is_empty() && text.parse::<Timestamp>().is_err() {
        let message = format!("`{key}` is `{}`, which is no date", shown(&text));
        let remedy = "write a date such as `2030-01-01T02:31:05.123Z`, or leave it out";
        found.refuse(key, message, remedy);
    }
    text
}
