//! From the bytes of a request to a call, as strict as a master and with its sentences.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chronode::mesos::wire::Call;
use serde_json::Value;

/// Fields that must be there, if what holds them is.
const REQUIRED: &[(&str, &[&str])] = &[
    ("subscribe", &["framework_info"]),
    ("subscribe.framework_info", &["user", "name"]),
    ("kill", &["task_id"]),
    ("acknowledge", &["agent_id", "task_id", "uuid"]),
    ("update_framework", &["framework_info"]),
];

/// Reads a body of JSON.
pub(crate) fn read(body: &[u8]) -> Result<Call, String> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|_| "Failed to parse body into JSON: syntax error at line 1 near: ".to_owned())?;
    if !value.is_object() {
        let sentence = "Failed to convert JSON into Call protobuf: Expecting a JSON object";
        return Err(sentence.to_owned());
    }
    let mut missing = Vec::new();
    for (holder, fields) in REQUIRED {
        let pointer = format!("/{}", holder.replace('.', "/"));
        if let Some(found) = value.pointer(&pointer) {
            missing.extend(
                fields
                    .iter()
                    .filter(|field| found.get(**field).is_none())
                    .map(|field| format!("{holder}.{field}")),
            );
        }
    }
    let operations = value.pointer("/accept/operations").and_then(Value::as_array);
    for (o, operation) in operations.into_iter().flatten().enumerate() {
        let tasks = operation.pointer("/launch/task_infos").and_then(Value::as_array);
        for (t, task) in tasks.into_iter().flatten().enumerate() {
            missing.extend(
                ["name", "task_id", "agent_id"]
                    .iter()
                    .filter(|field| task.get(**field).is_none())
                    .map(|field| format!("accept.operations[{o}].launch.task_infos[{t}].{field}")),
            );
        }
    }
    if !missing.is_empty() {
        return Err(format!(
            "Failed to convert JSON into Call protobuf: Missing required fields: {}",
            missing.join(", ")
        ));
    }
    if let Some(uuid) = value.pointer("/acknowledge/uuid").and_then(Value::as_str) {
        let strange = uuid.chars().find(|c| !c.is_ascii_alphanumeric() && !"+/= ".contains(*c));
        if let Some(c) = strange {
            return Err(format!(
                "Failed to convert JSON into Call protobuf: Failed to base64 decode bytes field 'uuid': Invalid character '{c}'"
            ));
        }
        if STANDARD.decode(uuid).map_or(0, |bytes| bytes.len()) != 16 {
            return Err("Failed to validate scheduler::Call: Not a valid UUID".to_owned());
        }
    }
    let has_type = value.get("type").and_then(Value::as_str).is_some_and(|word| {
        word == "REQUEST"
            || serde_json::from_value::<chronode::mesos::wire::CallType>(word.into())
                .is_ok_and(|kind| kind != chronode::mesos::wire::CallType::Other)
    });
    if !has_type {
        let sentence = "Failed to validate scheduler::Call: Expecting 'type' to be present";
        return Err(sentence.to_owned());
    }
    serde_json::from_value(value)
        .map_err(|error| format!("Failed to convert JSON into Call protobuf: {error}"))
}
