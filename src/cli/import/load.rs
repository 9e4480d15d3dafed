//! Storing jobs in a running Chronode. Repeating it changes nothing.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Done, How, Origin, Outcome, read};
use crate::cli::CliError;
use crate::cli::http::{Server, warnings};
use crate::migration::chronos::{UserRefusal, Users};
use crate::migration::{Imported, is_selected, means_the_same};
use crate::model::{JobName, NameRule, Timestamp};
use crate::schedule::ZoneDb;

/// Stores what can be carried.
pub(super) fn load(
    server: &Server,
    jobs: Vec<Imported>,
    origin: &Origin,
    how: &How,
    now: Timestamp,
    zones: &ZoneDb,
) -> Result<Vec<Done>, CliError> {
    let list = server.get("/jobs")?;
    let named = list.as_array().into_iter().flatten();
    let there: BTreeMap<&str, &Value> =
        named.filter_map(|job| Some((job["name"].as_str()?, job))).collect();
    if how.shadow {
        check_shadow(server, origin)?;
    }
    let mut done = Vec::with_capacity(jobs.len());
    for job in jobs {
        let outcome = match &job.body {
            None => Outcome::Told,
            Some(body) => one(server, &job.name, body, &there, how, now, zones)?,
        };
        done.push(Done { job, outcome });
    }
    Ok(done)
}

/// What the server says of the users that jobs name. Each is judged as a job would be, by a dry run: the rules are the
/// server's, and so are the words.
pub(super) fn users(server: &Server, jobs: &[Value], only: &str) -> Result<Users, CliError> {
    let mut named: BTreeMap<&str, &str> = BTreeMap::new();
    for job in jobs {
        if let (Some(name), Some(user)) = (job["name"].as_str(), job["runAsUser"].as_str())
            && is_selected(only, name)
            && JobName::parse(name, NameRule::Blanks).is_ok()
        {
            named.entry(user).or_insert(name);
        }
    }
    // Something else than a Chronode may not know what a dry run is, and must not be asked.
    server.get("/info")?;
    let mut users = Users::new();
    for (user, name) in named {
        // The name of a job that is loaded: whoever may store only some jobs may ask about these.
        let probe = json!({
            "name": name, "schedule": "R1/2100-01-01T00:00:00Z/P1D", "command": "true", "runAsUser": user,
        });
        let text = |told: &Value, field: &str| told[field].as_str().unwrap_or_default().to_owned();
        match server.post_for_either("/iso8601?dryRun=true", probe.to_string().into_bytes())? {
            Ok(_) => {
                users.insert(user.to_owned(), Ok(()));
            }
            Err(told) if told["field"] == "runAsUser" => {
                let refusal =
                    UserRefusal { message: text(&told, "message"), remedy: text(&told, "remedy") };
                users.insert(user.to_owned(), Err(refusal));
            }
            // Whatever else it has against the job it says again when the job is stored.
            Err(_) => {}
        }
    }
    Ok(users)
}

/// A Chronode that does not know the word would start what the other scheduler starts too.
fn check_shadow(server: &Server, origin: &Origin) -> Result<(), CliError> {
    let probe = json!({
        "name": "shadow-probe", "schedule": "R1/2100-01-01T00:00:00Z/P1D", "command": "true", "shadow": true,
    });
    let told = server.post_for("/iso8601?dryRun=true", probe.to_string().into_bytes())?;
    let mut sentences = told["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if sentences.any(|sentence| sentence.contains("`shadow`")) {
        return Err(CliError::Failed(format!(
            "{} does not know `shadow` and would start the jobs beside {}; nothing is loaded: update it, or \
             write files with `--out` for now",
            server.shown(),
            origin.kind.name()
        )));
    }
    Ok(())
}

fn one(
    server: &Server,
    name: &str,
    body: &Map<String, Value>,
    there: &BTreeMap<&str, &Value>,
    how: &How,
    now: Timestamp,
    zones: &ZoneDb,
) -> Result<Outcome, CliError> {
    let mut body = body.clone();
    let place = server.shown().to_owned();
    if let Some(&existing) = there.get(name) {
        let wanted =
            read(&without_shadow(&Value::Object(body.clone()))).map_err(CliError::Failed)?;
        let existing_alone = read(&without_shadow(existing));
        let is_same = existing_alone.is_ok_and(|it| means_the_same(&it, &wanted, now, zones))
            // One that was cut over stays so.
            && (existing["shadow"].is_object()
                || existing["shadow"] == body.get("shadow").cloned().unwrap_or_default());
        if is_same {
            return Ok(Outcome::Unchanged { place });
        }
        if !how.overwrite {
            let reason = format!(
                "a job of this name is at {place} and says something else: delete it, or replace it with `--overwrite`"
            );
            return Ok(Outcome::Refused { reason });
        }
        // Through this door a field that it does not print would keep its value.
        if !body.contains_key("overlap") && !body.contains_key("concurrent") {
            body.insert("overlap".to_owned(), "skip".into());
        }
        if !body.contains_key("maxCompletionTime") {
            body.insert("maxCompletionTime".to_owned(), 0.into());
        }
    }
    let kind = if body.contains_key("parents") { "/dependency" } else { "/iso8601" };
    match server.post(kind, Value::Object(body).to_string().into_bytes()) {
        Ok(headers) => Ok(Outcome::Stored { place, warnings: warnings(&headers) }),
        Err(CliError::Failed(reason)) => Ok(Outcome::Refused { reason }),
        Err(
            error @ (CliError::Usage(_)
            | CliError::Ended { .. }
            | CliError::Differs(_)
            | CliError::Output(_)),
        ) => Err(error),
    }
}

/// A job's definition without whether it is only planned, which is compared on its own.
fn without_shadow(job: &Value) -> Value {
    let mut job = job.clone();
    if let Value::Object(fields) = &mut job {
        fields.shift_remove("shadow");
    }
    job
}
