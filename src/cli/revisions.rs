//! `chronode job history`, `job diff` and `job rollback`

use reqwest::Method;
use serde_json::Value;

use super::client::Terminal;
use super::http::{Server, encode};
use super::job::{Manner, done, path, tell, warn};
use super::{CliError, table};
use crate::model::JobName;

/// Lists the definitions that a job has had.
pub(super) fn history(
    server: &Server,
    name: &JobName,
    limit: u16,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let page = server.get(&format!("/revisions/{}?limit={limit}", path(name)))?;
    if terminal.json {
        writeln!(terminal.out, "{page}")?;
        return Ok(());
    }
    let rows: Vec<Vec<String>> =
        page["revisions"].as_array().into_iter().flatten().map(row).collect();
    table::print(terminal.out, &["REVISION", "ACCEPTED", "STATE", "CHANGED"], &rows)?;
    if !page["next"].is_null() {
        writeln!(terminal.err, "there are earlier ones; ask for them with a larger `--limit`")?;
    }
    Ok(())
}

fn row(entry: &Value) -> Vec<String> {
    let state = match (&entry["present"], &entry["removed"]) {
        (Value::Bool(true), _) => "present",
        (_, Value::Bool(true)) => "deleted",
        (_, _) => "replaced",
    };
    let changed = entry["changed"].as_array().map(|fields| {
        let fields: Vec<String> = fields.iter().map(table::cell).collect();
        if fields.is_empty() { "nothing".to_owned() } else { fields.join(", ") }
    });
    vec![
        revision(entry),
        table::cell(&entry["acceptedAt"]),
        state.to_owned(),
        changed.unwrap_or_else(|| "-".to_owned()),
    ]
}

/// The full name of a definition.
fn revision(entry: &Value) -> String {
    format!("{}.{}", table::cell(&entry["incarnation"]), table::cell(&entry["revision"]))
}

/// Prints what one definition says differently from another.
pub(super) fn diff(
    server: &Server,
    name: &JobName,
    from: Option<&str>,
    to: Option<&str>,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let given = [("from", from), ("to", to)].into_iter();
    let given = given.filter_map(|(key, value)| value.map(|value| (key, value)));
    let query: Vec<String> = given.map(|(key, value)| format!("{key}={}", encode(value))).collect();
    let found = server.get(&format!("/diff/{}?{}", path(name), query.join("&")))?;
    if terminal.json {
        writeln!(terminal.out, "{found}")?;
        return Ok(());
    }
    for (sign, side) in [("---", &found["from"]), ("+++", &found["to"])] {
        let at = table::cell(&side["acceptedAt"]);
        writeln!(terminal.out, "{sign} revision {}, accepted {at}", revision(side))?;
    }
    let changes = found["changes"].as_array().map(Vec::as_slice).unwrap_or_default();
    if changes.is_empty() {
        writeln!(terminal.out, "no difference")?;
    }
    print_changes(changes, terminal)
}

pub(super) fn print_changes(
    changes: &[Value],
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    for change in changes {
        writeln!(terminal.out, "{}", table::cell(&change["field"]))?;
        if change["secret"] == true {
            writeln!(terminal.out, "  a secret, which is another one")?;
            continue;
        }
        for (sign, side) in [("-", &change["old"]), ("+", &change["new"])] {
            if !side.is_null() {
                writeln!(terminal.out, "  {sign} {}", table::plain(&side.to_string()))?;
            }
        }
    }
    Ok(())
}

/// Makes an earlier definition the present one.
pub(super) fn roll_back(
    server: &Server,
    name: &JobName,
    to: &str,
    manner: Manner,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let path = format!("/rollback/{}?to={}", path(name), encode(to));
    match manner {
        Manner::Real => {
            let headers = server.change(Method::POST, &path)?;
            warn(&headers, terminal)?;
            done(terminal, &format!("rolled back {name} to revision {to}"))
        }
        Manner::Dry => {
            let told = server.change_for(Method::POST, &format!("{path}&dryRun=true"))?;
            let verb = if told["created"] == true { "bring back" } else { "roll back" };
            tell(&told, &format!("would {verb} {name} to revision {to}"), terminal)?;
            if terminal.json {
                return Ok(());
            }
            print_changes(
                told["changes"].as_array().map(Vec::as_slice).unwrap_or_default(),
                terminal,
            )
        }
    }
}
