//! `fetch` and `uris`: what a job downloads, in both directions.

use serde_json::{Map, Value, json};

use super::fields::{Findings, Object, TextRule, shown, text_of};
use super::known;
use crate::model::{Dialect, Fetch};

/// Whether an archive is unpacked when nobody says: the generations of Chronos differ.
pub(super) const fn extracts(dialect: Dialect) -> bool {
    match dialect {
        Dialect::V0 => false,
        Dialect::V1 => true,
    }
}

/// Both lists as given.
///
/// DIFFERENCE: Chronos refuses a new job with both although its list prints both. Here they are accepted when they
/// name the same addresses in the same order, as that list does, and `fetch` is what is kept.
pub(super) fn read(
    body: &Object<'_>,
    dialect: Dialect,
    found: &mut Findings,
) -> (Option<Vec<Fetch>>, Option<Vec<String>>) {
    let problems_before = found.problems.len();
    let fetch = body.list("fetch", found, |item, path, found| fetch(item, path, dialect, found));
    let uris = body.list("uris", found, address);
    let (Some(fetched), Some(listed)) = (&fetch, &uris) else { return (fetch, uris) };
    if fetched.is_empty() || listed.is_empty() {
        return (fetch, uris);
    }
    // With an item missing that could not be read, the comparison would say nothing.
    let are_complete = found.problems.len() == problems_before;
    if are_complete && fetched.iter().map(|fetch| &fetch.uri).ne(listed) {
        let name = body.get("name").and_then(Value::as_str).unwrap_or("the job");
        let message =
            format!("Tried to add both uri (deprecated) and fetch parameters on {}", shown(name));
        found.refuse("uris", message, "leave `uris` out, or name the same addresses in both");
    }
    (fetch, None)
}

fn fetch(item: &Value, path: &str, dialect: Dialect, found: &mut Findings) -> Option<Fetch> {
    let item = Object::of(item, path, known::FETCH, found)?;
    let uri = item.required_text("uri", TextRule::LINE, found);
    if uri.as_deref() == Some("") {
        let path = item.path_of("uri");
        found.refuse(
            &path,
            format!("`{path}` is empty"),
            "name what to download, or remove the item",
        );
    }
    let executable = item.flag("executable", found).unwrap_or(false);
    let cache = item.flag("cache", found).unwrap_or(false);
    let extract = item.flag("extract", found).unwrap_or(extracts(dialect));
    let output_file = item.text("output_file", TextRule::LINE, found).unwrap_or_default();
    Some(Fetch { uri: uri?, executable, cache, extract, output_file })
}

fn address(item: &Value, path: &str, found: &mut Findings) -> Option<String> {
    let uri = text_of(item, path, TextRule::LINE, found)?;
    if uri.is_empty() {
        found.refuse(
            path,
            format!("`{path}` is empty"),
            "name what to download, or remove the item",
        );
    }
    Some(uri)
}

pub(super) fn print(fetch: &Fetch) -> Value {
    let Fetch { uri, executable, cache, extract, output_file } = fetch;
    let mut printed =
        json!({"uri": uri, "executable": executable, "cache": cache, "extract": extract});
    if !output_file.is_empty() {
        printed["output_file"] = output_file.as_str().into();
    }
    printed
}

/// Fills the empty one of `fetch` and `uris` from the other in a printed job, as the list of Chronos does.
pub fn mirror(printed: &mut Map<String, Value>, dialect: Dialect) {
    let items = |key: &str| printed.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let (fetch, uris) = (items("fetch"), items("uris"));
    if fetch.is_empty() {
        let fetched = uris.iter().filter_map(Value::as_str).map(|uri| {
            self::print(&Fetch {
                uri: uri.to_owned(),
                executable: false,
                cache: false,
                extract: extracts(dialect),
                output_file: String::new(),
            })
        });
        printed.insert("fetch".to_owned(), fetched.collect());
    } else {
        let addresses = fetch.iter().filter_map(|fetch| fetch.get("uri").cloned());
        printed.insert("uris".to_owned(), addresses.collect());
    }
}
