//! `/metrics`: what is counted and measured, in Dropwizard's form as Chronos has it, or in Prometheus'.

use std::sync::Arc;

use axum::extract::RawQuery;
use axum::http::header::{ACCEPT, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{in_parts, quote};
use crate::api::Desk;
use crate::api::brief::JobBrief;
use crate::api::error::ApiError;
use crate::api::query::{self, Query};
use crate::api::routes::Route;
use crate::metrics::{Counts, Figures, Levels, Rates};
use crate::model::ClusterCounts;
use crate::model::Job;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// The version of the form, which tools look at; not ours.
const FORM_VERSION: &str = "3.0.0";
const CHRONOS: &str = "org.apache.mesos.chronos.scheduler";
/// How many pieces of the document, of which most are an entry, are printed into one part of the answer.
const PIECES_PER_PART: usize = 128;

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
    let mut response = match form {
        Form::OpenMetrics => text(OPENMETRICS, &desk),
        Form::Text => text(TEXT, &desk),
        Form::Json => {
            let is_pretty = query.get("pretty") == Some("true");
            let mut pieces = Document::of(&desk).await?.print(is_pretty);
            in_parts("application/json", move || {
                let part: String = pieces.by_ref().take(PIECES_PER_PART).collect();
                (!part.is_empty()).then_some(part)
            })
        }
    };
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

fn text(content_type: &'static str, desk: &Desk) -> Response {
    let content_type = HeaderValue::from_static(content_type);
    ([(CONTENT_TYPE, content_type)], desk.metrics().print(&desk.levels())).into_response()
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
struct Document {
    levels: Levels,
    counts: Counts,
    /// Jobs of which runs are counted.
    counted: Vec<JobBrief>,
    /// How long runs took, of jobs of which that is known.
    timed: Vec<(Arc<Job>, Figures)>,
}

/// Entries of an object, made one after the other while they are printed.
type Entries = Box<dyn Iterator<Item = (String, Value)> + Send>;

impl Document {
    /// All of it as it is now; it is printed later.
    async fn of(desk: &Desk) -> Result<Self, ApiError> {
        let unreadable =
            |detail| ApiError::internal("the history cannot be read; the log says why", detail);
        let took = desk.took_by_all().await.map_err(unreadable)?;
        let (levels, counts) = (desk.levels(), desk.metrics().counts());
        let pages = desk.briefs();
        let pick = move || {
            let mut document = Self { levels, counts, counted: Vec::new(), timed: Vec::new() };
            for brief in pages.flatten() {
                if let Some(figures) = took.get(&brief.incarnation) {
                    document.timed.push((Arc::clone(&brief.job), *figures));
                }
                if brief.success_count > 0 || brief.error_count > 0 {
                    document.counted.push(brief);
                }
            }
            document
        };
        desk.calculate(pick).await
    }

    /// Its text in pieces, of which each has at most one entry.
    fn print(self, is_pretty: bool) -> impl Iterator<Item = String> + Send {
        let pick = move |compact: &'static str, pretty: &'static str| {
            if is_pretty { pretty } else { compact }
        };
        let Self { levels, counts, counted, timed } = self;
        let sections: [(&str, Entries); 5] = [
            ("gauges", gauges(&levels)),
            ("counters", counters(&counts, counted)),
            ("histograms", histograms(&counts, timed)),
            ("meters", meters(&counts)),
            ("timers", timers(counts)),
        ];
        let sections = sections.into_iter().flat_map(move |(name, entries)| {
            let mut entries = entries.peekable();
            let is_empty = entries.peek().is_none();
            let open = format!("{}\"{name}\"{}{{", pick(",", ",\n  "), pick(":", ": "));
            let close = if is_empty { "}" } else { pick("}", "\n  }") };
            let first = std::iter::once("").chain(std::iter::repeat(","));
            let entries = first.zip(entries).map(move |(comma, (name, value))| {
                let mut piece = format!("{comma}{}", pick("", "\n    "));
                quote(&mut piece, &name);
                piece.push_str(pick(":", ": "));
                if is_pretty {
                    // No text of JSON has a line's end in it.
                    piece.push_str(&format!("{value:#}").replace('\n', "\n    "));
                } else {
                    piece.push_str(&value.to_string());
                }
                piece
            });
            std::iter::once(open).chain(entries).chain(std::iter::once(close.to_owned()))
        });
        let version = format!("\"version\"{}\"{FORM_VERSION}\"", pick(":", ": "));
        std::iter::once(format!("{}{version}", pick("{", "{\n  ")))
            .chain(sections)
            .chain(std::iter::once(pick("}", "\n}").to_owned()))
    }
}

fn gauges(levels: &Levels) -> Entries {
    let Levels { jobs, jobs_disabled, queue, queue_high, is_launcher_connected, term, .. } =
        *levels;
    let gauges = [
        (format!("{CHRONOS}.jobs.TaskManager.queueSize"), json!(queue)),
        (format!("{CHRONOS}.jobs.TaskManager.highQueueSize"), json!(queue_high)),
        ("chronode.jobs".to_owned(), json!(jobs)),
        ("chronode.jobs.disabled".to_owned(), json!(jobs_disabled)),
        ("chronode.runs.live".to_owned(), json!(levels.live())),
        ("chronode.launcher.connected".to_owned(), json!(u8::from(is_launcher_connected))),
        ("chronode.term".to_owned(), json!(term)),
        ("chronode.version".to_owned(), json!(env!("CARGO_PKG_VERSION"))),
    ];
    Box::new(gauges.into_iter().map(|(name, value)| (name, json!({"value": value}))))
}

fn counters(counts: &Counts, jobs: Vec<JobBrief>) -> Entries {
    let Counts { runs, attempts, commits, store_errors, api_errors, cluster, .. } = counts;
    let runs = runs
        .iter()
        .map(|(verdict, count)| (format!("chronode.runs.{}", verdict.as_str()), *count))
        .collect::<Vec<_>>();
    let others = [
        ("chronode.attempts.started", *attempts),
        ("chronode.commits", *commits),
        ("chronode.store.errors", *store_errors),
        ("chronode.api.errors", *api_errors),
    ];
    let others = others.into_iter().map(|(name, count)| (name.to_owned(), count));
    let jobs = jobs.into_iter().flat_map(|brief| {
        let JobBrief { job, success_count, error_count, .. } = brief;
        let named = [("success", success_count), ("failure", error_count)];
        named.map(|(what, count)| (format!("jobs.run.{what}.{}", job.name), count))
    });
    // What runs on this machine has its offers at once: none was ever revived. Requests that come while one waits for its
    // turn are that one.
    let revives = cluster.map_or(0, |cluster| cluster.revives);
    let revived = ["reviveOffersCount", "reviveOffersRequestCount"];
    let revived =
        revived.map(|name| (format!("{CHRONOS}.mesos.MesosOfferReviver.{name}"), revives));
    let cluster = cluster.iter().flat_map(ClusterCounts::all);
    let cluster = cluster.map(|(name, _, count)| (format!("chronode.mesos.{name}"), count));
    let cluster = cluster.collect::<Vec<_>>();
    let all = revived.into_iter().chain(runs).chain(others).chain(cluster).chain(jobs);
    Box::new(all.map(|(name, count)| (name, json!({"count": count}))))
}

fn histograms(counts: &Counts, jobs: Vec<(Arc<Job>, Figures)>) -> Entries {
    let own = [
        ("chronode.launch.lateness", counts.launch_lateness),
        ("chronode.start.lateness", counts.lateness),
        ("chronode.attempt.duration", counts.durations),
    ];
    let own = own.into_iter().map(|(name, figures)| (name.to_owned(), figures));
    let jobs =
        jobs.into_iter().map(|(job, figures)| (format!("jobs.run.time.{}", job.name), figures));
    Box::new(own.chain(jobs).map(|(name, figures)| (name, histogram(&figures, 1.0))))
}

fn meters(counts: &Counts) -> Entries {
    let mut meter = rates(&counts.requests);
    meter["units"] = "events/second".into();
    Box::new(std::iter::once(("chronode.http.requests".to_owned(), meter)))
}

fn timers(counts: Counts) -> Entries {
    Box::new(counts.timers.into_iter().map(|(name, how_often, micros)| {
        let mut timer = histogram(&micros, 1_000_000.0);
        for (key, rate) in rates(&how_often).as_object().into_iter().flatten() {
            timer[key] = rate.clone();
        }
        timer["duration_units"] = "seconds".into();
        timer["rate_units"] = "calls/second".into();
        (name, timer)
    }))
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
