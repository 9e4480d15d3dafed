//! `P/jobs/summary`: what a page with all jobs shows of each. Byte for byte what Chronos 3 prints.

use axum::response::Response;

use super::{in_parts, quote};
use crate::api::Desk;
use crate::api::brief::JobBrief;
use crate::model::{JobName, When};

/// `GET P/jobs/summary`: in the order of creation.
pub(crate) async fn show(desk: Desk) -> Response {
    let mut pages = desk.briefs();
    let mut opening = Some("{\"jobs\":[");
    let mut is_first = true;
    let mut is_over = false;
    in_parts("application/json", move || {
        if is_over {
            return None;
        }
        let mut part = opening.take().unwrap_or_default().to_owned();
        match pages.next() {
            Some(page) => {
                for brief in &page {
                    if !std::mem::take(&mut is_first) {
                        part.push(',');
                    }
                    print(&mut part, brief);
                }
            }
            None => {
                is_over = true;
                part.push_str("]}");
            }
        }
        Some(part)
    })
}

/// Written by hand, because a hundred thousand jobs are to be printed in less time than a person notices.
fn print(to: &mut String, brief: &JobBrief) {
    let job = &brief.job;
    let (schedule, parents) = match &job.when {
        When::Schedule(terms) => (terms.text.as_str(), &[][..]),
        When::Parents(terms) => ("", terms.names.as_slice()),
    };
    to.push_str("{\"name\":");
    quote(to, job.name.as_str());
    to.push_str(",\"status\":");
    quote(to, brief.status.as_str());
    to.push_str(",\"state\":");
    quote(to, &brief.state.to_string());
    to.push_str(",\"schedule\":");
    quote(to, schedule);
    to.push_str(",\"parents\":[");
    for (index, parent) in parents.iter().map(JobName::as_str).enumerate() {
        if index > 0 {
            to.push(',');
        }
        quote(to, parent);
    }
    to.push_str("],\"disabled\":");
    to.push_str(if job.disabled { "true}" } else { "false}" });
}
