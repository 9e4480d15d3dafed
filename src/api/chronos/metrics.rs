//! `/metrics`: what is counted and measured, in Dropwizard's form as Chronos has it, or in Prometheus'.

use std::cell::RefCell;
use std::collections::BTreeMap;

use axum::extract::RawQuery;
use axum::http::header::{ACCEPT, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Value, json};

use crate::api::Desk;
use crate::api::brief::JobBrief;
use crate::api::error::ApiError;
use crate::api::query::{self, Query};
use crate::api::routes::Route;
use crate::metrics::{Counts, Figures, Levels, Rates};
use crate::model::Incarnation;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// The version of the form, which tools look at; not ours.
const FORM_VERSION: &str = "3.0.0";
const CHRONOS: &str = "org.apache.mesos.chronos.scheduler";

/// `GET /metrics?format=&pretty=`.
pub(crate) async fn show(
    desk: Desk,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let query = Query::parse(query.as_deref())?;
    let accepted = Form::accepted(&headers);
    let form = match query.get("format") {
        None => accepted,
        Some("json") => Form::Json,
        Some("prometheus") if accepted == Form::OpenMetrics => Form::OpenMetrics,
        Some("prometheus") => Form::Text,
        Some(other) => return Err(query::invalid("format", other, "`json` or `prometheus`")),
    };
    let (content_type, body) = match form {
        Form::OpenMetrics => (OPENMETRICS, desk.metrics().print(&desk.levels()).into_bytes()),
        Form::Text => (TEXT, desk.metrics().print(&desk.levels()).into_bytes()),
        Form::Json => {
            let is_pretty = query.get("pretty") == Some("true");
            ("application/json", document(&desk, is_pretty).await?)
        }
    };
    let content_type = HeaderValue::from_static(content_type);
    let vary = HeaderValue::from_static("accept");
    Ok(([(CONTENT_TYPE, content_type), (VARY, vary)], body).into_response())
}

/// A form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    OpenMetrics,
    Text,
}

impl Form {
    /// The form that the client likes best; of several that it likes equally the one it names first. Who names none of
    /// them gets Chronos'.
    fn accepted(headers: &HeaderMap) -> Self {
        let values = headers.get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
        let mut best = (0.0, Self::Json);
        for range in values.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let form = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/openmetrics-text" => Self::OpenMetrics,
                "text/plain" => Self::Text,
                "application/json" | "application/*" | "*/*" => Self::Json,
                _ => continue,
            };
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
            let quality = quality.unwrap_or(1.0);
            if quality > best.0 {
                best = (quality, form);
            }
        }
        best.1
    }
}

/// The document in Dropwizard's form: Chronos' names, ours, and those of the jobs in scope that have had a run.
async fn document(desk: &Desk, is_pretty: bool) -> Result<Vec<u8>, ApiError> {
    let unreadable =
        |detail| ApiError::internal("the history cannot be read; the log says why", detail);
    let took = desk.took_by_all().await.map_err(unreadable)?;
    let (levels, counts) = (desk.levels(), desk.metrics().counts());
    let pages = desk.briefs();
    let write = move || {
        let jobs: Vec<JobBrief> = pages.flatten().collect();
        let document = Document { levels, counts, took, jobs };
        if is_pretty { serde_json::to_vec_pretty(&document) } else { serde_json::to_vec(&document) }
    };
    let written = desk.calculate(write).await?;
    written.map_err(|error| ApiError::internal("the figures cannot be printed", error.to_string()))
}

struct Document {
    levels: Levels,
    counts: Counts,
    took: BTreeMap<Incarnation, Figures>,
    jobs: Vec<JobBrief>,
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("version", FORM_VERSION)?;
        map.serialize_entry("gauges", &Entries::of(self.gauges()))?;
        map.serialize_entry("counters", &Entries::of(self.counters()))?;
        map.serialize_entry("histograms", &Entries::of(self.histograms()))?;
        map.serialize_entry("meters", &Entries::of(self.meters()))?;
        map.serialize_entry("timers", &Entries::of(self.timers()))?;
        map.end()
    }
}

impl Document {
    fn gauges(&self) -> impl Iterator<Item = (String, Value)> {
        let Levels { jobs, jobs_disabled, queue, queue_high, is_launcher_connected, term, .. } =
            self.levels;
        [
            (format!("{CHRONOS}.jobs.TaskManager.queueSize"), json!(queue)),
            (format!("{CHRONOS}.jobs.TaskManager.highQueueSize"), json!(queue_high)),
            ("chronode.jobs".to_owned(), json!(jobs)),
            ("chronode.jobs.disabled".to_owned(), json!(jobs_disabled)),
            ("chronode.runs.live".to_owned(), json!(self.levels.live())),
            ("chronode.launcher.connected".to_owned(), json!(u8::from(is_launcher_connected))),
            ("chronode.term".to_owned(), json!(term)),
            ("chronode.version".to_owned(), json!(env!("CARGO_PKG_VERSION"))),
        ]
        .into_iter()
        .map(|(name, value)| (name, json!({"value": value})))
    }

    fn counters(&self) -> impl Iterator<Item = (String, Value)> {
        let Counts { runs, attempts, commits, store_errors, api_errors, .. } = &self.counts;
        let runs = runs
            .iter()
            .map(|(verdict, count)| (format!("chronode.runs.{}", verdict.as_str()), *count));
        let others = [
            ("chronode.attempts.started", *attempts),
            ("chronode.commits", *commits),
            ("chronode.store.errors", *store_errors),
            ("chronode.api.errors", *api_errors),
        ];
        let others = others.into_iter().map(|(name, count)| (name.to_owned(), count));
        let jobs = self.jobs.iter().flat_map(|brief| {
            let JobBrief { job, success_count, error_count, .. } = brief;
            let has_run = *success_count > 0 || *error_count > 0;
            let named = [("success", *success_count), ("failure", *error_count)];
            let named = named.map(|(what, count)| (format!("jobs.run.{what}.{}", job.name), count));
            named.into_iter().filter(move |_| has_run)
        });
        // What runs on this machine has its offers at once: none was ever revived.
        let revived = ["reviveOffersCount", "reviveOffersRequestCount"];
        let revived = revived.map(|name| (format!("{CHRONOS}.mesos.MesosOfferReviver.{name}"), 0));
        let all = revived.into_iter().chain(runs).chain(others).chain(jobs);
        all.map(|(name, count)| (name, json!({"count": count})))
    }

    fn histograms(&self) -> impl Iterator<Item = (String, Value)> {
        let own = [
            ("chronode.start.lateness", self.counts.lateness),
            ("chronode.attempt.duration", self.counts.durations),
        ];
        let own = own.into_iter().map(|(name, figures)| (name.to_owned(), figures));
        let jobs = self.jobs.iter().filter_map(|brief| {
            let figures = self.took.get(&brief.incarnation)?;
            Some((format!("jobs.run.time.{}", brief.job.name), *figures))
        });
        own.chain(jobs).map(|(name, figures)| (name, histogram(&figures, 1.0)))
    }

    fn meters(&self) -> impl Iterator<Item = (String, Value)> {
        let mut meter = rates(&self.counts.requests);
        meter["units"] = "events/second".into();
        std::iter::once(("chronode.http.requests".to_owned(), meter))
    }

    fn timers(&self) -> impl Iterator<Item = (String, Value)> {
        self.counts.timers.iter().map(|(name, how_often, micros)| {
            let mut timer = histogram(micros, 1_000_000.0);
            for (key, rate) in rates(how_often).as_object().into_iter().flatten() {
                timer[key] = rate.clone();
            }
            timer["duration_units"] = "seconds".into();
            timer["rate_units"] = "calls/second".into();
            (name.clone(), timer)
        })
    }
}

/// Figures of values of which `unit` make one of what is printed.
fn histogram(figures: &Figures, unit: f64) -> Value {
    let Figures { count, min, max, mean, deviation, median, p75, p95, p98, p99, p999 } = *figures;
    json!({
        "count": count,
        "max": max as f64 / unit,
        "mean": mean / unit,
        "min": min as f64 / unit,
        "p50": median / unit,
        "p75": p75 / unit,
        "p95": p95 / unit,
        "p98": p98 / unit,
        "p99": p99 / unit,
        "p999": p999 / unit,
        "stddev": deviation / unit,
    })
}

fn rates(rates: &Rates) -> Value {
    let Rates { count, mean, recent: [one, five, fifteen] } = *rates;
    json!({
        "count": count,
        "m15_rate": fifteen,
        "m1_rate": one,
        "m5_rate": five,
        "mean_rate": mean,
    })
}

/// Entries of an object, made one after the other while they are printed.
struct Entries<I>(RefCell<Option<I>>);

impl<I> Entries<I> {
    const fn of(entries: I) -> Self {
        Self(RefCell::new(Some(entries)))
    }
}

impl<I: Iterator<Item = (String, Value)>> Serialize for Entries<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.take().into_iter().flatten())
    }
}

/// The name of a route's timer: Chronos', where it has one.
pub(crate) fn timer_name(route: &Route) -> String {
    let method = route.method.as_str();
    let name = match (method, route.path) {
        ("POST", "/iso8601") => "Iso8601JobResource.post",
        ("PUT", "/iso8601") => "Iso8601JobResource.put",
        ("POST", "/dependency") => "DependentJobResource.post",
        ("PUT", "/dependency") => "DependentJobResource.put",
        ("GET", "/jobs") => "JobManagementResource.list",
        ("GET", "/jobs/search") => "JobManagementResource.search",
        ("PUT", "/job/{name}") => "JobManagementResource.trigger",
        ("DELETE", "/job/{name}") => "JobManagementResource.delete",
        ("PUT", "/job/success/{name}") => "JobManagementResource.markJobSuccessful",
        ("GET", "/graph/dot") => "GraphManagementResource.dotGraph",
        ("GET", "/graph/csv") => "GraphManagementResource.jsonGraph",
        ("GET", "/stats/{figure}") => "StatsResource.getPerf",
        _ => return format!("chronode.api.{method} {}", route.pattern()),
    };
    format!("{CHRONOS}.api.{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_the_form_that_it_likes_best() {
        for (accept, expected) in [
            ("", Form::Json),
            ("*/*", Form::Json),
            ("text/html, */*;q=0.1", Form::Json),
            ("text/plain", Form::Text),
            ("TEXT/PLAIN; version=0.0.4", Form::Text),
            ("application/openmetrics-text", Form::OpenMetrics),
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Form::OpenMetrics,
            ),
            ("application/json, text/plain, */*", Form::Json),
            ("application/json;q=0.4, text/plain", Form::Text),
            ("text/plain;q=0", Form::Json),
            ("text/plain;q=x", Form::Text),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(Form::accepted(&headers), expected, "{accept}");
        }
        assert_eq!(Form::accepted(&HeaderMap::new()), Form::Json);
    }
}
