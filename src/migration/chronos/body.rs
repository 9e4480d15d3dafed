//! The fields of a job in Chronos: which generation has which, and what of them says nothing.

use serde_json::Value;

use crate::model::Dialect;

/// What both generations print, in their order.
const SHARED: &[&str] = &[
    "name",
    "command",
    "shell",
    "executor",
    "executorFlags",
    "taskInfoData",
    "retries",
    "owner",
    "ownerName",
    "description",
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
    "container",
    "constraints",
    "parents",
    "schedule",
    "scheduleTimeZone",
];

/// What the older generation alone reads.
const OLD: &[&str] = &["epsilon", "async"];

/// What the newer generation alone reads; the second one its last revision alone.
const NEW: &[&str] = &["concurrent", "maxCompletionTime"];

/// Whether a generation of Chronos knows the field.
pub(super) fn knows(generation: Dialect, field: &str) -> bool {
    let own = match generation {
        Dialect::V0 => OLD,
        Dialect::V1 => NEW,
    };
    SHARED.contains(&field) || own.contains(&field)
}

/// Whether any generation of Chronos knows the field.
pub(super) fn is_known(field: &str) -> bool {
    knows(Dialect::V0, field) || knows(Dialect::V1, field)
}

/// Whether a job file says the same without the field: it has the value that every door makes of its absence. What
/// flags of the server decide (`cpus`, `runAsUser` and the like) is not among them.
pub(super) fn is_default(field: &str, value: &Value) -> bool {
    match field {
        "shell" => *value == true,
        "executor" | "executorFlags" | "taskInfoData" | "owner" | "ownerName" | "description"
        | "lastSuccess" | "lastError" | "scheduleTimeZone" => *value == "",
        "async" | "disabled" | "softError" | "dataProcessingJobType" | "highPriority" => {
            *value == false
        }
        "successCount" | "errorCount" | "errorsSinceLastSuccess" => *value == 0,
        "fetch" | "uris" | "environmentVariables" | "arguments" | "constraints" => {
            value.as_array().is_some_and(Vec::is_empty)
        }
        _ => false,
    }
}

/// Whether the shell gives an argument that is pasted into its text back as it is.
pub(super) fn is_plain_argument(argument: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=+.,:/@%^".contains(c);
    !argument.is_empty() && argument.chars().all(is_plain)
}
