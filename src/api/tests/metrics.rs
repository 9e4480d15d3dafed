//! `/metrics` over HTTP, in both forms.

use serde_json::{Value, json};

use super::super::testing::{Fixture, name, over, run};
use super::stats::{many, parts};
use crate::api::Backend as _;
use crate::model::ClusterCounts;
use crate::model::{HistoryEntry, Verdict};

const CHRONOS: &str = "org.apache.mesos.chronos.scheduler";

async fn job(fixture: &Fixture, name: &str) {
    let body =
        format!(r#"{{"name":"{name}","command":"true","schedule":"R/2030-01-01T00:00:00Z/P1D"}}"#);
    assert_eq!(fixture.put("POST", "/scheduler/iso8601", &body).await.status, 204);
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn the_document_of_dropwizard_has_what_tools_of_chronos_read() {
    let fixture = Fixture::start().await;
    let answer = fixture.ask("GET", "/metrics").await;
    assert_eq!((answer.status, answer.text().lines().count()), (200, 1));
    let document = answer.json();
    assert_eq!(
        keys(&document),
        ["version", "gauges", "counters", "histograms", "meters", "timers"]
    );
    assert!(document["version"].is_string());
    let gauges = &document["gauges"];
    assert_eq!(gauges[format!("{CHRONOS}.jobs.TaskManager.queueSize")], json!({"value": 3}));
    assert_eq!(gauges[format!("{CHRONOS}.jobs.TaskManager.highQueueSize")], json!({"value": 2}));
    let revived = format!("{CHRONOS}.mesos.MesosOfferReviver.reviveOffersCount");
    assert_eq!(document["counters"][revived], json!({"count": 0}));
    assert_eq!(document["counters"]["chronode.mesos.offers"], Value::Null);
    let counts = || ClusterCounts { offers: 9, revives: 4, ..ClusterCounts::default() };
    fixture.memory.metrics().watch_cluster(counts);
    let document = fixture.ask("GET", "/metrics").await.json();
    let revived = format!("{CHRONOS}.mesos.MesosOfferReviver.reviveOffersCount");
    assert_eq!(document["counters"][revived], json!({"count": 4}));
    assert_eq!(document["counters"]["chronode.mesos.offers"], json!({"count": 9}));
    assert_eq!(document["counters"]["chronode.mesos.acknowledgements"], json!({"count": 0}));
    let pretty = fixture.ask("GET", "/metrics?pretty=true").await;
    assert!(pretty.text().starts_with("{\n  \"version\""), "{}", pretty.text());
    assert_eq!(keys(&pretty.json()), keys(&document));
}

#[tokio::test]
async fn figures_of_a_job_are_there_once_it_has_run() {
    let fixture = Fixture::start().await;
    job(&fixture, "a.b-1").await;
    job(&fixture, "never").await;
    {
        let mut world = fixture.memory.world();
        let stats = &mut world.jobs.get_mut(&name("a.b-1")).unwrap().stats;
        (stats.success_count, stats.error_count) = (7, 1);
        world.history.push(HistoryEntry::Run(run(
            1,
            "a.b-1",
            over(Verdict::Succeeded),
            Vec::new(),
        )));
    }
    let document = fixture.ask("GET", "/metrics").await.json();
    let counters = &document["counters"];
    assert_eq!(counters["jobs.run.success.a.b-1"], json!({"count": 7}));
    assert_eq!(counters["jobs.run.failure.a.b-1"], json!({"count": 1}));
    let expected = json!({
        "count": 1, "max": 2_000.0, "mean": 2_000.0, "min": 2_000.0, "p50": 2_000.0, "p75": 2_000.0,
        "p95": 2_000.0, "p98": 2_000.0, "p99": 2_000.0, "p999": 2_000.0, "stddev": 0.0,
    });
    assert_eq!(document["histograms"]["jobs.run.time.a.b-1"], expected);
    assert!(!document.to_string().contains("never"));
    // Prometheus would keep a series of each for ever.
    let text = fixture.ask("GET", "/metrics?format=prometheus").await;
    assert!(!text.text().contains("a.b-1"));
}

#[tokio::test]
async fn the_document_of_many_jobs_comes_in_parts_and_is_what_serde_prints() {
    let fixture = Fixture::start().await;
    let jobs = many(&fixture).await;
    for (path, is_pretty) in [("/metrics", false), ("/metrics?pretty=true", true)] {
        let parts = parts(&fixture, path).await;
        assert!(parts.len() > 3, "{}", parts.len());
        let text = parts.concat();
        let document: Value = serde_json::from_str(&text).unwrap();
        let expected = if is_pretty { format!("{document:#}") } else { document.to_string() };
        assert_eq!(text, expected);
        for number in [1, jobs / 2, jobs] {
            let count = &document["counters"][format!("jobs.run.success.job-{number}")];
            assert_eq!(*count, json!({"count": number}));
            let figures = &document["histograms"][format!("jobs.run.time.job-{number}")];
            assert_eq!(figures["max"], json!(number as f64));
        }
    }
}

#[tokio::test]
async fn answers_are_counted_by_route_and_not_by_path() {
    let fixture = Fixture::start().await;
    job(&fixture, "a").await;
    for path in ["/scheduler/job/a", "/v1/scheduler/job/a", "/scheduler/job/x", "/nothing/at/all"] {
        fixture.ask("GET", path).await;
    }
    fixture.ask("BREW", "/ping").await;
    let text = fixture.ask("GET", "/metrics?format=prometheus").await;
    for line in [
        r#"chronode_http_requests_total{method="GET",route="P/job/{name}",status="200"} 2"#,
        r#"chronode_http_requests_total{method="GET",route="P/job/{name}",status="400"} 1"#,
        r#"chronode_http_requests_total{method="POST",route="P/iso8601",status="204"} 1"#,
        r#"chronode_http_requests_total{method="GET",route="",status="404"} 1"#,
        r#"chronode_http_requests_total{method="OTHER",route="/ping",status="405"} 1"#,
        r#"chronode_http_request_seconds_count{method="GET",route="P/job/{name}"} 3"#,
        r#"chronode_api_errors_total{code="unknown_job"} 1"#,
        r#"chronode_api_errors_total{code="unknown_path"} 1"#,
        r#"chronode_api_errors_total{code="method_not_allowed"} 1"#,
    ] {
        assert!(text.text().lines().any(|found| found == line), "{line}\n{}", text.text());
    }
    let document = fixture.ask("GET", "/metrics").await.json();
    assert_eq!(document["counters"]["chronode.api.errors"], json!({"count": 3}));
    // The document itself is not answered yet.
    assert_eq!(document["meters"]["chronode.http.requests"]["count"], 7);
    let timers = &document["timers"];
    let posted = &timers[format!("{CHRONOS}.api.Iso8601JobResource.post")];
    assert_eq!((&posted["count"], &posted["duration_units"]), (&json!(1), &json!("seconds")));
    assert_eq!(timers["chronode.api.GET P/job/{name}"]["count"], 3);
    assert_eq!(keys(posted).len(), 17, "{posted}");
}

#[tokio::test]
async fn prometheus_gets_its_text_when_it_asks() {
    let fixture = Fixture::start().await;
    for (headers, query, content_type) in [
        ("Accept: text/plain;version=0.0.4\r\n", "", "text/plain; version=0.0.4; charset=utf-8"),
        ("", "?format=prometheus", "text/plain; version=0.0.4; charset=utf-8"),
        (
            "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n",
            "",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
        ("Accept: text/plain\r\n", "?format=json", "application/json"),
        ("Accept: text/html,*/*;q=0.8\r\n", "", "application/json"),
    ] {
        let answer = fixture.ask_with("GET", &format!("/metrics{query}"), headers, "").await;
        assert_eq!(answer.header("content-type"), Some(content_type), "{headers}{query}");
        assert_eq!(answer.header("vary"), Some("accept"));
    }
    let answer = fixture.ask("GET", "/metrics?format=prometheus").await;
    let version = env!("CARGO_PKG_VERSION");
    for line in [
        &format!(r#"chronode_build_info{{version="{version}"}} 1"#),
        "# TYPE chronode_runs counter",
        r#"chronode_runs_total{verdict="superseded"} 0"#,
        r#"chronode_queue_size{priority="high"} 2"#,
        r#"chronode_queue_size{priority="normal"} 3"#,
        "chronode_launcher_connected 0",
        "chronode_jobs 0",
        "# EOF",
    ] {
        assert!(answer.text().lines().any(|found| found == line), "{line}\n{}", answer.text());
    }
    let refused = fixture.ask("GET", "/metrics?format=xml").await;
    assert!(refused.message(400).contains("expected `json` or `prometheus`"));
    assert_eq!(refused.json()["field"], "format");
}
