//! The document is complete, and the one that is checked in.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::super::routes::ROUTES;
use super::super::testing::Fixture;
use super::{DOORS, describe, document, paths};

#[test]
fn every_route_is_described_and_nothing_else() {
    let routes = || ROUTES.iter().filter(|route| !route.is_page);
    let undescribed = routes()
        .filter(|route| DOORS.iter().any(|(_, dialect)| describe(route, *dialect).is_none()));
    let undescribed: Vec<_> =
        undescribed.map(|route| format!("{} {}", route.method, route.pattern())).collect();
    assert!(undescribed.is_empty(), "say in api/describe what these do: {undescribed:?}");
    let operations: usize = paths().as_object().unwrap().values().map(operations_of).sum();
    let root = routes().filter(|route| route.is_root).count();
    assert_eq!(operations, root + DOORS.len() * (routes().count() - root));
}

fn operations_of(item: &Value) -> usize {
    item.as_object().unwrap().len()
}

/// With UPDATE_EXPECT=1 it is written.
#[test]
fn the_document_that_is_checked_in_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    expect_test::expect_file![path].assert_eq(&text);
}

#[tokio::test]
async fn both_prefixes_serve_it() {
    let fixture = Fixture::start().await;
    for (prefix, _) in DOORS {
        let answer = fixture.ask("GET", &format!("{prefix}/openapi.json")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers("content-type"), ["application/json"]);
        assert_eq!(answer.json(), document());
    }
}

/// Generators make functions and types of these.
#[test]
fn names_are_there_once_and_references_lead_somewhere() {
    let document = document();
    let mut ids = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} twice");
            assert!(operation["summary"].as_str().unwrap().ends_with('.'), "{id}");
            assert!(operation["security"].is_array(), "{id}");
            let tag = &operation["tags"][0];
            let tags = document["tags"].as_array().unwrap();
            assert!(tags.iter().any(|known| known["name"] == *tag), "{id}: {tag}");
        }
    }
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    for reference in &used {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    for part in ["schemas", "responses", "headers"] {
        for name in document["components"][part].as_object().unwrap().keys() {
            // What an event stream carries has no place of its own in a document.
            let is_used = used.contains(&format!("#/components/{part}/{name}")) || name == "Event";
            assert!(is_used, "nothing refers to {part}/{name}");
        }
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                found.insert(reference.clone());
            }
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
