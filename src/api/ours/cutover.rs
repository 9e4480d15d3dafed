//! `P/cutover`: from an instant on, what has been planned only is launched.

use axum::Extension;
use axum::body::Body;
use axum::extract::RawQuery;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use crate::api::chronos::jobs::unexpected;
use crate::api::edge::front::{Exchange, shown};
use crate::api::error::ApiError;
use crate::api::query::Query;
use crate::api::{Desk, json_response, print};
use crate::engine::{Reply, Request};
use crate::jobspec;
use crate::model::{JobName, NameRule, Timestamp};

/// `POST P/cutover?dryRun=`: `{"at": "2030-01-01T00:00:00Z", "jobs": ["a", "b"]}`, each part optional.
pub(crate) async fn cut_over(
    desk: Desk,
    Extension(exchange): Extension<Exchange>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let is_dry = Query::parse_known(query.as_deref(), &["dryRun"])?.dry_run()?;
    let body = desk.read_json(&headers, body, exchange.body_limits).await?;
    let value = jobspec::parse_json(&body).map_err(|problem| ApiError::problems(vec![problem]))?;
    let Value::Object(mut object) = value else {
        return Err(ApiError::invalid("", "the body is no JSON object")
            .remedy("send `{}` to cut over every planned job now"));
    };
    let at = object.remove("at").filter(|at| !at.is_null()).map(|at| instant(&at)).transpose()?;
    let names = object.remove("jobs").filter(|jobs| !jobs.is_null());
    let names = names.map(|jobs| names_of(&jobs)).transpose()?;
    if let Some((unknown, _)) = object.iter().next() {
        let message = format!("unknown field `{}`", shown(unknown));
        return Err(ApiError::invalid(unknown.as_str(), message)
            .remedy("the fields here are `at` and `jobs`"));
    }
    let request = Request::CutOver { names, at };
    let request = if is_dry { Request::DryRun(Box::new(request)) } else { request };
    match desk.submit(request).await? {
        Reply::CutOver { at, names, consequences } => {
            let names: Vec<&str> = names.iter().map(JobName::as_str).collect();
            Ok(json_response(
                &json!({"dryRun": is_dry, "at": print::instant(at),  "jobs": names, "consequences": consequences}),
            ))
        }
        Reply::Refused(rejection) => Err(ApiError::rejected(rejection)),
        other => Err(unexpected(&other)),
    }
}

fn instant(value: &Value) -> Result<Timestamp, ApiError> {
    value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| {
        ApiError::invalid(
            "at",
            format!("`at` is `{}`, which is no instant", shown(&value.to_string())),
        )
        .remedy("write an instant such as `2030-01-01T00:00:00Z`, or leave it out for now")
    })
}

fn names_of(value: &Value) -> Result<Vec<JobName>, ApiError> {
    let wrong = || {
        ApiError::invalid("jobs", "`jobs` is no list of names")
            .remedy("write `[\"a\", \"b\"]`, or leave it out for every planned job")
    };
    let list = value.as_array().ok_or_else(wrong)?;
    list.iter()
        .map(|name| {
            let text = name.as_str().ok_or_else(wrong)?;
            JobName::parse(text, NameRule::Blanks)
                .map_err(|_| ApiError::invalid("jobs", format!("Job '{}' not found", shown(text))))
        })
        .collect()
}
