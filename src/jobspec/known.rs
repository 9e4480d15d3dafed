//! Which fields there are, and which of them a misspelt one was probably meant to be.

/// Fields of a job. The last ones are printed, never read.
pub(super) const JOB: &[&str] = &[
    "name",
    "command",
    "shell",
    "epsilon",
    "executor",
    "executorFlags",
    "taskInfoData",
    "retries",
    "owner",
    "ownerName",
    "description",
    "async",
    "successCount",
    "errorCount",
    "lastSuccess",
    "lastError",
    "cpus",
    "disk",
    "mem",
    "disabled",
    "softError",
    "dataProcessingJobType",
    "errorsSinceLastSuccess",
    "fetch",
    "uris",
    "environmentVariables",
    "arguments",
    "highPriority",
    "runAsUser",
    "concurrent",
    "maxCompletionTime",
    "container",
    "constraints",
    "parents",
    "schedule",
    "scheduleTimeZone",
    "overlap",
    "catchUp",
    "shadow",
    "triggerRule",
    "join",
    "timeout",
    "retryDelay",
    "retryBackoff",
    "retryOn",
    "noRetryOn",
    "retryUntil",
    "killGrace",
    "disableAfterFailures",
    "priority",
    "ports",
    "placement",
    "onUnknown",
    "startBy",
    "finishBy",
    "maxLateness",
    "expectedDuration",
    "runbook",
    "labels",
    "dst",
    "jitter",
    "notBefore",
    "notAfter",
    "calendars",
    "spreadBy",
    "nextDue",
    "remaining",
    "waitsFor",
    "revision",
];
pub(super) const FETCH: &[&str] = &["uri", "executable", "cache", "extract", "output_file"];
pub(super) const ENVIRONMENT: &[&str] = &["name", "value", "secret"];
pub(super) const OVERLAP: &[&str] = &["queue", "allow"];
pub(super) const CATCH_UP: &[&str] = &["all"];
pub(super) const SHADOW: &[&str] = &["until"];
pub(super) const RETRY_BACKOFF: &[&str] = &["factor", "max", "jitter"];
pub(super) const ON_UNKNOWN: &[&str] = &["wait", "then"];
pub(super) const DST: &[&str] = &["gap", "fold"];
pub(super) const CALENDAR: &[&str] = &["name", "use", "dates", "weekdays", "windows"];
pub(super) const PROPERTY: &[&str] = &["key", "value"];
pub(super) const CONTAINER: &[&str] = &[
    "type",
    "image",
    "network",
    "networkName",
    "networkInfos",
    "volumes",
    "forcePullImage",
    "parameters",
];
pub(super) const NETWORK_INFO: &[&str] = &["name", "protocol", "labels", "portMappings"];
pub(super) const PORT_MAPPING: &[&str] = &["hostPort", "containerPort", "protocol"];
pub(super) const VOLUME: &[&str] = &["hostPath", "containerPath", "mode", "external"];
pub(super) const EXTERNAL_VOLUME: &[&str] = &["name", "provider", "options"];

/// Names that people use for a field and that no count of letters leads to.
const ALIASES: &[(&str, &str)] = &[
    ("activedeadlineseconds", "timeout"),
    ("deadline", "finishBy"),
    ("expectedruntime", "expectedDuration"),
    ("sla", "finishBy"),
    ("tags", "labels"),
    ("after", "parents"),
    ("ambiguous", "fold"),
    ("backoff", "retryBackoff"),
    ("backofflimit", "retries"),
    ("blackout", "calendars"),
    ("concurrencypolicy", "overlap"),
    ("cron", "schedule"),
    // The documentation of Chronos calls it so.
    ("datajob", "dataProcessingJobType"),
    ("daylightsaving", "dst"),
    ("dependencies", "parents"),
    ("dependson", "parents"),
    ("dstpolicy", "dst"),
    ("enddate", "notAfter"),
    ("env", "environmentVariables"),
    ("environment", "environmentVariables"),
    ("excludedates", "calendars"),
    ("exitcodes", "retryOn"),
    ("graceperiod", "killGrace"),
    ("holidays", "calendars"),
    ("hours", "windows"),
    ("maxdelay", "max"),
    ("maxfailures", "disableAfterFailures"),
    ("maxretries", "retries"),
    ("maxruntime", "timeout"),
    ("memory", "mem"),
    ("misfirepolicy", "catchUp"),
    ("mode", "use"),
    ("multiplier", "factor"),
    ("nonexistent", "gap"),
    ("onlost", "onUnknown"),
    ("randomdelay", "jitter"),
    ("randomizeddelaysec", "jitter"),
    ("retryinterval", "retryDelay"),
    ("splay", "jitter"),
    ("spread", "jitter"),
    ("startdate", "notBefore"),
    ("startingdeadlineseconds", "epsilon"),
    ("stoptimeout", "killGrace"),
    ("terminationgraceperiodseconds", "killGrace"),
    ("timelimit", "timeout"),
    ("times", "windows"),
    ("timezone", "scheduleTimeZone"),
    ("type", "use"),
    ("until", "notAfter"),
    ("user", "runAsUser"),
    ("validfrom", "notBefore"),
    ("validuntil", "notAfter"),
];

/// Whether a job has a field of this name, in some dialect or state of it.
///
/// # Errors
///
/// What was probably meant, as a sentence without its end; empty if nothing comes near.
pub fn check_field(name: &str) -> Result<(), String> {
    if JOB.contains(&name) {
        return Ok(());
    }
    Err(nearest(name, JOB).map(|field| format!("did you mean `{field}`?")).unwrap_or_default())
}

/// The longest name that is compared; known ones are shorter.
const COMPARED_BYTES_MAX: usize = 40;

/// The name in `known` that `unknown` was probably meant to be.
pub(super) fn nearest(unknown: &str, known: &[&'static str]) -> Option<&'static str> {
    if unknown.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let plain = plain(unknown);
    let alias = ALIASES.iter().find(|(alias, _)| *alias == plain).map(|&(_, field)| field);
    if let Some(field) = alias.filter(|field| known.contains(field)) {
        return Some(field);
    }
    // One slip in a short name, two in a longer one: more would suggest what was never meant.
    let slips_max = if plain.chars().count() < 6 { 1 } else { 2 };
    let (slips, field) =
        known.iter().map(|&field| (slips(&plain, &self::plain(field)), field)).min()?;
    (slips <= slips_max).then_some(field)
}

/// Without what people vary: case, `_`, `-` and blanks.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// How many insertions, deletions or replacements of letters lead from `a` to `b`.
fn slips(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_leads_to_the_field_and_more_does_not() {
        for (unknown, expected) in [
            ("comand", Some("command")),
            ("Command", Some("command")),
            ("schedule_time_zone", Some("scheduleTimeZone")),
            ("dataJob", Some("dataProcessingJobType")),
            ("environmentVariable", Some("environmentVariables")),
            ("memory", Some("mem")),
            ("men", Some("mem")),
            ("parent", Some("parents")),
            ("calendar", Some("calendars")),
            ("Holidays", Some("calendars")),
            ("dstPolicy", Some("dst")),
            ("not-before", Some("notBefore")),
            ("RANDOM_DELAY", Some("jitter")),
            ("splay", Some("jitter")),
            ("maxRuntime", Some("timeout")),
            ("max_completion_time", Some("maxCompletionTime")),
            ("triggerRules", Some("triggerRule")),
            ("retry_delay", Some("retryDelay")),
            ("retryInterval", Some("retryDelay")),
            ("backoff", Some("retryBackoff")),
            ("retry_on", Some("retryOn")),
            ("dependsOn", Some("parents")),
            ("kill-grace", Some("killGrace")),
            ("prio", None),
            ("colour", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(unknown, JOB), expected, "{unknown}");
        }
        assert_eq!(nearest("type", JOB), None);
        assert_eq!(nearest("type", CALENDAR), Some("use"));
        assert_eq!(nearest("multiplier", RETRY_BACKOFF), Some("factor"));
        assert_eq!(nearest("multiplier", JOB), None);
        assert_eq!(nearest(&"c".repeat(1 << 20), JOB), None);
    }
}
