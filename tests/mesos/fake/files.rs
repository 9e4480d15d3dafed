//! The files of an agent's sandboxes, as `/files/*` and the operator API serve them.

use std::fs;
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::{Method, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::State;
use super::serve::{Body, bytes, text};

/// The sandbox of a task, whether it is there or not.
pub(super) fn sandbox(
    state: &State,
    machine: usize,
    framework: &str,
    executor: &str,
    container: &str,
) -> PathBuf {
    let agent = format!("agent{machine}");
    let runs = state.sandboxes.join(agent).join("frameworks").join(framework);
    runs.join("executors").join(executor).join("runs").join(container)
}

pub(super) fn answer(
    state: &State,
    machine: usize,
    method: &Method,
    path: &str,
    query: &str,
    body: &[u8],
) -> Response<Body> {
    let parameter = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(key, _)| *key == name).map(|(_, value)| value);
        found.map(|value| {
            percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned()
        })
    };
    let path = path.strip_prefix("/slave(1)").unwrap_or(path);
    let root = state.sandboxes.join(format!("agent{machine}"));
    let asked = parameter("path").unwrap_or_default();
    let missing = || text(StatusCode::NOT_FOUND, "");
    match (method.as_str(), path) {
        ("GET", "/files/read") => {
            let Some(file) = resolve(&root, &asked).filter(|file| file.is_file()) else {
                return missing();
            };
            let offset = parameter("offset").and_then(|text| text.parse().ok()).unwrap_or(-1);
            let length = parameter("length").and_then(|text| text.parse().ok());
            json(&read(&file, offset, length))
        }
        ("GET", "/files/browse") => {
            resolve(&root, &asked).filter(|folder| folder.is_dir()).map_or_else(missing, |folder| {
                let files = list(&folder).into_iter().map(|(name, size)| {
                    json!({
                        "gid": "root", "mode": "-rw-r--r--", "mtime": 1_795_238_673.0, "nlink": 1,
                        "path": format!("{asked}/{name}"), "size": size, "uid": "root",
                    })
                });
                json(&Value::Array(files.collect()))
            })
        }
        ("GET", "/files/download") => {
            let found = resolve(&root, &asked).and_then(|file| fs::read(file).ok());
            found.map_or_else(missing, |content| {
                bytes(StatusCode::OK, "application/octet-stream", Bytes::from(content))
            })
        }
        ("POST", "/api/v1") => operate(&root, body),
        _ => missing(),
    }
}

fn operate(root: &Path, body: &[u8]) -> Response<Body> {
    let missing = || text(StatusCode::NOT_FOUND, "");
    let call: Value = serde_json::from_slice(body).unwrap_or_default();
    match call["type"].as_str() {
        Some("LIST_FILES") => {
            let asked = call["list_files"]["path"].as_str().unwrap_or_default();
            resolve(root, asked).filter(|folder| folder.is_dir()).map_or_else(missing, |folder| {
                let files = list(&folder).into_iter().map(|(name, size)| {
                    json!({
                        "path": format!("{asked}/{name}"), "nlink": 1, "size": size,
                        "mtime": {"nanoseconds": 1_795_238_673_000_000_000_i64}, "mode": 33188,
                        "uid": "root", "gid": "root",
                    })
                });
                let files: Vec<Value> = files.collect();
                json(&json!({"type": "LIST_FILES", "list_files": {"file_infos": files}}))
            })
        }
        Some("READ_FILE") => {
            let asked = &call["read_file"];
            let found = resolve(root, asked["path"].as_str().unwrap_or_default());
            let content = found.filter(|file| file.is_file()).and_then(|file| fs::read(file).ok());
            content.map_or_else(missing, |content| {
                let part = part(&content, asked["offset"].as_u64(), asked["length"].as_u64());
                json(&json!({
                    "type": "READ_FILE",
                    "read_file": {"size": content.len(), "data": STANDARD.encode(part)},
                }))
            })
        }
        _ => text(StatusCode::BAD_REQUEST, "Expecting 'type' to be present"),
    }
}

fn part(content: &[u8], offset: Option<u64>, length: Option<u64>) -> &[u8] {
    let size = content.len();
    let from = offset.map_or(0, |offset| usize::try_from(offset).unwrap_or(size)).min(size);
    let most = length.map_or(size, |length| usize::try_from(length).unwrap_or(size));
    &content[from..from.saturating_add(most).min(size)]
}

fn read(file: &Path, offset: i64, length: Option<u64>) -> Value {
    let content = fs::read(file).unwrap_or_default();
    match u64::try_from(offset) {
        Err(_) => json!({"data": "", "offset": content.len()}),
        Ok(from) => {
            // A master's agent reads at most so much at a time.
            let most = length.unwrap_or(u64::MAX).min(1 << 20);
            let data = String::from_utf8_lossy(part(&content, Some(from), Some(most)));
            json!({"data": data, "offset": offset})
        }
    }
}

fn list(folder: &Path) -> Vec<(String, u64)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<(String, u64)> = entries
        .map(|entry| {
            let size = entry.metadata().map_or(0, |metadata| metadata.len());
            (entry.file_name().to_string_lossy().into_owned(), size)
        })
        .collect();
    files.sort();
    files
}

/// The file that a virtual path means; `latest` is the last run. Nothing outside of the sandboxes.
fn resolve(root: &Path, asked: &str) -> Option<PathBuf> {
    let mut path = root.to_owned();
    for component in Path::new(asked).components() {
        match component {
            Component::RootDir => {}
            Component::Normal(name) if name == "latest" => {
                let mut runs: Vec<String> = list(&path).into_iter().map(|(name, _)| name).collect();
                runs.sort();
                path.push(runs.pop()?);
            }
            Component::Normal(name) => path.push(name),
            Component::ParentDir | Component::CurDir | Component::Prefix(_) => return None,
        }
    }
    path.exists().then_some(path)
}

fn json(value: &Value) -> Response<Body> {
    bytes(StatusCode::OK, "application/json", Bytes::from(value.to_string()))
}
