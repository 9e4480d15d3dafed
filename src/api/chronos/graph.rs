//! `P/graph/dot` and `P/graph/csv`: who is triggered by whom, byte for byte as Chronos prints it.
//!
//! Jobs stand in the order of their creation, edges by their child and there in the order of its parents. Neither form
//! quotes anything: no name that any door lets in has a comma or a quotation mark.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::api::Desk;
use crate::api::brief::JobBrief;
use crate::api::error::ApiError;
use crate::model::{Dialect, JobName, When};

/// `GET P/graph/dot`.
pub(crate) async fn dot(desk: Desk) -> Result<Response, ApiError> {
    text(&desk, |jobs, _| {
        let mut text = "digraph G {\n".to_owned();
        for (number, brief) in (1..).zip(jobs) {
            put(&mut text, format_args!("  {number} [ label=\"{}\" ];\n", brief.job.name));
        }
        let numbers: BTreeMap<&JobName, usize> =
            jobs.iter().map(|brief| &brief.job.name).zip(1..).collect();
        edges(jobs, |parent, child| {
            if let (Some(parent), Some(child)) = (numbers.get(parent), numbers.get(child)) {
                put(&mut text, format_args!("  {parent} -> {child};\n"));
            }
        });
        text.push_str("}\n");
        text
    })
    .await
}

/// `GET P/graph/csv`: the nodes, then the links.
pub(crate) async fn csv(desk: Desk) -> Result<Response, ApiError> {
    text(&desk, |jobs, dialect| {
        let mut text = String::new();
        for brief in jobs {
            let (name, status) = (&brief.job.name, brief.status.as_str());
            put(&mut text, format_args!("node,{name},{status},"));
            match dialect {
                Dialect::V0 => text.push_str(brief.state.word()),
                Dialect::V1 => put(&mut text, format_args!("{}", brief.state)),
            }
            text.push('\n');
        }
        edges(jobs, |parent, child| put(&mut text, format_args!("link,{parent},{child}\n")));
        text
    })
    .await
}

/// Prints all jobs in scope. They share their definitions with the state, so this copies little.
async fn text(
    desk: &Desk,
    print: impl FnOnce(&[JobBrief], Dialect) -> String + Send + 'static,
) -> Result<Response, ApiError> {
    let (pages, dialect) = (desk.briefs(), desk.dialect);
    let text = desk.calculate(move || print(&pages.flatten().collect::<Vec<_>>(), dialect)).await?;
    let plain = HeaderValue::from_static("text/plain");
    Ok(([(CONTENT_TYPE, plain)], text).into_response())
}

/// Every edge between two of `jobs`. One that leads out of scope, or to a job deleted meanwhile, is none.
fn edges(jobs: &[JobBrief], mut each: impl FnMut(&JobName, &JobName)) {
    let names: BTreeSet<&JobName> = jobs.iter().map(|brief| &brief.job.name).collect();
    for brief in jobs {
        let When::Parents(terms) = &brief.job.when else { continue };
        for parent in terms.names.iter().filter(|parent| names.contains(parent)) {
            each(parent, &brief.job.name);
        }
    }
}

fn put(to: &mut String, what: std::fmt::Arguments<'_>) {
    to.write_fmt(what).expect("a text takes whatever is written");
}
