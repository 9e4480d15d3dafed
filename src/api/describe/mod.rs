//! The OpenAPI 3.1 document of the API, made from the table of routes.
//!
//! ```text
//!   ROUTES ──▶ chronos · ours (what each takes and answers) ──▶ Operation ──▶ paths of both prefixes
//!                                          schemas, jobspec::job_schema ──▶ components
//! ```
//!
//! The table stays a table; what is said of a row stands here, and a row of which nothing is said fails a test. One
//! document has both prefixes, so that what is served at either is one file, and a path in it is a whole path.
//!
//! Describes and decides nothing: no handler looks in here. Whether the handlers do what is said is found out by
//! `tests/openapi.rs` from outside.

mod alerts;
mod chronos;
mod layout;
mod operation;
mod operations;
mod ours;
mod pages;
mod schemas;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::routes::{Needs, ROUTES, Route};
use crate::model::Dialect;
use operation::Operation;

/// A prefix with its dialect, and what its operations and schemas are called by: the generation of Chronos.
const DOORS: [(&str, Dialect); 2] = [("/scheduler", Dialect::V0), ("/v1/scheduler", Dialect::V1)];

/// Which generation of Chronos speaks a dialect.
const fn generation(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::V0 => "2",
        Dialect::V1 => "3",
    }
}

const INTRODUCTION: &str = "Chronode, a distributed cron that speaks the API of Mesos Chronos. \
    The same operations are there below two prefixes: `/scheduler` as Chronos 2 spells them, `/v1/scheduler` as Chronos 3. \
    The names of operations and schemas end with that number where there are two.\n\n\
    `GET` answers `HEAD` as well. Where the schema of a body asks for a number or a truth value, a text that says it is \
    taken too, `null` is absence, and unknown fields are accepted and named in a `Warning` header, as clients of Chronos \
    expect. What is answered follows the schemas exactly.\n\n\
    Lengths of texts are counted in bytes. `x-role` is the least role that an operation needs, where credentials are \
    configured; without any, only this machine is let in.";

/// The whole document.
pub(crate) fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Chronode",
            "version": env!("CARGO_PKG_VERSION"),
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [
            {"name": "jobs", "description": "Definitions: create, replace, read, delete."},
            {"name": "runs", "description": "Start and stop runs; the history and what runs have written."},
            {"name": "operators", "description": "What people on call do: move runs on, pause, run again for the past."},
            {"name": "alerts", "description": "What is wrong, who is told of it, and by what."},
            {"name": "plans", "description": "What is to come."},
            {"name": "pages", "description": "What pages are drawn from."},
            {"name": "revisions", "description": "Earlier definitions."},
            {"name": "process", "description": "How the process fares."},
        ],
        "paths": paths(),
        "components": {
            "schemas": schemas::all(),
            "responses": operation::refusals(),
            "headers": operation::headers(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token of `chronode credential`."},
                "password": {"type": "http", "scheme": "basic", "description": "A name and its password or token."},
            },
        },
    })
}

fn paths() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let mut put = |path: String, route: &Route, operation: Value| {
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[route.method.as_str().to_ascii_lowercase()] = operation;
    };
    for route in ROUTES.iter().filter(|route| route.is_root && !route.is_page) {
        if let Some(described) = describe(route, Dialect::V1) {
            put(route.path.to_owned(), route, print(route, described, ""));
        }
    }
    for (prefix, dialect) in DOORS {
        for route in ROUTES.iter().filter(|route| !route.is_root) {
            if let Some(described) = describe(route, dialect) {
                let path = format!("{prefix}{}", route.path);
                put(path, route, print(route, described, generation(dialect)));
            }
        }
    }
    Value::Object(paths)
}

/// What is said of a row of the table.
fn describe(route: &Route, dialect: Dialect) -> Option<Operation> {
    let method = route.method.as_str();
    let said = chronos::describe(method, route.path, dialect);
    said.or_else(|| ours::describe(method, route.path, dialect))
        .or_else(|| operations::describe(method, route.path))
        .or_else(|| alerts::describe(method, route.path))
        .or_else(|| pages::describe(method, route.path))
        .or_else(|| layout::describe(method, route.path))
}

fn print(route: &Route, described: Operation, suffix: &str) -> Value {
    let mut printed = described.print(route, suffix);
    match route.needs {
        Needs::Nothing => printed["security"] = json!([]),
        Needs::Role(role) => {
            printed["security"] = json!([{"token": []}, {"password": []}]);
            printed["x-role"] = role.as_str().into();
        }
    }
    printed
}
